"""What would be installed with a wheel: its closure, resolved by pip without running any code of it.

Enters: a wheel, the extras that are asked for, the address of an index. Leaves: pip's report as `Resolved`. pip runs
isolated, in a private folder, takes wheels only, and installs nothing; it has a bounded time to answer.
https://pip.pypa.io/en/stable/reference/installation-report/
"""

import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from sealwright.collect.contents.core_metadata import build_core_metadata, fields_of_json
from sealwright.collect.contents.environment import read_direct_url
from sealwright.collect.contents.purl import build_purl
from sealwright.collect.contents.references import clean_file_url
from sealwright.errors import UndecidedError
from sealwright.files.distribution import MetadataError
from sealwright.files.module_start import start_module
from sealwright.files.reading import UnfitFileError, read_bounded, reason
from sealwright.files.strict_json import read_json
from sealwright.model.component import DistributionFile, Package

_PATIENCE_SECONDS = 600
MAX_REPORT_BYTES = 256 * 1024 * 1024
_MAX_COMMAS = 5_000_000
_MAX_OUTPUT_BYTES = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_WHEELS = (
    "A dependency that is no wheel would have to be built, which runs its code. Resolve it where that is safe, and "
    "bring the result: sealwright sbom pylock.toml, uv.lock or a requirements file with hashes."
)
# What pip needs to reach an index; nothing else of the environment reaches it.
_PASSED_ON = (
    "PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "all_proxy",
    "XDG_CACHE_HOME", "XDG_CONFIG_DIRS",
)  # fmt: skip


class Resolved(NamedTuple):
    """The packages of the closure, the wheel itself among them, and the marker environment they were chosen for.

    `urls` are the addresses pip would fetch them from. `short` are those whose metadata an older pip cuts short: it
    does not know License-Expression (core metadata 2.4).
    """

    packages: tuple[Package, ...]
    environment: dict[str, str]
    urls: dict[str, str]
    short: frozenset[str]


def collect_closure(
    wheel: Path, extras: tuple[str, ...], *, folder: Path, index_url: str = "", variables: dict[str, str] | None = None
) -> Resolved:
    """Ask pip what it would install; `folder` is private, and `wheel` lies in it.

    Raises UndecidedError if pip is missing, does not answer in time, or finds no closure of wheels; UsageError if its
    report is of a version that is not known.
    """
    report = folder / "report.json"
    wanted = f"./{wheel.name}" + (f"[{','.join(sorted(extras))}]" if extras else "")
    start, where = start_module("pip")
    command = [*start, "--isolated", "--no-input", "--disable-pip-version-check"]
    command += ["install", "--dry-run", "--ignore-installed", "--only-binary", ":all:", "--report", report.name]
    command += (["--index-url", index_url] if index_url else []) + ["--", wanted]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={name: text for name, text in (variables or {}).items() if name in _PASSED_ON} | where,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        if done.returncode:
            raise _refusal(wheel.name, done.stdout[-_MAX_OUTPUT_BYTES:].decode("utf-8", "replace"))
        content = read_bounded(report, MAX_REPORT_BYTES)
    except subprocess.TimeoutExpired as error:
        raise UndecidedError(f"pip did not resolve {wheel.name} in {_PATIENCE_SECONDS} seconds", _NO_WHEELS) from error
    except UnfitFileError as error:
        raise UndecidedError(f"pip's report on {wheel.name} is {error}") from error
    except OSError as error:
        raise UndecidedError(f"pip cannot be run: {reason(error)}", "Install pip beside Sealwright.") from error
    return read_report(content, wheel.name)


def _refusal(name: str, output: str) -> UndecidedError:
    errors = [line.strip() for line in output.splitlines() if line.startswith(("ERROR: ", "error: "))]
    said = " ".join(errors[:2])[:500] or output.strip().splitlines()[-1:] or ["nothing"]
    if "No module named pip" in output:
        return UndecidedError(
            "there is no pip beside Sealwright", "Install it: python -m ensurepip, or uv pip install pip"
        )
    return UndecidedError(f"{name} has no closure of wheels; pip says: {said if errors else said[0]}", _NO_WHEELS)


def read_report(content: bytes, name: str) -> Resolved:
    """Read pip's report. Raises UndecidedError if it is none, or of a version that is not known."""
    try:
        report = read_json(content, max_commas=_MAX_COMMAS)
        if not isinstance(report, dict) or report.get("version") != "1":
            raise ValueError("it is no report of version 1")
        environment, installs = report.get("environment"), report.get("install")
        if not isinstance(environment, dict) or not isinstance(installs, list):
            raise ValueError("it lists no packages")  # noqa: TRY004  JSON is wrong, not an argument
        packages: dict[str, Package] = {}
        urls: dict[str, str] = {}
        short: set[str] = set()
        for item in installs:
            package, url = _read_item(item)
            if package.name in packages:
                raise ValueError(f"it lists {package.name} twice")
            packages[package.name] = package
            urls[package.name] = url
            if "license_expression" not in item["metadata"] and str(item["metadata"].get("metadata_version")) >= "2.4":
                short.add(package.name)
    except ValueError as error:  # MetadataError is one
        raise UndecidedError(
            f"pip's report on {name} cannot be read: {error}", "pip 22.2 or later writes one."
        ) from error
    texts = {str(key): text for key, text in environment.items() if isinstance(text, str)}
    return Resolved(tuple(packages[each] for each in sorted(packages)), texts, urls, frozenset(short))


def _read_item(item: Any) -> tuple[Package, str]:
    if not isinstance(item, dict) or not isinstance(item.get("download_info"), dict):
        raise MetadataError("an entry without download_info")
    metadata = build_core_metadata(fields_of_json(item.get("metadata")))
    info = item["download_info"]
    stated_url = info.get("url")
    _, hashes, _, purl = read_direct_url(info, metadata)
    if not hashes:
        raise MetadataError(f"no SHA-256 of {metadata.name}")
    if not item.get("is_direct") or str(stated_url).startswith("file:"):
        purl = build_purl(metadata.name, metadata.version)
    url = clean_file_url(str(stated_url))
    file = DistributionFile(str(stated_url).partition("#")[0].rpartition("/")[2][:255], url, hashes[0])
    properties = (("sealwright:yanked", "true"),) if item.get("is_yanked") is True else ()
    return Package(metadata.name, metadata.version, purl, metadata, hashes, (file,), properties=properties), str(
        stated_url
    )

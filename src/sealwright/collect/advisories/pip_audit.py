"""pip-audit, run as a child on versions that are already known, and what it says of each.

Enters: pinned versions, a service. Leaves: for each what pip-audit found or why it skipped it, and its warnings. It
runs in a private folder, isolated, with an environment of its own; it resolves, installs and fixes nothing.
https://github.com/pypa/pip-audit
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sealwright.errors import UndecidedError
from sealwright.files.module_start import start_module
from sealwright.files.private import base_for, private_folder
from sealwright.files.reading import UnfitFileError, read_bounded
from sealwright.files.strict_json import read_json
from sealwright.model.advisory import normalise
from sealwright.model.version_order import read_order

_SECONDS = 1800
_MAX_OUTPUT_BYTES = 256 * 1024**2
_MAX_COMMAS = 10_000_000
_MAX_WARNINGS = 50
_QUIET = (
    "found ",
    "no known vulnerabilities found",
    "warning:pip_audit._cli:--no-deps is supported",  # advice: each pin is known, so nothing is to be resolved
    "warning:pip_audit._cli:consider using a tool like",
)


class Vulnerability(NamedTuple):
    """What pip-audit says of one advisory."""

    id: str
    aliases: tuple[str, ...]
    fixes: tuple[str, ...]
    summary: str


class Spoken(NamedTuple):
    """What pip-audit says of one dependency: vulnerabilities, or why it skipped it."""

    vulnerabilities: tuple[Vulnerability, ...] = ()
    skipped: str = ""


class PipAudit(NamedTuple):
    """All that it says, by normalised name and version as it was asked, and its warnings."""

    spoken: dict[tuple[str, str], Spoken]
    warnings: tuple[str, ...]


def run_pip_audit(pins: list[tuple[str, str]], service: str, url: str, environment: Mapping[str, str]) -> PipAudit:
    """Run pip-audit on pins, whose names must differ; `url` is that of an OSV service, empty for its own default.

    Raises UndecidedError if it does not end, or says nothing that can be read.
    """
    with private_folder(base_for(0), "sealwright-pip-audit-") as folder:
        (folder / "requirements.txt").write_text("".join(f"{name}=={version}\n" for name, version in pins), "utf-8")
        start, where = start_module("pip_audit")
        command = [
            *start, "--requirement", "requirements.txt", "--no-deps", "--disable-pip",
            "--format", "json", "--desc", "off", "--progress-spinner", "off", "--cache-dir", str(folder / "cache"),
            "--vulnerability-service", service, "--output", "answer.json", *(("--osv-url", url) if url else ()),
        ]  # fmt: skip
        private = {"HOME": str(folder), "XDG_CACHE_HOME": str(folder), "PIP_CONFIG_FILE": "/dev/null"}
        with (folder / "said").open("wb") as said:
            try:
                done = subprocess.run(
                    command, cwd=folder, env={**environment, **private, **where}, stdin=subprocess.DEVNULL, stdout=said,
                    stderr=said, timeout=_SECONDS, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired as error:
                raise UndecidedError(f"pip-audit did not end within {_SECONDS} seconds") from error
            except OSError as error:
                raise UndecidedError(f"pip-audit cannot be run: {error.strerror}") from error
        warnings = _read_warnings(folder / "said")
        if done.returncode not in (0, 1) or not (folder / "answer.json").exists():
            last = warnings[-1] if warnings else f"exit code {done.returncode}"
            raise UndecidedError(f"pip-audit gave no answer: {last}", "Nothing was audited; try it again.")
        spoken = _read_answer(folder / "answer.json", pins)
        noise = (line for line in warnings if not line.lower().startswith(_QUIET))
        return PipAudit(spoken, tuple(f"pip-audit: {line}" for line in noise))


def _read_warnings(path: Path) -> tuple[str, ...]:
    with path.open("rb") as stream:
        text = stream.read(1024 * 1024).decode("utf-8", "replace")
    lines = [line.strip()[:300] for line in text.splitlines() if line.strip()]
    return tuple(lines[-_MAX_WARNINGS:])


def _read_answer(path: Path, pins: list[tuple[str, str]]) -> dict[tuple[str, str], Spoken]:
    try:
        document = read_json(read_bounded(path, _MAX_OUTPUT_BYTES), _MAX_COMMAS)
        entries = document["dependencies"]
        found = {normalise(entry["name"]): _entry(entry) for entry in entries}
        if len(found) != len(entries):
            raise ValueError("it speaks of one project twice")
    except (UnfitFileError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UndecidedError(f"what pip-audit says cannot be read: {type(error).__name__}") from error
    spoken: dict[tuple[str, str], Spoken] = {}
    for name, version in pins:
        stated, said = found.get(name, ("", Spoken(skipped="pip-audit says nothing of it")))
        if not said.skipped and read_order(stated) != read_order(version):
            said = Spoken(skipped=f"pip-audit speaks of another version, {stated[:60]}")
        spoken[name, version] = said
    return spoken


def _entry(entry: dict[str, Any]) -> tuple[str, Spoken]:
    if "skip_reason" in entry:
        return "", Spoken(skipped=f"pip-audit skipped it: {str(entry['skip_reason'])[:200]}")
    found = [
        Vulnerability(
            str(each["id"]),
            tuple(map(str, each.get("aliases") or ())),
            tuple(map(str, each.get("fix_versions") or ())),
            str(each.get("description") or "")[:200],
        )
        for each in entry["vulns"]
    ]
    return str(entry["version"]), Spoken(tuple(found))

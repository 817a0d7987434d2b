"""A virtual environment, read without running anything of it.

Enters: its folder, which may be hostile. Leaves: `InstalledPackages`. Reads the .dist-info and .egg-info folders that
stand in site-packages, as files of bounded size; never starts its Python, never imports from it, follows no .pth file.
https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from sealwright.collect.contents.core_metadata import parse_core_metadata
from sealwright.collect.contents.purl import build_purl
from sealwright.collect.contents.references import clean, clean_file_url
from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import digest_bytes
from sealwright.files.distribution import MAX_METADATA_BYTES, MetadataError
from sealwright.files.reading import UnfitFileError, read_bounded, reason
from sealwright.files.strict_json import read_json
from sealwright.model.component import CoreMetadata, DistributionFile, Package, Reference
from sealwright.model.sbom_components import EDITABLE, LOCAL

_Properties = tuple[tuple[str, str], ...]

_MAX_ENTRIES = 200_000
_MAX_PACKAGES = 10_000
_MAX_NESTED_BYTES = 32 * 1024 * 1024
_MAX_NESTED = 20
_PYTHON = re.compile(r"(?:python|pypy)(3\.\d{1,3})t?")
_INFO = (".dist-info", ".egg-info")  # in any case, as importlib.metadata takes them
_OLD = (".egg-link", ".egg")  # what is installed in an old way, whose metadata is elsewhere or packed
_DEBIAN = ("lib*/*/dist-packages", "local/lib/*/dist-packages")  # what the Python of Debian reads besides
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SERIAL = re.compile(rb'"serialNumber"\s{0,9}:\s{0,9}"urn:uuid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"')
_VERSION = re.compile(rb'"version"\s{0,9}:\s{0,9}([1-9][0-9]{0,5})\s{0,9}[,}]')
_HINT = "Name the folder of a virtual environment, or a folder with .dist-info folders in it."


class InstalledPackages(NamedTuple):
    """What is installed, where each one's metadata stands, and the marker environment of its Python.

    That is this machine's, with the version of Python that the folder tells. `unknown` is what could not be read.
    """

    packages: tuple[Package, ...]
    places: dict[str, Path]
    environment: dict[str, str]
    unknown: tuple[str, ...] = ()


def collect_environment(folder: Path) -> InstalledPackages:
    """Read every installed package.

    Raises UsageError for a folder that is no environment, or has one package twice; UndecidedError for a package whose
    metadata cannot be read.
    """
    found: dict[str, Package] = {}
    places: dict[str, Path] = {}
    libraries, version = _site_packages(folder)
    unknown: list[str] = []
    for library in libraries:
        names = _info_folders(library)
        unknown += [f"{name[:100]}, which is installed in an old way" for name in names if name.lower().endswith(_OLD)]
        infos = (name for name in names if name.lower().endswith(_INFO))
        for name in sorted(infos, key=lambda name: name.lower().endswith(_INFO[1])):
            package = _read_package(library / name)
            if package.name in found:
                if _is_left_of(library / name, package, places[package.name], found[package.name]):
                    continue
                raise UsageError(
                    f"{folder} has {package.name} twice: {found[package.name].version} and {package.version}",
                    "Remove one of them, or make the environment again.",
                )
            found[package.name] = package
            places[package.name] = library / name
    if not found:
        raise UsageError(f"{folder} has no installed packages", _HINT)
    return InstalledPackages(tuple(found[name] for name in sorted(found)), places, _markers(version), tuple(unknown))


def _is_left_of(info: Path, package: Package, first: Path, found: Package) -> bool:
    """Tell whether an .egg-info is what a build has left of the .dist-info beside it, as Debian ships cryptography."""
    return (
        info.parent == first.parent
        and (first.suffix, info.suffix) == (".dist-info", ".egg-info")
        and package.version == found.version
        and {*package.metadata.requires} <= {*found.metadata.requires}
    )


def read_installed(info: Path) -> tuple[bytes, tuple[str, ...]]:
    """Return the metadata as it is installed, and the tags of the wheel it came from. Raises UndecidedError."""
    try:
        wheel = _read_optional(info / "WHEEL", MAX_METADATA_BYTES).decode("utf-8", "replace")
        return _read_metadata(info), tuple(
            line.partition(":")[2].strip() for line in wheel.splitlines() if line.startswith("Tag:")
        )
    except (MetadataError, OSError) as error:
        raise UndecidedError(f"{info} cannot be read: {error}", "Install that package again.") from error


def _site_packages(folder: Path) -> tuple[list[Path], str]:
    """Return its site-packages, each once, and the version of its Python (empty: that of this one)."""
    named = [(path, path.parent.name) for path in sorted(folder.glob("lib*/*/site-packages"))]
    places = {path.resolve(): match[1] for path, name in named if (match := _PYTHON.fullmatch(name))}
    if len(set(places.values())) > 1:
        raise UsageError(
            f"{folder} holds packages of several Pythons: {', '.join(sorted(set(places.values())))}",
            "Name the one site-packages folder that you mean.",
        )
    if places:
        besides = (path for pattern in _DEBIAN for path in folder.glob(pattern))
        return sorted({*places, *(path.resolve() for path in besides)}), next(iter(places.values()))
    windows = folder / "Lib" / "site-packages"
    if windows.is_dir():
        return [windows], ""
    above = _PYTHON.fullmatch(folder.resolve().parent.name)
    return [folder], above[1] if above else ""


def _info_folders(library: Path) -> list[str]:
    names: list[str] = []
    try:
        with os.scandir(library) as entries:
            for count, entry in enumerate(entries):
                if count >= _MAX_ENTRIES or len(names) > _MAX_PACKAGES:
                    raise UsageError(f"{library} has too many entries", _HINT)
                if entry.name.lower().endswith((*_INFO, *_OLD)):
                    names.append(entry.name)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{library} is not a folder", _HINT) from error
    except OSError as error:
        raise UndecidedError(f"{library} cannot be read: {reason(error)}") from error
    return sorted(names)


def _markers(version: str) -> dict[str, str]:
    """The marker environment: this machine's, with the version of that Python."""
    from packaging.markers import default_environment

    environment = {key: str(value) for key, value in default_environment().items()}
    if version and version != environment["python_version"]:
        environment |= {"python_version": version, "python_full_version": f"{version}.0"}
        environment["implementation_version"] = environment["python_full_version"]
    return environment


def _read_package(info: Path) -> Package:
    try:
        metadata = parse_core_metadata(_read_metadata(info))
        url, hashes, properties, purl = _read_direct_url(info, metadata)
    except MetadataError as error:
        raise UndecidedError(f"{info}: {error}", "Install that package again, then: pip check") from error
    except UnfitFileError as error:
        raise UndecidedError(f"{info}: a file of it is {error}", "Install that package again.") from error
    except OSError as error:
        raise UndecidedError(f"{info} cannot be read: {reason(error)}") from error
    files = (DistributionFile("", url, hashes[0] if hashes else ""),) if url else ()
    nested = collect_nested(info)
    return Package(metadata.name, metadata.version, purl, metadata, hashes, files, nested, properties=properties)


def _read_metadata(info: Path) -> bytes:
    if info.is_file():  # .egg-info of distutils is the metadata itself
        return read_bounded(info, MAX_METADATA_BYTES)
    for name in ("METADATA", "PKG-INFO"):
        content = _read_optional(info / name, MAX_METADATA_BYTES)
        if content:
            return content
    raise MetadataError("it has no METADATA")


def _read_optional(path: Path, limit: int) -> bytes:
    try:
        return read_bounded(path, limit)
    except FileNotFoundError:
        return b""


def _read_direct_url(info: Path, metadata: CoreMetadata) -> tuple[str, tuple[str, ...], _Properties, str]:
    """Read where it came from, if that was no index: address, SHA-256, what its purl does not say, and that.

    https://packaging.python.org/en/latest/specifications/direct-url/
    """
    content = _read_optional(info / "direct_url.json", MAX_METADATA_BYTES)
    if not content:
        return "", (), (), build_purl(metadata.name, metadata.version)
    try:
        url, hashes, editable, purl = read_direct_url(read_json(content), metadata)
    except ValueError as error:
        raise MetadataError(f"its direct_url.json cannot be read: {error}") from error
    return url, hashes, (EDITABLE,) if editable else (LOCAL,) if "?" not in purl else (), purl


def read_direct_url(stated: Any, metadata: CoreMetadata) -> tuple[str, tuple[str, ...], bool, str]:
    """Take a direct URL apart (PEP 610). Raises ValueError if it is none."""
    if not isinstance(stated, dict) or not isinstance(stated.get("url"), str):
        raise ValueError("it names no url")  # noqa: TRY004  JSON is wrong, not an argument
    url = clean_file_url(stated["url"])  # file:// addresses of this machine are nobody's business
    archive, vcs, folder = (_table(stated.get(key)) for key in ("archive_info", "vcs_info", "dir_info"))
    digest = _table(archive.get("hashes")).get("sha256") or str(archive.get("hash", "")).removeprefix("sha256=")
    hashes = (digest,) if isinstance(digest, str) and _SHA256.fullmatch(digest) else ()
    commit = vcs.get("commit_id")
    where = {"vcs_url": f"{vcs.get('vcs', 'git')}+{url}@{commit}"} if url and isinstance(commit, str) else {}
    if url and not vcs:
        where = {"download_url": url}
    editable = folder.get("editable") is True
    return ("" if vcs else url), hashes, editable, build_purl(metadata.name, metadata.version, **where)


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def collect_nested(info: Path) -> tuple[Reference, ...]:
    """Read the SBOMs that a package carries (PEP 770, https://peps.python.org/pep-0770/)."""
    folder = info / "sboms"
    if not folder.is_dir() or folder.is_symlink():
        return ()
    found = []
    try:
        names = sorted(os.listdir(folder))[:_MAX_NESTED]
        for name in names:
            content = read_bounded(folder / name, _MAX_NESTED_BYTES)
            found.append(build_nested(f"{info.name}/sboms/{name}", content))
    except OSError as error:
        raise UndecidedError(f"{folder} cannot be read: {reason(error)}", "Install that package again.") from error
    return tuple(found)


def build_nested(name: str, content: bytes) -> Reference:
    """Link an SBOM by its BOM-Link (https://cyclonedx.org/capabilities/bomlink/), or by its place in the package.

    Its serial number and version are looked for, not parsed, because parsing them all costs as much as everything else.
    Within a JSON string they cannot stand, since its quotes would be escaped; where there are two, neither is taken.
    """
    serials, versions = _SERIAL.findall(content), _VERSION.findall(content)
    link = f"urn:cdx:{serials[0].decode()}/{versions[0].decode()}" if len(serials) == len(versions) == 1 else ""
    place = re.sub(r"[^A-Za-z0-9._/+-]", "_", name)
    return Reference("bom", link or place, clean(f"carried in {name}", 300), digest_bytes(content))

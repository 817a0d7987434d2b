"""What the two kinds of lock file have in common for an audit, which leaves no package out and evaluates no marker.

Enters: the document of a lock, and its path. Leaves: texts and tables that are what they should be, or a UsageError
that names the file. What is selected for one machine is read by sealwright.collect.locks.pylock and uv_lock.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sealwright.errors import UsageError
from sealwright.model.advisory import is_name, normalise
from sealwright.model.dependency import Dependency
from sealwright.model.version_order import Order, public_of, read_order

_MAX_PACKAGES = 100_000
_PLACES = ("name", "filename", "url", "path")
_SDISTS = (
    ".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.lzma", ".tlz", ".tar.zst", ".tar",
)  # fmt: skip
_ENDS = (".whl", *_SDISTS)
_MAX_NAME = 1_000
_STRONG = ("sha256", "sha384", "sha512", "blake2b")
_HINT = "Write the lock again with the tool that made it."


def lock_packages(path: Path, document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The packages of a lock; one that is no table is an error: nothing may be passed over. Raises UsageError."""
    packages = document.get(key, [])
    if not isinstance(packages, list) or not all(isinstance(package, dict) for package in packages):
        raise UsageError(f"the lock {path} is damaged: {key} is no list of tables", _HINT)
    if len(packages) > _MAX_PACKAGES:
        raise UsageError(f"the lock {path} lists more than {_MAX_PACKAGES:,} packages")
    return packages


def lock_dependency(path: Path, package: dict[str, Any], problem: str, hashes: Iterable[tuple[str, ...]]) -> Dependency:
    """One package of a lock; `problem` is why it cannot be audited, if the reader of the lock knows.

    `hashes` are those of each of its files, written `sha256:HEX`.
    """
    name, version, marker = (package.get(key) for key in ("name", "version", "marker"))
    said = marker if isinstance(marker, str) else ""
    if not isinstance(name, str) or not is_name(name):
        return Dependency(str(name)[:100], "", str(path), 0, "an entry of the lock without a usable name", said)
    if not isinstance(version, str) or not version:
        return Dependency(normalise(name), "", str(path), 0, problem or "the lock states no version", said)
    normal = normalise(name)
    each = [tuple(text for text in file if _is_strong(text)) for file in hashes]
    pinned = tuple(text for file in each for text in file)
    problem = problem or _file_problem(package, normal, version)
    return Dependency(normal, version, str(path), 0, problem, said, pinned, unhashed=not all(each))


def unhashed_note(entries: Iterable[Dependency]) -> tuple[str, ...]:
    """Say of how many packages a file is not pinned by a hash."""
    count = sum(entry.unhashed and not entry.problem for entry in entries)
    said = f"{count} package{' has' if count == 1 else 's have'} a file without a hash, or with a weak one"
    return (f"{said}: an installer takes whatever is there",) if count else ()


def _is_strong(text: str) -> bool:
    algorithm, _, digest = text.partition(":")
    return bool(digest) and algorithm.lower() in _STRONG


def _file_problem(package: dict[str, Any], name: str, version: str) -> str:
    """Name a file that is not of this project and version, by its name: it would be installed, and nobody looked."""
    wheels, sdist = package.get("wheels", []), package.get("sdist", {})
    if (
        not isinstance(sdist, dict)
        or not isinstance(wheels, list)
        or not all(isinstance(each, dict) for each in wheels)
    ):
        return "what it lists as its files is something else"
    order = read_order(version)
    for file in lock_files(package):
        names = [_last(file[key]) for key in _PLACES if isinstance(file.get(key), str)]
        known = [last for last in names if last.endswith(_ENDS)]
        if not known:
            return "one of its files has no name of a wheel or an sdist"
        if other := next((last for last in known if not (len(last) <= _MAX_NAME and _fits(last, name, order))), ""):
            return f"one of its files is {other[:200]}"
    return ""


def _last(place: str) -> str:
    return unquote(place.partition("?")[0].partition("#")[0]).replace("\\", "/").rpartition("/")[2]


def _fits(last: str, name: str, order: Order | None) -> bool:
    if last.endswith(".whl"):
        parts = last.split("-")
        return len(parts) > 4 and _is_of("-".join(parts[:2]), name, order)
    return _is_of(next(last.removesuffix(end) for end in _SDISTS if last.endswith(end)), name, order)


def _is_of(stem: str, name: str, order: Order | None) -> bool:
    """Tell whether NAME-VERSION, in whatever spelling, is that; a local version is that of its public one, too."""
    for at, character in enumerate(stem):
        if character == "-" and normalise(stem[:at]) == name:
            found = read_order(stem[at + 1 :])
            if found is not None and order in (found, public_of(found)):
                return True
    return False


def lock_files(package: dict[str, Any]) -> list[dict[str, Any]]:
    """The files that a lock lists for a package: its wheels, its sdist."""
    wheels, sdist = package.get("wheels"), package.get("sdist")
    files = [*(wheels if isinstance(wheels, list) else []), sdist]
    return [file for file in files if isinstance(file, dict)]

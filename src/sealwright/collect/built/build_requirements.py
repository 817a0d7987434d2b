"""With what a build was made: the packages of its environment, each with the SHA-256 of its file.

Enters: pip's installation report of the build environment, or a lock of the build requirements, which the user names.
Leaves: materials, none of them without a digest that stands there. What a lock leaves open (several files of one
package) is in the digest of the lock alone. Resolves nothing, fetches nothing, runs nothing.
"""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from sealwright.collect.contents.closure import read_report
from sealwright.collect.contents.purl import build_purl
from sealwright.collect.locks.lock_entries import MAX_LOCK_BYTES, read_toml
from sealwright.errors import UsageError
from sealwright.files.digest import digest_bytes
from sealwright.files.reading import read_named
from sealwright.model.buildfacts import Material

_MAX_PYPROJECT_BYTES = 1024 * 1024
_REPORT = ".json"
_HINT = (
    "It is what pip wrote with --report FILE.json when it installed the build requirements, or a lock of them with "
    "hashes: pylock.toml, or a requirements file."
)


class _Package(NamedTuple):
    """A package of the build: the SHA-256 of its file in hex, empty if it could be one of several."""

    name: str
    version: str
    purl: str
    sha256: str


def collect_build_requirements(path: Path, folder: Path) -> tuple[Material, ...]:
    """Read a report or a lock; every requirement of the build of the project in `folder` must be in it.

    Raises UsageError and UndecidedError.
    """
    content = read_named(path, MAX_LOCK_BYTES, "the build requirements", _HINT)
    if path.name.endswith(_REPORT):
        itself: tuple[Material, ...] = ()
        packages = [_Package(p.name, p.version, p.purl, p.hashes[0]) for p in read_report(content, path.name).packages]
    elif path.name.endswith((".toml", ".txt", ".in")):
        itself = (Material(f"file:{path.name}", (("sha256", digest_bytes(content)),)),)
        packages = _read_lock(path)
    else:
        raise UsageError(f"{path} is nothing that tells build requirements", _HINT)
    _refuse_other(path, folder, {package.name: package.version for package in packages})
    found = [
        Material(package.purl or build_purl(package.name, package.version), (("sha256", package.sha256),))
        for package in packages
        if package.sha256
    ]
    return (*itself, *sorted(found))


def _read_lock(path: Path) -> list[_Package]:
    """The packages of a lock; only where it allows a single file is it known which one was used."""
    if path.name.endswith(".toml"):
        from sealwright.collect.locks.pylock import collect_pylock

        entries = collect_pylock(path, (), ()).entries
        listed = [table for table in read_toml(path).get("packages", []) if isinstance(table, dict)]
        files = {table.get("name"): len(table.get("wheels") or ()) + bool(table.get("sdist")) for table in listed}
        single = {entry.name: files.get(entry.name, 0) <= 1 for entry in entries}
    else:
        from sealwright.collect.locks.requirements import collect_requirements

        entries = collect_requirements(path).entries
        single = {entry.name: len(entry.hashes) == 1 for entry in entries}
    return [_Package(e.name, e.version, e.purl, e.hashes[0] if single[e.name] and e.hashes else "") for e in entries]


def _refuse_other(path: Path, folder: Path, versions: dict[str, str]) -> None:
    """A list without the build backend, or with a version that the project does not build with, is of another build."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    for text in _build_system(folder):
        try:
            wanted = Requirement(text)
            needed = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
        except (InvalidRequirement, ValueError, KeyError, RecursionError) as error:
            raise UsageError(f"{folder / 'pyproject.toml'} requires {text[:100]!r} to build, which is none") from error
        name = canonicalize_name(wanted.name)
        if needed and name not in versions:
            raise UsageError(f"the project is built with {text[:100]}, and {path} does not list it", _HINT)
        if needed and not wanted.specifier.contains(versions[name], prereleases=True):
            raise UsageError(f"the project is built with {text[:100]}, and {path} lists {name} {versions[name]}", _HINT)


def _build_system(folder: Path) -> tuple[str, ...]:
    """The requirements of pyproject.toml's [build-system] (PEP 518); those of the default backend if it has none."""
    path = folder / "pyproject.toml"
    content = read_named(path, _MAX_PYPROJECT_BYTES, "the project's", "Run this where the project was built.")
    try:
        system: Any = tomllib.loads(content.decode("utf-8")).get("build-system", {})
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    requires = system.get("requires", ["setuptools"]) if isinstance(system, dict) else None
    if not isinstance(requires, list) or not all(isinstance(text, str) for text in requires):
        raise UsageError(f"{path} has no list build-system.requires", "PEP 518 says how it is written.")
    return tuple(requires)

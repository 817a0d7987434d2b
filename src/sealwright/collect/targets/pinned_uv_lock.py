"""The packages of a uv.lock.

Enters: its path. Leaves: `Dependencies`, without the project itself and the members of its workspace, which are no
dependencies. https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile
"""

from pathlib import Path
from typing import Any

from sealwright.collect.locks.lock_entries import read_toml
from sealwright.collect.targets.pinned_toml import lock_dependency, lock_files, lock_packages, unhashed_note
from sealwright.errors import UsageError
from sealwright.model.advisory import is_name, normalise
from sealwright.model.dependency import Dependencies, Dependency, Product

KIND = "uv.lock"
_ELSEWHERE = {
    "git": "it comes from a repository: no released version",
    "url": "it comes from a URL: no version that advisories know",
    "path": "it comes from a file: no version that advisories know",
    "directory": "it comes from a folder: no released version",
    "editable": "an editable install: no released version",
    "virtual": "it comes from a folder: no released version",
}
_UNLISTED = "a package depends on it, and the lock does not list it"


def collect_uv_lock(path: Path) -> Dependencies:
    """Read a uv.lock of version 1. Raises UsageError, UndecidedError."""
    document = read_toml(path)
    if document.get("version") != 1:
        raise UsageError(f"{path} is no uv.lock of version 1", "Write it again with: uv lock")
    manifest = document.get("manifest")
    members = manifest.get("members", []) if isinstance(manifest, dict) else []
    if not isinstance(members, list):
        raise UsageError(f"the lock {path} is damaged: its members are no list", "Write it again with: uv lock")
    own = {normalise(name) for name in members if isinstance(name, str)}
    entries, notes = [], []
    product: Product | None = None
    packages = lock_packages(path, document, "package")
    for package in packages:
        source = package.get("source")
        kind = next(iter(source), "") if isinstance(source, dict) and len(source) == 1 else ""
        found = lock_dependency(path, package, _problem(kind), _hashes(package))
        named = isinstance(package.get("name"), str) and is_name(
            found.name
        )  # what has no name is an entry that was not audited, and no product
        if named and kind in ("editable", "virtual") and (_is_root(source) or found.name in own):
            notes.append(f"{found.name} is this project's own, not a dependency")
            product = Product(found.name, found.version) if _is_root(source) else product
        else:
            entries.append(found)
    entries += [Dependency(name, "", str(path), 0, _UNLISTED) for name in _unlisted(path, packages)]
    return Dependencies(KIND, str(path), tuple(entries), product, (*notes, *unhashed_note(entries)))


def _unlisted(path: Path, packages: list[dict[str, Any]]) -> list[str]:
    """The names that packages depend on, and that no package has: uv refuses such a lock, or resolves it anew."""
    groups = [package.get(key) for key in ("optional-dependencies", "dev-dependencies") for package in packages]
    lists = [package.get("dependencies") for package in packages]
    lists += [each for group in groups if isinstance(group, dict) for each in group.values()]
    if not all(isinstance(group, dict | None) for group in groups) or not all(
        isinstance(each, list | None) for each in lists
    ):
        raise UsageError(f"the lock {path} is damaged: its dependencies are no list", "Write it again with: uv lock")
    tables = (each for found in lists for each in found or () if isinstance(each, dict))
    named = dict.fromkeys(normalise(name) for each in tables if isinstance(name := each.get("name"), str))
    listed = {normalise(str(package.get("name"))) for package in packages}
    return [name for name in named if name not in listed]


def _hashes(package: dict[str, Any]) -> list[tuple[str, ...]]:
    found = (file.get("hash") for file in lock_files(package))
    return [(text,) if isinstance(text, str) else () for text in found]


def _problem(kind: str) -> str:
    if kind == "registry":
        return ""
    return _ELSEWHERE.get(kind, "the lock does not say where it comes from")


def _is_root(source: Any) -> bool:
    return "." in (source.get("editable"), source.get("virtual"))

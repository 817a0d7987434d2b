"""The packages of a pylock.toml.

Enters: its path. Leaves: `Dependencies`, without the project itself, which is no dependency.
https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from pathlib import Path
from typing import Any

from sealwright.collect.locks.lock_entries import read_toml
from sealwright.collect.targets.pinned_toml import lock_dependency, lock_files, lock_packages, unhashed_note
from sealwright.errors import SealwrightError, UsageError
from sealwright.model.advisory import is_name, normalise
from sealwright.model.dependency import Dependencies, Product

KIND = "pylock"
_ELSEWHERE = {
    "vcs": "it comes from a repository: no released version",
    "directory": "it comes from a folder: no released version",
    "archive": "it comes from a URL: no version that advisories know",
}


def collect_pylock(path: Path) -> Dependencies:
    """Read a pylock.toml of lock-version 1.x. Raises UsageError, UndecidedError."""
    document = read_toml(path)
    version = document.get("lock-version")
    if not isinstance(version, str) or not version.startswith("1."):
        raise UsageError(f"{path} is no pylock.toml of lock-version 1.x", "Write it with: pip lock, or uv export")
    packages = lock_packages(path, document, "packages")
    own = _project_name(path.parent) if any(map(_is_root, packages)) else ""
    entries, notes = [], []
    product: Product | None = None
    for package in packages:
        found = lock_dependency(path, package, _problem(package), _hashes(package))
        if own and found.name == own and _is_root(package):  # what has no name is nobody's own
            notes.append(f"{found.name} is this project's own, not a dependency")
            product = Product(found.name, found.version)
        else:
            entries.append(found)
    return Dependencies(KIND, str(path), tuple(entries), product, (*notes, *unhashed_note(entries)))


def _is_root(package: dict[str, Any]) -> bool:
    """Tell whether the folder of the lock is where a package comes from, and nothing else is.

    https://packaging.python.org/en/latest/specifications/pylock-toml/#packages-directory
    """
    folder = package.get("directory")
    alone = not any(key in package for key in ("vcs", "archive", "sdist", "wheels"))
    return alone and isinstance(folder, dict) and folder.get("path") == "." and "subdirectory" not in folder


def _project_name(folder: Path) -> str:
    """What a pyproject.toml calls its project, normalised; empty if it does not say."""
    try:
        project = read_toml(folder / "pyproject.toml").get("project")
    except SealwrightError:
        return ""
    name = project.get("name") if isinstance(project, dict) else None
    return normalise(name) if isinstance(name, str) and is_name(name) else ""


def _problem(package: dict[str, Any]) -> str:
    """https://packaging.python.org/en/latest/specifications/pylock-toml/#packages-wheels: one source is required."""
    elsewhere = next((why for key, why in _ELSEWHERE.items() if key in package), "")
    if not elsewhere and not package.get("wheels") and not package.get("sdist"):
        return "it lists no file, so nobody knows what is installed"
    return elsewhere


def _hashes(package: dict[str, Any]) -> list[tuple[str, ...]]:
    tables = [hashes if isinstance(hashes := file.get("hashes"), dict) else {} for file in lock_files(package)]
    return [tuple(f"{name}:{text}" for name, text in table.items() if isinstance(text, str)) for table in tables]

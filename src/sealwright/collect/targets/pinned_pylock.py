"""The packages of a pylock.toml.

Enters: its path. Leaves: `Dependencies`. https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from pathlib import Path
from typing import Any

from sealwright.collect.locks.lock_entries import read_toml
from sealwright.collect.targets.pinned_toml import lock_dependency, lock_files, lock_packages, unhashed_note
from sealwright.errors import UsageError
from sealwright.model.dependency import Dependencies

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
    entries = [
        lock_dependency(path, package, _problem(package), _hashes(package))
        for package in lock_packages(path, document, "packages")
    ]
    return Dependencies(KIND, str(path), tuple(entries), notes=unhashed_note(entries))


def _problem(package: dict[str, Any]) -> str:
    """https://packaging.python.org/en/latest/specifications/pylock-toml/#packages-wheels: one source is required."""
    elsewhere = next((why for key, why in _ELSEWHERE.items() if key in package), "")
    if not elsewhere and not package.get("wheels") and not package.get("sdist"):
        return "it lists no file, so nobody knows what is installed"
    return elsewhere


def _hashes(package: dict[str, Any]) -> list[tuple[str, ...]]:
    tables = [hashes if isinstance(hashes := file.get("hashes"), dict) else {} for file in lock_files(package)]
    return [tuple(f"{name}:{text}" for name, text in table.items() if isinstance(text, str)) for table in tables]

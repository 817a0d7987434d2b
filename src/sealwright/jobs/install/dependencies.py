"""The dependencies of a wheel that is installed: from a lock with hashes, or as its metadata states them.

Enters: a lock, or verified metadata. Leaves: lines of a requirements file, written anew from what was understood, so
that nothing else of those files reaches pip.
"""

import re
import sys
from pathlib import Path

from sealwright.collect.locks.lock_entries import Lock, LockEntry
from sealwright.errors import UsageError
from sealwright.model.artifact import ArtifactName

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MORE = re.compile(r"(^|\s)[-#]|\$\{|\\$")
_MAX_REQUIREMENTS = 5_000


def read_lock(path: Path) -> Lock:
    """Read a lock: `pylock.toml`, or a requirements file with hashes. Raises UsageError and UndecidedError."""
    if path.name.endswith(".toml"):
        from sealwright.collect.locks.pylock import collect_pylock

        return collect_pylock(path, (), ())
    from sealwright.collect.locks.requirements import collect_requirements

    return collect_requirements(path)


def lines_of_lock(path: Path, own: ArtifactName, python: tuple[int, int]) -> list[str]:
    """Return the lines of a lock without those of the verified project itself. Raises UsageError."""
    if python != sys.version_info[:2]:
        own_python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise UsageError(
            f"{path} is read for Python {own_python}, and Python {python[0]}.{python[1]} installs",
            "Run Sealwright with that Python, or install the lock first, with pip install --require-hashes.",
        )
    return [_line(path, entry) for entry in read_lock(path).entries if not _is_own(path, entry, own)]


def _is_own(path: Path, entry: LockEntry, own: ArtifactName) -> bool:
    from packaging.version import InvalidVersion, Version

    if entry.name != own.project:
        return False
    try:
        same = Version(entry.version) == own.version
    except InvalidVersion:
        same = False
    if not same:
        raise UsageError(f"{path} locks {own.project} {entry.version}, not {own.version}", "Lock the project again.")
    return True


def _line(path: Path, entry: LockEntry) -> str:
    from packaging.version import InvalidVersion, Version

    if entry.name == "pip":
        raise UsageError(f"{path} locks pip, which is what installs", "Install that pip first, then lock without it.")
    if not entry.hashes or not all(_SHA256.fullmatch(digest) for digest in entry.hashes):
        raise UsageError(f"{path} has no SHA-256 for {entry.name}", "Lock with hashes.")
    try:
        version = Version(entry.version)
    except InvalidVersion as error:
        raise UsageError(
            f"{path} pins {entry.name} to no version of the index", "Only released versions are installed."
        ) from error
    return f"{entry.name}=={version} " + " ".join(f"--hash=sha256:{digest}" for digest in entry.hashes)


def lines_of_requirements(metadata: bytes) -> list[str]:
    """Return what METADATA requires (PEP 508), without what only an extra needs. Raises UsageError for a URL."""
    from packaging.metadata import parse_email
    from packaging.requirements import InvalidRequirement, Requirement

    stated = parse_email(metadata)[0].get("requires_dist", [])
    if len(stated) > _MAX_REQUIREMENTS:
        raise UsageError(f"the wheel requires more than {_MAX_REQUIREMENTS:,} packages")
    lines: list[str] = []
    for text in stated:
        try:
            requirement = Requirement(text)
            if not _is_plain(str(requirement)):
                raise InvalidRequirement("pip would read more in it")
        except InvalidRequirement as error:
            raise UsageError(f"the wheel requires {text[:100]!r}, which is no requirement") from error
        if requirement.url:
            raise UsageError(
                f"the wheel requires {text[:100]!r}, which is no release of an index", "Install it yourself first."
            )
        if requirement.marker is None or "extra" not in str(requirement.marker):
            lines.append(str(requirement))
    return lines


def _is_plain(line: str) -> bool:
    """Tell whether pip reads in a line what PEP 508 does: to it, quotes hide no option, comment or variable.

    https://pip.pypa.io/en/stable/reference/requirements-file-format/
    """
    return line.isprintable() and not _MORE.search(line)

"""What every lock has in common: packages that are pinned, their files, their requirements.

Enters: nothing. Leaves: records, and the way a lock is read from the disk and refused.
"""

from pathlib import Path
from typing import Any, NamedTuple

from sealwright.collect.contents.index import IndexFile
from sealwright.errors import UsageError
from sealwright.files.reading import read_named

MAX_LOCK_BYTES = 64 * 1024 * 1024
MAX_PACKAGES = 20_000


class LockEntry(NamedTuple):
    """One package that the lock selects for this machine.

    `chosen` is the file that would be installed, if the lock tells; `hashes` are those that are allowed. `requires` are
    requirements as text, None if the lock does not state them. `extras` are those that the lock asks for by itself.
    """

    name: str
    version: str
    chosen: IndexFile | None
    hashes: tuple[str, ...]
    requires: tuple[str, ...] | None
    purl: str = ""
    extras: tuple[str, ...] = ()


class Lock(NamedTuple):
    """The selected packages, and the name of the one that is the project itself (empty if the lock does not say)."""

    entries: tuple[LockEntry, ...]
    project: str = ""


def read_toml(path: Path) -> dict[str, Any]:
    """Read a lock that is TOML, bounded in size. Raises UsageError and UndecidedError."""
    import tomllib

    content = read_named(path, MAX_LOCK_BYTES, "the lock")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:300]
        raise UsageError(f"{path} is not TOML: {why}", "Lock the project again.") from error

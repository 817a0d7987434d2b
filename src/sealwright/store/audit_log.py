"""The audit log: one JSON line an event, each tied to the line before by its SHA-256.

Enters: events. Leaves: lines at the end of a file, on the disk before `append` returns. Any number of processes and
threads may append at once: each takes the file's lock. What a killed one left half written is repaired by the next,
which writes a line that says so and holds what was torn. Never rewrites a line, and never appends to a file that does
not end as a log does: that is no log, or no longer one.
"""

import base64
import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import UndecidedError
from sealwright.files.digest import digest_bytes
from sealwright.files.reading import UnfitFileError, describe_mode, reason
from sealwright.model.log_entry import (
    MAX_EVENT_BYTES,
    MAX_LINE_BYTES,
    NO_LINE,
    Action,
    Event,
    Head,
    LineError,
    build_line,
    read_head,
    seal_line,
    write_time,
)

_TAIL = 4096
_TORN = 2 * MAX_EVENT_BYTES
_HINT = "`sealwright log verify` says what is wrong. Keep that file as it is, and begin a new log beside it with --log."


class Appended(NamedTuple):
    """What was written: the SHA-256 of the line, and how many bytes of a torn line were repaired before it."""

    sha256: str
    repaired: int = 0


class LogWriter(NamedTuple):
    """A log whose lock is held: its descriptor, and how it ends."""

    path: Path
    descriptor: int
    head: Head
    repaired: int


def append(path: Path, event: Event) -> Appended:
    """Write an event at the end of the log at `path`, which is made if it is not there; it is on the disk on return.

    Raises UndecidedError if it cannot be written, or if what is there is not a log.
    """
    try:
        with _locked(path) as descriptor:
            size = os.fstat(descriptor).st_size
            head, repaired = _head(path, descriptor, size, event) if size else (Head(NO_LINE), 0)
            line, digest = build_line(event, head.sha256)
            _write(descriptor, line, os.fstat(descriptor).st_size if repaired else size)
            return Appended(digest, repaired)
    except UnfitFileError as error:
        raise UndecidedError(f"the audit log {path} is {error}", "Name another file with --log.") from error
    except OSError as error:
        raise UndecidedError(
            f"the audit log {path} cannot be written: {reason(error)}", "Name another file with --log."
        ) from error


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open the log and hold its lock; a log that was moved away while we waited is let go, and the new one taken."""
    while True:
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(descriptor, path):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _open(path: Path) -> int:
    """A link is not followed: the log of a shared folder must not lead to another file of its user's."""
    flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another one made it in this moment
            os.close(os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600))
            _sync_folder(path.parent)
        descriptor = os.open(path, flags)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise UnfitFileError(describe_mode(mode))
    return descriptor


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        there = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(descriptor: int, line: bytes, end: int) -> None:
    """Write a line at `end`, the end of the file, and wait until it is on the disk, or take it back."""
    try:
        done = os.write(descriptor, line)
        while done < len(line):
            done += os.write(descriptor, line[done:])
        os.fsync(descriptor)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, end)
        raise


def _head(path: Path, descriptor: int, size: int, event: Event) -> tuple[Head, int]:
    """Return how the log ends, and how many torn bytes were repaired first."""
    tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
    if not tail.endswith(b"\n") or (b"\n" not in tail[:-1] and len(tail) < size):
        tail = os.pread(descriptor, MAX_LINE_BYTES + _TORN, max(0, size - MAX_LINE_BYTES - _TORN))
    whole, newline, torn = tail.rpartition(b"\n")
    last = whole.rpartition(b"\n")[2]
    try:
        head = read_head(last) if newline else Head(NO_LINE)
        if not torn:
            return head, 0
        return _repair(descriptor, size, torn, head, event), len(torn)
    except LineError as error:
        raise UndecidedError(f"the last line of the audit log {path} is {error}", _HINT) from error


def _repair(descriptor: int, size: int, torn: bytes, head: Head, event: Event) -> Head:
    """End the torn line where it only lacks its newline, else put a line in its place that holds what it held.

    Nothing is lost: not a line whose newline alone was changed, and not what an attacker would have us cut off.
    """
    try:
        whole = read_head(torn)
    except LineError:
        pass
    else:
        _write(descriptor, b"\n", size)
        return whole
    if len(torn) > _TORN or not b'{"sha256":"'.startswith(torn[:11]):
        raise LineError("no torn line of a log: it was not written by Sealwright")
    document = {
        "previous": head.sha256,
        "time": write_time(event.time),
        "action": Action.REPAIR.value,
        "actor": event.actor._asdict(),
        "object": {"name": "a torn last line", "sha256": {"torn": digest_bytes(torn)}},
        "outcome": "done",
        "detail": {"bytes": str(len(torn)), "base64": base64.b64encode(torn[:MAX_EVENT_BYTES]).decode("ascii")},
    }
    line, digest = seal_line(document)
    os.ftruncate(descriptor, size - len(torn))
    _write(descriptor, line, size - len(torn))
    return Head(digest)

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
import random
import stat
import time
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
    LineError,
    build_line,
    read_head,
    seal_line,
    write_time,
)

PATIENCE = 30.0
"""Seconds to wait for a log that another process holds: one that was stopped must not stop everybody."""

_TAIL = 2048
_TORN = 2 * MAX_EVENT_BYTES
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_HINT = "`sealwright log verify` says what is wrong. Keep that file as it is, and begin a new log beside it with --log."
_ANOTHER = "Name another file with --log."


class Appended(NamedTuple):
    """What was written: the SHA-256 of the last line, and how many torn bytes were repaired before the first."""

    sha256: str
    repaired: int = 0


class _End(NamedTuple):
    """How a log ends: the digest of its last whole line, and what of a torn one stands after it."""

    head: str
    torn: bytes = b""


def append(path: Path, event: Event) -> Appended:
    """Write an event at the end of the log at `path`, which is made if it is not there; it is on the disk on return.

    Raises UndecidedError if it cannot be written, or if what is there is not a log.
    """
    return append_all(path, (event,))


def append_all(path: Path, events: tuple[Event, ...], *, patience: float = PATIENCE) -> Appended:
    """Write events one after the other, with nobody else's between them; all are on the disk on return.

    Waits so many seconds for the log's lock. Raises UndecidedError; then none of them is there.
    """
    try:
        descriptor, size = _lock(os.fspath(path), patience)
        try:
            head, torn = _read_end(path, descriptor, size)
            if torn:
                head = _repair(descriptor, size, torn, head, events[0])
                size = os.fstat(descriptor).st_size
            lines = []
            for event in events:
                line, head = build_line(event, head)
                lines.append(line)
            _write(descriptor, b"".join(lines), size)
            return Appended(head, len(torn))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _cannot(path, error) from error


def refuse_unwritable(path: Path, *, patience: float = PATIENCE) -> None:
    """Make sure that `append` can write to the log at `path`, which is made if it is not there. Raises UndecidedError.

    For whoever is about to do what must be logged: that it could not be is found before it is done.
    """
    try:
        descriptor, size = _lock(os.fspath(path), patience)
        try:
            _read_end(path, descriptor, size)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _cannot(path, error) from error


def _cannot(path: Path, error: OSError) -> UndecidedError:
    if isinstance(error, UnfitFileError):
        return UndecidedError(f"the audit log {path} is {error}", _ANOTHER)
    return UndecidedError(f"the audit log {path} cannot be written: {reason(error)}", _ANOTHER)


def _lock(path: str, patience: float) -> tuple[int, int]:
    """Open the log and take its lock, which closing gives back; return its descriptor and its size.

    A log that was moved away while we waited is let go, and the new one taken.
    """
    while True:
        descriptor = _open(path)
        try:
            _take(descriptor, patience)
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise UnfitFileError(describe_mode(found.st_mode))
            try:
                if os.path.samestat(found, os.lstat(path)):
                    return descriptor, found.st_size
            except FileNotFoundError:
                pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _open(path: str) -> int:
    """A link is not followed: the log of a shared folder must not lead to another file of its user's."""
    try:
        return os.open(path, _FLAGS)
    except FileNotFoundError:
        folder = os.path.dirname(path) or "."
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another one made it in this moment
            os.close(os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600))
            _sync_folder(folder)
        return os.open(path, _FLAGS)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            mode = os.lstat(path).st_mode
            if not stat.S_ISREG(mode):
                raise UnfitFileError(describe_mode(mode)) from None
        raise


def _take(descriptor: int, patience: float) -> None:
    """Take the lock, or try again and again for so long: a dead process holds none, a stopped one does.

    The kernel's own waiting has no end that could be set beside threads.
    """
    pause, until = 0.0005, 0.0
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            now = time.monotonic()
            until = until or now + patience
            if now >= until:
                raise OSError(0, f"another process has held it for {patience:.0f} seconds") from None
        time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  so that those who wait do not march in step
        pause = min(2 * pause, 0.02)


def _sync_folder(folder: str) -> None:
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


def _read_end(path: Path, descriptor: int, size: int) -> _End:
    """Return how a log of `size` bytes ends. Raises UndecidedError if it does not end as a log does."""
    if not size:
        return _End(NO_LINE)
    tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
    end = tail.rfind(b"\n", 0, -1)
    if tail[-1:] != b"\n" or (end < 0 and len(tail) < size):
        tail = os.pread(descriptor, MAX_LINE_BYTES + _TORN, max(0, size - MAX_LINE_BYTES - _TORN))
    whole, newline, torn = tail.rpartition(b"\n")
    try:
        head = read_head(whole[whole.rfind(b"\n") + 1 :]) if newline else NO_LINE
        if len(torn) > _TORN or not b'{"sha256":"'.startswith(torn[:11]):
            raise LineError("no torn line of a log: it was not written by Sealwright")
    except LineError as error:
        raise UndecidedError(f"the last line of the audit log {path} is {error}", _HINT) from error
    return _End(head, torn)


def _repair(descriptor: int, size: int, torn: bytes, head: str, event: Event) -> str:
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
    document = {
        "previous": head,
        "time": write_time(event.time),
        "action": Action.REPAIR.value,
        "actor": event.actor._asdict(),
        "object": {"name": "a torn last line", "sha256": {"torn": digest_bytes(torn)}},
        "outcome": "done",
        "detail": {"bytes": str(len(torn)), "base64": base64.b64encode(torn[:MAX_EVENT_BYTES]).decode("ascii")},
    }
    line, digest = seal_line(document)
    os.ftruncate(descriptor, size - len(torn))
    try:
        _write(descriptor, line, size - len(torn))
    except OSError:
        with contextlib.suppress(OSError):  # a full disk: what was there had room
            os.write(descriptor, torn)
        raise
    return digest

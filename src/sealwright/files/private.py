"""A private folder for one job, which leaves nothing behind, also after a crash.

Enters: where to make it. Leaves: an empty folder that only this user may enter. It is locked while it is used, so
that the folder of a process that was killed is told from one in use, and removed by the next job.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108  mkdtemp makes it safe
SPARE_BYTES = 16 * 1024**2
_FEW_BYTES = 8 * 1024**2
_LOCK = "in-use"
_SETTLED = 60  # seconds after which a folder has surely been locked by whoever made it


def base_for(size: int) -> Path:
    """Where a private folder for that many bytes should lie: in memory if they are few and the system offers it.

    A file there is made in a quarter of the time, and never reaches a disk.
    """
    with contextlib.suppress(OSError):
        room = shutil.disk_usage(MEMORY).free >= size + 2 * SPARE_BYTES
        if size <= _FEW_BYTES and room and os.access(MEMORY, os.W_OK | os.X_OK):
            return MEMORY
    return Path(tempfile.gettempdir())


def remove(folder: Path) -> None:
    """Remove a folder and what is in it."""
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def private_folder(base: Path, prefix: str, wipe: Callable[[Path], None] = remove) -> Iterator[Path]:
    """Make a folder in `base`, and `wipe` it at the end; wipe abandoned ones of that prefix first. Raises OSError."""
    _wipe_abandoned(base, prefix, wipe)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    wiped = False
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
        finally:
            os.close(lock)
    finally:
        try:
            with _uninterrupted():
                wipe(folder)
                wiped = True
        except KeyboardInterrupt:  # it came before the handlers were exchanged; the commands let no second one come
            if not wiped:
                wipe(folder)
            raise


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let interrupts wait: one in the middle of the wiping would leave secrets behind.

    The handlers are exchanged, because a blocked signal would only go to another thread, and from there to Python.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers only ever run in the main thread
        return
    waiting: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    taken = {number: handler for number, handler in before.items() if handler not in (None, signal.SIG_IGN)}
    for number in taken:
        signal.signal(number, lambda number, frame: waiting.append(number))
    try:
        yield
    finally:
        for number, handler in taken.items():
            signal.signal(number, handler)
        if waiting:
            signal.raise_signal(waiting[0])


def _wipe_abandoned(base: Path, prefix: str, wipe: Callable[[Path], None]) -> None:
    names: list[str] = []
    with contextlib.suppress(OSError):  # a folder may be open for writing alone
        names = os.listdir(base)
    for folder in (base / name for name in names if name.startswith(prefix)):
        with contextlib.suppress(OSError):
            found = folder.lstat()
            young = time.time() - found.st_mtime < _SETTLED
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not young:
                _wipe_if_unlocked(folder, wipe)


def _wipe_if_unlocked(folder: Path, wipe: Callable[[Path], None]) -> None:
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        wipe(folder)
    finally:
        os.close(lock)

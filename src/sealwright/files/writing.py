"""Writing files so that a reader, or a crash, never sees half of one.

Enters: bytes or a descriptor, and a final path. Leaves: a file that is whole under its name. Each is written
beside its place under a name of its own, flushed to the disk, and renamed.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sealwright.files.digest import Digest, Progress, digest_descriptor, no_progress
from sealwright.files.reading import describe_mode

_Outcome = TypeVar("_Outcome")
_UNFINISHED = re.compile(r"\.sealwright-[0-9a-f]{16}\.part")


def write_whole(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Put `content` at `path`, replacing a file that is there, or leave what is there untouched. Raises OSError.

    `mode` is narrowed by the umask; 0o600 for a secret.
    """

    def fill(descriptor: int) -> None:
        with os.fdopen(os.dup(descriptor), "wb") as stream:
            stream.write(content)

    _replace(path, fill, mode)


def remove_file(path: Path) -> None:
    """Remove a file, if there is one. Raises OSError, also for whatever is none: a device, a link."""
    if not os.path.lexists(path):
        return
    mode = path.lstat().st_mode
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, f"it is {describe_mode(mode)}")
    path.unlink()


def copy_whole(source: int, path: Path, limit: int, *, progress: Progress = no_progress) -> Digest:
    """Copy a descriptor to `path` and return the digest of the bytes that are there now. Raises OSError, ValueError."""
    return _replace(
        path, lambda target: digest_descriptor(source, limit, copy_to=target, name=path.name, progress=progress)
    )


def _replace(path: Path, fill: Callable[[int], _Outcome], mode: int = 0o666) -> _Outcome:
    _refuse_device(path)
    part = path.with_name(f".sealwright-{secrets.token_hex(8)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        try:
            outcome = fill(descriptor)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return outcome


def _refuse_device(path: Path) -> None:
    """Raise OSError for a device, a FIFO or a socket, such as /dev/null: a root's file would take its place.

    So it would that of /dev/stdout, which is a link to what is open, be that a file.
    """
    try:
        mode = path.stat().st_mode
        link = os.readlink(path) if path.is_symlink() else ""
    except OSError:
        return  # nothing is there, or the system says more below
    if link.startswith("/proc/"):
        raise OSError(errno.EINVAL, "it is a link to what a process has open")
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, f"it is {describe_mode(mode)}")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_unfinished(name: str) -> bool:
    """Tell whether a name is that of a file whose writing was interrupted."""
    return _UNFINISHED.fullmatch(name) is not None


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed run left; only while the folder is locked."""
    for name in os.listdir(folder):
        if is_unfinished(name):
            (folder / name).unlink(missing_ok=True)

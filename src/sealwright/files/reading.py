"""Opening and reading files that somebody else may have laid out to harm.

Enters: a path. Leaves: bytes, or a descriptor of a regular file. Never follows a symbolic link in the last
part of the path, never blocks on a FIFO or a device, and never reads more than it was told to.
"""

import os
import stat

from sealwright.errors import UndecidedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 64 * 1024
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class UnfitFileError(OSError):
    """A file that will not be read; its text completes "NAME is …"."""


def describe_mode(mode: int) -> str:
    """Say what a file is that is not a regular one, from its st_mode."""
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFDIR: "a directory",
        stat.S_IFIFO: "a FIFO",
        stat.S_IFSOCK: "a socket",
        stat.S_IFBLK: "a block device",
        stat.S_IFCHR: "a character device",
    }
    return kinds.get(stat.S_IFMT(mode), "not a regular file")


def open_regular(path: "str | Path", *, folder: int | None = None, follow: bool = False) -> int:
    """Open a regular file for reading and return its descriptor; `folder` is a directory's descriptor.

    `follow` is for paths that a person typed. Raises UnfitFileError for anything but a regular file, and
    OSError as the system says.
    """
    try:
        descriptor = os.open(path, _FLAGS & ~os.O_NOFOLLOW if follow else _FLAGS, dir_fd=folder)
    except OSError as error:
        try:
            mode = os.stat(path, dir_fd=folder, follow_symlinks=follow).st_mode
        except OSError:
            raise error from None
        if stat.S_ISREG(mode):
            raise
        raise UnfitFileError(describe_mode(mode)) from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise UnfitFileError(describe_mode(mode))
    return descriptor


def read_descriptor(descriptor: int, limit: int) -> bytes:
    """Read a descriptor to its end and close it. Raises UnfitFileError if it holds more than `limit` bytes."""
    blocks, room = [], limit + 1
    try:
        size = os.fstat(descriptor).st_size
        if size > limit:
            room = 0
        while room and (block := os.read(descriptor, min(room, max(size, _BLOCK)))):  # as a rule, all in one piece
            blocks.append(block)
            room -= len(block)
    finally:
        os.close(descriptor)
    if not room:
        raise UnfitFileError(f"larger than {limit:,} bytes")
    return b"".join(blocks)


def read_bounded(path: "str | Path", limit: int, *, folder: int | None = None, follow: bool = False) -> bytes:
    """Read a regular file of at most `limit` bytes. Raises UnfitFileError and OSError."""
    return read_descriptor(open_regular(path, folder=folder, follow=follow), limit)


def read_named(path: "str | Path", limit: int, what: str, hint: str = "") -> bytes:
    """Read a file that a person named, following links.

    Raises UsageError if it is missing or no file, UndecidedError if the system refuses to read it.
    """
    try:
        return read_bounded(path, limit, follow=True)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{what} {path} does not exist", hint) from error
    except UnfitFileError as error:
        raise UsageError(f"{what} {path} is {error}", hint) from error
    except (OSError, ValueError) as error:
        raise UndecidedError(f"{what} {path} cannot be read: {reason(error)}", hint) from error


def reason(error: Exception) -> str:
    """The words of an operating system's error, without its number and path."""
    return getattr(error, "strerror", None) or str(error)

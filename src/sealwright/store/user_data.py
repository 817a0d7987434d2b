"""Small records in the user's own data folder: pins, and what was seen. Each is one file, locked, written whole.

Enters: what is to be kept, as JSON. Leaves: the same, or an error: a record that is torn, edited by hand or open to
others is never taken for an empty one. The SHA-256 in the file shows an accident or an edit; it is no signature, and
whoever can write here as this user can write that, too (docs/threat-model.md).
"""

import contextlib
import fcntl
import os
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sealwright.errors import UndecidedError
from sealwright.files.digest import digest_bytes
from sealwright.files.reading import UnfitFileError, open_regular, read_descriptor, reason
from sealwright.store.user_folders import user_folder

MAX_RECORD_BYTES = 16 * 1024**2
_MAX_COMMAS = 1_000_000  # also those within words, which whoever signs a withdrawal has chosen
_LOCK = ".lock"
_PATIENCE = 30.0  # seconds to wait for other processes
_OPENING, _MIDDLE, _END = b'{"sha256":"', b'","record":', b"}\n"
_BODY_AT = len(_OPENING) + 64 + len(_MIDDLE)


def locate_data(environment: Mapping[str, str]) -> Path:
    """Return the folder that belongs to this program among the user's data, whether or not it is there.

    On Linux that is `$XDG_DATA_HOME/sealwright` or `~/.local/share/sealwright`, as platformdirs says, too, which takes
    17 ms to load (https://specifications.freedesktop.org/basedir/latest/); elsewhere platformdirs is asked.
    """
    if sys.platform == "linux" or environment.get("XDG_DATA_HOME"):
        home = environment.get("HOME") or os.path.expanduser("~")
        return user_folder({**environment, "HOME": home}, "XDG_DATA_HOME", ".local/share")
    import platformdirs

    return platformdirs.user_data_path("sealwright")


def read_record(path: Path, what: str, hint: str) -> dict[str, Any] | None:
    """Read a record, or None if there is none; `what` names it in a message, `hint` says how to mend it.

    Raises UndecidedError if it is not exactly what was written, or if others may change it.
    """
    from sealwright.files.strict_json import read_json

    try:
        content = _read(path)
        if content is None:
            return None
        body = content[_BODY_AT : -len(_END)]
        if content != _seal(body):
            raise ValueError("not what Sealwright wrote: it is torn, or was edited by hand")
        document = read_json(body, _MAX_COMMAS)
        if not isinstance(document, dict) or document.get("schema") != 1:
            raise ValueError("of a later version of Sealwright")
    except _OpenFolderError as error:
        mend = f"If what lies there is still your own: chmod go-w {error.folder}. It must be yours, or root's."
        raise UndecidedError(f"{what} {path} is {error}", mend) from error
    except UnfitFileError as error:
        raise UndecidedError(f"{what} {path} is {error}", hint) from error
    except OSError as error:
        raise UndecidedError(f"{what} {path} cannot be read: {reason(error)}", hint) from error
    except ValueError as error:
        raise UndecidedError(f"{what} {path} is {error}", hint) from error
    return document


class _OpenFolderError(UnfitFileError):
    """Somebody else may take away what lies in `folder`, so that nothing there can be believed to be missing."""

    def __init__(self, folder: Path, problem: str) -> None:
        super().__init__(f"in a folder that is {problem}")
        self.folder = folder


def _read(path: Path) -> bytes | None:
    """Return a record as it lies there. Whoever owns or may write it, or its folders, decides what is trusted.

    That holds for one that is not there, too: somebody may have taken it away, or its folder.
    """
    try:
        descriptor = open_regular(path)
    except (FileNotFoundError, NotADirectoryError):
        _refuse_shared_folders(path)
        _refuse_no_folders(path)
        return None
    try:
        if problem := _shared(os.fstat(descriptor)):
            raise UnfitFileError(problem)
        _refuse_shared_folders(path)
    except BaseException:
        os.close(descriptor)
        raise
    return read_descriptor(descriptor, MAX_RECORD_BYTES)


def _refuse_shared_folders(path: Path) -> None:
    """The folder of a record, and the data folder around it; what is above that is the user's own affair."""
    for folder in path.parents[:2]:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if problem := _shared(os.stat(folder)):
                raise _OpenFolderError(folder, problem)


def _refuse_no_folders(path: Path) -> None:
    """Refuse to say that nothing is kept where a folder is only called so: a disk may not be mounted just now."""
    for folder in path.parents[:2]:
        if os.path.lexists(folder) and not os.path.isdir(folder):
            raise UnfitFileError(f"in {folder}, which is no folder, or a link to none")


def _shared(found: os.stat_result) -> str:
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "open to changes by other users (chmod go-w)"
    return "" if found.st_uid in (os.geteuid(), 0) else "another user's"


def _seal(body: bytes) -> bytes:
    return _OPENING + digest_bytes(body).encode() + _MIDDLE + body + _END


def write_record(path: Path, document: dict[str, Any]) -> None:
    """Write a record for this user alone, whole or not at all; only while its folder is locked. Raises OSError."""
    import json

    from sealwright.files.writing import write_whole

    body = json.dumps({"schema": 1} | document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
    if len(body) + 128 > MAX_RECORD_BYTES or body.count(b",") > _MAX_COMMAS:  # it could not be read again
        raise OSError(0, f"larger than {MAX_RECORD_BYTES:,} bytes, or of more than {_MAX_COMMAS:,} values")
    write_whole(path, _seal(body), 0o600)


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold a folder of records, which is made if it is not there, for one writer; remove what a killed one left.

    Raises OSError, and UndecidedError if another process holds it for too long.
    """
    from sealwright.files.writing import remove_unfinished

    for each in (folder.parent, folder):  # whatever the umask lets others do
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + _PATIENCE
        while not _taken(lock):
            if time.monotonic() > until:
                raise UndecidedError(f"another process holds {folder}", "Wait for it, then run this again.")
            time.sleep(0.02)
        remove_unfinished(folder)
        yield
    finally:
        os.close(lock)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""A release folder: taken in for a verification, or written for a release.

Enters: a folder that may be hostile. Leaves: a `Release` whose files are private copies, each read once: the bytes
that are hashed are the bytes that are judged. Never follows a link, never opens what is not a plain file.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import Digest, Progress, digest_descriptor, each_in_parallel, no_progress
from sealwright.files.private import private_folder
from sealwright.files.reading import UnfitFileError, describe_mode, open_regular, reason
from sealwright.files.writing import copy_whole, remove_unfinished
from sealwright.model.artifact import looks_released
from sealwright.model.release import CHECKSUMS, OPENPGP_SUFFIX, Oddity, Release, ReleaseFile

MAX_ARTIFACT_BYTES = 4 * 1024**3
_MAX_CHECKSUMS_BYTES = 4 * 1024**2
_MAX_SIGNATURES_BYTES = 256 * 1024
_MAX_ENTRIES = 10_000
_SPARE_BYTES = 64 * 1024**2


@contextlib.contextmanager
def private_copy(folder: Path, *, progress: Progress = no_progress) -> Iterator[Release]:
    """Copy what a verification reads into a private folder, hashed on the way, and remove it at the end.

    Raises UsageError if `folder` is none, and UndecidedError if it cannot be read or there is no room.
    """
    with private_folder(Path(tempfile.gettempdir()), "sealwright-copy-") as private:
        yield _take_in(folder, private, progress)


def _take_in(folder: Path, private: Path, progress: Progress) -> Release:
    directory = _open_folder(folder)
    try:
        names = sorted(os.listdir(directory))
        if len(names) > _MAX_ENTRIES:
            return Release(str(folder), (), (Oddity(str(folder), f"a folder of more than {_MAX_ENTRIES:,} entries"),))
        odd, plain, sizes = _sort_out(directory, names)
        _check_room(private, sum(sizes))
        wanted = [name for name in plain if _is_read(name)]
        taken = each_in_parallel(lambda name: _take_file(directory, name, private, progress), wanted)
    finally:
        os.close(directory)
    odd += [entry for entry in taken if isinstance(entry, Oddity)]
    files = tuple(entry for entry in taken if isinstance(entry, ReleaseFile))
    return Release(str(folder), files, tuple(odd), tuple(name for name in plain if not _is_read(name)))


def _open_folder(folder: Path) -> int:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(
            f"{folder} is not a folder", "Name the folder that holds the artifacts and their SHA256SUMS."
        ) from error
    except (OSError, ValueError) as error:
        raise UndecidedError(f"{folder} cannot be read: {reason(error)}") from error


def _is_read(name: str) -> bool:
    return name == CHECKSUMS or name.endswith(OPENPGP_SUFFIX) or looks_released(name)


def _limit(name: str) -> int:
    if name == CHECKSUMS:
        return _MAX_CHECKSUMS_BYTES
    return _MAX_SIGNATURES_BYTES if name.endswith(OPENPGP_SUFFIX) else MAX_ARTIFACT_BYTES


def _sort_out(directory: int, names: list[str]) -> tuple[list[Oddity], list[str], list[int]]:
    """Tell plain files with plain names from everything else; `sizes` are those of the files that will be read."""
    odd, plain, sizes = [], [], []
    for name in names:
        try:
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
        except OSError as error:
            odd.append(Oddity(name, f"unreadable ({reason(error)})"))
            continue
        if not stat.S_ISREG(found.st_mode):
            odd.append(Oddity(name, describe_mode(found.st_mode)))
        elif not name.isprintable() or name.startswith("-"):  # a name that a terminal or a command would obey
            shown = os.fsencode(name).decode("utf-8", "backslashreplace")
            odd.append(Oddity(shown, "a file with a name that is not plain"))
        elif _is_read(name) and found.st_size > _limit(name):
            odd.append(Oddity(name, f"larger than {_limit(name):,} bytes"))
        else:
            plain.append(name)
            sizes += [found.st_size] if _is_read(name) else []
    return odd, plain, sizes


def _check_room(private: Path, needed: int) -> None:
    free = shutil.disk_usage(private).free
    if needed + _SPARE_BYTES > free:
        raise UndecidedError(
            f"the release has {needed:,} bytes, and {private.parent} has room for {free:,}",
            "Set TMPDIR to a folder with more room.",
        )


def _take_file(directory: int, name: str, private: Path, progress: Progress) -> ReleaseFile | Oddity:
    path = private / name
    try:
        source = open_regular(name, folder=directory)
    except UnfitFileError as error:
        return Oddity(name, str(error))
    except OSError as error:
        raise UndecidedError(f"{name} cannot be read: {reason(error)}") from error
    try:
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            digest = digest_descriptor(source, _limit(name), copy_to=target, name=name, progress=progress)
        finally:
            os.close(target)
    except ValueError as error:  # it grew while it was read
        return Oddity(name, str(error))
    except OSError as error:
        raise UndecidedError(f"{name} cannot be copied: {reason(error)}") from error
    finally:
        os.close(source)
    return ReleaseFile(name, digest.size, digest.sha256, path)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for one writer, and remove what a killed one left half written.

    Raises UndecidedError when another run holds it.
    """
    directory = _open_folder(folder)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove_unfinished(folder)
        yield
    except BlockingIOError as error:
        raise UndecidedError(
            f"another run is sealing {folder}", "Wait until it has finished, then run this again."
        ) from error
    finally:
        os.close(directory)


def digest_stored(path: Path) -> Digest | None:
    """Digest a file of the folder, or return None if it is not there. Raises UnfitFileError and OSError."""
    try:
        source = open_regular(path)
    except FileNotFoundError:
        return None
    try:
        return digest_descriptor(source, MAX_ARTIFACT_BYTES)
    except ValueError as error:
        raise UnfitFileError(str(error)) from error
    finally:
        os.close(source)


def store_artifact(source: Path, folder: Path, expected: Digest, progress: Progress = no_progress) -> bool:
    """Put an artifact into the folder unless it is there already, and tell whether it was written.

    Raises UsageError if `source` is no longer what was collected, and OSError.
    """
    if digest_stored(folder / source.name) == expected:
        return False
    descriptor = open_regular(source)
    try:
        written = copy_whole(descriptor, folder / source.name, MAX_ARTIFACT_BYTES, progress=progress)
    except ValueError as error:
        raise UsageError(f"{source} is {error}") from error
    finally:
        os.close(descriptor)
    if written != expected:
        raise UsageError(
            f"{source} changed while it was read", "Something else writes into that folder. Build again, then seal."
        )
    return True

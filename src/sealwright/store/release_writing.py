"""A release folder, written: one writer at a time, each artifact whole under its name or not there.

Enters: artifacts of a build. Leaves: files in the folder. Never follows a link, and never overwrites what is the same.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import Digest, Progress, digest_descriptor, no_progress
from sealwright.files.reading import UnfitFileError, open_regular
from sealwright.files.writing import copy_whole, remove_unfinished
from sealwright.model.artifact import MAX_ARTIFACT_BYTES


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for one writer, and remove what a killed one left half written.

    Raises UndecidedError when another run holds it, and OSError.
    """
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
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


def store_artifact(source: Path, target: Path, expected: Digest, progress: Progress = no_progress) -> bool:
    """Put an artifact at `target` unless it is there already, and tell whether it was written.

    Raises UsageError if `source` is no longer what was collected, and OSError.
    """
    if digest_stored(target) == expected:
        return False
    descriptor = open_regular(source)
    try:
        written = copy_whole(descriptor, target, MAX_ARTIFACT_BYTES, progress=progress)
    except ValueError as error:
        raise UsageError(f"{source} is {error}") from error
    finally:
        os.close(descriptor)
    if written != expected:
        raise UsageError(
            f"{source} changed while it was read", "Something else writes into that folder. Build again, then seal."
        )
    return True

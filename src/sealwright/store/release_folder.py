"""A release folder, taken in for a verification.

Enters: a folder that may be hostile. Leaves: a `Release` whose files are private copies, each read once: the bytes
that are hashed are the bytes that are judged. Never follows a link, never opens what is not a plain file.
"""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import Progress, digest_bytes, digest_descriptor, no_progress
from sealwright.files.private import SPARE_BYTES, base_for, private_folder
from sealwright.files.reading import UnfitFileError, describe_mode, open_regular, read_descriptor, reason
from sealwright.files.threads import each_in_parallel
from sealwright.model.artifact import MAX_ARTIFACT_BYTES, MAX_ARTIFACTS, looks_released
from sealwright.model.release import (
    CHECKSUMS,
    LAYOUT,
    MAX_ATTESTATIONS_BYTES,
    MAX_BUNDLE_BYTES,
    MAX_LAYOUT_BYTES,
    MAX_LINK_BYTES,
    OPENPGP_SUFFIX,
    Oddity,
    Release,
    ReleaseFile,
    bundle_target,
    is_attestations,
    is_layout_evidence,
    publish_target,
)
from sealwright.model.withdrawal import MAX_WITHDRAWN_BYTES, WITHDRAWN

_MAX_CHECKSUMS_BYTES = 1024**2
_MAX_SIGNATURES_BYTES = 256 * 1024
_MAX_ENTRIES = 10_000
MAX_EVIDENCE_BYTES = 32 * 1024**2
_SMALL, _LARGE = 64 * 1024, 1024**2
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
PRIVATE_PREFIX = "sealwright-copy-"


@contextlib.contextmanager
def private_copy(folder: Path, *, progress: Progress = no_progress) -> Iterator[Release]:
    """Copy what a verification reads into a private folder, hashed on the way, and remove it at the end.

    Raises UsageError if `folder` is none, and UndecidedError if it cannot be read or there is no room.
    """
    directory = _open_folder(folder)
    try:
        odd, plain = _sort_out(directory, str(folder))
        wanted = {name: size for name, size in plain.items() if is_read(name, plain)}
        if too_much := excess_of(wanted):
            odd, wanted = [*odd, Oddity(str(folder), too_much)], {}
        needed = sum(wanted.values())
        with private_folder(base_for(needed), PRIVATE_PREFIX) as private:
            check_room(private, needed)
            try:
                taken = _take_all(directory, wanted, private, progress)
            finally:
                progress("", 0, 0)
            odd += [entry for entry in taken if isinstance(entry, Oddity)]
            files = tuple(entry for entry in taken if isinstance(entry, ReleaseFile))
            yield Release(str(folder), files, tuple(odd), tuple(name for name in plain if name not in wanted))
    finally:
        os.close(directory)


def _open_folder(folder: Path) -> int:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(
            f"{folder} is not a folder", "Name the folder that holds the artifacts and their SHA256SUMS."
        ) from error
    except (OSError, ValueError) as error:
        raise UndecidedError(f"{folder} cannot be read: {reason(error)}") from error


@lru_cache(maxsize=_MAX_ENTRIES)
def is_evidence(name: str) -> bool:
    """Tell whether a name is that of a file that is offered as proof."""
    signature = name.endswith(OPENPGP_SUFFIX) or bundle_target(name) or publish_target(name)
    return name in (CHECKSUMS, WITHDRAWN) or bool(signature) or is_attestations(name) or is_layout_evidence(name)


def is_read(name: str, plain: dict[str, int]) -> bool:
    """Whether a verification needs it: an artifact, SHA256SUMS, a signature of one of them, attestations, a layout."""
    if is_attestations(name) or is_layout_evidence(name) or name == WITHDRAWN:
        return True
    if is_evidence(name):
        target = bundle_target(name) or publish_target(name) or name.removesuffix(OPENPGP_SUFFIX)
        return CHECKSUMS in (name, target) or (target in plain and looks_released(target))
    return looks_released(name)


def excess_of(wanted: dict[str, int]) -> str:
    """What is too much of these files (names and sizes in bytes) for one release; empty if nothing."""
    evidence = {name: size for name, size in wanted.items() if is_evidence(name)}
    if len(wanted) - len(evidence) > MAX_ARTIFACTS:
        return f"a folder of more than {MAX_ARTIFACTS:,} artifacts"
    if sum(evidence.values()) > MAX_EVIDENCE_BYTES:
        return f"a folder of more than {MAX_EVIDENCE_BYTES:,} bytes of evidence"
    return ""


def limit_of(name: str) -> int:
    """Return how many bytes a file of that name may have."""
    if name == CHECKSUMS:
        return _MAX_CHECKSUMS_BYTES
    if bundle_target(name) or publish_target(name):
        return MAX_BUNDLE_BYTES
    if is_attestations(name):
        return MAX_ATTESTATIONS_BYTES
    if name == WITHDRAWN:
        return MAX_WITHDRAWN_BYTES
    if is_layout_evidence(name):
        return MAX_LAYOUT_BYTES if name == LAYOUT else MAX_LINK_BYTES
    return _MAX_SIGNATURES_BYTES if name.endswith(OPENPGP_SUFFIX) else MAX_ARTIFACT_BYTES


def _sort_out(directory: int, folder: str) -> tuple[list[Oddity], dict[str, int]]:
    """Tell plain files with plain names from everything else; the plain ones with their sizes."""
    names = sorted(os.listdir(directory))
    if len(names) > _MAX_ENTRIES:
        return [Oddity(folder, f"a folder of more than {_MAX_ENTRIES:,} entries")], {}
    odd: list[Oddity] = []
    plain: dict[str, int] = {}
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
        elif (is_evidence(name) or looks_released(name)) and found.st_size > limit_of(name):
            odd.append(Oddity(name, f"larger than {limit_of(name):,} bytes"))
        else:
            plain[name] = found.st_size
    return odd, plain


def check_room(private: Path, needed: int) -> None:
    """Raise UndecidedError if there is no room for so many bytes in `private`."""
    free = shutil.disk_usage(private).free
    if needed + SPARE_BYTES > free:
        raise UndecidedError(
            f"the release has {needed:,} bytes, and {private.parent} has room for {free:,}",
            "Set TMPDIR to a folder with more room.",
        )


def _take_all(directory: int, sizes: dict[str, int], private: Path, progress: Progress) -> list[ReleaseFile | Oddity]:
    """Take in small files one after the other, and large ones in parallel: a thread costs more than a small file."""

    def take(name: str) -> ReleaseFile | Oddity:
        try:
            source = open_regular(name, folder=directory)
            return (
                _take_evidence(source, name, sizes[name], private)
                if is_evidence(name)
                else _take_artifact(source, name, sizes[name], private, progress)
            )
        except UnfitFileError as error:
            return Oddity(name, str(error))
        except ValueError:
            return Oddity(name, "a file that grew while it was read")
        except OSError as error:
            raise UndecidedError(f"{name} cannot be read or copied: {reason(error)}") from error

    small = [take(name) for name, size in sizes.items() if size < _LARGE]
    return small + each_in_parallel(take, [name for name, size in sizes.items() if size >= _LARGE])


def _take_evidence(source: int, name: str, size: int, private: Path) -> ReleaseFile:
    content = read_descriptor(source, size)
    if name != CHECKSUMS:
        return ReleaseFile(name, len(content), digest_bytes(content), content=content)
    path = private / name  # it is signed, so gpg has to read it, too
    _write(path, content)
    return ReleaseFile(name, len(content), digest_bytes(content), path, content)


def _take_artifact(source: int, name: str, size: int, private: Path, progress: Progress) -> ReleaseFile:
    path = private / name
    if size <= _SMALL:  # in one piece, without the buffer that makes large files fast
        try:
            content = read_descriptor(source, size)
        except UnfitFileError as error:
            raise ValueError(str(error)) from error
        _write(path, content)
        return ReleaseFile(name, len(content), digest_bytes(content), path)
    try:
        target = os.open(path, _NEW, 0o600)
        try:
            digest = digest_descriptor(source, size, copy_to=target, name=name, progress=progress)
        finally:
            os.close(target)
    finally:
        os.close(source)
    return ReleaseFile(name, digest.size, digest.sha256, path)


def _write(path: Path, content: bytes) -> None:
    with open(os.open(path, _NEW, 0o600), "wb", buffering=0) as stream:
        while content:
            content = content[stream.write(content) :]

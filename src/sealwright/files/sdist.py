"""An sdist, opened with care, for its PKG-INFO.

Enters: a path to a .tar.gz that may be hostile. Leaves: bytes. Extracts nothing to the disk, and bounds every read.
https://packaging.python.org/en/latest/specifications/source-distribution-format/
"""

import contextlib
import gzip
import io
import tarfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sealwright.files.distribution import BROKEN, MAX_METADATA_BYTES, MAX_UNPACKED_BYTES, MetadataError
from sealwright.files.tar_headers import refuse_two_readings
from sealwright.model.artifact import ArtifactName
from sealwright.model.ordinary_names import canonical_project

_MAX_MEMBERS = 100_000
_PKG_INFO = "PKG-INFO"
_OVERSIZED = "an archive with an oversized header"


@contextlib.contextmanager
def open_sdist(path: Path) -> Iterator[tarfile.TarFile]:
    """Open a .tar.gz for one pass over its members, bounded in its whole length and in any one header.

    Raises MetadataError, and what gzip and tarfile raise (BROKEN, tarfile.TarError).
    """
    with gzip.open(path, "rb") as unpacked:
        bounded = _Bounded(unpacked, MAX_UNPACKED_BYTES, MAX_METADATA_BYTES)  # type: ignore[arg-type]  # reads like IO[bytes]
        with tarfile.open(fileobj=bounded, mode="r:") as archive:  # type: ignore[call-overload]  # duck-typed reader
            yield archive


def each_member(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield each member, of at most 100,000, while it can be read; none is kept. Raises MetadataError."""
    stream = _stream(archive)
    for count, member in enumerate(archive):
        if count >= _MAX_MEMBERS:
            raise MetadataError(f"an archive with more than {_MAX_MEMBERS:,} members")
        stream.keep_from = None
        yield member
        stream.headers.clear()
        stream.keep_from = archive.offset
        archive.members.clear()  # type: ignore[attr-defined]  # tarfile keeps every member otherwise


def read_sdist_metadata(path: Path, artifact: ArtifactName) -> bytes:
    """Return PKG-INFO of the sdist at `path`. Raises MetadataError."""
    return read_sdist_files(path, artifact)[_PKG_INFO]


def read_sdist_files(path: Path, artifact: ArtifactName, *others: str) -> dict[str, bytes]:
    """Return PKG-INFO of the sdist at `path`, and what it has of `others`, which lie beside that.

    Raises MetadataError.
    """
    try:
        return _find(path, artifact.file.removesuffix(".tar.gz"), (_PKG_INFO, *others))
    except MetadataError:
        raise
    except (*BROKEN, tarfile.TarError) as error:
        raise MetadataError(f"not a readable sdist: {error}") from error


def _find(path: Path, top: str, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """Read every member's name: a second PKG-INFO would replace the first, a second folder would be the one built.

    So would one that only leads there once it is unpacked: by `..`, through a link, or in other capitals on some disks.
    """
    by_key = {name.casefold(): name for name in wanted}
    found: dict[str, bytes] = {}
    links: set[tuple[str, ...]] = set()
    with open_sdist(path) as archive:
        for count, member in enumerate(each_member(archive)):
            parts = tuple(part for part in member.name.split("/") if part not in ("", "."))
            if not count and parts and _same_folder(parts[0], top):
                top = parts[0]  # as it is spelled inside, and in one way
            if not parts or parts[0] != top or ".." in parts:
                raise MetadataError(f"it holds {member.name}, which is not in {top}/")
            refuse_two_readings(bytes(_stream(archive).headers), member.name)
            _refuse_two_readings(archive, member)
            there = tuple(_on_any_disk(part) for part in parts)
            if links and any(there[:length] in links for length in range(1, len(there) + 1)):
                raise MetadataError(f"it holds {member.name}, which leads through a link")
            if member.issym() or member.islnk():
                links.add(there)
            name = by_key.get(parts[1].casefold()) if len(parts) == 2 else None
            if name is not None:
                if name in found:
                    raise MetadataError(f"it holds two {name}")
                found[name] = _read_text(archive, member)
        _refuse_more(archive)
    if _PKG_INFO not in found:
        raise MetadataError(f"it has no {_PKG_INFO}")
    return found


def _refuse_more(archive: tarfile.TarFile) -> None:
    """Where a header is damaged, or one block is empty, it ends for tarfile; others go on to the next header."""
    stream = _stream(archive)
    stream.seek(archive.offset)  # of the header that was read last
    if stream.read(2 * tarfile.BLOCKSIZE).strip(b"\0"):
        raise MetadataError("it goes on behind a member that cannot be read")


def _refuse_two_readings(archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    """Refuse a member in which other readers of tar, or Windows, find another name or length than tarfile does.

    A global pax header is not heeded by all. Of what is no file, or is called like a folder, some pass over the content
    that it says it has, and others read on in there.
    """
    if (member.size and not member.isreg()) or (member.isreg() and member.name.endswith("/")):
        raise MetadataError(f"it holds {member.name!r}, which is a file to some and none to others")
    odd = {"path", "linkpath", "size"} & archive.pax_headers.keys()
    if odd or "\0" in member.name or any(key.startswith("GNU.sparse.") for key in member.pax_headers):
        raise MetadataError(f"it holds {member.name!r}, which others read in another way")
    parts = [part for part in member.name.replace("\\", "/").split("/") if part not in ("", ".")]
    there = [_on_any_disk(part) for part in parts]
    if ".." in parts or (there[1:] == ["pkg-info"] and member.name.casefold().rpartition("/")[2] != "pkg-info"):
        raise MetadataError(f"it holds {member.name!r}, which leads elsewhere on some systems")


def _on_any_disk(part: str) -> str:
    """What all disks heed of a part of a name: not its capitals, how an accent is composed, or what Windows drops."""
    if part.isascii():
        return part.partition(":")[0].rstrip(" .").casefold()
    return unicodedata.normalize("NFD", part.partition(":")[0].rstrip(" .").casefold())


def _read_text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = archive.extractfile(member) if member.isreg() and member.size <= MAX_METADATA_BYTES else None
    if content is None:
        raise MetadataError(f"{member.name} is no file of at most {MAX_METADATA_BYTES:,} bytes")
    return content.read(MAX_METADATA_BYTES)


def _same_folder(folder: str, top: str) -> bool:
    return canonical_project(folder, validate=False) == canonical_project(top, validate=False)


def _stream(archive: tarfile.TarFile) -> "_Bounded":
    return archive.fileobj  # type: ignore[return-value]  # as open_sdist has opened it


class _Bounded:
    """A decompressed stream that ends the reading of a bomb: by its whole length, and by any one read.

    `headers` is what was read from `keep_from` on; nothing more is added while that is None.
    """

    def __init__(self, stream: IO[bytes], most: int, at_once: int) -> None:
        self._stream, self._most, self._at_once = stream, most, at_once
        self.headers = bytearray()
        self.keep_from: int | None = 0

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self._at_once:
            raise MetadataError(_OVERSIZED)
        start = self._stream.tell()
        content = self._stream.read(size)
        if self.keep_from is not None and start >= self.keep_from:
            self.headers += content
            if len(self.headers) > 2 * self._at_once:
                raise MetadataError(_OVERSIZED)
        if self._stream.tell() > self._most:
            raise MetadataError(f"an archive that unpacks to more than {self._most:,} bytes")
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset > self._most:
            raise MetadataError(f"an archive that unpacks to more than {self._most:,} bytes")
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

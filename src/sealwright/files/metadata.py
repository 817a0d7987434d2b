"""The name and version that a wheel or sdist states about itself, and a wheel's RECORD.

Enters: a path to an archive that may be hostile. Leaves: `Metadata`. Extracts nothing to the disk, and bounds
every read: entries, names, and decompressed bytes. Formats:
https://packaging.python.org/en/latest/specifications/binary-distribution-format/
https://packaging.python.org/en/latest/specifications/source-distribution-format/
"""

import base64
import csv
import gzip
import hashlib
import io
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sealwright.model.artifact import ArtifactKind, parse_artifact_name

MAX_METADATA_BYTES = 4 * 1024 * 1024
_MAX_RECORD_BYTES = 32 * 1024 * 1024
_MAX_DIRECTORY_BYTES = 32 * 1024 * 1024
_MAX_UNPACKED_BYTES = 8 * 1024**3
_MAX_MEMBERS = 100_000
_RECORD_HASHES = ("sha256", "sha384", "sha512")
_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, ValueError, KeyError, IndexError,
    struct.error, NotImplementedError, RuntimeError, RecursionError, csv.Error, OverflowError, AttributeError,
)  # fmt: skip


@dataclass(frozen=True)
class Metadata:
    """`project` is normalised (PEP 503); `version` stands as it is written, which must be its canonical spelling."""

    project: str
    version: str


class MetadataError(ValueError):
    """An archive that cannot be read, or that contradicts itself; the text says how."""


def read_metadata(path: Path, file: str, kind: ArtifactKind) -> Metadata:
    """Read Name and Version from METADATA or PKG-INFO of the archive at `path`, which is called `file`.

    Raises MetadataError for whatever is wrong with it.
    """
    try:
        content = _wheel_metadata(path, file) if kind is ArtifactKind.WHEEL else _sdist_metadata(path, file)
        return _parse(content)
    except MetadataError:
        raise
    except _BROKEN as error:  # what the archive libraries throw at damaged input
        raise MetadataError(f"not a readable {kind.value}: {error}") from error


def _parse(content: bytes) -> Metadata:
    from packaging.utils import canonicalize_name
    from packaging.version import InvalidVersion, Version

    fields: dict[str, list[str]] = {"name": [], "version": []}
    for line in content.decode("utf-8").replace("\r\n", "\n").split("\n"):
        if not line:
            break  # the description follows
        key, colon, value = line.partition(":")
        if colon and key.lower() in fields:
            fields[key.lower()].append(value.strip())
    names, versions = fields["name"], fields["version"]
    if len(names) != 1 or len(versions) != 1:
        raise MetadataError("its metadata does not state Name and Version exactly once")
    try:
        canonical = str(Version(versions[0]))
    except InvalidVersion as error:
        raise MetadataError(f"its version {versions[0]!r} is not PEP 440") from error
    if canonical != versions[0]:
        raise MetadataError(f"its version is spelled {versions[0]!r}, not {canonical!r}")
    return Metadata(canonicalize_name(names[0], validate=True), canonical)


def _open_wheel(path: Path, stream: IO[bytes]) -> zipfile.ZipFile:
    """Open a ZIP after a look at its end record, so that a huge directory is never loaded (APPNOTE 4.3.16)."""
    stream.seek(0, io.SEEK_END)
    stream.seek(max(0, stream.tell() - 65_557))
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise MetadataError("not a ZIP file")
    entries, size = struct.unpack_from("<HL", tail, at + 10)
    if entries == 0xFFFF or size > _MAX_DIRECTORY_BYTES:
        raise MetadataError("a ZIP file with too many entries")
    stream.seek(0)
    archive = zipfile.ZipFile(stream)
    names = archive.namelist()
    if len(set(names)) != len(names):
        raise MetadataError("a ZIP file that holds one name twice")
    return archive


def _wheel_metadata(path: Path, file: str) -> bytes:
    with path.open("rb") as stream, _open_wheel(path, stream) as archive:
        return _read_member(archive, _dist_info(archive, file) + "/METADATA", MAX_METADATA_BYTES)


def _dist_info(archive: zipfile.ZipFile, file: str) -> str:
    """Return the one .dist-info folder, which must be that of the file's project and version."""
    from packaging.utils import canonicalize_name
    from packaging.version import Version

    folders = {name.split("/", 1)[0] for name in archive.namelist() if name.split("/", 1)[0].endswith(".dist-info")}
    if len(folders) != 1:
        raise MetadataError(f"it has {len(folders)} .dist-info folders instead of one")
    folder = folders.pop()
    name, _, version = folder.removesuffix(".dist-info").rpartition("-")
    expected = parse_artifact_name(file)
    if canonicalize_name(name) != expected.project or Version(version) != expected.version:
        raise MetadataError(f"its metadata stands in {folder}")
    return folder


def _read_member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    with archive.open(name) as member:
        content = member.read(limit + 1)
    if len(content) > limit:
        raise MetadataError(f"{name} is larger than {limit:,} bytes")
    return content


class _Bounded:
    """A decompressed stream that ends the reading of a bomb: by its whole length, and by any one read."""

    def __init__(self, stream: IO[bytes], most: int, at_once: int) -> None:
        self._stream, self._most, self._at_once = stream, most, at_once

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self._at_once:
            raise MetadataError("an archive with an oversized header")
        content = self._stream.read(size)
        if self._stream.tell() > self._most:
            raise MetadataError(f"an archive that unpacks to more than {self._most:,} bytes")
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset > self._most:
            raise MetadataError(f"an archive that unpacks to more than {self._most:,} bytes")
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


def _sdist_metadata(path: Path, file: str) -> bytes:
    top = file.removesuffix(".tar.gz")
    with gzip.open(path, "rb") as unpacked:
        bounded = _Bounded(unpacked, _MAX_UNPACKED_BYTES, MAX_METADATA_BYTES)  # type: ignore[arg-type]  # GzipFile reads like IO[bytes]
        with tarfile.open(fileobj=bounded, mode="r:") as archive:  # type: ignore[call-overload]  # duck-typed reader
            for count, member in enumerate(archive):
                if count >= _MAX_MEMBERS:
                    raise MetadataError(f"an archive with more than {_MAX_MEMBERS:,} members")
                parts = member.name.split("/")
                if len(parts) == 2 and parts[1] == "PKG-INFO" and member.isreg():
                    return _read_pkg_info(archive, member, top)
                archive.members.clear()  # tarfile keeps every member otherwise
    raise MetadataError("it has no PKG-INFO")


def _read_pkg_info(archive: tarfile.TarFile, member: tarfile.TarInfo, top: str) -> bytes:
    if _same_folder(member.name.split("/")[0], top) and member.size <= MAX_METADATA_BYTES:
        content = archive.extractfile(member)
        if content is not None:
            return content.read(MAX_METADATA_BYTES)
    raise MetadataError(f"{member.name} is not the PKG-INFO of {top}")


def _same_folder(folder: str, top: str) -> bool:
    from packaging.utils import canonicalize_name

    return canonicalize_name(folder) == canonicalize_name(top)


def check_record(path: Path, file: str) -> None:
    """Compare a wheel's RECORD with its contents, both ways. Raises MetadataError.

    https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
    """
    try:
        with path.open("rb") as stream, _open_wheel(path, stream) as archive:
            _compare_record(archive, _dist_info(archive, file))
    except MetadataError:
        raise
    except _BROKEN as error:
        raise MetadataError(f"not a readable wheel: {error}") from error


def _compare_record(archive: zipfile.ZipFile, folder: str) -> None:
    record = f"{folder}/RECORD"
    exempt = {record, f"{record}.jws", f"{record}.p7s"}
    rows = list(csv.reader(io.StringIO(_read_member(archive, record, _MAX_RECORD_BYTES).decode("utf-8"), newline="")))
    listed = {row[0]: row for row in rows if len(row) == 3}
    if len(listed) != len(rows):
        raise MetadataError("its RECORD has a line that is a duplicate or has not three fields")
    stored = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    if sum(info.file_size for info in stored.values()) > _MAX_UNPACKED_BYTES:
        raise MetadataError(f"it unpacks to more than {_MAX_UNPACKED_BYTES:,} bytes")
    for name in sorted(set(listed) ^ set(stored)):
        if name in listed or name not in exempt:
            raise MetadataError(
                f"{name} is " + ("listed in RECORD but not there" if name in listed else "not listed in RECORD")
            )
    for name in sorted(set(stored) - exempt):
        _compare_member(archive, name, listed[name])


def _compare_member(archive: zipfile.ZipFile, name: str, row: list[str]) -> None:
    algorithm, _, expected = row[1].partition("=")
    if algorithm not in _RECORD_HASHES:
        raise MetadataError(f"RECORD has no sha256 or stronger digest of {name}")
    hasher, size = hashlib.new(algorithm), 0
    with archive.open(name) as member:
        while block := member.read(256 * 1024):
            hasher.update(block)
            size += len(block)
    if base64.urlsafe_b64encode(hasher.digest()).rstrip(b"=").decode() != expected or row[2] not in ("", str(size)):
        raise MetadataError(f"{name} is not what RECORD says")

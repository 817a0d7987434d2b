"""A wheel, opened with care: its one .dist-info folder, and single members of it.

Enters: a path to a ZIP file that may be hostile. Leaves: bytes. Extracts nothing to the disk, and bounds every read.
https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sealwright.files.distribution import (
    BROKEN,
    MAX_METADATA_BYTES,
    MAX_UNPACKED_BYTES,
    MetadataError,
    SecondDistributionError,
)
from sealwright.model.artifact import ArtifactName
from sealwright.model.ordinary_names import canonical_project

_MAX_DIRECTORY_BYTES = 32 * 1024 * 1024
_INSTALLED = (".dist-info", ".egg-info", ".egg-link", ".egg")  # in any case, as importlib.metadata takes them
_MARKS = (".dist-info", ".egg")  # one of which stands in every name that ends so
_SHOWN = 200
_UNICODE_PATH = 0x7075  # of Info-ZIP (APPNOTE 4.6.9), which Python takes for a member's name from 3.12 on
_ZIP64_FIELD = 0x0001
_LOCAL = struct.Struct("<4s2xHH8xLLHH")  # of a header before a member: signature, flags, method, sizes, two lengths
_STREAMED, _UTF8, _ZIP64 = 0x0008, 0x0800, 0xFFFFFFFF
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile unpacks others at once, without bounds
_MAX_STREAMED_BYTES, _BLOCK = 4 * 1024**3, 1024**2
_MAX_DESCRIPTOR = 24  # bytes
# A part that is empty, . or .., or a separator on some systems: once unpacked, it takes another member's place.
_ELSEWHERE = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)|\\")


def read_wheel_metadata(path: Path, artifact: ArtifactName) -> bytes:
    """Return METADATA of the wheel at `path`. Raises MetadataError."""
    try:
        with path.open("rb") as stream, open_wheel(stream) as archive:
            return read_member(archive, dist_info(archive, artifact) + "/METADATA", MAX_METADATA_BYTES)
    except MetadataError:
        raise
    except (*BROKEN, zipfile.BadZipFile) as error:
        raise MetadataError(f"not a readable wheel: {error}") from error


def open_wheel(stream: IO[bytes], *, odd: bool = False) -> zipfile.ZipFile:
    """Open a ZIP after a look at its end record, so that a huge directory is never loaded (APPNOTE 4.3.16).

    A Zip64 record, which zipfile prefers to that one, is for larger ones. `odd`: also one that another reader could
    read in another way, for who is to describe it. Raises MetadataError, and what zipfile raises (BROKEN).
    """
    whole = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, whole - 65_557 - 20))
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise MetadataError("not a ZIP file")
    here, entries, size, start, comment = struct.unpack_from("<HHLLH", tail, at + 8)
    if entries == 0xFFFF or size > _MAX_DIRECTORY_BYTES:
        raise MetadataError("a ZIP file with too many entries")
    if tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        raise MetadataError("a ZIP file with a second directory, of Zip64")
    if len(tail) == whole:  # a small one is read once
        stream = io.BytesIO(tail)
    stream.seek(0)
    archive = zipfile.ZipFile(stream)
    names = archive.namelist()
    if len(set(names)) != len(names):
        raise MetadataError("a ZIP file that holds one name twice")
    for member in archive.infolist():
        if member.compress_type not in _METHODS:
            raise MetadataError(f"{member.filename[:_SHOWN]} is packed with method {member.compress_type}")
    if not odd:
        left = len(tail) - at
        # zipfile takes the directory that stands right before that record, others the one that it leads to.
        # It reads all of that one, others so many entries as the record says.
        fits = start + size == whole - left and left == 22 + comment
        stream.seek(start)
        if not fits or not here == entries == len(names) == _count_entries(stream.read(size)):
            raise MetadataError("a ZIP file in which another directory could be found")
        _refuse_two_meanings(archive)
        _refuse_hidden(stream, archive)
    return archive


def _count_entries(directory: bytes) -> int:
    """Count the entries of a directory (APPNOTE 4.3.12); -1 if the last one is cut off, which zipfile reads, too."""
    at = count = 0
    while at + 46 <= len(directory):
        at += 46 + sum(struct.unpack_from("<HHH", directory, at + 28))
        count += 1
    return count if at == len(directory) else -1


def _refuse_two_meanings(archive: zipfile.ZipFile) -> None:
    for member in archive.infolist():
        if _ELSEWHERE.search(member.filename.removesuffix("/")):
            raise MetadataError(f"it holds a file with a path that leads elsewhere: {member.filename!r:.200}")
        kinds = [kind for kind, _ in _extra_fields(member.extra)] if member.extra else []
        if kinds.count(_ZIP64_FIELD) > 1:
            raise MetadataError(f"it holds a file with two sizes: {member.filename!r:.200}")
        if member.filename != member.orig_filename or _UNICODE_PATH in kinds:
            raise MetadataError(f"it holds a file with a second name: {member.orig_filename!r:.200}")
        if not member.filename.isascii() and not member.flag_bits & _UTF8:  # Python takes it for cp437, unzip for UTF-8
            raise MetadataError(f"it holds a file with a name in no encoding that all know: {member.filename!r:.200}")


def _refuse_hidden(stream: IO[bytes], archive: zipfile.ZipFile) -> None:
    """Refuse what only those see who read from the beginning, as a download arrives: they go by the local headers.

    Each must say what the directory says, and member must follow member, with nothing between them (APPNOTE 4.3.7).
    """
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    # Each of these is unpacked, to see where it ends.
    if sum(member.file_size for member in members if member.flag_bits & _STREAMED) > MAX_UNPACKED_BYTES:
        raise MetadataError(f"it unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")
    ends = [*(member.header_offset for member in members), archive.start_dir]
    for member, start, after in zip(members, [0, *ends[1:]], ends[1:], strict=False):
        stream.seek(member.header_offset)
        name = member.orig_filename.encode("utf-8" if member.flag_bits & _UTF8 else "cp437")
        head = stream.read(_LOCAL.size + len(name))
        if len(head) < _LOCAL.size + len(name) or member.header_offset != start:
            raise MetadataError("a ZIP file with something between its members")
        signature, flags, method, *sizes, named, extra = _LOCAL.unpack_from(head)
        same = (signature, flags, method, named) == (b"PK\x03\x04", member.flag_bits, member.compress_type, len(name))
        streamed = bool(flags & _STREAMED)  # its sizes stand behind it
        right = [member.compress_size, member.file_size]
        fields = [*_extra_fields(stream.read(extra))] if extra else []
        more = dict(fields)
        if sizes == [_ZIP64, _ZIP64]:  # both stand in the field of Zip64, and it stands there once: APPNOTE 4.5.3
            sizes = [*reversed(struct.unpack("<QQ", more.get(_ZIP64_FIELD, b"").ljust(16)[:16]))]
            same = same and len(more) == len(fields)
        known = sizes == right or (streamed and all(size in (0, due) for size, due in zip(sizes, right, strict=True)))
        if not same or head[_LOCAL.size :] != name or not known or _UNICODE_PATH in more:
            raise MetadataError(f"it holds a file with two headers that differ: {member.filename!r:.200}")
        data = start + _LOCAL.size + named + extra
        _refuse_between(stream, member, data + member.compress_size, after)
        if streamed and member.compress_size:
            stream.seek(data)
            _refuse_early_end(stream, member)


def _refuse_between(stream: IO[bytes], member: zipfile.ZipInfo, end: int, after: int) -> None:
    """Refuse anything between a member and the next one but, behind one that was written to a pipe, its sizes.

    They stand there in one of four forms (APPNOTE 4.3.9); in anything else, who knows another one of them could find
    the beginning of a member.
    """
    if after == end and not member.flag_bits & _STREAMED:
        return
    due, between = _descriptors(member) if member.flag_bits & _STREAMED else [b""], b""
    if 0 < after - end <= _MAX_DESCRIPTOR:
        stream.seek(end)
        between = stream.read(after - end)
    if len(between) != after - end or between not in due:
        raise MetadataError("a ZIP file with something between its members")


def _descriptors(member: zipfile.ZipInfo) -> list[bytes]:
    about = (member.CRC, member.compress_size, member.file_size)
    plain = [struct.pack("<LQQ", *about)]
    if max(about) <= _ZIP64:
        plain.append(struct.pack("<LLL", *about))
    return [signature + each for each in plain for signature in (b"", b"PK\x07\x08")]


def _refuse_early_end(stream: IO[bytes], member: zipfile.ZipInfo) -> None:
    """Refuse a member without sizes before it whose packed bytes end before the directory says so (RFC 1951).

    Who reads from the beginning takes what is left for the next member. One that is only stored has no end at all.
    """
    if member.compress_type != zipfile.ZIP_DEFLATED or member.file_size > _MAX_STREAMED_BYTES:
        raise MetadataError(f"it holds a file of which nobody can tell where it ends: {member.filename!r:.200}")
    packed, made, left = zlib.decompressobj(-zlib.MAX_WBITS), 0, member.compress_size
    while not packed.eof and made <= member.file_size:
        block = packed.unconsumed_tail
        if not block:
            block = stream.read(min(left, _BLOCK))
            left -= len(block)
        content = packed.decompress(block, _BLOCK)
        made += len(content)
        if not block and not content:
            break
    if left or packed.unused_data or packed.unconsumed_tail or not packed.eof or made != member.file_size:
        raise MetadataError(f"it holds a file that ends before its end: {member.filename!r:.200}")


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the type of each extra field of a member (APPNOTE 4.5.1), and its content, unless it is cut off."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        yield kind, extra[at + 4 : at + 4 + length] if at + 4 + length <= len(extra) else b""
        at += 4 + length


def dist_info(archive: zipfile.ZipFile, artifact: ArtifactName) -> str:
    """Return the one .dist-info folder, which must be that of the file's project and version.

    Nothing else may make a second distribution where it is installed. Some disks do not tell capitals apart: there, a
    second folder or member would take the place of the first. Raises MetadataError.
    """
    from packaging.version import Version

    names = archive.namelist()
    folders = {top for name in names if (top := name.split("/", 1)[0]).casefold().endswith(".dist-info")}
    if not folders:
        raise MetadataError("it has 0 .dist-info folders instead of one")
    if len(folders) > 1:
        said = ", ".join(sorted(folders))[:_SHOWN]
        raise SecondDistributionError(
            f"it has {len(folders)} .dist-info folders instead of one, a second distribution: {said}"
        )
    folder = folders.pop()
    if second := sorted(_distributions(archive) - {folder}):
        raise SecondDistributionError(f"it brings a second distribution: {second[0][:_SHOWN]}")
    inside = [name.casefold() for name in names if name.startswith(f"{folder}/")]
    if len(set(inside)) != len(inside):
        raise MetadataError(f"{folder} holds one name twice")
    name, _, version = folder.removesuffix(".dist-info").rpartition("-")
    if canonical_project(name, validate=False) != artifact.project or Version(version) != artifact.version:
        raise MetadataError(f"its metadata stands in {folder}")
    return folder


def _distributions(archive: zipfile.ZipFile) -> set[str]:
    """Where, once it is installed, the metadata of a distribution lies: beside its modules, wherever .data puts it.

    https://packaging.python.org/en/latest/specifications/binary-distribution-format/#the-data-directory
    """
    found: set[str] = set()
    for name in archive.namelist():
        lower = name.lower()
        if not any(mark in lower for mark in _MARKS):
            continue
        path = posixpath.normpath(name.replace("\\", "/"))
        parts = [part.partition(":")[0].rstrip(" .") for part in path.split("/")]  # all that Windows heeds of it
        last = 1
        if parts[0].lower().endswith(".data"):  # what the scheme `data` puts beside modules lies somewhere below
            last = len(parts) if parts[1:2] == ["data"] else 3
        ends = [number for number, part in enumerate(parts[:last], 1) if part.lower().endswith(_INSTALLED)]
        if ends:  # a name with detours is unpacked over another one
            found.add("/".join(parts[: ends[0]]) if "/".join(parts) == name.rstrip("/") else name)
    return found


def read_member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Read a member of at most `limit` bytes. Raises MetadataError, and what zipfile raises (BROKEN)."""
    content = bytearray()
    for block in each_block(archive, name):
        content += block
        if len(content) > limit:
            raise MetadataError(f"{name} is larger than {limit:,} bytes")
    return bytes(content)


def each_block(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield what a member holds. Raises MetadataError, and what zipfile raises (BROKEN).

    zipfile ends where the directory says that a member ends, others where its packed bytes do, and a checksum fits
    both if somebody has seen to it: a member that would go on, or that ends early, is refused.
    """
    listed, size = archive.getinfo(name), 0
    due = listed.file_size
    listed.file_size += 1
    try:
        member = archive.open(listed)
    finally:
        listed.file_size = due
    with member:
        while block := member.read(_BLOCK // 4):
            size += len(block)
            if size > due:
                break
            yield block
    if size != due:
        raise MetadataError(f"it holds a file that is not as long as the directory says: {name!r:.200}")

"""Every member of a wheel or an sdist: what it holds, and what the archive says of it.

Enters: a path to an archive that may be hostile. Leaves: a `Packing`, the text of single members, or a MetadataError.
Extracts nothing to the disk, follows no name, and bounds the members, the bytes of all of them, and every read.
ZIP: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT  gzip: RFC 1952  tar: POSIX.1-2017, pax
"""

import gzip
import hashlib
import struct
import tarfile
import zipfile
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from sealwright.files.distribution import BROKEN, MetadataError
from sealwright.files.sdist import each_member, open_sdist
from sealwright.files.wheel import open_wheel
from sealwright.model.artifact import ArtifactKind
from sealwright.model.reproduction import Member, Packing

MAX_TEXT_BYTES = 256 * 1024
_MAX_BYTES = 2 * 1024**3
_BLOCK = 256 * 1024
_METHODS = {0: "stored", 8: "deflate"}  # open_wheel takes no others
_MAX_SHOWN = 300


def read_packing(path: Path, kind: ArtifactKind) -> Packing:
    """Read an archive whole, of at most 2 GiB unpacked. Raises MetadataError for whatever is wrong with it."""
    try:
        packing = _read_wheel(path) if kind is ArtifactKind.WHEEL else _read_sdist(path)
    except MetadataError:
        raise
    except (*BROKEN, zipfile.BadZipFile, tarfile.TarError) as error:
        raise MetadataError(f"not a readable {kind.value}: {error}") from error
    if len({member.name for member in packing.members}) != len(packing.members):
        raise MetadataError("an archive that holds one name twice")
    return packing


def read_texts(path: Path, kind: ArtifactKind, wanted: Collection[str]) -> dict[str, bytes]:
    """Return the content of the wanted members that are files of at most 256 KiB. Raises MetadataError."""
    try:
        if kind is ArtifactKind.WHEEL:
            with path.open("rb") as stream, open_wheel(stream, odd=True) as archive:
                small = [info for info in archive.infolist() if info.file_size <= MAX_TEXT_BYTES]
                return {info.filename: archive.read(info) for info in small if info.filename in wanted}
        with open_sdist(path) as sdist:
            found = {}
            for member in each_member(sdist):
                content = sdist.extractfile(member) if _is_small(member) and member.name in wanted else None
                if content is not None:
                    found[member.name] = content.read(MAX_TEXT_BYTES)
            return found
    except MetadataError:
        raise
    except (*BROKEN, zipfile.BadZipFile, tarfile.TarError) as error:
        raise MetadataError(f"not a readable {kind.value}: {error}") from error


def _is_small(member: tarfile.TarInfo) -> bool:
    return member.isreg() and member.size <= MAX_TEXT_BYTES


def _read_wheel(path: Path) -> Packing:
    with path.open("rb") as stream, open_wheel(stream, odd=True) as archive:
        infos = archive.infolist()
        if sum(info.file_size for info in infos) > _MAX_BYTES:  # zipfile reads no more of a member than it declares
            raise MetadataError(f"an archive that unpacks to more than {_MAX_BYTES:,} bytes")
        members = []
        for info in infos:
            with archive.open(info) as content:
                members.append(_zipped(info, content, _local(stream, info)[0]))
        comment = f"comment {archive.comment[:80]!r}" if archive.comment else ""
        return Packing(tuple(members), compression=comment, outside=_outside(stream, infos, archive.start_dir))


def _local(stream: IO[bytes], info: zipfile.ZipInfo) -> tuple[str, int]:
    """Return a member's header before its data, which zipfile mostly passes over, and where its data ends (4.3.7)."""
    stream.seek(info.header_offset)
    head = stream.read(30)
    if len(head) != 30:
        raise MetadataError(f"{info.filename} lies outside of the archive")
    version, flags, method, time = struct.unpack_from("<HHHL", head, 4)
    name, extra = struct.unpack_from("<HH", head, 26)
    stream.seek(info.header_offset + 30 + name)
    end = info.header_offset + 30 + name + extra + info.compress_size
    said = f"{version}/{flags:#x}/{method}" + f", {hashlib.sha256(stream.read(extra)).hexdigest()[:16]}" * bool(extra)
    date = (time >> 16, time & 0xFFFF)
    central = ((info.date_time[0] - 1980) << 9 | info.date_time[1] << 5 | info.date_time[2],
               info.date_time[3] << 11 | info.date_time[4] << 5 | info.date_time[5] // 2)  # fmt: skip
    return said + ("" if date == central else ", another time"), end


def _outside(stream: IO[bytes], infos: list[zipfile.ZipInfo], directory: int) -> str:
    """Name what lies before, between and behind the members: a place for what no unpacking shows."""
    found, digest, at = 0, hashlib.sha256(), 0
    ends = [(info.header_offset, _local(stream, info)[1], info.flag_bits & 8) for info in infos]
    for begin, end, described in [*sorted(ends), (directory, 0, 0)]:
        gap = begin - at
        if gap < 0:
            raise MetadataError("an archive whose members overlap")
        stream.seek(at)
        between = stream.read(min(gap, _MAX_BYTES))
        digest.update(between)
        found += gap
        at = end + (_descriptor(stream, end) if described else 0)
    return f"{found:,} bytes, sha256:{digest.hexdigest()}" if found else ""


def _descriptor(stream: IO[bytes], at: int) -> int:
    """The length of a data descriptor: its signature may be left out (APPNOTE 4.3.9)."""
    stream.seek(at)
    return 16 if stream.read(4) == b"PK\x07\x08" else 12


def _zipped(info: zipfile.ZipInfo, content: IO[bytes], local: str) -> Member:
    """The upper half of the external attributes is st_mode, if the archive was made on Unix (APPNOTE 4.4.15)."""
    size, sha256, blobs = _digest(_blocks(content), info.file_size)
    unix = info.external_attr >> 16
    method = _METHODS[info.compress_type]
    other = (
        f"system {info.create_system}, version {info.create_version}/{info.extract_version}, "
        f"flags {info.flag_bits:#x}, type {unix >> 12:o}, "
        f"attributes {info.external_attr & 0xFFFF:#x}/{info.internal_attr:#x}, local {local}"
    )
    for label, extra in (("extra", info.extra), ("comment", info.comment)):
        other += f", {label} {hashlib.sha256(extra).hexdigest()[:16]}" if extra else ""
    return Member(
        name=info.filename,
        kind="folder" if info.is_dir() else "file",
        size=size,
        sha256=sha256,
        blobs=blobs,
        time="{:04}-{:02}-{:02} {:02}:{:02}:{:02}".format(*info.date_time),
        mode=unix & 0o7777,
        owner="",
        compression=f"{method}, {info.compress_size:,} bytes",
        other=other,
    )


def _read_sdist(path: Path) -> Packing:
    time, header = _gzip_header(path)
    members, room, ends = [], _MAX_BYTES, []
    with open_sdist(path) as archive:
        for member in each_member(archive):
            if member.issparse():  # takes no room in the archive, and its bytes do not lie in one piece
                raise MetadataError(f"{member.name} is a sparse file")
            if member.size > room:
                raise MetadataError(f"an archive that unpacks to more than {_MAX_BYTES:,} bytes")
            room -= member.size
            members.append(_tarred(archive, member))
            end = member.offset_data + (member.size if member.isreg() else 0)
            ends.append((end, end + -end % tarfile.BLOCKSIZE))
        ends.append((archive.offset, 3 * _MAX_BYTES))
    stream, outside = _read_stream(path, ends)
    return Packing(tuple(members), time, header, stream, outside)


def _read_stream(path: Path, gaps: list[tuple[int, int]]) -> tuple[str, str]:
    """Hash what the file unpacks to, and name what lies in the gaps, where only zeros belong (pax)."""
    digest, hidden, size, found = hashlib.sha256(), hashlib.sha256(), 0, 0
    waiting = sorted(gaps, reverse=True)
    with gzip.open(path, "rb") as unpacked:
        while block := unpacked.read(_BLOCK):
            digest.update(block)
            while waiting and waiting[-1][0] < size + len(block):
                begin, end = waiting[-1]
                gap = block[max(0, begin - size) : max(0, end - size)]
                if gap.strip(b"\0"):
                    hidden.update(b"%d:" % max(begin, size) + gap)
                    found += len(gap)
                if end > size + len(block):
                    break
                waiting.pop()
            size += len(block)
            if size > 2 * _MAX_BYTES:
                raise MetadataError(f"an archive that unpacks to more than {2 * _MAX_BYTES:,} bytes")
    return digest.hexdigest(), f"{found:,} bytes, sha256:{hidden.hexdigest()}" if found else ""


def _tarred(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Member:
    content = archive.extractfile(member) if member.isreg() else None
    link = member.linkname.encode("utf-8", "surrogateescape") if member.issym() or member.islnk() else b""
    blocks = _blocks(content) if content else iter((link,))
    size, sha256, blobs = _digest(blocks, member.size if content else len(link))
    known = {"path", "linkpath", "size", "uid", "gid", "uname", "gname", "mtime"}
    pax = ", ".join(f"{key}={value}" for key, value in sorted(member.pax_headers.items()) if key not in known)
    if len(pax) > _MAX_SHOWN:
        pax = f"{pax[:_MAX_SHOWN]}…, sha256:{hashlib.sha256(pax.encode('utf-8', 'surrogateescape')).hexdigest()}"
    return Member(
        name=member.name,
        kind=_kind(member),
        size=size,
        sha256=sha256,
        blobs=blobs,
        time=_time(float(member.mtime)),
        mode=member.mode & 0o7777,
        owner=f"{member.uid}:{member.gid} ({member.uname}:{member.gname})",
        compression="",
        other=f"device {member.devmajor}:{member.devminor}" * bool(member.isdev()) + pax,
    )


def _kind(member: tarfile.TarInfo) -> str:
    if member.issym():
        return "symbolic link"
    if member.islnk():
        return "hard link"
    if member.isdir():
        return "folder"
    return "file" if member.isreg() else "special file"


def _gzip_header(path: Path) -> tuple[str, str]:
    """Return the time of a gzip header, and the rest of it that can differ (RFC 1952, 2.3.1)."""
    with path.open("rb") as stream:
        head = stream.read(10 + 256)
    if len(head) < 10:
        raise MetadataError("not a gzip file")
    flags, time, extra, system = struct.unpack_from("<BIBB", head, 3)
    name = head[10:].split(b"\0", 1)[0].decode("latin-1") if flags & 0x0C == 0x08 else ""
    return _time(time), f"gzip flags {flags:#x}, hint {extra}, system {system}" + (f", name {name}" if name else "")


def _time(seconds: float) -> str:
    """POSIX time, as text: exact, and also where it is outside of what a calendar holds."""
    try:
        shown = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{seconds!r} s"
    part = seconds % 1
    return f"{shown}{f'{part:.6f}'[1:]}" if part else shown


def _blocks(content: IO[bytes]) -> Iterator[bytes]:
    while block := content.read(_BLOCK):
        yield block


def _digest(blocks: Iterator[bytes], declared: int) -> tuple[int, str, tuple[str, str]]:
    """Hash content three times: as it is, and as git names it in repositories of either digest.

    https://git-scm.com/book/en/v2/Git-Internals-Git-Objects#_object_storage
    """
    header = b"blob %d\0" % declared
    plain, sha1, sha256 = hashlib.sha256(), hashlib.sha1(header, usedforsecurity=False), hashlib.sha256(header)
    size = 0
    for block in blocks:
        size += len(block)
        for hasher in (plain, sha1, sha256):
            hasher.update(block)
    if size != declared:
        raise MetadataError("a member that is not as long as the archive says")
    return size, plain.hexdigest(), (sha1.hexdigest(), sha256.hexdigest())

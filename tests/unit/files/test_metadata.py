"""What archives say of themselves, and archives made to harm: each an error of one line, within bounds."""

import gzip
import io
import resource
import struct
import tarfile
import time
import zipfile
import zlib
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples

from sealwright.collect.targets.dependencies import collect_dependencies
from sealwright.errors import UsageError
from sealwright.files.distribution import MetadataError
from sealwright.files.members import read_packing, read_texts
from sealwright.files.metadata import Metadata
from sealwright.files.metadata import read_metadata as read
from sealwright.files.record import check_record
from sealwright.model.artifact import ArtifactKind, parse_artifact_name
from sealwright.sandbox.project import build_sdist, build_wheel

WHEEL, SDIST = "p-1.0-py3-none-any.whl", "p-1.0.tar.gz"
WHEEL_META = "p-1.0.dist-info/METADATA"


def read_metadata(path: Path, name: str, kind: ArtifactKind) -> Metadata:
    assert parse_artifact_name(name).kind is kind
    return read(path, parse_artifact_name(name))


def wheel(folder: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(folder / WHEEL, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return folder / WHEEL


def sdist(folder: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(folder / SDIST, "w:gz") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return folder / SDIST


def test_what_is_stated_is_read(tmp_path: Path) -> None:
    built = (build_wheel(tmp_path, "p", "1.0"), build_sdist(tmp_path, "p", "1.0"))
    for path, kind in zip(built, (ArtifactKind.WHEEL, ArtifactKind.SDIST), strict=True):
        found = read_metadata(path, path.name, kind)
        assert (found.project, found.version) == ("p", "1.0")
    check_record(built[0], parse_artifact_name(built[0].name))


# Windows heeds no dot and no space at the end of a name, and nothing behind a colon.
ON_WINDOWS = ["p-1.0.dist-info./METADATA", "p-1.0.dist-info/METADATA.", "p-1.0.dist-info/METADATA::$DATA"]
SECOND = [
    "p-1.0.data/purelib/bad-1.0.dist-info/METADATA",
    "p-1.0.data/platlib/bad-1.0.Dist-Info/METADATA",
    "p-1.0.data/purelib/p-1.0.dist-info/METADATA",
    "p-1.0.data/data/lib/python3.11/site-packages/bad-1.0.dist-info/METADATA",
    "other.data/purelib/bad.egg-info",
    "bad-1.0.DIST-INFO/METADATA",
    "bad-1.0.egg-info/PKG-INFO",
    "bad-1.0.EGG-INFO",
    "bad.egg-link",
    "bad-1.0.dist-info /METADATA",
    "p-1.0.data/purelib/bad-1.0.egg-info./PKG-INFO",
    *ON_WINDOWS,
]
DETOURS = [
    "./bad-1.0.dist-info/METADATA",
    "p/../bad-1.0.dist-info/METADATA",
    "bad-1.0.dist-info\\METADATA",
    "./p-1.0.dist-info/METADATA",
    "p-1.0.dist-info/x/../METADATA",
]


@pytest.mark.parametrize("name", DETOURS)
def test_a_wheel_that_brings_one_by_a_detour(tmp_path: Path, name: str) -> None:
    path = wheel(tmp_path, {WHEEL_META: b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n", name: b"Name: bad\n"})
    with pytest.raises(MetadataError, match="a path that leads elsewhere"):
        read_metadata(path, WHEEL, ArtifactKind.WHEEL)
    with pytest.raises(UsageError, match="a path that leads elsewhere"):
        collect_dependencies(path)


@pytest.mark.parametrize("name", SECOND)
def test_a_wheel_that_installs_a_second_distribution(tmp_path: Path, name: str) -> None:
    """pip lists both; advisories would be asked about one, and that is the one that was signed for."""
    own = {WHEEL_META: b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n"}
    vendored = {"p/_vendor/bad-1.0.dist-info/METADATA": b"", "p-1.0.data/purelib/p/_vendor/bad.egg-info/PKG-INFO": b""}
    assert read_metadata(wheel(tmp_path, own | vendored), WHEEL, ArtifactKind.WHEEL) == ("p", "1.0")
    path = wheel(tmp_path, own | {name: b"Metadata-Version: 2.1\nName: bad\nVersion: 1.0\n"})
    with pytest.raises(MetadataError, match="a second distribution: "):
        read_metadata(path, WHEEL, ArtifactKind.WHEEL)
    with pytest.raises(MetadataError):
        check_record(path, parse_artifact_name(WHEEL))
    (itself,) = collect_dependencies(path).entries
    assert itself[:2] == ("p", "1.0")
    assert "a second distribution: " in itself.problem


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Name: p\n", "exactly once"),
        ("Name: p\nVersion: 1.0\nVersion: 2.0\n", "exactly once"),
        ("Name: p\nName: q\nVersion: 1.0\n", "exactly once"),
        ("\nName: p\nVersion: 1.0\n", "exactly once"),
        ("Name: p\nVersion: 1.0.RC1\n", "spelled"),
        ("Name: p\nVersion: v1.0\n", "spelled"),
        ("Name: p\nVersion: one\n", "not PEP 440"),
        ("Name: a b\nVersion: 1.0\n", "not PEP 508"),
        ("Summary: x\rName: evil\rVersion: 6.6\nName: p\nVersion: 1.0\n", "no field"),
        ("Name: p\nVersion: 1.0\n .9\n", "folded"),
        ("junk\nName: p\nVersion: 1.0\n", "no field"),
        ("Name : p\nVersion: 1.0\n", "no field"),
        ("Name: p\nVersion: " + "9" * 5000 + "\n", "not PEP 440"),
    ],
)
def test_metadata_that_does_not_say_who_it_is(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        read_metadata(wheel(tmp_path, {WHEEL_META: text.encode()}), WHEEL, ArtifactKind.WHEEL)


def test_metadata_of_a_future_or_folded_form_is_still_read_as_pip_reads_it(tmp_path: Path) -> None:
    text = b"Metadata-Version: 9.9\r\nname: P\r\nVERSION: 1.0\r\n\r\nName: evil\r\n"
    found = read_metadata(wheel(tmp_path, {WHEEL_META: text}), WHEEL, ArtifactKind.WHEEL)
    assert (found.project, found.version) == ("p", "1.0")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "0 .dist-info folders"),
        ({WHEEL_META: b"x", "q-1.0.dist-info/METADATA": b"x"}, "2 .dist-info folders"),
        ({"q-1.0.dist-info/METADATA": b"x"}, "stands in q-1.0.dist-info"),
        ({"p-1.0.dist-info/WHEEL": b"x"}, "not a readable wheel"),
        ({WHEEL_META: b" " * (5 * 1024 * 1024)}, "larger than"),
        ({WHEEL_META: b"Name: \xff\n"}, "not UTF-8"),
        ({WHEEL_META: b"x", "Q-1.0.DIST-INFO/METADATA": b"x"}, "2 .dist-info folders"),
        ({WHEEL_META: b"x", "p-1.0.dist-info/Metadata": b"x"}, "holds one name twice"),
        ({WHEEL_META: b"x", "x/../p-1.0.dist-info/METADATA": b"x"}, "a path that leads elsewhere"),
        ({WHEEL_META: b"x", "./p-1.0.dist-info/METADATA": b"x"}, "a path that leads elsewhere"),
        ({WHEEL_META: b"x", "p-1.0.dist-info//METADATA": b"x"}, "a path that leads elsewhere"),
        ({WHEEL_META: b"x", "/p-1.0.dist-info/METADATA": b"x"}, "a path that leads elsewhere"),
        ({WHEEL_META: b"x", "p-1.0.dist-info\\METADATA": b"x"}, "a path that leads elsewhere"),
    ],
)
def test_wheels_that_are_none(tmp_path: Path, members: dict[str, bytes], message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        read_metadata(wheel(tmp_path, members), WHEEL, ArtifactKind.WHEEL)


def test_a_zip_that_claims_a_directory_of_gigabytes(tmp_path: Path) -> None:
    (tmp_path / WHEEL).write_bytes(b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 9, 9, 3 * 1024**3, 0, 0))
    with pytest.raises(MetadataError, match="too many entries"):
        read_metadata(tmp_path / WHEEL, WHEEL, ArtifactKind.WHEEL)


def _end(entries: int, size: int, start: int, comment: int = 0) -> bytes:
    return b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, entries, entries, size, start, comment)


def _two_directories(path: Path, how: str) -> bytes:
    """A wheel whose last directory is the one that zipfile reads, while others are led to the one before."""
    whole = wheel(path, {WHEEL_META: b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n"}).read_bytes()
    at = whole.rfind(b"PK\x05\x06")
    entries, size, start = struct.unpack_from("<HLL", whole, at + 10)
    if how == "offset":  # which zipfile mends by what stands before the first member
        return whole[:at] + whole[:at] + _end(entries, size, start)
    if how == "trailing":  # an end of a directory that is not the end of the file
        return whole + bytes(30)
    if how == "before":
        return bytes(30) + whole
    # zipfile reads a Zip64 record in any case, others where the plain one says that there is one (APPNOTE 4.3.14)
    more = b"PK\x06\x06" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, entries, entries, size, start)
    more += b"PK\x06\x07" + struct.pack("<LQL", 0, at, 1)
    return whole[:at] + more + _end(entries, *((size + len(more), start) if how == "zip64 within" else (size, start)))


@pytest.mark.parametrize("how", ["offset", "trailing", "before", "zip64", "zip64 within"])
def test_a_zip_in_which_another_reader_finds_another_directory(tmp_path: Path, how: str) -> None:
    """Also one that no reader finds too large, because it hides behind a plain one that is small."""
    content = _two_directories(tmp_path, how)
    (tmp_path / WHEEL).write_bytes(content)
    assert zipfile.ZipFile(tmp_path / WHEEL).namelist() == [WHEEL_META], "zipfile reads it"
    with pytest.raises(MetadataError, match="directory"):
        read_metadata(tmp_path / WHEEL, WHEEL, ArtifactKind.WHEEL)


@pytest.mark.parametrize("entries", [0, 1, 3])
def test_a_zip_whose_directory_holds_another_number_of_entries(tmp_path: Path, entries: int) -> None:
    """zipfile reads all of a directory, others so many entries as its record says."""
    path = wheel(tmp_path, {WHEEL_META: b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n", "q.py": b""})
    content = path.read_bytes()
    for number in ((entries, 2), (2, entries)):
        path.write_bytes(content[:-14] + struct.pack("<HH", *number) + content[-10:])
        with pytest.raises(MetadataError, match="another directory"):
            read_metadata(path, WHEEL, ArtifactKind.WHEEL)


@pytest.mark.parametrize("field", [28, 30, 32], ids=["name", "extra field", "comment"])
def test_a_zip_whose_last_entry_goes_on_behind_its_directory(tmp_path: Path, field: int) -> None:
    """zipfile reads what is left of it; unzip takes what follows for a part of it."""
    path = wheel(tmp_path, {"q.py": b"", WHEEL_META: b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n"})
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + field + 1] = 1
    path.write_bytes(content)
    assert zipfile.ZipFile(path).namelist() == ["q.py", WHEEL_META], "zipfile reads it"
    with pytest.raises(MetadataError, match="another directory"):
        read_metadata(path, WHEEL, ArtifactKind.WHEEL)


def test_a_wheel_with_a_name_whose_encoding_is_not_said(tmp_path: Path) -> None:
    """Python, and so pip, takes it for code page 437, unzip for UTF-8; uv refuses it."""
    path = wheel(tmp_path, {WHEEL_META: b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n", "p/xy.py": b""})
    path.write_bytes(path.read_bytes().replace(b"p/xy.py", b"p/\xc3\xa9.py"))
    with pytest.raises(MetadataError, match="no encoding"):
        read_metadata(path, WHEEL, ArtifactKind.WHEEL)


def test_a_wheel_whose_members_have_a_second_name(tmp_path: Path) -> None:
    """Python reads an Info-ZIP Unicode Path (APPNOTE 4.6.9) from 3.12 on: pip there, other METADATA than 3.11 does."""
    with zipfile.ZipFile(tmp_path / WHEEL, "w") as archive:
        for name, second in ((WHEEL_META, "x/unused"), ("x/other", WHEEL_META)):
            info = zipfile.ZipInfo(name)
            extra = struct.pack("<BL", 1, zlib.crc32(name.encode())) + second.encode()
            info.extra = struct.pack("<HH", 0xCAFE, 0) + struct.pack("<HH", 0x7075, len(extra)) + extra
            archive.writestr(info, b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n")
    with pytest.raises(MetadataError, match="a second name"):
        read_metadata(tmp_path / WHEEL, WHEEL, ArtifactKind.WHEEL)


def test_a_wheel_with_a_member_whose_name_zipfile_cuts(tmp_path: Path) -> None:
    path = wheel(tmp_path, {WHEEL_META: b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n", "x_y": b""})
    path.write_bytes(path.read_bytes().replace(b"x_y", b"x\0y"))
    with pytest.raises(MetadataError, match="a second name"):
        read_metadata(path, WHEEL, ArtifactKind.WHEEL)


def _zip(*members: tuple[str, str, bytes], size: int = 0) -> bytes:
    """A ZIP of stored members, each with the name in its own header and in the directory; without one, it is hidden."""
    body, directory, count = b"", b"", 0
    for local, listed, content in members:
        about = struct.pack("<HHHHHLLL", 20, 0, 0, 0, 0x21, zlib.crc32(content), len(content) - size, len(content))
        if listed:
            lengths = struct.pack("<HHHHHLL", len(listed), 0, 0, 0, 0, 0, len(body))
            whole = about[:-8] + struct.pack("<LL", len(content), len(content))
            directory += b"PK\x01\x02" + struct.pack("<H", 20) + whole + lengths + listed.encode()
            count += 1
        body += b"PK\x03\x04" + about + struct.pack("<HH", len(local), 0) + local.encode() + content
    return body + directory + _end(count, len(directory), len(body))


@pytest.mark.parametrize("how", ["plain", "before", "behind", "other name", "other size"])
def test_a_wheel_that_is_another_read_from_its_beginning(tmp_path: Path, how: str) -> None:
    """As it arrives, uv and bsdtar take its members from their own headers; zipfile, and so pip, from the directory."""
    said, other = b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n", b"Name: q\nVersion: 2.0\n"
    good, hidden = (WHEEL_META, WHEEL_META, said), (WHEEL_META, "", other)
    content = {
        "plain": _zip(good),
        "before": _zip(hidden, good),
        "behind": _zip(good, hidden),
        "other name": _zip(good, ("q-2.0.dist-info/METADATA", "p/x.txt", other)),
        "other size": _zip(good, size=5),
    }[how]
    (tmp_path / WHEEL).write_bytes(content)
    with zipfile.ZipFile(tmp_path / WHEEL) as archive:
        assert archive.read(WHEEL_META) == said, "zipfile reads it"
    if how == "plain":
        assert read_metadata(tmp_path / WHEEL, WHEEL, ArtifactKind.WHEEL) == Metadata("p", "1.0")
        return
    with pytest.raises(MetadataError, match=r"between its members|two headers that differ"):
        read_metadata(tmp_path / WHEEL, WHEEL, ArtifactKind.WHEEL)


def test_a_wheel_that_was_written_to_a_pipe_is_still_one(tmp_path: Path) -> None:
    """Its sizes stand behind each member."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.written = b""

        def writable(self) -> bool:
            return True

        def write(self, content: bytes) -> int:  # type: ignore[override]  # of any buffer there, of bytes here
            self.written += content
            return len(content)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(WHEEL_META, b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n")
        archive.writestr("p/n\u00e4me.txt", b"")
    (tmp_path / WHEEL).write_bytes(pipe.written)
    assert read_metadata(tmp_path / WHEEL, WHEEL, ArtifactKind.WHEEL) == Metadata("p", "1.0")


def _streamed(
    packed: bytes, content: bytes, *, method: int = zipfile.ZIP_DEFLATED, local_size: int = 0, behind: str = ""
) -> bytes:
    """A wheel whose METADATA is such a member, without sizes before it: its directory counts all packed bytes."""
    name, crc = WHEEL_META.encode(), zlib.crc32(content)
    sizes = struct.pack("<LLL", crc, len(packed), len(content))
    local = struct.pack("<4s2xHH8xLLHH", b"PK\x03\x04", 8, method, local_size, 0, len(name), 0)
    wide = struct.pack("<LQQ", crc, len(packed), len(content))
    form = {"without a mark": sizes, "wide": b"PK\x07\x08" + wide, "wide, without a mark": wide, "nothing": b""}
    # To who takes twelve bytes for the sizes, the rest is the beginning of a member, which goes on in the next header.
    form["another member"] = sizes + b"PK\x03\x04" + bytes(8)
    form["other sizes"] = b"PK\x07\x08" + sizes[:8] + b"\x01\x00\x00\x00"
    body = local + name + packed + form.get(behind, b"PK\x07\x08" + sizes)
    entry = struct.pack("<4s4xHH4x", b"PK\x01\x02", 8, method) + sizes + struct.pack("<H16x", len(name)) + name
    return body + entry + struct.pack("<4s4xHHLLH", b"PK\x05\x06", 1, 1, len(entry), len(body), 0)


def _with_local_extra(extra: bytes, *, size: int, packed: int | None = None) -> bytes:
    """A wheel whose METADATA is stored, and whose header before it has that extra field and those sizes."""
    name, said = WHEEL_META.encode(), b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n"
    sizes = struct.pack("<LLL", zlib.crc32(said), len(said), len(said))
    body = b"PK\x03\x04" + struct.pack("<2xHH8xLL", 0, 0, size if packed is None else packed, size)
    body += struct.pack("<HH", len(name), len(extra)) + name + extra + said
    entry = struct.pack("<4s4xHH4x", b"PK\x01\x02", 0, 0) + sizes + struct.pack("<H16x", len(name)) + name
    return body + entry + struct.pack("<4s4xHHLLH", b"PK\x05\x06", 1, 1, len(entry), len(body), 0)


def test_what_stands_in_the_extra_fields_before_a_member_is_held_against_the_directory(tmp_path: Path) -> None:
    """Sizes of Zip64, and another name: who reads from the beginning goes by them.

    A field that is cut off is none to others, so that the size before it counts, which reaches over all that follows.
    """
    length = len(b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n")

    def zip64(*sizes: int) -> bytes:
        return struct.pack(f"<HH{len(sizes)}Q", 1, 8 * len(sizes), *sizes)

    name = struct.pack("<HH5s", 0x7075, 5 + 4, b"\x01abcd") + b"evil"
    cases = {
        "plain": (b"", length, True),
        "a time": (struct.pack("<HH5s", 0x5455, 5, b"\x01abcd"), length, True),
        "Zip64": (zip64(length, length), 0xFFFFFFFF, True),
        "Zip64 that lies": (zip64(length, 3), 0xFFFFFFFF, False),
        "Zip64 that says half": (zip64(length), 0xFFFFFFFF, False),
        "no Zip64": (b"", 0xFFFFFFFF, False),
        "another name": (name, length, False),
        "Zip64 that is cut off": (struct.pack("<HHQQ", 1, 80, length, length), 0xFFFFFFFF, False),
        "Zip64 twice": (zip64(length, 3) + zip64(length, length), 0xFFFFFFFF, False),
    }
    for case, (extra, size, good) in cases.items():
        (tmp_path / WHEEL).write_bytes(_with_local_extra(extra, size=size))
        if good:
            assert read_metadata(tmp_path / WHEEL, WHEEL, ArtifactKind.WHEEL) == Metadata("p", "1.0"), case
        else:
            with pytest.raises(MetadataError, match="two headers that differ"):
                read_metadata(tmp_path / WHEEL, WHEEL, ArtifactKind.WHEEL)
    # With one of them in the header itself, some take the first in the field for the other one.
    (tmp_path / WHEEL).write_bytes(_with_local_extra(zip64(length, length), size=length, packed=0xFFFFFFFF))
    with pytest.raises(MetadataError, match="two headers that differ"):
        read_metadata(tmp_path / WHEEL, WHEEL, ArtifactKind.WHEEL)


def test_a_wheel_with_two_sizes_in_its_directory(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / WHEEL, "w") as archive:
        info = zipfile.ZipInfo(WHEEL_META)
        info.extra = struct.pack("<HHQQ", 1, 16, 3, 3) * 2
        archive.writestr(info, b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n")
    with pytest.raises(MetadataError, match="two sizes"):
        read_metadata(tmp_path / WHEEL, WHEEL, ArtifactKind.WHEEL)


def _fit(start: bytes, checksum: int) -> bytes:
    """The four bytes that give `start` that CRC-32."""
    table = [zlib.crc32(bytes([n])) ^ zlib.crc32(b"\0") for n in range(256)]
    by_top, wanted, steps = {entry >> 24: n for n, entry in enumerate(table)}, checksum ^ 0xFFFFFFFF, []
    for _ in range(4):
        steps.append(by_top[wanted >> 24])
        wanted = (wanted ^ table[steps[-1]]) << 8 & 0xFFFFFFFF
    now, made = zlib.crc32(start) ^ 0xFFFFFFFF, b""
    for step in reversed(steps):
        made += bytes([(now ^ step) & 0xFF])
        now = now >> 8 ^ table[step]
    return made


@pytest.mark.parametrize("name", [WHEEL_META, "p/__init__.py"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_that_goes_on_where_the_directory_says_it_ends(tmp_path: Path, name: str, method: int) -> None:
    """zipfile, and so pip, ends there; unzip takes all of it, and its checksum fits, too."""
    said = {WHEEL_META: b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n", "p/__init__.py": b"x = 1\n"}
    rows = [f"{n},sha256={urlsafe_b64encode(sha256(c).digest()).rstrip(b'=').decode()},\n" for n, c in said.items()]
    record = "".join([*rows, "p-1.0.dist-info/RECORD,,\n"]).encode()
    path = wheel(tmp_path, said | {"p-1.0.dist-info/RECORD": record})
    check_record(path, parse_artifact_name(WHEEL))
    longer = said[name] + b"Requires-Dist: evil\n#"
    longer += _fit(longer, zlib.crc32(said[name]))
    assert zlib.crc32(longer) == zlib.crc32(said[name])
    with zipfile.ZipFile(path, "w", method) as archive:
        for each, content in (said | {name: longer, "p-1.0.dist-info/RECORD": record}).items():
            archive.writestr(each, content)
    lie = struct.pack("<L", zlib.crc32(longer)), struct.pack("<L", len(longer)), struct.pack("<L", len(said[name]))
    content = path.read_bytes()
    for at in (content.index(lie[0]), content.rindex(lie[0])):  # in both of its headers: checksum, packed size, size
        assert content[at + 8 : at + 12] == lie[1]
        content = content[: at + 8] + lie[2] + content[at + 12 :]
    path.write_bytes(content)
    with zipfile.ZipFile(path) as archive:
        assert archive.read(name) == said[name], "zipfile reads it"
    with pytest.raises(MetadataError, match=r"not as long as the directory says|Bad CRC-32"):
        check_record(path, parse_artifact_name(WHEEL))
    if name == WHEEL_META:
        with pytest.raises(MetadataError, match=r"not as long as the directory says|Bad CRC-32"):
            read_metadata(path, WHEEL, ArtifactKind.WHEEL)


def _deflated(content: bytes) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packing.compress(content) + packing.flush()


def test_nothing_hides_in_the_packed_bytes_of_a_streamed_member(tmp_path: Path) -> None:
    """Who reads from the beginning goes on where the packed bytes end, and finds another member there."""
    said = b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n"
    large = said + b"\n" + b"x" * 3_000_000
    hidden = b"PK\x03\x04" + b"another member"
    good = {"plain": _streamed(_deflated(said), said), "large": _streamed(_deflated(large), large)}
    good |= {
        how: _streamed(_deflated(said), said, behind=how) for how in ("without a mark", "wide", "wide, without a mark")
    }
    bad = {
        "behind its end": _streamed(_deflated(said) + hidden, said),
        "without an end": _streamed(_deflated(said)[:-3], said),
        "only stored": _streamed(said, said, method=zipfile.ZIP_STORED),
        "a size that lies": _streamed(_deflated(said), said, local_size=2),
        "more than it says": _streamed(_deflated(large), said),
        "less than it says": _streamed(_deflated(said), large),
    }
    bad |= {how: _streamed(_deflated(said), said, behind=how) for how in ("nothing", "another member", "other sizes")}
    for name, content in (good | bad).items():
        (tmp_path / WHEEL).write_bytes(content)
        if name in good:
            assert read_metadata(tmp_path / WHEEL, WHEEL, ArtifactKind.WHEEL) == Metadata("p", "1.0"), name
        else:
            with pytest.raises(
                MetadataError, match=r"ends before its end|where it ends|two headers|not a readable|between"
            ):
                read_metadata(tmp_path / WHEEL, WHEEL, ArtifactKind.WHEEL)


def test_streamed_members_are_not_unpacked_without_end(tmp_path: Path) -> None:
    """Each is as large as one may be, and where it ends is known only by unpacking it."""
    packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packing.compress(bytes(1024**2)) + packing.flush(zlib.Z_FULL_FLUSH)
    packed, size = block * 4095 + packing.flush(), 4095 * 1024**2
    body, directory, count = b"", b"", 4
    for number in range(count):
        name, sizes = b"p/%d" % number, struct.pack("<LLL", 0, len(packed), size)
        directory += struct.pack("<4s4xHH4x", b"PK\x01\x02", 8, 8) + sizes
        directory += struct.pack("<H12xL", len(name), len(body)) + name
        body += struct.pack("<4s2xHH8xLLHH", b"PK\x03\x04", 8, 8, 0, 0, len(name), 0) + name + packed + sizes
    end = struct.pack("<4s4xHHLLH", b"PK\x05\x06", count, count, len(directory), len(body), 0)
    (tmp_path / WHEEL).write_bytes(body + directory + end)
    with pytest.raises(MetadataError, match="unpacks to more than"):
        read_metadata(tmp_path / WHEEL, WHEEL, ArtifactKind.WHEEL)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_wheel_that_zipfile_unpacks_without_bounds_takes_no_memory(tmp_path: Path, method: int) -> None:
    """Of bzip2 and LZMA, zipfile unpacks at once whatever a few bytes hold."""
    with zipfile.ZipFile(tmp_path / WHEEL, "w", method) as archive, archive.open(WHEEL_META, "w") as member:
        member.write(b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n\n")
        for _ in range(100):
            member.write(bytes(1024**2))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for reading in (
        lambda: read_metadata(tmp_path / WHEEL, WHEEL, ArtifactKind.WHEEL),
        lambda: read_texts(tmp_path / WHEEL, ArtifactKind.WHEEL, {WHEEL_META}),
        lambda: read_packing(tmp_path / WHEEL, ArtifactKind.WHEEL),
    ):
        with pytest.raises(MetadataError, match="packed with method"):
            reading()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_zip_with_a_comment_is_still_one(tmp_path: Path) -> None:
    path = wheel(tmp_path, {WHEEL_META: b"Metadata-Version: 2.1\nName: p\nVersion: 1.0\n"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"made by somebody"
    assert read_metadata(path, WHEEL, ArtifactKind.WHEEL) == Metadata("p", "1.0")


def test_sdists_that_are_none(tmp_path: Path) -> None:
    for members, message in (
        ([], "no PKG-INFO"),
        ([(tarfile.TarInfo("q-1.0/PKG-INFO"), b"Name: p\nVersion: 1.0\n")], "which is not in p-1.0/"),
        ([(tarfile.TarInfo("p-1.0/PKG-INFO"), b" " * (5 * 1024 * 1024))], "is no file of at most"),
        (
            [
                (tarfile.TarInfo("p-1.0/PKG-INFO"), b"Name: p\nVersion: 1.0\n"),
                (tarfile.TarInfo("./p-1.0//PKG-INFO"), b"Name: q\n"),
            ],
            "two PKG-INFO",
        ),
        (
            [(tarfile.TarInfo("p-1.0/PKG-INFO"), b"Name: p\nVersion: 1.0\n"), (tarfile.TarInfo("q/setup.py"), b"")],
            "not in p-1.0/",
        ),
        ([(tarfile.TarInfo("p-1.0/deep/PKG-INFO"), b"Name: p\nVersion: 1.0\n")], "no PKG-INFO"),
    ):
        with pytest.raises(MetadataError, match=message):
            read_metadata(sdist(tmp_path, members), SDIST, ArtifactKind.SDIST)


def _link(name: str, to: str, kind: bytes) -> tuple[tarfile.TarInfo, bytes]:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = kind, to
    return link, b""


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([(tarfile.TarInfo("p-1.0/x/../PKG-INFO"), b"Name: q\nVersion: 2.0\n")], "not in p-1.0/"),
        ([(tarfile.TarInfo("p-1.0/../q-2.0/PKG-INFO"), b"Name: q\nVersion: 2.0\n")], "not in p-1.0/"),
        ([(tarfile.TarInfo("P_1.0/pyproject.toml"), b"")], "not in p-1.0/"),
        ([(tarfile.TarInfo("p-1.0/pkg-info"), b"Name: q\nVersion: 2.0\n")], "two PKG-INFO"),
        ([_link("p-1.0/x", ".", tarfile.SYMTYPE), (tarfile.TarInfo("p-1.0/x/PKG-INFO"), b"")], "through a link"),
        ([_link("p-1.0/x", "PKG-INFO", tarfile.SYMTYPE), (tarfile.TarInfo("p-1.0/x"), b"")], "through a link"),
        ([_link("p-1.0/x", "p-1.0/PKG-INFO", tarfile.LNKTYPE), (tarfile.TarInfo("p-1.0/x"), b"")], "through a link"),
        ([_link("p-1.0/Docs", ".", tarfile.SYMTYPE), (tarfile.TarInfo("p-1.0/docs/PKG-INFO"), b"")], "through a link"),
        ([_link("p-1.0/\u00e9", ".", tarfile.SYMTYPE), (tarfile.TarInfo("p-1.0/e\u0301/x"), b"")], "through a link"),
        ([_link("p-1.0", "q", tarfile.SYMTYPE), (tarfile.TarInfo("p-1.0/x"), b"")], "through a link"),
    ],
)
def test_an_sdist_that_is_another_once_it_is_unpacked(
    tmp_path: Path, more: list[tuple[tarfile.TarInfo, bytes]], message: str
) -> None:
    """What is unpacked last stands in the place of what was read first."""
    first = (tarfile.TarInfo("p-1.0/PKG-INFO"), b"Name: p\nVersion: 1.0\n")
    with pytest.raises(MetadataError, match=message):
        read_metadata(sdist(tmp_path, [first, *more]), SDIST, ArtifactKind.SDIST)


_SAID, _OTHER = b"Name: p\nVersion: 1.0\n", b"Name: q\nVersion: 2.0\n"


def _block(
    name: str, content: bytes = b"", *, size: int | None = None, kind: bytes = tarfile.REGTYPE,
    fields: dict[int, bytes] | None = None,
) -> bytes:  # fmt: skip
    """A member of a tar archive, whose header may state another size than it has, and hold anything from some octet on."""
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, len(content) if size is None else size
    header = bytearray(member.tobuf(tarfile.USTAR_FORMAT))
    for at, field in (fields or {}).items():
        header[at : at + len(field)] = field
    if fields and 148 not in fields:
        header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:]))
    return bytes(header) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def _long(name: str) -> bytes:
    """The name of the next member, as GNU tar writes one that is long."""
    return _block("././@LongLink", name.encode() + b"\0", kind=tarfile.GNUTYPE_LONGNAME)


def _pax(key: str, value: str, kind: bytes = tarfile.XHDTYPE) -> bytes:
    """A pax header with one record: its length, a space, the key, =, the value, a newline."""
    record = f" {key}={value}\n"
    return _block("pax", f"{len(record) + 2}{record}".encode(), kind=kind)


def _records(*pairs: tuple[str, str]) -> bytes:
    """A pax header with several records of less than 90 characters."""
    made = "".join(f"{len(key) + len(value) + 5} {key}={value}\n" for key, value in pairs)
    return _block("pax", made.encode(), kind=tarfile.XHDTYPE)


_GNU = b"ustar  \0"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (bytes(512) + _block("p-1.0/PKG-INFO", _OTHER), "goes on behind"),
        (_long("p-1.0/x") + _pax("path", "p-1.0/PKG-INFO") + _block("p-1.0/y", _OTHER), "another order"),
        (_pax("path", "p-1.0/other") + _long("p-1.0/PKG-INFO") + _block("p-1.0/y", _OTHER), "another order"),
        (_long("p-1.0/x") + _long("p-1.0/PKG-INFO") + _block("p-1.0/y", _OTHER), "another order"),
        (_pax("path", "p-1.0/x") + _pax("path", "p-1.0/PKG-INFO") + _block("p-1.0/y", _OTHER), "another order"),
        (_records(("path", "p-1.0/PKG-INFO"), ("path", "p-1.0/x")) + _block("p-1.0/y", _OTHER), "records that others"),
        (_records(("comment", "\n23 path=p-1.0/PKG-INFO")) + _block("p-1.0/y", _OTHER), "record within a record"),
        (  # at which Python ends the archive, from 3.13 on
            _block("pax", b"x\n23 path=p-1.0/PKG-INFO\n", kind=b"x") + _block("p-1.0/y", _OTHER),
            "records that others|goes on behind",
        ),
        (_pax("path", "p-1.0/other", b"X") + _block("p-1.0/PKG-INFO", _OTHER), "name others read"),
        (_block("p-1.0/PKG-INFO", _OTHER, fields={257: _GNU, 345: b"p-1.0/x"}), "name others read"),
        (_block("p-1.0/PKG-INFO", _OTHER, fields={257: bytes(8), 345: b"p-1.0/x"}), "name others read"),
        (_block("p-1.0/x", _block("p-1.0/PKG-INFO", _OTHER), fields={124: b"00000_2000\0\0"}), "numbers others read"),
        (_block("p-1.0/x", _block("p-1.0/PKG-INFO", _OTHER), fields={124: b"+0000002000\0"}), "numbers others read"),
        (
            _block("p-1.0/x", _OTHER, kind=tarfile.GNUTYPE_SPARSE, fields={386: b"0" * 23 + b"1", 494: b"1"}),
            "content others",
        ),
        (_block("p-1.0/x", bytes(512), kind=tarfile.LNKTYPE), "none to others"),
        (_block("p-1.0/x", bytes(512), kind=tarfile.DIRTYPE), "none to others"),
        (_block("p-1.0/x/", bytes(512), kind=tarfile.AREGTYPE), "none to others"),
        (_block("p-1.0/x/", bytes(512)), "none to others"),
        (bytes(100) + b"no header" + bytes(403) + _block("p-1.0/PKG-INFO", _OTHER), "goes on behind a member"),
        (_pax("size", "1024") + _block("p-1.0/x", _block("p-1.0/PKG-INFO", _OTHER), size=0), "another way"),
        (_pax("size", "0") + _block("p-1.0/x", _block("p-1.0/PKG-INFO", _OTHER)), "another way"),
        (_pax("size", "+1024") + _block("p-1.0/x", _block("p-1.0/PKG-INFO", _OTHER)), "another way"),
        (_pax("size", "01024") + _block("p-1.0/x", _block("p-1.0/PKG-INFO", _OTHER)), "another way"),
        (_pax("size", "\u0661024") + _block("p-1.0/x", _block("p-1.0/PKG-INFO", _OTHER)), "another way|goes on behind"),
        (_pax("size", "1024", tarfile.XGLTYPE) + _block("p-1.0/x", _block("p-1.0/PKG-INFO", _OTHER)), "another way"),
        (_records(("path", "p-1.0/x"), ("size", "21")) + _block("p-1.0/y", _OTHER + b"\n"), "another way"),
        (_pax("path", "p-1.0/other", tarfile.XGLTYPE) + _block("p-1.0/PKG-INFO", _OTHER), "another way"),
        (_pax("GNU.sparse.name", "p-1.0/oth") + _block("p-1.0/PKG-INFO", _OTHER), "another way"),
        (_pax("path", "p-1.0/PKG-INFO\0xxx") + _block("p-1.0/x", _OTHER), "another way"),
        (_block("p-1.0/PKG-INFO.", _OTHER), "elsewhere on some systems"),
        (_block("p-1.0/PKG-INFO::$DATA", _OTHER), "elsewhere on some systems"),
        (_block("p-1.0/x\\..\\PKG-INFO", _OTHER), "elsewhere on some systems"),
    ],
)
def test_an_sdist_that_is_another_for_another_reader(tmp_path: Path, more: bytes, message: str) -> None:
    """GNU tar goes on behind a damaged header, some readers heed not all of pax, and Windows not all of a name.

    Some take a prefix for a part of a name in any format, the first of two names and not the last, a record of pax for
    ended at a newline, what is in a link or a folder for further members, and a file with holes for one without.
    """
    end = bytes(2 * tarfile.BLOCKSIZE)
    (tmp_path / SDIST).write_bytes(gzip.compress(_block("p-1.0/PKG-INFO", _SAID) + more + end))
    with pytest.raises(MetadataError, match=message):
        read_metadata(tmp_path / SDIST, SDIST, ArtifactKind.SDIST)


def test_an_sdist_whose_checksum_another_reader_cannot_read(tmp_path: Path) -> None:
    """Python reads a sign and an underscore in a number; GNU tar passes over the header, and reads on in the content."""
    hidden = _block("p-1.0/x", _block("p-1.0/PKG-INFO", _OTHER), fields={148: b"        "})
    hidden = hidden[:148] + b"0_%05o\0" % sum(hidden[:512]) + hidden[156:]
    (tmp_path / SDIST).write_bytes(gzip.compress(_block("p-1.0/PKG-INFO", _SAID) + hidden + bytes(1024)))
    with tarfile.open(tmp_path / SDIST) as archive:
        assert archive.getnames() == ["p-1.0/PKG-INFO", "p-1.0/x"], "Python reads it"
    with pytest.raises(MetadataError, match="numbers others read"):
        read_metadata(tmp_path / SDIST, SDIST, ArtifactKind.SDIST)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_an_sdist_with_long_names_is_still_one(tmp_path: Path, form: int) -> None:
    """As Python, git and others write them: with a global comment, times in parts, and folders on the way."""
    path, long = tmp_path / SDIST, "p-1.0/" + "/".join(["a_folder_with_a_name"] * 5) + "/x.txt"
    said = {"comment": "0123456789abcdef\nof two lines"} if form == tarfile.PAX_FORMAT else {}
    with tarfile.open(path, "w:gz", format=form, pax_headers=said) as archive:
        for name, content in (("p-1.0", None), ("p-1.0/PKG-INFO", _SAID), (long, b"x"), ("p-1.0/n\u00e4me", b"")):
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            member.size, member.mtime = len(content or b""), 1.5 if form == tarfile.PAX_FORMAT else 1
            archive.addfile(member, io.BytesIO(content or b""))
        link = tarfile.TarInfo(long + "_link")
        link.type, link.linkname = tarfile.SYMTYPE, "x.txt" if form == tarfile.USTAR_FORMAT else long
        archive.addfile(link)
    assert read_metadata(path, SDIST, ArtifactKind.SDIST) == Metadata("p", "1.0")


def test_an_sdist_that_says_each_size_twice_is_still_one(tmp_path: Path) -> None:
    """As uv_build writes it: each member, a folder too, has a pax header with the size that is in its own header."""
    content = b"".join(
        _records(("path", name), ("size", str(len(said)))) + _block(name.rstrip("/"), said, kind=kind)
        for name, said, kind in (
            ("p-1.0/PKG-INFO", _SAID, tarfile.REGTYPE),
            ("p-1.0/src/", b"", tarfile.DIRTYPE),
            ("p-1.0/src/p.py", b"x" * 5000, tarfile.REGTYPE),
        )
    )
    (tmp_path / SDIST).write_bytes(gzip.compress(content + bytes(1024)))
    assert read_metadata(tmp_path / SDIST, SDIST, ArtifactKind.SDIST) == Metadata("p", "1.0")


@pytest.mark.parametrize("end", [b"", bytes(512), bytes(10_240)])
def test_an_sdist_may_end_as_it_likes(tmp_path: Path, end: bytes) -> None:
    (tmp_path / SDIST).write_bytes(gzip.compress(_block("p-1.0/PKG-INFO", _SAID) + end))
    assert read_metadata(tmp_path / SDIST, SDIST, ArtifactKind.SDIST) == Metadata("p", "1.0")


def test_an_sdist_with_links_is_still_one(tmp_path: Path) -> None:
    members = [
        (tarfile.TarInfo("./p-1.0/PKG-INFO"), b"Name: p\nVersion: 1.0\n"),
        _link("p-1.0/LICENSE", "docs/LICENSE", tarfile.SYMTYPE),
        _link("p-1.0/docs/b", "p-1.0/docs/a", tarfile.LNKTYPE),
        (tarfile.TarInfo("p-1.0/docs/LICENSE"), b""),
    ]
    assert read_metadata(sdist(tmp_path, members), SDIST, ArtifactKind.SDIST) == Metadata("p", "1.0")


def test_a_gzip_bomb_in_a_tar_header_takes_no_memory(tmp_path: Path) -> None:
    """A pax header that says it has two gibibytes, and a gzip stream that has them."""
    header = tarfile.TarInfo("p-1.0/x")
    header.type, header.size = tarfile.XHDTYPE, 2 * 1024**3
    with gzip.open(tmp_path / SDIST, "wb", compresslevel=1) as stream:
        stream.write(header.tobuf())
        for _ in range(256):
            stream.write(bytes(1024**2))
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.thread_time()
    with pytest.raises(MetadataError, match="oversized header"):
        read_metadata(tmp_path / SDIST, SDIST, ArtifactKind.SDIST)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    assert time.thread_time() - start < 1


def test_a_link_in_place_of_pkg_info(tmp_path: Path) -> None:
    link = tarfile.TarInfo("p-1.0/PKG-INFO")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with pytest.raises(MetadataError, match="is no file"):
        read_metadata(sdist(tmp_path, [(link, b"")]), SDIST, ArtifactKind.SDIST)


@examples(200)
@given(data=st.data())
def test_damaged_archives_are_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    kind = data.draw(st.sampled_from([ArtifactKind.WHEEL, ArtifactKind.SDIST]))
    path = (build_wheel if kind is ArtifactKind.WHEEL else build_sdist)(folder, "p", "1.0")
    content = bytearray(path.read_bytes())
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[position] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        found = read_metadata(path, path.name, kind)
        if kind is ArtifactKind.WHEEL:
            check_record(path, parse_artifact_name(path.name))
    except MetadataError:
        return
    assert found.version

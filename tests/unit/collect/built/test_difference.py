"""What differs between two archives is found in the right member and for the right reason, and is never less than it is."""

import gzip
import io
import os
import shutil
import stat
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.archives import Tarred, Zipped, build, make_project, rewrite_sdist, rewrite_wheel
from support.world import SDIST, WHEEL

from sealwright.collect.built.difference import add_diffs, compare_packings, diff_texts
from sealwright.collect.built.origin import requirement_of, tool_of
from sealwright.files.distribution import MetadataError
from sealwright.files.members import read_packing
from sealwright.model.artifact import ArtifactKind
from sealwright.model.reproduction import Difference, Outcome, Why, outcome_of

W, S = ArtifactKind.WHEEL, ArtifactKind.SDIST
INIT = "tiny_project/__init__.py"
SINIT = "tiny_project-1.2.3/tiny_project/__init__.py"


@pytest.fixture(scope="session")
def built_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    make_project(folder / "project")
    build(folder / "project", folder / "dist")
    return folder / "dist"


@pytest.fixture
def built(built_template: Path, tmp_path: Path) -> Path:
    shutil.copytree(built_template, tmp_path / "dist")
    return tmp_path / "dist"


def compare(released: Path, rebuilt: Path, kind: ArtifactKind) -> tuple[Difference, ...]:
    found = compare_packings(read_packing(released, kind), read_packing(rebuilt, kind))
    return add_diffs(found, released, rebuilt, kind)


def on(name: str, change: Callable[[zipfile.ZipInfo], None]) -> Callable[[Zipped], Zipped]:
    def edit(members: Zipped) -> Zipped:
        for info, _ in members:
            if info.filename == name:
                change(info)
        return members

    return edit


def set_time(info: zipfile.ZipInfo) -> None:
    info.date_time = (2001, 2, 3, 4, 5, 6)


def set_mode(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFREG | 0o755) << 16


def content(members: Zipped) -> Zipped:
    return [(info, b"import os\n" + c if info.filename == INIT else c) for info, c in members]


def extra(members: Zipped) -> Zipped:
    return [*members, (zipfile.ZipInfo("tiny_project/evil.py", (2020, 2, 2, 0, 0, 0)), b"1\n")]


WHEELS: dict[str, tuple[Callable[[Zipped], Zipped], str, Why, Outcome]] = {
    "content": (content, INIT, Why.CONTENT, Outcome.CONTENT),
    "time": (on(INIT, set_time), INIT, Why.TIME, Outcome.METADATA),
    "mode": (on(INIT, set_mode), INIT, Why.MODE, Outcome.METADATA),
    "order": (lambda members: members[::-1], "", Why.ORDER, Outcome.METADATA),
    "extra": (extra, "tiny_project/evil.py", Why.ONLY_RELEASED, Outcome.CONTENT),
    "missing": (lambda members: [m for m in members if m[0].filename != INIT], INIT, Why.ONLY_REBUILT, Outcome.CONTENT),
}


@pytest.mark.parametrize("case", WHEELS)
def test_a_planted_difference_in_a_wheel(built: Path, built_template: Path, case: str) -> None:
    edit, member, why, outcome = WHEELS[case]
    rewrite_wheel(built / WHEEL, edit)
    plain = built / "plain.whl"
    shutil.copy(built_template / WHEEL, plain)
    rewrite_wheel(plain, lambda members: members)  # rewritten by the same program: what is left was planted
    found = compare(built / WHEEL, plain, W)
    assert [(d.member, d.why) for d in found] == [(member, why)]
    assert outcome_of(found) is outcome
    if case == "content":
        assert "-import os" in found[0].diff


def test_a_wheel_that_is_not_compressed(built: Path, built_template: Path) -> None:
    plain = built / "plain.whl"
    shutil.copy(built_template / WHEEL, plain)
    rewrite_wheel(plain, lambda members: members)
    rewrite_wheel(built / WHEEL, lambda members: members, zipfile.ZIP_STORED)
    found = compare(built / WHEEL, plain, W)
    assert Why.COMPRESSION in {d.why for d in found}
    assert outcome_of(found) is Outcome.METADATA


def sdist_on(change: Callable[[tarfile.TarInfo], None]) -> Callable[[Tarred], Tarred]:
    def edit(members: Tarred) -> Tarred:
        for info, _ in members:
            if info.name == SINIT:
                change(info)
        return members

    return edit


def as_root(info: tarfile.TarInfo) -> None:
    info.uid, info.uname = 1234, "somebody"


def extra_source(members: Tarred) -> Tarred:
    return [*members, (tarfile.TarInfo("tiny_project-1.2.3/evil.py"), b"1\n")]


def as_link(info: tarfile.TarInfo) -> None:
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"


SDISTS: dict[str, tuple[Callable[[Tarred], Tarred], str, Why, Outcome]] = {
    "content": (
        lambda members: [(i, b"y = 2\n" if i.name == SINIT else c) for i, c in members],
        SINIT, Why.CONTENT, Outcome.CONTENT,
    ),
    "time": (sdist_on(lambda info: setattr(info, "mtime", 1)), SINIT, Why.TIME, Outcome.METADATA),
    "mode": (sdist_on(lambda info: setattr(info, "mode", 0o600)), SINIT, Why.MODE, Outcome.METADATA),
    "owner": (sdist_on(as_root), SINIT, Why.OWNER, Outcome.METADATA),
    "order": (lambda members: members[::-1], "", Why.ORDER, Outcome.METADATA),
    "extra": (extra_source, "tiny_project-1.2.3/evil.py", Why.ONLY_RELEASED, Outcome.CONTENT),
}  # fmt: skip


@pytest.mark.parametrize("case", SDISTS)
def test_a_planted_difference_in_an_sdist(built: Path, built_template: Path, case: str) -> None:
    edit, member, why, outcome = SDISTS[case]
    rewrite_sdist(built / SDIST, edit)
    plain = built / "plain.tar.gz"
    shutil.copy(built_template / SDIST, plain)
    rewrite_sdist(plain, lambda members: members)
    found = compare(built / SDIST, plain, S)
    assert [(d.member, d.why) for d in found] == [(member, why)]
    assert outcome_of(found) is outcome


def test_the_packing_of_an_sdist(built: Path) -> None:
    one, other = built / "one.tar.gz", built / "other.tar.gz"
    shutil.copy(built / SDIST, one)
    shutil.copy(built / SDIST, other)
    rewrite_sdist(one, lambda members: members, level=9, mtime=7)
    rewrite_sdist(other, lambda members: members, level=9, mtime=8)
    assert [(d.member, d.why) for d in compare(one, other, S)] == [("", Why.TIME)]
    rewrite_sdist(other, lambda members: members, level=1, mtime=7)
    assert {d.why for d in compare(one, other, S)} == {Why.COMPRESSION}


def test_a_link_in_place_of_a_file_is_content(built: Path, built_template: Path) -> None:
    rewrite_sdist(built / SDIST, sdist_on(as_link))
    found = compare(built / SDIST, built_template / SDIST, S)
    assert (SINIT, Why.CONTENT) in {(d.member, d.why) for d in found}


def test_bytes_outside_of_the_members_are_content(built: Path, built_template: Path) -> None:
    wheel, sdist = built / WHEEL, built / SDIST
    original = wheel.read_bytes()
    wheel.write_bytes(b"#!/bin/sh\n" + original)
    found = compare(wheel, built_template / WHEEL, W)
    assert outcome_of(found) is Outcome.CONTENT
    assert "10 bytes" in found[-1].released
    sdist.write_bytes(gzip.compress(gzip.decompress(sdist.read_bytes()) + b"more", mtime=0))
    assert outcome_of(compare(sdist, built_template / SDIST, S)) is Outcome.CONTENT


def test_bytes_in_the_padding_of_a_tar_are_content(built: Path, built_template: Path) -> None:
    with tarfile.open(built / SDIST) as archive:
        member = archive.getmember(SINIT)
    raw = bytearray(gzip.decompress((built / SDIST).read_bytes()))
    raw[member.offset_data + member.size + 3] = 65
    (built / SDIST).write_bytes(gzip.compress(bytes(raw), mtime=1))
    found = compare(built / SDIST, built_template / SDIST, S)
    assert Why.CONTENT in {d.why for d in found}
    assert outcome_of(found) is Outcome.CONTENT


def test_no_difference_that_is_known_is_taken_for_the_worst() -> None:
    assert outcome_of(()) is Outcome.CONTENT


@pytest.mark.parametrize("bomb", ["zip", "sparse", "deep"])
def test_bombs_and_damage_are_refused_soon(tmp_path: Path, bomb: str) -> None:
    path, kind = tmp_path / "a", S
    if bomb == "zip":
        kind = W
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a", bytes(32 * 1024**2))
        raw = bytearray(path.read_bytes())
        at = raw.rfind(b"PK\x01\x02")
        raw[at + 24 : at + 28] = (0xFFFFFFF0).to_bytes(4, "little")
        path.write_bytes(raw)
    elif bomb == "sparse":
        info = tarfile.TarInfo("a-1/a")
        info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "a-1/a"}
        info.pax_headers |= {"GNU.sparse.realsize": str(2**60)}
        body = b"1\n" + str(2**60 - 1).encode() + b"\n1\n"
        info.size = 513
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
            tar.addfile(info, io.BytesIO(body.ljust(512, b"\0") + b"x"))
        path.write_bytes(gzip.compress(packed.getvalue()))
    else:
        path.write_bytes(gzip.compress(b"\xff" * 4096))
    started = time.monotonic()
    with pytest.raises(MetadataError):
        read_packing(path, kind)
    assert time.monotonic() - started < 60


def test_a_diff_of_hostile_text_takes_no_time() -> None:
    a = b"a\nb\n" * 60_000
    b = b"b\na\n" * 60_000
    started = time.monotonic()
    lines = diff_texts(a, b"c\n" + b)
    assert time.monotonic() - started < 20
    assert 0 < len(lines) <= 41
    assert diff_texts(b"\0", b"a") == diff_texts(b"\xff", b"a") == ()


def test_which_tool_built_it(built: Path) -> None:
    generator = tool_of(built / WHEEL, W, read_packing(built / WHEEL, W))
    assert generator.startswith("hatchling ")
    assert requirement_of(generator) == generator.replace(" ", "==")
    assert requirement_of("setuptools (75.1.0)") == "setuptools==75.1.0"
    for unknown in ("evil 1.0", "hatchling", "hatchling 1.0; python_version", "hatchling 1 -r /etc/passwd", ""):
        assert requirement_of(unknown) == ""
    assert "metadata version" in tool_of(built / SDIST, S, read_packing(built / SDIST, S))


def test_nothing_of_a_member_s_name_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../../\x1b[31mescape", b"1")
    assert [member.name for member in read_packing(path, W).members] == ["../../../\x1b[31mescape"]
    assert os.listdir(tmp_path) == ["a.whl"]

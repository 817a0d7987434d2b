"""The tags inside a wheel: read as they are written, within bounds, and never guessed."""

import time
import zipfile
from pathlib import Path

import pytest

from sealwright.files.distribution import MetadataError
from sealwright.files.wheel_tags import WheelTags, read_wheel_tags
from sealwright.model.artifact import parse_artifact_name

NAME = "p-1.0-py3-none-any.whl"


def wheel(folder: Path, content: bytes | None) -> Path:
    with zipfile.ZipFile(folder / NAME, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p-1.0.dist-info/METADATA", "Name: p\nVersion: 1.0\n")
        if content is not None:
            archive.writestr("p-1.0.dist-info/WHEEL", content)
    return folder / NAME


def read(folder: Path, content: bytes | None) -> WheelTags:
    return read_wheel_tags(wheel(folder, content), parse_artifact_name(NAME))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"Wheel-Version: 1.0\nTag: py3-none-any\n", WheelTags(("py3-none-any",), "")),
        (b"tag:py2-none-any\r\nTag: py3-none-any\r\nBuild: 7\r\n", WheelTags(("py2-none-any", "py3-none-any"), "7")),
        (b"Tag: py2.py3-none-any\nBuild: 1local", WheelTags(("py2.py3-none-any",), "1local")),
        (b"\xff\xfe\n", WheelTags((), "")),
        (b"", WheelTags((), "")),
    ],
)
def test_what_is_written(tmp_path: Path, content: bytes, expected: WheelTags) -> None:
    assert read(tmp_path, content) == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "WHEEL"),
        (b"Tag: any\n", "a tag that is none"),
        (b"Tag: py3-none-any-more\n", "a tag that is none"),
        (b"Build: 1\nBuild: 2\n", "two build numbers"),
        (b"Tag: py3-none-any\n" * 501, "more than 500 tags"),
        (b"Tag: " + b"a." * 600 + b"a-" + b"b." * 600 + b"b-" + b"c." * 600 + b"c\n", "more than 500 tags"),
        (b"Tag: py3-none-any\n" * 100_000, "larger than"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    begun = time.thread_time()
    with pytest.raises(MetadataError, match=words):
        read(tmp_path, content)
    assert time.thread_time() - begun < 5


def test_no_wheel(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"PK")
    with pytest.raises(MetadataError):
        read_wheel_tags(tmp_path / NAME, parse_artifact_name(NAME))

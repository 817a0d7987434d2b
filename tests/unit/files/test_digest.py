"""Hashing and copying: the right digest whatever the size, and an error that is the system's own."""

import hashlib
import os
from pathlib import Path

import pytest

from sealwright.files.digest import digest_bytes, digest_descriptor
from sealwright.files.threads import each_in_parallel

_BUFFER = 256 * 1024


@pytest.mark.parametrize("size", [0, 1, _BUFFER - 1, _BUFFER, _BUFFER + 1, 3 * _BUFFER + 17])
def test_digest_and_copy(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "a").write_bytes(content)
    seen: list[int] = []
    with (tmp_path / "a").open("rb") as source, (tmp_path / "b").open("wb") as target:
        digest = digest_descriptor(
            source.fileno(),
            size,
            copy_to=target.fileno(),
            name="a",
            progress=lambda name, done, total: seen.append(done),
        )
    assert digest.sha256 == hashlib.sha256(content).hexdigest() == digest_bytes(content)
    assert digest.size == size
    assert (tmp_path / "b").read_bytes() == content
    assert seen[-1:] == ([size] if size else [])


def test_one_byte_too_many(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    with (tmp_path / "a").open("rb") as source, pytest.raises(ValueError, match="larger than 4 bytes"):
        digest_descriptor(source.fileno(), 4)


def test_nothing_is_read_of_what_says_that_it_is_too_large(tmp_path: Path) -> None:
    """Four gigabytes take half a minute to read, and the answer was known before."""
    path, seen = tmp_path / "a", list[int]()
    path.write_bytes(b"12345")
    with path.open("rb", buffering=0) as source, pytest.raises(ValueError, match="larger than 4 bytes"):
        digest_descriptor(source.fileno(), 4, progress=lambda *of: seen.append(of[1]))
    assert seen == []
    with path.open("rb", buffering=0) as source:
        source.seek(1)
        assert digest_descriptor(source.fileno(), 4).sha256 == digest_bytes(b"2345")


def test_what_says_no_size_is_bounded_while_it_is_read() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"12345")
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as source, pytest.raises(ValueError, match="larger than 4 bytes"):
        digest_descriptor(source.fileno(), 4)


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    with (
        (tmp_path / "a").open("rb") as source,
        open("/dev/full", "wb", buffering=0) as target,
        pytest.raises(OSError, match="No space left"),
    ):
        digest_descriptor(source.fileno(), 10, copy_to=target.fileno())


def test_order_is_kept_in_parallel() -> None:
    assert each_in_parallel(lambda number: number * 2, range(20)) == [2 * number for number in range(20)]
    assert each_in_parallel(str, []) == []


def test_what_one_thread_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        each_in_parallel(lambda number: 1 // number, [1, 0, 2])

"""Taking a release in: what is hashed is what is copied, whichever way a file of its size goes."""

import hashlib
import os
from pathlib import Path

import pytest

from sealwright.store.release_folder import _LARGE, _SMALL, _take_artifact, private_copy

SIZES = [0, 1, _SMALL - 1, _SMALL, _SMALL + 1, _LARGE - 1, _LARGE, _LARGE + 1]


def test_each_size_is_copied_and_hashed(tmp_path: Path) -> None:
    contents = {f"p-1.{size}-py3-none-any.whl": os.urandom(size) for size in SIZES}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    with private_copy(tmp_path) as release:
        assert {file.name for file in release.files} == set(contents)
        for file in release.files:
            copy = Path(file.path)
            assert copy.read_bytes() == contents[file.name]
            assert (file.size, file.sha256) == (len(contents[file.name]), hashlib.sha256(copy.read_bytes()).hexdigest())
            assert copy.stat().st_mode & 0o777 == 0o600
    assert not copy.exists()


@pytest.mark.parametrize("size", [1, _SMALL, _SMALL + 1])
def test_a_file_that_grew_is_not_taken(tmp_path: Path, size: int) -> None:
    source, private = tmp_path / "source", tmp_path / "private"
    source.write_bytes(os.urandom(size + 1))
    private.mkdir()
    with pytest.raises(ValueError, match="larger than"):
        _take_artifact(os.open(source, os.O_RDONLY), "name", size, private, lambda *shown: None)


@pytest.mark.parametrize("size", [1, _SMALL + 1])
def test_nothing_is_written_through_a_link(tmp_path: Path, size: int) -> None:
    source, private, victim = tmp_path / "source", tmp_path / "private", tmp_path / "victim"
    source.write_bytes(os.urandom(size))
    private.mkdir()
    (private / "name").symlink_to(victim)
    with pytest.raises(FileExistsError):
        _take_artifact(os.open(source, os.O_RDONLY), "name", size, private, lambda *shown: None)
    assert not victim.exists()

"""Writing whole files: all or nothing, also when the writing fails half way."""

import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from sealwright.files.private import private_folder, remove
from sealwright.files.writing import copy_whole, is_unfinished, remove_unfinished, write_whole


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"one")
    write_whole(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["a"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"untouched")
    (tmp_path / "a").symlink_to("target")
    write_whole(tmp_path / "a", b"new")
    assert (tmp_path / "target").read_bytes() == b"untouched"
    assert not (tmp_path / "a").is_symlink()


def test_a_failed_copy_leaves_what_was_there(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"old")
    (tmp_path / "big").write_bytes(b"12345")
    with (tmp_path / "big").open("rb") as source, pytest.raises(ValueError, match="larger"):
        copy_whole(source.fileno(), tmp_path / "a", 4)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["a", "big"]


def test_only_our_own_leftovers_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".sealwright-0123456789abcdef.part").touch()
    (tmp_path / ".sealwright-mine.part").touch()
    assert is_unfinished(".sealwright-0123456789abcdef.part")
    remove_unfinished(tmp_path)
    assert os.listdir(tmp_path) == [".sealwright-mine.part"]


def test_the_folder_of_a_killed_process_is_removed_and_one_in_use_is_not(tmp_path: Path) -> None:
    abandoned = tmp_path / "x-abandoned"
    abandoned.mkdir()
    (abandoned / "in-use").touch()
    (abandoned / "secret").write_text("secret")
    os.utime(abandoned, (0, 0))
    (tmp_path / "x-unlocked").mkdir()  # killed before it was locked
    os.utime(tmp_path / "x-unlocked", (0, 0))
    with private_folder(tmp_path, "x-") as used:
        os.utime(used, (0, 0))
        (tmp_path / "x-elsewhere").symlink_to("/")
        (tmp_path / "x-young").mkdir()
        (tmp_path / "x-young" / "in-use").touch()
        with private_folder(tmp_path, "x-"):
            assert used.exists()
            assert not abandoned.exists()
            assert not (tmp_path / "x-unlocked").exists()
        assert (tmp_path / "x-young").exists()
    assert not used.exists()
    assert (tmp_path / "x-elsewhere").is_symlink()


def test_an_interrupt_waits_until_the_folder_is_wiped(tmp_path: Path) -> None:
    wiped: list[Path] = []

    def wipe(folder: Path) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        remove(folder)
        wiped.append(folder)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), private_folder(tmp_path, "x-", wipe):
            pass
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(wiped) == 1
    assert not list(tmp_path.iterdir())


def test_a_small_memory_folder_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers often have 64 MiB of it: what is chosen must also have the room that is asked for later."""
    import shutil

    from sealwright.files import private

    monkeypatch.setattr(private, "MEMORY", tmp_path)
    for free, chosen in ((20, False), (31, False), (33, True), (64, True)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: shutil._ntuple_diskusage(0, 0, free * 1024**2))  # type: ignore[attr-defined]
        assert (private.base_for(1000) == tmp_path) is (chosen and free * 1024**2 >= 1000 + 2 * private.SPARE_BYTES)


@pytest.mark.parametrize("through", ["itself", "a link"])
def test_what_is_no_file_is_not_replaced(tmp_path: Path, through: str) -> None:
    """A root's --write-vex /dev/null, say, would put a file in its place."""
    os.mkfifo(tmp_path / "device")
    path = tmp_path / "device"
    if through == "a link":
        path = tmp_path / "link"
        path.symlink_to("device")
    with pytest.raises(OSError, match="it is a FIFO"):
        write_whole(path, b"new")
    assert stat.S_ISFIFO((tmp_path / "device").stat().st_mode)
    assert {each.name for each in tmp_path.iterdir()} == {"device", path.name}


@pytest.mark.skipif(sys.platform != "linux", reason="where /dev/stdout is a link into /proc")
def test_a_link_to_what_is_open_is_not_replaced(tmp_path: Path) -> None:
    """So is /dev/stdout, which a shell may have led to a file: a root's -o /dev/stdout would take it from everybody."""
    path = tmp_path / "stdout"
    with (tmp_path / "out.txt").open("wb") as stream:
        path.symlink_to(f"/proc/self/fd/{stream.fileno()}")
        with pytest.raises(OSError, match="what a process has open"):
            write_whole(path, b"new")
    assert path.is_symlink()
    assert {each.name for each in tmp_path.iterdir()} == {"out.txt", "stdout"}

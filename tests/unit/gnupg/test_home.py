"""gpg in a process: its time is bounded, and what it says arrives whole."""

import errno
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from sealwright.errors import UndecidedError
from sealwright.gnupg.home import Home, private_home


def home_with(folder: Path, script: str) -> Home:
    program = folder / "gpg"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return Home(str(program), folder)


def read_pid(path: Path) -> int:
    """What a script has written there, once it has."""
    while not path.exists() or not path.read_text().endswith("\n"):
        time.sleep(0.01)
    return int(path.read_text())


def test_what_it_says_arrives_whole_and_leaves_no_file(tmp_path: Path) -> None:
    home = home_with(tmp_path, "head -c 300000 /dev/zero; cat; echo said to people >&2")
    assert home.run([], given=b"given") == bytes(300_000) + b"given"
    assert home.run([]) == bytes(300_000)
    assert [path.name for path in tmp_path.iterdir()] == ["gpg"]


def test_what_it_says_does_not_end_where_a_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """gpg would leave out the rest, and exit with 0. On Linux what it says lies on no disk."""
    home = home_with(tmp_path, "readlink /proc/$$/fd/1")
    assert home.run([]).startswith(b"/memfd:")

    def refuse(name: str) -> int:
        raise OSError(errno.ENOSYS, "no such call")

    monkeypatch.setattr(os, "memfd_create", refuse)
    assert home.run([]).startswith(os.fsencode(tmp_path)), "where the kernel has none"


@pytest.mark.parametrize("end", ["kill -9 $$", "exit 2"])
def test_half_of_what_it_says_is_nothing_where_all_of_it_counts(tmp_path: Path, end: str) -> None:
    home = home_with(tmp_path, f"echo half; {end}")
    assert home.run([]) == b"half\n"
    with home.start([], whole=True) as said:
        for _ in range(2):
            with pytest.raises(UndecidedError, match="did not finish what it had to say"):
                said()


@pytest.mark.parametrize("given", [b"", b"x" * 1_000_000])
def test_one_that_does_not_end_is_ended(tmp_path: Path, given: bytes) -> None:
    """Neither one that hangs, nor one that does not read what it is given, holds a verification up."""
    home = home_with(tmp_path, "echo GOODSIG; exec sleep 60")
    start = time.monotonic()
    with pytest.raises(UndecidedError, match="did not finish within"):
        home.run([], given=given, seconds=0.3)
    assert time.monotonic() - start < 20


def test_one_that_ended_in_time_may_be_asked_late(tmp_path: Path) -> None:
    """Keys are imported while a large release is read, which can take longer than gpg may."""
    pid = tmp_path / "pid"
    with home_with(tmp_path, f"echo done; echo $$ > {pid}").start([], seconds=0.3) as said:
        time.sleep(0.5)
        os.waitid(os.P_PID, read_pid(pid), os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has asked for it
        assert said() == b"done\n"
        assert said() == b"done\n"


def test_one_that_is_asked_late_has_no_more_time(tmp_path: Path) -> None:
    with home_with(tmp_path, "echo GOODSIG; exec sleep 60").start([], seconds=0.3) as said:
        time.sleep(0.5)
        start = time.monotonic()
        for _ in range(2):
            with pytest.raises(UndecidedError, match="did not finish within"):
                said()
            time.sleep(0.2)
        assert time.monotonic() - start < 20


@pytest.mark.parametrize("problem", ["none", "refused"])
def test_one_that_does_not_end_is_ended_where_the_system_cannot_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: str
) -> None:
    """Another system than Linux, and a Linux without pidfd_open."""

    def refuse(pid: int) -> int:
        raise OSError(errno.ENOSYS, "no such call")

    if problem == "none":
        monkeypatch.setattr("sys.platform", "darwin")
    else:
        monkeypatch.setattr(os, "pidfd_open", refuse)
    home = home_with(tmp_path, "sleep $1; echo done")
    assert home.run(["0.1"]).startswith(b"done")
    with pytest.raises(UndecidedError, match="did not finish within"):
        home_with(tmp_path, "echo GOODSIG; exec sleep 60").run([], seconds=0.3)


def test_one_that_nobody_waits_for_does_not_outlive_the_body(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with home_with(tmp_path, f"echo $$ > {pid}; exec sleep 60").start([]):
        read_pid(pid)
    with pytest.raises(ProcessLookupError):
        os.kill(read_pid(pid), 0)


def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UndecidedError, match="cannot be run"):
        Home(str(tmp_path / "gpg"), tmp_path).run([])


def test_its_agent_stretches_a_passphrase_as_far_as_can_be_and_measures_nothing() -> None:
    """An agent without that file first measures for more than a second of processor time (seal: 2.2 s, not 0.4)."""
    with private_home(shutil.which("gpg")) as home:
        asked = ["gpg-connect-agent", "--homedir", str(home.folder), "GETINFO s2k_count", "/bye"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.split()[1] == "65011712"

"""The tests' quick way to run a command: a fork of a waiting process says and does what a fresh process does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.world import PROJECT, SUMS, VERSION, World, run, the_door

FRESH = {"stdin": subprocess.DEVNULL}  # an option that no fork takes
ASKED = ("verify-release", f"{PROJECT}=={VERSION}", "--from", "release", "--policy", "keys/policy.toml")


@pytest.mark.parametrize(
    "command",
    [
        ASKED,
        (*ASKED, "--json"),
        (*ASKED, "--no-such-option"),
        ("verify-release", "other-project==1.0", "--from", "release", "--policy", "keys/policy.toml"),
        ("verify-release", "--help"),
        ("sealwright", "verify", "release"),
        ("sealwright", "audit", "nowhere.txt"),
        ("sealwright", "no-such-command"),
        ("sealwright",),
        ("sealwright", "explain", "release"),
    ],
)
def test_a_fork_says_what_a_process_says(world: World, command: tuple[str, ...]) -> None:
    world.run(*ASKED)  # what the first verification in a home remembers, the next one says
    forked, fresh = world.run(*command), world.run(*command, **FRESH)
    assert forked.returncode == fresh.returncode
    assert forked.stdout == fresh.stdout
    assert forked.stderr == fresh.stderr
    assert fresh.args[0] == sys.executable
    assert forked.args[0] != sys.executable or sys.platform != "linux", "it went through the door"


def test_a_fork_that_refuses_says_the_same_code(world: World) -> None:
    (world.release / SUMS).write_bytes(b"")
    codes = {world.run(*ASKED).returncode, world.run(*ASKED, **FRESH).returncode}
    assert len(codes) == 1
    assert codes != {0}


def test_nothing_of_one_command_reaches_the_next(tmp_path: Path) -> None:
    """Folder, environment and standard input are each command's own."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        env = {"XDG_DATA_HOME": str(tmp_path / name), "HOME": str(tmp_path / name)}
        listed = run("sealwright", "trust", "list", cwd=tmp_path / name, env=env)
        assert listed.returncode == 0, listed.stderr
    done = run("sealwright", "init", cwd=tmp_path / "first")
    assert (tmp_path / "first" / "keys").exists() == (done.returncode == 0)
    assert not (tmp_path / "second" / "keys").exists()
    before = dict(os.environ), os.getcwd()
    run("sealwright", "init", cwd=tmp_path / "second", env={"HOME": "/nowhere"})
    assert (dict(os.environ), os.getcwd()) == before


def test_what_is_read_before_main_takes_a_process(world: World) -> None:
    for env in ({"PYTHONDEVMODE": "1"}, {"LC_ALL": "C"}, {"TZ": "Asia/Tokyo"}):
        assert world.run(*ASKED, env=env).args[0] == sys.executable


def test_a_command_does_not_wait_for_another(world: World) -> None:
    """Commands at once are processes at once: whoever finds the door taken starts one."""
    with the_door().lock:
        done = world.run(*ASKED)
    assert done.returncode == 0
    assert done.args[0] == sys.executable

"""Hostile input through the real commands: an answer within a second, little memory, nothing written, no escape shown."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.world import PROJECT, SUMS, VERSION, WHEEL, World

_MODULE = "sealwright.cli.verify_release"
_SECONDS, _KILOBYTES = 2.0, 200_000  # twice a second: the machine that tests may be busy


# A small process in between: the kernel counts the memory of whoever forked into a child's peak.
_MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
sys.stdout.buffer.write(done.stdout)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(done.returncode)
"""


def measured(world: World, policy: str = "keys/policy.toml", release: str = "release") -> tuple[int, str, float, int]:
    """Run verify-release and return its exit code, all it printed, its seconds and its peak memory in kB."""
    asked = f"{PROJECT}=={VERSION}"
    command = [sys.executable, "-m", _MODULE, asked, "--from", release, "--policy", policy]
    start = time.monotonic()
    measure = [sys.executable, "-I", "-S", "-c", _MEASURE, *command]
    done = subprocess.run(measure, cwd=world.folder, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, time.monotonic() - start, int(done.stderr)


def refused(world: World, code: int, *words: str, **where: str) -> None:
    before = sorted(str(p) for p in world.folder.rglob("*"))
    got, printed, seconds, memory = measured(world, **where)
    assert got == code, printed
    assert "Traceback" not in printed
    assert "internal error" not in printed
    assert "\x1b" not in printed
    assert all(word in printed for word in words), printed
    assert seconds < _SECONDS
    assert memory < _KILOBYTES
    assert sorted(str(p) for p in world.folder.rglob("*")) == before


def test_a_good_release_is_within_the_same_bounds(world: World) -> None:
    code, printed, seconds, memory = measured(world)
    assert code == 0, printed
    assert (seconds < _SECONDS, memory < _KILOBYTES) == (True, True)


def test_a_sparse_signature_of_5_gib(world: World) -> None:
    os.truncate(world.release / f"{SUMS}.asc", 5 * 1024**3)
    refused(world, 10, f"{SUMS}.asc", "larger than")


def test_a_policy_of_100_mb(world: World) -> None:
    with world.policy.open("ab") as stream:
        stream.truncate(100_000_000)
    refused(world, 2, "larger than", "hint:")


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 50_000,
        "a = " + "{a=" * 30_000,
        ".".join(["a"] * 60_000) + " = 1",
        "[" + ".".join(["a"] * 60_000) + "]",
        "a = " + "9" * 100_000,
        'schema = 1\nproject = "\\u001b[2J"\n',
        "schema = 1\nschema = 1\n",
        "\x00",
        "",
    ],
    ids=["arrays", "inline tables", "dotted key", "dotted table", "digits", "escape", "duplicate", "nul", "empty"],
)
def test_a_policy_that_is_an_attack_on_its_parser(world: World, text: str) -> None:
    world.policy.write_text(text)
    refused(world, 2, "policy")


def test_a_policy_that_is_not_utf8(world: World) -> None:
    world.policy.write_bytes(b'project = "\xff\xfe"')
    refused(world, 2, "not UTF-8")


@pytest.mark.parametrize("kind", ["directory", "fifo", "nothing", "link loop"])
def test_a_policy_that_is_no_file(world: World, kind: str) -> None:
    world.policy.unlink()
    match kind:
        case "directory":
            world.policy.mkdir()
        case "fifo":
            os.mkfifo(world.policy)
        case "link loop":
            world.policy.symlink_to(world.policy)
    code, printed, seconds, _ = measured(world)
    assert code in (2, 3), printed
    assert "hint:" in printed
    assert seconds < _SECONDS


@pytest.mark.parametrize("kind", ["file", "fifo", "nothing"])
def test_a_release_that_is_no_folder(world: World, kind: str) -> None:
    other = world.folder / "other"
    if kind == "file":
        other.write_text("")
    elif kind == "fifo":
        os.mkfifo(other)
    refused(world, 2, "not a folder", "hint:", release="other")


def test_a_key_file_that_is_a_link_out_of_the_folder(world: World) -> None:
    key = next(world.policy.parent.glob("*.asc"))
    key.rename(world.folder / "elsewhere")
    key.symlink_to("../elsewhere")
    refused(world, 2, "symbolic link")


def test_a_secret_key_in_the_trust_folder(world: World) -> None:
    key = next(world.policy.parent.glob("*.asc"))
    key.write_text("-----BEGIN PGP PRIVATE KEY BLOCK-----\n")
    refused(world, 2, "SECRET")


def test_many_signatures_in_one_file(world: World) -> None:
    file = world.release / f"{WHEEL}.asc"
    file.write_bytes(file.read_bytes() * 400)
    refused(world, 11, "more than 100 signatures")


def test_ten_thousand_files(world: World) -> None:
    for number in range(10_001):
        (world.release / f"{number}.txt").touch()
    refused(world, 10, "more than 10,000 entries")


def test_a_fifo_among_the_evidence_blocks_nobody(world: World) -> None:
    (world.release / f"{SUMS}.asc").unlink()
    os.mkfifo(world.release / f"{SUMS}.asc")
    refused(world, 10, "FIFO")


def test_names_that_are_no_text(world: World) -> None:
    (world.release / os.fsdecode(b"\xff\xfe\x1b[31m.txt")).touch()
    refused(world, 10, "not plain")


def test_a_release_named_with_an_escape(world: World) -> None:
    (world.release).rename(world.folder / "\x1b[2J")
    code, printed, _, _ = measured(world, release="\x1b[2J")
    assert code == 0, printed
    assert "\x1b" not in printed


def test_a_hostile_folder_to_stand_in(world: World, tmp_path: Path) -> None:
    """An unpacked sdist that brings its own keys/policy.toml: verify-release never reads it."""
    asked = f"{PROJECT}=={VERSION}"
    done = world.run("verify-release", asked, "--from", "release")  # ./keys/policy.toml is there, and would pass
    assert done.returncode == 2
    assert "no policy" in done.stderr
    assert "--policy" in done.stderr


def test_a_policy_inside_the_release(world: World) -> None:
    import shutil

    shutil.copytree(world.policy.parent, world.release / "keys")
    refused(world, 2, "lies inside the release", policy="release/keys/policy.toml")
    (world.folder / "link.toml").symlink_to("release/keys/policy.toml")
    refused(world, 2, "lies inside the release", policy="link.toml")
    done = world.run("sealwright", "verify", "release", "--policy", "release/keys/policy.toml")
    assert done.returncode == 2
    for cwd, folder in ((world.release, "."), (world.release / "keys", "..")):
        from support.world import run

        done = run("sealwright", "verify", folder, *(["--policy", "policy.toml"] if folder == ".." else []), cwd=cwd)
        assert done.returncode == 2, done.stdout
        assert "lies inside the release" in done.stderr

"""Hostile input through the real commands: an answer within a second, little memory, nothing written, no escape shown."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.forge import short_temporary
from support.measure import KILOBYTES, SECONDS, measure
from support.world import PROJECT, SUMS, VERSION, WHEEL, World

from sealwright.files import private


def measured(world: World, policy: str = "keys/policy.toml", release: str = "release") -> tuple[int, str, float, int]:
    """Run verify-release and return its exit code, all it printed, its seconds and its peak memory in kB."""
    asked = f"{PROJECT}=={VERSION}"
    command = ["sealwright.cli.verify_release", asked, "--from", release, "--policy", policy]
    return measure(command, world.folder)


def refused(world: World, code: int, *words: str, **where: str) -> None:
    before = sorted(str(p) for p in world.folder.rglob("*"))
    got, printed, seconds, memory = measured(world, **where)
    assert got == code, printed
    assert "Traceback" not in printed
    assert "internal error" not in printed
    assert "\x1b" not in printed
    assert all(word in printed for word in words), printed
    assert seconds < SECONDS
    assert memory < KILOBYTES
    assert sorted(str(p) for p in world.folder.rglob("*")) == before


def test_a_good_release_is_within_the_same_bounds(world: World) -> None:
    code, printed, seconds, memory = measured(world)
    assert code == 0, printed
    assert (seconds < SECONDS, memory < KILOBYTES) == (True, True)


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
    assert seconds < SECONDS


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


def test_thousands_of_signatures_of_nothing_are_not_read(world: World) -> None:
    for number in range(9_000):
        (world.release / f"{number}.asc").touch()
        os.truncate(world.release / f"{number}.asc", 256 * 1024)
    code, printed, seconds, memory = measured(world)
    assert code == 0, printed
    assert "and 8988 more" in printed
    assert (seconds < SECONDS, memory < KILOBYTES) == (True, True)


def test_more_evidence_than_a_release_has(world: World) -> None:
    content = b"x" * 256 * 1024
    for number in range(140):
        name = WHEEL.replace("-py3", f"-{number}-py3")
        (world.release / name).write_bytes(b"")
        (world.release / f"{name}.asc").write_bytes(content)
    refused(world, 10, "bytes of evidence")


def test_many_planted_artifacts_with_bad_signatures(world: World) -> None:
    signature = (world.release / f"{WHEEL}.asc").read_bytes()
    for number in range(400):
        name = WHEEL.replace("-py3", f"-{number}-py3")
        (world.release / name).write_bytes(b"")
        (world.release / f"{name}.asc").write_bytes(signature * 20)
    refused(world, 10, "not listed")


def test_a_checksums_file_of_many_missing_names(world: World) -> None:
    lines = [f"{'0' * 64}  tiny_project-1.2.3-{number:05}-py3-none-any.whl\n" for number in range(3_000)]
    (world.release / SUMS).write_text("".join(lines))
    refused(world, 10, "more than 2,000 artifacts")


def test_names_that_stand_for_millions_of_tags(world: World) -> None:
    parts = "-".join(".".join(f"{letter}{n}" for n in range(20)) for letter in "cde")
    lines = [f"{'0' * 64}  tiny_project-1.2.3-{number:03}-{parts}.whl\n" for number in range(1_000)]
    (world.release / SUMS).write_text("".join(lines))
    refused(world, 10, "too many tags")


def test_a_name_in_another_alphabet_under_a_latin_locale(world: World) -> None:
    (world.release / "日本é.txt").touch()
    done = world.verify(env={"PYTHONIOENCODING": "latin-1"}, encoding="latin-1")
    assert done.returncode == 0, done.stderr
    assert "covered by no signature" in done.stdout


@pytest.mark.parametrize(
    ("where", "code"),
    [(">/dev/full", 3), ("| true", 3), (">&-", 3), (">&- 2>&-", 3), ("2>&-", 0), (">/dev/full 2>/dev/full", 3)],
)
def test_an_answer_that_nobody_gets(world: World, where: str, code: int) -> None:
    command = f"set -o pipefail; {sys.executable} -m sealwright.cli.verify_release 1.2.3 --from release --policy keys/policy.toml --json {where}"
    done = subprocess.run(["bash", "-c", command], cwd=world.folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "internal" not in done.stderr


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where private homes are made, for this test alone: any other one wipes what looks abandoned, too."""
    with short_temporary() as folder:
        monkeypatch.setattr(private, "MEMORY", Path(folder))
        yield Path(folder)


def test_a_planted_home_makes_nobody_overwrite_a_file(world: World, memory: Path) -> None:
    """Its private-keys-v1.d is a link to a folder of the user's, and another one holds a link and a hard link."""
    victim = world.folder / "victim"
    victim.mkdir()
    (victim / "AA.key").write_text("PRECIOUS")
    (victim / "BB.key").write_text("PRECIOUS")
    planted = [memory / f"sealwright-gpg-planted{n}" for n in (1, 2)]
    for home in planted:
        home.mkdir(mode=0o700)
        (home / "in-use").touch()
    (planted[0] / "private-keys-v1.d").symlink_to(victim)
    (planted[1] / "private-keys-v1.d").mkdir()
    (planted[1] / "private-keys-v1.d" / "x").symlink_to(victim / "BB.key")
    (planted[1] / "S.gpg-agent").write_text("%Assuan%\nsocket=/nowhere\n")
    for home in planted:
        os.utime(home, (0, 0))
    assert world.judge().exit_code == 0
    assert not list(memory.iterdir())
    assert (victim / "AA.key").read_text() == (victim / "BB.key").read_text() == "PRECIOUS"

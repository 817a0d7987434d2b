"""`sealwright trust`, `sealwright withdraw` and verify-release with a pin, as a person and as a script run them."""

import json
import shutil
from pathlib import Path

import pytest
from support.forge import Forge
from support.terminal import on_terminal
from support.world import PROJECT, VERSION, World

from sealwright.model.policy_toml import parse_policy
from sealwright.model.verdict import Result
from sealwright.model.withdrawal import SignedWithdrawal, Withdrawal, render_withdrawals
from sealwright.render.trust import render_policy
from sealwright.store.trust_sums_writing import write_sums


def ok(world: World, *command: str, code: int = 0, **options: object) -> str:
    done = world.run(*command, **options)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_pin_once_then_verify_by_name(world: World, data_home: Path) -> None:
    fingerprint = ok(world, "sealwright", "trust", "sums").splitlines()[0]
    assert "no project is pinned" in ok(world, "verify-release", VERSION, "--from", "release", code=2)
    said = ok(world, "verify-release", f"{PROJECT}=={VERSION}", "--from", "release", code=2)
    assert "sealwright trust pin" in said
    assert "--yes means nothing" in ok(world, "sealwright", "trust", "pin", "keys", "--yes", code=2)
    assert "nobody is here to confirm" in ok(world, "sealwright", "trust", "pin", "keys", code=2)
    told = ("sealwright", "trust", "pin", "keys", "--fingerprint")
    assert "another fingerprint" in ok(world, *told, "0" * 64, "--yes", code=10)
    assert not data_home.exists()
    said = ok(world, *told, fingerprint, "--yes")
    assert "1 of these 2 must vouch for every file" in said
    assert f"  fingerprint  {fingerprint}" in said
    assert fingerprint in said
    assert "pinned already" in ok(world, *told, fingerprint)
    shutil.rmtree(world.folder / "keys")
    document = json.loads(ok(world, "verify-release", VERSION, "--from", "release", "--json"))
    assert document["result"] == Result.PASSED.value
    assert document["policy"]["fingerprint"] == fingerprint
    assert document["policy"]["pin"]["kind"] == "policy"
    assert f"pinned {PROJECT}" not in ok(world, "sealwright", "trust", "show", "Tiny_Project")
    assert json.loads(ok(world, "sealwright", "trust", "list", "--json"))["pins"][0]["fingerprint"] == fingerprint
    entries = ok(world, "sealwright", "log", "show")
    assert "what=pin" in entries
    assert "unpinned" in ok(world, "sealwright", "trust", "unpin", PROJECT)
    assert "is not pinned" in ok(world, "sealwright", "trust", "unpin", PROJECT, code=2)
    assert "no project is pinned" in ok(world, "verify-release", VERSION, "--from", "release", code=2)


def test_a_pin_that_memory_could_not_follow_is_logged_and_mended_by_pinning_again(
    world: World, data_home: Path, keys: Forge
) -> None:
    text = Withdrawal(PROJECT, VERSION, "it deletes files", "", "", "2026-01-02").to_bytes()
    signed = SignedWithdrawal(text.decode(), openpgp=(keys.sign(keys.alice, text).decode(),))
    (world.folder / "keys" / "withdrawn.json").write_bytes(render_withdrawals((signed,)))
    told = ("sealwright", "trust", "pin", "keys", "--fingerprint", write_sums(world.folder / "keys"))
    data_home.mkdir(mode=0o700, parents=True)
    (data_home / "seen" / ".lock").mkdir(parents=True)  # so that nothing can be written there
    said = ok(world, *told, code=3)
    assert f"pinned {PROJECT}" in said
    assert "is not remembered" in said
    assert "what=pin" in ok(world, "sealwright", "log", "show")
    assert "is not remembered" in ok(world, *told, code=3)
    (data_home / "seen" / ".lock").rmdir()
    assert "nothing to do" in ok(world, *told)
    (world.folder / "keys" / "withdrawn.json").unlink()
    ok(world, "verify-release", VERSION, "--from", "release", code=13)


def test_several_pins(world: World) -> None:
    fingerprint = write_sums(world.folder / "keys")
    ok(world, "sealwright", "trust", "pin", "keys", "--fingerprint", fingerprint)
    (world.folder / "keys" / "SHA256SUMS").unlink()
    world.edit_policy(f'project = "{PROJECT}"', 'project = "other"')
    ok(world, "sealwright", "trust", "pin", "keys", "--fingerprint", write_sums(world.folder / "keys"))
    verify = ("verify-release", VERSION, "--from", "release")
    assert "2 projects are pinned: other, tiny-project" in ok(world, *verify, code=2)
    ok(world, *verify, "--project", PROJECT)
    assert "contradict" in ok(world, "verify-release", f"a=={VERSION}", *verify[2:], "--project", PROJECT, code=2)
    assert "[release.project]" in ok(world, *verify, "--project", "other", code=10)


def test_a_person_confirms(world: World) -> None:
    command = ["sealwright.cli.main", "trust", "pin", "keys"]
    code, screen = on_terminal(command, world.folder, {}, {"trust these people?": "n"}, echo=True)
    assert code == 130
    assert "release manager" in screen or "alice" in screen
    assert max(len(line) for line in screen.splitlines() if "comes from" not in line and "/" not in line) <= 80
    assert ok(world, "sealwright", "trust", "list") == "no project is pinned\n"
    code, screen = on_terminal(command, world.folder, {}, {"trust these people?": "y"}, echo=True)
    assert code == 0, screen
    world.edit_policy("version = 1\n", "version = 2\n")
    world.edit_policy('name = "bob"', 'name = "robert"')
    code, screen = on_terminal([*command, "--replace"], world.folder, {}, {"trust these people?": "y"}, echo=True)
    assert code == 0, screen
    assert "signer removed: bob" in screen
    assert "what=replace" in ok(world, "sealwright", "log", "show")


def test_an_older_version_that_is_typed_is_logged(world: World, keys: Forge) -> None:
    other = World(world.folder.parent / "newer")
    shutil.copytree(world.folder / "keys", other.folder / "keys")
    from support.world import build

    build(other.dist, "2.0")
    assert other.seal(keys, keys.alice).returncode == 0
    assert other.verify(asked="2.0").returncode == 0
    done = world.verify()
    assert done.returncode == 0
    assert "warning      1.2.3 is older than 2.0" in done.stdout
    assert "override" in ok(world, "sealwright", "log", "show", "--action", "override")


def test_withdraw(world: World, keys: Forge) -> None:
    command = ("sealwright", "withdraw", VERSION)
    facts = ("--reason", "it deletes files", "--replacement", "1.2.4")
    world.edit_policy('evidence = "index"', 'evidence = "github:o/r"')
    write_sums(world.folder / "keys")
    assert "needs a reason" in ok(world, *command, code=2)
    said = ok(world, *command, *facts, "--dry-run")
    assert "gh release upload v1.2.3 keys/withdrawn.json --clobber --repo o/r" in said
    assert sorted(path.name for path in (world.folder / "keys").iterdir() if path.suffix != ".asc") == [
        "SHA256SUMS", "policy.toml",
    ]  # fmt: skip
    assert "needs a key" in ok(world, *command, *facts, "--yes", code=2)
    key = ("--openpgp-key-file", "-")
    assert "nobody is here" in ok(world, *command, *facts, *key, input=keys.secret(keys.bob).decode(), code=2)
    said = ok(world, *command, *facts, *key, "--yes", input=keys.secret(keys.bob).decode())
    assert "signed by bob" in said
    drafts = world.folder / "withdrawal-1.2.3"
    advisory = json.loads((drafts / "advisory.osv.json").read_text())
    assert advisory["affected"][0]["versions"] == [VERSION]
    assert "pip install tiny-project==1.2.4" in (drafts / "announcement.txt").read_text()
    (drafts / "announcement.txt").write_text("edited")
    assert "is no step" in ok(world, *command, "--done", "nothing", code=2)
    ok(world, *command, "--done", "yank")
    said = ok(world, *command)
    assert "not signed again" in said
    assert "  done         Yank it" in said
    assert (drafts / "announcement.txt").read_text() == "edited"
    done = world.verify()
    assert done.returncode == 13
    assert "withdrawn by its project: it deletes files" in done.stdout
    assert "Use version 1.2.4 instead." in done.stdout
    (world.folder / "keys" / "withdrawn.json").unlink()
    write_sums(world.folder / "keys")
    assert world.verify().returncode == 13
    ok(world, "sealwright", "explain", "release", "--policy", "keys/policy.toml", code=13)  # which knows it, too


@pytest.mark.parametrize(
    ("people", "needed", "words"), [(1, 1, "this signer"), (2, 2, "all of these"), (3, 2, "2 of these 3")]
)
def test_how_many_must_vouch_is_said_as_people_say_it(world: World, people: int, needed: int, words: str) -> None:
    policy = parse_policy(world.policy.read_bytes())
    policy = policy._replace(signers=(policy.signers * 2)[:people], require=policy.require._replace(signers=needed))
    said = render_policy(policy, "0" * 64, "keys", policy.expires)
    assert f"{words} must vouch for every file" in said


@pytest.mark.parametrize("command", [["trust"], ["trust", "pin"], ["trust", "sums"], ["trust", "list"], ["trust", "show"], ["trust", "unpin"], ["withdraw"]])  # fmt: skip
def test_help_shows_an_example(tmp_path: Path, command: list[str]) -> None:
    from support.world import run

    assert "Example" in run("sealwright", *command, "--help", cwd=tmp_path).stdout

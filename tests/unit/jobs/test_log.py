"""Checkpoints of the audit log: signed by a key of the policy, and held against a log that was cut, changed, replaced."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import jsonschema_rs
import pytest
from support.forge import Forge
from support.terminal import on_terminal
from support.world import World, run

from sealwright.model.checkpoint import Checkpoint, parse_checkpoint
from sealwright.model.log_entry import Action, Actor, Event
from sealwright.store.audit_log import append
from sealwright.store.log_reading import read_entries, verify_chain

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "log.schema.json").read_text())
LOG, CHECKPOINT = "audit.jsonl", "audit.jsonl.checkpoint"


def fill(log: Path, lines: int = 5, name: str = "pkg") -> Path:
    for number in range(lines):
        append(log, Event(datetime.now(UTC), Actor("me", "here"), Action.SEAL, f"{name} {number}"))
    return log


def log(world: World, *arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    return world.run("sealwright", "log", *arguments, "--log", LOG, **options)


def sign(world: World, keys: Forge, key: str, *more: str) -> "subprocess.CompletedProcess[str]":
    return log(world, "checkpoint", "--openpgp-key-file", "-", *more, input=keys.secret(key).decode())


@pytest.fixture
def signed(unsealed: World, keys: Forge) -> World:
    """A log of five lines and its signed checkpoint, to which the log itself adds a sixth line."""
    fill(unsealed.folder / LOG)
    done = sign(unsealed, keys, keys.alice)
    assert done.returncode == 0, done.stderr
    return unsealed


def cut(world: World, lines: int) -> None:
    path = world.folder / LOG
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:lines]))


def verdict(world: World, code: int, *more: str) -> dict[str, object]:
    done = log(world, "verify", "--json", *more)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    jsonschema_rs.validator_for(SCHEMA | {"$ref": "#/$defs/verdict"}).validate(found)
    return found


def test_a_checkpoint_vouches_for_the_lines_before_it(signed: World) -> None:
    found = verdict(signed, 0)
    assert (found["lines"], found["provedLines"], found["result"]) == (6, 5, "PASSED")
    shown = log(signed, "verify")
    assert shown.stdout.splitlines()[1].startswith("HOLDS")
    assert "the first 5 lines, by alice" in shown.stdout
    assert "after line 5" in shown.stdout
    entry = list(read_entries(signed.folder / LOG))[-1]
    assert (entry["action"], entry["detail"]) == ("checkpoint", {"lines": "5", "signer": "alice"})


def test_gpg_alone_can_check_it(signed: World, keys: Forge) -> None:
    line, _, block = (signed.folder / CHECKPOINT).read_bytes().partition(b"\n")
    (signed.folder / "line").write_bytes(line + b"\n")
    (signed.folder / "line.asc").write_bytes(block)
    said = keys.run("--status-fd", "1", "--verify", str(signed.folder / "line.asc"), str(signed.folder / "line"))
    assert b"VALIDSIG" in said


def test_a_cut_tail_is_found(signed: World) -> None:
    cut(signed, 4)
    assert verify_chain(signed.folder / LOG).problem == ""
    found = verdict(signed, 10)
    assert "the log was cut: it has 4 whole lines, and had 5" in json.dumps(found["checkpoints"])
    said = log(signed, "verify").stdout
    assert "not checked" not in said, "the checkpoint has said it"
    assert "put this file away, and name a new one with --log\n" in said
    (signed.folder / CHECKPOINT).write_bytes((signed.folder / CHECKPOINT).read_bytes().partition(b"\n")[0] + b"\n")
    unsigned = log(signed, "verify")
    assert (unsigned.returncode, "no checkpoint says it" in unsigned.stdout) == (11, True)
    assert "name a new one" not in unsigned.stdout


def test_the_line_of_the_checkpoint_itself_can_be_cut(signed: World) -> None:
    cut(signed, 5)
    assert verdict(signed, 0)["provedLines"] == 5


def test_a_log_made_anew_is_found(signed: World) -> None:
    """Every line fits the one before: only the checkpoint knows the log that it speaks for."""
    (signed.folder / LOG).unlink()
    fill(signed.folder / LOG, 10)
    assert "does not begin as" in json.dumps(verdict(signed, 10)["checkpoints"])


def test_a_tail_made_anew_is_found(signed: World) -> None:
    cut(signed, 3)
    fill(signed.folder / LOG, 9, "other")
    assert "line 5 is not the one that was signed" in json.dumps(verdict(signed, 10)["checkpoints"])


def test_a_log_that_was_cut_is_not_signed_again(signed: World, keys: Forge) -> None:
    before = (signed.folder / CHECKPOINT).read_bytes()
    cut(signed, 2)
    done = sign(signed, keys, keys.alice)
    assert done.returncode == 10
    assert "the log was cut" in done.stdout
    assert (signed.folder / CHECKPOINT).read_bytes() == before


def test_a_checkpoint_that_nobody_vouches_for(signed: World, keys: Forge) -> None:
    path = signed.folder / CHECKPOINT
    line, _, block = path.read_bytes().partition(b"\n")
    made = parse_checkpoint(line + b"\n")
    by_mallory = keys.sign(keys.mallory, line + b"\n")
    for what, content, expected in (
        ("by a key that is not listed", line + b"\n" + by_mallory, "not list"),
        ("without a signature", line + b"\n", "no signature"),
        ("for another length", made._replace(lines=4).to_bytes() + block, "not a signature of these bytes"),
        ("no checkpoint", b"hello\n" + block, "no checkpoint"),
        ("empty", b"", "no checkpoint"),
        ("two spellings", line.replace(b":5,", b": 5,") + b"\n" + block, "no checkpoint"),
    ):
        path.write_bytes(content)
        assert expected in json.dumps(verdict(signed, 11)["checkpoints"]), what
    path.write_bytes(line + b"\n" + by_mallory + block)
    assert verdict(signed, 0)["provedLines"] == 5  # a bad signature never hides a good one beside it


def test_who_is_not_in_the_policy_signs_nothing(unsealed: World, keys: Forge) -> None:
    fill(unsealed.folder / LOG)
    done = sign(unsealed, keys, keys.mallory)
    assert done.returncode == 2
    assert "is not in keys/policy.toml" in done.stderr
    assert not (unsealed.folder / CHECKPOINT).exists()
    assert verify_chain(unsealed.folder / LOG).lines == 5


def test_a_checkpoint_kept_elsewhere(signed: World) -> None:
    (signed.folder / CHECKPOINT).rename(signed.folder / "kept")
    assert verdict(signed, 0)["provedLines"] == 0
    assert verdict(signed, 0, "--checkpoint", "kept")["provedLines"] == 5
    assert log(signed, "verify", "--checkpoint", "nowhere").returncode == 2
    cut(signed, 4)
    assert verdict(signed, 10, "--checkpoint", "kept")["result"] == "FAILED"


def test_what_verify_says(tmp_path: Path) -> None:
    def answer(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return run("sealwright", "log", *arguments, "--log", LOG, cwd=tmp_path)

    assert answer("verify").returncode == 2
    path = fill(tmp_path / LOG)
    whole = path.read_bytes()
    assert "HOLDS" in answer("verify").stdout
    path.write_bytes(whole[:-20])
    torn = answer("verify")
    assert (torn.returncode, "the last line is torn" in torn.stdout) == (3, True)
    path.write_bytes(whole.replace(b"pkg 2", b"pkg 7"))
    changed = answer("verify")
    assert changed.returncode == 10
    assert "line 3 is not what it was when it was written" in changed.stdout
    assert changed.stdout.startswith(f"DOES NOT HOLD  {LOG}, whole up to line 2\n")
    assert "compare it with your copy of the log. Do not write on" in changed.stdout
    path.write_bytes(whole.replace(b"pkg 0", b"pkg 7"))
    assert answer("verify").stdout.startswith(f"DOES NOT HOLD  {LOG}, not even its first line\n")
    path.write_bytes(whole)
    for entry in whole.splitlines():
        jsonschema_rs.validator_for(SCHEMA).validate(json.loads(entry))
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validator_for(SCHEMA).validate({"action": "seal"})


def test_show_and_export_filter(tmp_path: Path) -> None:
    path = tmp_path / LOG
    for day, action, thing in ((1, Action.SEAL, "pkg 1"), (2, Action.ROTATE, "pypi"), (3, Action.SEAL, "pkg 2")):
        append(path, Event(datetime(2026, 3, day, tzinfo=UTC), Actor("me", "here", "github x"), action, thing))

    def export(*arguments: str) -> list[str]:
        done = run("sealwright", "log", "export", "--log", LOG, *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return [json.loads(line)["object"]["name"] for line in done.stdout.splitlines()]

    assert export() == ["pkg 1", "pypi", "pkg 2"]
    assert export("--action", "seal") == ["pkg 1", "pkg 2"]
    assert export("--since", "2026-03-02") == ["pypi", "pkg 2"]
    assert export("--until", "2026-03-02T01:00:00+01:00") == ["pkg 1"]
    assert export("--object", "kg 2") == ["pkg 2"]
    shown = run("sealwright", "log", "show", "--log", LOG, "--last", "1", cwd=tmp_path)
    assert "2026-03-03T00:00:00Z  seal" in shown.stdout
    assert shown.stdout.count("\n") == 1
    for wrong in (("--action", "nap"), ("--since", "soon")):
        assert run("sealwright", "log", "export", "--log", LOG, *wrong, cwd=tmp_path).returncode == 2


def test_what_is_shown_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    fill(tmp_path / LOG, 1, "\x1b[2J\u202epkg")
    shown = run("sealwright", "log", "show", "--log", LOG, cwd=tmp_path)
    assert "\x1b" not in shown.stdout
    assert "\u202e" not in shown.stdout


def test_a_fingerprint_stays_in_its_column_on_a_terminal(tmp_path: Path) -> None:
    """Glued to its name it is longer than a line, and would go on at the left edge."""
    detail = (("policy", "keys/policy.toml"), ("policy fingerprint", "a" * 64))
    append(tmp_path / LOG, Event(datetime.now(UTC), Actor("me", "here"), Action.SEAL, "pkg 1", detail=detail))
    command = ["log", "show", "--log", LOG]
    assert f"policy fingerprint={'a' * 64}\n" in run("sealwright", *command, cwd=tmp_path).stdout
    _, screen = on_terminal(["sealwright.cli.main", *command], tmp_path, {}, {})
    assert f"policy fingerprint=\r\n        {'a' * 64}\r\n" in screen
    assert max(map(len, screen.splitlines())) <= 80


def test_the_state_folder_is_where_it_lives(tmp_path: Path) -> None:
    fill(tmp_path / "state" / "sealwright" / "audit.jsonl")
    done = run(
        "sealwright", "log", "verify", cwd=tmp_path, env={"XDG_STATE_HOME": f"{tmp_path}/state", "HOME": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "line", [b"[" * 390 + b"\n", b"{}\n", b'{"lines":1}\n', b"null\n", b"\xff\n", b'{"lines":' + b"9" * 300 + b"}\n"]
)
def test_hostile_checkpoints(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_checkpoint(line)
    made = Checkpoint(3, "a" * 64, "b" * 64, "2026-03-31T12:00:00.000000Z")
    assert parse_checkpoint(made.to_bytes()) == made

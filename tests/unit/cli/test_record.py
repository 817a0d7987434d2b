"""What the commands write into the audit log, and what a log that cannot be written does to them: nothing to a verdict."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from support.forge import Forge
from support.terminal import broken_lines, on_terminal
from support.world import SDIST, SUMS, WHEEL, World, run

from sealwright.store.log_reading import read_entries, verify_chain


def entries(path: Path) -> list[dict[str, Any]]:
    assert verify_chain(path).problem == ""
    return list(read_entries(path))


def actions(path: Path) -> list[tuple[str, str]]:
    return [(entry["action"], entry["outcome"]) for entry in entries(path)] if path.exists() else []


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "audit.jsonl"


def spoil(world: World) -> None:
    path = world.release / WHEEL
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)


def test_a_sealing_is_logged_with_its_policy_and_its_signatures(unsealed: World, keys: Forge, log: Path) -> None:
    done = unsealed.seal(keys, keys.alice, "--log", str(log))
    assert done.returncode == 0, done.stderr
    found = entries(log)
    assert [(e["action"], e["outcome"]) for e in found] == [
        ("policy", "in use"), ("sign", "signed"), ("sign", "signed"), ("sign", "signed"), ("seal", "sealed")
    ]  # fmt: skip
    assert {e["object"]["name"] for e in found[1:4]} == {f"{name}.asc" for name in (SUMS, WHEEL, SDIST)}
    assert all(e["detail"]["signers"] == "alice" and e["object"]["sha256"] for e in found[1:4])
    seal = found[-1]
    assert seal["object"]["name"] == "tiny-project 1.2.3"
    assert set(seal["object"]["sha256"]) == {WHEEL, SDIST}
    assert seal["detail"]["policy fingerprint"] == found[0]["object"]["sha256"]["trust folder"]
    again = unsealed.seal(keys, keys.alice, "--log", str(log))
    assert again.returncode == 0
    assert actions(log)[5:] == [("seal", "sealed")], "one line says that nothing was left to do"
    unsealed.edit_policy("version = 1", "version = 2")
    unsealed.seal(keys, keys.alice, "--log", str(log))
    changed = entries(log)[6]
    assert (changed["action"], changed["outcome"], changed["detail"]["version"]) == ("policy", "changed", "2")
    assert changed["detail"]["before"] == found[0]["object"]["sha256"]["trust folder"]
    for secret in keys.secret(keys.alice).decode().split("\n")[3:-3]:
        assert secret not in log.read_text()


def test_a_seal_that_ends_early_is_logged(
    unsealed: World, keys: Forge, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends after its signatures were made: they are in the log all the same."""
    from click.testing import CliRunner

    from sealwright.cli.seal import command
    from sealwright.errors import UndecidedError
    from sealwright.jobs.seal import seal

    def fail(*_: object, **__: object) -> None:
        raise UndecidedError("the disk is gone")

    monkeypatch.setattr(seal, "verify_folder", fail)
    monkeypatch.chdir(unsealed.folder)
    arguments = ["dist", "--openpgp-key-file", "-", "--log", str(log)]
    done = CliRunner().invoke(command, arguments, input=keys.secret(keys.alice), standalone_mode=False)
    assert isinstance(done.exception, UndecidedError)
    assert actions(log) == [("sign", "signed")] * 3 + [("seal", "not finished")]
    assert entries(log)[-1]["detail"]["why"] == "the disk is gone"


def test_what_could_not_be_logged_is_not_sealed(unsealed: World, keys: Forge, tmp_path: Path) -> None:
    other = tmp_path / "authorized_keys"
    other.write_text("ssh-ed25519 AAAA\n")
    for place, said in (
        (other, "not a line of an audit log"),
        (tmp_path, "a directory"),
        (other / "log", "Not a directory"),
    ):
        done = unsealed.seal(keys, keys.alice, "--log", str(place))
        assert done.returncode == 3, done.stdout
        assert said in done.stderr
        assert not unsealed.release.exists()
    assert other.read_text() == "ssh-ed25519 AAAA\n"


@pytest.mark.parametrize("command", ["verify-release", "verify"])
def test_a_verification_that_fails_is_logged_and_one_that_passes_is_not(world: World, log: Path, command: str) -> None:
    def judge(*more: str) -> "subprocess.CompletedProcess[str]":
        if command == "verify":
            return world.run("sealwright", "verify", "release", "--log", str(log), *more)
        return world.verify("--log", str(log), *more)

    assert judge().returncode == 0
    assert not log.exists()
    spoil(world)
    assert judge("--json").returncode == 10
    (entry,) = entries(log)
    assert (entry["action"], entry["outcome"], entry["detail"]["code"]) == ("verification-failed", "FAILED", "10")
    assert entry["object"]["name"] == "tiny-project 1.2.3"
    assert any(f"checksums.match of {WHEEL}" in text for text in entry["detail"].values())


def test_the_user_s_state_folder_is_where_it_lives(world: World, tmp_path: Path) -> None:
    spoil(world)
    done = world.verify(env={"XDG_STATE_HOME": str(tmp_path / "state")})
    assert (done.returncode, done.stderr) == (10, "")
    assert actions(tmp_path / "state/sealwright/audit.jsonl") == [("verification-failed", "FAILED")]


def test_a_log_that_cannot_be_written_changes_no_verdict(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no log\n")
    good = world.verify("--log", str(tmp_path / "file"))
    spoil(world)
    plain = world.verify("--log", str(tmp_path / "mine"))
    assert (good.returncode, good.stderr) == (0, ""), "nothing is written, so nothing is missed"
    nowhere = {"HOME": "", "XDG_STATE_HOME": "", "XDG_CONFIG_HOME": ""}
    broken = tmp_path / "configuration"
    (broken / "sealwright").mkdir(parents=True)
    (broken / "sealwright/config.toml").write_text("log = 5\n")
    os.mkfifo(tmp_path / "fifo")
    for done in (
        world.verify("--log", str(tmp_path / "file")),
        world.verify("--log", str(tmp_path / "fifo")),
        world.verify("--log", "/dev/full"),
        world.verify("--log", "/proc/nowhere/log"),
        world.verify(env=nowhere),
        world.verify(env={"XDG_CONFIG_HOME": str(broken)}),
    ):
        assert (done.returncode, done.stdout) == (10, plain.stdout)
        assert done.stderr.startswith("sealwright: warning: not in the audit log: ")
        assert done.stderr.count("\n") == 1


def test_a_log_that_somebody_holds_changes_no_verdict(world: World, log: Path) -> None:
    """A process that was stopped while it held the lock stops nobody for ever."""
    import fcntl

    log.parent.mkdir()
    with log.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        spoil(world)
        start = time.monotonic()
        done = world.verify("--log", str(log))
    assert done.returncode == 10
    assert "another process has held it for 3 seconds" in done.stderr
    assert time.monotonic() - start < 60


def test_a_verification_that_passes_loads_nothing_of_the_log(world: World) -> None:
    done = world.verify(env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.returncode == 0
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "sealwright.jobs.verify.release" in loaded
    assert not {name for name in loaded if "log" in name.rpartition(".")[2] and name.startswith("sealwright")}
    assert "sealwright.cli.record" not in loaded


def test_what_a_hostile_release_says_is_one_line(world: World, log: Path) -> None:
    hostile = 'evil\n{"sha256":"' + "0" * 64 + "\x1b[2J" + "ghp_0123456789abcdefABCDEF0123456789"
    (world.release / hostile).write_text("x")
    assert world.verify("--log", str(log)).returncode == 10
    assert log.read_bytes().count(b"\n") == 1
    assert "ghp_0123456789" not in log.read_text()
    assert "\x1b" not in log.read_text()
    shown = run("sealwright", "log", "show", "--log", str(log), cwd=world.folder)
    assert "\x1b" not in shown.stdout
    assert shown.stdout.count("\n") == 1


def test_a_hostile_actor(world: World, log: Path) -> None:
    spoil(world)
    actor = "mallory\n\udcff\u202e" + "A" * 50_000 + "://" + ":" * 40_000
    env = {"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": actor, "GITHUB_RUN_ID": "eyJ" * 20_000}
    start = time.monotonic()
    assert world.verify("--log", str(log), env=env).returncode == 10
    assert time.monotonic() - start < 30
    (entry,) = entries(log)
    assert len(entry["actor"]["ci"]) <= 1001
    assert log.read_bytes().count(b"\n") == 1


def test_a_single_file_that_fails_is_logged(world: World, log: Path) -> None:
    bundle = world.folder / "x.sigstore.json"
    bundle.write_text("{}")
    who = ("--cert-identity", "me@example.org", "--cert-oidc-issuer", "https://example.org")
    target = str(world.dist / WHEEL)
    done = world.run("sealwright", "verify-artifact", target, "--bundle", str(bundle), *who, "--log", str(log))
    assert done.returncode == 11, done.stderr
    (entry,) = entries(log)
    assert (entry["action"], entry["detail"]["code"]) == ("verification-failed", "11")
    assert entry["object"]["sha256"]["file"]


def test_a_new_policy_and_a_signed_link_are_logged(tmp_path: Path, keys: Forge) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "pkg"\nversion = "1"\n')
    assert run("sealwright", "init", "--log", "log", cwd=tmp_path).returncode == 0
    (tmp_path / "a.txt").write_text("a")
    secret = keys.secret(keys.alice).decode()
    step = ("step", "build", "--materials", "a.txt", "--openpgp-key-file", "-", "--log", "log", "--", "true")
    done = run("sealwright", *step, cwd=tmp_path, input=secret)
    assert done.returncode == 0, done.stderr
    written, signed = entries(tmp_path / "log")
    assert (written["action"], written["outcome"], list(written["object"]["sha256"])) == (
        "policy",
        "written",
        ["policy.toml"],
    )
    assert (signed["action"], signed["detail"]["step"]) == ("sign", "build")
    assert signed["object"]["name"].endswith(".link")


def test_rehearsals_and_demos_leave_the_log_alone(unsealed: World, tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path / "state")}
    assert unsealed.run("sealwright", "rehearse", env=env).returncode == 0
    assert run("sealwright", "demo", cwd=tmp_path, env=env).returncode == 0
    assert not (tmp_path / "state").exists()


def test_lines_fit_the_schema(world: World, log: Path) -> None:
    import jsonschema_rs

    spoil(world)
    world.verify("--log", str(log))
    schema = json.loads((Path(__file__).parents[3] / "docs/log.schema.json").read_text())
    for line in log.read_text().splitlines():
        jsonschema_rs.validator_for(schema).validate(json.loads(line))


def test_doubts_about_the_build_that_are_set_aside_are_an_override(world: World, log: Path) -> None:
    from datetime import UTC, datetime

    from sealwright.cli.build_facts import BuildOptions
    from sealwright.cli.sigstore import remember_doubts, sigstore_means
    from sealwright.jobs.log_events import By, seal_events
    from sealwright.jobs.seal.seal import Sealed
    from sealwright.model.buildfacts import BuildFacts
    from sealwright.model.log_entry import Actor
    from sealwright.store.audit_log import append_all
    from sealwright.store.trust_folder import read_trust_folder

    trust = read_trust_folder(world.policy, world.release)
    means = sigstore_means(trust, None, None, None, yes=True, build=BuildOptions(allow_doubts=True))
    facts = BuildFacts("https://example.org", "", "0" * 40, None, doubts=("it was not built from the tag v1",))
    means, doubts = remember_doubts(means._replace(build=lambda *_: facts))
    assert means.build
    assert means.build("v1", "me") is facts
    sealed = Sealed((), (), frozenset(), frozenset(), world.judge())
    append_all(
        log, seal_events(sealed, trust, log, world.release, tuple(doubts), By(Actor("me", "here"), datetime.now(UTC)))
    )
    assert ("override", "doubts about the build set aside") in actions(log)
    assert any(entry["detail"].get("doubts") == "it was not built from the tag v1" for entry in entries(log))


def test_a_key_file_that_changes_under_the_same_version_is_warned_of(unsealed: World, keys: Forge, log: Path) -> None:
    """Users who have seen that version would be told `policy.seen`: gpg and cp raise no version, `keys extend` does."""
    rook = keys.key("Rook")
    unsealed.policy.write_text(unsealed.policy.read_text().replace(keys.alice, rook))
    file = unsealed.policy.with_name(f"{rook}.asc")
    file.write_bytes(keys.public(rook))
    more = ("--log", str(log))
    asked = (("verify", *more), ("remind", *more), ("keys", "status", *more))
    assert all("has changed since" not in unsealed.run("sealwright", *each).stdout for each in asked), "nothing knows"
    assert unsealed.seal(keys, rook, *more).returncode == 0
    assert all("has changed since" not in unsealed.run("sealwright", *each).stdout for each in asked)
    keys.add_subkey(rook, "ed25519", "sign")
    file.write_bytes(keys.public(rook))
    for each in asked:
        assert f"{rook}.asc has changed since" in " ".join(unsealed.run("sealwright", *each).stdout.split()), each
    for command in (["keys", "status", *more], ["seal", "--no-openpgp", *more]):
        _, screen = on_terminal(["sealwright.cli.start", *command], unsealed.folder, {}, {})
        assert f"{rook}.asc has changed since" in " ".join(screen.split()), screen
        assert not broken_lines(screen)
    unsealed.edit_policy("version = 1", "version = 2")
    assert all("has changed since" not in unsealed.run("sealwright", *each).stdout for each in asked)
    wrong = unsealed.folder / "no.jsonl"
    wrong.mkdir()
    assert unsealed.run("sealwright", "verify", "--log", "no.jsonl").returncode == 0, "no log changes a verdict"


def test_trust_sums_warns_of_a_key_that_changes_under_the_same_policy(unsealed: World, keys: Forge) -> None:
    assert "warning" not in unsealed.run("sealwright", "trust", "sums").stderr
    file = next(unsealed.policy.parent.glob("*.asc"))
    file.write_bytes(file.read_bytes() + b"\n")
    refused = unsealed.run("sealwright", "remind")
    assert refused.returncode == 2
    assert "raise the policy's version" in refused.stderr
    assert f"warning: {file.name} changed" in unsealed.run("sealwright", "trust", "sums").stderr
    assert "warning" not in unsealed.run("sealwright", "trust", "sums").stderr


def test_a_key_is_extended_by_the_command_that_raises_the_version(unsealed: World, keys: Forge) -> None:
    said = unsealed.run("sealwright", "remind", "--within", "30y").stdout
    assert f"sealwright keys extend {keys.alice}" in said
    assert "gpg" not in said


def test_a_command_to_copy_names_the_one_key_that_is_listed(unsealed: World, keys: Forge) -> None:
    (unsealed.folder / "log").touch()
    listed = unsealed.policy.read_text().split("[[signer]]")
    unsealed.policy.write_text("[[signer]]".join(part for part in listed if keys.bob not in part))
    command = f"sealwright log checkpoint --openpgp-key {keys.alice}"
    assert f"was never signed: {command}" in unsealed.run("sealwright", "remind", "--log", "log").stdout
    for refused in (("log", "checkpoint", "--log", "log"), ("seal", "dist")):
        done = unsealed.run("sealwright", *refused)
        assert done.returncode == 2
        assert f"--openpgp-key {keys.alice}" in done.stderr


def test_a_policy_that_changes_under_the_version_that_keys_gave_it_is_warned_of(
    unsealed: World, keys: Forge, log: Path
) -> None:
    """`keys add` raised it, no seal is in this log, and somebody then edits the policy by hand."""
    quill, more = keys.key("Quill"), ("--log", str(log))
    assert unsealed.seal(keys, keys.alice, "--log", str(log.with_name("another.jsonl"))).returncode == 0
    sent = unsealed.folder / "sent.asc"
    sent.write_bytes(keys.public(quill))
    add = ("keys", "add", "sent.asc", "--signer", "quill", "--fingerprint", quill, *more)
    asked = (("verify", *more), ("remind", *more), ("keys", "status", *more))
    assert unsealed.run("sealwright", *add).returncode == 0
    assert set(entries(log)[-1]["object"]["sha256"]) == {"policy.toml", f"{quill}.asc"}
    assert all("has changed since" not in unsealed.run("sealwright", *each).stdout for each in asked)
    unsealed.edit_policy("signers = 1", "signers = 2")
    for each in asked:
        assert "policy.toml has changed since" in " ".join(unsealed.run("sealwright", *each).stdout.split()), each
    assert unsealed.run("sealwright", "keys", "export", quill, *more).returncode in (0, 2)
    for each in asked:
        assert "policy.toml has changed since" in " ".join(unsealed.run("sealwright", *each).stdout.split()), each
    assert unsealed.run("sealwright", *add).returncode == 0, "which changes nothing, and so vouches for no policy"
    assert set(entries(log)[-1]["object"]["sha256"]) == {f"{quill}.asc"}

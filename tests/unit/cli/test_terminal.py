"""On a terminal: the prompt does not echo, large files show how far they are, and the answer has its colours."""

import json
import os
import re
from pathlib import Path

import pytest
from support.forge import Forge
from support.terminal import broken_lines, on_terminal
from support.web import Answer, serving
from support.world import PROJECT, SDIST, VERSION, WHEEL, World

PASSPHRASE = "typed-7c1f"
VERIFY = ["sealwright.cli.verify_release", "1.2.3", "--from", "release", "--policy", "keys/policy.toml"]


def protected(world: World, keys: Forge, folder: Path) -> list[str]:
    """List a key with a passphrase as Alice's, and return the command that seals with it."""
    from sealwright.sandbox.keys import export_secret, make_key

    fingerprint = make_key(keys.home, "Typist", passphrase=PASSPHRASE)
    (folder / "key").write_bytes(export_secret(keys.home, fingerprint, PASSPHRASE))
    world.policy.write_text(world.policy.read_text().replace(keys.alice, fingerprint))
    (world.policy.parent / f"{fingerprint}.asc").write_bytes(keys.public(fingerprint))
    return ["sealwright.cli.main", "seal", "dist", "--openpgp-key-file", str(folder / "key")]


NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


def test_the_passphrase_is_asked_for_and_not_echoed(unsealed: World, keys: Forge, tmp_path: Path) -> None:
    command = protected(unsealed, keys, tmp_path)
    code, screen = on_terminal(command, unsealed.folder, NO_KEYRING, {"Passphrase of ": PASSPHRASE})
    assert code == 0, screen
    assert "SEALED" in screen
    assert PASSPHRASE not in screen
    code, screen = on_terminal(command, unsealed.folder, NO_KEYRING, {})
    assert code == 0, "a second run has nothing to sign, and does not ask"
    assert "Passphrase" not in screen


def test_a_wrong_passphrase_at_the_prompt(unsealed: World, keys: Forge, tmp_path: Path) -> None:
    command = protected(unsealed, keys, tmp_path)
    code, screen = on_terminal(command, unsealed.folder, NO_KEYRING, {"Passphrase of ": "wrong-7c1f"})
    assert code == 2
    assert "is wrong" in screen
    assert "wrong-7c1f" not in screen


def test_ctrl_d_at_the_prompt_is_a_refusal(unsealed: World, keys: Forge, tmp_path: Path) -> None:
    command = protected(unsealed, keys, tmp_path)
    code, screen = on_terminal(command, unsealed.folder, NO_KEYRING, {"Passphrase of ": "\x04"})
    assert code == 130, screen


def test_large_files_show_how_far_they_are(world: World) -> None:
    large = world.release / "tiny_project-1.2.3-1-py3-none-any.whl"
    large.touch()
    os.truncate(large, 80 * 1024 * 1024)
    code, screen = on_terminal(VERIFY, world.folder, {}, {})
    assert code == 10
    assert f"reading {large.name} " in screen
    assert "100 %" in screen
    piped = world.verify()
    assert "reading" not in piped.stdout + piped.stderr


def test_colours_on_a_terminal_and_not_where_they_are_unwanted(world: World) -> None:
    assert "\x1b[1;32mVERIFIED" in on_terminal(VERIFY, world.folder, {}, {})[1]
    assert "\x1b" not in on_terminal(VERIFY, world.folder, {"NO_COLOR": "1"}, {})[1]


@pytest.mark.parametrize("size", ["stated", "not stated", "breaks off"])
def test_what_is_fetched_is_on_a_line_that_goes_again(world: World, keys: Forge, size: str) -> None:
    env = {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    with serving() as web:
        files = []
        for name in (WHEEL, SDIST):
            content = (world.release / name).read_bytes()
            short = len(content) - 9 if size == "breaks off" else None
            web[f"/{name}"] = Answer(content, pace=1.2 / len(content), sent=short)
            known = {"size": len(content)} if size != "not stated" else {}
            files.append({"filename": name, "url": f"/{name}", "hashes": {}} | known)
        page = json.dumps({"meta": {"api-version": "1.1"}, "files": files}).encode()
        web[f"/simple/{PROJECT}/"] = Answer(page, headers={"Content-Type": "application/vnd.pypi.simple.v1+json"})
        command = [VERIFY[0], f"{PROJECT}=={VERSION}", "--from", f"index:{web.url}/simple", *VERIFY[4:]]
        code, screen = on_terminal([*command, "--evidence-from", "dir:release"], world.folder, env, {})
    assert code == (3 if size == "breaks off" else 0), screen
    lines = re.findall(r"\r  fetching, file ([12]): 0\.0 (.*?MiB)\x1b\[K", screen)
    assert lines, screen
    assert {text for _, text in lines} == {"MiB" if size == "not stated" else "of 0.0 MiB"}
    rest = screen.rpartition("MiB\x1b[K")[2]
    said = "sealwright: error" if size == "breaks off" else "\x1b[1;32mVERIFIED"
    assert rest.startswith(f"\r\x1b[K{said}"), screen


@pytest.mark.parametrize(
    "command",
    [
        ["verify", "nowhere"],
        ["seal", "dist"],
        ["remind", "--within", "30y"],
        ["log", "show"],
        ["log", "verify"],
        ["log", "checkpoint", "--openpgp-key-file", "alice.key"],
        ["keys", "status"],
        ["keys", "revoke", "ALICE", "--reason", "compromised", "--key-file", "alice.key", "--dry-run"],
        ["keys", "export", "ALICE", "--key-file", "alice.key", "--secret-subkey", "../ci.asc"],
        ["keys", "new"],
        ["init"],
    ],
)
def test_what_is_said_breaks_between_words(unsealed: World, keys: Forge, command: list[str]) -> None:
    """A fingerprint, a path or a command that is broken in the middle cannot be copied."""
    state = unsealed.folder / "state"
    (unsealed.folder / "pyproject.toml").write_text('[project]\nname = "tiny-project"\nversion = "1.2.3"\n')
    if command == ["init"]:
        unsealed.policy.parent.rename(unsealed.folder / "moved")
    (unsealed.folder / "alice.key").write_bytes(keys.secret(keys.alice))
    command = [keys.alice if word == "ALICE" else word for word in command]
    if command[0] == "log":
        assert unsealed.seal(keys, keys.alice, "--log", str(state / "sealwright/audit.jsonl")).returncode == 0
    _, screen = on_terminal(["sealwright.cli.start", *command], unsealed.folder, {"XDG_STATE_HOME": str(state)}, {})
    assert screen.count("\n") > 1, screen
    assert not broken_lines(screen)


def test_a_log_without_a_checkpoint_has_no_line_nought(unsealed: World, keys: Forge) -> None:
    assert unsealed.seal(keys, keys.alice, "--log", "log").returncode == 0
    said = unsealed.run("sealwright", "log", "verify", "--log", "log").stdout
    assert "whether lines were cut off at its end: no checkpoint says it" in said
    assert "line 0" not in said


def test_the_default_folder_is_no_word_in_brackets(tmp_path: Path) -> None:
    from support.world import run

    for command, folder in (("seal", "release"), ("step", "layout")):
        assert f"[default: {folder}]" in " ".join(run("sealwright", command, "--help", cwd=tmp_path).stdout.split())

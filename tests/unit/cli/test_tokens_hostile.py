"""Tokens under attack: back ends that lie or break, signals in the middle of a mint, places that are another's."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keyring
import pytest
from click.testing import Result
from keyring.backend import KeyringBackend
from support.tokens import ADD, Memory, token

from sealwright.errors import SealwrightError, UndecidedError
from sealwright.store.log_reading import read_entries
from sealwright.store.secrets import delete_secret, read_secret, write_secret
from sealwright.store.token_register import read_register

Call = Callable[..., Result]
CANARY = "canary-2b7e1516-secret"


def refused(result: Result) -> str:
    assert isinstance(result.exception, SealwrightError), result.output + repr(result.exception)
    return f"{result.exception.message} {result.exception.hint}"


class Odd(KeyringBackend):
    """A back end that raises, returns what is no text, or keeps what it was told to remove."""

    priority = 1  # type: ignore[assignment]

    def __init__(self, answer: object, removes: bool = True) -> None:
        super().__init__()
        self.answer, self.removes = answer, removes

    def get_password(self, service: str, username: str) -> str | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]

    def set_password(self, service: str, username: str, password: str) -> None:
        if isinstance(self.answer, Exception):
            raise self.answer

    def delete_password(self, service: str, username: str) -> None:
        if self.removes:
            self.answer = None


@pytest.mark.parametrize(
    "error",
    [RuntimeError(CANARY), OSError(CANARY), ValueError(CANARY), KeyError(CANARY), keyring.errors.KeyringLocked(CANARY)],
)
def test_back_ends_that_raise(error: Exception) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(Odd(error))
    try:
        for attempt in (
            lambda: read_secret("s", "u"),
            lambda: write_secret("s", "u", CANARY),
            lambda: delete_secret("s", "u"),
        ):
            with pytest.raises(UndecidedError) as caught:
                attempt()
            assert CANARY not in caught.value.message + caught.value.hint
            assert type(error).__name__ in caught.value.message
            assert caught.value.__cause__ is None
            assert caught.value.__suppress_context__
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize("answer", [b"bytes", 5, ["x"], "another", ""])
def test_back_ends_that_answer_with_something_else(answer: object) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(Odd(answer))
    try:
        with pytest.raises(UndecidedError):
            write_secret("s", "u", CANARY)
        if isinstance(answer, str):
            assert read_secret("s", "u") == (answer or None)
        else:
            with pytest.raises(UndecidedError):
                read_secret("s", "u")
        assert delete_secret("s", "u")
        keyring.set_keyring(Odd(answer, removes=False))
        with pytest.raises(UndecidedError, match="still holds"):
            delete_secret("s", "u")
    finally:
        keyring.set_keyring(before)


def test_the_secret_of_somebody_else_is_left_alone(tmp_path: Path, memory: Memory, call: Call) -> None:
    memory.kept["browser", "bank"] = CANARY
    said = refused(call("add", "x", *ADD, "--where", "keyring:browser/bank", secret=token(project_names=["pkg"])))
    assert "holds another secret at browser/bank already" in said
    assert CANARY not in said
    assert memory.kept == {("browser", "bank"): CANARY}
    mine = token(project_names=["pkg"])
    memory.kept["browser", "mine"] = mine
    spoiled = call("add", "x", *ADD, "--where", "keyring:browser/mine", "--rotate-every", "often", secret=mine)
    assert "is not a period" in refused(spoiled)
    assert memory.kept["browser", "mine"] == mine, "what was there before stays, whatever fails"
    assert call("add", "x", *ADD, "--where", "keyring:browser/mine", secret=mine).return_value == 0


def test_a_secret_in_the_wrong_place_is_refused_before_it_is_written(
    tmp_path: Path, memory: Memory, call: Call
) -> None:
    pasted = token(project_names=["pkg"])
    for option in ("--purpose", "--owner", "--scope"):
        arguments = [*ADD]
        arguments[arguments.index(option) + 1] = f"upload {pasted}"
        said = refused(call("add", "x", *arguments, secret=pasted))
        assert "looks like a secret" in said
        assert pasted not in said
    assert not (tmp_path / ".sealwright").exists()
    assert memory.kept == {}


def test_overrides_are_logged(tmp_path: Path, memory: Memory, call: Call) -> None:
    assert call("add", "wide", *ADD, "--accept", "the first upload", secret=token()).return_value == 0
    entries = list(read_entries(tmp_path / "state/sealwright/audit.jsonl"))
    assert [(e["action"], e["outcome"]) for e in entries] == [("override", "accepted"), ("token", "added")]
    assert entries[0]["detail"] == {"option": "--accept", "reason": "the first upload"}


def test_what_cannot_be_logged_is_not_done_and_a_revocation_is(tmp_path: Path, memory: Memory, call: Call) -> None:
    secret = token(project_names=["pkg"])
    assert call("add", "release", *ADD, secret=secret).return_value == 0
    wrong = ("--log", "/dev/full")
    ran = tmp_path / "ran"
    for arguments in (
        ("add", "other", *ADD), ("rotate", "release", "--yes"),
        ("mint", "release", "--project", "pkg", *wrong, "--", "touch", str(ran)),
    ):  # fmt: skip
        more = () if "--" in arguments else wrong
        assert "a character device" in refused(
            call(*arguments, *more, secret=token(project_names=["pkg"], not_before=1, not_after=2))
        )
    assert memory.kept == {("sealwright", "token:release"): secret}
    assert not ran.exists()
    done = call("revoke", "release", *wrong)
    assert done.return_value == 0
    assert "warning: not in the audit log" in done.output
    assert memory.kept == {}
    assert read_register(tmp_path / ".sealwright/tokens.toml")[0].revoked is not None


def test_a_mint_that_would_be_of_no_use_is_refused(memory: Memory, call: Call) -> None:
    call("add", "release", *ADD, secret=token(project_names=["pkg"]))
    assert "and not other" in refused(call("mint", "release", "--project", "other", "--", "true"))
    memory.kept["sealwright", "token:release"] = token(project_names=["pkg"], not_before=1, not_after=1_600_000_000)
    assert "can do nothing since 2020-09-13" in refused(call("mint", "release", "--project", "pkg", "--", "true"))


MINTER = """
import sys
sys.path.insert(0, sys.argv[1])
import keyring
from support.tokens import Memory, token
from sealwright.cli.main import main
kept = Memory()
kept.kept["sealwright", "token:release"] = token(project_names=["pkg"])
keyring.set_keyring(kept)
sys.argv = ["sealwright", *sys.argv[2:]]
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_of_a_mint_ends_the_child(
    tmp_path: Path, memory: Memory, call: Call, number: signal.Signals
) -> None:
    """The child has a token: it does not outlive the command that was told to end."""
    call("add", "release", *ADD, secret=token(project_names=["pkg"]))
    told = tmp_path / "pid"
    child = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
    command = [
        "tokens",
        "mint",
        "release",
        "--project",
        "pkg",
        "--log",
        "log",
        "--",
        sys.executable,
        "-c",
        child,
        str(told),
    ]
    with subprocess.Popen(
        [sys.executable, "-c", MINTER, str(Path(__file__).parents[2]), *command], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        until = time.monotonic() + 60
        while not (told.exists() and told.read_text()) and time.monotonic() < until:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    assert "pypi-" not in out + err
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)
    assert [entry["outcome"] for entry in read_entries(tmp_path / "log")] == ["minted"]


def test_a_child_that_prints_its_environment_prints_a_token_of_minutes(
    tmp_path: Path, memory: Memory, call: Call
) -> None:
    """Its output is its own. What it can give away is one project for some minutes, and never the stored token."""
    secret = token(project_names=["pkg"])
    call("add", "release", *ADD, secret=secret)
    kept = tmp_path / "printed"
    code = "import os, sys; open(sys.argv[1], 'w').write(repr(dict(os.environ)))"
    done = call("mint", "release", "--project", "pkg", "--", sys.executable, "-c", code, str(kept))
    assert done.return_value == 0
    assert "TWINE_PASSWORD" in kept.read_text()
    assert secret not in kept.read_text()
    kept.unlink()
    assert (
        call(
            "mint", "release", "--project", "pkg", "--", sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"
        ).return_value
        == 3
    )

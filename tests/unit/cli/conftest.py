"""A keyring in memory, and `sealwright tokens` called in a folder of the test's own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from click.testing import CliRunner, Result
from support.tokens import Memory

from sealwright.cli.tokens import command

Call = Callable[..., Result]


@pytest.fixture
def memory() -> Iterator[Memory]:
    before, kept = keyring.get_keyring(), Memory()
    keyring.set_keyring(kept)
    yield kept
    keyring.set_keyring(before)


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))

    def invoke(*arguments: str, secret: str = "") -> Result:
        return CliRunner().invoke(command, list(arguments), input=secret, standalone_mode=False)

    return invoke

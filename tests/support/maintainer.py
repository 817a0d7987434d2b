"""A maintainer at their desk: `sealwright keys` with a keyring, a home and a state folder of their own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sealwright.cli.keys import command
from sealwright.errors import SealwrightError
from sealwright.gnupg.home import private_home
from support.forge import be_quick

PASSPHRASE = "correct horse battery staple"


@dataclass
class Desk:
    """`project` is where the commands run; `keyring` is a GNUPGHOME."""

    project: Path
    keyring: Path

    def __call__(self, *arguments: str, answer: str = "", passphrase: str | None = None) -> Result:
        """Run `sealwright keys …` in this process; a passphrase is given by a descriptor."""
        with _descriptor(passphrase) as more:
            return CliRunner().invoke(command, [*arguments, *more], input=answer, standalone_mode=False)


@contextmanager
def _descriptor(passphrase: str | None) -> Iterator[list[str]]:
    if passphrase is None:
        yield []
        return
    reading, writing = os.pipe()
    os.write(writing, passphrase.encode() + b"\n")
    os.close(writing)
    try:
        yield ["--passphrase-fd", str(reading)]
    finally:
        os.close(reading)


@contextmanager
def sit_down(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with private_home("gpg") as home:
        be_quick(home.folder)
        monkeypatch.chdir(project)
        monkeypatch.setenv("GNUPGHOME", str(home.folder))
        monkeypatch.setenv("HOME", str(project.parent))
        monkeypatch.setenv("XDG_STATE_HOME", str(project.parent / "state"))
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        yield Desk(project, home.folder)


def good(result: Result) -> str:
    assert result.return_value == 0, f"{result.output} {result.exception!r} {getattr(result.exception, 'message', '')}"
    return result.output


def refused(result: Result) -> str:
    assert isinstance(result.exception, SealwrightError), f"{result.output} {result.exception!r}"
    return f"{result.exception.message} {result.exception.hint}"

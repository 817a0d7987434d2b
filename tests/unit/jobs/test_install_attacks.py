"""Attacks on the install: by the folder one stands in, by links, by what a wheel holds, by what it requires."""

import os
from pathlib import Path

import pytest
from support.installing import Environment

from sealwright.errors import UsageError
from sealwright.jobs.install_options import parse_pip_options


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "env")


@pytest.mark.parametrize("planted", ["some-python", "some-python/bin/python"])
def test_a_python_in_the_folder_one_stands_in(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str
) -> None:
    """An unpacked sdist may hold whatever it likes under the name of a Python: a bare name is one on the PATH."""
    program = tmp_path / "sdist" / planted
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path / "sdist")
    words = ("--python", "some-python")
    with pytest.raises(UsageError, match="there is no Python"):
        parse_pip_options(words, {"PATH": os.environ["PATH"]}, "own")
    with pytest.raises(UsageError, match="there is no Python"):
        parse_pip_options(words, {"PATH": ""}, "own")
    own = tmp_path / "bin" / "some-python"
    own.parent.mkdir()
    own.symlink_to(environment.python)
    assert parse_pip_options(words, {"PATH": str(own.parent)}, "own").python == str(own)
    assert parse_pip_options(("--python", f"./{planted}"), {}, "own").python == str(program)

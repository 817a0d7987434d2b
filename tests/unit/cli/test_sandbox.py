"""`sealwright sandbox` as a person uses it: the commands that it prints are run as they are printed."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from support.world import WHEEL, build, run

from sealwright.errors import ExitCode

BIN = Path(sys.executable).parent
PUBLIC = {
    "trusted_root.json",
    "tuf_root.json",
    "trust_config-rekor1.json",
    "trust_config-rekor1-timestamps.json",
    "trust_config-rekor2-timestamps.json",
}
TOKENS = {"email.token", "github.token", "github.env"}


class Running(NamedTuple):
    process: "subprocess.Popen[str]"
    out: Path
    printed: list[str]

    def commands(self) -> list[str]:
        return [line.strip() for line in self.printed if line.startswith("  ")]

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=300)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """The command in a folder whose name a shell would take apart, once it has said that it runs."""
    out = tmp_path / "the sandbox"
    command = [sys.executable, "-m", "sealwright.cli.main", "sandbox", "--out", str(out), "--repository", "o/r"]
    command += ["--publish", str(build(tmp_path / "release"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        printed = []
        for line in process.stdout:
            printed.append(line)
            if line.startswith("Running"):
                break
        yield Running(process, out, printed)
        process.kill()


def shell(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "ACTIONS_"))}
    env |= {"PATH": f"{BIN}:{env['PATH']}", "HOME": str(folder)}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done


def test_the_printed_commands_work_as_printed(running: Running, tmp_path: Path) -> None:
    (tmp_path / "FILE").write_text("an artifact\n")
    commands = running.commands()
    programs = [shlex.split(each)[0].strip("(") for each in commands]
    assert programs == ["sigstore", "sigstore", ".", "sealwright", "pip"]
    for command in commands:
        shell(command, tmp_path)
    assert (tmp_path / WHEEL).read_bytes() == (tmp_path / "release" / WHEEL).read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_to_be_interrupted_is_its_normal_end(running: Running, number: int) -> None:
    assert {path.name for path in running.out.iterdir()} == PUBLIC | TOKENS
    for name in TOKENS:
        assert (running.out / name).stat().st_mode & 0o777 == 0o600
    assert running.out.stat().st_mode & 0o777 == 0o700
    assert {line.split("/")[-1].strip() for line in running.printed if line.startswith("wrote ")} == PUBLIC | TOKENS
    assert running.end(number) == ExitCode.DONE
    assert running.process.stderr
    assert running.process.stderr.read() == ""
    assert {path.name for path in running.out.iterdir()} == PUBLIC


def test_nothing_that_it_writes_is_a_private_key(running: Running) -> None:
    for path in running.out.iterdir():
        assert "PRIVATE" not in path.read_text()
    config = json.loads((running.out / "trust_config-rekor1.json").read_text())
    assert config["signingConfig"]["tsaUrls"] == []


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    done = run("sealwright", "sandbox", "--out", ".", cwd=tmp_path)
    assert done.returncode == ExitCode.USAGE
    assert "is not an empty folder" in done.stderr
    assert "hint: Name a new folder" in done.stderr


@pytest.mark.parametrize(
    ("option", "value"), [("--email", "alice"), ("--repository", "o"), ("--repository", "o/r\n"), ("--ref", "v1")]
)
def test_what_no_token_could_say(tmp_path: Path, option: str, value: str) -> None:
    done = run("sealwright", "sandbox", "--out", "new", option, value, cwd=tmp_path)
    assert done.returncode == ExitCode.USAGE
    assert option in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_folder_without_a_release_is_not_published(tmp_path: Path) -> None:
    done = run("sealwright", "sandbox", "--out", "new", "--publish", ".", cwd=tmp_path)
    assert done.returncode == ExitCode.USAGE
    assert "holds no wheel and no sdist" in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("sealwright", "sandbox", "--out", "file/new", cwd=tmp_path)
    assert done.returncode == ExitCode.UNDECIDED
    assert "the sandbox cannot run" in done.stderr

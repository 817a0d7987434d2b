"""What every command promises: an example in its help, an error that says what to do, completion in three shells."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import termios
from importlib import import_module
from pathlib import Path
from typing import IO

import click
import pytest
from support.forge import Forge
from support.terminal import broken_lines, on_terminal
from support.world import World, run

from sealwright.cli.main import COMMANDS

BIN = Path(sys.executable).parent


@pytest.mark.parametrize("name", [*COMMANDS, ""])
def test_help_shows_an_example(name: str, tmp_path: Path) -> None:
    done = run("sealwright", *([name] if name else []), "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "Example" in done.stdout


def test_the_end_users_help_shows_an_example(tmp_path: Path) -> None:
    done = run("verify-release", "--help", cwd=tmp_path)
    assert "Example" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["verify-release"],
        ["sealwright"],
        *(
            ["sealwright", *name.split()]
            for name in (
                "audit",
                "audit db",
                "keys",
                "keys new",
                "layout",
                "log",
                "log checkpoint",
                "log export",
                "remind",
                "sbom make",
                "seal",
                "step",
                "tokens",
                "tokens add",
                "tokens mint",
                "trust",
                "trust pin",
                "verify-artifact",
                "withdraw",
            )
        ),
    ],
)
def test_each_example_has_a_line_of_its_own(command: list[str], tmp_path: Path) -> None:
    """What a terminal breaks in the middle of a line is not what a person can copy."""
    done = run(*command, "--help", cwd=tmp_path, env={"COLUMNS": "80"})
    _, heading, examples = done.stdout.partition("\n  Example")
    lines = (heading + examples).splitlines()[1:]
    assert max(map(len, lines)) <= 80
    starts = [line for line in lines if command[0] in line]
    assert len(starts) == sum(line.count(f"{command[0]} ") for line in lines), "one a line, and none reflowed"
    assert all(line.rstrip("\\").strip() for line in lines)


def test_a_call_without_anything_has_a_hint_that_can_be_read(tmp_path: Path) -> None:
    (hint,) = [line for line in run("verify-release", cwd=tmp_path).stderr.splitlines() if "hint: " in line]
    assert "\\x08" not in hint
    assert "\\n" not in hint


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_tells_the_truth(name: str) -> None:
    command = import_module(f"sealwright.cli.{COMMANDS[name][0]}").command
    assert isinstance(command, click.Command)


def test_help_imports_no_command(tmp_path: Path) -> None:
    code = (
        "import sys; from sealwright.cli.main import command\ntry: command(['--help'])\nexcept SystemExit: pass\n"
        "sys.exit([m for m in sys.modules if m.startswith('sealwright.cli.') and m not in "
        "('sealwright.cli.main', 'sealwright.cli.run')] or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def complete(
    shell: str, words: str, position: int, variable: str = "_SEALWRIGHT_COMPLETE", program: str = "sealwright"
) -> str:
    env = os.environ | {variable: f"{shell}_complete", "COMP_WORDS": words, "COMP_CWORD": str(position)}
    if shell == "fish":
        env["COMP_CWORD"] = words.split()[-1] if position else ""
    return subprocess.run([BIN / program], env=env, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_answers_in_each_shells_protocol(shell: str) -> None:
    assert "seal" in complete(shell, "sealwright se", 1)
    assert "verify" not in complete(shell, "sealwright se", 1)
    assert "--openpgp-key-file" in complete(shell, "sealwright seal --open", 2)
    assert "--policy" in complete(shell, "verify-release --pol", 1, "_VERIFY_RELEASE_COMPLETE", "verify-release")


@pytest.mark.parametrize(("shell", "check"), [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")])
def test_the_completion_script_is_one_that_the_shell_can_read(shell: str, check: str, tmp_path: Path) -> None:
    env = os.environ | {"_SEALWRIGHT_COMPLETE": f"{shell}_source"}
    script = subprocess.run([BIN / "sealwright"], env=env, capture_output=True, text=True, check=False).stdout
    assert "sealwright" in script
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not on this machine")
    (tmp_path / "script").write_text(script)
    assert subprocess.run([shell, check, tmp_path / "script"], capture_output=True, check=False).returncode == 0


def test_completion_in_a_real_bash(tmp_path: Path) -> None:
    script = (
        f'PATH="{BIN}:$PATH"; eval "$(_SEALWRIGHT_COMPLETE=bash_source sealwright)"\n'
        "COMP_WORDS=(sealwright de); COMP_CWORD=1; _sealwright_completion sealwright de sealwright; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "demo", done.stderr


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not on this machine")
def test_completion_in_a_real_fish(tmp_path: Path) -> None:
    script = (
        f"set -x PATH {BIN} $PATH; _SEALWRIGHT_COMPLETE=fish_source sealwright | source; complete -C 'sealwright de'"
    )
    env = os.environ | {"HOME": str(tmp_path)}
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, check=False, env=env)
    assert done.stdout.split()[0] == "demo", done.stderr


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["sealwright", "seel"], "No such command"),
        (["sealwright", "seal", "--opengpg-key", "x"], "No such option"),
        (["sealwright", "verify", "--version", "not a version"], "neither NAME==VERSION nor VERSION"),
        (["sealwright", "verify"], "keys/policy.toml does not exist"),
        (["sealwright", "seal", "dist"], "keys/policy.toml does not exist"),
        (["verify-release"], "Missing argument"),
        (["verify-release", "1.0"], "there is no policy"),
        (["verify-release", "1.0", "--from", "."], "there is no policy"),
        (["verify-release", "a==b==c", "--from", ".", "--policy", "p"], "neither NAME==VERSION"),
        (["verify-release", "1.0", "--from", "d", "--policy", "p"], "does not exist"),
        (["verify-release", "1." + "9" * 5000, "--from", "d", "--policy", "p"], "neither NAME==VERSION"),
        (["sealwright", "seal", "--passphrase-fd", "99999999999"], "is no number of a file descriptor"),
        (["sealwright", "init"], "does not exist"),
    ],
)
def test_a_wrong_call_says_what_to_do(command: list[str], message: str, tmp_path: Path) -> None:
    done = run(*command, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("sealwright: error: ")
    assert "sealwright: hint: " in done.stderr
    assert message in done.stderr


def test_a_command_that_says_nothing_is_no_success() -> None:
    code = "import click; from sealwright.cli.run import run\nrun(click.Command('x', callback=lambda: None), 'x')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "internal error: TypeError" in done.stderr


def test_without_a_command_the_help_is_shown(tmp_path: Path) -> None:
    done = run("sealwright", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: sealwright")
    assert "\n  seal " in done.stderr


@pytest.mark.parametrize("group", ["keys", "trust", "log", "tokens", "layout", "audit db", "sbom"])
def test_a_group_without_a_command_shows_its_help(group: str, tmp_path: Path) -> None:
    done = run("sealwright", *group.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Usage: sealwright {group}")
    assert "Example: sealwright" in done.stderr
    assert "..." not in done.stderr.partition("\nCommands:")[2], "no sentence is cut"
    assert run("sealwright", *group.split(), "--help", cwd=tmp_path).stdout == done.stderr


def test_what_is_missing_is_answered_with_a_whole_line_to_copy(tmp_path: Path) -> None:
    done = run("sealwright", "keys", "new", cwd=tmp_path)
    assert done.returncode == 2
    hint = done.stderr.partition("sealwright: hint: ")[2]
    assert "sealwright keys new --signer 'release manager' --user-id 'Release Manager <release@example.org>'" in hint
    assert "--backup" in hint


def test_the_policy_of_another_project(world: World) -> None:
    done = world.verify(asked="other==1.2.3")
    assert done.returncode == 2
    assert "is the policy of tiny-project, not of other" in done.stderr


@pytest.mark.parametrize("asked", ["1.2.3", "tiny-project==1.2.3", "Tiny.Project==1.2.3", "tiny_project==1.2.3.0"])
def test_ways_to_ask(world: World, asked: str) -> None:
    assert world.verify(asked=asked).returncode == 0


def test_verify_reads_the_policy_where_one_stands_and_says_so(world: World) -> None:
    done = world.run("sealwright", "verify")
    assert done.returncode == 0
    assert done.stdout.startswith("policy keys/policy.toml, fingerprint ")
    deeper = world.folder / "deeper"
    deeper.mkdir()
    done = run("sealwright", "verify", "../release", cwd=deeper)
    assert done.returncode == 2, "parents are not searched"


def test_json_is_one_object_on_stdout(world: World) -> None:
    done = world.run("sealwright", "verify", "--json")
    verdict = json.loads(done.stdout)
    assert (verdict["result"], verdict["exitCode"], verdict["project"]) == ("PASSED", 0, "tiny-project")
    assert "fingerprint" in done.stderr


def test_a_reader_that_leaves_does_not_get_a_pass(world: World) -> None:
    command = [
        sys.executable,
        "-m",
        "sealwright.cli.verify_release",
        "1.2.3",
        "--from",
        "release",
        "--policy",
        "keys/policy.toml",
    ]
    with subprocess.Popen(command, cwd=world.folder, stdout=-1, stderr=-1) as process:
        assert process.stdout
        process.stdout.close()
        assert process.wait() != 0


def unread(pipe: IO[bytes]) -> int:
    """How many bytes of what was written into a pipe nobody has read yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_an_interrupt_is_130_and_leaves_nothing(unsealed: World, keys: Forge) -> None:
    import signal
    import time

    command = [sys.executable, "-m", "sealwright.cli.main", "seal", "dist", "--openpgp-key-file", "-"]
    env = os.environ | {"TMPDIR": str(unsealed.folder)}
    with subprocess.Popen(command, cwd=unsealed.folder, stdin=-1, stdout=-1, stderr=-1, env=env) as process:
        assert process.stdin
        process.stdin.write(b"-----BEGIN")
        process.stdin.flush()
        while unread(process.stdin):  # then it waits for the rest of the key
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert b"interrupted" in errors
    assert not list(unsealed.folder.glob("sealwright-*"))


@pytest.mark.parametrize(
    ("given", "message"), [("", "was not answered"), ("n\n", "declined"), ("\n", "declined")], ids=repr
)
def test_a_question_that_is_not_answered_with_yes(given: str, message: str) -> None:
    asked = """import click
from sealwright.cli.run import run
run(click.Command("x", callback=lambda: click.confirm("Go on?", abort=True, err=True)), "x")"""
    done = subprocess.run(
        [sys.executable, "-c", asked], input=given, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert message in done.stderr.splitlines()[-2 if not given else -1]
    assert "interrupted" not in done.stderr


def homes_of(process: int) -> list[Path]:
    """The private GNUPGHOMEs of a process: each holds a lock, and other tests have theirs in the same place."""
    opened: list[Path] = []
    with contextlib.suppress(FileNotFoundError):  # it closes files meanwhile
        opened += [entry.readlink() for entry in Path(f"/proc/{process}/fd").iterdir()]
    return [path.parent for path in opened if path.name == "in-use" and path.parent.name.startswith("sealwright-gpg-")]


@pytest.mark.parametrize("signals", [["SIGTERM"], ["SIGHUP"], ["SIGINT"], ["SIGTERM", "SIGTERM", "SIGINT"]])
def test_an_interrupt_wipes_the_secret_key(unsealed: World, keys: Forge, signals: list[str], tmp_path: Path) -> None:
    """It waits for the passphrase, with the key in its private home."""
    import signal
    import time

    from sealwright.sandbox.keys import export_secret, make_key

    fingerprint = make_key(keys.home, f"Interrupted {signals}", passphrase="secret")
    (tmp_path / "key").write_bytes(export_secret(keys.home, fingerprint, "secret"))
    unsealed.policy.write_text(unsealed.policy.read_text().replace(keys.alice, fingerprint))
    (unsealed.policy.parent / f"{fingerprint}.asc").write_bytes(keys.public(fingerprint))
    read, write = os.pipe()
    command = [sys.executable, "-m", "sealwright.cli.main", "seal", "dist", "--openpgp-key-file", str(tmp_path / "key")]
    with subprocess.Popen(
        [*command, "--passphrase-fd", str(read)],
        cwd=unsealed.folder,
        stdin=-3,
        stdout=-1,
        stderr=-1,
        pass_fds=[read],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a test runner may ignore it for its children
    ) as process:
        mine, until = list[Path](), time.monotonic() + 60
        while not mine and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
            mine = [home for home in homes_of(process.pid) if list(home.glob("private-keys-v1.d/*"))]
        time.sleep(0.2)
        for name in signals:
            process.send_signal(getattr(signal, name))
            time.sleep(0.005)
        process.communicate(timeout=300)
    os.close(read)
    os.close(write)
    assert mine, "the key was there"
    assert process.returncode == 130
    assert not any(home.exists() for home in mine)


def test_demo_shows_three_refusals_and_leaves_nothing(tmp_path: Path) -> None:
    done = run("sealwright", "demo", cwd=tmp_path, env={"TMPDIR": str(tmp_path)})
    assert done.stdout.index("\nSigning as ") < done.stdout.index("\nSEALED BY 1 OF 2"), "in the order of a terminal"
    assert done.returncode == 0, done.stdout + done.stderr
    for text in ("VERIFIED", "exit code 10", "exit code 12", "exit code 11", "6 of 6 steps"):
        assert text in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_demo_on_a_terminal_breaks_between_words(tmp_path: Path) -> None:
    code, screen = on_terminal(["sealwright.cli.main", "demo"], tmp_path, {}, {})
    assert code == 0, screen
    assert not broken_lines(screen)
    assert "\x1b[1;31mNOT VERIFIED" in screen, "as the command itself shows it on a terminal"
    assert "$ sealwright seal --policy keys/policy.toml --openpgp-key-file maintainer.key\r\n" in screen
    assert "--identity-token \\\r\n    workflow.token --trust-config sigstore.json --yes --no-openpgp\r\n" in screen, (
        "it can be copied"
    )


def test_demo_keeps_what_it_made(tmp_path: Path) -> None:
    done = run("sealwright", "demo", "--keep", "kept", cwd=tmp_path)
    assert done.returncode == 0
    again = run(
        "verify-release", "sealed-demo==1.0", "--from", "release", "--policy", "keys/policy.toml", cwd=tmp_path / "kept"
    )
    assert again.returncode == 0, again.stderr
    assert run("sealwright", "demo", "--keep", "kept", cwd=tmp_path).returncode == 2


def test_demo_without_gpg_says_what_to_install(tmp_path: Path) -> None:
    done = run("sealwright", "demo", cwd=tmp_path, env={"PATH": str(tmp_path)})
    assert done.returncode == 3
    assert "apt install gnupg" in done.stderr


def test_verify_without_gpg_is_undecided(world: World) -> None:
    done = world.verify(env={"PATH": "/nonexistent"})
    assert done.returncode == 3
    assert done.stdout.startswith("UNDECIDED")
    assert "GnuPG" in done.stdout


def test_init_writes_what_it_found_and_overwrites_nothing(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from sealwright.model.policy_toml import parse_policy

    (tmp_path / "pyproject.toml").write_text('[project]\nname = "My_Project"\nversion = "1"\n')
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    remote = ["git", "-C", tmp_path, "remote", "add", "origin", "https://user:canary@github.com/me/my-project.git"]
    subprocess.run(remote, check=True)
    done = run("sealwright", "init", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "keys" / "policy.toml").read_text()
    assert "canary" not in text
    assert "canary" not in (tmp_path / "keys" / "README.md").read_text()
    filled = text
    for signer in text.split("# [[signer]]")[1:]:
        filled += "\n[[signer]]" + signer.split("\n\n")[0].replace("\n# ", "\n") + "\n"
    policy = parse_policy(filled.encode())
    assert [bool(signer.sigstore) for signer in policy.signers] == [False, True]
    assert (policy.project, policy.repository) == ("my-project", "https://github.com/me/my-project")
    assert 300 < (policy.expires - datetime.now(UTC)).days < 366
    before = (tmp_path / "keys" / "policy.toml").stat().st_mtime_ns
    done = run("sealwright", "init", cwd=tmp_path)
    assert done.returncode == 2
    assert "not overwritten" in done.stderr
    assert (tmp_path / "keys" / "policy.toml").stat().st_mtime_ns == before
    untouched = run("sealwright", "verify", cwd=tmp_path)
    assert untouched.returncode == 2
    assert "lists no signer" in untouched.stderr
    assert "sealwright keys new" in untouched.stderr
    assert "docs/" not in untouched.stderr, "who installed it with pip has no such folder"


@pytest.mark.parametrize(
    "content", ["", "[project]\n", '[project]\nname = "a b"\n', "project = 1\n", "=", "[project]\nname = 3\n"]
)
def test_init_needs_a_project_with_a_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "pyproject.toml").write_text(content)
    done = run("sealwright", "init", cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert not (tmp_path / "keys").exists()

"""`sealwright sbom` as a person runs it: the bare form, the subcommands, exit codes, what is printed where."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.packages import install, loopback_index, wheel
from support.terminal import on_terminal
from support.world import run

FULL = {"SOURCE_DATE_EPOCH": "1700000000"}


def sbom(folder: Path, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    return run("sealwright", "sbom", *arguments, cwd=folder, **options)


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    lines = ("License-Expression: MIT", "Author: Ann")
    install(tmp_path / "venv", "app", "1.0", *lines, requires=["lib"])
    install(tmp_path / "venv", "lib", "2.0", *lines)
    return tmp_path


def test_the_bare_form_and_the_word_make_the_same(environment: Path) -> None:
    bare = sbom(environment, "venv", "--offline", "--project", "app==1.0", env=FULL)
    assert bare.returncode == 0, bare.stderr
    assert bare.stdout == sbom(environment, "make", "venv", "--offline", "--project", "app", env=FULL).stdout
    assert bare.stderr == "left out: no author (--author NAME)\n"
    first = sbom(environment, "-o", "x.json", "--offline", "--author", "A", "venv", "--project", "app", env=FULL)
    assert first.stderr == "wrote x.json: 2 components, the root among them\n", "options may come first"
    assert json.loads((environment / "x.json").read_text())["metadata"]["authors"] == [{"name": "A"}]
    assert first.stdout == ""


def test_a_file_that_is_called_like_a_subcommand(environment: Path) -> None:
    (environment / "venv").rename(environment / "check")
    assert sbom(environment, "./check", "--offline").returncode == 0


def test_help_and_no_argument(tmp_path: Path) -> None:
    done = sbom(tmp_path, "--help")
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("check", "embed", "make", "Example: sealwright sbom"))
    assert "..." not in done.stdout.split("Commands:")[1].split("Example")[0]
    assert sbom(tmp_path).returncode == 2
    assert sbom(tmp_path, "--nonsense").returncode == 2


def test_a_wheel_with_extras_in_brackets(tmp_path: Path) -> None:
    app = wheel(tmp_path, "seal-tiny-app", "1.0", "Provides-Extra: dev", requires=["seal-tiny-tool ; extra == 'dev'"])
    tool = wheel(tmp_path / "index", "seal-tiny-tool")
    with loopback_index(tool) as index:
        done = sbom(tmp_path, f"{app.name}[dev]", "--index-url", index.url, env=FULL)
    assert done.returncode == 0, done.stderr
    assert [c["name"] for c in json.loads(done.stdout)["components"]] == ["seal-tiny-tool"]
    unknown = sbom(tmp_path, app.name, "--extra", "nope", env=FULL)
    assert (unknown.returncode, "It has: dev" in unknown.stderr) == (2, True)


def test_a_document_that_lacks_what_its_maker_can_say_is_told_how(environment: Path) -> None:
    made = sbom(environment, "venv", "--offline", "--project", "app", "-o", "x.json", env={"SOURCE_DATE_EPOCH": ""})
    done = sbom(environment, "check", "x.json", "--min-score", "90")
    assert done.returncode == 12
    assert "make it again with --author NAME and SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)" in done.stdout
    (count,) = re.findall(r"wrote x.json: (\d+ components)", made.stderr)
    assert f", {count}\n" in done.stdout, "both count alike"


def test_check(environment: Path) -> None:
    sbom(environment, "venv", "--offline", "--project", "app", "--author", "A", "-o", "x.json", env=FULL)
    done = sbom(environment, "check", "x.json")
    assert done.returncode == 0
    assert "NTIA 2021: 100 of 100" in done.stdout
    assert "no component hash: app 1.0, lib 2.0" in done.stdout
    below = sbom(environment, "check", "x.json", "--min-score", "100")
    assert below.returncode == 12
    assert below.stdout.startswith("NOT ENOUGH  x.json\n")
    assert "next: ask whoever makes the named components" in below.stdout
    enough = sbom(environment, "check", "x.json", "--min-score", "80", "--json")
    document = json.loads(enough.stdout)
    assert (enough.returncode, document["exitCode"], document["valid"], document["scores"]["NTIA 2021"]) == (
        0,
        0,
        True,
        100,
    )
    code, screen = on_terminal(["sealwright.cli.main", "sbom", "check", "x.json"], environment, {"NO_COLOR": "1"}, {})
    assert code == 0
    assert all(len(line) <= 80 for line in screen.replace("\r\n", "\n").split("\n"))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nowhere",), 2, "does not exist"),
        (("nowhere.whl",), 2, "nowhere.whl does not exist"),
        (("check", "nowhere"), 2, "does not exist"),
        (("check", "venv"), 2, "a directory"),
        (("check", "bad.json"), 2, "no SBOM of a known format"),
        (("embed", "nowhere-1.0-py3-none-any.whl"), 2, "does not exist"),
        (("venv", "--offline", "--extra", "a b"), 2, "no name of an extra"),
        (("venv", "--project", "a b"), 2, "is not NAME"),
        (("venv", "--index-url", "http://example.org"), 2, "--index-url cannot be used"),
        (("venv", "--index-url", "file:///etc"), 2, "--index-url cannot be used"),
        (("venv", "--index-url", "http://127.0.0.1:9/"), 3, "did not answer"),
        (("venv", "--offline", "-o", "no/such/folder/x"), 3, "cannot be written"),
    ],
)
def test_errors(
    environment: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, words: str
) -> None:
    monkeypatch.setenv("PIP_RETRIES", "0")
    (environment / "bad.json").write_text("{}")
    done = sbom(environment, *arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "internal error" not in done.stderr
    assert done.stdout == ""


def test_an_odd_source_date_epoch(environment: Path) -> None:
    assert sbom(environment, "venv", "--offline", env={"SOURCE_DATE_EPOCH": "yesterday"}).returncode == 2


def test_embed(tmp_path: Path) -> None:
    app = wheel(tmp_path / "dist", "seal-tiny-app")
    with loopback_index() as index:
        done = sbom(tmp_path, "embed", str(app), "--index-url", index.url, "-o", ".", env=FULL)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"wrote {app.name}\n  sha256:")
    assert (tmp_path / app.name).read_bytes() != app.read_bytes()


def test_offline_opens_no_socket(environment: Path) -> None:
    """And what is not used is not loaded: neither requests nor the CycloneDX model."""
    code = """
import sys
def refuse(event, arguments):
    if event.startswith("socket."):
        raise SystemExit(f"a socket was used: {event}")
sys.addaudithook(refuse)
from sealwright.cli.main import command
command(["sbom", "venv", "--offline", "-o", "x.json"], standalone_mode=False)
sys.exit(", ".join({"requests", "cyclonedx.model", "license_expression", "jsonschema"} & set(sys.modules)) or 0)
"""
    import sys

    done = subprocess.run([sys.executable, "-c", code], cwd=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

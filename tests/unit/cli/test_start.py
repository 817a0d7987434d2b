"""A plain audit is read without click, and says what click's reading says; whatever is not plain goes to click."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.advisories import affected, make_index, record
from support.terminal import on_terminal

from sealwright.cli.audit_answer import Asking
from sealwright.cli.start import read_plain

PLAIN, CLICK = "sealwright.cli.start", "sealwright.cli.main"


def run(module: str, folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=folder, env=os.environ | environment, capture_output=True, text=True,
        check=False, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("audit r.txt", Asking("r.txt")),
        ("audit --db i r.txt", Asking("r.txt", "i")),
        ("audit r.txt --json", Asking("r.txt", form="json")),
        ("audit --format sarif r.txt", Asking("r.txt", form="sarif")),
        ("audit", None),
        ("audit db", None),
        ("audit db status", None),
        ("audit ./db", None),
        ("audit r.txt s.txt", None),
        ("audit r.txt --db", None),
        ("audit r.txt --db --json", None),
        ("audit r.txt --json --json", None),
        ("audit r.txt --json --format text", None),
        ("audit r.txt --format xml", None),
        ("audit r.txt --vex v", None),
        ("audit r.txt --service osv", None),
        ("audit r.txt --db=i", None),
        ("audit -- r.txt", None),
        ("audit a//r.txt", None),
        ("audit ../r.txt", None),
        ("audit --help", None),
        ("verify release", None),
        ("", None),
    ],
)
def test_what_is_plain(arguments: str, said: Asking | None) -> None:
    assert read_plain(arguments.split()) == said


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    make_index(
        folder,
        record(1, affected("bad", events=[{"introduced": "0"}, {"fixed": "1.3"}])),
        record(2, affected("x", versions=["1"])),
    )
    (folder / "sub").mkdir()
    (folder / "sub" / "r.txt").write_text("bad==1.0\n-r ./more.txt\n-r ../good.txt\nx\n")
    (folder / "sub" / "more.txt").write_text("bad==1.3rc1\n")
    (folder / "good.txt").write_text("good==1.0\n")
    (folder / "data" / "sealwright").mkdir(parents=True)
    (folder / "data" / "sealwright" / "advisories.sqlite").write_bytes((folder / "index.sqlite").read_bytes())
    return folder


@pytest.mark.parametrize(
    "arguments",
    ["sub/r.txt", "good.txt", "missing.txt", "sub", ".", "index.sqlite", "good.txt --db nowhere", "sub/r.txt --json",
     "sub/r.txt --format markdown", "sub/r.txt --format sarif", "sub/r.txt --format cyclonedx", "./good.txt", "sub//r.txt"],
)  # fmt: skip
def test_both_readings_say_the_same(place: Path, arguments: str) -> None:
    where = [] if "--db" in arguments else ["--db", "index.sqlite"]
    one, other = (run(module, place, "audit", *arguments.split(), *where) for module in (PLAIN, CLICK))
    age = r'T[0-9:]{8}Z|ageSeconds(": |",\s+"value": ")[0-9]+'
    said, expected = (re.sub(age, "", each.stdout) for each in (one, other))
    assert said == expected
    assert (one.returncode, one.stderr) == (other.returncode, other.stderr)
    assert "Traceback" not in one.stderr


def test_the_default_index(place: Path) -> None:
    one, other = (
        run(module, place, "audit", "good.txt", XDG_DATA_HOME=str(place / "data")) for module in (PLAIN, CLICK)
    )
    assert (one.returncode, one.stdout) == (other.returncode, other.stdout)
    assert one.returncode == 0


def test_on_a_terminal(place: Path) -> None:
    code, screen = on_terminal([PLAIN, "audit", "sub/r.txt", "--db", "index.sqlite"], place, {}, {})
    assert (code, "VULNERABLE" in screen, max(len(line) for line in screen.splitlines()) < 100) == (20, True, True)


def test_other_commands_go_to_click(place: Path) -> None:
    for command in ("--version", "audit --help", "seal --help", "audit db status --db index.sqlite"):
        assert run(PLAIN, place, *command.split()).returncode == 0, command
    assert run(PLAIN, place).returncode == 2
    done = run(PLAIN, place, "audit", "good.txt", _SEALWRIGHT_COMPLETE="bash_source")
    assert "complete" in done.stdout


def test_a_plain_audit_loads_no_library_that_it_can_do_without(place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", PLAIN, "audit", "good.txt", "--db", "index.sqlite"],
        cwd=place, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert {"sqlite3", "hashlib", "sealwright.jobs.audit.audit"} <= loaded
    assert not loaded & {
        "click",
        "packaging",
        "packaging.version",
        "json",
        "pathlib",
        "textwrap",
        "tomllib",
        "sealwright.render.text",
    }


def test_a_plain_audit_loads_nothing_that_takes_longer_than_it(tmp_path: Path) -> None:
    """Each of these is a tenth of the whole, or more (docs/benchmarks-audit.md)."""
    make_index(tmp_path, record(1, affected("bad", versions=["1.0"])))
    (tmp_path / "r.txt").write_text("good==1.0\nbad==1.0\n")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "sealwright.cli.start", "audit", "r.txt", "--db", "index.sqlite"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert (done.returncode, "sealwright.jobs.audit.audit" in loaded) == (20, True), done.stderr
    assert not loaded & {"re", "typing", "json", "click", "packaging", "requests", "tempfile", "subprocess"}

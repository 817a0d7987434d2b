"""What pip-audit really says, asked about a service on loopback: each finding, skip and warning is read."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.advisories import affected, record
from support.osv_server import OsvServer, running_osv

from sealwright.collect.advisories.pip_audit import Spoken, Vulnerability, _read_answer, _read_warnings, run_pip_audit
from sealwright.errors import UndecidedError

RECORDS = (
    record(1, affected("bad", events=[{"introduced": "0"}, {"fixed": "1.1"}]), aliases=["CVE-2020-1"]),
    record(2, affected("odd", events=[{"introduced": "0"}])),
    record(3, affected("none", events=[{"introduced": "0"}])),
)
GOOD, BAD, ODD, NONE, NEW = ("good", "1.0"), ("bad", "1.0"), ("odd", "1.0"), ("none", "1.0"), ("new", "1.0")
FOUND = Spoken((Vulnerability("PYSEC-2020-1", ("CVE-2020-1",), ("1.1",), ""),))
SKIPPED = "pip-audit skipped it: URL requirements cannot be pinned to a specific package version"
ENVIRONMENT = {"PATH": os.environ["PATH"]}


@pytest.fixture(scope="module")
def service() -> Iterator[OsvServer]:
    with running_osv(RECORDS) as server:
        server.faults |= {"odd": "schema", "none": "unaffected"}
        yield server


@pytest.fixture(scope="module")
def answer(service: OsvServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The JSON of a run over two pins and something that pip-audit skips."""
    folder = tmp_path_factory.mktemp("pip-audit")
    (folder / "r.txt").write_text("good==1.0\nbad==1.0\nnew @ https://example.org/new-1.0.tar.gz\n")
    command = [
        sys.executable, "-I", "-m", "pip_audit", "-r", "r.txt", "--no-deps", "--disable-pip", "-f", "json", "-s", "osv",
        "--desc", "off", "--osv-url", service.url, "--cache-dir", "cache", "-o", "answer.json",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    return folder / "answer.json"


def test_each_finding_and_each_skip_is_read(answer: Path) -> None:
    said = _read_answer(answer, [GOOD, BAD, NEW, ("absent", "1.0"), ("good", "2.0")])
    assert said[GOOD] == Spoken()
    assert said[BAD] == FOUND
    assert said[NEW] == Spoken(skipped=SKIPPED)
    assert said["absent", "1.0"] == Spoken(skipped="pip-audit says nothing of it")
    assert said["good", "2.0"] == Spoken(skipped="pip-audit speaks of another version, 1.0")


@pytest.mark.parametrize("spoil", [("dependencies", "x"), ("vulns", "x"), ("version", "x"), ("id", "x"), ("}", "")])
def test_an_answer_in_another_form_is_none(answer: Path, tmp_path: Path, spoil: tuple[str, str]) -> None:
    text = answer.read_text()
    assert spoil[0] in text
    (tmp_path / "answer.json").write_text(text.replace(*spoil))
    with pytest.raises(UndecidedError, match="cannot be read"):
        _read_answer(tmp_path / "answer.json", [GOOD, BAD, NEW])


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_second_word_on_a_dependency_takes_back_no_finding(answer: Path, tmp_path: Path, version: str) -> None:
    document = json.loads(answer.read_text())
    document["dependencies"].append({"name": "Bad", "version": version, "vulns": []})
    (tmp_path / "answer.json").write_text(json.dumps(document))
    with pytest.raises(UndecidedError, match="cannot be read"):
        _read_answer(tmp_path / "answer.json", [BAD])


def test_its_warnings_are_read_but_not_its_advice(service: OsvServer) -> None:
    """It passes over two records and calls what they are about clean: only its warnings tell."""
    said = run_pip_audit([GOOD, BAD, ODD, NONE], "osv", service.url, ENVIRONMENT)
    assert said.spoken == {GOOD: Spoken(), BAD: FOUND, ODD: Spoken(), NONE: Spoken()}
    assert {line.removeprefix("pip-audit: WARNING:pip_audit._service.osv:") for line in said.warnings} == {
        "Unsupported OSV schema version: 2.0.0",
        "OSV vuln entry 'PYSEC-2020-3' is missing 'affected' list",
    }


def test_the_last_warnings_are_kept(tmp_path: Path) -> None:
    (tmp_path / "said").write_bytes(b"first\n" + b"\xff more \n\n" * 60 + b"x" * 400 + b"\n")
    said = _read_warnings(tmp_path / "said")
    assert (len(said), said[0], said[-1]) == (50, "� more", "x" * 300)

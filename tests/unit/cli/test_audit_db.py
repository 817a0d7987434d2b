"""`sealwright audit db`, and the audit online, as a person runs them."""

import json
from pathlib import Path

import pytest
from support.advisories import affected, record, write_export
from support.osv_server import running_osv
from support.world import run

RECORDS = (record(1, affected("bad", events=[{"introduced": "0"}, {"fixed": "1.1"}])),)


def test_import_and_status(tmp_path: Path) -> None:
    write_export(tmp_path / "all.zip", *RECORDS, b"[")
    environment = {"XDG_DATA_HOME": str(tmp_path / "data")}
    done = run("sealwright", "audit", "db", "import", "all.zip", cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert "1 (0 of them withdrawn), about 1 projects" in done.stdout
    assert "record-1.json: not JSON: Expecting value" in done.stdout
    status = run("sealwright", "audit", "db", "status", "--json", cwd=tmp_path, env=environment)
    facts = json.loads(status.stdout)
    assert (facts["records"], facts["newest"], facts["skipped_count"]) == (1, "2025-12-30T00:00:00Z", 1)
    assert facts["path"] == str(tmp_path / "data" / "sealwright" / "advisories.sqlite")
    assert facts["sha256"] in run("sealwright", "audit", "db", "status", cwd=tmp_path, env=environment).stdout
    (tmp_path / "r.txt").write_text("bad==1.0\n")
    assert run("sealwright", "audit", "r.txt", cwd=tmp_path, env=environment).returncode == 20


@pytest.mark.parametrize("command", [["status"], ["import", "missing.zip"], ["import"], ["invented"], []])
def test_wrong_calls(tmp_path: Path, command: list[str]) -> None:
    done = run("sealwright", "audit", "db", *command, cwd=tmp_path, env={"XDG_DATA_HOME": str(tmp_path)})
    assert done.returncode == 2, done.stdout + done.stderr


def test_nobody_answers(tmp_path: Path) -> None:
    done = run("sealwright", "audit", "db", "update", "--from", "http://127.0.0.1:1/all.zip", "--db", "i", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "cannot be fetched" in done.stderr


@pytest.mark.parametrize(
    "url", ["http://example.org/all.zip", "ftp://example.org/all.zip", "https:///x", "http://[", "file:///x"]
)
def test_only_https(tmp_path: Path, url: str) -> None:
    (tmp_path / "r.txt").write_text("bad==1.0\n")
    for arguments in (
        ["db", "import", url],
        ["db", "update", "--from", url],
        ["r.txt", "--service", "osv", "--osv-url", url],
    ):
        done = run("sealwright", "audit", *arguments, cwd=tmp_path, env={"XDG_DATA_HOME": str(tmp_path)})
        assert done.returncode == 2, done.stderr


def test_online(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("bad==1.0\ngood==1.0\n")
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    with running_osv(RECORDS) as service:
        arguments = ["r.txt", "--service", "osv", "--osv-url", service.url]
        done = run("sealwright", "audit", *arguments, cwd=tmp_path, env=environment)
        assert done.returncode == 20, done.stderr
        assert "bad 1.0 (line 1): fixed in 1.1" in done.stdout
        assert f"against      {service.url}, asked at" in done.stdout
        for fault in ("500", "body:{}", "body:null", "body:<html></html>", "redirect", "truncated"):
            service.faults["*"] = fault
            done = run("sealwright", "audit", *arguments, cwd=tmp_path, env=environment)
            assert (done.returncode, done.stdout) == (3, ""), fault
        service.faults.clear()
        service.faults["good"] = "404"
        (tmp_path / "r.txt").write_text("good==1.0\n")
        done = run("sealwright", "audit", *arguments, cwd=tmp_path, env=environment)
        assert (done.returncode, "NOT AUDITED" in done.stdout) == (21, True), done.stderr
    done = run("sealwright", "audit", *arguments, cwd=tmp_path, env=environment)  # refused: it has stopped
    assert (done.returncode, done.stdout) == (3, "")
    assert run("sealwright", "audit", "r.txt", "--osv-url", "http://x", cwd=tmp_path).returncode == 2

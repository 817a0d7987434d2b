"""`sealwright audit db`, and the audit online, as a person runs them."""

import json
from pathlib import Path

import pytest
from support.advisories import affected, make_index, record, write_export
from support.export_server import running_export
from support.osv_server import running_osv
from support.packages import sha256
from support.world import run

RECORDS = (record(1, affected("bad", events=[{"introduced": "0"}, {"fixed": "1.1"}])),)


def test_import_and_status(tmp_path: Path) -> None:
    write_export(tmp_path / "all.zip", *RECORDS, b"[")
    environment = {"XDG_DATA_HOME": str(tmp_path / "data")}
    done = run("sealwright", "audit", "db", "import", "all.zip", cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert "1 (0 of them withdrawn), about 1 project" in done.stdout
    assert "record-1.json: not JSON: Expecting value" in done.stdout
    status = run("sealwright", "audit", "db", "status", "--json", cwd=tmp_path, env=environment)
    facts = json.loads(status.stdout)
    assert (facts["records"], facts["newest"], facts["skipped_count"]) == (1, "2025-12-30T00:00:00Z", 1)
    assert facts["path"] == str(tmp_path / "data" / "sealwright" / "advisories.sqlite")
    assert facts["sha256"] in run("sealwright", "audit", "db", "status", cwd=tmp_path, env=environment).stdout
    (tmp_path / "r.txt").write_text("bad==1.0\n")
    assert run("sealwright", "audit", "r.txt", cwd=tmp_path, env=environment).returncode == 20


def test_import_and_update_over_http(tmp_path: Path) -> None:
    """Both fetch; the second knows where from, and asks only for what has changed."""
    environment = {"XDG_DATA_HOME": str(tmp_path / "data")}

    def db(*arguments: str) -> tuple[str, str]:
        done = run("sealwright", "audit", "db", *arguments, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    with running_export() as server:
        server.content = write_export(tmp_path / "all.zip", *RECORDS).read_bytes()
        said, noticed = db("import", server.url)
        assert ("1 (0 of them withdrawn), about 1 project" in said, noticed) == (True, "updated\n")
        first = json.loads(db("status", "--json")[0])
        assert (first["source"], first["etag"], first["records"]) == (server.url, server.etag, 1)
        assert first["source_sha256"] == sha256(tmp_path / "all.zip")
        assert 0 <= first["ageSeconds"] < 3600  # from when it was fetched, not from the newest change in it
        assert first["newest"] < first["current"]
        assert db("update")[1] == "nothing has changed\n"
        assert [asked.get("If-None-Match") for asked in server.asked] == [None, server.etag]
        assert json.loads(db("status", "--json")[0])["sha256"] == first["sha256"]
        server.etag, server.content = '"two"', write_export(tmp_path / "two.zip", *RECORDS, record(2)).read_bytes()
        assert db("update", "--from", server.url)[1] == "updated\n"
    status = db("status")[0]
    assert f"source     {server.url}\n" in status
    assert "age        0 hours old, as of 20" in status
    assert "2 (0 of them withdrawn)" in status


def test_the_status_says_how_old_a_file_is_by_its_newest_record(tmp_path: Path) -> None:
    """Nobody knows when a file was fetched; no import makes it young."""
    make_index(tmp_path, *RECORDS)
    done = run("sealwright", "audit", "db", "status", "--db", "index.sqlite", cwd=tmp_path)
    assert "days old, as of 2025-12-30T00:00:00Z\n" in done.stdout
    assert str(tmp_path / "export.zip") in done.stdout


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


@pytest.mark.parametrize("words", [("r.txt", "--service", "osv", "--osv-url"), ("db", "import")])
def test_an_address_with_a_password_is_not_taken(tmp_path: Path, words: tuple[str, ...]) -> None:
    """It would stand in the index, in each answer, and in what is attested."""
    (tmp_path / "r.txt").write_text("good==1.0\n")
    for url in ("https://user:canary@osv.example/all.zip", "http://canary@osv.example"):
        done = run("sealwright", "audit", *words, url, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert ".netrc" in done.stderr
        assert "canary" not in done.stderr


@pytest.mark.parametrize("service", ["osv", "pypi"])
def test_the_age_of_an_index_says_nothing_of_a_service(tmp_path: Path, service: str) -> None:
    """It would be passed over without a word: so it is refused, before anybody is asked."""
    (tmp_path / "r.txt").write_text("bad==1.0\n")
    make_index(tmp_path, *RECORDS)
    arguments = ["r.txt", "--service", service, "--db", "index.sqlite", "--db-max-age", "7d"]
    done = run("sealwright", "audit", *arguments, cwd=tmp_path, env={"HTTPS_PROXY": "http://127.0.0.1:1"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "--db-max-age" in done.stderr

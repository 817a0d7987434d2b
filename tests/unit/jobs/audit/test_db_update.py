"""`audit db update`: only what has changed is fetched, what broke off is continued, and too much is refused."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests
from support.advisories import NOW, record, write_export
from support.export_server import ExportServer, running_export

from sealwright.collect.advisories import export_download
from sealwright.errors import UndecidedError, UsageError
from sealwright.jobs.audit.audit import Rules, audit
from sealwright.jobs.audit.db import Updated, update_index
from sealwright.model.dependency import Dependencies, Dependency
from sealwright.store.advisory_index import open_index, read_facts


@pytest.fixture
def server() -> Iterator[ExportServer]:
    with running_export() as made:
        yield made


def update(server: ExportServer, index: Path, now: datetime = NOW) -> Updated:
    with requests.Session() as session:
        session.trust_env = False
        return update_index(server.url, index, session, clock=lambda: now)


def test_only_what_has_changed(tmp_path: Path, server: ExportServer) -> None:
    index = tmp_path / "data" / "index.sqlite"
    server.content = write_export(tmp_path / "one.zip", record(1)).read_bytes()
    first = update(server, index)
    assert (first.changed, first.facts.records, first.facts.current) == (True, 1, "2026-01-02T03:04:05Z")
    later = NOW + timedelta(days=3)
    second = update(server, index, later)
    assert (second.changed, second.facts.sha256) == (False, first.facts.sha256)
    assert open_index(index).facts.age(later) == timedelta(0)
    server.content, server.etag = write_export(tmp_path / "two.zip", record(1), record(2)).read_bytes(), '"two"'
    third = update(server, index, later)
    assert (third.changed, third.facts.records, third.facts.etag) == (True, 2, '"two"')
    assert {path.name for path in index.parent.iterdir()} == {"index.sqlite", "index.sqlite.lock"}


@pytest.mark.parametrize(("days", "warned"), [(0, False), (29, False), (31, True), (-5, False)])
@pytest.mark.parametrize("rules", [Rules(), Rules(max_age=timedelta(days=1))])
def test_a_source_that_stands_still_is_told_of(
    tmp_path: Path, server: ExportServer, days: int, warned: bool, rules: Rules
) -> None:
    """A mirror that gets nothing new says so every day, so that the index is never old; its advisories are."""
    changed = (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    server.content = write_export(tmp_path / "one.zip", record(1, modified=changed)).read_bytes()
    update(server, tmp_path / "index.sqlite")
    asked = Dependencies("requirements", "r.txt", (Dependency("good", "1.0", "r.txt"),))
    result = audit(asked, open_index(tmp_path / "index.sqlite"), rules, now=NOW)
    said = f"the newest advisory was {days} days old when the index was fetched: does its source get new ones?"
    assert (result.exit_code, [each for each in result.warnings if "newest" in each]) == (0, [said] * warned)


def test_a_server_without_entity_tags_is_asked_by_its_date(tmp_path: Path, server: ExportServer) -> None:
    index = tmp_path / "index.sqlite"
    server.etag, server.modified = "", "Tue, 30 Dec 2025 10:00:00 GMT"
    server.content = write_export(tmp_path / "one.zip", record(1)).read_bytes()
    assert update(server, index).facts.last_modified == server.modified
    assert update(server, index).changed is False
    assert (server.asked[-1]["If-Modified-Since"], "If-None-Match" in server.asked[-1]) == (server.modified, False)
    asked = server.modified
    server.modified = "Wed, 31 Dec 2025 10:00:00 GMT"
    server.content = write_export(tmp_path / "two.zip", record(1), record(2)).read_bytes()
    third = update(server, index)
    assert server.asked[-1]["If-Modified-Since"] == asked
    assert (third.changed, third.facts.records, third.facts.last_modified) == (True, 2, server.modified)


def test_a_date_alone_joins_no_halves(tmp_path: Path, server: ExportServer) -> None:
    """Two files of one second have one date: what broke off is fetched from its beginning."""
    index = tmp_path / "index.sqlite"
    server.etag, server.modified, server.broken_after = "", "Tue, 30 Dec 2025 10:00:00 GMT", 200_000
    server.content = write_export(tmp_path / "one.zip", record(1, details="x" * 300_000)).read_bytes()
    with pytest.raises(UndecidedError):
        update(server, index)
    server.broken_after = None
    assert update(server, index).facts.records == 1
    assert not {"Range", "If-Range"} & set(server.asked[-1])


def test_it_goes_on_where_it_broke_off(tmp_path: Path, server: ExportServer) -> None:
    index = tmp_path / "data" / "index.sqlite"
    server.content = write_export(tmp_path / "one.zip", record(1, details="x" * 300_000)).read_bytes()
    server.broken_after = 200_000
    with pytest.raises(UndecidedError):
        update(server, index)
    assert (index.parent / "index.sqlite.download").stat().st_size == 200_000
    server.broken_after = None
    assert update(server, index).facts.records == 1
    assert server.asked[-1]["Range"] == "bytes=200000-"


def test_halves_of_two_files_are_never_joined(tmp_path: Path, server: ExportServer) -> None:
    index = tmp_path / "data" / "index.sqlite"
    server.content = write_export(tmp_path / "one.zip", record(1, details="x" * 300_000)).read_bytes()
    server.broken_after = 200_000
    with pytest.raises(UndecidedError):
        update(server, index)
    server.broken_after = None
    server.content, server.etag = write_export(tmp_path / "two.zip", record(1), record(2)).read_bytes(), '"two"'
    assert update(server, index).facts.records == 2


@pytest.mark.parametrize("drips", ["head", "body"])
def test_it_does_not_wait_for_ever(
    tmp_path: Path, server: ExportServer, monkeypatch: pytest.MonkeyPatch, drips: str
) -> None:
    """Each byte arrives in time, and the whole never does."""
    server.drips = drips
    for name in ("_SECONDS", "_HEAD_SECONDS"):
        monkeypatch.setattr(export_download, name, 1.0)
    start = time.monotonic()
    with pytest.raises(UndecidedError, match=r"within 1 seconds|no answer in time"):
        update(server, tmp_path / "index.sqlite")
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("status", [204, 301, 302, 403, 404, 416, 429, 500])
def test_other_answers(tmp_path: Path, server: ExportServer, status: int) -> None:
    index = tmp_path / "index.sqlite"
    server.content = write_export(tmp_path / "one.zip", record(1)).read_bytes()
    update(server, index)
    before = index.read_bytes()
    server.status = status
    with pytest.raises(UndecidedError, match=f"status {status}"):
        update(server, index)
    assert index.read_bytes() == before


def test_nothing_has_changed_since_nothing(tmp_path: Path, server: ExportServer) -> None:
    server.status = 304
    with pytest.raises(UndecidedError):
        update(server, tmp_path / "index.sqlite")


def test_what_is_of_no_use_is_not_kept(tmp_path: Path, server: ExportServer) -> None:
    server.content = b"<html>"
    with pytest.raises(UsageError):
        update(server, tmp_path / "index.sqlite")
    assert {path.name for path in tmp_path.iterdir()} == set()


def test_too_much(tmp_path: Path, server: ExportServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_download, "MAX_EXPORT_BYTES", 50)
    server.content = write_export(tmp_path / "one.zip", record(1)).read_bytes()
    with pytest.raises(UndecidedError, match="larger than"):
        update(server, tmp_path / "index.sqlite")


def test_a_damaged_index_is_made_anew(tmp_path: Path, server: ExportServer) -> None:
    index = tmp_path / "index.sqlite"
    index.write_bytes(b"damaged")
    server.content = write_export(tmp_path / "one.zip", record(1)).read_bytes()
    assert update(server, index).facts == read_facts(index)[0]

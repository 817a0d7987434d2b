"""The services whose place is built into pip-audit, by a real pip-audit: what it takes for "nothing known" is asked again."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from support.advisories import NOW, affected, make_index, record
from support.feeds import Feeds, advisory, pypi_says, running_feeds, vulnerability

from sealwright.errors import ExitCode, UndecidedError
from sealwright.jobs.audit.audit import Rules
from sealwright.jobs.audit.online import Online, audit_online
from sealwright.model.audit import AuditResult, Coverage
from sealwright.model.dependency import Dependencies, Dependency
from sealwright.store.advisory_index import open_index

CLEAN, BAD, NEW = ("good", "1.0"), ("bad", "1.0"), ("new", "1.0")
SERVICES = ("pypi", "esms")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feeds]:
    with running_feeds(tmp_path_factory.mktemp("feeds")) as feeds:
        yield feeds


@pytest.fixture
def feeds(running: Feeds) -> Feeds:
    running.answers.clear()
    running.asked.clear()
    return running


def audit(feeds: Feeds, service: str, *pins: tuple[str, str], index: Path | None = None) -> AuditResult:
    entries = tuple(Dependency(name, version, "r.txt", line) for line, (name, version) in enumerate(pins, 1))
    with requests.Session() as session:
        session.trust_env = False
        session.proxies, session.verify = (
            {"https": feeds.environment["HTTPS_PROXY"]},
            feeds.environment["REQUESTS_CA_BUNDLE"],
        )
        online = Online(service, session, {"PATH": os.environ["PATH"], **feeds.environment})
        found, opened = Dependencies("requirements", "r.txt", entries), open_index(index) if index else None
        return audit_online(found, online, Rules(), now=NOW, index=opened)


@pytest.mark.parametrize("service", SERVICES)
def test_findings(feeds: Feeds, service: str) -> None:
    result = audit(feeds, service, CLEAN, BAD)
    assert [entry.coverage.value for entry in result.audited] == ["clean", "vulnerable"]
    (finding,) = result.audited[1].findings
    assert (finding.ids, result.audited[1].fix, result.exit_code) == (("GHSA-1",), "1.1", ExitCode.VULNERABLE)
    assert [each for each in result.warnings if each.startswith("pip-audit")] == []
    again = [path for path in feeds.asked if "bad" in path]
    assert len(again) == 2, "pip-audit asks, and we do"


def test_the_fix_is_the_lowest_that_mends_each_and_the_latest_of_all(feeds: Feeds) -> None:
    """As much as pip-audit lets know."""
    said = pypi_says("bad", "1.0", vulnerability("GHSA-1", "1.3", "1.1"), vulnerability("GHSA-2", "1.2"))
    feeds.answer(*BAD, json.dumps(said))
    (entry,) = audit(feeds, "pypi", BAD).audited
    assert ([finding.fixed for finding in entry.findings], entry.fix) == (["1.1", "1.2"], "1.2")


@pytest.mark.parametrize(
    ("fixed", "events", "fix"),
    [
        (["1.1"], [{"introduced": "1.1"}, {"fixed": "1.2"}], "1.2"),  # what mends the one is hit by the other
        (["1.3"], [{"introduced": "0"}, {"fixed": "1.2"}], "1.3"),  # what mends the other comes too early for the one
        ([], [{"introduced": "0"}, {"fixed": "1.2"}], ""),  # nothing is known to mend the one
    ],
)
def test_the_fix_mends_what_the_feed_and_the_index_know(
    feeds: Feeds, tmp_path: Path, fixed: list[str], events: list[dict[str, str]], fix: str
) -> None:
    feeds.answer(*BAD, json.dumps(pypi_says("bad", "1.0", vulnerability("GHSA-1", *fixed))))
    index = make_index(tmp_path, record(1, affected("bad", events=events)))
    assert audit(feeds, "pypi", BAD, index=index).audited[0].fix == fix


def test_what_pypi_does_not_have_is_not_audited(feeds: Feeds) -> None:
    feeds.answer(*NEW, "{}", 404)
    (entry,) = audit(feeds, "pypi", NEW).audited
    assert (entry.coverage, "not found on PyPI" in entry.reasons[0]) == (Coverage.NOT_AUDITED, True)


# What pip-audit takes for "nothing known", without a word.
EMPTY = {
    "pypi": [
        "{}", '{"vulnerabilities": null}', '{"vulnerabilities": []}', '{"info": {}, "vulnerabilities": []}',
        '{"vulnerabilities": {}}', '{"vulnerabilities": ""}', json.dumps(pypi_says("good", "9.0")),
        json.dumps(pypi_says("other", "1.0")), '{"message": "log in"}',
        '{"info": {"name": "good", "version": "1.0"}, "vulnerabilities": [], "vulnerabilities": []}',
    ],
    "esms": ["{}", "null", '""', "0", "false"],
}  # fmt: skip


@pytest.mark.parametrize(("service", "body"), [(name, body) for name, bodies in EMPTY.items() for body in bodies])
def test_an_empty_answer_is_no_clean_one(feeds: Feeds, service: str, body: str) -> None:
    feeds.answer(*CLEAN, body)
    (entry,) = audit(feeds, service, CLEAN).audited
    assert entry.coverage is Coverage.NOT_AUDITED, entry
    assert "the service" in entry.reasons[0]


@pytest.mark.parametrize(
    ("service", "body"),
    [
        ("pypi", "{}"),
        ("pypi", '{"vulnerabilities": []}'),
        ("pypi", json.dumps(pypi_says("jinja2", "2.4.1"))),
        ("pypi", json.dumps(pypi_says("jinja2", "2.4.1", vulnerability("X", withdrawn="2021-01-01T00:00:00Z")))),
        ("esms", "[]"),
        ("esms", "{}"),
        ("esms", json.dumps([advisory("X", "jinja2", "< 2.7.2", "2.7.2", withdrawn="2021-01-01T00:00:00Z")])),
    ],
)
def test_a_service_that_knows_nothing_is_not_believed(feeds: Feeds, service: str, body: str) -> None:
    feeds.answer("*", "", body)
    with pytest.raises(UndecidedError, match=r"jinja2==2\.4\.1 is vulnerable|cannot be used"):
        audit(feeds, service, CLEAN)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("body", ["<html></html>", "", "{} {}", '[{"id": 1}]', "[1]"])
def test_what_pip_audit_cannot_read_is_no_answer(feeds: Feeds, service: str, body: str) -> None:
    """It dies of it, and then nothing was audited."""
    feeds.answer(*CLEAN, body)
    with pytest.raises(UndecidedError, match="pip-audit gave no answer"):
        audit(feeds, service, CLEAN)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("status", [400, 403, 429, 500])
def test_a_status_is_no_answer(feeds: Feeds, service: str, status: int) -> None:
    for name, version in (CLEAN, ("*", "")):
        feeds.answer(name, version, "{}", status)
        with pytest.raises(UndecidedError):
            audit(feeds, service, CLEAN)


def test_more_pages_than_pip_audit_reads(feeds: Feeds) -> None:
    feeds.answer(*CLEAN, "[]", Link='<https://advisories.ecosyste.ms/api/v1/advisories?page=2>; rel="next"')
    (entry,) = audit(feeds, "esms", CLEAN).audited
    assert (entry.coverage, "pages" in entry.reasons[0]) == (Coverage.NOT_AUDITED, True)


def test_what_is_found_hides_nothing_that_is_passed_over(feeds: Feeds) -> None:
    """The one that is found could be ignored."""
    found = advisory("GHSA-1", "bad", "< 1.1", "1.1")
    feeds.answer(*BAD, json.dumps([found]), Link='<https://advisories.ecosyste.ms/x?page=2>; rel="next"')
    (entry,) = audit(feeds, "esms", BAD).audited
    assert (len(entry.findings), "pages" in entry.reasons[0]) == (1, True)
    feeds.answer(*BAD, json.dumps([found, advisory("CVE-2", "Bad", "< 2", "2")]))
    (entry,) = audit(feeds, "esms", BAD).audited
    assert (len(entry.findings), "CVE-2" in entry.reasons[0]) == (1, True)


def test_an_advisory_that_pip_audit_passes_over(feeds: Feeds) -> None:
    """It compares the name as it is written, and reads only what is of pypi."""
    feeds.answer(*CLEAN, json.dumps([advisory("CVE-2", "Good", "< 2", "2")]))
    (entry,) = audit(feeds, "esms", CLEAN).audited
    assert (entry.coverage, "CVE-2" in entry.reasons[0]) == (Coverage.NOT_AUDITED, True)
    feeds.answer(*CLEAN, json.dumps([advisory("CVE-2", "good", "< 1.0", "1.0")]))
    assert audit(feeds, "esms", CLEAN).exit_code is ExitCode.DONE


def test_what_was_withdrawn_is_not_asked_for(feeds: Feeds) -> None:
    feeds.answer(*CLEAN, json.dumps(pypi_says("good", "1.0", vulnerability("X", withdrawn="2021-01-01T00:00:00Z"))))
    assert audit(feeds, "pypi", CLEAN).exit_code is ExitCode.DONE


@pytest.mark.parametrize("service", SERVICES)
def test_nobody_listens(feeds: Feeds, service: str) -> None:
    gone = feeds._replace(environment=feeds.environment | {"HTTPS_PROXY": "http://127.0.0.1:9"})
    with pytest.raises(UndecidedError, match="cannot be used"):
        audit(gone, service, CLEAN)

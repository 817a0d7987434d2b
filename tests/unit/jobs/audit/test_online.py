"""The online audit against a service on loopback that misbehaves in every way: nothing that it does ends with 0."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from support.advisories import NOW, affected, make_index, record
from support.osv_server import OsvServer, running_osv
from support.user_site import UserSite

from sealwright.errors import ExitCode, UndecidedError, UsageError
from sealwright.jobs.audit.audit import Rules
from sealwright.jobs.audit.online import Online, audit_online
from sealwright.model.audit import AuditResult, Coverage
from sealwright.model.dependency import Dependencies, Dependency
from sealwright.model.known_names import KnownNames
from sealwright.render.audit import render_audit
from sealwright.store.advisory_index import open_index

RECORDS = (
    record(1, affected("bad", events=[{"introduced": "0"}, {"fixed": "1.1"}]), aliases=["CVE-2020-1"]),
    record(2, affected("bad", events=[{"introduced": "0"}, {"fixed": "1.2"}])),
    record(3, affected("bad", events=[{"introduced": "0"}]), withdrawn="2021-01-01T00:00:00Z"),
    record(6, affected("yet", events=[{"introduced": "0"}]), withdrawn="2099-01-01T00:00:00Z"),
    record(4, affected("last", events=[{"introduced": "0"}, {"last_affected": "1.0"}])),
    record(5, affected("listed", versions=["1.0"])),
)
CLEAN, BAD = ("good", "1.0"), ("bad", "1.0")


@pytest.fixture(scope="module")
def running() -> Iterator[OsvServer]:
    with running_osv(RECORDS) as server:
        yield server


def test_a_local_version_is_asked_as_the_public_one_too(service: OsvServer) -> None:
    result = audit(service.url, ("last", "1.0+cpu"), ("listed", "1.0+cpu"), ("bad", "1.0+cpu"), ("good", "1.0+cpu"))
    assert [entry.coverage.value for entry in result.audited] == ["vulnerable"] * 3 + ["clean"]
    assert len(result.audited[2].findings) == 2


def test_malice_that_only_the_index_knows_is_not_ignored_with_its_alias(service: OsvServer, tmp_path: Path) -> None:
    evil = record("MAL-2020-1", affected("bad", events=[{"introduced": "0"}]), aliases=["PYSEC-2020-1", "PYSEC-2020-2"])
    result = audit(service.url, BAD, index=make_index(tmp_path, *RECORDS, evil))
    assert any(finding.malicious for finding in result.audited[0].findings)


@pytest.fixture
def service(running: OsvServer) -> OsvServer:
    running.faults.clear()
    running.queries.clear()
    return running


def audit(
    url: str, *pins: tuple[str, str], index: Path | None = None, service: str = "osv", rules: Rules | None = None,
    seconds: float = 60.0,
) -> AuditResult:  # fmt: skip
    entries = tuple(Dependency(name, version, "r.txt", line) for line, (name, version) in enumerate(pins, 1))
    with requests.Session() as session:
        session.trust_env = False
        online = Online(service, session, {"PATH": os.environ["PATH"]}, url, seconds=seconds)
        opened = open_index(index) if index else None
        found = Dependencies("requirements", "r.txt", entries)
        return audit_online(found, online, rules or Rules(), now=NOW, index=opened)


def test_findings(service: OsvServer) -> None:
    result = audit(service.url, CLEAN, BAD, ("bad", "1.1"), ("bad", "2.0"))
    assert [entry.coverage.value for entry in result.audited] == ["clean", "vulnerable", "vulnerable", "clean"]
    bad = result.audited[1]
    assert [finding.ids for finding in bad.findings] == [("PYSEC-2020-1", "CVE-2020-1"), ("PYSEC-2020-2",)]
    assert (bad.fix, result.service, result.exit_code) == ("1.2", service.url, ExitCode.VULNERABLE)
    assert [each for each in result.warnings if each.startswith("pip-audit")] == []
    assert len(service.queries) == 5  # the probe, and each once: pip-audit is answered from what was checked


def test_it_is_found_where_a_user_has_installed_everything_for_himself(service: OsvServer, tmp_path: Path) -> None:
    """`pip install --user sealwright`: pip-audit's process does not look there by itself, nor does the pip it asks.

    Debian's Python has no other pip.
    """
    user = UserSite(tmp_path)
    (tmp_path / "r.txt").write_text("bad==1.0\n")
    done = user.run("audit", "r.txt", "--service", "osv", "--osv-url", service.url, "--json")
    assert done.returncode == 20, done.stderr
    assert json.loads(done.stdout)["counts"]["vulnerable"] == 1
    assert "-m pip --version" in user.looked()


def test_a_version_in_another_spelling(service: OsvServer) -> None:
    """pip-audit asks for 2024.7.4 where 2024.07.04 stands, and gave no answer at all where that was not known."""
    spelt = ("1.00", "v1.0", "1.0-1", "1.0.RC1", "1!0.0", "1.0+CPU")
    result = audit(service.url, BAD, *(("good", each) for each in spelt), ("bad", "1.00"), ("listed", "1.0.0"))
    assert [entry.coverage.value for entry in result.audited] == ["vulnerable", *["clean"] * 6, *["vulnerable"] * 2]
    assert [entry.dependency.version for entry in result.audited][1:7] == list(spelt)
    assert ("bad", "1.00") not in service.queries


FAULTS = [
    "hang", "204", "400", "404", "429", "500", "body:<html></html>", "body:", "body:null", "body:[]", "circle",
    'body:{"vulns": null}', 'body:{"vulns": [1]}', 'body:{"error": "no"}', "body:{} {}", 'body:{"vulns":[],"vulns":[]}',
    "redirect", "truncated", "schema", "unaffected", "drip", "dripping head",
]  # fmt: skip
# What never ends is given up early; what is asked beside it must have been answered by then, on any machine.
SECONDS = dict.fromkeys(("hang", "drip", "dripping head"), 5.0)


@pytest.mark.parametrize("fault", FAULTS)
def test_one_bad_answer_is_not_audited(service: OsvServer, fault: str) -> None:
    service.faults["bad"] = fault
    result = audit(service.url, CLEAN, BAD, seconds=SECONDS.get(fault, 60.0))
    assert [entry.coverage for entry in result.audited] == [Coverage.CLEAN, Coverage.NOT_AUDITED]
    assert result.exit_code is ExitCode.UNAUDITED


@pytest.mark.parametrize("fault", [*FAULTS, "body:{}", 'body:{"vulns":[]}'])
def test_a_bad_service_is_no_answer(service: OsvServer, fault: str) -> None:
    """Also one that knows nothing at all: it is asked about something that has been known since 2014."""
    service.faults["*"] = fault
    with pytest.raises(UndecidedError):
        audit(service.url, CLEAN, seconds=2.0 if fault in SECONDS else 60.0)
    assert {query[0] for query in service.queries} <= {"jinja2"}


def test_a_huge_answer(service: OsvServer) -> None:
    service.faults["bad"] = "endless"
    (entry,) = audit(service.url, BAD).audited
    assert entry.coverage is Coverage.NOT_AUDITED


def test_nobody_listens() -> None:
    with pytest.raises(UndecidedError, match="cannot be used"):
        audit("http://127.0.0.1:1/v1/query", CLEAN)


def test_all_pages_are_read(service: OsvServer) -> None:
    service.faults["bad"] = "pages"
    (entry,) = audit(service.url, BAD).audited
    assert [finding.ids[0] for finding in entry.findings] == ["PYSEC-2020-1", "PYSEC-2020-2"]


@pytest.mark.parametrize("answer", ["body:{}", 'body:{"vulns": []}'])
def test_what_the_service_hides_the_index_knows(service: OsvServer, tmp_path: Path, answer: str) -> None:
    service.faults["bad"] = answer
    result = audit(service.url, BAD, index=make_index(tmp_path, *RECORDS))
    assert result.exit_code is ExitCode.VULNERABLE
    assert {finding.source for finding in result.audited[0].findings} == {"the local index"}


@pytest.mark.parametrize("answer", ["body:{}", 'body:{"vulns": []}'])
def test_what_the_service_hides_without_an_index_is_said_to_be_unseen(service: OsvServer, answer: str) -> None:
    """Nobody can tell it from a clean answer: the result says how far it reaches."""
    service.faults["bad"] = answer
    result = audit(service.url, BAD)
    assert (result.exit_code, result.audited[0].coverage) == (ExitCode.DONE, Coverage.CLEAN)
    (warning,) = (each for each in result.warnings if "local index" in each)
    assert "an advisory that the service hides is not noticed" in warning
    assert warning in render_audit(result)


def test_a_withdrawal_that_is_yet_to_come_withdraws_nothing(service: OsvServer) -> None:
    assert audit(service.url, ("yet", "1.0")).exit_code is ExitCode.VULNERABLE


def test_what_the_service_knows_is_not_unheard_of(service: OsvServer, tmp_path: Path) -> None:
    """The index has never heard of the project, or of the version; the service has."""
    others = record(9, affected("bad", events=[{"introduced": "0"}, {"fixed": "0.1"}]))
    for records in ((record(9),), (others,)):
        (entry,) = audit(service.url, BAD, index=make_index(tmp_path, *records)).audited
        assert (entry.coverage, entry.unheard) == (Coverage.VULNERABLE, "")
    assert audit(service.url, ("bad", "3.0"), index=make_index(tmp_path, others)).audited[0].version_unheard


def test_beside_an_index_nothing_is_said_of_its_absence(service: OsvServer, tmp_path: Path) -> None:
    result = audit(service.url, CLEAN, index=make_index(tmp_path, *RECORDS))
    assert not [each for each in result.warnings if "local index" in each]


def test_what_cannot_be_asked_is_not_audited(service: OsvServer) -> None:
    result = audit(service.url, ("bad", "1.0.oops"), ("a name", "1.0"))
    assert [entry.coverage for entry in result.audited] == [Coverage.NOT_AUDITED] * 2
    assert audit(service.url).exit_code is ExitCode.UNAUDITED


@pytest.mark.parametrize("indexed", [False, True])
def test_what_is_not_known_to_exist_is_not_audited(service: OsvServer, tmp_path: Path, indexed: bool) -> None:
    """A service says nothing of what does not exist, as it does of what is clean; with an index beside it or not."""
    index = make_index(tmp_path, *RECORDS) if indexed else None
    rules = Rules(known=KnownNames("known.txt", {"good": frozenset({"1.0"}), "bad": frozenset({"1.0"})}))
    result = audit(service.url, CLEAN, ("good", "1.1"), ("goood", "1.0"), BAD, index=index, rules=rules)
    assert [entry.coverage.value for entry in result.audited] == ["clean", "not-audited", "not-audited", "vulnerable"]
    assert [entry.reasons for entry in result.audited[1:3]] == [
        ("known.txt does not know version 1.1",),
        ("known.txt does not know this project",),
    ]


def test_what_the_index_does_not_know_to_exist_is_not_audited(service: OsvServer, tmp_path: Path) -> None:
    rules = Rules(known_by_index=True)
    result = audit(service.url, CLEAN, ("last", "2.0"), index=make_index(tmp_path, *RECORDS), rules=rules)
    assert [entry.coverage.value for entry in result.audited] == ["not-audited", "clean"]
    with pytest.raises(UsageError, match="known-names"):
        audit(service.url, CLEAN, rules=rules)
    assert len(service.queries) == 3  # the second time, nobody is asked: a usage error is found before work begins


def test_no_fix_is_named_that_the_index_knows_to_be_vulnerable(service: OsvServer, tmp_path: Path) -> None:
    """The service is asked about one version, and says nothing of what is known against another."""
    entry = affected("bad", events=[{"introduced": "1.2"}, {"fixed": "1.3"}])
    for records, fix in (((), "1.2"), ((record(7, entry),), "1.3"), ((*RECORDS, record(7, entry)), "1.3")):
        index = make_index(tmp_path, *records) if records else None
        assert audit(service.url, BAD, index=index).audited[0].fix == fix


def test_no_fix_is_named_that_mends_only_what_the_index_knows(service: OsvServer, tmp_path: Path) -> None:
    other = record(7, affected("yet", events=[{"introduced": "0"}, {"fixed": "1.1"}]))
    (entry,) = audit(service.url, ("yet", "1.0"), index=make_index(tmp_path, other)).audited
    assert (len(entry.findings), entry.fix) == (2, "")

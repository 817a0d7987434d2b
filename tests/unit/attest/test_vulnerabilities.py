"""The predicate of an audit says what was found, against what, and what was not looked at."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from support.advisories import NOW, affected, make_index, record

from sealwright.attest.vulnerabilities import build_audit_predicate
from sealwright.errors import ExitCode
from sealwright.jobs.audit.audit import Rules, audit
from sealwright.model.attested_audit import read_attested_audit
from sealwright.model.audit import AuditResult
from sealwright.model.dependency import Dependencies, Dependency
from sealwright.store.advisory_index import open_index


def test_predicate(tmp_path: Path) -> None:
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    about = record(1, aliases=["CVE-2020-1"], severity=[{"type": "CVSS_V3", "score": vector}])
    index = open_index(make_index(tmp_path, about, record(2, affected("other", versions=["1"]))))
    entries = (Dependency("pkg", "1.0", "r"), Dependency("good", "1.0", "r"), Dependency("url", "", "r", 0, "a URL"))
    result = audit(Dependencies("requirements", "r", entries), index, Rules(), now=NOW)
    predicate = build_audit_predicate(result, NOW, NOW + timedelta(seconds=2))
    assert predicate["metadata"] == {"scanStartedOn": "2026-01-02T03:04:05Z", "scanFinishedOn": "2026-01-02T03:04:07Z"}
    assert predicate["scanner"]["db"]["version"] == f"sha256:{index.facts.sha256}"
    assert predicate["scanner"]["db"]["lastUpdate"] == "2025-12-30T00:00:00Z"
    assert predicate["scanner"]["result"] == [
        {
            "id": "PYSEC-2020-1",
            "severity": [{"method": "cvss_score", "score": "9.8"}, {"method": "cvss", "score": vector}],
            "annotations": [{"dependency": "pkg 1.0"}, {"alias": "CVE-2020-1"}],
        }
    ]
    assert predicate["sealwright"] == {
        "exitCode": 20,
        "counts": {"clean": 1, "vulnerable": 1, "ignored": 0, "not-audited": 1},
        "notAudited": ["url: a URL"],
        "dependencies": [
            {"name": "pkg", "version": "1.0", "coverage": "vulnerable"},
            {"name": "good", "version": "1.0", "coverage": "clean"},
            {"name": "url", "version": "", "coverage": "not-audited"},
        ],
    }
    attested = read_attested_audit(json.loads(json.dumps(predicate)))
    assert [(f.name, f.version, f.ids) for f in attested.findings] == [("pkg", "1.0", ("PYSEC-2020-1", "CVE-2020-1"))]
    assert (attested.code, attested.database.version) == (ExitCode.VULNERABLE, f"sha256:{index.facts.sha256}")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("/home/somebody/private/all.zip", "all.zip"),
        ("exports/all.zip", "all.zip"),
        ("https://osv.example/PyPI/all.zip", "https://osv.example/PyPI/all.zip"),
    ],
)
def test_no_path_of_the_machine_is_published(tmp_path: Path, source: str, said: str) -> None:
    facts = open_index(make_index(tmp_path, record(1))).facts._replace(source=source)
    result = AuditResult("requirements", "r", None, (), NOW, facts)
    assert build_audit_predicate(result, NOW, NOW)["scanner"]["db"]["uri"] == said


def test_an_audit_against_nothing_is_not_attested() -> None:
    with pytest.raises(ValueError, match="against nothing"):
        build_audit_predicate(AuditResult("requirements", "r", None, (), NOW), NOW, NOW)

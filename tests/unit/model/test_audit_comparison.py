"""Today's answer against the attested one: only what is new, and a broken attestation hides nothing."""

from pathlib import Path
from typing import Any

import pytest
from support.advisories import NOW, affected, make_index, record

from sealwright.attest.vulnerabilities import build_audit_predicate
from sealwright.jobs.audit.audit import Rules, audit
from sealwright.model.audit import AuditResult
from sealwright.model.audit_comparison import find_new
from sealwright.model.dependency import Dependencies, Dependency
from sealwright.store.advisory_index import open_index

THEN = (record(1, aliases=["CVE-2020-1"]), record(7, affected("other", versions=["9"])))
NOWADAYS = (record("GHSA-1", aliases=["CVE-2020-1"]), record(2), record(3, affected("late", versions=["1.0"])), THEN[1])


def judge(folder: Path, records: tuple[dict[str, Any], ...]) -> AuditResult:
    entries = tuple(Dependency(name, "1.0", "r") for name in ("pkg", "late"))
    return audit(Dependencies("requirements", "r", entries), open_index(make_index(folder, *records)), Rules(), now=NOW)


def test_only_what_is_new(tmp_path: Path) -> None:
    attested = build_audit_predicate(judge(tmp_path / "then", THEN), NOW, NOW)
    today = judge(tmp_path / "now", NOWADAYS)
    new = find_new([attested], today)
    assert [(each.dependency.name, each.finding.ids[0]) for each in new] == [
        ("pkg", "PYSEC-2020-2"),
        ("late", "PYSEC-2020-3"),
    ]
    assert find_new([build_audit_predicate(today, NOW, NOW)], today) == ()


@pytest.mark.parametrize(
    "broken",
    [{}, {"scanner": 1}, {"scanner": {"result": 1}}, {"scanner": {"result": [1, {"id": "PYSEC-2020-2"}]}},
     {"scanner": {"result": [{"id": 1, "annotations": [1, {"dependency": 1}, {"dependency": "pkg 1.0"}]}]}}],
)  # fmt: skip
def test_a_broken_attestation_hides_nothing(tmp_path: Path, broken: dict[str, Any]) -> None:
    assert len(find_new([broken], judge(tmp_path, NOWADAYS))) == 3

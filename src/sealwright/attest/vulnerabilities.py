"""The audit attestation: what was known against the dependencies of a release when it was sealed.

Enters: the result of an audit, and when it began and ended. Leaves: the statement. It carries the coverage besides,
because an empty list of vulnerabilities would otherwise look the same as an audit that looked at nothing.
https://github.com/in-toto/attestation/blob/main/spec/predicates/vulns_02.md
"""

from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from sealwright import __version__
from sealwright.model.audit import AuditResult, Coverage, Finding
from sealwright.model.statement import AUDIT, Statement, Subject

_SCANNER = "pkg:pypi/sealwright"


def build_audit_statement(
    result: AuditResult, started: datetime, finished: datetime, subjects: tuple[Subject, ...]
) -> Statement:
    """Return the statement that these files were audited so. Raises as `build_audit_predicate` does."""
    return Statement(subjects, AUDIT, build_audit_predicate(result, started, finished))


def build_audit_predicate(result: AuditResult, started: datetime, finished: datetime) -> dict[str, Any]:
    """Return a vulns/v0.2 predicate; ignored findings are in it, marked as such.

    `sealwright` is a field of our own (in-toto: unknown fields are passed over): `exitCode`, `counts` by coverage,
    `notAudited`, each as `NAME VERSION: why`, and `dependencies`, each with what became of it.

    Raises ValueError for a result that names no source of advisories.
    """
    if result.facts is None and not result.service:
        raise ValueError("an audit against nothing cannot be attested")
    return {
        "scanner": {
            "uri": _SCANNER,
            "version": __version__,
            "db": _database(result),
            "result": [
                _result(finding, f"{entry.dependency.name} {entry.dependency.version}")
                for entry in result.audited
                for finding in entry.findings
            ],
        },
        "metadata": {"scanStartedOn": _time(started), "scanFinishedOn": _time(finished)},
        "sealwright": {
            "exitCode": int(result.exit_code),
            "counts": {coverage.value: len(result.of(coverage)) for coverage in Coverage},
            "notAudited": [
                f"{entry.dependency.name} {entry.dependency.version}".strip() + f": {why}"
                for entry in result.audited
                for why in entry.reasons
            ],
            "dependencies": [
                {"name": each.dependency.name, "version": each.dependency.version, "coverage": each.coverage.value}
                for each in result.audited
            ],
        },
    }


def _database(result: AuditResult) -> dict[str, str]:
    """A service is as new as the answer; an index as its newest change."""
    if result.service or result.facts is None:
        return {"uri": result.service, "lastUpdate": _time(result.now)}
    facts = result.facts
    source = (
        facts.source if "://" in facts.source else PurePath(facts.source).name
    )  # not where it lay: that is nobody's
    return {"uri": source, "version": f"sha256:{facts.sha256}", "lastUpdate": facts.current}


def _result(finding: Finding, dependency: str) -> dict[str, Any]:
    severity = []
    if score := finding.score:
        severity = [{"method": "cvss_score", "score": f"{score.score:.1f}"}, {"method": "cvss", "score": score.vector}]
    annotations = [{"dependency": dependency}, *({"alias": name} for name in finding.ids[1:])]
    annotations += [{"ignored": finding.ignored}] if finding.ignored else []
    return {"id": finding.ids[0], "severity": severity, "annotations": annotations}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

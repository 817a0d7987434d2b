"""The result of an audit as one JSON object, described by docs/audit.schema.json.

Enters: an `AuditResult`. Leaves: text.
"""

import json
from typing import Any

from sealwright.model.audit import Audited, AuditResult, Coverage, Finding, Ignore
from sealwright.model.verdict import result_of

SCHEMA = 1


def render_audit_json(result: AuditResult) -> str:
    """Write one JSON object (RFC 8259, ASCII) and a newline."""
    return json.dumps(audit_document(result), indent=2, ensure_ascii=True) + "\n"


def audit_document(result: AuditResult) -> dict[str, Any]:
    """Return the result as plain values (docs/audit.schema.json)."""
    product = result.product
    return {
        "schema": SCHEMA,
        "kind": result.kind,
        "target": result.target,
        "project": product.name if product else "",
        "version": product.version if product else "",
        "result": result_of(result.exit_code).value,
        "exitCode": int(result.exit_code),
        "time": result.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "finished": (result.finished or result.now).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "index": index_document(result),
        "service": result.service,
        "stale": result.stale,
        "counts": counts_document(result),
        "dependencies": [_dependency(entry) for entry in result.audited],
        "expiredIgnores": [_ignore(ignore) for ignore in result.expired],
        "unmatchedIgnores": [_ignore(ignore) for ignore in result.unmatched],
        "warnings": list(result.warnings),
    }


def index_document(result: AuditResult) -> dict[str, Any] | None:
    """Return what the result was held against, and how old that is, as plain values; None without an index."""
    index = result.facts
    if index is None:
        return None
    age = index.age(result.now)
    return {
        "sha256": index.sha256,
        "source": index.source,
        "sourceSha256": index.source_sha256,
        "records": index.records,
        "newest": index.newest,
        "current": index.current,
        "ageSeconds": None if age is None else int(age.total_seconds()),
        "skipped": index.skipped_count,
    }


def counts_document(result: AuditResult) -> dict[str, int]:
    """Count the dependencies by what became of them, noughts too."""
    return {coverage.value: len(result.of(coverage)) for coverage in Coverage}


def _dependency(entry: Audited) -> dict[str, Any]:
    found = entry.dependency
    return {
        "name": found.name,
        "version": found.version,
        "file": found.file,
        "line": found.line,
        "marker": found.marker,
        "coverage": entry.coverage.value,
        "notAudited": list(entry.reasons),
        "fix": entry.fix,
        "unheardOf": bool(entry.unheard) and not entry.version_unheard,
        "versionUnheardOf": entry.version_unheard,
        "findings": [_finding(finding) for finding in entry.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    score = finding.score
    return {
        "ids": list(finding.ids),
        "summary": finding.summary,
        "published": finding.published,
        "severity": {"score": score.score, "word": score.word, "vector": score.vector} if score else None,
        "fixed": finding.fixed,
        "malicious": finding.malicious,
        "ignored": finding.ignored,
        "source": finding.source,
    }


def _ignore(ignore: Ignore) -> dict[str, str]:
    document = {key: str(value) for key, value in ignore._asdict().items()}
    return document | {"expires": ignore.expires.strftime("%Y-%m-%dT%H:%M:%SZ")}

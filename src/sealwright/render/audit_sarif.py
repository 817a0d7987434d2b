"""The result of an audit as SARIF 2.1.0, with the line of each requirement.

Enters: an `AuditResult`. Leaves: text. https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
from pathlib import Path
from typing import Any

from sealwright.model.audit import Audited, AuditResult, Finding
from sealwright.render.audit import headline, next_step, say_counts, say_notes
from sealwright.render.audit_json import counts_document, index_document

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ABOUT = "https://osv.dev/vulnerability/"
_UNAUDITED = "not-audited"
_STALE = "stale-index"


def render_audit_sarif(result: AuditResult) -> str:
    """Write one SARIF log (ASCII) and a newline. An ignored finding is there, and suppressed (3.27.23)."""
    results: list[dict[str, Any]] = []
    rules: dict[str, dict[str, Any]] = {}
    for entry in result.audited:
        for finding in entry.findings:
            rules.setdefault(finding.ids[0], _rule(finding))
            results.append(_result(entry, finding, result.target))
        for why in entry.reasons:
            said = f"{entry.dependency.name} {entry.dependency.version}".strip() + f" was not audited: {why}"
            results.append(_plain(_UNAUDITED, said, result.target, entry))
    if not result.audited:
        results.append(_plain(_UNAUDITED, "there are no dependencies, so nothing was audited", result.target))
    if result.stale:
        results.append(_plain(_STALE, result.stale, result.target))
    for name, text in ((_UNAUDITED, "A dependency was not audited"), (_STALE, "The advisories are too old")):
        if any(found["ruleId"] == name for found in results):
            rules[name] = {"id": name, "shortDescription": {"text": text}}
    order = {name: number for number, name in enumerate(rules)}
    for found in results:
        found["ruleIndex"] = order[found["ruleId"]]
    driver = {"name": "sealwright", "rules": list(rules.values())}
    invocation = {
        "executionSuccessful": True,
        "exitCode": int(result.exit_code),
        "exitCodeDescription": f"{headline(result)}: {say_counts(result)}; next: {next_step(result)}",
        "endTimeUtc": result.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "toolExecutionNotifications": [{"level": "warning", "message": {"text": text}} for text in say_notes(result)],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "results": results,
        "columnKind": "unicodeCodePoints",
        "properties": {
            "index": index_document(result),
            "service": result.service,
            "stale": result.stale,
            "counts": counts_document(result),
        },
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=True) + "\n"


def _rule(finding: Finding) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": finding.ids[0],
        "shortDescription": {"text": finding.summary or finding.ids[0]},
        "helpUri": _ABOUT + _uri(finding.ids[0]),
        "properties": {"tags": ["security", *finding.ids]},
    }
    if finding.score:
        rule["properties"]["security-severity"] = f"{finding.score.score:.1f}"
    return rule


def _result(entry: Audited, finding: Finding, target: str) -> dict[str, Any]:
    found = entry.dependency
    fix = f"; fixed in {entry.fix}" if entry.fix else ""
    kind = "is malicious" if finding.malicious else "is vulnerable"
    said = f"{found.name} {found.version} {kind}: {', '.join(finding.ids)}{fix}"
    document = _plain(finding.ids[0], said, target, entry)
    document["partialFingerprints"] = {"dependency/v1": f"{found.name}@{found.version}#{finding.ids[0]}"}
    if finding.ignored:
        document["suppressions"] = [{"kind": "external", "justification": finding.ignored}]
    return document


def _plain(rule: str, text: str, target: str, entry: Audited | None = None) -> dict[str, Any]:
    file = entry.dependency.file if entry else target
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(file)}}
    if entry and entry.dependency.line:
        place["region"] = {"startLine": entry.dependency.line}
    return {
        "ruleId": rule,
        "level": "error",
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    """A relative path as a relative reference, an absolute one as a file URI (RFC 3986)."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else Path("/", path).as_uri().removeprefix("file:///")

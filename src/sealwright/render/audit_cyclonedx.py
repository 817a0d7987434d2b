"""The result of an audit as a CycloneDX 1.6 document with vulnerabilities.

Enters: an `AuditResult`. Leaves: text. A component that was not audited carries a property that says so: its having no
vulnerabilities here means nothing. https://cyclonedx.org/docs/1.6/json/#vulnerabilities
"""

import json
from typing import Any

from sealwright.model.audit import Audited, AuditResult, Finding
from sealwright.model.purl import write_pypi_purl
from sealwright.render.audit import say_notes
from sealwright.render.audit_json import counts_document, index_document

_METHODS = {"CVSS:4": "CVSSv4", "CVSS:3.1": "CVSSv31", "CVSS:3.0": "CVSSv3"}


def render_audit_cyclonedx(result: AuditResult) -> str:
    """Write one CycloneDX document (ASCII) and a newline."""
    refs = {id(entry): f"dependency-{number}" for number, entry in enumerate(result.audited, 1)}
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": _metadata(result),
        "components": [_component(entry, refs[id(entry)]) for entry in result.audited],
        "vulnerabilities": _vulnerabilities(result, refs),
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _metadata(result: AuditResult) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "timestamp": result.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "tools": {"components": [{"type": "application", "name": "sealwright"}]},
        "properties": [{"name": f"sealwright:audit:{name}", "value": value} for name, value in _said(result)],
    }
    if product := result.product:
        component = {"type": "application", "name": product.name, "bom-ref": "product"}
        component |= {"version": product.version} if product.version else {}
        metadata["component"] = component | {"purl": write_pypi_purl(product.name, product.version)}
    return metadata


def _said(result: AuditResult) -> list[tuple[str, str]]:
    """What the whole audit says, which no component does: against what, how old that is, and what was not seen."""
    index = index_document(result) or {}
    said = [("exitCode", str(int(result.exit_code)))]
    said += [(f"count:{name}", str(count)) for name, count in counts_document(result).items()]
    said += [(f"index:{name}", "unknown" if value is None else str(value)) for name, value in index.items()]
    said += [(name, text) for name, text in (("service", result.service), ("stale", result.stale)) if text]
    return said + [("note", text) for text in say_notes(result)]


def _component(entry: Audited, ref: str) -> dict[str, Any]:
    found = entry.dependency
    component: dict[str, Any] = {"type": "library", "bom-ref": ref, "name": found.name or "?"}
    if found.version:
        component["version"] = found.version
    if found.version and not found.problem:
        component["purl"] = write_pypi_purl(found.name, found.version)
    properties = [("sealwright:audit:coverage", entry.coverage.value)]
    properties += [("sealwright:audit:notAudited", why) for why in entry.reasons]
    component["properties"] = [{"name": name, "value": value} for name, value in properties]
    return component


def _vulnerabilities(result: AuditResult, refs: dict[int, str]) -> list[dict[str, Any]]:
    return [_vulnerability(entry, finding, refs[id(entry)]) for entry in result.audited for finding in entry.findings]


def _vulnerability(entry: Audited, finding: Finding, ref: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": finding.ids[0],
        "references": [{"id": name, "source": {"name": name.split("-", 1)[0]}} for name in finding.ids[1:]],
        "description": finding.summary,
        "affects": [{"ref": ref, "versions": [{"version": entry.dependency.version, "status": "affected"}]}],
    }
    if score := finding.score:
        method = next((name for start, name in _METHODS.items() if score.vector.startswith(start)), "CVSSv2")
        rating = {"score": score.score, "severity": score.word, "method": method, "vector": score.vector}
        document["ratings"] = [rating]
    if entry.fix:
        document["recommendation"] = f"Upgrade to {entry.fix}"
    if finding.ignored:
        document["analysis"] = {"detail": finding.ignored}
    return document

"""The ignores that an audit applied, as an OpenVEX document.

Enters: an `AuditResult`. Leaves: text. Only ignores that have set something aside are in it, each statement once: one
that matched a malicious package has not. https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md
"""

import hashlib
import json
from typing import Any

from sealwright.model.audit import AuditResult, Ignore
from sealwright.model.dependency import Dependency, Product
from sealwright.model.purl import write_pypi_purl


def render_openvex(result: AuditResult, product: Product | None) -> str:
    """Write one OpenVEX document (ASCII) and a newline; `product` is what the dependencies are components of.

    Empty if no ignore was applied: the schema of OpenVEX knows no document without a statement.
    """
    applied = _applied(result)
    if not applied:
        return ""
    statements = [_statement(ignore, dependency, product) for ignore, dependency in applied]
    content = json.dumps(statements, sort_keys=True).encode()
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": f"https://openvex.dev/docs/public/vex-{hashlib.sha256(content).hexdigest()}",
        "author": ", ".join(sorted({ignore.owner for ignore, _ in applied})),
        "timestamp": result.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "version": 1,
        "statements": statements,
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _applied(result: AuditResult) -> list[tuple[Ignore, Dependency]]:
    """The ignores that have set a finding aside, once for each version, wherever and however often it stands."""
    aside = {
        (name, entry.dependency)
        for entry in result.audited
        for finding in entry.findings
        if finding.ignored
        for name in finding.ids
    }
    used = [(ignore, found) for ignore, found in result.used if (ignore.id, found) in aside]
    return list({(ignore, found.name, found.version): (ignore, found) for ignore, found in used}.values())


def _statement(ignore: Ignore, dependency: Dependency, product: Product | None) -> dict[str, Any]:
    component: dict[str, Any] = {"@id": write_pypi_purl(dependency.name, dependency.version)}
    if product is not None:
        component = {"@id": write_pypi_purl(product.name, product.version), "subcomponents": [component]}
    return {
        "vulnerability": {"name": ignore.id},
        "products": [component],
        "status": "not_affected",
        "impact_statement": ignore.reason,
        "status_notes": f"decided by {ignore.owner}, until {ignore.expires:%Y-%m-%d}",
    }

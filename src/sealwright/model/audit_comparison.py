"""What is known today and was not when a release was sealed.

Enters: the predicates of verified audit attestations, and today's audit of the same dependencies. Leaves: what is new.
It says nothing about the release itself, which does not rot: advisories are found later.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sealwright.model.advisory import normalise
from sealwright.model.audit import AuditResult, Finding
from sealwright.model.dependency import Dependency


class NewFinding(NamedTuple):
    """A finding that counts today and is not in the attestation."""

    dependency: Dependency
    finding: Finding


def find_new(attested: Iterable[Mapping[str, Any]], today: AuditResult) -> tuple[NewFinding, ...]:
    """Return what counts today and is not attested, ignored or not, by any id and for the same version.

    `attested` are predicates of vulns/v0.2 statements as `sealwright.attest.vulnerabilities` builds them. What of them
    cannot be read names nothing, so it hides nothing. https://github.com/in-toto/attestation (predicates/vulns_02.md)
    """
    known = {entry for predicate in attested for entry in _attested(predicate)}
    return tuple(
        NewFinding(entry.dependency, finding)
        for entry in today.audited
        for finding in entry.findings
        if finding.counts
        and not any((entry.dependency.name, entry.dependency.version, name) in known for name in finding.ids)
    )


def _attested(predicate: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    scanner = predicate.get("scanner")
    results = scanner.get("result") if isinstance(scanner, dict) else None
    known: set[tuple[str, str, str]] = set()
    for result in results if isinstance(results, list) else []:
        annotations = result.get("annotations") if isinstance(result, dict) else None
        if not isinstance(annotations, list):
            continue
        said = [pair for each in annotations if isinstance(each, dict) for pair in each.items()]
        ids = [result.get("id"), *(value for key, value in said if key == "alias")]
        for key, value in said:
            if key == "dependency" and isinstance(value, str):
                name, _, version = value.partition(" ")
                known |= {(normalise(name), version, text) for text in ids if isinstance(text, str)}
    return known

"""The statement that an SBOM is that of these artifacts.

Enters: a CycloneDX document. Leaves: a statement with the whole of it as predicate.
https://github.com/in-toto/attestation/blob/main/spec/predicates/cyclonedx.md
"""

from typing import Any

from sealwright.model.statement import SBOM, Statement, Subject


def build_sbom_statement(document: Any, subjects: tuple[Subject, ...]) -> Statement:
    """Return the statement; `subjects` are the wheels and sdists that the document describes."""
    return Statement(subjects, SBOM, document if isinstance(document, dict) else {})

"""An SBOM attestation, held against the release that it is of.

Enters: a statement whose signature and subjects are right, and the SBOM that is released as a file. Leaves: what is
wrong with it. Whether the list of components is complete nobody can tell from it (docs/sbom.md).
"""

from typing import Any

from sealwright.files.strict_json import read_json
from sealwright.model.statement import MAX_STATEMENT_COMMAS, Statement
from sealwright.verify.judged import Judged


def judge_sbom(statement: Statement, project: str, version: str, released: tuple[bytes, ...]) -> Judged:
    """Hold the SBOM of a statement against its subjects, the release and the SBOMs that are `released` beside them.

    CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json/#metadata_component
    """
    document = statement.predicate
    if document.get("bomFormat") != "CycloneDX":
        return Judged("it is no CycloneDX document")
    if wrong := root_problem(document, project, version):
        return Judged(wrong)
    root = _object(_object(document, "metadata"), "component")
    there = {subject.sha256 for subject in statement.subjects}
    hashes = set(_hashes(root))
    if not hashes or not hashes <= there:
        return Judged("its root component has not the hashes of these artifacts")
    if any(_parse(content) != document for content in released):
        return Judged("it is not the SBOM that is released beside the artifacts")
    components = document.get("components")
    number = len(components) if isinstance(components, list) else 0
    return Judged("", f"an SBOM of {number} component{'' if number == 1 else 's'}")


def root_problem(document: Any, project: str, version: str) -> str:
    """Say of what a CycloneDX document is, if that is not this version of this project; else an empty text."""
    root = _object(_object(document if isinstance(document, dict) else {}, "metadata"), "component")
    name = _normalised(root.get("name"))
    if name == project and root.get("version") == version:
        return ""
    return f"it is that of {name or 'nothing'} {str(root.get('version'))[:80]}"


def _normalised(name: Any) -> str:
    from packaging.utils import InvalidName, canonicalize_name

    try:
        return canonicalize_name(name, validate=True) if isinstance(name, str) else ""
    except InvalidName:
        return ""


def _hashes(component: dict[str, Any]) -> list[str]:
    """The SHA-256 of a component, and of each file that it lists as a distribution of itself."""
    references = component.get("externalReferences")
    lists = [component.get("hashes")]
    if isinstance(references, list):
        lists += [r.get("hashes") for r in references if isinstance(r, dict) and r.get("type") == "distribution"]
    found = [entry for entries in lists if isinstance(entries, list) for entry in entries if isinstance(entry, dict)]
    return [str(entry.get("content")).lower() for entry in found if entry.get("alg") == "SHA-256"]


def _parse(content: bytes) -> Any:
    try:
        return read_json(content, MAX_STATEMENT_COMMAS)
    except ValueError:
        return None


def _object(parent: dict[str, Any], key: str) -> dict[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}

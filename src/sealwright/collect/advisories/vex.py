"""VEX documents: OpenVEX, and CycloneDX with analyses.

Enters: the path of a document that a person named. Leaves: `Statement`s about projects of PyPI; those about anything
else are left out. A statement that says "not affected" must say why, and have a time
that can be read, if it has one. Raises UsageError for what is no VEX.
https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md, https://cyclonedx.org/capabilities/vex/
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sealwright.errors import UsageError
from sealwright.files.reading import read_named
from sealwright.files.strict_json import read_json
from sealwright.model.purl import PypiPurl, read_pypi_purl
from sealwright.model.vex import SET_ASIDE, Statement

_MAX_BYTES = 16 * 1024**2
_MAX_COMMAS = 1_000_000
_HINT = "It reads OpenVEX 0.2 and CycloneDX VEX, both in JSON."
_STATES = {
    "not_affected": "not_affected",
    "false_positive": "not_affected",
    "resolved": "fixed",
    "resolved_with_pedigree": "fixed",
}


def read_vex(path: Path) -> tuple[Statement, ...]:
    """Read one document. Raises UsageError, UndecidedError."""
    content = read_named(path, _MAX_BYTES, "the VEX document", _HINT)
    try:
        document = read_json(content, _MAX_COMMAS)
        if isinstance(document, dict) and document.get("bomFormat") == "CycloneDX":
            return tuple(_cyclonedx(document, path.name))
        if isinstance(document, dict) and str(document.get("@context")).startswith("https://openvex.dev/ns"):
            return tuple(_openvex(document, path.name))
    except ValueError as error:
        raise UsageError(f"the VEX document {path} cannot be read: {error}", _HINT) from error
    raise UsageError(f"{path} is no VEX document", _HINT)


def _openvex(document: dict[str, Any], source: str) -> Iterator[Statement]:
    for statement in _objects(document.get("statements"), "statements"):
        vulnerability = statement.get("vulnerability")
        named = vulnerability if isinstance(vulnerability, dict) else {"name": vulnerability}
        ids = frozenset(_texts([named.get("name"), *_list(named.get("aliases"))]))
        status = _text(statement, "status")
        why = _text(statement, "justification") or _text(statement, "impact_statement")
        why = why or _text(statement, "status_notes") if status == "fixed" else why
        if status == "not_affected" and not why:
            raise ValueError("a statement of not_affected has neither a justification nor an impact statement")
        moment = _moment(status, statement.get("last_updated"), statement.get("timestamp"), document.get("timestamp"))
        for product in _objects(statement.get("products", []), "products"):
            whole, parts = _purl(product), product.get("subcomponents")
            if whole is None:
                continue
            for part in _objects(parts, "subcomponents") if parts is not None else []:
                component = _purl(part)
                if component is not None:
                    yield Statement(ids, whole, component, status, why or "fixed", moment, source)
            if parts is None or (not parts and status not in SET_ASIDE):
                yield Statement(ids, None, whole, status, why or "fixed", moment, source)


def _purl(holder: dict[str, Any]) -> PypiPurl | None:
    """The purl of an OpenVEX component: its identifier, else its @id."""
    identifiers = holder.get("identifiers")
    given = identifiers.get("purl") if isinstance(identifiers, dict) else None
    return read_pypi_purl(given if given is not None else holder.get("@id"))


def _cyclonedx(document: dict[str, Any], source: str) -> Iterator[Statement]:
    from sealwright.collect.targets.cyclonedx import components_of, main_component

    main = main_component(document)
    product = read_pypi_purl(main.get("purl")) if main else None
    purls: dict[str, list[PypiPurl | None]] = {}
    for each in components_of(document, Path(source)):
        if name := _reference(each, "bom-ref"):
            purls.setdefault(name, []).append(read_pypi_purl(each.get("purl")))
    metadata = document.get("metadata")
    made = metadata.get("timestamp") if isinstance(metadata, dict) else None
    for vulnerability in _objects(document.get("vulnerabilities", []), "vulnerabilities"):
        analysis = vulnerability.get("analysis")
        if not isinstance(analysis, dict):
            continue
        references = _objects(vulnerability.get("references") or [], "references")
        ids = frozenset(_texts([vulnerability.get("id"), *(each.get("id") for each in references)]))
        state = _text(analysis, "state")
        status = _STATES.get(state, "affected")
        why = _text(analysis, "detail") or _text(analysis, "justification")
        if status in SET_ASIDE and not why:
            raise ValueError(f"an analysis of {state} has neither a justification nor a detail")
        moment = _moment(status, analysis.get("lastUpdated"), vulnerability.get("updated"), made)
        for affected in _objects(vulnerability.get("affects") or [], "affects"):
            meant = purls.get(_reference(affected, "ref"), [])
            # A list of versions can turn the analysis around for some of them, of two that are called alike nobody
            # knows which one is meant, nor for whom it is said without a product: nothing is set aside by that.
            if status in SET_ASIDE and (affected.get("versions") or len(meant) != 1 or product is None):
                continue
            for component in meant:
                if component is not None:
                    yield Statement(ids, product, component, status, why, moment, source)


def _objects(value: object, what: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError(f"{what} are no list of objects")
    return value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(holder: dict[str, Any], key: str) -> str:
    value = holder.get(key)
    return " ".join(value.split())[:500] if isinstance(value, str) else ""


def _reference(holder: dict[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""


def _texts(values: list[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str) and value]


def _moment(status: str, *given: object) -> datetime | None:
    """The first time that is given, in UTC; None if nobody knows. What sets aside must not have one that is none."""
    value = next((each for each in given if each is not None), None)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    if value is not None and status in SET_ASIDE:
        raise ValueError(f"the time of a statement of {status} is no RFC 3339 with its zone")
    return None

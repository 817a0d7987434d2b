"""The components of a CycloneDX SBOM.

Enters: its path. Leaves: `Dependencies`. A component that is no project of PyPI is kept as not audited: an SBOM that
lists a C library says that it is shipped, and nobody has looked at it here. What it leaves out by its own
account is noted.
"""

from pathlib import Path
from typing import Any

from sealwright.collect.targets.cyclonedx import components_of, main_component, read_bom
from sealwright.model.advisory import normalise
from sealwright.model.dependency import Dependencies, Product
from sealwright.model.purl import read_pypi_purl
from sealwright.model.sbom_components import read_component

KIND = "sbom"
_SHOWN, _MOST = 100, 3


def collect_sbom(path: Path) -> Dependencies:
    """Read a CycloneDX SBOM. Raises UsageError, UndecidedError."""
    document = read_bom(path, "the SBOM")
    components, main = list(components_of(document, path)), main_component(document)
    entries = [read_component(component, str(path)) for component in components]
    every = [*components, *([main] if main else [])]
    notes = _unlisted(document, every) + _incomplete(document) + _unread(document, every)
    return Dependencies(KIND, str(path), tuple(entries), _product(main), notes)


def _unlisted(document: dict[str, Any], components: list[dict[str, Any]]) -> tuple[str, ...]:
    """Say what something depends on, but no component is: https://cyclonedx.org/docs/1.6/json/#dependencies."""
    known = {_text(each.get("bom-ref")) for each in components}
    services = _tables(document.get("services"))
    while services:  # a dependency may be one, too
        service = services.pop()
        known.add(_text(service.get("bom-ref")))
        services += _tables(service.get("services"))
    named: dict[str, None] = {}
    for each in _tables(document.get("dependencies")):
        lists = (found for key in ("dependsOn", "provides") if isinstance(found := each.get(key), list))
        named |= dict.fromkeys(map(_text, (each.get("ref"), *(ref for found in lists for ref in found))))
    missing = [ref for ref in named if ref not in known]
    if not missing:
        return ()
    return (f"the SBOM names dependencies that are none of its components, so it is not complete: {_list(missing)}",)


def _incomplete(document: dict[str, Any]) -> tuple[str, ...]:
    """Repeat what it says of itself: https://cyclonedx.org/docs/1.6/json/#compositions_items_aggregate."""
    said = {_text(each.get("aggregate")) for each in _tables(document.get("compositions"))}
    found = [text[:_SHOWN] for text in sorted(said) if text.startswith("incomplete")]
    return (f"the SBOM says that it is not complete: {', '.join(found[:_MOST])}",) if found else ()


def _unread(document: dict[str, Any], components: list[dict[str, Any]]) -> tuple[str, ...]:
    """Say what else it knows that is not read here: vulnerabilities, and SBOMs that list more."""
    ids = [_text(each.get("id")) for each in _tables(document.get("vulnerabilities"))]
    references = [found for each in (document, *components) for found in _tables(each.get("externalReferences"))]
    others = [_text(each.get("url")) for each in references if each.get("type") == "bom"]
    said = [f"the SBOM itself names vulnerabilities, which --vex reads and nothing else: {_list(ids)}"] if ids else []
    said += [f"the SBOM refers to others, whose components are not audited: {_list(others)}"] if others else []
    return tuple(said)


def _list(names: list[str]) -> str:
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(name[:_SHOWN] or "nothing" for name in names[:_MOST]) + more


def _tables(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _product(component: dict[str, Any] | None) -> Product | None:
    if component is None:
        return None
    purl = read_pypi_purl(component.get("purl"))
    if purl:
        return Product(purl.name, purl.version)
    name, version = component.get("name"), component.get("version")
    return Product(normalise(name), str(version or "")) if isinstance(name, str) and name else None

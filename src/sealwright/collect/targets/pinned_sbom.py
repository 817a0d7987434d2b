"""The components of a CycloneDX SBOM.

Enters: its path. Leaves: `Dependencies`. A component that is no project of PyPI is kept as not audited: an SBOM that
lists a C library says that it is shipped, and nobody has looked at it here. So is what a component depends on and the
SBOM does not list. What else it leaves out by its own account is noted.
"""

from pathlib import Path
from typing import Any

from sealwright.collect.targets.cyclonedx import components_of, main_component, read_bom
from sealwright.model.advisory import is_name, normalise
from sealwright.model.dependency import Dependencies, Dependency, Product
from sealwright.model.purl import read_pypi_purl
from sealwright.model.sbom_components import read_component

KIND = "sbom"
_SHOWN, _MOST = 100, 3
_MOST_UNLISTED = 1_000
_UNLISTED = "a component depends on it, and the SBOM does not list it"


def collect_sbom(path: Path) -> Dependencies:
    """Read a CycloneDX SBOM. Raises UsageError, UndecidedError."""
    document = read_bom(path, "the SBOM")
    components, main = list(components_of(document, path)), main_component(document)
    entries = [read_component(component, str(path)) for component in components]
    every = [*components, *([main] if main else [])]
    unlisted, notes = _unlisted(document, every)
    entries += [Dependency(ref[:_SHOWN] or "nothing", "", str(path), 0, _UNLISTED) for ref in unlisted[:_MOST_UNLISTED]]
    if len(unlisted) > _MOST_UNLISTED:
        entries.append(Dependency(f"{len(unlisted) - _MOST_UNLISTED} more", "", str(path), 0, _UNLISTED))
    notes += _incomplete(document) + _unread(document, every)
    return Dependencies(KIND, str(path), tuple(entries), _product(main), notes)


def _unlisted(document: dict[str, Any], components: list[dict[str, Any]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What something depends on, but no component is, and a note of what else the graph names and does not list.

    https://cyclonedx.org/docs/1.6/json/#dependencies
    """
    known = {_text(each.get("bom-ref")) for each in components}
    services = _tables(document.get("services"))
    while services:  # a dependency may be one, too
        service = services.pop()
        known.add(_text(service.get("bom-ref")))
        services += _tables(service.get("services"))
    graph = _tables(document.get("dependencies"))
    lists = [found for each in graph for key in ("dependsOn", "provides") if isinstance(found := each.get(key), list)]
    missing = tuple(ref for ref in dict.fromkeys(_text(ref) for found in lists for ref in found) if ref not in known)
    said = known.union(missing)
    others = [ref for ref in dict.fromkeys(_text(each.get("ref")) for each in graph) if ref not in said]
    note = f"the SBOM names dependencies that are none of its components, so it is not complete: {_list(others)}"
    return missing, (note,) if others else ()


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
    """The project of PyPI that the SBOM is of: by its purl, or by its name if it has none."""
    if component is None:
        return None
    name, version, given = (component.get(key) for key in ("name", "version", "purl"))
    if given is not None:
        purl = read_pypi_purl(given)
        return Product(purl.name, purl.version) if purl else None
    if not isinstance(name, str) or not is_name(name):
        return None
    return Product(normalise(name), version if isinstance(version, str) and version.isascii() else "")

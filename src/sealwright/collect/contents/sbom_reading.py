"""Any SBOM in JSON, read for what it says: CycloneDX 1.2 to 1.7, SPDX 2.2 and 2.3, SPDX 3.

Enters: bytes that may be hostile, of whatever tool. Leaves: `SbomFacts`. Never believes in a shape: what is of another
type than it should be counts as absent. CycloneDX documents are held against their schema besides.
"""

from typing import Any

from sealwright.collect.claims.json_claims import Node, Problems
from sealwright.collect.contents.references import clean
from sealwright.collect.contents.sbom_fields import is_time, label
from sealwright.collect.contents.spdx_reading import read_spdx2, read_spdx3
from sealwright.files.strict_json import read_json
from sealwright.model.sbom_components import MAX_COMPONENTS
from sealwright.model.sbom_score import SbomComponent, SbomFacts

MAX_SBOM_BYTES = 64 * 1024 * 1024
_MAX_COMMAS = 3_000_000
_MOST = 200_000
_IDENTIFIERS = ("purl", "cpe", "swid", "omniborId", "swhid")


class NoSbomError(ValueError):
    """What was read is no SBOM of a known format; the text completes "FILE is …"."""


def read_sbom(content: bytes) -> SbomFacts:
    """Read an SBOM. Raises NoSbomError, and UndecidedError if the schemas are not at hand."""
    try:
        document = read_json(content, max_commas=_MAX_COMMAS)
    except ValueError as error:
        raise NoSbomError(f"no JSON that can be read: {error}") from error
    if not isinstance(document, dict):
        raise NoSbomError("no SBOM: it is no object")
    if document.get("bomFormat") == "CycloneDX":
        return read_cyclonedx(document)
    if isinstance(document.get("spdxVersion"), str):
        return read_spdx2(document)
    if isinstance(document.get("@graph"), list) and "spdx.org" in str(document.get("@context"))[:1_000]:
        return read_spdx3(document)
    raise NoSbomError("no SBOM of a known format: CycloneDX or SPDX in JSON")


def read_cyclonedx(document: dict[str, Any]) -> SbomFacts:
    """Read a CycloneDX document (https://cyclonedx.org/docs/latest/json/)."""
    from sealwright.collect.contents.sbom_schema import check_cyclonedx_schema

    root = Node(document, "", Problems())
    metadata = root.table("metadata")
    tools = metadata.values.get("tools")
    named = metadata.tables("tools", _MOST) if isinstance(tools, list) else []
    if isinstance(tools, dict):
        table = metadata.table("tools")
        named = [*table.tables("components", _MOST), *table.tables("services", _MOST)]
    makers = [*metadata.tables("authors", 1_000), metadata.table("manufacturer"), metadata.table("supplier")]
    related = _related(root)
    nodes = _flatten([*([metadata.table("component")] if metadata.has("component") else []), *_components(root)])
    return SbomFacts(
        f"CycloneDX {clean(root.text('specVersion'), 20)}".rstrip(),
        any(maker.text("name") or maker.text("email") for maker in makers),
        any(tool.text("name") for tool in named),
        is_time(metadata.text("timestamp")),
        any(each.text("phase") or each.text("name") for each in metadata.tables("lifecycles", 100)),
        tuple(_component(node, number, related) for number, node in enumerate(nodes, 1)),
        tuple(clean(fault, 400) for fault in check_cyclonedx_schema(document)),
        True,
    )


def _related(root: Node) -> set[str]:
    """Every reference that the graph names, as one that needs or as one that is needed."""
    found: set[str] = set()
    for entry in root.tables("dependencies", _MOST):
        found.add(entry.text("ref"))
        found.update(entry.texts("dependsOn", _MOST))
    return found


def _components(node: Node) -> list[Node]:
    return node.tables("components", MAX_COMPONENTS)


def _flatten(nodes: list[Node]) -> list[Node]:
    """The components, and those within them, in order; without recursion, and bounded."""
    found: list[Node] = []
    waiting = list(reversed(nodes))
    while waiting:
        node = waiting.pop()
        found.append(node)
        if len(found) > MAX_COMPONENTS:
            raise NoSbomError(f"no SBOM that can be read: it has more than {MAX_COMPONENTS:,} components")
        waiting += reversed(_components(node))
    return found


def _component(node: Node, number: int, related: set[str]) -> SbomComponent:
    name, version = node.text("name"), node.text("version")
    suppliers = (node.table("supplier").text("name"), node.table("manufacturer").text("name"), node.text("publisher"))
    return SbomComponent(
        label(name, version, number),
        bool(name),
        bool(version),
        any(suppliers),
        any(node.has(key) and node.values[key] for key in _IDENTIFIERS),
        any(digest.text("content") for digest in node.tables("hashes", 100)),
        any(_is_licence(licence) for licence in node.tables("licenses", 1_000)),
        bool(node.text("bom-ref")) and node.text("bom-ref") in related,
    )


def _is_licence(node: Node) -> bool:
    stated = node.table("license")
    return bool(node.text("expression") or stated.text("id") or stated.text("name"))

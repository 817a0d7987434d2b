"""SPDX documents in JSON, read for what they say.

Enters: a JSON object. Leaves: `SbomFacts`. NOASSERTION and NONE count as nothing said. No schema is at hand, so that
none is checked, and the result says so.
https://spdx.github.io/spdx-spec/v2.3/  https://spdx.github.io/spdx-spec/v3.0.1/
"""

from typing import Any

from sealwright.collect.claims.json_claims import Node, Problems
from sealwright.collect.contents.references import clean
from sealwright.collect.contents.sbom_fields import is_time, label
from sealwright.model.sbom_components import MAX_COMPONENTS
from sealwright.model.sbom_score import SbomComponent, SbomFacts

_MOST = 500_000
_NOTHING = ("", "NOASSERTION", "NONE")
_IDENTIFIERS_2 = ("purl", "cpe22Type", "cpe23Type", "swid", "swh", "gitoid", "http://spdx.org/rdf/references/purl")
_IDENTIFIERS_3 = ("packageUrl", "cpe22", "cpe23", "swid", "swhid", "gitoid")
_LICENCES_3 = ("hasDeclaredLicense", "hasConcludedLicense")


def read_spdx2(document: dict[str, Any]) -> SbomFacts:
    """Read SPDX 2.2 or 2.3."""
    root = Node(document, "", Problems())
    creation = root.table("creationInfo")
    creators = creation.texts("creators", 1_000)
    related: set[str] = set()
    for entry in root.tables("relationships", _MOST):
        related |= {entry.text("spdxElementId"), entry.text("relatedSpdxElement")}
    packages = root.tables("packages", MAX_COMPONENTS)
    return SbomFacts(
        f"SPDX {clean(root.text('spdxVersion'), 20).removeprefix('SPDX-')}",
        any(_says(creator, "Person:") or _says(creator, "Organization:") for creator in creators),
        any(_says(creator, "Tool:") for creator in creators),
        is_time(creation.text("created")),
        False,
        tuple(_package2(node, number, related) for number, node in enumerate(packages, 1)),
    )


def _says(text: str, kind: str) -> bool:
    return text.startswith(kind) and text.removeprefix(kind).strip() not in _NOTHING


def _package2(node: Node, number: int, related: set[str]) -> SbomComponent:
    name, version, supplier = node.text("name"), node.text("versionInfo"), node.text("supplier")
    return SbomComponent(
        label(name, version, number),
        name not in _NOTHING,
        version not in _NOTHING,
        _says(supplier, "Person:") or _says(supplier, "Organization:"),
        any(
            each.text("referenceType") in _IDENTIFIERS_2 and each.text("referenceLocator")
            for each in node.tables("externalRefs", 1_000)
        ),
        any(each.text("checksumValue") for each in node.tables("checksums", 100)),
        node.text("licenseDeclared") not in _NOTHING or node.text("licenseConcluded") not in _NOTHING,
        bool(node.text("SPDXID")) and node.text("SPDXID") in related,
    )


def read_spdx3(document: dict[str, Any]) -> SbomFacts:
    """Read SPDX 3.0: a list of elements that refer to each other by spdxId."""
    elements = Node(document, "", Problems()).tables("@graph", _MOST)
    by_type: dict[str, list[Node]] = {}
    for element in elements:
        by_type.setdefault(element.text("type"), []).append(element)
    names = {element.text("spdxId"): element.text("name") for element in elements if element.text("name")}
    related: set[str] = set()
    licensed: set[str] = set()
    for kind in ("Relationship", "LifecycleScopedRelationship"):
        for element in by_type.get(kind, []):
            source, targets = element.text("from"), element.texts("to", _MOST)
            if element.text("relationshipType") in _LICENCES_3:
                licensed |= {source} if targets else set()
            else:
                related |= {source, *targets}
    for kind in ("SpdxDocument", "software_Sbom"):
        for element in by_type.get(kind, []):
            related.update(element.texts("rootElement", _MOST))
    made = by_type.get("CreationInfo", [])
    creators = [names.get(ref, "") for element in made for ref in element.texts("createdBy", 1_000)]
    tools = [names.get(ref, "") for element in made for ref in element.texts("createdUsing", 1_000)]
    version = next((element.text("specVersion") for element in made if element.text("specVersion")), "3")
    return SbomFacts(
        f"SPDX {clean(version, 20)}",
        any(name not in _NOTHING for name in creators),
        any(name not in _NOTHING for name in tools),
        any(is_time(element.text("created")) for element in made),
        any(element.texts("software_sbomType", 100) for element in by_type.get("software_Sbom", [])),
        tuple(
            _package3(node, number, names, related, licensed)
            for number, node in enumerate(by_type.get("software_Package", [])[:MAX_COMPONENTS], 1)
        ),
    )


def _package3(node: Node, number: int, names: dict[str, str], related: set[str], licensed: set[str]) -> SbomComponent:
    name, version, ref = node.text("name"), node.text("software_packageVersion"), node.text("spdxId")
    identifiers = node.tables("externalIdentifier", 1_000)
    return SbomComponent(
        label(name, version, number),
        name not in _NOTHING,
        version not in _NOTHING,
        names.get(node.text("suppliedBy"), "") not in _NOTHING,
        bool(node.text("software_packageUrl"))
        or any(
            each.text("externalIdentifierType") in _IDENTIFIERS_3 and each.text("identifier") for each in identifiers
        ),
        any(each.text("hashValue") for each in node.tables("verifiedUsing", 100)),
        ref in licensed,
        bool(ref) and ref in related,
    )

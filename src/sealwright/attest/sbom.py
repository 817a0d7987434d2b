"""An SBOM, made from facts: CycloneDX 1.6 in JSON.

Enters: an `Inventory` and its `Origin`. Leaves: bytes; the same facts give the same bytes. Knows no clock and invents
nothing: what the facts do not say is not in the document, and what could not be known is said in it.
https://cyclonedx.org/docs/1.6/json/   Why the JSON is written here: docs/adr/0007-the-sbom-is-written-here.md
"""

import hashlib
import json
from typing import Any

from sealwright.model.component import Inventory, Licence, Origin, Package, Reference, Supplier

_SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_NAMESPACE = b"sealwright sbom\0"
Json = dict[str, Any]


def build_cyclonedx(
    inventory: Inventory, origin: Origin, *, identifiers: frozenset[str] = frozenset(), embedded: bool = False
) -> bytes:
    """Write the SBOM as UTF-8 JSON, keys sorted, one line for each component, a newline at its end.

    `identifiers` are the SPDX identifiers that the schema knows; a licence that is one of them is written as such, any
    other as an expression. `embedded` leaves the hashes of the root out: a document inside a wheel cannot name that
    wheel's digest.
    The serial number is made from the content (RFC 9562, 5.8: a version 8 UUID of its SHA-256).
    """
    root = inventory.root._replace(hashes=(), files=()) if embedded else inventory.root
    refs = [root.purl, *(package.purl for package in inventory.packages)]
    if len(set(refs)) != len(refs):
        raise ValueError("two components with one purl")
    document: Json = {
        "$schema": _SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": _metadata(inventory, root, origin, identifiers),
        "components": [
            _component(package, identifiers) for package in sorted(inventory.packages, key=lambda p: (p.purl,))
        ],
        "dependencies": [_dependency(ref, inventory.edges) for ref in sorted(refs)],
        "compositions": [
            {
                "aggregate": "incomplete" if inventory.unknown else "complete",
                "dependencies": sorted(refs),
            }
        ],
    }
    digest = hashlib.sha256(_NAMESPACE + _line(document).encode()).hexdigest()
    document["serialNumber"] = f"urn:uuid:{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
    return _write(document)


def _write(document: Json) -> bytes:
    """One line for each key, and for each entry of a list: small, quickly made, and good to compare by lines."""
    lines = []
    for key in sorted(document):
        value = document[key]
        if isinstance(value, list) and value:
            lines.append(f"{_line(key)}: [\n" + ",\n".join(_line(entry) for entry in value) + "\n]")
        else:
            lines.append(f"{_line(key)}: {_line(value)}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _line(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _metadata(inventory: Inventory, root: Package, origin: Origin, identifiers: frozenset[str]) -> Json:
    component = _component(root, identifiers)
    if inventory.phase == "operations" and not root.version:
        component["type"] = "application"
    properties = [("sealwright:source", inventory.source)]
    properties += [("sealwright:unknown", text) for text in inventory.unknown]
    metadata: Json = {
        "component": component,
        "lifecycles": [{"phase": inventory.phase}],
        "tools": {
            "components": [{"type": "application", "name": origin.tool, "version": origin.tool_version}],
        },
        "properties": _properties(tuple(properties)),
    }
    if origin.author:
        metadata["authors"] = [{"name": origin.author}]
    if origin.timestamp:
        metadata["timestamp"] = origin.timestamp
    return metadata


def _component(package: Package, identifiers: frozenset[str]) -> Json:
    stated = package.metadata
    component: Json = {"type": "library", "bom-ref": package.purl, "name": package.name, "purl": package.purl}
    if package.version:
        component["version"] = package.version
    if stated.summary:
        component["description"] = stated.summary
    if package.hashes:
        component["hashes"] = [_hash(digest) for digest in sorted(package.hashes)]
    component |= _licences(stated.licence, identifiers)
    if stated.supplier:
        component["supplier"] = _supplier(stated.supplier)
        if not stated.supplier.derived:
            component["authors"] = _authors(stated.supplier)
    references = _references(package)
    if references:
        component["externalReferences"] = references
    properties = [*package.properties, *(("cdx:python:package:required-extra", extra) for extra in package.extras)]
    properties += [("sealwright:file", file.name) for file in package.files if file.name]
    if stated.supplier and stated.supplier.derived:
        properties.append(("sealwright:supplier:derived", stated.supplier.derived))
    if properties:
        component["properties"] = _properties(tuple(properties))
    return component


def _hash(digest: str) -> Json:
    return {"alg": "SHA-256", "content": digest}


def _licences(licence: Licence, identifiers: frozenset[str]) -> Json:
    """One expression, or else a list: CycloneDX takes either. What the metadata says stands beside, as evidence."""
    expressions, acknowledged = licence.expressions, {"acknowledgement": "declared"}
    if len(expressions) == 1 and not licence.names and expressions[0] not in identifiers:
        declared: list[Json] = [{"expression": expressions[0], **acknowledged}]
    else:
        keys = [("id" if text in identifiers else "name", text) for text in expressions]
        keys += [("name", text) for text in licence.names]
        declared = [{"license": {key: text, **acknowledged}} for key, text in keys]
    if not declared:
        return {}
    evidence = [_stated(stated.field, stated.text) for stated in licence.evidence]
    return {"licenses": declared} | ({"evidence": {"licenses": evidence}} if evidence else {})


def _stated(field: str, text: str) -> Json:
    """A long or many-lined value is the text of a licence, a short one its name."""
    if "\n" in text or len(text) > 200:
        return {"license": {"name": field, "text": {"contentType": "text/plain", "content": text}}}
    return {"license": {"name": f"{field}: {text}"}}


def _supplier(supplier: Supplier) -> Json:
    found: Json = {"name": supplier.name}
    if supplier.contacts:
        found["contact"] = _authors(supplier)
    if supplier.url:
        found["url"] = [supplier.url]
    return found


def _authors(supplier: Supplier) -> list[Json]:
    contacts = [
        {key: text for key, text in (("name", who.name), ("email", who.email)) if text} for who in supplier.contacts
    ]
    return contacts or [{"name": supplier.name}]


def _references(package: Package) -> list[Json]:
    """Each address once for each meaning; what is known of the file itself comes first."""
    files = [
        Reference("distribution", file.url or file.name, "the file that is described", file.sha256)
        for file in package.files
        if file.url or file.name
    ]
    seen: dict[tuple[str, str], Json] = {}
    for reference in (*files, *package.nested, *package.metadata.references):
        found: Json = {"type": reference.kind, "url": reference.url}
        if reference.comment:
            found["comment"] = reference.comment
        if reference.sha256:
            found["hashes"] = [_hash(reference.sha256)]
        seen.setdefault((reference.kind, reference.url), found)
    return [seen[key] for key in sorted(seen)]


def _properties(properties: tuple[tuple[str, str], ...]) -> list[Json]:
    return [{"name": name, "value": value} for name, value in sorted(set(properties))]


def _dependency(ref: str, edges: dict[str, tuple[str, ...]]) -> Json:
    targets = sorted(set(edges.get(ref, ())))
    return {"ref": ref, "dependsOn": targets} if targets else {"ref": ref}

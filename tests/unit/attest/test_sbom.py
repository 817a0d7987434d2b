"""The document itself: valid, the same each time, and the same as CycloneDX's own library would write."""

import json
from typing import Any

import pytest

from sealwright.attest.sbom import build_cyclonedx
from sealwright.collect.contents.sbom_schema import check_cyclonedx_schema, spdx_identifiers
from sealwright.model.component import (
    Contact,
    CoreMetadata,
    DistributionFile,
    Inventory,
    Licence,
    Origin,
    Package,
    Reference,
    Stated,
    Supplier,
)

ORIGIN = Origin("sealwright", "1", "Example", "2023-11-14T22:13:20Z")
DIGEST = "ab" * 32


MIT = Licence(("MIT",), (), (Stated("License", "MIT License"),))


def package(name: str, licence: Licence = MIT, **more: Any) -> Package:
    supplier = Supplier("Ann", (Contact("Ann", "ann@example.org"), Contact("", "b@example.org")), "https://example.org")
    references = (
        Reference("vcs", "https://example.org/r", "Project-URL: Source"),
        Reference("website", "https://example.org/ü"),
    )
    metadata = CoreMetadata(name, "1.0", "Does \u2028 things", licence, supplier, references)
    file = DistributionFile(f"{name}-1.0.tar.gz", f"https://example.org/{name}-1.0.tar.gz", DIGEST)
    nested = (Reference("bom", "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1", "carried in x", DIGEST),)
    return Package(name, "1.0", f"pkg:pypi/{name}@1.0", metadata, (DIGEST,), (file,), nested, ("fast",))._replace(
        **more
    )


def inventory(*packages: Package, **more: Any) -> Inventory:
    root = package("root", purl="pkg:pypi/root@1.0")
    edges = {root.purl: tuple(p.purl for p in packages)}
    return Inventory(root, packages, edges, "build", "wheel")._replace(**more)


def build(found: Inventory, **more: Any) -> dict[str, Any]:
    content = build_cyclonedx(found, ORIGIN, identifiers=spdx_identifiers(), **more)
    document: dict[str, Any] = json.loads(content)
    assert check_cyclonedx_schema(document) == []
    return document


LICENCES = {
    "one": Licence(("MIT",)),
    "compound": Licence(("Apache-2.0 OR MIT",)),
    "own": Licence(("LicenseRef-Own",)),
    "two": Licence(("Apache-2.0", "MIT")),
    "mixed": Licence(("MIT",), ("Public Domain",), (Stated("License", "long\ntext\n" * 100),)),
    "named": Licence((), ("BSD",), (Stated("License", "BSD"),)),
    "compound among several": Licence(("MIT OR ISC", "Zlib")),
    "none": Licence(),
}


def test_every_kind_of_licence_is_valid() -> None:
    document = build(inventory(*(package(name.replace(" ", "-"), licence) for name, licence in LICENCES.items())))
    stated = {c["name"]: c.get("licenses") for c in document["components"]}
    declared = {"acknowledgement": "declared"}
    assert stated["one"] == [{"license": {"id": "MIT"} | declared}]
    assert stated["compound"] == [{"expression": "Apache-2.0 OR MIT"} | declared]
    assert stated["own"] == [{"expression": "LicenseRef-Own"} | declared]
    assert [entry["license"].get("id") for entry in stated["two"]] == ["Apache-2.0", "MIT"]
    assert stated["none"] is None


def test_the_same_facts_give_the_same_bytes() -> None:
    packages = [package(name) for name in ("c", "a", "b")]
    one, other = inventory(*packages), inventory(*reversed(packages))
    other = other._replace(edges={key: tuple(reversed(targets)) for key, targets in other.edges.items()})
    assert build_cyclonedx(one, ORIGIN) == build_cyclonedx(other, ORIGIN)
    assert build(one)["serialNumber"] == build(other)["serialNumber"] != build(inventory(*packages[:2]))["serialNumber"]
    assert "timestamp" not in json.loads(build_cyclonedx(one, ORIGIN._replace(timestamp="")))["metadata"]


def test_what_is_not_known_is_said() -> None:
    assert build(inventory())["compositions"][0]["aggregate"] == "complete"
    document = build(inventory(unknown=("a needs b, which is not there",)))
    assert document["compositions"][0]["aggregate"] == "incomplete"
    assert {"name": "sealwright:unknown", "value": "a needs b, which is not there"} in document["metadata"][
        "properties"
    ]


def test_an_embedded_root_has_no_hash() -> None:
    root = build(inventory(package("a")), embedded=True)["metadata"]["component"]
    assert "hashes" not in root
    assert DIGEST not in json.dumps([r for r in root["externalReferences"] if r["type"] == "distribution"])


def test_two_components_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="one purl"):
        build_cyclonedx(inventory(package("a"), package("a")), ORIGIN)


def test_the_library_reads_it_and_writes_the_same() -> None:
    """cyclonedx-python-lib takes it in and gives it back: nothing is lost, but the compositions, which it does not know."""
    from cyclonedx.model.bom import Bom
    from cyclonedx.output.json import JsonV1Dot6

    ours = build(inventory(*(package(name.replace(" ", "-"), licence) for name, licence in LICENCES.items())))
    bom = Bom.from_json(json.loads(json.dumps(ours)))  # type: ignore[attr-defined]  # made by a decorator
    theirs = json.loads(JsonV1Dot6(bom).output_as_string())
    theirs["metadata"]["timestamp"] = theirs["metadata"]["timestamp"].replace("+00:00", "Z")
    del ours["compositions"]
    assert normal(theirs) == normal(ours)


def normal(value: Any) -> Any:
    """Lists in CycloneDX's model are sets."""
    if isinstance(value, dict):
        return {key: normal(each) for key, each in sorted(value.items())}
    return sorted((normal(each) for each in value), key=json.dumps) if isinstance(value, list) else value


def test_documents_that_break_the_schema() -> None:
    document = build(inventory(package("a")))
    document["components"][0]["hashes"] = [{"alg": "SHA-257", "content": "x"}]
    document["metadata"]["component"]["type"] = 7
    assert len(check_cyclonedx_schema(document)) >= 2
    assert check_cyclonedx_schema({"specVersion": "9.9"})
    assert check_cyclonedx_schema({"specVersion": "../../x"})
    assert "SPDX" not in str(check_cyclonedx_schema(build(inventory())))

"""Any SBOM, ours or another tool's: what it lacks is named; what is none, or hostile, is refused."""

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples

from sealwright.collect.contents.sbom_reading import NoSbomError, read_sbom
from sealwright.errors import ExitCode
from sealwright.model.sbom_score import SbomScore, Standard, score_sbom
from sealwright.render.sbom_score import render_score, render_score_json
from sealwright.render.text import Style

HASH = [{"alg": "SHA-256", "content": "ab" * 32}]


def cyclonedx(**more: Any) -> dict[str, Any]:
    component = {
        "type": "library", "name": "a", "version": "1", "bom-ref": "a", "purl": "pkg:pypi/a@1", "hashes": HASH,
        "licenses": [{"license": {"id": "MIT"}}], "supplier": {"name": "Ann"},
    }  # fmt: skip
    metadata = {
        "timestamp": "2024-01-01T00:00:00Z", "authors": [{"name": "Ann"}], "lifecycles": [{"phase": "build"}],
        "tools": {"components": [{"type": "application", "name": "t"}]}, "component": component | {"name": "root", "bom-ref": "r"},
    }  # fmt: skip
    dependencies = [{"ref": "r", "dependsOn": ["a"]}, {"ref": "a"}]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": metadata}
    return document | {"components": [component], "dependencies": dependencies} | more


def spdx2(**more: Any) -> dict[str, Any]:
    package = {
        "SPDXID": "SPDXRef-a", "name": "a", "versionInfo": "1", "supplier": "Person: Ann", "downloadLocation": "NOASSERTION",
        "checksums": [{"algorithm": "SHA256", "checksumValue": "ab" * 32}], "licenseDeclared": "MIT",
        "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:pypi/a@1", "referenceCategory": "PACKAGE-MANAGER"}],
    }  # fmt: skip
    relation = {"spdxElementId": "SPDXRef-DOCUMENT", "relatedSpdxElement": "SPDXRef-a", "relationshipType": "DESCRIBES"}
    creation = {"created": "2024-01-01T00:00:00Z", "creators": ["Tool: t", "Organization: o"]}
    return {
        "spdxVersion": "SPDX-2.3",
        "creationInfo": creation,
        "packages": [package],
        "relationships": [relation],
    } | more


def spdx3() -> dict[str, Any]:
    graph = [
        {"type": "CreationInfo", "@id": "_:c", "specVersion": "3.0.1", "created": "2024-01-01T00:00:00Z", "createdBy": ["p"], "createdUsing": ["t"]},
        {"type": "Person", "spdxId": "p", "name": "Ann"},
        {"type": "Tool", "spdxId": "t", "name": "tool"},
        {"type": "software_Sbom", "spdxId": "s", "rootElement": ["a"], "software_sbomType": ["build"]},
        {"type": "software_Package", "spdxId": "a", "name": "a", "software_packageVersion": "1", "suppliedBy": "p",
         "software_packageUrl": "pkg:pypi/a@1", "verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": "ab" * 32}]},
        {"type": "Relationship", "from": "a", "to": ["l"], "relationshipType": "hasDeclaredLicense"},
    ]  # fmt: skip
    return {"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph}


def score(document: dict[str, Any], minimum: int = 0) -> SbomScore:
    return score_sbom("x.json", read_sbom(json.dumps(document).encode()), minimum)


def missing(found: SbomScore) -> dict[str, tuple[str, ...]]:
    return {f"{e.standard.value} {e.name}": e.missing for e in found.elements if e.missing}


@pytest.mark.parametrize("document", [cyclonedx(), spdx3()], ids=["CycloneDX", "SPDX 3"])
def test_nothing_is_missing(document: dict[str, Any]) -> None:
    found = score(document, 100)
    assert missing(found) == {}
    assert (found.percent(Standard.NTIA), found.percent(Standard.CISA), found.exit_code) == (100, 100, ExitCode.DONE)


def test_spdx_2_has_no_place_for_the_context() -> None:
    found = score(spdx2(), 100)
    assert missing(found) == {"CISA 2025 generation context": ("the document",)}
    assert (found.percent(Standard.NTIA), found.exit_code) == (100, ExitCode.MISSING)
    assert "not checked: the schema" in render_score(found)


@pytest.mark.parametrize(
    ("field", "element"),
    [
        ("supplier", "NTIA 2021 supplier name"), ("version", "NTIA 2021 version"), ("purl", "NTIA 2021 other unique identifiers"),
        ("hashes", "CISA 2025 component hash"), ("licenses", "CISA 2025 license"), ("bom-ref", "NTIA 2021 dependency relationship"),
    ],
)  # fmt: skip
def test_what_a_component_lacks_is_named(field: str, element: str) -> None:
    document = cyclonedx()
    del document["components"][0][field]
    found = score(document, 100)
    label = "a" if field == "version" else "a 1"
    assert missing(found)[element] == (label,)
    assert found.lowest < 100
    assert f"no {element.split(' ', 2)[2]}: {label}" in render_score(found)


@pytest.mark.parametrize("field", ["timestamp", "authors", "tools", "lifecycles"])
def test_what_the_document_lacks_is_named(field: str) -> None:
    document = cyclonedx()
    del document["metadata"][field]
    assert all(lacking == ("the document",) for lacking in missing(score(document)).values())
    assert score(document).lowest < 100


def test_nested_components_and_old_tools_count() -> None:
    document = cyclonedx(specVersion="1.4")
    del document["metadata"]["lifecycles"]
    document["components"][0]["components"] = [{"type": "library", "name": "inner"}]
    document["metadata"]["tools"] = [{"name": "t"}]
    found = score(document)
    assert "inner" in missing(found)["NTIA 2021 version"]
    assert "CISA 2025 tool name" not in missing(found)


def test_an_invalid_document_is_not_enough_at_any_score() -> None:
    document = cyclonedx()
    document["components"][0]["type"] = "spaceship"
    found = score(document)
    assert (found.exit_code, found.minimum) == (ExitCode.MISSING, 0)
    assert "not valid against its schema" in render_score(found)


def test_no_components_is_no_full_score() -> None:
    document = cyclonedx(components=[], dependencies=[])
    del document["metadata"]["component"]
    assert score(document).lowest < 50


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff", b"[]", b"null", b"{}", b'{"bomFormat": "CycloneDX", "bomFormat": "x"}', b"[" * 100_000,
        b'{"spdxVersion": 2}', b'{"@graph": [], "@context": "https://example.org"}', b'{"a": NaN}', b"[" + b"1," * 4_000_000 + b"1]",
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_sbom(content: bytes) -> None:
    with pytest.raises(NoSbomError):
        read_sbom(content)


def test_hostile_names_cannot_write_to_the_terminal() -> None:
    document = cyclonedx()
    document["components"][0] |= {"name": "\x1b[2Jevil\u202e\n" * 99, "supplier": {}}
    text = render_score(score(document), Style(False, 80))
    assert "\x1b" not in text + render_score_json(score(document))
    assert all(len(line) <= 80 and line.isprintable() for line in text.split("\n"))


def test_hundred_thousand_components_are_scored_in_time() -> None:
    many = [{"type": "library", "name": f"c{n}", "bom-ref": str(n)} for n in range(90_000)]
    start = time.monotonic()
    found = score(cyclonedx(components=many))
    assert time.monotonic() - start < 20
    assert "and 89,988 more" in render_score(found)
    deep: dict[str, Any] = {"type": "library", "name": "x"}
    for _ in range(200):
        deep = {"type": "library", "name": "x", "components": [deep]}
    assert score(cyclonedx(components=[deep])).lowest < 100


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=6), each, max_size=3), max_leaves=12
)  # fmt: skip


@examples(80)
@given(data=st.data())
def test_any_shape_is_scored_or_refused(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from([cyclonedx(), spdx2(), spdx3()])))  # they share parts
    table = document
    for _ in range(data.draw(st.integers(0, 3))):
        inner = [value for value in table.values() if isinstance(value, dict)]
        inner += [
            entry for value in table.values() if isinstance(value, list) for entry in value if isinstance(entry, dict)
        ]
        table = data.draw(st.sampled_from(inner)) if inner else table
    table[data.draw(st.sampled_from(sorted(table)))] = data.draw(JSON)
    try:
        assert render_score(score(document)) and json.loads(render_score_json(score(document)))  # noqa: PT018  both render
    except NoSbomError:
        return

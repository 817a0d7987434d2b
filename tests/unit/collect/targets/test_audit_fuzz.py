"""Whatever stands in an input, its reader says so in its own words: no other exception, and nothing left out in silence."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.advisories import affected, record
from support.fuzz import examples

from sealwright.collect.advisories.export import read_record
from sealwright.collect.advisories.vex import read_vex
from sealwright.collect.targets.dependencies import collect_dependencies
from sealwright.errors import SealwrightError
from sealwright.model.advisory import concerns
from sealwright.model.index_facts import Skipped
from sealwright.model.osv_record import Advisory

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=15,
)
WORDS = st.sampled_from(
    ["good", "==", "1.0", "===", ">=", ";", "[x]", "@", " ", "\\\n", "#", "-r", "-c", "-e", "--hash=sha256:", "https://x/y",
     "\x00", "\u2028", "é", "${A}", ",", "'", "(", "python_version<'3'", "==1.*", "-", "."],
)  # fmt: skip


def change(document: Any, path: list[int], value: Any) -> Any:
    """Put `value` somewhere into a copy of a document."""
    if not path or not isinstance(document, dict | list) or not document:
        return value
    if isinstance(document, dict):
        key = sorted(document)[path[0] % len(document)]
        return document | {key: change(document[key], path[1:], value)}
    place = path[0] % len(document)
    return [change(each, path[1:], value) if number == place else each for number, each in enumerate(document)]


RECORD = record(
    1, affected("pkg", versions=["1.0"], events=[{"introduced": "0"}, {"fixed": "2.0"}]), aliases=["CVE-1"],
    withdrawn=None, schema_version="1.6.0", severity=[{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N"}],
)  # fmt: skip
VEX = {
    "@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2025-01-01T00:00:00Z",
    "statements": [{"vulnerability": {"name": "X", "aliases": ["Y"]}, "status": "fixed",
                    "products": [{"@id": "pkg:pypi/x@1", "subcomponents": [{"@id": "pkg:pypi/y@1"}]}]}],
}  # fmt: skip
BOM = {
    "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": {"purl": "pkg:pypi/me@1", "name": "me"}},
    "components": [{"bom-ref": "c", "name": "x", "version": "1", "purl": "pkg:pypi/x@1", "components": []}],
    "vulnerabilities": [{"id": "X", "references": [{"id": "Y"}], "analysis": {"state": "resolved", "detail": "d"},
                         "affects": [{"ref": "c", "versions": []}]}],
}  # fmt: skip
PATHS = st.lists(st.integers(0, 20), min_size=1, max_size=6)


@examples(1500)
@given(PATHS, JSON)
def test_records(path: list[int], value: Any) -> None:
    found = read_record("x.json", json.dumps(change(RECORD, path, value)).encode())
    assert isinstance(found, Advisory | Skipped)
    for each in found.affected if isinstance(found, Advisory) else ():
        concerns(each, "1.0")


@examples(300)
@given(st.binary(max_size=200), st.sampled_from(["x.json", "x.yaml"]))
def test_bytes_as_records(content: bytes, name: str) -> None:
    assert isinstance(read_record(name, content), Advisory | Skipped)


@examples(600)
@given(PATHS, JSON)
@pytest.mark.parametrize("document", [VEX, BOM], ids=["openvex", "cyclonedx"])
def test_vex_and_sboms(tmp_path_factory: pytest.TempPathFactory, document: Any, path: list[int], value: Any) -> None:
    file = tmp_path_factory.getbasetemp() / "document.json"
    file.write_text(json.dumps(change(document, path, value)))
    for read in (read_vex, collect_dependencies):
        try:
            read(file)
        except SealwrightError as error:
            assert "document.json" in error.message  # noqa: PT017  that nothing else is raised is the test


@examples(1000)
@given(st.lists(st.lists(WORDS, max_size=8).map("".join), max_size=4).map("\n".join))
def test_requirements(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "requirements.txt"
    file.write_text(text)
    try:
        found = collect_dependencies(file)
    except SealwrightError:
        return
    for entry in found.entries:
        assert entry.version or entry.problem


@examples(300)
@given(
    st.binary(max_size=300),
    st.sampled_from(["pylock.toml", "uv.lock", "r.txt", "b.json", "a-1.0.tar.gz", "a-1.0-py3-none-any.whl"]),
)
def test_bytes_as_targets(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    file = tmp_path_factory.getbasetemp() / name
    file.write_bytes(content)
    try:
        collect_dependencies(file)
    except SealwrightError as error:
        assert name in error.message  # noqa: PT017  that nothing else is raised is the test

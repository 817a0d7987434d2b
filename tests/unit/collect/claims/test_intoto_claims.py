"""What in-toto layouts and links are said to say, with layouts and links that in-toto itself has made."""

import json
from pathlib import Path

import pytest
from support.forge import Forge
from support.in_toto import People, Scenario, demo
from support.world import run

from sealwright.collect.claims.intoto_claims import read_intoto_json
from sealwright.model.explanation import PieceKind


@pytest.fixture(scope="module")
def scenario(keys: Forge) -> Scenario:
    return demo(People(keys))


def claims(content: bytes) -> list[str]:
    piece = read_intoto_json("x.link", content)
    assert piece.problems == ()
    return [f"{claim.label}: {claim.text}" for claim in piece.more]


def test_a_layout_with_an_inspection(scenario: Scenario) -> None:
    said = claims(scenario.render(inspect=True).layout)
    assert said[:2] == ["expires: 2199-01-01T00:00:00Z", "steps: 4"]
    assert f"step: package, by 1 of the keys {scenario.people.key_id('carl')[:16]}" in said
    assert 'command: ["python", "-m", "build"]' in said
    assert "materials: MATCH demo/* WITH PRODUCTS FROM clone" in said
    assert "inspection: product, which in-toto-verify would run" in said
    assert said[-1] == f"signed by: key {scenario.people.key_id('alice')}"


@pytest.mark.parametrize("envelope", [False, True])
def test_a_link(scenario: Scenario, envelope: bool) -> None:
    written = scenario.written("package")
    written.envelope = envelope
    link = next(content for name, content in scenario.render().links.items() if name.startswith("package"))
    said = claims(link)
    assert said[:4] == ["step: package", 'command: ["python", "-m", "build"]', "returned: 0", "materials: 1 files"]
    assert "products: 2 files" in said
    assert sum("sha256" in text for text in said) == 3
    assert said[-1].startswith("signed by: key ")
    written.envelope = False


def test_as_a_person_sees_it(scenario: Scenario, tmp_path: Path) -> None:
    evidence = scenario.render()
    (tmp_path / "root.layout").write_bytes(evidence.layout)
    for name, content in evidence.links.items():
        (tmp_path / name).write_bytes(content)
    whole = run("sealwright", "explain", "root.layout", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    assert whole.stdout.startswith("UNVERIFIED CLAIMS")
    assert "claims  step          clone, by 1 of the keys" in whole.stdout
    folder = run("sealwright", "explain", ".", "--json", cwd=tmp_path)
    kinds = [piece["kind"] for piece in json.loads(folder.stdout)["pieces"]]
    assert kinds == [*["in-toto link"] * 2, "in-toto layout", *["in-toto link"] * 2]
    short = run("sealwright", "explain", ".", cwd=tmp_path)
    assert "claims  returned      not stated" in short.stdout, "the step that was done by hand"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"{}", b'{"signed": []}', b'{"signed": {"_type": "spam"}}', b'{"payload": "@"}', b'{"payload": "e30="}',
        b'{"signed": {"_type": "link", "_type": "layout"}}', b"[" * 100_000, b'{"signed":' * 5_000 + b"1" + b"}" * 5_000,
    ],
)  # fmt: skip
def test_what_is_neither(content: bytes) -> None:
    piece = read_intoto_json("x.link", content)
    assert piece.kind is PieceKind.UNREADABLE
    assert piece.problems


@pytest.mark.parametrize(
    "key", ["name", "command", "materials", "products", "byproducts", "steps", "inspect", "expires"]
)
@pytest.mark.parametrize(
    "value", [None, 1, "x", [1, [2]], {"a": {"b": [3]}}, [{"expected_materials": {"x": 1}, "pubkeys": 5}]]
)
@pytest.mark.parametrize("kind", ["link", "layout"])
def test_any_shape_is_read_without_an_exception(kind: str, key: str, value: object) -> None:
    read_intoto_json("x.link", json.dumps({"signed": {"_type": kind, key: value}, "signatures": [1, {}]}).encode())


def test_large_ones_are_bounded() -> None:
    files = {f"f{number}": {"sha256": "0" * 64} for number in range(20_000)}
    link = {"_type": "link", "name": "x", "materials": files, "products": {}}
    piece = read_intoto_json("x.link", json.dumps({"signed": link}).encode())
    assert len(piece.more) < 1_100
    assert ("materials", "20,000 files") in [(claim.label, claim.text) for claim in piece.more]
    more = read_intoto_json("x.link", json.dumps({"signed": link | {"products": files}}).encode())
    assert "too many values" in more.problems[0]

"""SBOM attestations: the SBOM is of these artifacts, is the one that is released, and says nothing twice."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sigstore.dsse import Statement
from support.keyless import POLICY, WORKFLOW, Run, keyless_world
from support.sigstore import client
from support.world import SDIST, WHEEL, World

from sealwright.errors import ExitCode, UsageError
from sealwright.model.verdict import Result, Verdict
from sealwright.sandbox.sigstore import Sigstore

SBOM = "tiny_project-1.2.3.cdx.json"
LINES = "tiny_project-1.2.3.intoto.jsonl"
REQUIRING = POLICY.replace("sbom = false", 'sbom = { signers = ["workflow"] }')


def document(world: World) -> dict[str, Any]:
    wheel = hashlib.sha256((world.dist / WHEEL).read_bytes()).hexdigest()
    root = {
        "type": "library",
        "name": "tiny_project",
        "version": "1.2.3",
        "hashes": [{"alg": "SHA-256", "content": wheel}],
    }
    parts = [{"type": "library", "name": "six", "version": "1.16.0"}]
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": root}, "components": parts}


@pytest.fixture
def sealed(tmp_path: Path, sigstore: Sigstore) -> World:
    world = keyless_world(tmp_path / "world", sigstore)
    world.policy.write_text(REQUIRING)
    (world.folder / "sbom.json").write_text(json.dumps(document(world)))
    assert Run(world, sigstore, sbom=world.folder / "sbom.json").seal().verdict.result is Result.PASSED
    return world


def failed(verdict: Verdict, told: str) -> None:
    assert verdict.exit_code is ExitCode.TAMPERED, [(c.id, c.got) for c in verdict.failed()]
    assert told in " ".join(c.got for c in verdict.failed() if c.id == "attestation.sbom")


def test_an_sbom_is_released_signed_and_attested(sealed: World, sigstore: Sigstore) -> None:
    verdict = sealed.judge()
    assert {artifact.kind for artifact in verdict.artifacts} == {"wheel", "sdist", "sbom"}
    assert f"{SBOM}.sigstore.json" in {path.name for path in sealed.release.iterdir()}
    assert "an SBOM of 1 component" in " ".join(c.got for c in verdict.checks if c.id == "attestation.sbom")
    again = Run(sealed, sigstore, claims=None, sbom=sealed.folder / "sbom.json").seal()
    assert (again.written, again.verdict.result) == ((), Result.PASSED)


def test_a_policy_that_requires_one_is_not_sealed_without(tmp_path: Path, sigstore: Sigstore) -> None:
    world = keyless_world(tmp_path / "world", sigstore)
    world.policy.write_text(REQUIRING)
    with pytest.raises(UsageError, match="requires an SBOM"):
        Run(world, sigstore).seal()
    assert not sigstore.requests


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"bomFormat":"CycloneDX"}', b'{"a":1,"a":2}', b"\xff"])
def test_what_is_no_sbom_is_not_attested(tmp_path: Path, sigstore: Sigstore, content: bytes) -> None:
    world = keyless_world(tmp_path / "world", sigstore)
    world.policy.write_text(REQUIRING)
    (world.folder / "sbom.json").write_bytes(content)
    with pytest.raises(UsageError):
        Run(world, sigstore, sbom=world.folder / "sbom.json").seal()


def test_two_sboms(sealed: World, sigstore: Sigstore) -> None:
    shutil.copy(sealed.folder / "sbom.json", sealed.dist / SBOM)
    with pytest.raises(UsageError, match="a second one"):
        Run(sealed, sigstore, sbom=sealed.folder / "sbom.json").seal()


def attest(world: World, sigstore: Sigstore, change: Callable[[Any], None]) -> None:
    predicate = json.loads((world.release / SBOM).read_text())
    subjects = [
        {"name": name, "digest": {"sha256": hashlib.sha256((world.release / name).read_bytes()).hexdigest()}}
        for name in (WHEEL, SDIST)
    ]
    statement = {
        "_type": "https://in-toto.io/Statement/v1", "subject": subjects, "predicateType": "https://cyclonedx.org/bom",
        "predicate": predicate,
    }  # fmt: skip
    change(statement)
    with client(sigstore).signer(sigstore.github_token(WORKFLOW)) as signer:
        line = signer.sign_dsse(Statement(json.dumps(statement).encode())).to_json()
    (world.release / LINES).write_text(line + "\n")


def root_of(statement: Any) -> Any:
    return statement["predicate"]["metadata"]["component"]


LIES: list[tuple[Callable[[Any], Any], str]] = [
    (lambda s: root_of(s).update(hashes=[{"alg": "SHA-256", "content": "0" * 64}]), "hashes of these artifacts"),
    (lambda s: root_of(s)["hashes"].append({"alg": "SHA-256", "content": "0" * 64}), "hashes of these artifacts"),
    (lambda s: root_of(s).pop("hashes"), "hashes of these artifacts"),
    (lambda s: root_of(s).update(hashes=[{"alg": "MD5", "content": "0"}]), "hashes of these artifacts"),
    (lambda s: root_of(s).update(name="other"), "that of other 1.2.3"),
    (lambda s: root_of(s).update(version="1.2.4"), "that of tiny-project 1.2.4"),
    (lambda s: s["predicate"].pop("metadata"), "that of nothing"),
    (lambda s: s["predicate"].update(metadata=[]), "that of nothing"),
    (lambda s: s["predicate"].update(bomFormat="SPDX"), "no CycloneDX document"),
    (lambda s: s["predicate"].update(components=[]), "released beside the artifacts"),
    (lambda s: s["subject"].pop(), f"not about {SDIST}"),
    (lambda s: s["subject"].append({"name": SBOM, "digest": {"sha256": "0" * 64}}), "as well"),
]


@pytest.mark.parametrize("number", range(len(LIES)))
def test_a_lie_is_a_failed_check(sealed: World, sigstore: Sigstore, number: int) -> None:
    attest(sealed, sigstore, lambda statement: None)
    assert sealed.judge().result is Result.PASSED
    change, told = LIES[number]
    attest(sealed, sigstore, change)
    failed(sealed.judge(), told)

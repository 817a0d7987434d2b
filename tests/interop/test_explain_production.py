"""`sealwright explain` on real evidence of the public Sigstore: what it says is read, whatever forge it is from."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples
from support.world import run

from sealwright.collect.claims.sigstore_claims import UnknownEvidenceError, read_sigstore_json
from sealwright.model.explanation import Explanation
from sealwright.render.explanation import render_explanation
from sealwright.render.explanation_json import render_explanation_json
from sealwright.render.text import Style

pytestmark = pytest.mark.network
SDIST = "pypi_attestations-0.0.19.tar.gz"
IDENTITY = "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19"
COMMIT = "08802efe1f8e5fec4ad842d6b8ce97656092ee72"


def explained(evidence: Path, name: str) -> Any:
    done = run("sealwright", "explain", name, "--json", cwd=evidence)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["pieces"]


def test_a_real_provenance_attestation(evidence: Path) -> None:
    (piece,) = explained(evidence, f"{SDIST}.slsa.attestation")
    certificate = piece["certificate"]
    assert certificate["identities"] == [{"type": "URI", "value": IDENTITY}]
    assert certificate["oidcIssuers"] == ["https://token.actions.githubusercontent.com"]
    assert (certificate["issuedBy"], certificate["scts"]) == ("CN=sigstore-intermediate,O=sigstore.dev", 1)
    said = {extension["name"]: extension["value"] for extension in certificate["extensions"]}
    assert len(said) == 21
    assert said["Source Repository URI"] == "https://github.com/trailofbits/pypi-attestations"
    assert said["Source Repository Digest"] == COMMIT
    assert said["Source Repository Visibility At Signing"] == "public"
    (entry,) = piece["logEntries"]
    assert (entry["logIndex"], entry["integratedTime"]) == ("153454647", "2024-12-04 23:13:46 UTC")
    assert entry["logId"] == "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d"
    predicate = {claim["label"]: claim["text"] for claim in piece["statement"]["predicate"]}
    assert predicate["builder"] == IDENTITY
    assert predicate["built from"].endswith(f"gitCommit {COMMIT}")


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("bundle.json", IDENTITY),
        (f"{SDIST}.provenance", IDENTITY),
        ("rfc8785-0.1.2-py3-none-any.whl.sigstore", "william@yossarian.net"),
        ("gcb_attestation_test-0.0.0.tar.gz.provenance", "919436158236-compute@developer.gserviceaccount.com"),
    ],
)
def test_real_evidence_of_every_kind(evidence: Path, name: str, identity: str) -> None:
    pieces = explained(evidence, name)
    assert identity in [name["value"] for piece in pieces for name in piece["certificate"]["identities"]]
    assert not any(piece["verified"] or piece["unread"] for piece in pieces)


def test_a_folder_of_real_evidence(evidence: Path, tmp_path: Path) -> None:
    names = [
        path.name for path in evidence.iterdir() if path.name.endswith((".attestation", ".provenance", ".sigstore"))
    ]
    assert len(names) > 8
    for name in names:
        shutil.copy(evidence / name, tmp_path)
    done = run("sealwright", "explain", ".", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert all(name in done.stdout for name in names)


@pytest.mark.parametrize("name", ["bundle.json", f"{SDIST}.provenance"])
def test_changes_of_real_evidence_never_raise(evidence: Path, name: str) -> None:
    """Bytes of the file, and of the certificate within it."""
    content = (evidence / name).read_bytes()

    @examples(150)
    @given(position=st.integers(0, len(content) - 1), character=st.characters(codec="ascii"), cut=st.integers(0, 40))
    def change(position: int, character: str, cut: int) -> None:
        changed = content[:position] + character.encode() + content[position + cut :]
        try:
            explanation = Explanation(name, False, read_sigstore_json(name, changed))
        except UnknownEvidenceError:
            return
        assert all(
            line.isprintable() and len(line) <= 80
            for line in render_explanation(explanation, Style(False, 80)).splitlines()
        )
        assert json.loads(render_explanation_json(explanation, 0))["verified"] is False

    change()

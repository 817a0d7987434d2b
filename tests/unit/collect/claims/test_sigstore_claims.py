"""What is read from bundles and attestations of every version, and that nothing in them makes the reader raise."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fulcio import IDENTITY, b64, bundle, certificate, statement
from support.fuzz import examples

from sealwright.collect.claims.sigstore_claims import UnknownEvidenceError, read_sigstore_json
from sealwright.model.explanation import Claim, Explanation, LogEntry, Piece, PieceKind
from sealwright.render.explanation import render_explanation
from sealwright.render.explanation_json import render_explanation_json
from sealwright.render.text import Style


def read(document: Any) -> Piece:
    pieces = read_sigstore_json("x.json", json.dumps(document).encode())
    assert len(pieces) == 1
    return pieces[0]


def claims(kind: str, predicate: Any) -> dict[str, str]:
    piece = read(bundle(statement(kind, predicate)))
    assert piece.statement
    assert not piece.problems
    return {claim.label: claim.text for claim in piece.statement.predicate}


def test_a_bundle_with_a_statement() -> None:
    piece = read(bundle(statement()))
    assert (piece.kind, piece.problems) == (PieceKind.BUNDLE, ())
    assert piece.certificate
    assert piece.certificate.identities == (Claim("URI", IDENTITY),)
    assert piece.log_entries == (
        LogEntry("dsse 0.0.1", "42", "c0" * 32, "2025-01-02 03:04:05 UTC", True, True, True, "43"),
    )
    assert piece.statement
    assert piece.statement.subjects[0].name == "pkg-1.2.3.tar.gz"
    assert piece.statement.subjects[0].digests == (Claim("sha256", "ab" * 32),)


def test_a_bundle_over_a_file() -> None:
    piece = read(bundle())
    assert piece.digest == Claim("SHA2_256", "ab" * 32)
    assert piece.statement is None
    assert not piece.problems


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_older_bundles_hold_a_chain(version: str) -> None:
    chain = {"certificates": [{"rawBytes": b64(certificate())}, {"rawBytes": b64(b"whatever")}]}
    document = bundle(statement(), certificate=None, x509CertificateChain=chain)
    document["mediaType"] = f"application/vnd.dev.sigstore.bundle+json;version={version}"
    piece = read(document)
    assert not piece.problems
    assert piece.certificate
    assert piece.certificate.identities == (Claim("URI", IDENTITY),)


def test_an_entry_of_rekor_v2_has_no_time() -> None:
    entry = {"logIndex": 5, "logId": {"keyId": "AAAA"}, "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"}}
    piece = read(bundle(tlogEntries=[entry | {"integratedTime": "0", "inclusionProof": {"treeSize": 6}}]))
    assert piece.log_entries == (LogEntry("hashedrekord 0.0.2", "5", "000000", "", True, False, False, "6"),)
    assert not piece.problems


def test_a_pep_740_attestation_and_a_provenance_object() -> None:
    material = {
        "certificate": b64(certificate()),
        "transparency_entries": bundle()["verificationMaterial"]["tlogEntries"],
    }
    envelope = {"statement": b64(json.dumps(statement()).encode()), "signature": b64(b"sig")}
    attestation = {"version": 1, "verification_material": material, "envelope": envelope}
    piece = read(attestation)
    assert (piece.kind, piece.problems, len(piece.log_entries)) == (PieceKind.ATTESTATION, (), 1)
    publisher = {"kind": "GitHub", "repository": "o/r", "workflow": "release.yml"}
    provenance = {"version": 1, "attestation_bundles": [{"publisher": publisher, "attestations": [attestation] * 2}]}
    pieces = read_sigstore_json("x", json.dumps(provenance).encode())
    assert [piece.where for piece in pieces] == ["attestation 1.1", "attestation 1.2"]
    assert Claim("publisher repository", "o/r") in pieces[0].more


def test_a_bare_envelope() -> None:
    assert read(bundle(statement())["dsseEnvelope"]).kind is PieceKind.ENVELOPE


def test_predicates_that_are_known() -> None:
    provenance = {
        "buildDefinition": {
            "buildType": "t", "resolvedDependencies": [{"uri": f"git+{n}", "digest": {"gitCommit": "aa"}} for n in range(5)],
        },
        "runDetails": {"builder": {"id": "b"}, "metadata": {"invocationId": "i"}},
    }  # fmt: skip
    assert claims("https://slsa.dev/provenance/v1", provenance) == {
        "builder": "b", "build type": "t", "invocation": "i", "built from": "2 more",
    }  # fmt: skip
    release = {"purl": "pkg:pypi/x@1", "releaseId": "7"}
    assert claims("https://in-toto.io/attestation/release/v0.1", release) == {"purl": "pkg:pypi/x@1", "release id": "7"}
    sbom = claims("https://cyclonedx.org/bom", {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{}, {}]})
    assert sbom == {"SBOM": "CycloneDX 1.6", "components": "2"}
    vulns = "https://in-toto.io/attestation/vulns/v0.2"
    assert claims(vulns, {"scanner": {"uri": "pip-audit", "result": []}})["result"] == "no vulnerability"
    some = claims(vulns, {"scanner": {"result": [{"id": f"X-{n}"} for n in range(12)]}})["result"]
    assert some.startswith("12 vulnerabilities: X-0, ")
    assert some.endswith("and 2 more")
    assert "published" in claims("https://docs.pypi.org/attestations/publish/v1", None)


@pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl to make a timestamp with")
def test_the_time_that_a_timestamp_states(tmp_path: Path) -> None:
    config = "[tsa]\nserial=serial\ncrypto_device=builtin\nsigner_digest=sha256\ndefault_policy=1.2.3\ndigests=sha256\n"
    (tmp_path / "c").write_text(
        f"{config}[x]\nextendedKeyUsage=critical,timeStamping\n[req]\ndistinguished_name=d\n[d]\n"
    )
    for step in (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out cert -subj /CN=t -config c -extensions x",
        "ts -query -data c -sha256 -cert -out q",
        "ts -reply -config c -section tsa -queryfile q -signer cert -inkey k -out r",
    ):
        subprocess.run(["openssl", *step.split()], cwd=tmp_path, check=True, capture_output=True)
    data = {"rfc3161Timestamps": [{"signedTimestamp": b64((tmp_path / "r").read_bytes())}, {"signedTimestamp": "AAAA"}]}
    piece = read(bundle(timestampVerificationData=data))
    assert len(piece.timestamps) == 1
    assert piece.timestamps[0].startswith("20")
    assert piece.timestamps[0].endswith(" UTC")
    assert len(piece.problems) == 1
    assert "rfc3161Timestamps[1]" in piece.problems[0]


@pytest.mark.parametrize(
    "document", [None, 1, "x", [], {}, {"a": 1}, {"mediaType": "application/vnd.dev.sigstore.trustedroot+json"}, {"mediaType": 1}]
)  # fmt: skip
def test_json_of_another_kind(document: Any) -> None:
    with pytest.raises(UnknownEvidenceError):
        read_sigstore_json("x", json.dumps(document).encode())


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b'{"a":1,"a":2}', b"[" * 100_000, b'{"a":' * 50_000, b"9" * 6000]
)
def test_json_that_cannot_be_read(content: bytes) -> None:
    pieces = read_sigstore_json("x", content)
    assert [piece.kind for piece in pieces] == [PieceKind.UNREADABLE]
    assert pieces[0].problems


def test_what_is_missing_is_said() -> None:
    piece = read({"verificationMaterial": {}})
    assert any("certificate" in problem for problem in piece.problems)
    assert any("neither" in problem for problem in piece.problems)


def test_wrong_types_are_noted_once_each_and_not_for_ever() -> None:
    piece = read(bundle(tlogEntries=[{"logIndex": []}] * 90))
    assert len(piece.problems) == 21
    assert "verificationMaterial.tlogEntries[0].logIndex cannot be read: it is a list, not a text" in piece.problems


WRONG = [
    None,
    "",
    "AAAA",
    0,
    -1,
    2**70,
    10**4000,
    [],
    {},
    True,
    1.5,
    1e400,
    "\x1b[2J",
    "\ud800",
    "\u202e",
    [[[]]],
    {"": {}},
    "a\nb",
]


def spoil(document: Any, data: st.DataObject) -> None:
    """Replace or drop one value, anywhere in the document."""
    keys = list(document) if isinstance(document, dict) else list(range(len(document)))
    key = data.draw(st.sampled_from(keys))
    if isinstance(document[key], dict | list) and document[key] and data.draw(st.integers(0, 3)):
        spoil(document[key], data)
    elif data.draw(st.booleans()):
        del document[key]
    else:
        document[key] = data.draw(st.sampled_from(WRONG))


@examples(400)
@given(data=st.data())
def test_no_change_of_a_bundle_makes_anything_raise(data: st.DataObject) -> None:
    signed = statement(
        "https://slsa.dev/provenance/v1",
        {
            "buildDefinition": {"resolvedDependencies": [{"uri": "x", "digest": {"a": "b"}}]},
            "runDetails": {"builder": {"id": "b"}},
        },
    )
    spoil(signed, data)
    document = bundle(signed)
    if data.draw(st.booleans()):
        spoil(document, data)
    try:
        pieces = read_sigstore_json("x", json.dumps(document).encode())
    except UnknownEvidenceError:
        return
    explanation = Explanation("x", False, pieces)
    text = render_explanation(explanation, Style(False, 80))
    assert all(line.isprintable() and len(line) <= 80 for line in text.splitlines())
    assert json.loads(render_explanation_json(explanation, 0))["verified"] is False

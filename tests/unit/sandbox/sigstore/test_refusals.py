"""What each service must refuse, and that it refuses as the real ones do: a 4xx, in JSON."""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sigstore.models import TransparencyLogEntry
from support.sigstore import ALICE, CONTENT, KEY, client, propose_hashedrekord, statement

from sealwright.sandbox.sigstore import EMAIL_ISSUER, GITHUB_ISSUER, Endpoint, GitHubClaims, Sigstore, running_sigstore


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def csr(key: Any = KEY) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def ask_certificate(sigstore: Sigstore, token: str | None, **content: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = content or {"certificateSigningRequest": b64(csr())}
    return requests.post(f"{sigstore.urls.fulcio}/api/v2/signingCert", json=body, headers=headers, timeout=30)


def ask_by_key(sigstore: Sigstore, signed: bytes, key: Any = KEY) -> requests.Response:
    """As sigstore-js asks: the token in the body, and a signature over its subject."""
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    proof = key.sign(signed) if isinstance(key, ed25519.Ed25519PrivateKey) else key.sign(signed, ec.ECDSA(SHA256()))
    request = {"publicKey": {"algorithm": "ECDSA", "content": pem}, "proofOfPossession": b64(proof)}
    credentials = {"oidcIdentityToken": sigstore.email_token(ALICE)}
    return ask_certificate(sigstore, None, credentials=credentials, publicKeyRequest=request)


def refused(answer: requests.Response, status: int, told: str) -> None:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
    assert told in answer.json()["message"]


def test_a_certificate_for_a_good_request(sigstore: Sigstore) -> None:
    for answer in (
        ask_certificate(sigstore, sigstore.email_token(ALICE)),
        ask_by_key(sigstore, ALICE.encode()),
        ask_by_key(sigstore, ALICE.encode(), ed25519.Ed25519PrivateKey.generate()),
    ):
        assert answer.status_code == 200
        chain = answer.json()["signedCertificateEmbeddedSct"]["chain"]["certificates"]
        leaf, intermediate, root = (x509.load_pem_x509_certificate(each.encode()) for each in chain)
        leaf.verify_directly_issued_by(intermediate)
        intermediate.verify_directly_issued_by(root)
        root.verify_directly_issued_by(root)


def test_the_trust_bundle_is_the_chain(sigstore: Sigstore) -> None:
    answer = requests.get(f"{sigstore.urls.fulcio}/api/v2/trustBundle", timeout=30).json()
    trusted = sigstore.trusted_root()["certificateAuthorities"][0]["certChain"]["certificates"]
    pems = [x509.load_pem_x509_certificate(each.encode()) for each in answer["chains"][0]["certificates"]]
    assert [b64(each.public_bytes(Encoding.DER)) for each in pems] == [each["rawBytes"] for each in trusted]


def test_a_token_of_another_key_is_refused(sigstore: Sigstore) -> None:
    claims = jwt.decode(sigstore.email_token(ALICE), options={"verify_signature": False})
    refused(ask_certificate(sigstore, jwt.encode(claims, KEY, "ES256")), 401, "bad signature")
    refused(ask_certificate(sigstore, jwt.encode(claims, "x" * 32, "HS256")), 401, "bad signature")
    refused(ask_certificate(sigstore, jwt.encode(claims, None, "none")), 401, "bad signature")
    with running_sigstore() as other:
        refused(ask_certificate(sigstore, other.email_token(ALICE)), 401, "bad signature")


def test_a_token_for_somebody_else_is_refused(sigstore: Sigstore) -> None:
    refused(ask_certificate(sigstore, sigstore.email_token(ALICE, audience="pypi")), 401, "not for sigstore")


def test_a_token_out_of_its_time_is_refused(sigstore: Sigstore) -> None:
    token = sigstore.email_token(ALICE, lifetime=timedelta(minutes=-1))
    refused(ask_certificate(sigstore, token), 401, "expired")


def test_a_token_of_an_unknown_issuer_is_refused(sigstore: Sigstore) -> None:
    token = sigstore.email_token(ALICE, issuer="https://issuer.example.invalid")
    refused(ask_certificate(sigstore, token), 400, "unknown issuer")


def test_issuers_are_what_the_sandbox_was_told() -> None:
    with running_sigstore(email_issuers=["https://a.example"], github_issuers=["https://b.example"]) as sigstore:
        claims = GitHubClaims()
        good = [
            sigstore.email_token(ALICE, issuer="https://a.example"),
            sigstore.email_token(ALICE, issuer=sigstore.urls.oidc),
            sigstore.github_token(claims._replace(issuer="https://b.example")),
        ]
        assert [ask_certificate(sigstore, token).status_code for token in good] == [200, 200, 200]
        refused(ask_certificate(sigstore, sigstore.email_token(ALICE, issuer=EMAIL_ISSUER)), 400, "unknown issuer")
        refused(ask_certificate(sigstore, sigstore.github_token(claims)), 400, "unknown issuer")


def test_a_token_without_the_claims_of_its_issuer_is_refused(sigstore: Sigstore) -> None:
    refused(ask_certificate(sigstore, sigstore.email_token("nobody")), 400, "no e-mail address")
    refused(ask_certificate(sigstore, sigstore.email_token(ALICE, issuer=GITHUB_ISSUER)), 400, "has no claim")


def test_no_token_or_no_jwt_is_refused(sigstore: Sigstore) -> None:
    refused(ask_certificate(sigstore, None), 401, "there is none")
    refused(ask_certificate(sigstore, "a.b.c"), 401, "bad signature or format")


def test_without_possession_of_the_key_there_is_no_certificate(sigstore: Sigstore) -> None:
    refused(ask_by_key(sigstore, b"somebody@example.com"), 400, "signature supplied in the request")
    good = x509.load_pem_x509_csr(csr()).public_bytes(Encoding.DER)
    spoilt = x509.load_der_x509_csr(good[:-1] + bytes([good[-1] ^ 1])).public_bytes(Encoding.PEM)
    token = sigstore.email_token(ALICE)
    refused(
        ask_certificate(sigstore, token, certificateSigningRequest=b64(spoilt)),
        400,
        "signature supplied in the request",
    )


@pytest.mark.parametrize(
    "content",
    [
        {"certificateSigningRequest": "?"},
        {"certificateSigningRequest": b64(b"no PEM")},
        {"certificateSigningRequest": 7},
        {"certificateSigningRequest": b64(csr(rsa.generate_private_key(65537, 2048)))},
        {"publicKeyRequest": {}},
        {"publicKeyRequest": []},
        {"other": 1},
    ],
)
def test_a_key_that_cannot_be_read_is_refused(sigstore: Sigstore, content: dict[str, Any]) -> None:
    refused(ask_certificate(sigstore, sigstore.email_token(ALICE), **content), 400, "could not be parsed")


def propose(sigstore: Sigstore, version: int, proposal: Any) -> requests.Response:
    base = sigstore.urls.rekor1 if version == 1 else sigstore.urls.rekor2
    return requests.post(f"{base}/api/v{version}/log/entries", json=proposal, timeout=30)


def proposal_v1(sigstore: Sigstore) -> dict[str, Any]:
    """What sigstore-python proposes for an artifact."""
    body = client(sigstore, "rekor1").sign().log_entry._inner.canonicalized_body
    proposal: dict[str, Any] = json.loads(body)
    return proposal


def test_an_entry_of_a_bare_key_is_logged_once(sigstore: Sigstore) -> None:
    proposal = propose_hashedrekord(b"fresh")
    first = propose(sigstore, 1, proposal)
    assert first.status_code == 201
    again = propose(sigstore, 1, proposal)
    refused(again, 409, "already exists")
    uuid = next(iter(first.json()))
    assert again.headers["Location"] == first.headers["Location"] == f"/api/v1/log/entries/{uuid}"


def test_an_entry_with_a_bad_signature_is_not_logged(sigstore: Sigstore) -> None:
    proposal = propose_hashedrekord(b"one thing")
    proposal["spec"]["data"]["hash"]["value"] = hashlib.sha256(b"another").hexdigest()
    refused(propose(sigstore, 1, proposal), 400, "signature could not be verified")


def test_a_signed_entry_with_another_certificate_is_not_logged(sigstore: Sigstore) -> None:
    first, second = proposal_v1(sigstore), proposal_v1(sigstore)
    first["spec"]["signature"]["publicKey"] = second["spec"]["signature"]["publicKey"]
    refused(propose(sigstore, 1, first), 400, "signature could not be verified")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["kind"], "intoto"),
        (["apiVersion"], "0.0.9"),
        (["spec"], None),
        (["spec", "data"], []),
        (["spec", "data", "hash", "algorithm"], "md5"),
        (["spec", "data", "hash", "value"], "00"),
        (["spec", "signature", "content"], "?"),
        (["spec", "signature", "publicKey", "content"], b64(b"no PEM")),
    ],
)
def test_a_malformed_entry_is_refused(sigstore: Sigstore, path: list[str], value: Any) -> None:
    proposal: Any = propose_hashedrekord(b"fresh")
    inner = proposal
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    answer = propose(sigstore, 1, proposal)
    assert answer.status_code == 400
    assert answer.json()["code"] == 400


def dsse_proposal(sigstore: Sigstore) -> tuple[dict[str, Any], str]:
    """An envelope of Alice's, and her certificate as PEM in base64."""
    bundle = json.loads(client(sigstore, "rekor1").sign_statement(statement()).to_json())
    certificate = x509.load_der_x509_certificate(
        base64.b64decode(bundle["verificationMaterial"]["certificate"]["rawBytes"])
    )
    return bundle["dsseEnvelope"], b64(certificate.public_bytes(Encoding.PEM))


def test_an_envelope_is_logged_only_as_it_was_signed(sigstore: Sigstore) -> None:
    envelope, verifier = dsse_proposal(sigstore)
    spoilt = envelope | {"payload": b64(b"{}")}
    for version in ("v1", "v2"):
        for content, status in ((envelope, 201), (spoilt, 400)):
            if version == "v1":
                text = json.dumps(content, indent=1)  # not as it was logged first
                spec = {"proposedContent": {"envelope": text, "verifiers": [verifier]}}
                answer = propose(sigstore, 1, {"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
            else:
                der = x509.load_pem_x509_certificate(base64.b64decode(verifier)).public_bytes(Encoding.DER)
                stated = {"x509Certificate": {"rawBytes": b64(der)}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
                answer = propose(sigstore, 2, {"dsseRequestV002": {"envelope": content, "verifiers": [stated]}})
            assert answer.status_code == status, answer.text


def test_rekor_v2_refuses_what_is_wrong(sigstore: Sigstore) -> None:
    raw = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    verifier = {"publicKey": {"rawBytes": b64(raw)}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
    signature = {"content": b64(KEY.sign(CONTENT, ec.ECDSA(SHA256()))), "verifier": verifier}
    request = {"digest": b64(hashlib.sha256(CONTENT).digest()), "signature": signature}
    assert propose(sigstore, 2, {"hashedRekordRequestV002": request}).status_code == 201
    refused(propose(sigstore, 2, {"hashedRekordRequestV002": request}), 409, "already exists")
    spoilt = request | {"digest": b64(bytes(32))}
    refused(propose(sigstore, 2, {"hashedRekordRequestV002": spoilt}), 400, "signature could not be verified")
    other = request | {"signature": signature | {"verifier": verifier | {"keyDetails": "PKIX_ED25519"}}}
    refused(propose(sigstore, 2, {"hashedRekordRequestV002": other}), 400, "cannot be understood")
    refused(propose(sigstore, 2, {}), 400, "one request")


def test_entries_are_found_again(sigstore: Sigstore) -> None:
    proposal = propose_hashedrekord(b"to be found")
    uuid, entry = next(iter(propose(sigstore, 1, proposal).json().items()))
    base = f"{sigstore.urls.rekor1}/api/v1/log"
    by_uuid = requests.get(f"{base}/entries/{uuid}", timeout=30).json()
    by_index = requests.get(f"{base}/entries", params={"logIndex": entry["logIndex"]}, timeout=30).json()
    asked = {"entries": [proposal], "entryUUIDs": [uuid], "logIndexes": [entry["logIndex"], 10**6]}
    retrieved = requests.post(f"{base}/entries/retrieve", json=asked, timeout=30).json()
    assert len(retrieved) == 3
    for found in (by_uuid, by_index, *retrieved):
        assert found[uuid]["body"] == entry["body"]
        keyring = client(sigstore).config.trusted_root.rekor_keyring("verify")  # type: ignore[arg-type]
        TransparencyLogEntry._from_v1_response(found)._verify(keyring)
    for missing in (f"entries/{'0' * 64}", "entries?logIndex=1000000"):
        assert requests.get(f"{base}/{missing}", timeout=30).status_code == 404
    assert requests.get(f"{base}/entries?logIndex=x", timeout=30).status_code == 400
    head = requests.get(base, timeout=30).json()
    assert head["treeSize"] == entry["logIndex"] + 1
    assert head["signedTreeHead"].startswith(f"127.0.0.1 - {head['treeID']}\n{head['treeSize']}\n")
    assert b"PUBLIC KEY" in requests.get(f"{base}/publicKey", timeout=30).content
    assert sigstore.requests[Endpoint.LOG_V1] == 2

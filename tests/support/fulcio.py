"""Signing certificates and bundles made by hand: what they say is whatever a test wants, and nobody vouches for it."""

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

ISSUER = "https://token.actions.githubusercontent.com"
IDENTITY = "https://github.com/o/r/.github/workflows/release.yml@refs/tags/v1.2.3"
REPOSITORY = "https://github.com/o/r"
START = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
V03 = "application/vnd.dev.sigstore.bundle.v0.3+json"


@cache
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def der_text(text: str) -> bytes:
    raw = text.encode()
    return b"\x0c" + (bytes((len(raw),)) if len(raw) < 128 else b"\x82" + len(raw).to_bytes(2)) + raw


def certificate(
    extensions: dict[int, bytes] | None = None, names: list[x509.GeneralName] | None = None, more: Any = ()
) -> bytes:
    """A certificate in DER with Fulcio's extensions by their last number, unless others are given."""
    if extensions is None:
        extensions = {
            1: ISSUER.encode(),
            8: der_text(ISSUER),
            12: der_text(REPOSITORY),
            14: der_text("refs/tags/v1.2.3"),
        }
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test-intermediate")]))
        .public_key(key().public_key())
        .serial_number(7)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(minutes=10))
        .add_extension(x509.SubjectAlternativeName(names or [x509.UniformResourceIdentifier(IDENTITY)]), critical=True)
    )
    for number, raw in extensions.items():
        oid = x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, raw), critical=False)
    for oid, raw in more:
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), raw), critical=False)
    return builder.sign(key(), hashes.SHA256()).public_bytes(Encoding.DER)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def statement(predicate_type: str = "https://example.org/x", predicate: Any = None, **more: Any) -> dict[str, Any]:
    subject = [{"name": "pkg-1.2.3.tar.gz", "digest": {"sha256": "ab" * 32}}]
    document = {"_type": "https://in-toto.io/Statement/v1", "subject": subject}
    return document | {"predicateType": predicate_type, "predicate": predicate} | more


def bundle(signed: dict[str, Any] | None = None, *, der: bytes | None = None, **more: Any) -> dict[str, Any]:
    """A bundle that signs a statement or, without one, a file; `more` replaces parts of its verification material."""
    entry = {
        "logIndex": "42", "logId": {"keyId": b64(b"\xc0" * 32)}, "kindVersion": {"kind": "dsse", "version": "0.0.1"},
        "integratedTime": "1735787045", "inclusionPromise": {"signedEntryTimestamp": b64(b"set")},
        "inclusionProof": {"logIndex": "41", "rootHash": "AAAA", "treeSize": "43", "hashes": [], "checkpoint": {"envelope": "x"}},
    }  # fmt: skip
    material = {"certificate": {"rawBytes": b64(der or certificate())}, "tlogEntries": [entry]} | more
    document: dict[str, Any] = {"mediaType": V03, "verificationMaterial": material}
    if signed is None:
        digest = {"algorithm": "SHA2_256", "digest": b64(b"\xab" * 32)}
        return document | {"messageSignature": {"messageDigest": digest, "signature": b64(b"sig")}}
    payload = b64(json.dumps(signed).encode())
    envelope = {"payload": payload, "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": b64(b"sig")}]}
    return document | {"dsseEnvelope": envelope}

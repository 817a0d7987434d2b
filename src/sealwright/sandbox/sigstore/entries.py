"""What the logs make of a proposed entry: its signature is checked, and its canonical body built.

Enters: proposals, as strangers sent them. Leaves: canonical JSON (RFC 8785), the leaf of a log. Like Rekor, it checks
the signature with the key of the entry's own certificate, and does not ask who issued that: verifiers do.
https://github.com/sigstore/rekor/tree/main/pkg/types and https://github.com/sigstore/rekor-tiles/tree/main/api/proto
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sealwright.sandbox.server import RefusalError
from sealwright.sandbox.sigstore.keys import is_signed, is_signed_digest, key_details, take_key

if TYPE_CHECKING:
    from sealwright.sandbox.sigstore.keys import SignerKey

_SIZES = {"sha256": 32, "sha384": 48, "sha512": 64}
_V2_ALGORITHMS = {32: "SHA2_256", 48: "SHA2_384", 64: "SHA2_512"}


def build_body_v1(proposal: Mapping[str, Any]) -> bytes:
    """Build the body of a hashedrekord or dsse entry, version 0.0.1. Raises RefusalError."""
    kind, version = proposal.get("kind"), proposal.get("apiVersion")
    builders = {"hashedrekord": _hashedrekord_v1, "dsse": _dsse_v1}
    if kind not in builders or version != "0.0.1":
        raise RefusalError(400, f"no entry of kind {kind!r}, version {version!r}")
    spec = _understood(lambda: builders[kind](proposal["spec"]))
    return _canonical({"apiVersion": version, "kind": kind, "spec": spec})


def build_body_v2(proposal: Mapping[str, Any]) -> tuple[str, bytes]:
    """Build the kind and the body of a hashedrekord or dsse entry, version 0.0.2. Raises RefusalError."""
    builders = {
        "hashedRekordRequestV002": ("hashedrekord", "hashedRekordV002", _hashedrekord_v2),
        "dsseRequestV002": ("dsse", "dsseV002", _dsse_v2),
    }
    names = [name for name in builders if name in proposal]
    if len(names) != 1:
        raise RefusalError(400, "one request for an entry is expected")
    kind, field, build = builders[names[0]]
    spec = {field: _understood(lambda: build(proposal[names[0]]))}
    return kind, _canonical({"apiVersion": "0.0.2", "kind": kind, "spec": spec})


def encode_pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding.

    https://github.com/secure-systems-lab/dsse/blob/master/protocol.md#signature-definition
    """
    name = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def _hashedrekord_v1(spec: Mapping[str, Any]) -> dict[str, Any]:
    algorithm = spec["data"]["hash"].get("algorithm", "sha256")
    digest = bytes.fromhex(spec["data"]["hash"]["value"])
    pem = _decode(spec["signature"]["publicKey"]["content"])
    signature = _decode(spec["signature"]["content"])
    if len(digest) != _SIZES[algorithm]:
        raise ValueError("a digest of another size")
    _demand(is_signed_digest(_read_pem(pem), signature, digest))
    return {
        "data": {"hash": {"algorithm": algorithm, "value": digest.hex()}},
        "signature": {"content": _encode(signature), "publicKey": {"content": _encode(pem)}},
    }


def _dsse_v1(spec: Mapping[str, Any]) -> dict[str, Any]:
    proposed = spec["proposedContent"]
    text = proposed["envelope"]
    envelope = json.loads(text)
    payload = _decode(envelope["payload"])
    pems = [_decode(each) for each in proposed["verifiers"]]
    signatures = [_decode(each["sig"]) for each in envelope["signatures"]]
    keys = [_read_pem(pem) for pem in pems]
    signers = _match(keys, signatures, encode_pae(envelope["payloadType"], payload))
    pairs = [
        {"signature": _encode(signature), "verifier": _encode(pems[signer])}
        for signature, signer in zip(signatures, signers, strict=True)
    ]
    return {
        "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(text.encode()).hexdigest()},
        "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
        "signatures": pairs,
    }


def _hashedrekord_v2(request: Mapping[str, Any]) -> dict[str, Any]:
    digest, signature = _decode(request["digest"]), _decode(request["signature"]["content"])
    verifier, key = _read_verifier(request["signature"]["verifier"])
    _demand(is_signed_digest(key, signature, digest))
    return {
        "data": {"algorithm": _V2_ALGORITHMS[len(digest)], "digest": _encode(digest)},
        "signature": {"content": _encode(signature), "verifier": verifier},
    }


def _dsse_v2(request: Mapping[str, Any]) -> dict[str, Any]:
    envelope = request["envelope"]
    payload = _decode(envelope["payload"])
    signatures = [_decode(each["sig"]) for each in envelope["signatures"]]
    read = [_read_verifier(each) for each in request["verifiers"]]
    signers = _match([key for _, key in read], signatures, encode_pae(envelope["payloadType"], payload))
    return {
        "payloadHash": {"algorithm": "SHA2_256", "digest": _encode(hashlib.sha256(payload).digest())},
        "signatures": [
            {"content": _encode(signature), "verifier": read[signer][0]}
            for signature, signer in zip(signatures, signers, strict=True)
        ],
    }


def _match(keys: "Sequence[SignerKey]", signatures: Sequence[bytes], content: bytes) -> list[int]:
    """For each signature the index of the key that made it; each key must have made one. Raises RefusalError."""
    found = [
        next((index for index, key in enumerate(keys) if is_signed(key, signature, content)), None)
        for signature in signatures
    ]
    _demand(bool(found) and None not in found and set(found) == set(range(len(keys))))
    return [index for index in found if index is not None]


def _read_verifier(given: Mapping[str, Any]) -> "tuple[dict[str, Any], SignerKey]":
    """A verifier as Rekor v2 stores it, and its key; the stated kind of the key must be the real one."""
    from cryptography.hazmat.primitives.serialization import load_der_public_key
    from cryptography.x509 import load_der_x509_certificate

    if "x509Certificate" in given:
        name, content = "x509Certificate", _decode(given["x509Certificate"]["rawBytes"])
        key = take_key(load_der_x509_certificate(content).public_key())
    else:
        name, content = "publicKey", _decode(given["publicKey"]["rawBytes"])
        key = take_key(load_der_public_key(content))
    if given["keyDetails"] != key_details(key):
        raise ValueError("another kind of key than is stated")
    return {"keyDetails": given["keyDetails"], name: {"rawBytes": _encode(content)}}, key


def _read_pem(pem: bytes) -> "SignerKey":
    """The key of a certificate or a public key."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from cryptography.x509 import load_pem_x509_certificate

    is_certificate = b" CERTIFICATE-----" in pem
    return take_key(load_pem_x509_certificate(pem).public_key() if is_certificate else load_pem_public_key(pem))


def _understood(build: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a builder returns; whatever breaks in it is the proposal's fault. Raises RefusalError."""
    try:
        return build()
    except RefusalError:
        raise
    except Exception as error:  # each library has its own ways to dislike a certificate
        raise RefusalError(400, f"the entry cannot be understood ({type(error).__name__})") from error


def _demand(proved: bool) -> None:
    if not proved:
        raise RefusalError(400, "the entry's signature could not be verified")


def _canonical(content: Mapping[str, Any]) -> bytes:
    import rfc8785

    return rfc8785.dumps(dict(content))


def _decode(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode()

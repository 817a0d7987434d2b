"""Somebody else, whose entries are in the logs as well.

Enters: nothing. Leaves: proposals for entries, signed by a key of no consequence: each log's first entry, and what it
answers with when it is told to answer with another's.
"""

import base64
import hashlib
import json
import secrets
from datetime import datetime
from typing import Any

from sealwright.sandbox.sigstore.certificates import make_root
from sealwright.sandbox.sigstore.entries import encode_pae
from sealwright.sandbox.sigstore.keys import ECDSA, encode_der, encode_pem

_TYPE = "application/vnd.in-toto+json"


class Stranger:
    """A signer with a certificate that no trusted root knows."""

    def __init__(self, now: datetime) -> None:
        """Make the key."""
        self._authority = make_root("a stranger", now)

    def propose_v1(self, kind: str) -> dict[str, Any]:
        """A proposal of kind hashedrekord or dsse for Rekor v1, another each time."""
        pem = _encode(encode_pem(self._authority.certificate).encode())
        if kind == "dsse":
            envelope = json.dumps(self._sign_statement())
            spec: dict[str, Any] = {"proposedContent": {"envelope": envelope, "verifiers": [pem]}}
        else:
            content = secrets.token_bytes(32)
            signature = {"content": _encode(self._sign(content)), "publicKey": {"content": pem}}
            digest = {"algorithm": "sha256", "value": hashlib.sha256(content).hexdigest()}
            spec = {"data": {"hash": digest}, "signature": signature}
        return {"apiVersion": "0.0.1", "kind": kind, "spec": spec}

    def propose_v2(self, kind: str) -> dict[str, Any]:
        """A proposal of kind hashedrekord or dsse for Rekor v2, another each time."""
        certificate = {"rawBytes": _encode(encode_der(self._authority.certificate))}
        verifier = {"keyDetails": ECDSA, "x509Certificate": certificate}
        if kind == "dsse":
            return {"dsseRequestV002": {"envelope": self._sign_statement(), "verifiers": [verifier]}}
        content = secrets.token_bytes(32)
        signature = {"content": _encode(self._sign(content)), "verifier": verifier}
        digest = _encode(hashlib.sha256(content).digest())
        return {"hashedRekordRequestV002": {"digest": digest, "signature": signature}}

    def _sign_statement(self) -> dict[str, Any]:
        payload = json.dumps({"_type": "https://in-toto.io/Statement/v1", "subject": [], "n": secrets.token_hex(8)})
        signature = self._sign(encode_pae(_TYPE, payload.encode()))
        signed = {"payload": _encode(payload.encode()), "payloadType": _TYPE}
        return {**signed, "signatures": [{"sig": _encode(signature), "keyid": ""}]}

    def _sign(self, content: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA as ECDSA_SCHEME
        from cryptography.hazmat.primitives.hashes import SHA256

        return self._authority.key.sign(content, ECDSA_SCHEME(SHA256()))


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode()

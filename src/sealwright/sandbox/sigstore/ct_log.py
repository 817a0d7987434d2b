"""The CT log that every certificate of the sandbox's Fulcio is in.

Enters: certificates without an SCT. Leaves: signed certificate timestamps, and the log's head and proofs over HTTP.
Logs what Fulcio hands over within the process; there is no add-chain for strangers.
https://www.rfc-editor.org/rfc/rfc6962
"""

import base64
import hashlib
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from sealwright.sandbox.faults import Endpoint, Lie
from sealwright.sandbox.server import RefusalError, Request, Response, Route, answer_json
from sealwright.sandbox.sigstore.keys import LogKey, encode_spki
from sealwright.sandbox.sigstore.merkle import MerkleTree

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_V1, _PRECERTIFICATE, _NO_EXTENSIONS = b"\0", b"\0\1", b"\0\0"
_CERTIFICATE_TIMESTAMP, _TREE_HASH = b"\0", b"\1"
_SHA256_ECDSA = b"\4\3"


class CtLog:
    """A log with one entry for each certificate."""

    def __init__(self, key: LogKey, stranger: LogKey, now: Callable[[], datetime]) -> None:
        """Start with one entry; `stranger` is the key that wrong timestamps are signed with."""
        self.key = key
        self._stranger = stranger
        self._now = now
        self._lock = threading.Lock()
        self._tree = MerkleTree()
        self._leaves = [b"the first entry of the sandbox's CT log"]
        self._tree.append(self._leaves[0])

    def add(self, certificate: "Certificate", issuer: "Certificate", lies: frozenset[Lie]) -> bytes:
        """Log a certificate that has no SCT yet, and return a list of one SCT, as TLS encodes it.

        RFC 6962, 3.2 and 3.3. The poison of a precertificate is no part of what is signed, so there is none.
        """
        milliseconds = self._milliseconds()
        body = certificate.tbs_certificate_bytes
        entry = hashlib.sha256(encode_spki(issuer.public_key())).digest() + len(body).to_bytes(3) + body
        stamped = milliseconds + _PRECERTIFICATE + entry + _NO_EXTENSIONS
        leaf = _V1 + b"\0" + stamped  # MerkleTreeLeaf: version, leaf_type timestamped_entry
        with self._lock:
            self._tree.append(leaf)
            self._leaves.append(leaf)
        key = self._stranger if Lie.WRONG_SCT in lies else self.key
        signature = key.sign(_V1 + _CERTIFICATE_TIMESTAMP + stamped)
        sct = _V1 + self.key.key_id + milliseconds + _NO_EXTENSIONS + _SHA256_ECDSA + _with_length(signature)
        return _with_length(_with_length(sct))

    def routes(self) -> tuple[Route, ...]:
        """What can be asked over HTTP. RFC 6962, 4."""
        return (
            Route("GET", "/ctlog/ct/v1/get-sth", Endpoint.CT_LOG, self._answer_head),
            Route("GET", "/ctlog/ct/v1/get-proof-by-hash", Endpoint.CT_LOG, self._answer_proof),
            Route("GET", "/ctlog/ct/v1/get-entries", Endpoint.CT_LOG, self._answer_entries),
        )

    def _milliseconds(self) -> bytes:
        return int(self._now().timestamp() * 1000).to_bytes(8)

    def _answer_head(self, request: Request) -> Response:
        with self._lock:
            size, root = len(self._tree), self._tree.root()
        milliseconds = self._milliseconds()
        signature = self.key.sign(_V1 + _TREE_HASH + milliseconds + size.to_bytes(8) + root)
        return answer_json(
            {
                "tree_size": size,
                "timestamp": int.from_bytes(milliseconds),
                "sha256_root_hash": _base64(root),
                "tree_head_signature": _base64(_SHA256_ECDSA + _with_length(signature)),
            }
        )

    def _answer_proof(self, request: Request) -> Response:
        """Prove inclusion in the tree of now; older sizes are not kept."""
        with self._lock:
            index = self._tree.find(base64.b64decode(request.query.get("hash", ""), validate=True))
            if index is None or request.query.get("tree_size") != str(len(self._tree)):
                raise RefusalError(404, "no such leaf in a tree of this size")
            return answer_json({"leaf_index": index, "audit_path": [_base64(each) for each in self._tree.prove(index)]})

    def _answer_entries(self, request: Request) -> Response:
        start, end = int(request.query.get("start", "")), int(request.query.get("end", ""))
        with self._lock:
            if not 0 <= start <= end or start >= len(self._leaves):
                raise RefusalError(400, "no such entries")
            leaves = self._leaves[start : end + 1]
        return answer_json({"entries": [{"leaf_input": _base64(leaf), "extra_data": ""} for leaf in leaves]})


def _with_length(content: bytes) -> bytes:
    """TLS's opaque<0..2^16-1>."""
    return len(content).to_bytes(2) + content


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()

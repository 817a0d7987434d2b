"""Rekor, version 2: entries in, with an inclusion proof and a checkpoint out, and no word about the time.

Enters: requests of its REST API. Leaves: TransparencyLogEntry messages of protobuf-specs, as JSON. Logs whatever is
signed by the key that it names.
https://github.com/sigstore/rekor-tiles/blob/main/CLIENTS.md
"""

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sealwright.sandbox.faults import Endpoint, Lie
from sealwright.sandbox.server import RefusalError, Request, Response, Route, answer_json, parse_object
from sealwright.sandbox.sigstore.decoy import Stranger
from sealwright.sandbox.sigstore.entries import build_body_v2
from sealwright.sandbox.sigstore.keys import LogKey
from sealwright.sandbox.sigstore.log import Log, LogNames

_ED25519_NOTE = b"\1"


class RekorV2:
    """The log and its answers."""

    def __init__(
        self, host: str, key: LogKey, foreign: LogKey, stranger: Stranger, now: Callable[[], datetime]
    ) -> None:
        """Start with a stranger's entry; the key is Ed25519, `host` the log's name."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        raw = key.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key = key
        # https://github.com/C2SP/C2SP/blob/main/signed-note.md#signatures
        self.log_id = hashlib.sha256(host.encode() + b"\n" + _ED25519_NOTE + raw).digest()
        self._stranger = stranger
        self._now = now
        self._log = Log(key, LogNames(host, host, self.log_id[:4]), foreign)
        self._append(build_body_v2(stranger.propose_v2("hashedrekord"))[1])

    def routes(self) -> tuple[Route, ...]:
        """What can be asked over HTTP."""
        return (
            Route("POST", "/api/v2/log/entries", Endpoint.ENTRY_V2, self._answer_proposal),
            Route("GET", "/api/v2/checkpoint", Endpoint.LOG_V2, self._answer_checkpoint),
        )

    def _append(self, body: bytes) -> int:
        return self._log.append(body, int(self._now().timestamp()))

    def _answer_proposal(self, request: Request) -> Response:
        kind, body = build_body_v2(parse_object(request.body))
        if Lie.OTHER_ENTRY in request.lies:
            kind, body = build_body_v2(self._stranger.propose_v2(kind))
        known = self._log.find(body)
        if known is not None:
            raise RefusalError(409, f"an equivalent entry already exists in the transparency log with index {known}")
        return answer_json(self._entry(kind, self._append(body), request.lies), 201)

    def _answer_checkpoint(self, request: Request) -> Response:
        return Response(200, self._log.head()[2].encode(), "text/plain; charset=utf-8")

    def _entry(self, kind: str, index: int, lies: frozenset[Lie]) -> dict[str, Any]:
        logged = self._log.read(index, lies)
        return {
            "logIndex": str(index),
            "logId": {"keyId": _encode(self.log_id)},
            "kindVersion": {"kind": kind, "version": "0.0.2"},
            "inclusionProof": {
                "logIndex": str(index),
                "rootHash": _encode(logged.root),
                "treeSize": str(logged.size),
                "hashes": [_encode(each) for each in logged.proof],
                "checkpoint": {"envelope": logged.checkpoint},
            },
            "canonicalizedBody": _encode(logged.body),
        }


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode()

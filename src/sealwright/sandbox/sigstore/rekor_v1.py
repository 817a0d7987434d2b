"""Rekor, version 1: entries in, with a signed entry timestamp, an inclusion proof and a checkpoint out.

Enters: requests of its REST API. Leaves: log entries. Logs whatever is signed by the key that it names.
https://github.com/sigstore/rekor/blob/main/openapi.yaml
"""

import base64
import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sealwright.sandbox.faults import Endpoint, Lie
from sealwright.sandbox.server import RefusalError, Request, Response, Route, answer_json, parse_object
from sealwright.sandbox.sigstore.decoy import Stranger
from sealwright.sandbox.sigstore.entries import build_body_v1
from sealwright.sandbox.sigstore.keys import LogKey
from sealwright.sandbox.sigstore.log import Log, LogNames

_ENTRIES = "/api/v1/log/entries"
_MAX_RETRIEVED = 10


class RekorV1:
    """The log and its answers."""

    def __init__(
        self, host: str, key: LogKey, foreign: LogKey, stranger: Stranger, now: Callable[[], datetime]
    ) -> None:
        """Start with a stranger's entry; `host` is the log's name, `foreign` the key of foreign checkpoints."""
        self.key = key
        self._tree_id = str(10**18 + secrets.randbelow(8 * 10**18))
        self._stranger = stranger
        self._now = now
        self._log = Log(key, LogNames(f"{host} - {self._tree_id}", host, key.key_id[:4]), foreign)
        self._append(build_body_v1(stranger.propose_v1("hashedrekord")))

    def routes(self) -> tuple[Route, ...]:
        """What can be asked over HTTP."""
        return (
            Route("POST", _ENTRIES, Endpoint.ENTRY_V1, self._answer_proposal),
            Route("GET", _ENTRIES, Endpoint.LOOKUP_V1, self._answer_index),
            Route("POST", f"{_ENTRIES}/retrieve/?", Endpoint.LOOKUP_V1, self._answer_retrieve),
            Route("GET", f"{_ENTRIES}/((?:[0-9a-f]{{16}})?[0-9a-f]{{64}})", Endpoint.LOOKUP_V1, self._answer_uuid),
            Route("GET", "/api/v1/log", Endpoint.LOG_V1, self._answer_log),
            Route("GET", "/api/v1/log/publicKey", Endpoint.LOG_V1, self._answer_key),
        )

    def _append(self, body: bytes) -> int:
        return self._log.append(body, int(self._now().timestamp()))

    def _answer_proposal(self, request: Request) -> Response:
        proposal = parse_object(request.body)
        body = build_body_v1(proposal)
        if Lie.OTHER_ENTRY in request.lies:
            body = build_body_v1(self._stranger.propose_v1(proposal["kind"]))
        known = self._log.find(body)
        if known is not None:
            uuid = self._uuid(known)
            message = f"an equivalent entry already exists in the transparency log with UUID {uuid}"
            raise RefusalError(409, message, (("Location", f"{_ENTRIES}/{uuid}"),))
        index = self._append(body)
        location = (("Location", f"{_ENTRIES}/{self._uuid(index)}"),)
        return answer_json(self._entry(index, request.lies), 201, location)

    def _answer_index(self, request: Request) -> Response:
        return answer_json(self._found(int(request.query.get("logIndex", ""))))

    def _answer_uuid(self, request: Request) -> Response:
        return answer_json(self._found(self._log.find_leaf(bytes.fromhex(request.matched[0][-64:]))))

    def _answer_retrieve(self, request: Request) -> Response:
        """Look entries up by what they say, by UUID or by index; what is not there is left out."""
        asked = parse_object(request.body)
        found = [self._log.find(build_body_v1(each)) for each in asked.get("entries", [])[:_MAX_RETRIEVED]]
        leaves = [bytes.fromhex(each[-64:]) for each in asked.get("entryUUIDs", [])[:_MAX_RETRIEVED]]
        found += [self._log.find_leaf(leaf) for leaf in leaves]
        found += [each for each in asked.get("logIndexes", [])[:_MAX_RETRIEVED] if each in range(self._log.head()[0])]
        return answer_json([self._entry(each, frozenset()) for each in found if each is not None])

    def _answer_log(self, request: Request) -> Response:
        size, root, checkpoint = self._log.head()
        head = {"rootHash": root.hex(), "treeSize": size, "signedTreeHead": checkpoint, "treeID": self._tree_id}
        return answer_json({**head, "inactiveShards": []})

    def _answer_key(self, request: Request) -> Response:
        return Response(200, self.key.public_pem(), "application/x-pem-file")

    def _found(self, index: int | None) -> dict[str, Any]:
        if index is None or not 0 <= index < self._log.head()[0]:
            raise RefusalError(404, "no such entry")
        return self._entry(index, frozenset())

    def _uuid(self, index: int) -> str:
        return f"{int(self._tree_id):016x}{self._log.leaf_hash(index).hex()}"

    def _entry(self, index: int, lies: frozenset[Lie]) -> dict[str, Any]:
        logged = self._log.read(index, lies)
        entry: dict[str, Any] = {
            "body": base64.b64encode(logged.body).decode(),
            "integratedTime": logged.time,
            "logID": self.key.key_id.hex(),
            "logIndex": index,
        }
        promised = entry | {"integratedTime": logged.time + 1} if Lie.WRONG_PROMISE in lies else entry
        proof = {
            "checkpoint": logged.checkpoint,
            "hashes": [each.hex() for each in logged.proof],
            "logIndex": index,
            "rootHash": logged.root.hex(),
            "treeSize": logged.size,
        }
        # the signed entry timestamp is over the canonical JSON of these four, which is what json.dumps makes of them
        canonical = json.dumps(promised, separators=(",", ":"), sort_keys=True).encode()
        verification = {
            "inclusionProof": proof,
            "signedEntryTimestamp": base64.b64encode(self.key.sign(canonical)).decode(),
        }
        return {self._uuid(index): entry | {"verification": verification}}

"""What evidence says, as one JSON object (docs/explain.md). It says at the top, and in each piece, `"verified": false`.

Enters: an `Explanation`, and perhaps a verdict with the commands that check the same. Leaves: text.
"""

import json
from typing import Any

from sealwright.model.explanation import Certificate, Claim, Command, Explanation, LogEntry, Piece
from sealwright.model.verdict import Verdict


def render_explanation_json(
    explanation: Explanation, exit_code: int, verdict: Verdict | None = None, commands: tuple[Command, ...] = ()
) -> str:
    """Write one JSON object (ASCII) and a newline."""
    document: dict[str, Any] = {
        "schema": 1,
        "verified": False,
        "path": explanation.path,
        "exitCode": exit_code,
        "pieces": [_piece(piece) for piece in explanation.pieces],
    }
    if verdict:
        policy = verdict.policy
        document["release"] = {
            "project": verdict.project,
            "version": verdict.version,
            "result": verdict.result.value,
            "exitCode": int(verdict.exit_code),
            "policy": {"path": policy.path, "version": policy.version, "fingerprint": policy.fingerprint},
            "commands": [{"program": c.program, "purpose": c.purpose, "line": c.line} for c in commands],
        }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _piece(piece: Piece) -> dict[str, Any]:
    statement, stated = piece.statement, piece.openpgp
    return {
        "verified": False,
        "file": piece.file,
        "kind": piece.kind.value,
        "where": piece.where,
        "mediaType": piece.media_type,
        "certificate": _certificate(piece.certificate) if piece.certificate else None,
        "logEntries": [_log_entry(entry) for entry in piece.log_entries],
        "timestamps": list(piece.timestamps),
        "messageDigest": _claim(piece.digest) if piece.digest else None,
        "payloadType": piece.payload_type,
        "statement": {
            "type": statement.type,
            "predicateType": statement.predicate_type,
            "subjects": [
                {"name": subject.name, "digest": {d.label: d.text for d in subject.digests}}
                for subject in statement.subjects
            ],
            "predicate": [_claim(claim) for claim in statement.predicate],
        }
        if statement
        else None,
        "openpgp": {
            "version": stated.version,
            "class": stated.signature_class,
            "keyAlgorithm": stated.key_algorithm,
            "digestAlgorithm": stated.digest_algorithm,
            "fingerprint": stated.fingerprint,
            "keyId": stated.key_id,
            "created": stated.created,
        }
        if stated
        else None,
        "checksums": {claim.label: claim.text for claim in piece.checksums},
        "more": [_claim(claim) for claim in piece.more],
        "unread": list(piece.problems),
    }


def _log_entry(entry: LogEntry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "logIndex": entry.log_index,
        "logId": entry.log_id,
        "integratedTime": entry.time,
        "inclusionProof": entry.proof,
        "inclusionPromise": entry.promise,
        "checkpoint": entry.checkpoint,
        "treeSize": entry.tree_size,
    }


def _certificate(certificate: Certificate) -> dict[str, Any]:
    return {
        "identities": [{"type": name.label, "value": name.text} for name in certificate.identities],
        "oidcIssuers": list(certificate.oidc_issuers),
        "notBefore": certificate.not_before,
        "notAfter": certificate.not_after,
        "issuedBy": certificate.issued_by,
        "scts": certificate.scts,
        "extensions": [{"oid": e.oid, "name": e.name, "value": e.text} for e in certificate.extensions],
    }


def _claim(claim: Claim) -> dict[str, str]:
    return {"label": claim.label, "text": claim.text}

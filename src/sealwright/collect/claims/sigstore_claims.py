"""What Sigstore bundles, PEP 740 attestations and bare DSSE envelopes say.

Enters: their JSON. Leaves: pieces, in which whatever could not be read is missing and noted. Verifies nothing.
Formats: https://docs.sigstore.dev/about/bundle/ (v0.1 to v0.3), https://peps.python.org/pep-0740/,
https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
"""

from datetime import UTC, datetime
from typing import Any

from sealwright.collect.claims.certificate import MAX_CERTIFICATE_BYTES, read_certificate, time_text
from sealwright.collect.claims.json_claims import Node, Problems
from sealwright.collect.claims.statement import first_line, read_statement_claims
from sealwright.files.strict_json import read_json
from sealwright.model.explanation import Certificate, Claim, LogEntry, Piece, PieceKind, StatementClaims

_BUNDLE = "application/vnd.dev.sigstore.bundle"
_IN_TOTO = "application/vnd.in-toto+json"
_MOST = 100  # entries, timestamps, attestations


class UnknownEvidenceError(ValueError):
    """JSON that is no evidence of a kind that is known here."""


def read_sigstore_json(file: str, content: bytes, where: str = "") -> tuple[Piece, ...]:
    """Read the pieces of evidence in a JSON document. Raises UnknownEvidenceError if it is something else.

    JSON that cannot be read at all is a piece with a problem.
    """
    try:
        document = read_json(content)
    except (ValueError, RecursionError) as error:
        problems = Problems()
        problems.note("the JSON", first_line(error))
        return (Piece(file, PieceKind.UNREADABLE, where, problems=tuple(problems)),)
    if isinstance(document, dict):
        if "verificationMaterial" in document or str(document.get("mediaType")).startswith(_BUNDLE):
            return (_bundle(file, document, where),)
        if "verification_material" in document:
            return (_attestation(file, Node(document, "", Problems()), where),)
        if "attestation_bundles" in document:
            return _provenance(file, document, where)
        if "payloadType" in document:
            node = Node(document, "", Problems())
            statement = _read_envelope(node)
            return (_piece(file, PieceKind.ENVELOPE, where, node, statement, payload_type=node.text("payloadType")),)
    raise UnknownEvidenceError("no Sigstore bundle, attestation or DSSE envelope")


def _piece(file: str, kind: PieceKind, where: str, node: Node, statement: StatementClaims | None, **more: Any) -> Piece:
    """Make a piece once all of it is read, with the problems that there were."""
    return Piece(file, kind, where, statement=statement, problems=tuple(node.problems), **more)


def _bundle(file: str, document: Any, where: str) -> Piece:
    bundle = Node(document, "", Problems())
    material = bundle.table("verificationMaterial")
    envelope, signature = bundle.table("dsseEnvelope"), bundle.table("messageSignature")
    statement = _read_envelope(envelope) if bundle.has("dsseEnvelope") else None
    found: dict[str, Any] = {
        "media_type": bundle.text("mediaType"),
        "certificate": _bundle_certificate(material),
        "log_entries": tuple(_log_entry(entry) for entry in material.tables("tlogEntries", _MOST)),
        "timestamps": _timestamps(material.table("timestampVerificationData")),
        "digest": _message_digest(signature) if bundle.has("messageSignature") else None,
        "payload_type": envelope.text("payloadType"),
        "more": (Claim("public key", material.table("publicKey").text("hint")),) if material.has("publicKey") else (),
    }
    if not bundle.has("dsseEnvelope") and not bundle.has("messageSignature"):
        bundle.problems.note("what it signs", "there is neither a message signature nor a DSSE envelope")
    return _piece(file, PieceKind.BUNDLE, where, bundle, statement, **found)


def _bundle_certificate(material: Node) -> Certificate | None:
    if material.has("certificate"):
        return read_certificate(material.table("certificate").data("rawBytes"), material.problems)
    if material.has("x509CertificateChain"):  # v0.1 and v0.2: the first is the signer's
        for certificate in material.table("x509CertificateChain").tables("certificates", _MOST)[:1]:
            return read_certificate(certificate.data("rawBytes"), material.problems)
    if not material.has("publicKey"):
        material.problems.note("the certificate", "there is none")
    return None


def _message_digest(signature: Node) -> Claim:
    digest = signature.table("messageDigest")
    return Claim(digest.text("algorithm"), digest.data("digest").hex())


def _attestation(file: str, attestation: Node, where: str, publisher: tuple[Claim, ...] = ()) -> Piece:
    material, envelope = attestation.table("verification_material"), attestation.table("envelope")
    found: dict[str, Any] = {
        "media_type": f"version {attestation.text('version') or 'not stated'}",
        "certificate": read_certificate(material.data("certificate"), attestation.problems),
        "log_entries": tuple(_log_entry(entry) for entry in material.tables("transparency_entries", _MOST)),
        "payload_type": _IN_TOTO,
        "more": publisher,
    }
    statement = read_statement_claims(envelope.data("statement"), attestation.problems)
    return _piece(file, PieceKind.ATTESTATION, where, attestation, statement, **found)


def _provenance(file: str, document: Any, where: str) -> tuple[Piece, ...]:
    """Read a PEP 740 provenance object: attestations, in bundles by publisher."""
    problems = Problems()
    pieces: list[Piece] = []
    provenance = Node(document, "", problems)
    for number, bundle in enumerate(provenance.tables("attestation_bundles", _MOST), 1):
        publisher = bundle.table("publisher")
        said = tuple(
            Claim(f"publisher {name}", publisher.text(name))
            for name in ("kind", "repository", "workflow", "workflow_filepath", "environment")
            if publisher.has(name)
        )
        for place, attestation in enumerate(bundle.tables("attestations", _MOST - len(pieces)), 1):
            own = Node(attestation.values, "", Problems())
            pieces.append(_attestation(file, own, f"{where}attestation {number}.{place}", said))
    if problems or not pieces:
        if not problems:
            problems.note("the attestations", "there are none")
        pieces.append(Piece(file, PieceKind.UNREADABLE, where, problems=tuple(problems)))
    return tuple(pieces)


def _read_envelope(envelope: Node) -> StatementClaims | None:
    payload_type = envelope.text("payloadType")
    if payload_type != _IN_TOTO:
        envelope.problems.note("the payload", f"its type is {payload_type!a}, which is no in-toto statement")
        return None
    return read_statement_claims(envelope.data("payload"), envelope.problems)


def _log_entry(entry: Node) -> LogEntry:
    kind, proof = entry.table("kindVersion"), entry.table("inclusionProof")
    return LogEntry(
        kind=f"{kind.text('kind')} {kind.text('version')}".strip(),
        log_index=entry.text("logIndex"),
        log_id=entry.table("logId").data("keyId").hex(),
        time=_unix_time(entry),
        proof=entry.has("inclusionProof"),
        promise=entry.table("inclusionPromise").has("signedEntryTimestamp"),
        checkpoint=proof.table("checkpoint").has("envelope"),
        tree_size=proof.text("treeSize"),
    )


def _unix_time(entry: Node) -> str:
    """Write the integrated time; Rekor v2 has none, which protobuf writes as absent or 0."""
    seconds = entry.number("integratedTime")
    try:
        return time_text(datetime.fromtimestamp(seconds, UTC)) if seconds else ""
    except (OverflowError, ValueError, OSError):
        entry.problems.note(f"{entry.where}.integratedTime", "it is no time before the year 10000")
        return ""


def _timestamps(data: Node) -> tuple[str, ...]:
    """Read the times that RFC 3161 timestamps state."""
    times = [
        _timestamp(timestamp.data("signedTimestamp"), timestamp)
        for timestamp in data.tables("rfc3161Timestamps", _MOST)
    ]
    return tuple(time for time in times if time)


def _timestamp(der: bytes, node: Node) -> str:
    from rfc3161_client import decode_timestamp_response

    try:
        if len(der) > MAX_CERTIFICATE_BYTES:
            raise ValueError(f"larger than {MAX_CERTIFICATE_BYTES:,} bytes")
        return time_text(decode_timestamp_response(der).tst_info.gen_time.astimezone(UTC))
    except Exception as error:  # noqa: BLE001  whatever is thrown at evidence from outside is noted
        node.problems.note(f"{node.where}.signedTimestamp", first_line(error))
        return ""

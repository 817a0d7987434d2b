"""One Sigstore bundle, held against one file and one trusted root that is given.

Enters: bytes. Leaves: checks, or a `BadEvidenceError`. The cryptography, the certificate chain, the log entry and the
timestamps are judged by sigstore-python; decided here is that identity and issuer are both asked for, that a statement
names this very file, and that JSON which two readers could read differently is refused. Asks no network and reads no
cache. Format: https://docs.sigstore.dev/about/bundle/
"""

import base64
import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sealwright.errors import ExitCode, UsageError
from sealwright.files.private import base_for, private_folder
from sealwright.files.strict_json import MAX_COMMAS, read_json
from sealwright.model.statement import MAX_STATEMENT_COMMAS, STATEMENT, Statement, Subject
from sealwright.model.trusted_root import TrustedRootFile
from sealwright.model.verdict import Check, Outcome

if TYPE_CHECKING:
    from sigstore.models import Bundle, TrustedRoot
    from sigstore.verify import Verifier
    from sigstore.verify.policy import VerificationPolicy

_CLAUSE = "docs/verify-an-artifact.md"
_PAYLOAD_TYPE = "application/vnd.in-toto+json"


class BadEvidenceError(ValueError):
    """Evidence that does not prove what it should; the text says why."""


def open_verifier(root: TrustedRootFile) -> "Verifier":
    """Return sigstore-python's verifier for a trusted root and nothing else. Raises UsageError if it is none."""
    _load_without_plugins()
    from sigstore.verify import Verifier

    try:
        return Verifier(trusted_root=_read_trusted_root(root.content))
    except Exception as error:  # the library lets out more than its own errors
        raise UsageError(f"{root.name} is no trusted root of Sigstore ({type(error).__name__})") from error


def _load_without_plugins() -> None:
    """Keep pydantic, which reads the evidence, from loading whatever plugin is installed beside it (and save 12 ms)."""
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"


def _read_trusted_root(content: bytes) -> "TrustedRoot":
    from sigstore.models import TrustedRoot

    if content.count(b",") > MAX_COMMAS:
        raise BadEvidenceError("JSON with too many values")
    with private_folder(base_for(len(content)), "sealwright-root-") as folder:
        copy = folder / "trusted_root.json"  # the library reads paths, and this one is a plain, small file
        copy.write_bytes(content)
        return TrustedRoot.from_file(str(copy))


def read_bundle(content: bytes) -> "Bundle":
    """Read a bundle, v0.1 to v0.3. Raises BadEvidenceError."""
    from sigstore.models import Bundle

    try:
        read_json(content)
        return Bundle.from_json(content)
    except Exception as error:  # ValueError, binascii.Error, pydantic's: the library lets them all out
        raise BadEvidenceError(words_of(error)) from error


def verify_signature(verifier: "Verifier", bundle: "Bundle", sha256: str, policy: "VerificationPolicy") -> None:
    """Verify that the bundle signs the bytes with that digest (hex), as `policy` demands. Raises BadEvidenceError."""
    from sigstore.hashes import Hashed
    from sigstore_models.common.v1 import HashAlgorithm

    digest = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(sha256))
    try:
        verifier.verify_artifact(digest, bundle, policy)
    except Exception as error:  # whatever is thrown at evidence from outside is a check that failed
        raise BadEvidenceError(words_of(error)) from error


def verify_statement(verifier: "Verifier", bundle: "Bundle", policy: "VerificationPolicy") -> Statement:
    """Verify the envelope in a bundle and return the statement that it signs. Raises BadEvidenceError."""
    try:
        payload_type, payload = verifier.verify_dsse(bundle, policy)
        if payload_type != _PAYLOAD_TYPE:
            raise BadEvidenceError(f"a payload of type {payload_type}, which is no in-toto statement")
        return read_statement(payload)
    except Exception as error:  # as above
        raise BadEvidenceError(words_of(error)) from error


def verified_times(verifier: "Verifier", bundle: "Bundle") -> tuple[datetime, ...]:
    """Return the times of a signature that were verified (UTC), of a bundle that `verify_statement` has accepted.

    They are those of RFC 3161 timestamps by a listed authority, and of an entry that its log has promised; the time in
    a statement is whatever its signer likes. The library judges them and has no public word for them. Raises
    BadEvidenceError if there is none.
    """
    try:
        times = tuple(result.time for result in verifier._establish_time(bundle))
    except Exception as error:  # as above
        raise BadEvidenceError(words_of(error)) from error
    if not times:
        raise BadEvidenceError("a signature without a verified time")
    return times


def is_envelope(bundle: "Bundle") -> bool:
    """Tell by the bundle's own JSON whether it holds a DSSE envelope; the library has no public word for it."""
    return "dsseEnvelope" in read_json(bundle.to_json().encode())


def read_payload(bundle: "Bundle") -> Statement:
    """Return the statement in a bundle whose envelope was verified before. Raises BadEvidenceError."""
    try:
        return read_statement(base64.b64decode(read_json(bundle.to_json().encode())["dsseEnvelope"]["payload"]))
    except (ValueError, LookupError, TypeError) as error:
        raise BadEvidenceError(words_of(error)) from error


def check_bundle(
    content: bytes, sha256: str, identity: str, oidc_issuer: str, verifier: "Verifier"
) -> tuple[Check, ...]:
    """Judge a bundle over a file whose digest is `sha256` (64 lower-case hex digits), without a policy.

    Both `identity` (the certificate's subject alternative name) and `oidc_issuer` must match exactly.
    """
    from sigstore.verify.policy import Identity

    if not identity or not oidc_issuer:
        raise UsageError("an identity means nothing without its oidc issuer, nor the issuer without an identity")
    try:
        bundle = read_bundle(content)
    except BadEvidenceError as error:
        return (_check("sigstore.bundle", "a Sigstore bundle", str(error), ExitCode.UNTRUSTED),)
    checks = [_check("sigstore.bundle", "a Sigstore bundle", "", ExitCode.UNTRUSTED)]
    expected, policy = (
        f"a signature by {identity}, as {oidc_issuer} says",
        Identity(identity=identity, issuer=oidc_issuer),
    )
    statement = None
    try:
        if is_envelope(bundle):
            statement = verify_statement(verifier, bundle, policy)
        else:
            verify_signature(verifier, bundle, sha256, policy)
    except ValueError as error:
        return (*checks, _check("sigstore.signature", expected, words_of(error), ExitCode.UNTRUSTED))
    checks.append(_check("sigstore.signature", expected, "", ExitCode.UNTRUSTED))
    return (*checks, *_check_statement(statement, sha256)) if statement else tuple(checks)


def _check_statement(statement: Statement, sha256: str) -> list[Check]:
    about_it = any(subject.sha256 == sha256 for subject in statement.subjects)
    wrong = "" if about_it else f"a statement about {len(statement.subjects)} other files"
    about = _check("sigstore.subject", f"a statement about sha256:{sha256}", wrong, ExitCode.TAMPERED)
    kind = "what it says of the file, as a statement of this type"
    unread = Check("sigstore.predicate", statement.kind, Outcome.NOT_CHECKED, kind, "not read", _CLAUSE, ExitCode.DONE)
    return [about, unread]


def read_statement(payload: bytes) -> Statement:
    """Read an in-toto statement v1. Raises ValueError.

    https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
    """
    document = read_json(payload, MAX_STATEMENT_COMMAS)
    if not isinstance(document, dict) or document.get("_type") != STATEMENT:
        raise BadEvidenceError(f"no in-toto statement of type {STATEMENT}")
    subjects, kind, predicate = (document.get(key) for key in ("subject", "predicateType", "predicate"))
    if not isinstance(subjects, list) or not subjects:
        raise BadEvidenceError("a statement about nothing")
    if not isinstance(kind, str) or not kind:
        raise BadEvidenceError("a statement without a predicate type")
    if not isinstance(predicate, dict | None):
        raise BadEvidenceError("a statement whose predicate is no object")
    return Statement(tuple(_read_subject(subject) for subject in subjects), kind, predicate or {})


def _read_subject(subject: Any) -> Subject:
    digest = subject.get("digest") if isinstance(subject, dict) else None
    sha256 = digest.get("sha256") if isinstance(digest, dict) else None
    if not isinstance(sha256, str):
        raise BadEvidenceError("a statement with a subject that has no SHA-256")
    name = subject.get("name")
    return Subject(name if isinstance(name, str) else "", sha256)


def _check(check_id: str, expected: str, wrong: str, costs: ExitCode) -> Check:
    outcome = Outcome.FAIL if wrong else Outcome.PASS
    return Check(check_id, "bundle", outcome, expected, wrong or "as expected", _CLAUSE, costs)


def words_of(error: Exception) -> str:
    """The first line of what a library said, or what it is called."""
    return (str(error).strip().splitlines() or [""])[0][:300] or type(error).__name__

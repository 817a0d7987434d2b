"""One Sigstore bundle, held against one file, one identity and one oidc issuer, with a trusted root that is given.

Enters: bytes. Leaves: checks. The cryptography, the certificate chain, the log entry and the timestamps are judged by
sigstore-python; decided here is that identity and issuer are both asked for, that a statement names this very file,
and that JSON which two readers could read differently is refused. Asks no network and reads no cache.
Format: https://docs.sigstore.dev/about/bundle/
"""

import json
from typing import TYPE_CHECKING, NamedTuple

from sealwright.errors import ExitCode, UsageError
from sealwright.files.private import base_for, private_folder
from sealwright.files.reading import read_named
from sealwright.files.strict_json import MAX_COMMAS, read_json
from sealwright.model.verdict import Check, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from sigstore.models import Bundle, TrustedRoot
    from sigstore.verify.policy import VerificationPolicy

MAX_BUNDLE_BYTES = 4 * 1024 * 1024
_MAX_ROOT_BYTES = 4 * 1024 * 1024
_CLAUSE = "docs/verify-an-artifact.md"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PAYLOAD_TYPE = "application/vnd.in-toto+json"


class Statement(NamedTuple):
    """What an in-toto statement is about: digests in hex, and the type of what it says of them."""

    subjects: frozenset[str]
    kind: str


class _BadEvidenceError(ValueError):
    """Evidence that does not prove what it should; the text says why."""


def read_trusted_root(path: "Path") -> "TrustedRoot":
    """Read a trusted root (JSON, protobuf-specs' TrustedRoot). Raises UsageError if it is none."""
    from sigstore.models import TrustedRoot

    content = read_named(path, _MAX_ROOT_BYTES, "the trusted root")
    try:
        if content.count(b",") > MAX_COMMAS:
            raise _BadEvidenceError("JSON with too many values")
        with private_folder(base_for(len(content)), "sealwright-root-") as folder:
            copy = folder / "trusted_root.json"  # the library reads paths, and this one is a plain, small file
            copy.write_bytes(content)
            return TrustedRoot.from_file(str(copy))
    except Exception as error:
        raise UsageError(f"{path} is no trusted root of Sigstore ({type(error).__name__})") from error


def shipped_root() -> "Path":
    """Return the production root that came with sigstore-python: pinned by its release, and in no user's cache."""
    from importlib.resources import as_file, files

    name = "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev/trusted_root.json"
    with as_file(files("sigstore._store").joinpath(name)) as path:
        if not path.is_file():
            raise UsageError("this sigstore-python ships no production root", "Name one with --trusted-root FILE.")
        return path


def check_bundle(
    content: bytes, sha256: str, identity: str, oidc_issuer: str, root: "TrustedRoot"
) -> tuple[Check, ...]:
    """Judge a bundle over a file whose digest is `sha256` (64 lower-case hex digits).

    Both `identity` (the certificate's subject alternative name) and `oidc_issuer` must match exactly.
    """
    from sigstore.models import Bundle
    from sigstore.verify.policy import Identity

    if not identity or not oidc_issuer:
        raise UsageError("an identity means nothing without its oidc issuer, nor the issuer without an identity")
    try:
        read_json(content)
        bundle = Bundle.from_json(content)
    except Exception as error:  # noqa: BLE001  ValueError, binascii.Error, pydantic's: the library lets them all out
        return (_check("sigstore.bundle", "a Sigstore bundle", _words(error), ExitCode.UNTRUSTED),)
    checks = [_check("sigstore.bundle", "a Sigstore bundle", "", ExitCode.UNTRUSTED)]
    expected = f"a signature by {identity}, as {oidc_issuer} says"
    try:
        statement = _verify(bundle, sha256, Identity(identity=identity, issuer=oidc_issuer), root)
    except Exception as error:  # noqa: BLE001  whatever is thrown at evidence from outside is a check that failed
        return (*checks, _check("sigstore.signature", expected, _words(error), ExitCode.UNTRUSTED))
    checks.append(_check("sigstore.signature", expected, "", ExitCode.UNTRUSTED))
    if statement is not None:
        wrong = "" if sha256 in statement.subjects else f"a statement about {len(statement.subjects)} other files"
        checks.append(_check("sigstore.subject", f"a statement about sha256:{sha256}", wrong, ExitCode.TAMPERED))
        kind = "what it says of the file, as a statement of this type"
        nobody = Check(
            "sigstore.predicate", statement.kind, Outcome.NOT_CHECKED, kind, "not read", _CLAUSE, ExitCode.DONE
        )
        checks.append(nobody)
    return tuple(checks)


def _verify(bundle: "Bundle", sha256: str, policy: "VerificationPolicy", root: "TrustedRoot") -> Statement | None:
    """Verify the bundle; return the statement that it signs, or None if it signs the file itself."""
    from sigstore.hashes import Hashed
    from sigstore.verify import Verifier
    from sigstore_models.common.v1 import HashAlgorithm

    verifier = Verifier(trusted_root=root)
    if not _is_envelope(bundle):
        verifier.verify_artifact(Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(sha256)), bundle, policy)
        return None
    payload_type, payload = verifier.verify_dsse(bundle, policy)
    if payload_type != _PAYLOAD_TYPE:
        raise _BadEvidenceError(f"a payload of type {payload_type}, which is no in-toto statement")
    return read_statement(payload)


def _is_envelope(bundle: "Bundle") -> bool:
    """Tell by the bundle's own JSON whether it holds a DSSE envelope; the library has no public word for it."""
    return "dsseEnvelope" in json.loads(bundle.to_json())


def read_statement(payload: bytes) -> Statement:
    """Read an in-toto statement v1. Raises ValueError.

    https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
    """
    document = read_json(payload)
    if not isinstance(document, dict) or document.get("_type") != _STATEMENT:
        raise _BadEvidenceError(f"no in-toto statement of type {_STATEMENT}")
    subjects, kind = document.get("subject"), document.get("predicateType")
    if not isinstance(subjects, list) or not subjects:
        raise _BadEvidenceError("a statement about nothing")
    if not isinstance(kind, str) or not kind:
        raise _BadEvidenceError("a statement without a predicate type")
    digests = [subject.get("digest") if isinstance(subject, dict) else None for subject in subjects]
    if not all(isinstance(digest, dict) and isinstance(digest.get("sha256"), str) for digest in digests):
        raise _BadEvidenceError("a statement with a subject that has no SHA-256")
    return Statement(frozenset(digest["sha256"] for digest in digests if digest), kind)


def _check(check_id: str, expected: str, wrong: str, costs: ExitCode) -> Check:
    outcome = Outcome.FAIL if wrong else Outcome.PASS
    return Check(check_id, "bundle", outcome, expected, wrong or "as expected", _CLAUSE, costs)


def _words(error: Exception) -> str:
    """The first line of what a library said, or what it is called."""
    return (str(error).strip().splitlines() or [""])[0][:300] or type(error).__name__

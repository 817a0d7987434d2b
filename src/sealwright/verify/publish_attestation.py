"""The PEP 740 attestations of a release: what was given to an index, held against the policy and one trusted root.

Enters: a `Release`, or one attestation. Leaves: checks, and who signed what. pypi-attestations makes a Sigstore bundle
of an attestation, sigstore-python judges it; decided here is that it is about this very file, by name and digest.
Whom the index calls the publisher is not believed, but held against the certificate. https://peps.python.org/pep-0740/
"""

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from sealwright.errors import ExitCode
from sealwright.files.strict_json import read_json
from sealwright.model.artifact import is_uploaded
from sealwright.model.evidence import SIGSTORE, uploaded
from sealwright.model.policy import Policy
from sealwright.model.publisher import Publisher
from sealwright.model.release import PROVENANCE_SUFFIX, Release, ReleaseFile, publish_names
from sealwright.model.statement import Subject
from sealwright.model.trusted_root import TrustedRootFile
from sealwright.model.verdict import Check, Outcome, Signed
from sealwright.verify.bundle import BadEvidenceError, open_verifier, verify_statement, words_of
from sealwright.verify.publisher import ThePublisher, publisher_problem
from sealwright.verify.sigstore import Entry, Listed, expand_identities

if TYPE_CHECKING:
    from packaging.version import Version
    from sigstore.verify import Verifier
    from sigstore.verify.policy import VerificationPolicy

PUBLISHED = "https://docs.pypi.org/attestations/publish/v1"
PUBLISHER_CHECK = "publish.publisher"
_CLAUSE = "docs/formats.md#attestations-of-an-index-publishattestation-provenance"
_EXPECTED = "an attestation of this file by an identity of the policy"
_MOST_ATTESTATIONS = 100
_MOST_IN_ALL = 5_000
_MOST_PROBLEMS = 5


class PublishFindings(NamedTuple):
    """The checks, the attestations that count, and the names of the files that were judged."""

    checks: tuple[Check, ...] = ()
    signed: tuple[Signed, ...] = ()
    judged: frozenset[str] = frozenset()


class PublishersFound(NamedTuple):
    """Every publisher of a valid attestation; how many files of attestations there were; what speaks against some."""

    publishers: tuple[Publisher, ...]
    offered: int
    checks: tuple[Check, ...]


class Attested(NamedTuple):
    """What is wrong with an attestation, or, if nothing is, whose it is."""

    problem: str
    signer: str = ""


class _Piece(NamedTuple):
    """An attestation as JSON that was parsed: where it stands, and the publisher that is named beside it."""

    subject: str
    attestation: Any
    publisher: Any = None


class _Judged(NamedTuple):
    """Whose an attestation is, of which type, and what is wrong with the publisher beside it."""

    entry: Entry
    kind: str
    publisher_problem: str


def check_published(
    release: Release, artifacts: tuple[str, ...], policy: Policy, version: "Version | None", root: TrustedRootFile
) -> PublishFindings:
    """Judge the attestations of each wheel and sdist; each must have one that counts.

    Without a `version` no identity can be expanded, so nothing counts. Raises UsageError if `root` is no trusted root.
    """
    verifier = open_verifier(root)
    entries = expand_identities(policy, str(version)) if version is not None else ()
    checks: list[Check] = []
    signed: list[Signed] = []
    judged: set[str] = set()
    left = _MOST_IN_ALL
    for name in uploaded(artifacts):
        artifact = release.file(name)
        files = [file for each in publish_names(name) if (file := release.file(each))]
        judged |= {file.name for file in files}
        if artifact is None or not files:
            continue  # evidence.present says so
        pieces, wrong = _read_all(files, left)
        left -= len(pieces)
        found = [_judge(verifier, piece, artifact, entries) for piece in pieces]
        own = [*wrong, *(check for result in found for check in result[0])]
        mine = [entry for _, entry in found if entry]
        signed += [Signed(name, entry.signer, SIGSTORE, entry.identity, named=True) for entry in mine]
        checks += [*own, _evidence(name, files, own, mine)]
    return PublishFindings(tuple(checks), tuple(signed), frozenset(judged))


def judge_attestation(
    content: bytes, name: str, sha256: str, policy: Policy, version: "Version", root: TrustedRootFile
) -> Attested:
    """Judge one attestation (JSON) of the artifact `name` with that digest (hex), as a verification will."""
    entries = expand_identities(policy, str(version))
    try:
        judged = _verify(open_verifier(root), _Piece(name, read_json(content)), Subject(name, sha256), entries)
    except ValueError as error:
        return Attested(words_of(error))
    problem = "" if judged.kind == PUBLISHED else f"a statement of type {judged.kind}"
    return Attested(problem, judged.entry.signer)


def _read_all(files: list[ReleaseFile], most: int) -> tuple[list[_Piece], list[Check]]:
    pieces: list[_Piece] = []
    wrong: list[Check] = []
    for file in files:
        try:
            read = _read_provenance(file) if file.name.endswith(PROVENANCE_SUFFIX) else [_read_single(file)]
            if len(pieces) + len(read) > min(most, _MOST_ATTESTATIONS):
                raise BadEvidenceError("too many attestations; none of this file was judged")
            pieces += read
        except (ValueError, TypeError) as error:
            wrong.append(_reported(file.name, words_of(error)))
    return pieces, wrong


def _read_single(file: ReleaseFile) -> _Piece:
    return _Piece(file.name, read_json(file.content))


def _read_provenance(file: ReleaseFile) -> list[_Piece]:
    """Take a provenance object apart. The library would refuse it as a whole for a publisher that it does not know."""
    document = read_json(file.content)
    if not isinstance(document, dict) or document.get("version") != 1 or isinstance(document["version"], bool):
        raise BadEvidenceError("no provenance object of version 1")
    groups = document.get("attestation_bundles")
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise BadEvidenceError("a provenance object without groups of attestations")
    pieces: list[_Piece] = []
    for group in groups:
        attestations = group.get("attestations")
        if not isinstance(attestations, list):
            raise BadEvidenceError("a group without a list of attestations")
        for attestation in attestations:
            pieces.append(_Piece(f"{file.name} #{len(pieces) + 1}", attestation, group.get("publisher")))
    if not pieces:
        raise BadEvidenceError("a provenance object with no attestation in it")
    return pieces


def _judge(
    verifier: "Verifier", piece: _Piece, artifact: ReleaseFile, entries: tuple[Entry, ...]
) -> tuple[list[Check], Entry | None]:
    """Judge one attestation: the checks, and whose it is if it counts."""
    try:
        judged = _verify(verifier, piece, Subject(artifact.name, artifact.sha256), entries)
    except BadEvidenceError as error:
        return [_reported(piece.subject, str(error))], None
    if judged.kind != PUBLISHED:
        got = f"{judged.kind} by {judged.entry.signer}, which vouches for no file"
        other = Check("attestation.other", piece.subject, Outcome.NOT_CHECKED, "evidence", got, _CLAUSE, ExitCode.DONE)
        return [other], None
    got = f"{judged.entry.signer} ({judged.entry.identity}, as {judged.entry.issuer} says)"
    checks = [Check("publish.signature", piece.subject, Outcome.PASS, _EXPECTED, got, _CLAUSE, ExitCode.DONE)]
    if judged.publisher_problem:
        checks.append(_other_publisher(piece.subject, judged.publisher_problem))
    return checks, judged.entry


def _verify(verifier: "Verifier", piece: _Piece, about: Subject, entries: tuple[Entry, ...]) -> _Judged:
    """Return whose attestation it is, and of which type. Raises BadEvidenceError unless it is about that very file."""
    listed = Listed(entries)
    kind, problem = _verify_by(verifier, piece, about, listed)
    if listed.found is None:
        raise BadEvidenceError("the certificate was not held against the policy")
    return _Judged(listed.found, kind, problem)


def _verify_by(verifier: "Verifier", piece: _Piece, about: Subject, who: "VerificationPolicy") -> tuple[str, str]:
    """Return the type of an attestation by `who`, and what is wrong with the publisher beside it."""
    from pypi_attestations import Attestation

    try:
        bundle = Attestation.model_validate_json(json.dumps(piece.attestation)).to_bundle()
        certificate = bundle.signing_certificate
    except Exception as error:  # whatever is thrown at evidence from outside is evidence that is bad
        raise BadEvidenceError(words_of(error)) from error
    statement = verify_statement(verifier, bundle, who)
    if statement.subjects != (about,):
        named = ", ".join(f"{subject.name or '?'} (sha256:{subject.sha256[:12]}…)" for subject in statement.subjects)
        raise BadEvidenceError(f"a statement about {named[:200]}")
    if statement.kind == PUBLISHED and statement.predicate:
        raise BadEvidenceError("a statement that a file was published, with more in it than that")
    return statement.kind, publisher_problem(piece.publisher, certificate)


def find_publishers(release: Release, root: TrustedRootFile) -> PublishersFound:
    """Find who published the wheels and sdists, with `root` and nothing else: whom the verified certificates name.

    Raises UsageError if `root` is no trusted root.
    """
    verifier = open_verifier(root)
    publishers: dict[Publisher, None] = {}
    checks: list[Check] = []
    offered, left = 0, _MOST_IN_ALL
    for artifact in (file for file in release.files if is_uploaded(file.name)):
        files = [file for each in publish_names(artifact.name) if (file := release.file(each))]
        offered += len(files)
        pieces, wrong = _read_all(files, left)
        left -= len(pieces)
        checks += wrong
        for piece in pieces:
            anyone = ThePublisher()
            try:
                kind, problem = _verify_by(verifier, piece, Subject(artifact.name, artifact.sha256), anyone)
            except BadEvidenceError as error:
                checks.append(_reported(piece.subject, str(error)))
                continue
            if kind != PUBLISHED or anyone.found is None:
                continue
            publishers[anyone.found] = None
            checks += [_other_publisher(piece.subject, problem)] if problem else []
    return PublishersFound(tuple(publishers), offered, tuple(checks))


def _other_publisher(subject: str, problem: str) -> Check:
    expected = "a publisher that is whom the certificate names"
    return Check(PUBLISHER_CHECK, subject, Outcome.FAIL, expected, problem, _CLAUSE, ExitCode.DONE)


def _evidence(name: str, files: list[ReleaseFile], checks: list[Check], counted: list[Entry]) -> Check:
    """Each wheel and sdist must have an attestation that counts."""
    signers = Counter(entry.signer for entry in counted)
    problems = [check.got for check in checks if check.outcome is not Outcome.PASS and check.id != PUBLISHER_CHECK]
    got = f"by {', '.join(sorted(signers))}" if signers else "; ".join(problems[:_MOST_PROBLEMS]) or "nothing"
    outcome = Outcome.PASS if signers else Outcome.FAIL
    subject = files[0].name
    expected = f"an attestation of {name} by an identity of the policy"
    return Check("publish.evidence", subject, outcome, expected, got, _CLAUSE, ExitCode.UNTRUSTED)


def _reported(subject: str, got: str) -> Check:
    return Check("publish.signature", subject, Outcome.FAIL, _EXPECTED, got, _CLAUSE, ExitCode.DONE)

"""The attestations of a release: who says what of it, held against the policy.

Enters: a `Release`, a `Policy`, a trusted root. Leaves: checks, and which artifacts a release attestation covers. Each
line is one Sigstore bundle with a signed statement; sigstore-python judges it, what it may say is decided here and in
sealwright.verify.provenance. Lines end in a newline, nothing else splits them. https://jsonlines.org/
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sealwright.errors import ExitCode
from sealwright.files.reading import read_bounded
from sealwright.model.artifact import MAX_SBOM_BYTES, SBOM_SUFFIX
from sealwright.model.evidence import SIGSTORE
from sealwright.model.policy import AttestationRequirement, Policy
from sealwright.model.release import Release, attestations_name
from sealwright.model.statement import AUDIT, PROVENANCE, RELEASE, SBOM, Statement, Subject, release_predicate
from sealwright.model.trusted_root import TrustedRootFile
from sealwright.model.verdict import Check, Outcome, Signed
from sealwright.verify.audit import SignedAt, judge_audit
from sealwright.verify.bundle import (
    BadEvidenceError,
    open_verifier,
    read_bundle,
    read_payload,
    verified_times,
    verify_statement,
)
from sealwright.verify.checksums import left_subjects
from sealwright.verify.judged import Judged
from sealwright.verify.provenance import commit_of, doubts_of, judge_provenance
from sealwright.verify.sbom import judge_sbom
from sealwright.verify.sigstore import Entry, Listed, expand_identities

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from packaging.version import Version
    from sigstore.verify import Verifier

_CLAUSE = "docs/policy.md#attestations"
_EXPECTED = "a statement by an identity of the policy"
_MAX_LINES = 1_000
_TYPES = {"release": RELEASE, "provenance": PROVENANCE, "sbom": SBOM, "audit": AUDIT}


class Attestation(NamedTuple):
    """One attestation that verified: where it stands, whose it is, what it says, and the certificate that signed it.

    `times` are the verified times of its signature, of which there is at least one.
    """

    subject: str
    entry: Entry
    statement: Statement
    certificate: "Certificate"
    times: tuple[datetime, ...]


class AttestationFindings(NamedTuple):
    """The checks, and the artifacts that release attestations cover."""

    checks: tuple[Check, ...]
    signed: tuple[Signed, ...]


def check_attestations(
    release: Release, artifacts: tuple[str, ...], policy: Policy, version: "Version | None", root: TrustedRootFile
) -> AttestationFindings:
    """Judge every attestation of the release, and hold those that the policy requires against it.

    Raises UsageError if `root` is no trusted root.
    """
    if version is None:
        return AttestationFindings((), ())
    found, checks = _read(release, artifacts, policy, str(version), root)
    listing = tuple(Subject(name, file.sha256) for name in artifacts if (file := release.file(name)))
    left = _Left(left_subjects(release), release.is_part)
    required = {kind: getattr(policy.require, kind) for kind in _TYPES}
    for kind, requirement in required.items():
        if requirement is not None:
            sboms = _sboms_in(release, artifacts)
            context = _Context(policy, str(version), requirement, listing, left, sboms, tuple(found))
            judge = _judge_of(kind, context)
            checks += _check_required(kind, requirement, found, judge)
    wanted = {_TYPES[kind]: set(requirement.signers) for kind, requirement in required.items() if requirement}
    for attestation in found:
        if attestation.entry.signer not in wanted.get(attestation.statement.kind, ()):
            got = f"{attestation.statement.kind} by {attestation.entry.signer}, which the policy does not ask for"
            checks.append(_left_open(attestation, got))
    return AttestationFindings(tuple(checks), tuple(_covered(found, policy, str(version), listing)))


def _read(
    release: Release, artifacts: tuple[str, ...], policy: Policy, version: str, root: TrustedRootFile
) -> tuple[list[Attestation], list[Check]]:
    file = release.file(attestations_name(artifacts))
    if file is None:
        return [], []
    if not file.content.endswith(b"\n"):
        return [], [_reported(file.name, "its last line is not ended")]
    lines = file.content[:-1].split(b"\n")
    if len(lines) > _MAX_LINES:
        return [], [_reported(file.name, f"more than {_MAX_LINES:,} lines; none was judged")]
    verifier, entries = open_verifier(root), expand_identities(policy, version)
    found: list[Attestation] = []
    checks: list[Check] = []
    for number, line in enumerate(lines, 1):
        subject = f"{file.name} line {number}"
        try:
            attestation = _verify(verifier, subject, line, entries)
        except BadEvidenceError as error:
            checks.append(_reported(subject, str(error)))
            continue
        got = f"{attestation.entry.signer}: {attestation.statement.kind}"
        checks.append(Check("attestation.signature", subject, Outcome.PASS, _EXPECTED, got, _CLAUSE, ExitCode.DONE))
        found.append(attestation)
    return found, checks


def _verify(verifier: "Verifier", subject: str, line: bytes, entries: tuple[Entry, ...]) -> Attestation:
    bundle, listed = read_bundle(line), Listed(entries)
    statement = verify_statement(verifier, bundle, listed)
    if listed.found is None:
        raise BadEvidenceError("the certificate was not held against the policy")
    times = verified_times(verifier, bundle)
    return Attestation(subject, listed.found, statement, bundle.signing_certificate, times)


def verified_commits(release: Release, checks: tuple[Check, ...]) -> frozenset[str]:
    """Return the commits that the provenances of `release` name whose checks passed, and no others.

    `checks` are those of this very release. Raises BadEvidenceError if one can no longer be read.
    """
    return frozenset(
        commit_of(_verified_statement(release, check.subject))
        for check in checks
        if check.id == "attestation.provenance" and check.outcome is Outcome.PASS and " line " in check.subject
    )


def verified_predicate(release: Release, subject: str) -> dict[str, Any]:
    """Return the predicate of an attestation of this very release, by the subject of its check, which passed.

    Raises BadEvidenceError if it can no longer be read.
    """
    return _verified_statement(release, subject).predicate


def _verified_statement(release: Release, subject: str) -> Statement:
    name, _, number = subject.rpartition(" line ")
    file = release.file(name)
    return read_payload(read_bundle(file.content.split(b"\n")[int(number) - 1] if file else b""))


def _check_required(
    kind: str, requirement: AttestationRequirement, found: list[Attestation], judge: Callable[[Attestation], Judged]
) -> list[Check]:
    """A required type stands exactly once for each signer who may make it, and somebody has made it.

    A second one, even a good one, fails: of two that differ, each reader might take another.
    """
    mine = [a for a in found if a.statement.kind == _TYPES[kind] and a.entry.signer in requirement.signers]
    by_signer: dict[str, list[Attestation]] = {}
    for attestation in mine:
        by_signer.setdefault(attestation.entry.signer, []).append(attestation)
    expected = f"exactly one {kind} attestation by {' or '.join(requirement.signers)}"
    if not mine:
        hint = "Fetch the whole release again; if it is not there either, do not trust it."
        return [_required(kind, "none", ExitCode.MISSING, expected, hint)]
    twice = [signer for signer, theirs in by_signer.items() if len(theirs) > 1]
    if twice:
        return [_required(kind, f"more than one by {', '.join(twice)}", ExitCode.TAMPERED, expected)]
    checks = [_required(kind, "", ExitCode.MISSING, expected)]
    for attestation in mine:
        problem, shown, costs = judge(attestation)
        outcome = Outcome.FAIL if problem else Outcome.PASS
        words = "a statement that agrees with the release, the policy and its own certificate"
        got = problem or f"{shown} ({attestation.entry.signer} says)"
        checks.append(Check(f"attestation.{kind}", attestation.subject, outcome, words, got, _CLAUSE, costs))
        if doubts := doubts_of(attestation.statement):
            checks.append(_left_open(attestation, f"the build, of which it says itself: {doubts}"))
    return checks


class _Context(NamedTuple):
    """What a kind of attestation is held against.

    `left` are the files that were not fetched, `sboms` those that are released, `found` all that verified.
    """

    policy: Policy
    version: str
    requirement: AttestationRequirement
    listing: tuple[Subject, ...]
    left: "_Left"
    sboms: tuple[bytes, ...]
    found: tuple[Attestation, ...]


def _judge_of(kind: str, context: _Context) -> Callable[[Attestation], Judged]:
    """Return what judges an attestation of a kind."""
    policy, version, requirement, listing, left, sboms, found = context

    def judge(attestation: Attestation) -> Judged:
        about = (*listing, *left.among(attestation.statement, listing))
        about = tuple(s for s in about if not s.name.endswith(SBOM_SUFFIX)) if kind == "sbom" else about
        if wrong := _subjects_problem(attestation.statement, about):
            return Judged(wrong)
        if kind in ("sbom", "audit") and (lacking := _lacking(context)):
            return Judged(f"{lacking} is released, too, and not there to hold it against", costs=ExitCode.MISSING)
        if kind == "sbom":
            return judge_sbom(attestation.statement, policy.project, version, sboms)
        if kind == "audit":
            signed = _signed_at(attestation, found, listing, left)
            return judge_audit(attestation.statement, signed, requirement.max_age_days, sboms)
        if kind == "release":
            shown = f"these files, and no others, are {policy.project} {version}, tag {policy.tag.expand(version)}"
            return Judged(_release_problem(attestation.statement, policy, version), shown)
        return judge_provenance(attestation.statement, attestation.certificate, requirement, version)

    return judge


def _lacking(context: _Context) -> str:
    """The SBOM of a release of which a part was asked for, if it is not here: who deletes it must not gain by it."""
    listing, left = context.listing, context.left
    statements = [a.statement for a in context.found]
    of_this = [s for s in statements if not _subjects_problem(s, (*listing, *left.among(s, listing)))]
    names = {*left.stated, *(subject.name for statement in of_this for subject in statement.subjects)}
    here = {subject.name for subject in listing}
    return next((name for name in sorted(names - here) if left.is_part and name.endswith(SBOM_SUFFIX)), "")


class _Left(NamedTuple):
    """The files that were not fetched: the digests that SHA256SUMS states of them, and whether there may be others."""

    stated: dict[str, str]
    is_part: bool

    def among(self, statement: Statement, listing: tuple[Subject, ...]) -> list[Subject]:
        """Return them as subjects: with the digest of SHA256SUMS, or else with the one that the statement says."""
        said = {subject.name: subject.sha256 for subject in statement.subjects}
        here = {subject.name for subject in listing}
        others = [name for name in said if self.is_part and name not in here]
        return [Subject(n, self.stated.get(n) or said.get(n, "")) for n in dict.fromkeys((*self.stated, *others))]


def _signed_at(
    audit: Attestation, found: tuple[Attestation, ...], listing: tuple[Subject, ...], left: _Left
) -> SignedAt:
    """When the audit was signed, and the release: by what the same signer says of the same files, the audit included.

    What others add later, or the signer to another release, does not make the audit of this one older.
    """
    same = [a for a in found if a.entry.signer == audit.entry.signer and a.statement.kind in (RELEASE, PROVENANCE)]
    of_this = [a for a in same if not _subjects_problem(a.statement, (*listing, *left.among(a.statement, listing)))]
    return SignedAt(min(audit.times), max(max(a.times) for a in (audit, *of_this)))


def _sboms_in(release: Release, artifacts: tuple[str, ...]) -> tuple[bytes, ...]:
    """The content of each SBOM that is released as a file, from the private copy; empty for one that cannot be read."""
    found = []
    for name in artifacts:
        file = release.file(name) if name.endswith(SBOM_SUFFIX) else None
        if file:
            try:
                found.append(file.content or read_bounded(Path(file.path), MAX_SBOM_BYTES))
            except OSError:
                found.append(b"")
    return tuple(found)


def _subjects_problem(statement: Statement, listing: tuple[Subject, ...]) -> str:
    """The subjects are the release's artifacts, all of them and nothing else, by name and digest."""
    said, there = set(statement.subjects), set(listing)
    if len(statement.subjects) != len(said):
        return "a subject stands twice"
    if missing := sorted(subject.name for subject in there - said):
        return f"it is not about {', '.join(missing)[:200]}"
    if more := sorted(subject.name for subject in said - there):
        return f"it is about {', '.join(more)[:200]} as well"
    return ""


def _release_problem(statement: Statement, policy: Policy, version: str) -> str:
    for key, value in release_predicate(policy.project, version, policy.tag.expand(version)).items():
        if statement.predicate.get(key) != value:
            return f"its {key} is {str(statement.predicate.get(key))[:200]}, not {value}"
    return ""


def _covered(found: list[Attestation], policy: Policy, version: str, listing: tuple[Subject, ...]) -> list[Signed]:
    """A release attestation of this version vouches for the files that it names, by name and digest."""
    there = set(listing)
    return [
        Signed(subject.name, attestation.entry.signer, SIGSTORE, attestation.entry.identity, named=True)
        for attestation in found
        if attestation.statement.kind == RELEASE and not _release_problem(attestation.statement, policy, version)
        for subject in attestation.statement.subjects
        if subject in there
    ]


def _required(kind: str, wrong: str, costs: ExitCode, expected: str, hint: str = "") -> Check:
    outcome, got = (Outcome.FAIL, wrong) if wrong else (Outcome.PASS, "one for each who made it")
    return Check(f"attestation.{kind}", kind, outcome, expected, got, _CLAUSE, costs, hint)


def _left_open(attestation: Attestation, got: str) -> Check:
    unknown = Outcome.NOT_CHECKED
    return Check("attestation.other", attestation.subject, unknown, "evidence", got, _CLAUSE, ExitCode.DONE)


def _reported(subject: str, got: str) -> Check:
    return Check("attestation.signature", subject, Outcome.FAIL, _EXPECTED, got, _CLAUSE, ExitCode.DONE)

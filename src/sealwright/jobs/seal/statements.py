"""The attestations of a sealing: the release, and how it was built, each signed once.

Enters: a task. Leaves: statements to sign, and lines of the file of attestations. What is there is never made again.
"""

from typing import NamedTuple

from sealwright.attest.release import build_release
from sealwright.attest.sbom_statement import build_sbom_statement
from sealwright.errors import UsageError
from sealwright.files.digest import digest_bytes
from sealwright.files.reading import read_bounded
from sealwright.files.strict_json import read_json
from sealwright.files.writing import write_whole
from sealwright.jobs.seal.audit import audit_statement
from sealwright.jobs.seal.provenance import vouched_provenance
from sealwright.jobs.seal.task import Task
from sealwright.model.artifact import SBOM_SUFFIX
from sealwright.model.policy import AttestationRequirement
from sealwright.model.release import MAX_ATTESTATIONS_BYTES, Release, ReleaseFile, attestations_name
from sealwright.model.statement import MAX_STATEMENT_COMMAS, Statement, Subject
from sealwright.model.verdict import Check, Outcome
from sealwright.store.trusted_root import read_root
from sealwright.verify.attestations import check_attestations

KINDS = ("release", "provenance", "sbom", "audit")


class Unsigned(NamedTuple):
    """A statement to sign: the id of its kind of evidence, and its bytes."""

    kind: str
    content: bytes


def missing_statements(task: Task, signer: str) -> tuple[str, ...]:
    """Return the kinds that the policy requires, that this signer may make, and that are not there yet.

    An empty `signer` is one whom only the certificate can name: whether they may is judged before anything is kept.
    """
    required = {kind: requirement for kind in KINDS if (requirement := requirement_of(task, kind))}
    mine = [kind for kind, requirement in required.items() if not signer or signer in requirement.signers]
    if not mine:
        return ()
    there = {check.id for check in _judge(task, _stored(task)) if _is_made(check)}
    return tuple(kind for kind in mine if f"attestation.{kind}" not in there)


def requirement_of(task: Task, kind: str) -> AttestationRequirement | None:
    """Return what the policy asks of a kind of attestation, or None if it is not asked for, or left to others."""
    requirement: AttestationRequirement | None = getattr(task.trust.policy.require, kind)
    return None if kind in task.left else requirement


def build_statement(task: Task, kind: str, identity: str) -> Statement:
    """Build the statement of a kind, to be signed as `identity`. Raises UsageError for a build that is in doubt.

    An audit that is nothing to seal raises what `audit_statement` does.
    """
    policy, version = task.trust.policy, str(task.version)
    subjects = tuple(Subject(line.name, line.sha256) for line in task.lines)
    tag = policy.tag.expand(version)
    if kind == "release":
        return build_release(policy.project, version, tag, subjects)
    if kind == "sbom":
        return _sbom_statement(task, subjects)
    if kind == "audit":
        return audit_statement(task, subjects)
    if task.sigstore.build is None:
        raise UsageError("the policy requires provenance, and nothing is known of the build")
    facts = task.sigstore.build(tag, identity)
    return vouched_provenance(facts, subjects, allow_doubts="doubts" in task.sigstore.allow)


def _sbom_statement(task: Task, subjects: tuple[Subject, ...]) -> Statement:
    if not task.sbom:
        raise UsageError(
            "the policy requires an SBOM, and there is none",
            "Add --sbom FILE: a lock with hashes, or what sealwright sbom WHEEL -o FILE makes.",
        )
    try:
        document = read_json(task.sbom, MAX_STATEMENT_COMMAS)
    except ValueError as error:
        raise UsageError(f"the SBOM cannot be read: {error}", "It must be CycloneDX, as JSON.") from error
    return build_sbom_statement(document, tuple(s for s in subjects if not s.name.endswith(SBOM_SUFFIX)))


def add_statement(task: Task, kind: str, bundle: bytes) -> str:
    """Append a signed statement to the file of attestations and return the file's name; it is judged first."""
    name = attestations_name(task.artifacts)
    content = _stored(task)
    whole = content + (b"" if content.endswith(b"\n") or not content else b"\n") + bundle
    wrong = [c.got for c in _judge(task, whole) if c.id == f"attestation.{kind}" and c.outcome is Outcome.FAIL]
    if wrong:
        raise UsageError(
            f"the {kind} attestation would not count: {'; '.join(wrong)}",
            f"Hold {task.trust.path} against that. It was not kept, though the log has its entry.",
        )
    write_whole(task.out / name, whole)
    return name


def _stored(task: Task) -> bytes:
    path = task.out / attestations_name(task.artifacts)
    return read_bounded(path, MAX_ATTESTATIONS_BYTES) if path.exists() else b""


def _judge(task: Task, content: bytes) -> tuple[Check, ...]:
    """Judge attestations as a verification will, over the artifacts that are being sealed."""
    if not content:
        return ()
    files = [
        ReleaseFile(line.name, 0, line.sha256, content=task.sbom if line.name.endswith(SBOM_SUFFIX) else b"")
        for line in task.lines
    ]
    files.append(ReleaseFile(attestations_name(task.artifacts), len(content), digest_bytes(content), content=content))
    release = Release(str(task.out), tuple(files))
    return check_attestations(release, task.artifacts, task.trust.policy, task.version, read_root(task.trust)).checks


def _is_made(check: Check) -> bool:
    """Whether a check says that somebody has made this kind, good or bad."""
    return check.outcome is Outcome.PASS or check.got != "none"

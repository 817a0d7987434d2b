"""The Sigstore part of a sealing: one certificate for the release, a bundle for each artifact that lacks this signer's.

Enters: a task. Leaves: .sigstore.json files, each written as soon as it is made and judged, so that an outage costs
what is missing and no more. Nothing is sent before it was confirmed.
"""

import json
import os
import threading
from typing import NamedTuple

from sealwright.errors import PolicyError, UsageError
from sealwright.files.digest import digest_bytes
from sealwright.files.threads import each_in_parallel
from sealwright.files.writing import write_whole
from sealwright.jobs.seal.attestations import attesters, keep_attestation, missing_attestations
from sealwright.jobs.seal.statements import (
    KINDS,
    Unsigned,
    add_statement,
    build_statement,
    missing_statements,
    requirement_of,
)
from sealwright.jobs.seal.task import Announcement, Made, Task
from sealwright.model.policy import PUBLISH_ATTESTATIONS, SIGSTORE_BUNDLES
from sealwright.model.release import MAX_BUNDLES, Release, ReleaseFile, bundle_name, bundle_target
from sealwright.model.statement import render_statement
from sealwright.model.trusted_root import authorities_of
from sealwright.model.verdict import Outcome, Signed
from sealwright.sign.identity import Identity, no_identity
from sealwright.sign.sigstore import Services, SigstoreSigner
from sealwright.store.release_folder import private_copy
from sealwright.store.trusted_root import read_root
from sealwright.verify.provenance import foresee_provenance
from sealwright.verify.sigstore import check_sigstore

_AT_ONCE = 10


class SigstorePlan(NamedTuple):
    """What is to be signed, as whom, and with what; `signers` are those whose evidence it is, as far as is known.

    `pending` and `attesting` are names of artifacts, `statements` what is to be said of them all. Nothing is to be made
    without a `signing`.
    """

    signers: frozenset[str]
    pending: tuple[str, ...] = ()
    statements: tuple[Unsigned, ...] = ()
    attesting: tuple[str, ...] = ()
    signing: SigstoreSigner | None = None


def plan_sigstore(task: Task) -> SigstorePlan | None:
    """Find out what is missing and who is to sign it, and have it confirmed; None if Sigstore is not asked for.

    Raises UsageError if there is no identity, or one that the policy does not list, and whatever `confirm` raises.
    """
    policy, means = task.trust.policy, task.sigstore
    attesting = missing_attestations(task)
    required = [kind for kind in KINDS if requirement_of(task, kind)]
    bundled = policy.publishes(SIGSTORE_BUNDLES)
    if not bundled and not policy.require.sigstore and not attesting and not required:
        return None
    there = _signed_already(task) if bundled else ()
    complete = _complete(task, there) if bundled else attesters(task)
    unsaid = [kind for kind in required if kind in missing_statements(task, "")]
    enough = (not bundled or len(complete) >= max(1, policy.require.sigstore)) and not attesting and not unsaid
    # Who brings no key, while more signers are asked for than these, may be one of them: ask, never pass them over.
    if enough and (task.openpgp is not None or len(complete) >= policy.require.signers):
        return SigstorePlan(complete)
    identity = means.identity(means.services)
    if identity is None and enough:
        return SigstorePlan(complete)
    if identity is None:
        raise no_identity()
    signer = _listed_as(identity, task)
    own = frozenset({signer} - {""})
    pending = _missing(task, there, signer) if bundled else ()
    kinds = missing_statements(task, signer)
    if not pending and not attesting and not kinds:
        return SigstorePlan(own)
    statements = tuple(_unsigned(task, kind, identity) for kind in kinds)
    subjects = (*pending, *(f"{kind} attestation" for kind in kinds), *(f"{name} (PEP 740)" for name in attesting))
    services = means.services()
    _refuse_another_instance(task, services)
    signing = _open(task, services, identity)
    means.confirm(Announcement(identity.name, identity.oidc_issuer, services.name, subjects))
    return SigstorePlan(own, pending, statements, attesting, signing)


def _unsigned(task: Task, kind: str, identity: Identity) -> Unsigned:
    """Say what is to be signed. Raises UsageError for a provenance that no certificate could make count.

    The log would have it for ever.
    """
    statement, requirement = build_statement(task, kind, identity.name), requirement_of(task, kind)
    wrong = (
        foresee_provenance(statement, requirement, str(task.version)) if kind == "provenance" and requirement else ""
    )
    if wrong:
        raise UsageError(
            f"the provenance attestation would not count: {wrong}",
            f"Nothing was signed. Seal where {task.trust.path} says that releases are built, or change what it says.",
        )
    return Unsigned(kind, render_statement(statement))


def _refuse_another_instance(task: Task, services: Services) -> None:
    """Raise UsageError if none of the instance's authorities is one that the policy trusts."""
    try:
        root = json.dumps(json.loads(services.config)["trustedRoot"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return  # whoever signs with it says what is wrong with it
    theirs, trusted = authorities_of(root), authorities_of(read_root(task.trust).content)
    if theirs and trusted and not theirs & trusted:
        raise UsageError(
            f"{services.name} is another Sigstore than the one that {task.trust.path} trusts, so nothing was signed",
            "To try that one: put its trusted root beside the policy, name it as sigstore-root, and raise version.",
        )


def _open(task: Task, services: Services, identity: Identity) -> SigstoreSigner:
    means = task.sigstore
    listed = task.trust.policy.publishes(PUBLISH_ATTESTATIONS)
    oldest = listed or means.attestations is not None  # PEP 740 has no field for the timestamp that Rekor v2 needs
    return SigstoreSigner(services, identity, means.renew, oldest_log=oldest, patience=means.patience)


def _listed_as(identity: Identity, task: Task) -> str:
    """Return the name under which the policy lists an identity; empty if only the certificate can tell."""
    version = str(task.version)
    for signer in task.trust.policy.signers:
        for listed in signer.sigstore:
            if (listed.identity.expand(version), listed.oidc_issuer) == (identity.name, identity.oidc_issuer):
                return signer.name
    if not identity.certain:
        return ""
    raise PolicyError(
        f"{identity.name} (as {identity.oidc_issuer} says) is not in {task.trust.path}",
        f"A signature by it would count for nothing in {version}: sign as a listed identity, or list this one.",
    )


def _signed_already(task: Task) -> tuple[Signed, ...]:
    """The bundles in the release folder that count, over the very bytes that are being sealed."""
    if not any(bundle_target(name) for name in os.listdir(task.out)):
        return ()
    expected = {line.name: line.sha256 for line in task.lines}
    with private_copy(task.out) as release:
        root = read_root(task.trust)
        found = check_sigstore(release, task.artifacts, task.trust.policy, task.version, root)
        same = {file.name for file in release.files if expected.get(file.name) == file.sha256}
    return tuple(entry for entry in found.signed if entry.target in same)


def _complete(task: Task, there: tuple[Signed, ...]) -> frozenset[str]:
    return frozenset(signer.name for signer in task.trust.policy.signers if not _missing(task, there, signer.name))


def _missing(task: Task, there: tuple[Signed, ...], signer: str) -> tuple[str, ...]:
    done = {entry.target for entry in there if entry.signer == signer}
    return tuple(name for name in task.artifacts if name not in done)


def make_sigstore(task: Task, plan: SigstorePlan) -> Made:
    """Sign what is pending: the first by itself, so that a signature that would not count is the only one of its kind.

    Raises UsageError for such a signature, and UndecidedError for an outage; what was made until then is kept.
    """
    signing = plan.signing
    if signing is None:
        return Made(signers=plan.signers)
    digests = {line.name: line.sha256 for line in task.lines}
    written: list[str] = []
    signers = set(plan.signers)
    total, lock = len(plan.pending) + len(plan.statements) + len(plan.attesting), threading.Lock()
    done = iter(range(1, total + 1))

    def sign(name: str) -> None:
        bundle = signing.sign(digests[name], name)
        signers.add(_judge(task, name, digests[name], bundle, signing.identity))
        with lock:
            file = _free_name(task, name)
            write_whole(task.out / file, bundle)
            written.append(file)
            task.sigstore.show(next(done), total)

    def attest(name: str) -> None:
        file = keep_attestation(task, name, signing.attest(digests[name], name))
        with lock:
            written.append(file)
            task.sigstore.show(next(done), total)

    for one, names in ((sign, plan.pending), (attest, plan.attesting)):
        each_in_parallel(one, names[:1])
        each_in_parallel(one, names[1:], threads=_AT_ONCE)
    for statement in plan.statements:  # one after the other: they share a file
        name = f"the {statement.kind} attestation"
        written.append(add_statement(task, statement.kind, signing.sign_statement(statement.content, name)))
        task.sigstore.show(next(done), total)
    return Made(tuple(sorted(set(written))), frozenset(signers))


def _judge(task: Task, name: str, sha256: str, bundle: bytes, identity: Identity) -> str:
    """Return for whom a new bundle counts, before it is kept. Raises UsageError if it counts for nobody."""
    file = ReleaseFile(bundle_name(name), len(bundle), digest_bytes(bundle), content=bundle)
    release = Release(str(task.out), (ReleaseFile(name, 0, sha256), file))
    found = check_sigstore(release, (name,), task.trust.policy, task.version, read_root(task.trust))
    if not found.signed:
        wrong = "; ".join(check.got for check in found.checks if check.outcome is Outcome.FAIL)
        raise UsageError(
            f"a signature as {identity.name} would not count: {wrong}",
            f"Hold {task.trust.path} against that. The signature was not kept, though the log has its entry.",
        )
    return found.signed[0].signer


def _free_name(task: Task, name: str) -> str:
    for number in range(1, MAX_BUNDLES + 1):
        if not os.path.lexists(task.out / bundle_name(name, number)):
            return bundle_name(name, number)
    raise UsageError(f"{name} has {MAX_BUNDLES} Sigstore bundles already", "Move those away that do not count.")

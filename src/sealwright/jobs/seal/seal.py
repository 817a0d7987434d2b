"""Sealing a release: artifacts and a policy in, a release folder with the evidence that the policy requires out.

Enters: dist/, or a release folder that another maintainer began; a policy; a signer. Leaves: files in the release
folder, and the verdict of the same verification that end users run. Never writes into dist/, never rewrites
what is signed, and makes nothing again that verifies: a second run changes no byte, a killed one is finished.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from sealwright.collect.advisories.audit_result import MAX_AUDIT_BYTES
from sealwright.collect.artifacts import Build, collect_artifacts
from sealwright.errors import ExitCode, StaleError, UndecidedError, UsageError
from sealwright.files.digest import Progress, digest_bytes, no_progress
from sealwright.files.reading import UnfitFileError, read_bounded, read_named, reason
from sealwright.files.writing import write_whole
from sealwright.jobs.seal.attestations import copy_attestations
from sealwright.jobs.seal.layout import make_layout, refuse_without_layout
from sealwright.jobs.seal.openpgp import make_openpgp, signer_listed_as
from sealwright.jobs.seal.sbom import SbomSource, with_sbom
from sealwright.jobs.seal.sigstore import SigstorePlan, make_sigstore, plan_sigstore
from sealwright.jobs.seal.task import Made, Means, Task
from sealwright.jobs.verify.release import Clock, verify_folder
from sealwright.model.artifact import MAX_SBOM_BYTES, ArtifactKind, looks_released
from sealwright.model.evidence import OPENPGP, SIGSTORE, required_kinds
from sealwright.model.policy import CHECKSUMS_FILE, Policy
from sealwright.model.release import CHECKSUMS, OPENPGP_SUFFIX, bundle_target, publish_target
from sealwright.model.verdict import OPENPGP_THRESHOLD, SIGNERS_THRESHOLD, SIGSTORE_THRESHOLD, Verdict
from sealwright.store.release_writing import digest_stored, locked, store_artifact
from sealwright.store.trust_folder import TrustFolder, refuse_inside
from sealwright.verify.checksums import MAX_CHECKSUMS_BYTES, ChecksumLine, render_checksums

_WAITING = {SIGNERS_THRESHOLD, OPENPGP_THRESHOLD, SIGSTORE_THRESHOLD}


class Sealed(NamedTuple):
    """What a run did: the files it wrote or left out, whose evidence it made, which kinds it left to others.

    `to_come` are the names of the files that those others will make; `unknown` says what the lock of which an SBOM was
    made leaves open.
    """

    written: tuple[str, ...]
    strays: tuple[str, ...]
    signers: frozenset[str]
    left: frozenset[str]
    verdict: Verdict
    to_come: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()

    @property
    def waiting(self) -> bool:
        """Whether this run's own evidence is good and only other signers are missing."""
        counted = {entry.name for entry in self.verdict.signers if entry.counted}
        unsaid = {f"attestation.{kind}" for kind in self.left}
        failed = [
            check
            for check in self.verdict.failed()
            if check.id not in _WAITING
            and not (check.id == "evidence.present" and check.subject in self.to_come)
            and not (check.id in unsaid and check.costs is ExitCode.MISSING)
        ]
        own = bool(self.signers) and self.signers <= counted
        return own and bool(self.verdict.failed()) and not failed and not self.verdict.undecided()

    def exit_code(self, *, require_complete: bool) -> ExitCode:
        """DONE while only other signers are missing, unless a complete release is required; else the verdict's code."""
        return ExitCode.DONE if self.waiting and not require_complete else self.verdict.exit_code


def seal(
    dist: Path | None, out: Path, trust: TrustFolder, *, means: Means, clock: Clock, gpg: str | None,
    sbom: SbomSource | None = None, audit: Path | None = None, progress: Progress = no_progress,
) -> Sealed:  # fmt: skip
    """Seal the artifacts of `dist` into `out`, or, without `dist`, add a signature to the release in `out`.

    `sbom` is a finished SBOM (CycloneDX JSON) from elsewhere, or a lock of which one is made; it is released with them;
    `audit` is a finished audit of them, as `sealwright audit --json` wrote it.

    Raises UsageError, StaleError and UndecidedError, and for an audit that is nothing to seal VulnerableError and
    UnauditedError; everything else is in the verdict.
    """
    policy = trust.policy
    refuse_inside(trust.path, out)
    if policy.expires <= clock():
        raise StaleError(
            f"the policy {trust.path} expired on {policy.expires:%Y-%m-%d}",
            "Review it, raise its version and expires, and publish it.",
        )
    required = {kind.id for kind in required_kinds(policy)}
    if OPENPGP in required and means.open_openpgp is None and "openpgp" not in means.left:
        raise UsageError(
            "the policy requires an OpenPGP signature, and no key was given",
            f"Add --openpgp-key {policy.key_to_name()}, or --openpgp-key-file FILE in CI; "
            "--no-openpgp leaves it to others.",
        )
    refuse_without_layout(policy, means.layout, out)
    audited = read_named(audit, MAX_AUDIT_BYTES, "the audit") if audit else b""
    collected = _collect(dist, out, trust, clock, gpg, progress)
    if collected.project != policy.project:
        raise UsageError(f"{dist} holds {collected.project}, and {trust.path} is the policy of {policy.project}")
    with with_sbom(collected, sbom) as completed:
        written, own = _seal_build(completed.build, out, trust, means, clock, audited, progress)
        to_come = _to_come(policy, means.left, completed.build)
    verdict = verify_folder(out, trust, asked=None, clock=clock, gpg=gpg, progress=progress)
    return Sealed(written, collected.strays, own, means.left, verdict, to_come, completed.unknown)


def _seal_build(
    build: Build, out: Path, trust: TrustFolder, means: Means, clock: Clock, audited: bytes, progress: Progress
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Write what is missing, and return the names of what was written, and the signers whose evidence is there now."""
    lines = tuple(
        sorted((ChecksumLine(a.digest.sha256, a.name.file) for a in build.artifacts), key=lambda line: line.name)
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            signer = stack.enter_context(means.open_openpgp()) if means.open_openpgp else None
            own = {signer_listed_as(signer, trust)} if signer else set()
            stack.enter_context(locked(out))
            _refuse_changed_set(out, lines)
            version, content = build.artifacts[0].name.version, _sbom_of(build)
            task = Task(
                out, lines, version, trust, clock, signer, means.sigstore, means.left, content, means.layout, audited
            )
            plan = None if "sigstore" in means.left else plan_sigstore(task)
            written = [
                a.name.file for a in build.artifacts if store_artifact(a.path, out / a.name.file, a.digest, progress)
            ]
            for made in _make(task, plan):
                written += made.written
                own |= made.signers
    except UnfitFileError as error:
        raise UsageError(f"a file in {out} is {error}", "Remove it and run this again.") from error
    except OSError as error:
        raise UndecidedError(f"{error.filename or out} cannot be written: {reason(error)}") from error
    return tuple(written), frozenset(own)


def _to_come(policy: Policy, left: frozenset[str], build: Build) -> frozenset[str]:
    """The files of the kinds that are left to others, under the names that sealing gives them."""
    artifacts = tuple(sorted(artifact.name.file for artifact in build.artifacts))
    kinds = [kind for kind in required_kinds(policy) if kind.id in left]
    return frozenset(names[0] for kind in kinds for names in kind.files(policy, artifacts))


def _make(task: Task, plan: SigstorePlan | None) -> list[Made]:
    """Make every kind of evidence that the policy requires, and what goes to the index."""
    makers: dict[str, Callable[[], Made]] = {
        "checksums": lambda: _make_checksums(task),
        "openpgp": lambda: make_openpgp(task),
        "sigstore": lambda: make_sigstore(task, plan) if plan else Made(),
        "publish": lambda: copy_attestations(task),
        "layout": lambda: make_layout(task),
    }
    required = [kind.id for kind in required_kinds(task.trust.policy)]
    return [make() for kind, make in makers.items() if kind in required or (kind == SIGSTORE and plan)]


def _sbom_of(build: Build) -> bytes:
    """The content of the SBOM among the artifacts; empty if there is none. Raises UsageError if it has changed."""
    for artifact in build.artifacts:
        if artifact.name.kind is ArtifactKind.SBOM:
            content = read_named(artifact.path, MAX_SBOM_BYTES, "the SBOM")
            if digest_bytes(content) != artifact.digest.sha256:
                raise UsageError(f"{artifact.path} changed while it was read", "Make the SBOM again, then seal.")
            return content
    return b""


def _collect(
    dist: Path | None, out: Path, trust: TrustFolder, clock: Clock, gpg: str | None, progress: Progress
) -> Build:
    """Read dist/, or take over what another maintainer of the policy has already signed."""
    if dist is not None:
        if dist.resolve() in (out.resolve(), *out.resolve().parents):
            raise UsageError(
                f"the release folder {out} lies in {dist}", "dist/ stays as the build tool left it: name another --out."
            )
        return collect_artifacts(dist, progress=progress)
    if not out.is_dir() or (trust.policy.publishes(CHECKSUMS_FILE) and not (out / CHECKSUMS).exists()):
        raise UsageError(
            f"{out} is no release that was begun", "Name the folder with the artifacts: sealwright seal dist/"
        )
    before = verify_folder(out, trust, asked=None, clock=clock, gpg=gpg, progress=progress)
    if not any(signer.counted for signer in before.signers):
        raise UsageError(
            f"no signer of the policy vouches for what is in {out}, so nothing is added to it",
            f"sealwright verify {out} says why. To be the first signer: sealwright seal dist/",
        )
    build = collect_artifacts(out, progress=progress)
    # What is signed is what was judged, though the folder was read twice.
    if {(a.name.file, a.digest.sha256) for a in build.artifacts} != {(a.name, a.sha256) for a in before.artifacts}:
        raise UndecidedError(f"{out} changed while it was read", "Find out who writes there, then run this again.")
    return Build(build.project, build.version, build.artifacts, ())


def _refuse_changed_set(out: Path, lines: tuple[ChecksumLine, ...]) -> None:
    """A set of artifacts that somebody has signed is final; what nobody signed yet may still be replaced."""
    listed = {line.name: line.sha256 for line in lines}
    there = set(os.listdir(out))
    hint = "What was signed stays as it is. Give a changed build a new version, and move the old release folder away."
    for name in sorted(there):
        if looks_released(name) and name not in listed:
            another = (
                "It is left from another release, or another build: move it away, or name a new folder with --out."
            )
            raise UsageError(f"{out} holds {name}, which is not among the artifacts to seal", another)
    for name in sorted(listed):
        signed = any(name in (_signature_target(file), bundle_target(file), publish_target(file)) for file in there)
        stored = digest_stored(out / name) if signed else None
        if stored and stored.sha256 != listed[name]:
            raise UsageError(f"{name} differs from the {name} that is signed in {out}", hint)
    if CHECKSUMS + OPENPGP_SUFFIX in there:
        before = read_bounded(out / CHECKSUMS, MAX_CHECKSUMS_BYTES) if CHECKSUMS in there else b""
        if before != render_checksums(lines):
            raise UsageError(f"{out / CHECKSUMS} is signed, and does not list exactly the artifacts to seal", hint)


def _signature_target(file: str) -> str:
    return file.removesuffix(OPENPGP_SUFFIX) if file.endswith(OPENPGP_SUFFIX) else ""


def _make_checksums(task: Task) -> Made:
    content = render_checksums(task.lines)
    path = task.out / CHECKSUMS
    if path.exists() and read_bounded(path, len(content) + 1) == content:
        return Made()
    write_whole(path, content)
    return Made((CHECKSUMS,))

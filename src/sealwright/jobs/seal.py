"""Sealing a release: artifacts and a policy in, a release folder with the evidence that the policy requires out.

Enters: dist/, or a release folder that another maintainer began; a policy; a signer. Leaves: files in the release
folder, and the verdict of the same verification that end users run. Never writes into dist/, never rewrites
what is signed, and makes nothing again that verifies: a second run changes no byte, a killed one is finished.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sealwright.collect.artifacts import Build, collect_artifacts
from sealwright.errors import ExitCode, PolicyError, StaleError, UndecidedError, UsageError
from sealwright.files.digest import Progress, digest_bytes, no_progress
from sealwright.files.reading import UnfitFileError, read_bounded, reason
from sealwright.files.writing import write_whole
from sealwright.jobs.verify_release import Clock, verify_folder
from sealwright.model.artifact import looks_released
from sealwright.model.evidence import required_kinds
from sealwright.model.policy import Policy
from sealwright.model.release import CHECKSUMS, OPENPGP_SUFFIX, Release, ReleaseFile, is_openpgp_evidence
from sealwright.model.verdict import OPENPGP_THRESHOLD, SIGNERS_THRESHOLD, Outcome, Verdict
from sealwright.sign.openpgp import OpenPGPSigner
from sealwright.store.release_folder import private_copy
from sealwright.store.release_writing import digest_stored, locked, store_artifact
from sealwright.store.trust_folder import TrustFolder, refuse_inside
from sealwright.verify.armor import MAX_SIGNATURE_FILE_BYTES
from sealwright.verify.checksums import MAX_CHECKSUMS_BYTES, ChecksumLine, render_checksums
from sealwright.verify.openpgp import check_openpgp

if TYPE_CHECKING:
    from packaging.version import Version

OpenSigner = Callable[[], AbstractContextManager[OpenPGPSigner]]
_WAITING = {SIGNERS_THRESHOLD, OPENPGP_THRESHOLD}


class Sealed(NamedTuple):
    """What a run did: names of files that were written or left out, whose signatures it made, and the verdict."""

    written: tuple[str, ...]
    strays: tuple[str, ...]
    signer: str
    verdict: Verdict

    @property
    def waiting(self) -> bool:
        """Whether this run's own evidence is good and only other signers are missing."""
        failed = {check.id for check in self.verdict.failed()}
        own = any(entry.name == self.signer and entry.counted for entry in self.verdict.signers)
        return own and bool(failed) and failed <= _WAITING and not self.verdict.undecided()

    def exit_code(self, *, require_complete: bool) -> ExitCode:
        """DONE while only other signers are missing, unless a complete release is required; else the verdict's code."""
        return ExitCode.DONE if self.waiting and not require_complete else self.verdict.exit_code


class _Task(NamedTuple):
    """What every maker of evidence is given."""

    out: Path
    lines: tuple[ChecksumLine, ...]
    version: "Version"
    trust: TrustFolder
    signer: OpenPGPSigner | None
    clock: Clock


def seal(
    dist: Path | None, out: Path, trust: TrustFolder, *, open_signer: OpenSigner | None, clock: Clock, gpg: str | None,
    progress: Progress = no_progress,
) -> Sealed:  # fmt: skip
    """Seal the artifacts of `dist` into `out`, or, without `dist`, add a signature to the release in `out`.

    Raises UsageError, StaleError and UndecidedError; everything else is in the verdict.
    """
    policy = trust.policy
    refuse_inside(trust.path, out)
    if policy.expires <= clock():
        raise StaleError(
            f"the policy {trust.path} expired on {policy.expires:%Y-%m-%d}",
            "Review it, raise its version and expires, and publish it.",
        )
    if policy.require.openpgp and open_signer is None:
        raise UsageError(
            "the policy requires an OpenPGP signature, and no key was given",
            "Add --openpgp-key FINGERPRINT, or --openpgp-key-file FILE in CI.",
        )
    build = _collect(dist, out, trust, clock, gpg, progress)
    if build.project != policy.project:
        raise UsageError(f"{dist} holds {build.project}, and {trust.path} is the policy of {policy.project}")
    lines = tuple(
        sorted((ChecksumLine(a.digest.sha256, a.name.file) for a in build.artifacts), key=lambda line: line.name)
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            signer = stack.enter_context(open_signer()) if open_signer else None
            name = _listed_name(policy, signer, trust.path) if signer else ""
            stack.enter_context(locked(out))
            _refuse_changed_set(out, lines)
            written = [a.name.file for a in build.artifacts if store_artifact(a.path, out, a.digest, progress)]
            task = _Task(out, lines, build.artifacts[0].name.version, trust, signer, clock)
            for kind in required_kinds(policy):
                written += _MAKERS[kind.id](task) if kind.id in _MAKERS else []
    except UnfitFileError as error:
        raise UsageError(f"a file in {out} is {error}", "Remove it and run this again.") from error
    except OSError as error:
        raise UndecidedError(f"{error.filename or out} cannot be written: {reason(error)}") from error
    verdict = verify_folder(out, trust, asked=None, clock=clock, gpg=gpg, progress=progress)
    return Sealed(tuple(written), build.strays, name, verdict)


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
    if not (out / CHECKSUMS).exists():
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
        stored = digest_stored(out / name) if name + OPENPGP_SUFFIX in there else None
        if stored and stored.sha256 != listed[name]:
            raise UsageError(f"{name} differs from the {name} that is signed in {out}", hint)
    if CHECKSUMS + OPENPGP_SUFFIX in there:
        before = read_bounded(out / CHECKSUMS, MAX_CHECKSUMS_BYTES) if CHECKSUMS in there else b""
        if before != render_checksums(lines):
            raise UsageError(f"{out / CHECKSUMS} is signed, and does not list exactly the artifacts to seal", hint)


def _listed_name(policy: Policy, signer: OpenPGPSigner, path: Path) -> str:
    listed = policy.signer_of_key(signer.fingerprint)
    if listed is None:
        raise PolicyError(
            f"the key {signer.fingerprint} is not in {path}",
            "A signature by it would count for nothing: use a listed key, or list this one.",
        )
    return listed.name


def _make_checksums(task: _Task) -> list[str]:
    content = render_checksums(task.lines)
    path = task.out / CHECKSUMS
    if path.exists() and read_bounded(path, len(content) + 1) == content:
        return []
    write_whole(path, content)
    return [CHECKSUMS]


def _make_openpgp(task: _Task) -> list[str]:
    """Append this signer's block wherever no valid one of the same key stands; SHA256SUMS first.

    Each block is judged before any is written: one that would not count (a key that the trust folder has as
    revoked, or retired before this version) is an error, and leaves no trace.
    """
    signer = task.signer
    if signer is None:
        return []
    targets = (CHECKSUMS, *(line.name for line in task.lines))
    with private_copy(task.out) as release:
        _refuse_other_bytes(task, release)
        done, _ = _count(task, signer, release, targets)
        files = {target: file for target in targets if target not in done and (file := release.file(target))}
        blocks = {target: signer.sign(Path(file.path)) for target, file in files.items()}
        counted, wrong = _count(task, signer, _with_signatures(release, blocks), tuple(blocks))
        if counted != set(blocks):
            raise UsageError(f"a signature by {signer.fingerprint} would not count: {wrong}", "Nothing was signed.")
    for target, block in blocks.items():
        path = task.out / (target + OPENPGP_SUFFIX)
        before = read_bounded(path, MAX_SIGNATURE_FILE_BYTES) if path.exists() else b""
        gap = b"" if before.endswith(b"\n") or not before else b"\n"
        write_whole(path, before + gap + block)
    return [target + OPENPGP_SUFFIX for target in blocks]


def _refuse_other_bytes(task: _Task, release: Release) -> None:
    """What is signed are the bytes that were collected, whoever writes into the release folder meanwhile."""
    expected = {line.name: line.sha256 for line in task.lines} | {CHECKSUMS: digest_bytes(render_checksums(task.lines))}
    for name, sha256 in expected.items():
        file = release.file(name)
        if file is None or file.sha256 != sha256:
            raise UndecidedError(
                f"{task.out / name} changed while it was sealed", "Find out who writes there, then seal again."
            )


def _count(task: _Task, signer: OpenPGPSigner, release: Release, targets: tuple[str, ...]) -> tuple[set[str], str]:
    """Return the targets for which a signature by this key counts, and what is wrong with the others."""
    trust = task.trust
    found = check_openpgp(release, targets, trust.policy, trust.keys, task.version, task.clock(), signer.program)
    wrong = "; ".join(sorted({check.got for check in found.checks if check.outcome is Outcome.FAIL}))
    return {entry.target for entry in found.signed if entry.fingerprint == signer.fingerprint}, wrong


def _with_signatures(release: Release, blocks: dict[str, bytes]) -> Release:
    """The same private copies with other signatures: only the given ones."""
    files = [file for file in release.files if not is_openpgp_evidence(file.name)]
    for target, block in blocks.items():
        files.append(ReleaseFile(target + OPENPGP_SUFFIX, len(block), digest_bytes(block), content=block))
    return Release(release.folder, tuple(files))


_MAKERS: dict[str, Callable[[_Task], list[str]]] = {"checksums": _make_checksums, "openpgp": _make_openpgp}
"""How each kind of sealwright.model.evidence is made; a kind that is not here is undecided in the verdict."""

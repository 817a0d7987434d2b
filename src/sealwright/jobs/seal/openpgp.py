"""The OpenPGP part of a sealing: one more armor block wherever this signer's is missing.

Enters: a task with a signer. Leaves: .asc files. A block is judged before any is written.
"""

from pathlib import Path

from sealwright.errors import PolicyError, UsageError
from sealwright.files.digest import digest_bytes
from sealwright.files.reading import read_bounded
from sealwright.files.writing import write_whole
from sealwright.jobs.seal.task import Made, Task, refuse_other_bytes
from sealwright.model.evidence import signed_targets
from sealwright.model.release import OPENPGP_SUFFIX, Release, ReleaseFile, is_openpgp_evidence
from sealwright.model.verdict import Outcome
from sealwright.sign.openpgp import OpenPGPSigner
from sealwright.store.release_folder import private_copy
from sealwright.store.trust_folder import TrustFolder
from sealwright.verify.armor import MAX_SIGNATURE_FILE_BYTES
from sealwright.verify.openpgp import check_openpgp


def signer_listed_as(signer: OpenPGPSigner, trust: TrustFolder) -> str:
    """Return the name under which the policy lists a key. Raises PolicyError if it does not."""
    listed = trust.policy.signer_of_key(signer.fingerprint)
    if listed is None:
        raise PolicyError(
            f"the key {signer.fingerprint} is not in {trust.path}",
            "A signature by it would count for nothing: use a listed key, or list this one.",
        )
    return listed.name


def make_openpgp(task: Task) -> Made:
    """Append this signer's block wherever no valid one of the same key stands; SHA256SUMS first.

    Each block is judged before any is written: one that would not count (a key that the trust folder has as
    revoked, or retired before this version) is an error, and leaves no trace.
    """
    signer = task.openpgp
    if signer is None:
        return Made()
    targets = signed_targets(task.trust.policy, task.artifacts)
    with private_copy(task.out) as release:
        refuse_other_bytes(task, release)
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
    return Made(tuple(target + OPENPGP_SUFFIX for target in blocks), frozenset({signer_listed_as(signer, task.trust)}))


def _count(task: Task, signer: OpenPGPSigner, release: Release, targets: tuple[str, ...]) -> tuple[set[str], str]:
    """Return the targets for which a signature by this key counts, and what is wrong with the others."""
    trust = task.trust
    found = check_openpgp(release, targets, trust.policy, trust.keys, task.version, task.clock(), signer.program)
    wrong = "; ".join(sorted({check.got for check in found.checks if check.outcome is Outcome.FAIL}))
    return {entry.target for entry in found.signed if entry.by == signer.fingerprint}, wrong


def _with_signatures(release: Release, blocks: dict[str, bytes]) -> Release:
    """The same private copies with other signatures: only the given ones."""
    files = [file for file in release.files if not is_openpgp_evidence(file.name)]
    for target, block in blocks.items():
        files.append(ReleaseFile(target + OPENPGP_SUFFIX, len(block), digest_bytes(block), content=block))
    return Release(release.folder, tuple(files))

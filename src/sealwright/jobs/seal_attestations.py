"""PEP 740 attestations, laid where twine or uv will upload from.

Enters: a task that names a folder for them. Leaves: names, and whether one that is there is good. They are for the
package index, which takes nothing else; in the verdict on a release they count for nothing.
"""

from pathlib import Path

from sealwright.errors import UsageError
from sealwright.files.reading import UnfitFileError, read_bounded
from sealwright.jobs.seal_task import Task
from sealwright.model.artifact import ArtifactKind, parse_artifact_name
from sealwright.model.release import MAX_BUNDLE_BYTES
from sealwright.store.trusted_root import read_root
from sealwright.verify.publish_attestation import check_publish_attestation

SUFFIX = ".publish.attestation"
_UPLOADED = (ArtifactKind.WHEEL, ArtifactKind.SDIST)


def attestation_name(task: Task, name: str) -> Path:
    """Return where the attestation of an artifact belongs. Only called if a folder for them was named."""
    assert task.sigstore.attestations is not None  # noqa: S101
    return task.sigstore.attestations / (name + SUFFIX)


def missing_attestations(task: Task) -> tuple[str, ...]:
    """Return the wheels and sdists that have no good attestation yet; none if no folder for them was named."""
    folder = task.sigstore.attestations
    if folder is None:
        return ()
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", "Name the one that twine or uv will upload from.")
    uploaded = [line for line in task.lines if parse_artifact_name(line.name).kind in _UPLOADED]
    return tuple(line.name for line in uploaded if not _is_good(task, line.name, line.sha256))


def _is_good(task: Task, name: str, sha256: str) -> bool:
    try:
        content = read_bounded(attestation_name(task, name), MAX_BUNDLE_BYTES)
    except FileNotFoundError:
        return False
    except UnfitFileError as error:
        raise UsageError(f"{attestation_name(task, name)} is {error}", "Remove it and run this again.") from error
    return not _objection(task, name, sha256, content)


def check_attestation_of(task: Task, name: str, sha256: str, content: bytes) -> None:
    """Raise UsageError unless a new attestation is good, before it is kept."""
    if wrong := _objection(task, name, sha256, content):
        raise UsageError(
            f"the PEP 740 attestation of {name} would not verify: {wrong}",
            f"Hold {task.trust.path} against that. It was not kept, though the log has its entry.",
        )


def _objection(task: Task, name: str, sha256: str, content: bytes) -> str:
    return check_publish_attestation(content, name, sha256, task.trust.policy, task.version, read_root(task.trust))

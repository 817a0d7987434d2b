"""PEP 740 attestations, laid into the release folder and where twine or uv will upload from.

Enters: a task whose policy lists them, or that names a folder for them. Leaves: names, and which are there and good. A
wheel or sdist has one, which may lie in two folders; one that is good is copied, never made again.
"""

from pathlib import Path

from sealwright.errors import UsageError
from sealwright.files.reading import UnfitFileError, read_bounded
from sealwright.files.writing import write_whole
from sealwright.jobs.seal.task import Made, Task
from sealwright.model.evidence import PUBLISH, uploaded
from sealwright.model.policy import PUBLISH_ATTESTATIONS
from sealwright.model.release import MAX_BUNDLE_BYTES, publish_names
from sealwright.store.trusted_root import read_root
from sealwright.verify.publish_attestation import Attested, judge_attestation


def missing_attestations(task: Task) -> tuple[str, ...]:
    """Return the wheels and sdists of which no folder has a good attestation; none if they are not asked for."""
    folders = _folders(task)
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder", "Name the one that twine or uv will upload from.")
    return tuple(name for name in uploaded(task.artifacts) if folders and not _good(task, name))


def attesters(task: Task) -> frozenset[str]:
    """Return the signers who have attested all wheels and sdists."""
    found = [frozenset(each.signer for each, _ in _good(task, name)) for name in uploaded(task.artifacts)]
    return frozenset.intersection(*found) if found else frozenset()


def keep_attestation(task: Task, name: str, content: bytes) -> str:
    """Write a new attestation and return its file's name; it is judged first. Raises UsageError."""
    if wrong := _judge(task, name, content).problem:
        raise UsageError(
            f"the PEP 740 attestation of {name} would not verify: {wrong}",
            f"Hold {task.trust.path} against that. It was not kept, though the log has its entry.",
        )
    path = _path(_folders(task)[0], name)
    write_whole(path, content)
    return path.name


def copy_attestations(task: Task) -> Made:
    """Lay what is good in one folder into the others, too."""
    written = []
    for name in uploaded(task.artifacts):
        good = _good(task, name)
        there = {folder for _, folder in good}
        for folder in _folders(task) if good else ():
            if folder not in there:
                write_whole(_path(folder, name), read_bounded(_path(good[0][1], name), MAX_BUNDLE_BYTES))
                written.append(_path(folder, name).name)
    return Made(tuple(sorted(set(written))))


def _folders(task: Task) -> list[Path]:
    """Where attestations belong: the release folder, if the policy lists them, and the one to upload from."""
    listed = task.trust.policy.publishes(PUBLISH_ATTESTATIONS) and PUBLISH not in task.left
    return [*([task.out] if listed else []), *([task.sigstore.attestations] if task.sigstore.attestations else [])]


def _path(folder: Path, name: str) -> Path:
    return folder / publish_names(name)[0]


def _good(task: Task, name: str) -> list[tuple[Attested, Path]]:
    """The good attestations of an artifact, each with its folder."""
    found = []
    for folder in _folders(task):
        try:
            content = read_bounded(_path(folder, name), MAX_BUNDLE_BYTES)
        except FileNotFoundError:
            continue
        except UnfitFileError as error:
            raise UsageError(f"{_path(folder, name)} is {error}", "Remove it and run this again.") from error
        attested = _judge(task, name, content)
        if not attested.problem:
            found.append((attested, folder))
    return found


def _judge(task: Task, name: str, content: bytes) -> Attested:
    sha256 = next(line.sha256 for line in task.lines if line.name == name)
    return judge_attestation(content, name, sha256, task.trust.policy, task.version, read_root(task.trust))

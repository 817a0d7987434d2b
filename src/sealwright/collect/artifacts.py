"""The artifacts of a build: which files of dist/ are released, and what they are.

Enters: the folder a build tool wrote. Leaves: `Build`. Refuses what cannot be one release of one project; never
writes into the folder, which stays fit for upload tools.
"""

import os
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import Digest, Progress, digest_descriptor, no_progress
from sealwright.files.distribution import MetadataError
from sealwright.files.metadata import read_metadata
from sealwright.files.reading import UnfitFileError, open_regular, reason
from sealwright.files.record import check_record
from sealwright.files.threads import each_in_parallel
from sealwright.model.artifact import (
    MAX_ARTIFACT_BYTES,
    MAX_ARTIFACTS,
    ArtifactKind,
    ArtifactName,
    ArtifactNameError,
    looks_released,
    parse_artifact_name,
)


class BuiltArtifact(NamedTuple):
    """A file of the build: its name taken apart, where it is, its digest."""

    name: ArtifactName
    path: Path
    digest: Digest


class Build(NamedTuple):
    """One version of one project, and the names of the files beside it that are not part of it."""

    project: str
    version: str
    artifacts: tuple[BuiltArtifact, ...]
    strays: tuple[str, ...]


def collect_artifacts(folder: Path, *, progress: Progress = no_progress, ignore: tuple[str, ...] = ()) -> Build:
    """Read every wheel and sdist of `folder`; `ignore` are names that are expected there and are no artifacts.

    Raises UsageError for two projects or versions, a file whose name disagrees with its metadata, a wheel whose
    RECORD disagrees with its contents, a file that looks released and is neither, and for nothing at all.
    """
    try:
        names = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(
            f"{folder} is not a folder", "Build first (python -m build), then: sealwright seal dist/"
        ) from error
    except OSError as error:
        raise UndecidedError(f"{folder} cannot be read: {reason(error)}") from error
    released = [name for name in names if looks_released(name)]
    strays = tuple(name for name in names if name not in released and name not in ignore)
    if not released:
        raise UsageError(
            f"{folder} holds no wheel and no sdist", "Build first (python -m build), then: sealwright seal dist/"
        )
    if len(released) > MAX_ARTIFACTS:
        raise UsageError(
            f"{folder} holds more than {MAX_ARTIFACTS:,} artifacts", "A release is one version of one project."
        )
    artifacts = tuple(each_in_parallel(lambda name: _read(folder, name, progress), released))
    projects = sorted({a.name.project for a in artifacts})
    versions = sorted({str(a.name.version) for a in artifacts})
    if len(projects) > 1 or len(versions) > 1:
        several = ", ".join(projects if len(projects) > 1 else versions)
        what = "projects" if len(projects) > 1 else "versions"
        raise UsageError(
            f"{folder} holds several {what}: {several}",
            "A release is one version of one project: empty the folder and build again.",
        )
    return Build(projects[0], versions[0], artifacts, strays)


def _read(folder: Path, name: str, progress: Progress) -> BuiltArtifact:
    path = folder / name
    try:
        artifact = parse_artifact_name(name)
    except ArtifactNameError as error:
        raise UsageError(
            f"{path!s} looks like something that is released, but is {error}",
            "Only wheels and sdists (.tar.gz) belong there.",
        ) from error
    try:
        source = open_regular(path)
        try:
            digest = digest_descriptor(source, MAX_ARTIFACT_BYTES, name=name, progress=progress)
        finally:
            os.close(source)
    except UnfitFileError as error:
        raise UsageError(f"{path} is {error}", "Only the files that the build made belong there.") from error
    except ValueError as error:
        raise UsageError(f"{path} is {error}", "No package index takes a file of that size.") from error
    except OSError as error:
        raise UndecidedError(f"{path} cannot be read: {reason(error)}") from error
    _check_inside(path, artifact)
    return BuiltArtifact(artifact, path, digest)


def _check_inside(path: Path, artifact: ArtifactName) -> None:
    if artifact.kind is ArtifactKind.SBOM:
        return
    try:
        metadata = read_metadata(path, artifact)
        if artifact.kind is ArtifactKind.WHEEL:
            check_record(path, artifact)
    except MetadataError as error:
        raise UsageError(f"{path}: {error}", "Build it again with a current build tool.") from error
    if (metadata.project, metadata.version) != (artifact.project, str(artifact.version)):
        raise UsageError(
            f"{path} says inside that it is {metadata.project} {metadata.version}",
            "The name of a file must say what it is: do not rename artifacts.",
        )

"""The root of an SBOM: the project, with the hashes of its artifacts.

Enters: what was asked for, and what is known of the project. Leaves: a `Package`.
"""

import os
from pathlib import Path

from sealwright.collect.purl import build_purl
from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import digest_descriptor
from sealwright.files.reading import UnfitFileError, open_regular, reason
from sealwright.model.artifact import MAX_ARTIFACT_BYTES, ArtifactKind, ArtifactNameError, parse_artifact_name
from sealwright.model.component import CoreMetadata, DistributionFile, Package


def build_root(metadata: CoreMetadata, artifacts: tuple[Path, ...], **more: tuple[str, ...]) -> Package:
    """Make the root, and hash its artifacts. Raises UsageError for an artifact of another project or version."""
    files = tuple(sorted(hash_artifact(path, metadata) for path in artifacts))
    hashes = tuple(sorted({file.sha256 for file in files}))
    purl = build_purl(metadata.name, metadata.version)
    return Package(metadata.name, metadata.version, purl, metadata, hashes, files, **more)  # type: ignore[arg-type]


def hash_artifact(path: Path, metadata: CoreMetadata) -> DistributionFile:
    """Hash one wheel or sdist of the project."""
    try:
        name = parse_artifact_name(path.name)
    except ArtifactNameError as error:
        raise UsageError(f"{path} is no artifact: {error}", "Name a wheel or an sdist.") from error
    from packaging.version import InvalidVersion, Version

    try:
        same = name.project == metadata.name and (not metadata.version or name.version == Version(metadata.version))
    except InvalidVersion:
        same = False
    if name.kind is ArtifactKind.SBOM or not same:
        raise UsageError(
            f"{path} is no artifact of {metadata.name} {metadata.version}".rstrip(), "Name a wheel or an sdist of it."
        )
    try:
        source = open_regular(path, follow=True)
        try:
            return DistributionFile(path.name, "", digest_descriptor(source, MAX_ARTIFACT_BYTES).sha256)
        finally:
            os.close(source)
    except (UnfitFileError, FileNotFoundError, ValueError) as error:
        raise UsageError(f"{path} is {error if not isinstance(error, FileNotFoundError) else 'not there'}") from error
    except OSError as error:
        raise UndecidedError(f"{path} cannot be read: {reason(error)}") from error

"""The root of an SBOM: the project, with the hashes of its artifacts.

Enters: what was asked for, and what is known of the project. Leaves: a `Package`.
"""

import os
from pathlib import Path

from sealwright.collect.contents.core_metadata import parse_core_metadata
from sealwright.collect.contents.purl import build_purl
from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import digest_descriptor
from sealwright.files.distribution import MetadataError
from sealwright.files.reading import UnfitFileError, open_regular, reason
from sealwright.model.artifact import MAX_ARTIFACT_BYTES, ArtifactKind, ArtifactNameError, parse_artifact_name
from sealwright.model.component import CoreMetadata, DistributionFile, Package


def build_root(metadata: CoreMetadata, artifacts: tuple[Path, ...]) -> Package:
    """Make the root, hash its artifacts, and let the first of them (a wheel, if there is one) say the rest.

    An empty name or version is filled from there. Raises UsageError for an artifact of another project or version, or
    one that contradicts itself.
    """
    for path in sorted(artifacts, key=lambda path: (not path.name.endswith(".whl"), path.name)):
        inside = _read_inside(path)
        metadata = metadata._replace(name=metadata.name or inside.name, version=metadata.version or inside.version)
        if (inside.name, inside.version) == (metadata.name, metadata.version):
            metadata = inside
            break
    files = tuple(sorted(hash_artifact(path, metadata) for path in artifacts))
    hashes = tuple(sorted({file.sha256 for file in files}))
    return Package(
        metadata.name, metadata.version, build_purl(metadata.name, metadata.version), metadata, hashes, files
    )


def _read_inside(path: Path) -> CoreMetadata:
    from sealwright.files.sdist import read_sdist_metadata
    from sealwright.files.wheel import read_wheel_metadata

    hint = "Name a wheel or an sdist of the project."
    try:
        artifact = parse_artifact_name(path.name)
        if artifact.kind is ArtifactKind.SBOM:
            raise ArtifactNameError("an SBOM is nothing that is installed")
        reader = read_wheel_metadata if artifact.kind is ArtifactKind.WHEEL else read_sdist_metadata
        return parse_core_metadata(reader(path, artifact))
    except (ArtifactNameError, MetadataError) as error:
        raise UsageError(f"{path} cannot be an artifact of the project: {error}", hint) from error


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


def check_extras(path: Path, metadata: CoreMetadata, asked: tuple[str, ...]) -> None:
    """Refuse an extra that the project does not have: pip would only warn, and leave its packages out."""
    from packaging.utils import canonicalize_name

    unknown = [extra for extra in asked if canonicalize_name(extra) not in metadata.extras]
    if unknown:
        has = ", ".join(metadata.extras) or "none"
        raise UsageError(f"{path} has no extra {unknown[0]}", f"It has: {has}")

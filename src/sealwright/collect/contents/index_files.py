"""Which file of the index a package is, and what that file says of itself.

Enters: an index, and packages as an environment or a lock knows them. Leaves: `Package`s with file, hash and metadata.
Nothing is guessed: a file is taken for the one that was installed only if its metadata is the same, byte for byte.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from sealwright.collect.contents.core_metadata import parse_core_metadata
from sealwright.collect.contents.index import Index, IndexFile
from sealwright.collect.contents.references import clean_file_url
from sealwright.collect.contents.wheel_nested import nested_in_wheel
from sealwright.errors import UndecidedError
from sealwright.files.distribution import MetadataError
from sealwright.files.reading import open_regular, reason
from sealwright.files.sdist import read_sdist_metadata
from sealwright.files.wheel import read_wheel_metadata
from sealwright.files.writing import copy_whole
from sealwright.model.artifact import MAX_ARTIFACT_BYTES, ArtifactKind, ArtifactNameError, parse_artifact_name
from sealwright.model.component import CoreMetadata, DistributionFile, Package, Reference


def match_installed(index: Index, package: Package, metadata: bytes, tags: tuple[str, ...], folder: Path) -> Package:
    """Find the wheel that a package was installed from: same name, version and tags, and the very same metadata.

    Where the index has no copy of the metadata, the wheel is fetched into `folder`. Raises UndecidedError.
    """
    for file in index.list_files(package.name):
        if not file.sha256 or not file.name.endswith(".whl") or not _is_wheel(file.name, package, tags):
            continue
        try:
            stated = index.read_metadata(file.url)
            if (_read_inside(index, file, folder)[0] if stated is None else stated) == metadata:
                found = DistributionFile(file.name, clean_file_url(file.url), file.sha256)
                return package._replace(hashes=(file.sha256,), files=(found,))
        except (MetadataError, OSError) as error:
            raise UndecidedError(f"{file.name} cannot be looked into: {error}", "Add --offline.") from error
    return package


def _is_wheel(name: str, package: Package, tags: tuple[str, ...]) -> bool:
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename
    from packaging.version import InvalidVersion, Version

    try:
        parse_artifact_name(name)  # it bounds the number of tags
        project, version, _, stated = parse_wheel_filename(name)
        same = project == package.name and version == Version(package.version)
    except (ArtifactNameError, InvalidWheelFilename, InvalidVersion, ValueError):
        return False
    return same and (not tags or {str(tag) for tag in stated} == set(tags))


def choose_file(files: Iterable[IndexFile], name: str, version: str, hashes: Iterable[str]) -> IndexFile | None:
    """Return the file that an installer here would take: the best wheel, or else the sdist, of those with a hash."""
    from packaging.utils import parse_wheel_filename
    from packaging.version import Version

    allowed = set(hashes)
    ranks = _ranks()
    best: tuple[int, IndexFile] | None = None
    for file in files:
        if file.sha256 not in allowed:
            continue
        try:
            stated = parse_artifact_name(file.name)
        except ArtifactNameError:
            continue
        if stated.project != name or stated.version != Version(version):
            continue
        rank = len(ranks) + 1
        if stated.kind is ArtifactKind.WHEEL:
            fitting = [ranks[tag] for tag in map(str, parse_wheel_filename(file.name)[3]) if tag in ranks]
            if not fitting:
                continue
            rank = min(fitting)
        if best is None or rank < best[0]:
            best = (rank, file)
    return best[1] if best else None


_RANKS: dict[str, int] = {}


def _ranks() -> dict[str, int]:
    from packaging.tags import sys_tags

    if not _RANKS:
        _RANKS.update({str(tag): rank for rank, tag in reversed(list(enumerate(sys_tags())))})
    return _RANKS


class Described(NamedTuple):
    """What a file says of itself, and the SBOMs that it carries."""

    metadata: CoreMetadata
    nested: tuple[Reference, ...] = ()


def describe_file(index: Index, file: IndexFile, name: str, version: str, folder: Path, *, inside: bool) -> Described:
    """Return what a file says of itself: from the index's own copy of its metadata, or from the `inside` of the file.

    A file without a copy is fetched in any case. Raises UndecidedError if it is another project or version inside.
    """
    content = None if inside else index.read_metadata(file.url)
    nested: tuple[Reference, ...] = ()
    try:
        if content is None:
            content, nested = _read_inside(index, file, folder)
        stated = parse_core_metadata(content)
    except (MetadataError, ArtifactNameError) as error:
        raise UndecidedError(
            f"the metadata of {file.name} cannot be read: {error}", "Choose another version."
        ) from error
    except OSError as error:
        raise UndecidedError(f"{file.name} cannot be kept for a look: {reason(error)}") from error
    if stated.name != name or not same_version(stated.version, version):
        raise UndecidedError(
            f"{file.name} says inside that it is {stated.name} {stated.version}, not {name} {version}",
            "Do not use it, and tell the index.",
        )
    return Described(stated, nested if inside else ())


def same_version(one: str, other: str) -> bool:
    """Compare two versions as PEP 440 does; what is none is equal to nothing."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return False


def _read_inside(index: Index, file: IndexFile, folder: Path) -> tuple[bytes, tuple[Reference, ...]]:
    artifact = parse_artifact_name(file.name)
    path = folder / file.name
    try:
        bring_file(index, file, path)
        if artifact.kind is ArtifactKind.WHEEL:
            return read_wheel_metadata(path, artifact), nested_in_wheel(path, artifact)
        return read_sdist_metadata(path, artifact), ()
    finally:
        path.unlink(missing_ok=True)


def bring_file(index: Index, file: IndexFile, path: Path) -> None:
    """Put a file of the index, or of a folder that pip was told of, at `path`, if it has its digest."""
    parts = urlsplit(file.url)
    if parts.scheme != "file":
        index.fetch(file.url, file.sha256, path)
        return
    source = open_regular(unquote(parts.path), follow=True)
    try:
        found = copy_whole(source, path, MAX_ARTIFACT_BYTES)
    finally:
        os.close(source)
    if found.sha256 != file.sha256:
        raise UndecidedError(f"{file.name} is not the file that was meant: its SHA-256 is another", "Run it again.")

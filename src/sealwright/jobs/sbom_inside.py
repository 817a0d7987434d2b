"""What the wheels of a closure say inside: their whole metadata, and the SBOMs that they carry.

Enters: the packages that pip chose, and where it would fetch them. Leaves: the same packages, completed. A wheel that
is fetched is held against its SHA-256, looked into and removed again; none is run.
"""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sealwright.collect.core_metadata import parse_core_metadata
from sealwright.collect.index import Index
from sealwright.collect.wheel_nested import nested_in_wheel
from sealwright.errors import UndecidedError
from sealwright.files.distribution import MetadataError
from sealwright.files.reading import UnfitFileError, open_regular, reason
from sealwright.files.threads import each_in_parallel
from sealwright.files.wheel import read_wheel_metadata
from sealwright.files.writing import copy_whole
from sealwright.model.artifact import ArtifactNameError, parse_artifact_name
from sealwright.model.component import CoreMetadata, Package

_MAX_WHEEL_BYTES = 1024**3
_THREADS = 4


def complete_packages(index: Index, packages: list[Package], urls: dict[str, str], folder: Path) -> dict[str, Package]:
    """Read the metadata of each package again, whole, from the index or from its wheel. Raises UndecidedError."""

    def complete(package: Package) -> Package:
        url = urls[package.name]
        content = None if urlsplit(url).scheme == "file" else index.read_metadata(url)
        if content is None:
            return _look(index, package, url, folder)
        return package._replace(metadata=_same(content, package))

    return {package.name: package for package in each_in_parallel(complete, packages, threads=2 * _THREADS)}


def packages_inside(index: Index, packages: list[Package], urls: dict[str, str], folder: Path) -> dict[str, Package]:
    """Fetch each wheel, and read its metadata and the SBOMs in it. Raises UndecidedError."""
    looked = each_in_parallel(
        lambda package: _look(index, package, urls[package.name], folder), packages, threads=_THREADS
    )
    return {package.name: package for package in looked}


def _look(index: Index, package: Package, url: str, folder: Path) -> Package:
    file = package.files[0]
    path = folder / f"inside-{package.name}"
    try:
        artifact = parse_artifact_name(unquote(file.name))
        _bring(index, url, file.sha256, path)
        metadata = _same(read_wheel_metadata(path, artifact), package)
        return package._replace(metadata=metadata, nested=nested_in_wheel(path, artifact))
    except (MetadataError, ArtifactNameError) as error:
        raise UndecidedError(f"{file.name} cannot be looked into: {error}", "Choose another version of it.") from error
    finally:
        path.unlink(missing_ok=True)


def _same(content: bytes, package: Package) -> CoreMetadata:
    """Read metadata, which must be that of the package. Raises UndecidedError."""
    try:
        metadata = parse_core_metadata(content)
        if (metadata.name, metadata.version) != (package.name, package.version):
            raise MetadataError(f"it is that of {metadata.name} {metadata.version}")
    except MetadataError as error:
        raise UndecidedError(f"the metadata of {package.name} {package.version} cannot be used: {error}") from error
    return metadata


def _bring(index: Index, url: str, sha256: str, path: Path) -> None:
    """Put the wheel at `path`, if it has that digest."""
    parts = urlsplit(url)
    try:
        if parts.scheme != "file":
            path.write_bytes(index.fetch(url, sha256, _MAX_WHEEL_BYTES))
            return
        source = open_regular(unquote(parts.path), follow=True)
        try:
            found = copy_whole(source, path, _MAX_WHEEL_BYTES)
        finally:
            os.close(source)
    except UnfitFileError as error:
        raise UndecidedError(f"{path.name} is {error}") from error
    except (OSError, ValueError) as error:
        raise UndecidedError(f"{path.name} cannot be read: {reason(error)}") from error
    if found.sha256 != sha256:
        raise UndecidedError(f"{path.name} is not the file that pip chose: its SHA-256 is another", "Run it again.")

"""The name and version that a wheel or sdist states about itself.

Enters: a path to an archive that may be hostile. Leaves: `Metadata`. Format of the fields:
https://packaging.python.org/en/latest/specifications/core-metadata/
"""

from dataclasses import dataclass
from pathlib import Path

from sealwright.files.distribution import MetadataError
from sealwright.model.artifact import ArtifactKind, ArtifactName


@dataclass(frozen=True)
class Metadata:
    """`project` is normalised (PEP 503); `version` stands as it is written, which must be its canonical spelling."""

    project: str
    version: str


def read_metadata(path: Path, artifact: ArtifactName) -> Metadata:
    """Read Name and Version from METADATA or PKG-INFO of the archive at `path`, which is called `artifact`.

    Raises MetadataError for whatever is wrong with it.
    """
    if artifact.kind is ArtifactKind.WHEEL:
        from sealwright.files.wheel import read_wheel_metadata

        return _parse(read_wheel_metadata(path, artifact))
    from sealwright.files.sdist import read_sdist_metadata

    return _parse(read_sdist_metadata(path, artifact))


def _parse(content: bytes) -> Metadata:
    from packaging.utils import InvalidName, canonicalize_name
    from packaging.version import InvalidVersion, Version

    fields: dict[str, list[str]] = {"name": [], "version": []}
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MetadataError("its metadata is not UTF-8") from error
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line:
            break  # the description follows
        key, colon, value = line.partition(":")
        if colon and key.lower() in fields:
            fields[key.lower()].append(value.strip())
    names, versions = fields["name"], fields["version"]
    if len(names) != 1 or len(versions) != 1:
        raise MetadataError("its metadata does not state Name and Version exactly once")
    try:
        canonical = str(Version(versions[0]))
    except InvalidVersion as error:
        raise MetadataError(f"its version {versions[0]!r} is not PEP 440") from error
    if canonical != versions[0]:
        raise MetadataError(f"its version is spelled {versions[0]!r}, not {canonical!r}")
    try:
        return Metadata(canonicalize_name(names[0], validate=True), canonical)
    except InvalidName as error:
        raise MetadataError(f"its name {names[0]!r} is not PEP 508") from error

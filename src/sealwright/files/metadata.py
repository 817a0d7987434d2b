"""The name and version that a wheel or sdist states about itself.

Enters: a path to an archive that may be hostile. Leaves: `Metadata`. Format of the fields:
https://packaging.python.org/en/latest/specifications/core-metadata/
"""

import re
from pathlib import Path

from sealwright.files.distribution import MetadataError
from sealwright.model.artifact import ArtifactKind, ArtifactName
from sealwright.model.ordinary_names import canonical_project
from sealwright.model.record import Record

# A field name, a colon, and a value without the bare carriage return that other readers end a line at.
_FIELD = re.compile(r"([!-9;-~]+):([^\r]*)")


class Metadata(Record):
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
    from packaging.version import Version

    fields: dict[str, list[str]] = {"name": [], "version": []}
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MetadataError("its metadata is not UTF-8") from error
    key = ""
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line:
            break  # the description follows
        if line[0] in " \t":  # a continuation (RFC 5322, 2.2.3), which a name or a version cannot have
            if key in fields:
                raise MetadataError(f"its field {key} is folded")
            continue
        match = _FIELD.fullmatch(line)
        if not match:
            raise MetadataError("its metadata has a line that is no field")
        key = match[1].lower()
        if key in fields:
            fields[key].append(match[2].strip())
    names, versions = fields["name"], fields["version"]
    if len(names) != 1 or len(versions) != 1:
        raise MetadataError("its metadata does not state Name and Version exactly once")
    try:
        canonical = str(Version(versions[0]))
    except ValueError as error:  # no version, or more digits than int() takes
        raise MetadataError(f"its version {versions[0][:80]!r} is not PEP 440") from error
    if canonical != versions[0]:
        raise MetadataError(f"its version is spelled {versions[0]!r}, not {canonical!r}")
    try:
        return Metadata(canonical_project(names[0]), canonical)
    except ValueError as error:
        raise MetadataError(f"its name {names[0]!r} is not PEP 508") from error

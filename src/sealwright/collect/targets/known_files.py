"""The wheels and sdists in a folder that are to be installed, by project, version and SHA-256.

Enters: a folder that a person named. Leaves: `KnownFiles`. Files that are neither are passed over; none is
opened but to be hashed.
"""

import os
from pathlib import Path

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import digest_descriptor
from sealwright.files.reading import UnfitFileError, open_regular, reason
from sealwright.model.artifact import (
    MAX_ARTIFACT_BYTES,
    ArtifactKind,
    ArtifactName,
    ArtifactNameError,
    parse_artifact_name,
)
from sealwright.model.known_files import KnownFiles
from sealwright.model.version_order import Order, read_order

_MAX_FILES = 20_000
_HINT = "Name a folder of wheels and sdists, as pip download makes."


def read_known_files(folder: Path) -> KnownFiles:
    """Hash every wheel and sdist of a folder. Raises UsageError, UndecidedError."""
    artifacts = [artifact for name in sorted(_names(folder)) if (artifact := _parse(name)) is not None]
    if not artifacts:
        raise UsageError(f"{folder} holds no wheel and no sdist", _HINT)
    if len(artifacts) > _MAX_FILES:
        raise UsageError(f"{folder} holds more than {_MAX_FILES:,} wheels and sdists", _HINT)
    found: dict[tuple[str, Order], set[str]] = {}
    for artifact in artifacts:
        order = read_order(str(artifact.version))
        if order is not None:
            found.setdefault((artifact.project, order), set()).add(_digest(folder / artifact.file))
    return KnownFiles(str(folder), {key: frozenset(digests) for key, digests in found.items()})


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{folder} is not a folder", _HINT) from error
    except OSError as error:
        raise UndecidedError(f"{folder} cannot be read: {reason(error)}") from error


def _parse(name: str) -> ArtifactName | None:
    try:
        artifact = parse_artifact_name(name)
    except ArtifactNameError:
        return None
    return None if artifact.kind is ArtifactKind.SBOM else artifact


def _digest(path: Path) -> str:
    try:
        source = open_regular(path)
        try:
            return digest_descriptor(source, MAX_ARTIFACT_BYTES).sha256
        finally:
            os.close(source)
    except (UnfitFileError, ValueError) as error:
        raise UsageError(f"{path} is {error}", _HINT) from error
    except OSError as error:
        raise UndecidedError(f"{path} cannot be read: {reason(error)}") from error

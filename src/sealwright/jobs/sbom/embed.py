"""Put an SBOM into a wheel, where PEP 770 wants it.

Enters: a wheel, and either a finished SBOM or what is needed to make one. Leaves: a wheel with it, whole or not at all.
Doing it again with the same answers gives the same bytes. https://peps.python.org/pep-0770/
"""

import os
from pathlib import Path
from typing import NamedTuple

from sealwright.collect.contents.sbom_reading import MAX_SBOM_BYTES, NoSbomError, read_sbom
from sealwright.collect.contents.wheel_nested import OWN_NAME
from sealwright.errors import UndecidedError, UsageError
from sealwright.files.distribution import MetadataError
from sealwright.files.reading import read_named, reason
from sealwright.files.record import check_record
from sealwright.files.wheel_writing import add_member
from sealwright.files.writing import copy_whole
from sealwright.jobs.sbom.request import SbomRequest, work_folder
from sealwright.jobs.sbom.sbom import build_sbom
from sealwright.jobs.sbom.wheel import take_in_wheel
from sealwright.model.artifact import MAX_ARTIFACT_BYTES


class Embedded(NamedTuple):
    """Where the wheel is, its hex SHA-256, and what the SBOM could not know."""

    path: Path
    sha256: str
    unknown: tuple[str, ...]


def embed_sbom(asked: SbomRequest, *, finished: Path | None, output: Path | None) -> Embedded:
    """Write the wheel `asked.path` with its SBOM to `output`, or replace it.

    Raises UsageError for a wheel or an SBOM that is none, UndecidedError if something cannot be read or written.
    """
    target = output or asked.path
    if target.name != asked.path.name:
        raise UsageError(f"{target} is another name than {asked.path.name}", "Write it to another folder instead.")
    unknown: tuple[str, ...] = ()
    if finished is None:
        made = build_sbom(asked, embedded=True)
        content, unknown = made.content, made.inventory.unknown
    else:
        content = _read_finished(finished)
    with work_folder() as folder:
        _, artifact = take_in_wheel(asked.path, folder)
        result = folder / "embedded"
        result.mkdir()
        try:
            path = result / asked.path.name
            add_member(folder / asked.path.name, artifact, f"sboms/{OWN_NAME}", content, path)
            check_record(path, artifact)
            source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                digest = copy_whole(source, target, MAX_ARTIFACT_BYTES)
            finally:
                os.close(source)
        except MetadataError as error:
            raise UsageError(f"{asked.path}: {error}", "Build it again with a current build tool.") from error
        except OSError as error:
            raise UndecidedError(f"{target} cannot be written: {reason(error)}") from error
    return Embedded(target, digest.sha256, unknown)


def _read_finished(path: Path) -> bytes:
    """Read an SBOM that was made before; one that breaks its schema is refused."""
    content = read_named(path, MAX_SBOM_BYTES, "the SBOM")
    try:
        facts = read_sbom(content)
    except NoSbomError as error:
        raise UsageError(f"{path} is {error}", "sealwright sbom makes one.") from error
    if not facts.format.startswith("CycloneDX"):
        raise UsageError(f"{path} is {facts.format}, not CycloneDX", "sealwright sbom makes one.")
    if facts.faults:
        raise UsageError(f"{path} is not valid: {facts.faults[0]}", "sealwright sbom check FILE names every fault.")
    return content

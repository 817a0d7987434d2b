"""The SBOM that is released with the artifacts: a finished one, or one that is made of a lock, without a network.

Enters: the artifacts, and a file that the user names. Leaves: the artifacts with the SBOM among them. Resolves nothing
and opens no connection, because the job that signs must not: what a lock does not say is not in its SBOM. The same lock
gives the same bytes.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sealwright.collect.artifacts import Build, BuiltArtifact
from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import Digest, digest_bytes
from sealwright.files.private import base_for, private_folder
from sealwright.files.reading import read_named, reason
from sealwright.files.writing import write_whole
from sealwright.model.advisory import normalise
from sealwright.model.artifact import MAX_SBOM_BYTES, SBOM_SUFFIX, ArtifactKind, parse_artifact_name
from sealwright.model.component import Inventory
from sealwright.model.statement import MAX_STATEMENT_COMMAS

_PREFIX = "sealwright-seal-sbom-"
_LOCKS = ("uv.lock", ".toml", ".txt", ".in")


class SbomSource(NamedTuple):
    """What the user named: a CycloneDX document, or a lock. `epoch` is SOURCE_DATE_EPOCH in seconds, if it is set."""

    path: Path
    epoch: int | None = None


class Completed(NamedTuple):
    """The artifacts with the SBOM, and in sentences what a lock leaves open."""

    build: Build
    unknown: tuple[str, ...] = ()


@contextlib.contextmanager
def with_sbom(build: Build, source: SbomSource | None) -> Iterator[Completed]:
    """Add an SBOM to the artifacts, under the name that it is released with; a new one is there until the end.

    Raises UsageError for a second one, or a lock that cannot be read.
    """
    if source is None:
        yield Completed(build)
        return
    if any(artifact.name.kind is ArtifactKind.SBOM for artifact in build.artifacts):
        raise UsageError(
            f"the release has an SBOM already, so {source.path} would be a second one", "Leave --sbom out."
        )
    if not source.path.name.endswith(_LOCKS):
        content = read_named(source.path, MAX_SBOM_BYTES, "the SBOM")
        _refuse_sbom_of_other(build, source.path, content)
        yield Completed(_add(build, source.path, content))
        return
    content, unknown = _make(build, source)
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(private_folder(base_for(len(content)), _PREFIX))
            write_whole(folder / f"made{SBOM_SUFFIX}", content)
        except OSError as error:
            raise UndecidedError(f"there is no room for the SBOM: {reason(error)}") from error
        yield Completed(_add(build, folder / f"made{SBOM_SUFFIX}", content), unknown)


def _refuse_sbom_of_other(build: Build, path: Path, content: bytes) -> None:
    """A finished SBOM gets the name of this release, so it must say itself that it is of it. Raises UsageError."""
    from sealwright.collect.targets.cyclonedx import main_component
    from sealwright.files.strict_json import read_json
    from sealwright.model.version_order import read_order

    hint = "It must be CycloneDX JSON of this release: sealwright sbom WHEEL -o FILE makes one."
    try:
        document = read_json(content, MAX_STATEMENT_COMMAS)
    except ValueError as error:
        raise UsageError(f"the SBOM {path} cannot be read: {error}", hint) from error
    if not isinstance(document, dict) or document.get("bomFormat") != "CycloneDX":
        raise UsageError(f"the SBOM {path} is no CycloneDX document", hint)
    root = main_component(document) or {}
    name, version = (str(root.get(key) or "")[:200] for key in ("name", "version"))
    if normalise(name) != build.project or read_order(version) != read_order(build.version):
        of = f"{name} {version}".strip() or "nothing"
        raise UsageError(f"the SBOM {path} is that of {of}, not of {build.project} {build.version}", hint)


def _make(build: Build, source: SbomSource) -> tuple[bytes, tuple[str, ...]]:
    from sealwright.jobs.sbom.request import SbomRequest
    from sealwright.jobs.sbom.sbom import build_sbom

    asked = SbomRequest(
        source.path,
        project=build.project,
        version=build.version,
        artifacts=tuple(artifact.path for artifact in build.artifacts),
        offline=True,
        epoch=source.epoch,
    )
    made = build_sbom(asked)
    _refuse_other(source.path, made.inventory)
    if len(made.content) > MAX_SBOM_BYTES:
        raise UsageError(f"the SBOM of {source.path} would be larger than {MAX_SBOM_BYTES:,} bytes")
    return made.content, made.inventory.unknown


def _refuse_other(path: Path, inventory: Inventory) -> None:
    """A lock that lacks what the artifacts require is that of another project, or an old one. Raises UsageError."""
    from packaging.requirements import InvalidRequirement, Requirement

    root, there = inventory.root, {package.name: package.version for package in inventory.packages}
    for text in root.metadata.requires:
        try:
            wanted = Requirement(text)
            needed = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
            name = normalise(wanted.name)
            fits = name == root.name or (
                name in there and (not there[name] or wanted.specifier.contains(there[name], prereleases=True))
            )
        except (InvalidRequirement, ValueError, KeyError, RecursionError) as error:
            raise UsageError(f"{root.name} requires {text[:100]!r}, which cannot be read", "Build it again.") from error
        if needed and not fits:
            has = f"has {name} {there[name]}" if name in there else f"does not have {name}"
            raise UsageError(
                f"{root.name} {root.version} requires {text[:100]}, and {path} {has}",
                "It is the lock of another project, or an old one: lock this version, then seal.",
            )


def _add(build: Build, path: Path, content: bytes) -> Build:
    name = f"{build.project.replace('-', '_')}-{build.version}{SBOM_SUFFIX}"
    added = BuiltArtifact(parse_artifact_name(name), path, Digest(digest_bytes(content), len(content)))
    return build._replace(artifacts=(*build.artifacts, added))

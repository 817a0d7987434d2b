"""A wheel or an sdist: itself, and what its metadata says that it depends on.

Enters: its path. Leaves: `Dependencies`. Nothing is unpacked, built or resolved, so a dependency that is not pinned
in the metadata is not audited: which version a user will get is not known here.
"""

from pathlib import Path

from sealwright.collect.targets.declared_dependencies import read_declared
from sealwright.errors import UsageError
from sealwright.files.distribution import MetadataError, SecondDistributionError
from sealwright.model.artifact import ArtifactKind, ArtifactNameError, parse_artifact_name
from sealwright.model.dependency import Dependencies, Dependency, Product
from sealwright.model.version_order import read_order

_MAX_REQUIREMENTS = 10_000
_DYNAMIC = "they are only known once it is built: its metadata is older than 2.2, or calls Requires-Dist dynamic"


def collect_archive(path: Path) -> Dependencies:
    """Read a wheel or an sdist. Raises UsageError if it is none."""
    try:
        artifact = parse_artifact_name(path.name)
        if artifact.kind is ArtifactKind.WHEEL:
            from sealwright.files.wheel import read_wheel_metadata

            content = read_wheel_metadata(path, artifact)
        else:
            from sealwright.files.sdist import read_sdist_metadata

            content = read_sdist_metadata(path, artifact)
        stated = read_declared(content)
    except SecondDistributionError as error:  # the advisories about it would not be asked for
        both = Dependency(artifact.project, str(artifact.version), str(path), 0, str(error))
        return Dependencies(artifact.kind.value, str(path), (both,), Product(both.name, both.version))
    except (ArtifactNameError, MetadataError, ValueError) as error:
        raise UsageError(f"{path} cannot be audited: {error}", "Build it again.") from error
    if stated.name != artifact.project:
        raise UsageError(f"{path} states the name {stated.name} inside", "Build it again.")
    if read_order(stated.version) != read_order(str(artifact.version)):  # which of the two is meant, nobody knows
        raise UsageError(f"{path} states the version {stated.version} inside", "Build it again.")
    itself = Dependency(stated.name, stated.version, str(path))
    requires = [_requirement(text, str(path)) for text in stated.requires[:_MAX_REQUIREMENTS]]
    if artifact.kind is ArtifactKind.SDIST and not stated.final:
        requires.append(Dependency("its dependencies", "", str(path), 0, _DYNAMIC))
    if len(stated.requires) > _MAX_REQUIREMENTS:
        requires.append(Dependency("the rest", "", str(path), 0, f"more than {_MAX_REQUIREMENTS:,} requirements"))
    return Dependencies(artifact.kind.value, str(path), (itself, *requires), Product(stated.name, stated.version))


def _requirement(text: str, file: str) -> Dependency:
    from sealwright.collect.targets.requirement_syntax import read_requirement

    found = read_requirement(text)
    return Dependency(found.name, found.version, file, 0, found.problem, found.marker)

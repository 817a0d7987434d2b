"""A wheel or an sdist: itself, and what its metadata says that it depends on.

Enters: its path. Leaves: `Dependencies`. Nothing is unpacked, built or resolved, so a dependency that is not pinned
in the metadata is not audited: which version a user will get is not known here. Of an sdist,
its pyproject.toml is read, too.
"""

from pathlib import Path

from sealwright.collect.targets.declared_dependencies import Stated, read_declared
from sealwright.errors import UsageError
from sealwright.files.distribution import MetadataError, SecondDistributionError
from sealwright.model.advisory import normalise
from sealwright.model.artifact import ArtifactKind, ArtifactNameError, parse_artifact_name
from sealwright.model.dependency import Dependencies, Dependency, Product
from sealwright.model.version_order import read_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

_MAX_REQUIREMENTS = 10_000
_TOO_MANY = f"more than {_MAX_REQUIREMENTS:,} requirements"
_PKG_INFO, _PYPROJECT = "PKG-INFO", "pyproject.toml"
_UNREADABLE = "its pyproject.toml cannot be read"
_DYNAMIC = "they are only known once it is built: its metadata is older than 2.2, or calls Requires-Dist dynamic"


def collect_archive(path: Path) -> Dependencies:
    """Read a wheel or an sdist. Raises UsageError if it is none."""
    project = b""
    try:
        artifact = parse_artifact_name(path.name)
        if artifact.kind is ArtifactKind.WHEEL:
            from sealwright.files.wheel import read_wheel_metadata

            content = read_wheel_metadata(path, artifact)
        else:
            from sealwright.files.sdist import read_sdist_files

            files = read_sdist_files(path, artifact, _PYPROJECT)
            content, project = files[_PKG_INFO], files.get(_PYPROJECT, b"")
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
    requires += _beside(project, stated, str(path))
    if artifact.kind is ArtifactKind.SDIST and not stated.final:
        requires.append(Dependency("its dependencies", "", str(path), 0, _DYNAMIC))
    if len(stated.requires) > _MAX_REQUIREMENTS:
        requires.append(Dependency("the rest", "", str(path), 0, _TOO_MANY))
    return Dependencies(artifact.kind.value, str(path), (itself, *requires), Product(stated.name, stated.version))


def _requirement(text: str, file: str) -> Dependency:
    from sealwright.collect.targets.requirement_syntax import read_requirement

    found = read_requirement(text)
    return Dependency(found.name, found.version, file, 0, found.problem, found.marker)


def _beside(project: bytes, stated: Stated, file: str) -> list[Dependency]:
    """What an sdist's pyproject.toml requires, and its PKG-INFO does not state: builds and uv take it from there.

    https://packaging.python.org/en/latest/specifications/pyproject-toml/#dependencies-optional-dependencies
    """
    import tomllib

    try:
        table = tomllib.loads(project.decode("utf-8")).get("project", {})
        lists = [table.get("dependencies", []), *table.get("optional-dependencies", {}).values()]
        if not all(isinstance(each, list) for each in lists):
            raise TypeError
    except (ValueError, TypeError, AttributeError, RecursionError):
        return [Dependency("its dependencies", "", file, 0, _UNREADABLE)]
    known = {_meaning(text) for text in stated.requires}
    texts = dict.fromkeys(str(text) for each in lists for text in each)
    more = [text for text in texts if (meaning := _meaning(text)) not in known and meaning[0] != stated.name]
    found = [_requirement(text, file) for text in more[:_MAX_REQUIREMENTS]]
    return found + [Dependency("the rest", "", file, 0, _TOO_MANY)] * (len(more) > _MAX_REQUIREMENTS)


def _meaning(text: str) -> tuple[str, "SpecifierSet | str", str]:
    """The project, the conditions and the address of a requirement, whatever its extras and its marker are."""
    from packaging.requirements import Requirement

    try:
        found = Requirement(text)
        hash(found.specifier)  # which reads the numbers of its versions, and Python reads none of thousands of digits
    except ValueError:
        return "", text, ""
    return normalise(found.name), found.specifier, found.url or ""

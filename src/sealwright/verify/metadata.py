"""What an artifact says about itself, held against its file name and the version that was asked for.

Enters: artifacts whose bytes a signer of the policy has vouched for. Leaves: checks. A renamed old wheel, a
second spelling of the version, or a package of another project fails here.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.errors import ExitCode
from sealwright.files.distribution import MetadataError
from sealwright.files.metadata import read_metadata
from sealwright.files.wheel_tags import WheelTags, read_wheel_tags
from sealwright.model.artifact import MAX_SBOM_BYTES, ArtifactKind, ArtifactName
from sealwright.model.release import ReleaseFile
from sealwright.model.verdict import Check, Outcome

if TYPE_CHECKING:
    from packaging.version import Version

_TAGS_CLAUSE = "docs/formats.md#inside-an-artifact"
_CLAUSE = "https://packaging.python.org/en/latest/specifications/core-metadata/"


def check_metadata(file: ReleaseFile, artifact: ArtifactName, project: str, version: "Version") -> Check:
    """Read METADATA or PKG-INFO of one artifact and compare project, version and its spelling."""
    expected = f"{project} {version}"
    if artifact.kind is ArtifactKind.SBOM:
        return Check(
            "artifact.metadata",
            file.name,
            Outcome.NOT_CHECKED,
            expected,
            "an SBOM is only bound by its name",
            _CLAUSE,
            ExitCode.TAMPERED,
        )
    try:
        found = read_metadata(Path(file.path), artifact)
    except MetadataError as error:
        return _failed(file.name, expected, str(error))
    if found.project != project or found.version != str(version):
        return _failed(file.name, expected, f"{found.project} {found.version}")
    return Check("artifact.metadata", file.name, Outcome.PASS, expected, expected, _CLAUSE, ExitCode.TAMPERED)


def check_name(file: ReleaseFile, artifact: ArtifactName, project: str, version: "Version | None") -> list[Check]:
    """Compare what only a name says, which too few have signed, with what stands inside; of an sdist, nothing is left.

    A wheel's name says its tags and its build number, an SBOM's of what it is.
    """
    match artifact.kind:
        case ArtifactKind.WHEEL:
            return _check_tags(file, artifact)
        case ArtifactKind.SBOM:
            return [_check_root(file, project, str(version))]
        case ArtifactKind.SDIST:
            return []


def _check_root(file: ReleaseFile, project: str, version: str) -> Check:
    """https://cyclonedx.org/docs/1.6/json/#metadata_component"""
    from sealwright.files.reading import read_bounded
    from sealwright.files.strict_json import read_json
    from sealwright.model.statement import MAX_STATEMENT_COMMAS
    from sealwright.verify.sbom import root_problem

    expected = f"an SBOM of {project} {version}"
    try:
        document = read_json(file.content or read_bounded(Path(file.path), MAX_SBOM_BYTES), MAX_STATEMENT_COMMAS)
        problem = root_problem(document, project, version)
    except (OSError, ValueError) as error:
        problem = f"it cannot be read: {error}"
    if problem:
        return _failed(file.name, expected, problem)
    return Check("artifact.metadata", file.name, Outcome.PASS, expected, expected, _TAGS_CLAUSE, ExitCode.TAMPERED)


def _check_tags(file: ReleaseFile, artifact: ArtifactName) -> list[Check]:
    """https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-contents"""
    expected = "a name with the tags that the wheel states inside"
    try:
        problem = _tags_problem(read_wheel_tags(Path(file.path), artifact), file.name)
    except MetadataError as error:
        problem = str(error)
    outcome, hint = (Outcome.FAIL, "It was renamed. Do not install it.") if problem else (Outcome.PASS, "")
    got, tampered = problem or "the same tags", ExitCode.TAMPERED
    return [Check("artifact.tags", file.name, outcome, expected, got, _TAGS_CLAUSE, tampered, hint)]


def _tags_problem(stated: WheelTags, name: str) -> str:
    from packaging.tags import parse_tag

    *_, python, abi, platform = parts = name.removesuffix(".whl").split("-")
    named = parse_tag(f"{python}-{abi}-{platform}")
    inside = {str(tag) for text in stated.tags for tag in parse_tag(text)}
    if {str(tag) for tag in named} != inside:
        return f"inside it is {', '.join(sorted(stated.tags))[:200] or 'without tags'}"
    given = parts[2] if len(parts) == 6 else ""  # NAME-VERSION-BUILD-PYTHON-ABI-PLATFORM
    return "" if given == stated.build else f"inside its build number is {stated.build[:50] or 'missing'}"


def _failed(name: str, expected: str, got: str) -> Check:
    hint = "The file is not what its name says. Do not install it."
    return Check("artifact.metadata", name, Outcome.FAIL, expected, got, _CLAUSE, ExitCode.TAMPERED, hint)

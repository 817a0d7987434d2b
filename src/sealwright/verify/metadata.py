"""What an artifact says about itself, held against its file name and the version that was asked for.

Enters: artifacts whose bytes a signer of the policy has vouched for. Leaves: checks. A renamed old wheel, a
second spelling of the version, or a package of another project fails here.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.errors import ExitCode
from sealwright.files.distribution import MetadataError
from sealwright.files.metadata import read_metadata
from sealwright.model.artifact import ArtifactKind, ArtifactName
from sealwright.model.release import ReleaseFile
from sealwright.model.verdict import Check, Outcome

if TYPE_CHECKING:
    from packaging.version import Version

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


def _failed(name: str, expected: str, got: str) -> Check:
    hint = "The file is not what its name says. Do not install it."
    return Check("artifact.metadata", name, Outcome.FAIL, expected, got, _CLAUSE, ExitCode.TAMPERED, hint)

"""What a release says that it is, by the names of its files: one project, one version, and those that were asked for.

Enters: a `Release`, the lines of its SHA256SUMS, the policy. Leaves: checks, and the names taken apart. Opens nothing:
what the artifacts say inside is held against this elsewhere (sealwright.verify.metadata).
"""

from typing import TYPE_CHECKING

from sealwright.errors import ExitCode
from sealwright.model.artifact import ArtifactName, ArtifactNameError, looks_released, parse_artifact_name
from sealwright.model.policy import Policy
from sealwright.model.release import Release
from sealwright.model.verdict import Check, Outcome
from sealwright.verify.checksums import ChecksumLine

if TYPE_CHECKING:
    from packaging.version import Version

_POLICY, _FORMATS = "docs/policy.md", "docs/formats.md"


def read_names(release: Release, lines: tuple[ChecksumLine, ...]) -> tuple[tuple[ArtifactName, ...], list[Check]]:
    """Take apart the name of everything that is, or claims to be, an artifact: there, offered, or in SHA256SUMS."""
    names, checks = [], []
    offered = {left.name for left in release.fetched.left} if release.fetched else set()
    claimed = {line.name for line in lines} | {f.name for f in release.files if looks_released(f.name)}
    for file in sorted(claimed | offered):  # pip could take what was not fetched, and a .zip before what was verified
        try:
            names.append(parse_artifact_name(file))
        except ArtifactNameError as error:
            checks.append(
                _fail(
                    "release.name",
                    file,
                    "the name of a wheel, an sdist or an SBOM",
                    str(error),
                    _FORMATS,
                    ExitCode.TAMPERED,
                )
            )
    if all(release.is_left(name.file) for name in names):  # also if there are none: nothing was judged
        hint = "Is this the folder that you meant? It should hold a wheel or an sdist, as sealwright seal writes them."
        checks.append(
            _fail(
                "release.artifacts", release.folder, "at least one artifact", "none", _FORMATS, ExitCode.MISSING, hint
            )
        )
    return tuple(names), checks


def one_version(names: tuple[ArtifactName, ...]) -> "Version | None":
    """The one version of all names; two spellings of it (1.0 and 1.0.0) are two."""
    versions = {str(name.version): name.version for name in names}
    return next(iter(versions.values())) if len(versions) == 1 else None


def check_identity(
    names: tuple[ArtifactName, ...], policy: Policy, wanted: "Version | None", version: "Version | None"
) -> list[Check]:
    """The names agree with the policy's project, with each other, and with the version that was asked for."""
    checks = [
        _fail("release.project", name.file, policy.project, name.project, _POLICY, ExitCode.TAMPERED)
        for name in names
        if name.project != policy.project
    ]
    if names and version is None:
        got = ", ".join(sorted({str(name.version) for name in names}))
        checks.append(_fail("release.version", "artifacts", "one version", got, _POLICY, ExitCode.TAMPERED))
    if wanted is not None and version is not None:
        # Version == Version, never a specifier: `==1.0` would contain 1.0+evil.
        made = _pass if version == wanted else _fail
        expected, got = f"version {wanted}, as asked for", f"this is version {version}"
        hint = f"Ask for {version} if you mean it, or get {wanted} and verify that."
        checks.append(made("release.version", "artifacts", expected, got, _POLICY, ExitCode.TAMPERED, hint))
    return checks


def _pass(check_id: str, subject: str, expected: str, got: str, clause: str, costs: ExitCode, hint: str = "") -> Check:
    return Check(check_id, subject, Outcome.PASS, expected, got, clause, costs)


def _fail(check_id: str, subject: str, expected: str, got: str, clause: str, costs: ExitCode, hint: str = "") -> Check:
    return Check(check_id, subject, Outcome.FAIL, expected, got, clause, costs, hint)

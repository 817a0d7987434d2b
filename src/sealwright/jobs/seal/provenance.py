"""SLSA provenance of a build: the statement that `seal` signs, and the same one by itself, unsigned.

Enters: artifacts and the facts of a build. Leaves: a statement. What speaks against the build is written into it only
if the user has asked for that by name; otherwise there is no statement.
"""

from collections.abc import Callable
from pathlib import Path

from sealwright.attest.provenance import build_provenance
from sealwright.collect.artifacts import collect_artifacts
from sealwright.errors import UsageError
from sealwright.files.digest import Progress, no_progress
from sealwright.jobs.seal.sbom import SbomSource, with_sbom
from sealwright.model.buildfacts import BuildFacts
from sealwright.model.policy import Template
from sealwright.model.statement import Statement, Subject

CollectFacts = Callable[[str], BuildFacts]
"""Collects the facts of the build, given the tag that it should be of."""


def vouched_provenance(facts: BuildFacts, subjects: tuple[Subject, ...], *, allow_doubts: bool) -> Statement:
    """Return the provenance of these artifacts. Raises UsageError for a build that is in doubt, unless that may be."""
    if facts.doubts and not allow_doubts:
        raise UsageError(
            f"no provenance can be vouched for: {'; '.join(facts.doubts)}",
            "Build from a clean checkout of the tag, whose .gitignore names what no build packs. "
            "--allow-doubts writes it down instead, and the level is then 1.",
        )
    return build_provenance(facts, subjects)


def make_provenance(
    dist: Path, sbom: SbomSource | None, tag: Template, project: str, collect: CollectFacts, *, allow_doubts: bool,
    progress: Progress = no_progress,
) -> tuple[Statement, BuildFacts]:  # fmt: skip
    """Make the provenance of the artifacts of `dist`, which must be of that project (unless it is empty).

    Raises UsageError and UndecidedError.
    """
    built = collect_artifacts(dist, progress=progress)
    if project and built.project != project:
        raise UsageError(f"{dist} holds {built.project}, and the policy is that of {project}")
    with with_sbom(built, sbom) as (build, _):
        files = sorted((artifact.name.file, artifact.digest.sha256) for artifact in build.artifacts)
        facts = collect(tag.expand(built.version))
        if built.version not in tag.expand(built.version):
            facts = facts._replace(doubts=(*facts.doubts, f"the tag {tag.text} is not that of version {built.version}"))
        return vouched_provenance(facts, tuple(Subject(*file) for file in files), allow_doubts=allow_doubts), facts

"""SLSA provenance v1: how and from what the artifacts were built.

Enters: facts of a build. Leaves: a statement. It says what can be known, and no level: that is for whoever verifies
it to derive. https://slsa.dev/spec/v1.0/provenance
"""

from typing import Any

from sealwright.model.buildfacts import BuildFacts, GitHubRun, GitLabRun, Material
from sealwright.model.statement import (
    GITHUB_BUILD,
    LOCAL_BUILD,
    LOCAL_BUILDER,
    PROVENANCE,
    Statement,
    Subject,
    gitlab_build,
)


def build_provenance(facts: BuildFacts, subjects: tuple[Subject, ...]) -> Statement:
    """Return the provenance of these artifacts; docs/provenance.md describes the build types."""
    match facts.run:
        case GitHubRun():
            definition, builder, invocation = _github(facts, facts.run)
        case GitLabRun():
            definition, builder, invocation = _gitlab(facts, facts.run)
        case None:
            definition, builder, invocation = _local(facts)
    metadata = {"invocationId": invocation, "startedOn": facts.started, "finishedOn": facts.finished}
    details = {"builder": {"id": builder}, "metadata": {name: value for name, value in metadata.items() if value}}
    return Statement(subjects, PROVENANCE, {"buildDefinition": definition, "runDetails": details})


def _github(facts: BuildFacts, run: GitHubRun) -> tuple[dict[str, Any], str, str]:
    """Field for field what GitHub's own attestations hold (https://actions.github.io/buildtypes/workflow/v1)."""
    definition = {
        "buildType": GITHUB_BUILD,
        "externalParameters": {
            "workflow": {"ref": facts.ref, "repository": facts.repository, "path": run.workflow},
        },
        "internalParameters": {
            "github": {
                "event_name": run.event,
                "repository_id": run.repository_id,
                "repository_owner_id": run.owner_id,
                "runner_environment": run.runner,
            },
        }
        | _doubts(facts),
        "resolvedDependencies": _materials(facts),
    }
    return definition, run.builder, f"{facts.repository}/actions/runs/{run.run_id}/attempts/{run.attempt}"


def _gitlab(facts: BuildFacts, run: GitLabRun) -> tuple[dict[str, Any], str, str]:
    """The fields of GitLab's runner (https://docs.gitlab.com/ci/runners/configure_runners/#provenance-metadata-format).

    Besides: `ref`, and under `gitlab` what a certificate says as well. The executor, which no variable tells, and the
    variables, which may hold secrets, are left out.
    """
    stated = {"name": run.runner, "architecture": run.architecture}
    definition = {
        "buildType": gitlab_build(run.runner_version),
        "externalParameters": {"source": facts.repository, "entryPoint": run.job, "ref": facts.ref},
        "internalParameters": {
            "job": int(run.job_id) if run.job_id.isdecimal() and run.job_id.isascii() else run.job_id,
            "gitlab": {
                "pipeline_source": run.source,
                "project_id": run.project_id,
                "namespace_id": run.namespace_id,
            },
        }
        | {name: value for name, value in stated.items() if value}
        | _doubts(facts),
        "resolvedDependencies": _materials(facts),
    }
    return definition, run.builder, f"{facts.repository}/-/jobs/{run.job_id}"


def _local(facts: BuildFacts) -> tuple[dict[str, Any], str, str]:
    definition = {
        "buildType": LOCAL_BUILD,
        "externalParameters": {"repository": facts.repository, "ref": facts.ref},
        "internalParameters": _doubts(facts),
        "resolvedDependencies": _materials(facts),
    }
    return definition, LOCAL_BUILDER, ""


def _doubts(facts: BuildFacts) -> dict[str, list[str]]:
    return {"doubts": list(facts.doubts)} if facts.doubts else {}


def _materials(facts: BuildFacts) -> list[dict[str, Any]]:
    """The source first, then what else went in (SLSA: resolvedDependencies; in-toto: ResourceDescriptor)."""
    source = Material(f"git+{facts.repository}@{facts.ref}", (("gitCommit", facts.commit),))
    return [{"uri": each.uri, "digest": dict(each.digests)} for each in (source, *facts.materials)]

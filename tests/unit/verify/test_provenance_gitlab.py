"""Provenance of a GitLab job: held against the certificate that Fulcio gives to such a job, whatever it says of itself."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from support.attested import failed, replace_with, set_in, statements
from support.keyless import GITLAB_JOB as JOB
from support.keyless import GITLAB_PIPELINE as PIPELINE
from support.keyless import GITLAB_PROJECT as PROJECT
from support.keyless import ON_GITLAB, REQUIRING, WORKFLOW, Run, keyless_world
from support.world import World

from sealwright.errors import ExitCode, UsageError
from sealwright.model.verdict import Result, Verdict
from sealwright.sandbox.sigstore import GitLabClaims, Sigstore


@pytest.fixture(scope="module")
def template(running_all_along: Sigstore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    running_all_along.faults.clear()
    world = keyless_world(tmp_path_factory.mktemp("gitlab") / "world", running_all_along)
    world.policy.write_text(ON_GITLAB)
    assert Run(world, running_all_along, JOB).seal().verdict.result is Result.PASSED
    return world.folder


@pytest.fixture
def built(template: Path, tmp_path: Path) -> World:
    shutil.copytree(template, tmp_path / "world")
    return World(tmp_path / "world")


def test_the_provenance_of_a_gitlab_job(built: World) -> None:
    verdict = built.judge()
    assert (verdict.result, verdict.exit_code) == (Result.PASSED, ExitCode.DONE)
    shown = next(c.got for c in verdict.checks if c.id == "attestation.provenance" and "level" in c.got)
    assert f"commit {JOB.sha} of {PROJECT} at refs/tags/v1.2.3 by {JOB.identity}: level 2" in shown
    predicate = statements(built)["provenance"]["predicate"]
    assert predicate["buildDefinition"] == {
        "buildType": "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/v18.5.0/PROVENANCE.md",
        "externalParameters": {"source": PROJECT, "entryPoint": "release", "ref": "refs/tags/v1.2.3"},
        "internalParameters": {
            "job": 7000007,
            "gitlab": {"pipeline_source": "push", "project_id": "4000004", "namespace_id": "5000005"},
        },
        "resolvedDependencies": [
            {"uri": f"git+{PROJECT}@refs/tags/v1.2.3", "digest": {"gitCommit": JOB.sha}},
        ],
    }
    assert predicate["runDetails"] == {
        "builder": {"id": JOB.identity},
        "metadata": {"invocationId": f"{PROJECT}/-/jobs/7000007", "startedOn": "2026-11-24T11:58:00Z"},
    }


DEFINITION, DETAILS = ("predicate", "buildDefinition"), ("predicate", "runDetails")
OUTSIDE, INSIDE = (*DEFINITION, "externalParameters"), (*DEFINITION, "internalParameters")
RUNNER = "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/"
LIES: list[tuple[tuple[Any, ...], Any, str]] = [
    ((*OUTSIDE, "source"), "https://gitlab.com/g/other", "its repository"),
    ((*OUTSIDE, "source"), None, "does not say its repository"),
    ((*OUTSIDE, "ref"), "refs/heads/main", "its ref"),
    ((*OUTSIDE, "ref"), None, "does not say its ref"),
    ((*DEFINITION, "resolvedDependencies", 0, "digest", "gitCommit"), "f" * 40, "its commit"),
    ((*DEFINITION, "resolvedDependencies", 0, "uri"), f"git+{PROJECT}@refs/heads/main", "does not say its commit"),
    ((*DEFINITION, "resolvedDependencies"), None, "does not say its commit"),
    ((*DETAILS, "builder", "id"), f"{PROJECT}/-/runners/1", "its builder"),
    ((*DETAILS, "builder"), None, "its builder is None"),
    ((*DETAILS, "metadata", "invocationId"), f"{PROJECT}/-/jobs/1", "its invocation"),
    ((*DETAILS, "metadata"), None, "does not say its invocation"),
    ((*INSIDE, "job"), 1, "its job"),
    ((*INSIDE, "job"), {"id": 7000007}, "its job"),
    ((*INSIDE, "gitlab", "pipeline_source"), "merge_request_event", "its pipeline_source"),
    ((*INSIDE, "gitlab", "project_id"), "1", "its project_id"),
    ((*INSIDE, "gitlab", "namespace_id"), "1", "its namespace_id"),
    ((*INSIDE, "gitlab", "runner_environment"), "self-hosted", "its runner_environment"),
    ((*INSIDE, "gitlab", "ci_config_sha"), "f" * 40, "its ci_config_sha"),
    ((*INSIDE, "doubts"), ["dirty"], "shows level 1"),
    ((*DEFINITION, "buildType"), f"{RUNNER}v1/../../x/PROVENANCE.md", "no more than level 1"),
    ((*DEFINITION, "buildType"), f"{RUNNER}/PROVENANCE.md", "no more than level 1"),
    ((*DEFINITION, "buildType"), ["x"], "no more than level 1"),
    (("subject", 0), None, "not about"),
]


@pytest.mark.parametrize(("path", "value", "told"), LIES)
def test_a_lie_of_the_signer_is_a_failed_check(
    built: World, sigstore: Sigstore, path: tuple[Any, ...], value: Any, told: str
) -> None:
    replace_with(built, sigstore, "provenance", set_in(*path, value=value), claims=JOB)
    failed(built.judge(), "attestation.provenance", told)


def test_a_job_of_gitlab_does_not_pass_as_a_workflow_of_github(built: World, sigstore: Sigstore) -> None:
    """At level 1, too: every field can be made to agree, but for what a run is called."""
    built.policy.write_text(ON_GITLAB.replace("level = 2", "level = 1"))

    def as_github(statement: Any) -> None:
        definition = statement["predicate"]["buildDefinition"]
        definition["buildType"] = "https://actions.github.io/buildtypes/workflow/v1"
        definition["internalParameters"] = {}
        definition["externalParameters"] = {
            "workflow": {"repository": PROJECT, "ref": JOB.full_ref, "path": "/.gitlab-ci.yml"}
        }

    replace_with(built, sigstore, "provenance", as_github, claims=JOB)
    failed(built.judge(), "attestation.provenance", "is no run of GitHub")


def test_a_workflow_of_github_does_not_pass_as_a_job_of_gitlab(sigstore: Sigstore, tmp_path: Path) -> None:
    world = keyless_world(tmp_path / "world", sigstore)
    world.policy.write_text(REQUIRING.replace("level = 2", "level = 1"))
    Run(world, sigstore).seal()

    def as_gitlab(statement: Any) -> None:
        definition = statement["predicate"]["buildDefinition"]
        definition["buildType"] = f"{RUNNER}v18.5.0/PROVENANCE.md"
        definition["externalParameters"] = {"source": "https://github.com/o/r", "ref": WORKFLOW.ref, "entryPoint": "x"}
        definition["internalParameters"] = {}

    replace_with(world, sigstore, "provenance", as_gitlab)
    failed(world.judge(), "attestation.provenance", "is no run of GitLab")


def judged_at(world: World, sigstore: Sigstore, level: int, claims: GitLabClaims) -> Verdict:
    """Seal anew as `claims`, and judge by a policy that asks for a level."""
    shutil.rmtree(world.release)
    listed = ON_GITLAB.replace(PIPELINE, claims.identity.replace("1.2.3", "{version}"))
    world.policy.write_text(listed.replace("level = 2", "level = 1"))
    assert Run(world, sigstore, claims).seal().verdict.result is Result.PASSED
    world.policy.write_text(listed.replace("level = 2", f"level = {level}"))
    return world.judge()


def test_the_level_is_derived_from_the_certificate(built: World, sigstore: Sigstore) -> None:
    own = JOB._replace(runner_environment="self-hosted")
    failed(judged_at(built, sigstore, 2, own), "attestation.provenance", "shows level 1")
    failed(judged_at(built, sigstore, 3, JOB), "attestation.provenance", "shows level 2")


def test_no_pipeline_of_another_project_shows_level_3(built: World, sigstore: Sigstore) -> None:
    """What an included definition does is not isolated from the project, whose jobs can stand beside it."""
    other = JOB._replace(ci_config_ref_uri="gitlab.com/trusted/builders//build.yml@refs/tags/v1.2.3")
    assert judged_at(built, sigstore, 2, other).result is Result.PASSED
    failed(judged_at(built, sigstore, 3, other), "attestation.provenance", "shows level 2")


def test_another_pipeline_of_the_project_is_not_the_signer(built: World, sigstore: Sigstore) -> None:
    shutil.rmtree(built.release)
    with pytest.raises(UsageError, match=r"other\.yml"):
        Run(built, sigstore, JOB._replace(config="other.yml")).seal()
    with pytest.raises(UsageError, match="fork"):
        Run(built, sigstore, JOB._replace(project="evil/fork")).seal()

"""What a CI job says of itself in its environment: whose it is, which commit it has, when it was started.

Enters: the environment. Leaves: a `CiJob`, or None outside of one. All of it is a claim: anybody can set a variable.
The verifier holds it against the signing certificate.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sealwright.errors import UsageError
from sealwright.model.buildfacts import GitHubRun, GitLabRun

_GITHUB = {
    "event": "GITHUB_EVENT_NAME",
    "repository_id": "GITHUB_REPOSITORY_ID",
    "owner_id": "GITHUB_REPOSITORY_OWNER_ID",
    "runner": "RUNNER_ENVIRONMENT",
    "run_id": "GITHUB_RUN_ID",
    "attempt": "GITHUB_RUN_ATTEMPT",
}
_GITLAB = {
    "job": "CI_JOB_NAME",
    "source": "CI_PIPELINE_SOURCE",
    "project_id": "CI_PROJECT_ID",
    "namespace_id": "CI_PROJECT_NAMESPACE_ID",
    "job_id": "CI_JOB_ID",
    "runner_version": "CI_RUNNER_VERSION",
}


class CiJob(NamedTuple):
    """A job. `repository` is its https:// address, `started` a time as the platform writes it, or empty."""

    repository: str
    ref: str
    commit: str
    run: GitHubRun | GitLabRun
    started: str = ""


def read_ci_job(environment: Mapping[str, str], builder: str) -> CiJob | None:
    """Return the job that this environment is of. `builder` is the identity that it signs as.

    Raises UsageError for a job without its variables.
    """
    if environment.get("GITHUB_ACTIONS") == "true":
        return _github(environment, builder)
    return _gitlab(environment, builder) if environment.get("GITLAB_CI") == "true" else None


def _github(environment: Mapping[str, str], builder: str) -> CiJob:
    """https://docs.github.com/en/actions/reference/workflows-and-actions/variables. No variable tells the start."""
    asked = ("GITHUB_REPOSITORY", "GITHUB_REF", "GITHUB_SHA", "GITHUB_WORKFLOW_REF", *_GITHUB.values())
    _refuse_missing("GitHub", environment, asked, "Run it in a step of a workflow.")
    server = environment.get("GITHUB_SERVER_URL", "https://github.com")
    repository, ref = environment["GITHUB_REPOSITORY"], environment["GITHUB_REF"]
    path = environment["GITHUB_WORKFLOW_REF"].removeprefix(repository + "/").removesuffix("@" + ref)
    run = GitHubRun(workflow=path, builder=builder, **{field: environment[name] for field, name in _GITHUB.items()})
    return CiJob(f"{server}/{repository}", ref, environment["GITHUB_SHA"], run)


def _gitlab(environment: Mapping[str, str], builder: str) -> CiJob:
    """https://docs.gitlab.com/ci/variables/predefined_variables/. Of a merge request, only the branch is known."""
    asked = ("CI_PROJECT_URL", "CI_COMMIT_REF_NAME", "CI_COMMIT_SHA", *_GITLAB.values())
    _refuse_missing("GitLab", environment, asked, "Run it in a job of a pipeline, with a runner that is up to date.")
    tag = environment.get("CI_COMMIT_TAG")
    ref = f"refs/tags/{tag}" if tag else f"refs/heads/{environment['CI_COMMIT_REF_NAME']}"
    found = {field: environment[name] for field, name in _GITLAB.items()}
    architecture = environment.get("CI_RUNNER_EXECUTABLE_ARCH", "").rpartition("/")[2]
    runner = environment.get("CI_RUNNER_DESCRIPTION", "")
    run = GitLabRun(builder=builder, runner=runner, architecture=architecture, **found)
    repository, commit = environment["CI_PROJECT_URL"], environment["CI_COMMIT_SHA"]
    return CiJob(repository, ref, commit, run, environment.get("CI_JOB_STARTED_AT", ""))


def _refuse_missing(platform: str, environment: Mapping[str, str], asked: tuple[str, ...], hint: str) -> None:
    missing = [name for name in asked if not environment.get(name)]
    if missing:
        raise UsageError(f"this {platform} job has no {', '.join(missing)}", hint)

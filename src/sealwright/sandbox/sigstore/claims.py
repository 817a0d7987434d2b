"""What the token of a GitHub workflow or a GitLab job says, and what Fulcio makes of it. Pure: no clock, no network.

Enters: claims. Leaves: claims of a JWT, and the names and extensions of a certificate.
https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
GITLAB_ISSUER = "https://gitlab.com"
EMAIL_ISSUER = "https://accounts.example.invalid"
AUDIENCE = "sigstore"
_GITHUB = "https://github.com/"
_ARC = "1.3.6.1.4.1.57264.1."


class GitHubClaims(NamedTuple):
    """A run of a GitHub workflow. What is left empty follows from the rest, as it does for a workflow of one's own.

    https://docs.github.com/en/actions/reference/security/oidc
    """

    repository: str = "example/project"
    ref: str = "refs/tags/v1.2.3"
    sha: str = "0123456789abcdef0123456789abcdef01234567"
    workflow: str = ".github/workflows/release.yml"
    workflow_name: str = "release"
    event_name: str = "push"
    environment: str = ""
    runner_environment: str = "github-hosted"
    repository_id: str = "1000001"
    repository_owner_id: str = "2000002"
    repository_visibility: str = "public"
    run_id: str = "3000003"
    run_attempt: str = "1"
    job_workflow_ref: str = ""  # of a reusable workflow: OWNER/REPO/PATH@REF
    job_workflow_sha: str = ""
    issuer: str = GITHUB_ISSUER

    @property
    def workflow_ref(self) -> str:
        """The workflow that was started: OWNER/REPO/PATH@REF."""
        return f"{self.repository}/{self.workflow}@{self.ref}"

    @property
    def identity(self) -> str:
        """The subject alternative name that the certificate will have."""
        return _GITHUB + (self.job_workflow_ref or self.workflow_ref)

    def as_jwt(self) -> dict[str, Any]:
        """The claims of the token, without audience and times."""
        claims = self._asdict() | {
            "iss": self.issuer,
            "workflow": self.workflow_name,
            "workflow_ref": self.workflow_ref,
            "workflow_sha": self.sha,
            "job_workflow_ref": self.job_workflow_ref or self.workflow_ref,
            "job_workflow_sha": self.job_workflow_sha or self.sha,
            "repository_owner": self.repository.partition("/")[0],
            "actor": self.repository.partition("/")[0],
            "base_ref": "",
            "head_ref": "",
            "ref_protected": "true",
            "ref_type": "tag" if self.ref.startswith("refs/tags/") else "branch",
            "sub": f"repo:{self.repository}:"
            + (f"environment:{self.environment}" if self.environment else f"ref:{self.ref}"),
        }
        for name in ("issuer", "workflow_name") + (() if self.environment else ("environment",)):
            del claims[name]
        return claims

    def as_environment(self) -> dict[str, str]:
        """The variables that a job finds, but for those of the token. Build facts are read from these."""
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": _GITHUB.rstrip("/"),
            "GITHUB_REPOSITORY": self.repository,
            "GITHUB_REPOSITORY_ID": self.repository_id,
            "GITHUB_REPOSITORY_OWNER": self.repository.partition("/")[0],
            "GITHUB_REPOSITORY_OWNER_ID": self.repository_owner_id,
            "GITHUB_REF": self.ref,
            "GITHUB_REF_NAME": self.ref.removeprefix("refs/tags/").removeprefix("refs/heads/"),
            "GITHUB_REF_TYPE": "tag" if self.ref.startswith("refs/tags/") else "branch",
            "GITHUB_SHA": self.sha,
            "GITHUB_WORKFLOW": self.workflow_name,
            "GITHUB_WORKFLOW_REF": self.workflow_ref,
            "GITHUB_WORKFLOW_SHA": self.sha,
            "GITHUB_EVENT_NAME": self.event_name,
            "GITHUB_RUN_ID": self.run_id,
            "GITHUB_RUN_ATTEMPT": self.run_attempt,
            "RUNNER_ENVIRONMENT": self.runner_environment,
        }


class GitLabClaims(NamedTuple):
    """A job of a GitLab pipeline. What is left empty follows from the rest.

    https://docs.gitlab.com/ci/secrets/id_token_authentication/
    """

    project: str = "example/project"
    ref: str = "v1.2.3"
    ref_type: str = "tag"
    sha: str = "0123456789abcdef0123456789abcdef01234567"
    config: str = ".gitlab-ci.yml"
    job_name: str = "release"
    pipeline_source: str = "push"
    runner_environment: str = "gitlab-hosted"
    project_id: str = "4000004"
    namespace_id: str = "5000005"
    visibility: str = "public"
    pipeline_id: str = "6000006"
    job_id: str = "7000007"
    started: str = "2026-11-24T11:58:00Z"
    runner_version: str = "18.5.0"
    ci_config_ref_uri: str = ""  # of a pipeline that another project defines: HOST/PROJECT//PATH@REF
    ci_config_sha: str = ""
    issuer: str = GITLAB_ISSUER

    @property
    def full_ref(self) -> str:
        """The whole git reference."""
        return f"refs/{'tags' if self.ref_type == 'tag' else 'heads'}/{self.ref}"

    @property
    def config_ref_uri(self) -> str:
        """The definition of the pipeline: HOST/PROJECT//PATH@REF."""
        host = self.issuer.removeprefix("https://")
        return self.ci_config_ref_uri or f"{host}/{self.project}//{self.config}@{self.full_ref}"

    @property
    def identity(self) -> str:
        """The subject alternative name that the certificate will have."""
        return f"https://{self.config_ref_uri}"

    @property
    def url(self) -> str:
        """The project's address."""
        return f"{self.issuer}/{self.project}"

    def as_jwt(self) -> dict[str, Any]:
        """The claims of the token, without audience and times."""
        return {
            "iss": self.issuer,
            "sub": f"project_path:{self.project}:ref_type:{self.ref_type}:ref:{self.ref}",
            "namespace_id": self.namespace_id,
            "namespace_path": self.project.rpartition("/")[0],
            "project_id": self.project_id,
            "project_path": self.project,
            "project_visibility": self.visibility,
            "pipeline_id": self.pipeline_id,
            "pipeline_source": self.pipeline_source,
            "job_id": self.job_id,
            "ref": self.ref,
            "ref_type": self.ref_type,
            "ref_path": self.full_ref,
            "ref_protected": "true",
            "runner_id": 1,
            "runner_environment": self.runner_environment,
            "sha": self.sha,
            "ci_config_ref_uri": self.config_ref_uri,
            "ci_config_sha": self.ci_config_sha or self.sha,
        }

    def as_environment(self) -> dict[str, str]:
        """The variables that a job finds (https://docs.gitlab.com/ci/variables/predefined_variables/)."""
        by_type = {"CI_COMMIT_TAG": self.ref} if self.ref_type == "tag" else {"CI_COMMIT_BRANCH": self.ref}
        return by_type | {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_SERVER_URL": self.issuer,
            "CI_PROJECT_URL": self.url,
            "CI_PROJECT_PATH": self.project,
            "CI_PROJECT_ID": self.project_id,
            "CI_PROJECT_NAMESPACE_ID": self.namespace_id,
            "CI_COMMIT_SHA": self.sha,
            "CI_COMMIT_REF_NAME": self.ref,
            "CI_CONFIG_PATH": self.config,
            "CI_PIPELINE_ID": self.pipeline_id,
            "CI_PIPELINE_SOURCE": self.pipeline_source,
            "CI_JOB_ID": self.job_id,
            "CI_JOB_NAME": self.job_name,
            "CI_JOB_STARTED_AT": self.started,
            "CI_RUNNER_VERSION": self.runner_version,
            "CI_RUNNER_DESCRIPTION": "1-blue.saas-linux-small-amd64.runners-manager.gitlab.com/default",
            "CI_RUNNER_EXECUTABLE_ARCH": "linux/amd64",
        }


class Subject(NamedTuple):
    """Whom a certificate is for: a URI or an e-mail address; extensions by OID, the old ones raw, the others text."""

    name: str
    is_uri: bool
    raw: Mapping[str, str]
    text: Mapping[str, str]


ReadSubject = Callable[[Mapping[str, Any]], Subject]
"""Maps the claims of one kind of token to a certificate. Raises ValueError if one is missing."""


def read_github_subject(claims: Mapping[str, Any]) -> Subject:
    """Map the claims of a GitHub token to a certificate. Raises ValueError if one is missing."""

    claim = _reader(claims)
    repository = _GITHUB + claim("repository")
    raw = ("iss", "event_name", "sha", "workflow", "repository", "ref")
    text = {
        "8": claim("iss"),
        "9": _GITHUB + claim("job_workflow_ref"),
        "10": claim("job_workflow_sha"),
        "11": claim("runner_environment"),
        "12": repository,
        "13": claim("sha"),
        "14": claim("ref"),
        "15": claim("repository_id"),
        "16": _GITHUB + claim("repository_owner"),
        "17": claim("repository_owner_id"),
        "18": _GITHUB + claim("workflow_ref"),
        "19": claim("workflow_sha"),
        "20": claim("event_name"),
        "21": f"{repository}/actions/runs/{claim('run_id')}/attempts/{claim('run_attempt')}",
        "22": claim("repository_visibility"),
    }
    return Subject(
        _GITHUB + claim("job_workflow_ref"),
        True,
        {_ARC + str(number): claim(name) for number, name in enumerate(raw, start=1)},
        {_ARC + number: value for number, value in text.items()},
    )


def read_gitlab_subject(claims: Mapping[str, Any]) -> Subject:
    """Map the claims of a GitLab token to a certificate. Raises ValueError if one is missing."""
    claim = _reader(claims)
    server, config = claim("iss"), f"https://{claim('ci_config_ref_uri')}"
    project = f"{server}/{claim('project_path')}"
    text = {
        "8": server,
        "9": config,
        "10": claim("ci_config_sha"),
        "11": claim("runner_environment"),
        "12": project,
        "13": claim("sha"),
        "14": f"refs/{'heads' if claim('ref_type') == 'branch' else 'tags'}/{claim('ref')}",
        "15": claim("project_id"),
        "16": f"{server}/{claim('namespace_path')}",
        "17": claim("namespace_id"),
        "18": config,
        "19": claim("ci_config_sha"),
        "20": claim("pipeline_source"),
        "21": f"{project}/-/jobs/{claim('job_id')}",
        "22": claim("project_visibility"),
    }
    return Subject(config, True, {_ARC + "1": server}, {_ARC + number: value for number, value in text.items()})


def _reader(claims: Mapping[str, Any]) -> Callable[[str], str]:
    def claim(name: str) -> str:
        value = claims.get(name)
        if not isinstance(value, str) or not value:
            raise ValueError(f"the token has no claim {name}")
        return value

    return claim


def read_email_subject(claims: Mapping[str, Any]) -> Subject:
    """Map the claims of an e-mail token to a certificate. Raises ValueError if the address is not a verified one."""
    email, issuer = claims.get("email"), claims.get("iss")
    if not isinstance(email, str) or not email.isascii() or email.count("@") != 1 or not isinstance(issuer, str):
        raise ValueError("the token has no e-mail address")
    if claims.get("email_verified") is not True:
        raise ValueError("the token's e-mail address is not verified")
    return Subject(email, False, {_ARC + "1": issuer}, {_ARC + "8": issuer})

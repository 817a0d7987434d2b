"""What a GitHub workflow's token says, and what Fulcio makes of it. Pure: no keys, no clock, no network.

Enters: claims. Leaves: claims of a JWT, and the names and extensions of a certificate.
https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
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


class Subject(NamedTuple):
    """Whom a certificate is for: a URI or an e-mail address; extensions by OID, the old ones raw, the others text."""

    name: str
    is_uri: bool
    raw: Mapping[str, str]
    text: Mapping[str, str]


def read_github_subject(claims: Mapping[str, Any]) -> Subject:
    """Map the claims of a GitHub token to a certificate. Raises ValueError if one is missing."""

    def claim(name: str) -> str:
        value = claims.get(name)
        if not isinstance(value, str) or not value:
            raise ValueError(f"the token has no claim {name}")
        return value

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


def read_email_subject(claims: Mapping[str, Any]) -> Subject:
    """Map the claims of an e-mail token to a certificate. Raises ValueError if the address is not a verified one."""
    email, issuer = claims.get("email"), claims.get("iss")
    if not isinstance(email, str) or not email.isascii() or email.count("@") != 1 or not isinstance(issuer, str):
        raise ValueError("the token has no e-mail address")
    if claims.get("email_verified") is not True:
        raise ValueError("the token's e-mail address is not verified")
    return Subject(email, False, {_ARC + "1": issuer}, {_ARC + "8": issuer})

"""What is known of a build: where its source is, which commit, who ran it.

Enters: nothing. Leaves: `BuildFacts`, collected by sealwright.collect.built.build_facts and written down by
sealwright.attest.provenance. All of it is a claim of who built, until a certificate says the same.
"""

from typing import NamedTuple


class Material(NamedTuple):
    """Something that went into a build: a URI and its digests, by algorithm."""

    uri: str
    digests: tuple[tuple[str, str], ...]


class GitHubRun(NamedTuple):
    """A run of a GitHub workflow; the identifiers are the numbers that GitHub gives.

    `workflow` is the path of the workflow file in the repository, `builder` the URI of the workflow whose job this is
    (https://github.com/OWNER/REPO/PATH@REF), which is another one if it is a reusable workflow.
    """

    workflow: str
    builder: str
    event: str
    repository_id: str
    owner_id: str
    runner: str
    run_id: str
    attempt: str


class GitLabRun(NamedTuple):
    """A job of a GitLab pipeline; the identifiers are the numbers that GitLab gives.

    `job` is the name of the job, `builder` the URI of the pipeline's definition (https://HOST/PROJECT//PATH@REF).
    `runner` and `architecture` are what the runner says of itself; no certificate says it, too.
    """

    job: str
    builder: str
    source: str
    project_id: str
    namespace_id: str
    job_id: str
    runner_version: str
    runner: str = ""
    architecture: str = ""


class BuildFacts(NamedTuple):
    """One build. `repository` is an https:// URL, `commit` a git object id in hex, `ref` a full git reference or empty.

    `run` is None for a build on somebody's own machine. `doubts` say what speaks against it: changes that are in no
    commit, or no tag. `started` and `finished` are times in UTC (RFC 3339), or empty.
    """

    repository: str
    ref: str
    commit: str
    run: GitHubRun | GitLabRun | None
    materials: tuple[Material, ...] = ()
    doubts: tuple[str, ...] = ()
    started: str = ""
    finished: str = ""

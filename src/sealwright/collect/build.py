"""What is known of the build at hand: from the CI job's environment, and from git.

Enters: the environment and the folder of the project, as arguments. Leaves: `BuildFacts`. Runs git only to read; builds
nothing. All of it is what the job says of itself: the verifier holds it against the signing certificate.
"""

import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from sealwright.collect.project import collect_project
from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import digest_bytes
from sealwright.files.reading import read_bounded
from sealwright.model.buildfacts import BuildFacts, GitHubRun, Material

_LOCKS = ("pylock.toml", "uv.lock", "poetry.lock", "pdm.lock", "requirements.txt")
_MAX_LOCK_BYTES = 64 * 1024 * 1024
_GITHUB = {
    "event": "GITHUB_EVENT_NAME",
    "repository_id": "GITHUB_REPOSITORY_ID",
    "owner_id": "GITHUB_REPOSITORY_OWNER_ID",
    "runner": "RUNNER_ENVIRONMENT",
    "run_id": "GITHUB_RUN_ID",
    "attempt": "GITHUB_RUN_ATTEMPT",
}


def collect_build(environment: Mapping[str, str], folder: Path, tag: str, builder: str, now: datetime) -> BuildFacts:
    """Collect the facts of a build of the project in `folder`, which should be of the tag `tag`; `now` is in UTC.

    `builder` is the identity that this job signs as: only its token names a reusable workflow.

    Raises UsageError where nothing can be known: no git, no commit, a CI job without its variables.
    """
    run = _github_run(environment, builder) if environment.get("GITHUB_ACTIONS") == "true" else None
    if run is not None:
        server = environment.get("GITHUB_SERVER_URL", "https://github.com")
        repository, ref = f"{server}/{environment['GITHUB_REPOSITORY']}", environment["GITHUB_REF"]
        commit = environment["GITHUB_SHA"]
    else:
        repository, ref, commit = collect_project(folder).repository, _tag_ref(folder, tag), _commit(folder)
    if not repository:
        raise UsageError(
            f"nothing says where the repository of {folder.resolve()} is",
            "Add a git remote, or a URL to pyproject.toml.",
        )
    doubts = _doubts(folder, ref, tag, commit)
    finished = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    return BuildFacts(repository, ref, commit, run, _locks(folder), doubts, finished=finished)


def _github_run(environment: Mapping[str, str], builder: str) -> GitHubRun:
    """https://docs.github.com/en/actions/reference/workflows-and-actions/variables."""
    asked = ("GITHUB_REPOSITORY", "GITHUB_REF", "GITHUB_SHA", "GITHUB_WORKFLOW_REF", *_GITHUB.values())
    missing = [name for name in asked if not environment.get(name)]
    if missing:
        raise UsageError(f"this GitHub job has no {', '.join(missing)}", "Run it in a step of a workflow.")
    started = environment["GITHUB_WORKFLOW_REF"]
    path = started.removeprefix(environment["GITHUB_REPOSITORY"] + "/").removesuffix("@" + environment["GITHUB_REF"])
    found = {field: environment[name] for field, name in _GITHUB.items()}
    return GitHubRun(workflow=path, builder=builder, **found)


def _doubts(folder: Path, ref: str, tag: str, commit: str) -> tuple[str, ...]:
    """What a statement must not be silent about: SLSA asks for a source that others can fetch."""
    doubts = []
    there = _git(folder, "rev-parse", "HEAD")
    if there is None:
        doubts.append("no git checkout was at hand to compare with")
    elif there != commit:
        doubts.append(f"the checkout is at {there[:40]}")
    if _git(folder, "status", "--porcelain", "--untracked-files=no"):
        doubts.append("the checkout has changes that are in no commit")
    if ref != f"refs/tags/{tag}":
        doubts.append(f"it was not built from the tag {tag}")
    return tuple(doubts)


def _tag_ref(folder: Path, tag: str) -> str:
    """The tag, if HEAD is its commit; else the branch, or nothing."""
    if _git(folder, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}") == _commit(folder):
        return f"refs/tags/{tag}"
    return _git(folder, "symbolic-ref", "--quiet", "HEAD") or ""


def _commit(folder: Path) -> str:
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if not commit:
        raise UsageError(
            f"{folder.resolve()} is no git checkout with a commit, so nothing says what was built",
            "Run this in the checkout that was built.",
        )
    return commit


def _git(folder: Path, *arguments: str) -> str | None:
    """Ask git, which runs no hook for any of this; None if it says no."""
    command = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    except FileNotFoundError:
        return None
    except (OSError, subprocess.SubprocessError) as error:
        raise UndecidedError(f"git does not answer: {type(error).__name__}") from error
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


def _locks(folder: Path) -> tuple[Material, ...]:
    """The lock files beside the project, by digest: what the build could choose from."""
    found = []
    for name in _LOCKS:
        try:
            content = read_bounded(folder / name, _MAX_LOCK_BYTES)
        except OSError:
            continue
        found.append(Material(f"file:{name}", (("sha256", digest_bytes(content)),)))
    return tuple(found)

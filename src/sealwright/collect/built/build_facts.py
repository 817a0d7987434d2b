"""What is known of the build at hand: from the CI job's environment, and from git.

Enters: the environment and the folder of the project, as arguments. Leaves: `BuildFacts`. Runs git only to read; builds
nothing, and runs nothing that the checkout names. All of it is what the job says of itself: the verifier holds it
against the signing certificate.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sealwright.collect.built.build_requirements import collect_build_requirements
from sealwright.collect.built.ci_job import read_ci_job
from sealwright.collect.built.git_asking import ask_git
from sealwright.collect.built.project import collect_project
from sealwright.collect.built.working_tree import find_changes
from sealwright.errors import UsageError
from sealwright.files.digest import digest_bytes
from sealwright.files.reading import read_bounded
from sealwright.model.buildfacts import BuildFacts, Material

_LOCKS = ("pylock.toml", "uv.lock", "poetry.lock", "pdm.lock", "requirements.txt")
_MAX_LOCK_BYTES = 64 * 1024 * 1024


def collect_build(
    environment: Mapping[str, str], folder: Path, tag: str, builder: str, now: datetime, *, started: str = "",
    requirements: Path | None = None, own: tuple[Path, ...] = (),
) -> BuildFacts:  # fmt: skip
    """Collect the facts of a build of the project in `folder`, which should be of the tag `tag`; `now` is in UTC.

    `builder` is the identity that this job signs as: only its token names a reusable workflow. `started` is when the
    build began (RFC 3339), if the job does not say it itself; `requirements` tells what it was made with. `own` are
    files and folders of the command, such as dist/, that may be in no commit.

    Raises UsageError where nothing can be known: no git, no commit, a CI job without its variables.
    """
    job = read_ci_job(environment, builder)
    if job is not None:
        repository, ref, commit = job.repository, job.ref, job.commit
    else:
        repository, ref, commit = collect_project(folder).repository, _tag_ref(folder, tag), _commit(folder)
    if not repository:
        raise UsageError(
            f"nothing says where the repository of {folder.resolve()} is",
            "git remote add origin https://HOST/PATH, or in pyproject.toml, under [project.urls]: "
            'Repository = "https://HOST/PATH".',
        )
    doubts = _doubts(folder, ref, tag, commit, (*own, *((requirements,) if requirements else ())))
    built_with = collect_build_requirements(requirements, folder) if requirements else ()
    materials = tuple(dict.fromkeys((*_locks(folder), *built_with)))
    begun = _started(started or (job.started if job else ""), now)
    return BuildFacts(repository, ref, commit, job.run if job else None, materials, doubts, begun, _written(now))


def _started(text: str, now: datetime) -> str:
    """The start of the build in UTC, if anybody says it. It is nothing that could be worked out here."""
    if not text:
        return ""
    hint = "Write it as RFC 3339 does, with its zone: date -u +%Y-%m-%dT%H:%M:%SZ"
    try:
        begun = datetime.fromisoformat(text)
        if begun.tzinfo is None:
            raise ValueError("no zone")
        begun = begun.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text[:100]!r} is no time at which the build could have started", hint) from error
    if begun > now:
        raise UsageError(f"the build would have started at {_written(begun)}, after now ({_written(now)})", hint)
    return _written(begun)


def _written(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _doubts(folder: Path, ref: str, tag: str, commit: str, own: tuple[Path, ...]) -> tuple[str, ...]:
    """What a statement must not be silent about: SLSA asks for a source that others can fetch."""
    doubts = []
    there = ask_git(folder, "rev-parse", "HEAD")
    if there is None:
        doubts.append("no git checkout was at hand to compare with")
    elif there != commit:
        doubts.append(f"the checkout is at {there[:40]}")
    if there is not None:
        doubts += find_changes(folder, own)
    if ref != f"refs/tags/{tag}":
        doubts.append(f"it was not built from the tag {tag}")
    return tuple(doubts)


def _tag_ref(folder: Path, tag: str) -> str:
    """The tag, if HEAD is its commit; else the branch, or nothing."""
    if ask_git(folder, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}") == _commit(folder):
        return f"refs/tags/{tag}"
    return ask_git(folder, "symbolic-ref", "--quiet", "HEAD") or ""


def _commit(folder: Path) -> str:
    commit = ask_git(folder, "rev-parse", "--verify", "HEAD")
    if not commit:
        raise UsageError(
            f"{folder.resolve()} is no git checkout with a commit, so nothing says what was built",
            "Run this in the checkout that was built.",
        )
    return commit


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

"""What is known of a build: from git for real, and from the environment that a GitHub job has."""

import hashlib
import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.keyless import WORKFLOW

from sealwright.attest.provenance import build_provenance
from sealwright.collect.built.build_facts import collect_build
from sealwright.errors import SealwrightError, UsageError
from sealwright.model.statement import LOCAL_BUILDER, Subject
from sealwright.sandbox.sigstore import GitLabClaims

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
JOB = WORKFLOW.as_environment()


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=e@example.invalid", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "tiny-project"\nversion = "1.2.3"\n')
    (tmp_path / "uv.lock").write_text("version = 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    git(tmp_path, "remote", "add", "origin", "https://user:canary@github.com/o/r.git")
    return tmp_path


def test_a_clean_checkout_of_the_tag(checkout: Path) -> None:
    git(checkout, "tag", "v1.2.3")
    facts = collect_build({}, checkout, "v1.2.3", "someone@example.com", NOW)
    assert (facts.repository, facts.ref, facts.doubts) == ("https://github.com/o/r", "refs/tags/v1.2.3", ())
    assert facts.commit == git(checkout, "rev-parse", "HEAD")
    assert [material.uri for material in facts.materials] == ["file:uv.lock"]
    statement = build_provenance(facts, (Subject("a", "0" * 64),))
    assert statement.predicate["runDetails"]["builder"]["id"] == LOCAL_BUILDER
    assert statement.predicate["runDetails"]["metadata"] == {"finishedOn": "2026-11-24T12:00:00Z"}
    assert "canary" not in str(statement)


def test_an_annotated_tag_is_the_commit_that_it_points_to(checkout: Path) -> None:
    git(checkout, "tag", "-a", "-m", "release", "v1.2.3")
    assert collect_build({}, checkout, "v1.2.3", "", NOW).doubts == ()


def test_what_speaks_against_a_build_is_said(checkout: Path) -> None:
    untagged = collect_build({}, checkout, "v1.2.3", "", NOW)
    assert untagged.ref == "refs/heads/main"
    assert untagged.doubts == ("it was not built from the tag v1.2.3",)
    git(checkout, "tag", "v1.2.3")
    (checkout / "dist").mkdir()
    (checkout / "dist" / "x.whl").touch()
    assert collect_build({}, checkout, "v1.2.3", "", NOW, own=(checkout / "dist",)).doubts == ()
    (checkout / "uv.lock").write_text("changed")
    dirty = collect_build({}, checkout, "v1.2.3", "", NOW, own=(checkout / "dist",))
    assert dirty.doubts == ("the checkout has changes that are in no commit",)
    git(checkout, "commit", "-qam", "second")
    (moved,) = collect_build({}, checkout, "v1.2.3", "", NOW, own=(checkout / "dist",)).doubts
    assert moved == "it was not built from the tag v1.2.3"


def test_no_git_and_no_repository(tmp_path: Path, checkout: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "pyproject.toml").write_text('[project]\nname = "x"\n')
    git(empty, "init", "-q")
    with pytest.raises(UsageError, match="no git checkout with a commit"):
        collect_build({}, empty, "v1", "", NOW)
    git(checkout, "remote", "remove", "origin")
    with pytest.raises(UsageError, match="nothing says where the repository") as caught:
        collect_build({}, checkout, "v1.2.3", "", NOW)
    command, _, line = caught.value.hint.partition(", or in pyproject.toml, under [project.urls]: ")
    (checkout / "pyproject.toml").write_text(f'[project]\nname = "x"\n[project.urls]\n{line.rstrip(".")}\n')
    assert collect_build({}, checkout, "v1.2.3", "", NOW).repository == "https://HOST/PATH"
    (checkout / "pyproject.toml").write_text('[project]\nname = "x"\n')
    git(checkout, *command.removeprefix("git ").split())
    assert collect_build({}, checkout, "v1.2.3", "", NOW).repository == "https://HOST/PATH"


def test_a_github_job(checkout: Path) -> None:
    git(checkout, "tag", "v1.2.3")
    job = JOB | {"GITHUB_SHA": git(checkout, "rev-parse", "HEAD")}
    facts = collect_build(job, checkout, "v1.2.3", WORKFLOW.identity, NOW)
    assert facts.doubts == ()
    assert facts.run
    assert (facts.run.workflow, facts.run.builder) == (WORKFLOW.workflow, WORKFLOW.identity)
    predicate = build_provenance(facts, (Subject("a", "0" * 64),)).predicate
    assert predicate["buildDefinition"]["externalParameters"]["workflow"] == {
        "path": WORKFLOW.workflow, "ref": WORKFLOW.ref, "repository": "https://github.com/o/r",
    }  # fmt: skip
    assert (
        predicate["runDetails"]["metadata"]["invocationId"] == "https://github.com/o/r/actions/runs/3000003/attempts/1"
    )
    # slsa-verifier takes the first dependency for the source, and holds it against repository and ref of the workflow.
    source = {"uri": f"git+https://github.com/o/r@{WORKFLOW.ref}", "digest": {"gitCommit": job["GITHUB_SHA"]}}
    assert predicate["buildDefinition"]["resolvedDependencies"][0] == source
    other = collect_build(JOB, checkout, "v1.2.3", WORKFLOW.identity, NOW)
    assert "the checkout is at" in other.doubts[0]


def test_a_github_job_of_another_tag(checkout: Path) -> None:
    job = JOB | {"GITHUB_SHA": git(checkout, "rev-parse", "HEAD")}
    assert "not built from the tag v1.2.4" in collect_build(job, checkout, "v1.2.4", "", NOW).doubts[0]


@pytest.mark.parametrize("name", ["GITHUB_REPOSITORY", "GITHUB_SHA", "GITHUB_WORKFLOW_REF", "RUNNER_ENVIRONMENT"])
def test_a_github_job_without_its_variables(checkout: Path, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        collect_build(JOB | {name: ""}, checkout, "v1.2.3", "", NOW)


def test_a_hostile_checkout_runs_nothing(checkout: Path) -> None:
    """git's configuration may name programs to run; asking for the state of a checkout must not run them."""
    git(checkout, "config", "core.fsmonitor", "touch fsmonitor-ran; false")
    git(checkout, "config", "core.pager", "touch pager-ran; cat")
    collect_build({}, checkout, "v1.2.3", "", NOW)
    assert not list(checkout.glob("*-ran"))


GITLAB = GitLabClaims(project="g/p")


def test_no_hook_runs_where_the_index_is_refreshed(checkout: Path) -> None:
    """`git status` writes the index anew where a file's time has changed, and git then calls a hook."""
    hook, trace = checkout / ".git" / "hooks" / "post-index-change", checkout / "trace"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {trace}\n")
    hook.chmod(0o755)
    os.utime(checkout / "uv.lock", (1_000_000_000, 1_000_000_000))
    git(checkout, "-c", "core.hooksPath=/dev/null", "tag", "v1.2.3")
    assert collect_build({}, checkout, "v1.2.3", "", NOW).doubts == ()
    assert not trace.exists()


def test_a_gitlab_job(checkout: Path) -> None:
    git(checkout, "tag", "v1.2.3")
    job = GITLAB._replace(sha=git(checkout, "rev-parse", "HEAD"))
    facts = collect_build(job.as_environment(), checkout, "v1.2.3", job.identity, NOW)
    assert (facts.repository, facts.ref, facts.commit) == (job.url, "refs/tags/v1.2.3", job.sha)
    assert (facts.doubts, facts.started, facts.finished) == ((), "2026-11-24T11:58:00Z", "2026-11-24T12:00:00Z")
    internal = build_provenance(facts, (Subject("a", "0" * 64),)).predicate["buildDefinition"]["internalParameters"]
    assert internal["architecture"] == "amd64"
    assert str(internal["name"]).endswith(".gitlab.com/default")
    assert "executor" not in internal, "no variable tells it"


def test_a_gitlab_job_of_a_branch(checkout: Path) -> None:
    job = GITLAB._replace(ref="main", ref_type="branch", sha=git(checkout, "rev-parse", "HEAD"))
    facts = collect_build(job.as_environment(), checkout, "v1.2.3", job.identity, NOW)
    assert (facts.ref, facts.doubts) == ("refs/heads/main", ("it was not built from the tag v1.2.3",))


@pytest.mark.parametrize("name", ["CI_PROJECT_URL", "CI_COMMIT_SHA", "CI_JOB_ID", "CI_RUNNER_VERSION"])
def test_a_gitlab_job_without_its_variables(checkout: Path, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        collect_build(GITLAB.as_environment() | {name: ""}, checkout, "v1.2.3", "", NOW)


def test_the_start_of_a_build_is_what_somebody_says(checkout: Path) -> None:
    assert collect_build({}, checkout, "v1.2.3", "", NOW).started == ""
    said = collect_build({}, checkout, "v1.2.3", "", NOW, started="2026-11-24T12:30:00+01:00")
    assert said.started == "2026-11-24T11:30:00Z"
    predicate = build_provenance(said, (Subject("a", "0" * 64),)).predicate
    assert predicate["runDetails"]["metadata"] == {
        "startedOn": "2026-11-24T11:30:00Z", "finishedOn": "2026-11-24T12:00:00Z",
    }  # fmt: skip
    job = GITLAB.as_environment()
    told = collect_build(job, checkout, "v1.2.3", "", NOW, started="2026-11-24T10:00:00Z")
    assert told.started == "2026-11-24T10:00:00Z", "who built before this job knows better"
    for wrong in (
        "yesterday",
        "2026-11-24T11:30:00",
        "2026-11-24T12:00:01Z",
        "9999-12-31T23:59:59-14:00",
        "1700000000",
    ):
        with pytest.raises(UsageError):
            collect_build({}, checkout, "v1.2.3", "", NOW, started=wrong)


BACKEND = '[project]\nname = "tiny-project"\nversion = "1.2.3"\n[build-system]\nrequires = ["Hatchling>=1.27", "tomli; python_version<\'3\'"]\n'
A, B = "a" * 64, "b" * 64


def report(name: str, version: str, **info: Any) -> str:
    item = {
        "download_info": {"url": f"https://example.org/{name}.whl", "archive_info": {"hashes": {"sha256": A}}} | info,
        "is_direct": False, "metadata": {"metadata_version": "2.1", "name": name, "version": version},
    }  # fmt: skip
    return json.dumps({"version": "1", "environment": {}, "install": [item]})


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("report.json", report("hatchling", "1.27.0"), {"pkg:pypi/hatchling@1.27.0": A}),
        ("build.txt", f"hatchling==1.27.0 --hash=sha256:{A}\n", {"file:build.txt": "", "pkg:pypi/hatchling@1.27.0": A}),
        ("build.txt", f"hatchling==1.27.0 --hash=sha256:{A} --hash=sha256:{B}\n", {"file:build.txt": ""}),
    ],
)
def test_with_what_it_was_built(checkout: Path, name: str, content: str, expected: dict[str, str]) -> None:
    (checkout / "pyproject.toml").write_text(BACKEND)
    (checkout / name).write_text(content)
    facts = collect_build({}, checkout, "v1.2.3", "", NOW, requirements=checkout / name)
    found = {each.uri: dict(each.digests)["sha256"] for each in facts.materials if each.uri != "file:uv.lock"}
    whole = hashlib.sha256(content.encode()).hexdigest()
    assert found == {uri: digest or whole for uri, digest in expected.items()}


@pytest.mark.parametrize(("wheels", "known"), [(1, True), (2, False)])
def test_a_pylock_of_the_build_requirements(checkout: Path, wheels: int, known: bool) -> None:
    """Which of several wheels was used depends on the machine that built, and nobody knows that one here."""
    (checkout / "pyproject.toml").write_text(BACKEND)
    tags = ["py3-none-any", "py2.py3-none-any"][:wheels]
    listed = "".join(
        f'[[packages.wheels]]\nname = "hatchling-1.27.0-{tag}.whl"\nurl = "https://example.org/{tag}"\nhashes = {{sha256 = "{A}"}}\n'
        for tag in tags
    )
    text = f'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "hatchling"\nversion = "1.27.0"\n{listed}'
    (checkout / "pylock.build.toml").write_text(text)
    facts = collect_build({}, checkout, "v1.2.3", "", NOW, requirements=checkout / "pylock.build.toml")
    uris = [each.uri for each in facts.materials]
    assert "file:pylock.build.toml" in uris
    assert ("pkg:pypi/hatchling@1.27.0" in uris) is known


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("report.json", report("flit-core", "3.9.0"), "does not list it"),
        ("report.json", report("hatchling", "1.26.0"), "lists hatchling 1.26.0"),
        ("report.json", report("hatchling", "1.27.0", archive_info={}), "no SHA-256"),
        ("report.json", "{}", "no report"),
        ("build.txt", "hatchling==1.27.0\n", "no SHA-256"),
        ("build.txt", "hatchling>=1.27\n", "not pinned"),
        ("build.yml", "x", "nothing that tells build requirements"),
        ("gone.json", None, "does not exist"),
    ],
)
def test_what_does_not_tell_with_what_it_was_built(checkout: Path, name: str, content: str | None, told: str) -> None:
    (checkout / "pyproject.toml").write_text(BACKEND)
    if content is not None:
        (checkout / name).write_text(content)
    with pytest.raises(SealwrightError, match=told):
        collect_build({}, checkout, "v1.2.3", "", NOW, requirements=checkout / name)

"""What is known of a build: from git for real, and from the environment that a GitHub job has."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.keyless import WORKFLOW

from sealwright.attest.provenance import build_provenance
from sealwright.collect.build import collect_build
from sealwright.errors import UsageError
from sealwright.model.statement import LOCAL_BUILDER, Subject

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
    assert collect_build({}, checkout, "v1.2.3", "", NOW).doubts == (), "what git does not track is no change"
    (checkout / "uv.lock").write_text("changed")
    dirty = collect_build({}, checkout, "v1.2.3", "", NOW)
    assert dirty.doubts == ("the checkout has changes that are in no commit",)
    git(checkout, "commit", "-qam", "second")
    assert "not built from the tag" in collect_build({}, checkout, "v1.2.3", "", NOW).doubts[0]


def test_no_git_and_no_repository(tmp_path: Path, checkout: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "pyproject.toml").write_text('[project]\nname = "x"\n')
    git(empty, "init", "-q")
    with pytest.raises(UsageError, match="no git checkout with a commit"):
        collect_build({}, empty, "v1", "", NOW)
    git(checkout, "remote", "remove", "origin")
    with pytest.raises(UsageError, match="nothing says where the repository"):
        collect_build({}, checkout, "v1.2.3", "", NOW)


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

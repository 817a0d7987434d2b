"""`sealwright provenance` as a person and a CI job run it: what is said, what is refused, what is printed where."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.keyless import POLICY, WORKFLOW, keyless_world
from support.world import SDIST, WHEEL, World

from sealwright.sandbox.sigstore import GitLabClaims, Sigstore

OUTSIDE = {"GITHUB_ACTIONS": "", "GITLAB_CI": ""}
PYPROJECT = '[project]\nname = "tiny-project"\nversion = "1.2.3"\n[build-system]\nrequires = ["hatchling"]\n'


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=e@example.invalid", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def tagged(tmp_path: Path, sigstore: Sigstore) -> World:
    """A checkout of the tag, with dist/ and a policy in it."""
    world = keyless_world(tmp_path / "world", sigstore)
    (world.folder / "pyproject.toml").write_text(PYPROJECT)
    git(world.folder, "init", "-q", "-b", "main")
    (world.folder / ".gitignore").write_text("keys/\n*.json\n")
    git(world.folder, "add", "pyproject.toml", ".gitignore")
    git(world.folder, "commit", "-q", "-m", "first")
    git(world.folder, "tag", "v1.2.3")
    git(world.folder, "remote", "add", "origin", "https://github.com/o/r.git")
    return world


def provenance(world: World, *arguments: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    return world.run("sealwright", "provenance", *arguments, env=OUTSIDE | (env or {}))


def test_a_clean_build_of_the_tag(tagged: World) -> None:
    done = provenance(tagged, "dist/", "--build-started", "2024-01-02T03:04:05Z")
    assert (done.returncode, done.stderr) == (0, "")
    statement = json.loads(done.stdout)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert [subject["name"] for subject in statement["subject"]] == [WHEEL, SDIST]
    definition = statement["predicate"]["buildDefinition"]
    assert definition["externalParameters"] == {"repository": "https://github.com/o/r", "ref": "refs/tags/v1.2.3"}
    assert definition["resolvedDependencies"][0]["digest"] == {"gitCommit": git(tagged.folder, "rev-parse", "HEAD")}
    metadata = statement["predicate"]["runDetails"]["metadata"]
    assert metadata["startedOn"] == "2024-01-02T03:04:05Z"
    assert metadata["finishedOn"] > metadata["startedOn"]


def test_written_to_a_file_and_without_a_policy(tagged: World) -> None:
    (tagged.folder / "build.txt").write_text(f"hatchling==1.27.0 --hash=sha256:{'a' * 64}\n")
    tagged.policy.unlink()
    more = ("-o", "p.json", "--build-requirements", "build.txt")
    missing = provenance(tagged, *more)
    assert missing.returncode == 2
    assert "--tag TAG does without" in missing.stderr
    done = provenance(tagged, "--tag", "v1.2.3", *more)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "wrote p.json: 2 artifacts, not signed\n"
    dependencies = json.loads((tagged.folder / "p.json").read_text())["predicate"]["buildDefinition"][
        "resolvedDependencies"
    ]
    assert dependencies[-1] == {"uri": "pkg:pypi/hatchling@1.27.0", "digest": {"sha256": "a" * 64}}


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda world: (world.folder / "pyproject.toml").write_text(PYPROJECT + "# changed\n"), "in no commit"),
        (lambda world: (world.folder / "evil.py").touch(), "files that are in no commit: evil.py"),
        (lambda world: git(world.folder, "tag", "-d", "v1.2.3"), "not built from the tag v1.2.3"),
        (lambda world: git(world.folder, "tag", "-m", "x", "v1.2.4") + git(world.folder, "tag", "-d", "v1.2.3"), "not built from the tag v1.2.3"),
    ],
)  # fmt: skip
def test_a_build_in_doubt_is_refused_unless_asked_for_by_name(tagged: World, spoil: Any, told: str) -> None:
    spoil(tagged)
    refused = provenance(tagged)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert told in refused.stderr
    assert "--allow-doubts" in refused.stderr
    done = provenance(tagged, "--allow-doubts")
    assert done.returncode == 0
    assert told in done.stderr
    said = json.loads(done.stdout)["predicate"]["buildDefinition"]["internalParameters"]["doubts"]
    assert told in said[0]


def test_a_tag_that_is_not_the_version(tagged: World) -> None:
    git(tagged.folder, "tag", "v1.2.4")
    refused = provenance(tagged, "--tag", "v1.2.4")
    assert refused.returncode == 2
    assert "the tag v1.2.4 is not that of version 1.2.3" in refused.stderr


def test_the_same_facts_as_seal(tagged: World, sigstore: Sigstore) -> None:
    """A GitHub job: the builder is the one that its token names, and the statement the one that seal signs."""
    from support.attested import statements
    from support.keyless import REQUIRING

    job = WORKFLOW._replace(sha=git(tagged.folder, "rev-parse", "HEAD"))
    tagged.policy.write_text(REQUIRING)
    env = sigstore.github_environment(job)
    sigstore.write_trust_config(tagged.folder / "config.json")
    done = provenance(tagged, "dist", env=env)
    assert done.returncode == 0, done.stderr
    command = ("sealwright", "seal", "dist", "--trust-config", "config.json", "--yes")
    (tagged.folder / "evil.py").touch()
    refused = tagged.run(*command, env=OUTSIDE | env)
    assert refused.returncode == 2
    assert "files that are in no commit: evil.py" in refused.stderr
    (tagged.folder / "evil.py").unlink()
    sealed = tagged.run(*command, env=OUTSIDE | env)
    assert sealed.returncode == 0, sealed.stdout + sealed.stderr
    ours, signed = json.loads(done.stdout), statements(tagged)["provenance"]
    for each in (ours, signed):
        del each["predicate"]["runDetails"]["metadata"]["finishedOn"]
    assert ours == signed


def test_a_gitlab_job(tagged: World, sigstore: Sigstore) -> None:
    job = GitLabClaims(project="g/p", sha=git(tagged.folder, "rev-parse", "HEAD"))
    env = job.as_environment() | {"CI_JOB_STARTED_AT": "2024-01-02T03:04:05Z"}
    nobody = provenance(tagged, env=env)
    assert nobody.returncode == 2
    assert "nothing says who builds" in nobody.stderr
    done = provenance(tagged, env=env | {"SIGSTORE_ID_TOKEN": sigstore.gitlab_token(job)})
    assert done.returncode == 0, done.stderr
    predicate = json.loads(done.stdout)["predicate"]
    assert predicate["runDetails"]["builder"]["id"] == job.identity
    assert predicate["runDetails"]["metadata"]["startedOn"] == "2024-01-02T03:04:05Z"
    named = provenance(tagged, "--builder", job.identity, env=env)
    assert json.loads(named.stdout)["predicate"]["runDetails"]["builder"]["id"] == job.identity


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--builder", "https://example.org"), "outside of a CI job"),
        (("--tag", "v1.2.3", "--policy", "keys/policy.toml"), "leave one of them out"),
        (("nowhere",), "is not a folder"),
        (("--build-started", "yesterday"), "no time"),
        (("--sbom", "nothing.cdx.json"), "does not exist"),
    ],
)
def test_a_wrong_call(tagged: World, more: tuple[str, ...], told: str) -> None:
    done = provenance(tagged, *more)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_dist_of_another_project(tagged: World) -> None:
    tagged.policy.write_text(POLICY.replace('project = "tiny-project"', 'project = "other"'))
    assert "the policy is that of other" in provenance(tagged).stderr


def test_a_folder_that_is_no_checkout(tagged: World, tmp_path: Path) -> None:
    os.rename(tagged.folder / ".git", tmp_path / "away")
    assert "no git checkout with a commit" in provenance(tagged).stderr

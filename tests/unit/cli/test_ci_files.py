"""The ready-made CI jobs: what linters say of them, that what they call is there, and that a release comes out of them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.keyless import ON_GITLAB, REQUIRING, WORKFLOW
from support.loopback import Quiet, running
from support.world import SUMS, World

from sealwright.sandbox.sigstore import GitLabClaims, Sigstore

CI = Path(__file__).parents[3] / "docs" / "ci"
BIN = Path(sys.executable).parent
PYPROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "tiny-project"
version = "1.2.3"
[tool.hatch.build.targets.wheel]
include = ["tiny.py"]
[tool.hatch.build.targets.sdist]
include = ["tiny.py"]
"""


@pytest.mark.parametrize("file", sorted(path.name for path in CI.glob("*.github.yml")))
def test_zizmor_finds_nothing(tmp_path: Path, file: str) -> None:
    zizmor = BIN / "zizmor"
    if not zizmor.exists():
        pytest.skip("zizmor is not installed here")
    workflows = tmp_path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    shutil.copy(CI / file, workflows / file)
    command = [zizmor, "--offline", "--no-progress", "--persona", "pedantic", workflows / file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", ["remind.github.yml", "remind.gitlab-ci.yml"])
def test_the_options_they_use_are_there(file: str) -> None:
    from sealwright.cli.remind import command

    known = {option for parameter in command.params for option in parameter.opts}
    used = set(re.findall(r"--(?:within|format|notify|github-issue)\b", (CI / file).read_text()))
    assert used
    assert used <= known


def test_only_the_jobs_that_sign_and_upload_have_a_token() -> None:
    """What builds the project runs its code, and its dependencies': nothing there can sign, and nothing is written."""
    workflow = yaml.safe_load((CI / "release.github.yml").read_text())
    rights = {name: job["permissions"] for name, job in workflow["jobs"].items()}
    assert workflow["permissions"] == {}
    assert rights == {
        "build": {"contents": "read"},
        "seal": {"contents": "read", "id-token": "write"},
        "page": {"contents": "write"},
        "index": {"id-token": "write"},
    }
    pipeline = yaml.safe_load((CI / "release.gitlab-ci.yml").read_text())
    assert [name for name, job in pipeline.items() if "id_tokens" in job] == ["seal"]


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=e@example.invalid", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def tagged(folder: Path, policy: str, sigstore: Sigstore) -> Path:
    """A repository whose commit v1.2.3 has the project and its policy."""
    (folder / "keys").mkdir(parents=True)
    sigstore.write_trusted_root(folder / "keys" / "root.json")
    (folder / "keys" / "policy.toml").write_text(policy)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "tiny.py").write_text("")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "tag", "v1.2.3")
    return folder


def shell(script: str, folder: Path, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    clean = dict.fromkeys(("GITHUB_ACTIONS", "GITLAB_CI"), "")
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder, env=os.environ | clean | env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done


def sealwright_in(folder: Path, sigstore: Sigstore) -> Path:
    """The command as the job has installed it, but for the Sigstore that it signs with."""
    (folder / "venv" / "bin").mkdir(parents=True)
    sigstore.write_trust_config(folder / "sigstore.json")
    command = folder / "venv" / "bin" / "sealwright"
    command.write_text(f'#!/bin/sh\nexec "{BIN / "sealwright"}" "$@" --trust-config "{folder / "sigstore.json"}"\n')
    command.chmod(0o755)
    return command


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the build job of GitHub makes, word for word."""
    folder = tmp_path_factory.mktemp("build")
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "tiny.py").write_text("")
    index = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder / "wheels"), "hatchling"]
    if subprocess.run(index, capture_output=True, timeout=120, check=False).returncode:
        pytest.skip("no package index can be reached")
    script = yaml.safe_load((CI / "release.github.yml").read_text())["jobs"]["build"]["steps"][1]["run"]
    shell(script, folder, {"RUNNER_TEMP": str(folder / "temp")})
    return folder / "dist"


@pytest.mark.network
def test_github_releases_what_a_user_can_verify(dist: Path, tmp_path: Path, sigstore: Sigstore) -> None:
    jobs = yaml.safe_load((CI / "release.github.yml").read_text())["jobs"]
    checkout = tagged(tmp_path / "checkout", REQUIRING, sigstore)
    shutil.copytree(dist, checkout / "dist")
    sealwright_in(tmp_path / "temp", sigstore)
    env = sigstore.github_environment(WORKFLOW._replace(sha=git(checkout, "rev-parse", "HEAD")))
    (seal,) = [step for step in jobs["seal"]["steps"] if step.get("name", "").startswith("Seal")]
    done = shell(seal["run"], checkout, env | {"RUNNER_TEMP": str(tmp_path / "temp")})
    assert done.stdout.splitlines()[1].startswith("SEALED")
    # gh makes the release page: which files it is given, and for which tag, is all that can be seen here.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text('#!/bin/sh\nprintf "%s\\n" "$@" >said\n')
    (tmp_path / "bin" / "gh").chmod(0o755)
    (page,) = [step for step in jobs["page"]["steps"] if "run" in step]
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    shell(page["run"], checkout, {"GITHUB_REF_NAME": "v1.2.3", "GITHUB_REPOSITORY": "o/r", "PATH": path})
    said = (checkout / "said").read_text().splitlines()
    assert said[:3] == ["release", "create", "v1.2.3"]
    assert {"--verify-tag", "o/r"} < set(said)
    published = tmp_path / "published"
    published.mkdir()
    for name in (each for each in said if each.startswith("release/")):
        shutil.copy(checkout / name, published)
    assert verified(tmp_path, checkout, str(published)).returncode == 0
    (published / SUMS).unlink()
    assert verified(tmp_path, checkout, str(published)).returncode == 12


class _Registry(Quiet, BaseHTTPRequestHandler):
    """GitLab's generic packages: a file is put under its name, and read again (docs.gitlab.com/user/packages/generic_packages)."""

    protocol_version = "HTTP/1.1"
    files: dict[str, bytes]

    def do_PUT(self) -> None:
        if self.headers["JOB-TOKEN"] != "canary":
            self.send_error(401)
            return
        self.files[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        found = self.files.get(self.path)
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Length", str(len(found or b"")))
        self.end_headers()
        self.wfile.write(found or b"")


@pytest.fixture
def registry() -> Iterator[str]:
    with running(type("Handler", (_Registry,), {"files": {}})) as address:
        yield f"http://{address}/api/v4"


@pytest.mark.network
def test_gitlab_releases_what_a_user_can_verify(dist: Path, tmp_path: Path, sigstore: Sigstore, registry: str) -> None:
    jobs: dict[str, Any] = yaml.safe_load((CI / "release.gitlab-ci.yml").read_text())
    checkout = tagged(tmp_path / "checkout", ON_GITLAB, sigstore)
    shutil.copytree(dist, checkout / "dist")
    command = sealwright_in(tmp_path / "temp", sigstore)
    job = GitLabClaims(project="g/sub/p", ref="v1.2.3", sha=git(checkout, "rev-parse", "HEAD"))
    env = job.as_environment() | {"SIGSTORE_ID_TOKEN": sigstore.gitlab_token(job)}
    seal = jobs["seal"]["script"][-1].replace("/tmp/venv/bin/sealwright", str(command))
    assert "SEALED" in shell(seal, checkout, env).stdout
    env = {"CI_API_V4_URL": registry, "CI_PROJECT_ID": "7", "CI_PROJECT_NAME": "p", "CI_COMMIT_TAG": "v1.2.3"}
    shell(jobs["publish"]["script"][0], checkout, env | {"CI_JOB_TOKEN": "canary"})
    place = f"url:{registry}/projects/7/packages/generic/p/{{version}}/"
    assert verified(tmp_path, checkout, place).returncode == 0


def verified(folder: Path, checkout: Path, place: str) -> "subprocess.CompletedProcess[str]":
    """What an end user gets to hear who has the policy from elsewhere, and stands elsewhere."""
    shutil.copytree(checkout / "keys", folder / "trust", dirs_exist_ok=True)
    arguments = ("tiny-project==1.2.3", "--from", place, "--policy", "trust/policy.toml")
    done = World(folder).run("verify-release", *arguments)
    assert done.returncode in (0, 12), done.stdout + done.stderr
    return done

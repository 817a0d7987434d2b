"""Releases rebuilt for real, with git and hatchling: the same, different, and by those who would rather run something else."""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from support.archives import build, git, make_project, rewrite_sdist, rewrite_wheel
from support.keyless import REQUIRING, WORKFLOW, Run, keyless_world
from support.user_site import UserSite
from support.world import GPG, SDIST, VERSION, WHEEL, World, run

from sealwright.errors import ExitCode, UndecidedError, UsageError
from sealwright.jobs.reproduce import Reproduced, reproduce
from sealwright.jobs.reproduce_build import Recipe
from sealwright.model.reproduction import Origin, Outcome, Reproduction, Why
from sealwright.model.verdict import Result
from sealwright.render.reproduction import render_reproduction, render_reproduction_json
from sealwright.sandbox.sigstore import Sigstore
from sealwright.store.trust_folder import read_trust_folder

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "docs" / "reproduction.schema.json").read_text())
HOOKED = """
[tool.hatch.build.targets.sdist.hooks.custom]
path = "hook.py"
"""
HOOK = """from hatchling.builders.hooks.plugin.interface import BuildHookInterface
class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        import os, subprocess, sys, time
        {code}
"""


class Project:
    """A project in git, with the dist/ that it makes."""

    def __init__(self, folder: Path, **files: Any) -> None:
        self.source, self.dist = folder / "source", folder / "dist"
        self.commit = make_project(self.source, **files)

    def again(self, folder: Path | None = None, commit: str = "", source: str = "", **recipe: Any) -> Reproduction:
        path = os.environ["PATH"]
        made = Recipe(path, source or str(self.source), commit or self.commit, isolated=False, **recipe)
        done = reproduce(
            folder or self.dist, None, made, clock=lambda: datetime.now(UTC), gpg=GPG, say=lambda text: None
        )
        assert done.reproduction
        assert done.verdict is None
        check_rendered(done)
        return done.reproduction


def check_rendered(done: Reproduced) -> None:
    assert done.reproduction
    document = json.loads(render_reproduction_json(done.reproduction, done.verdict, int(done.reproduction.exit_code)))
    jsonschema_rs.validator_for(SCHEMA).validate(document)
    text = render_reproduction(done.reproduction, done.verdict)
    assert all(line.isprintable() for line in text.splitlines())


@pytest.fixture(scope="session")
def project_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    made = Project(folder)
    build(made.source, made.dist)
    return folder


@pytest.fixture
def project(project_template: Path, tmp_path: Path) -> Project:
    shutil.copytree(project_template, tmp_path / "project")
    made = Project.__new__(Project)
    made.source, made.dist = tmp_path / "project" / "source", tmp_path / "project" / "dist"
    made.commit = git(made.source, "rev-parse", "HEAD")
    return made


def hooked(folder: Path, code: str) -> Project:
    """A project whose build runs `code`, and a dist/ that is none of its making."""
    from support.archives import PYPROJECT

    made = Project(folder, files={"hook.py": HOOK.format(code=code)}, pyproject=PYPROJECT + HOOKED)
    made.dist.mkdir()
    (made.dist / SDIST).write_bytes(b"x")
    return made


def test_this_very_project(tmp_path: Path) -> None:
    """Issue 4, point 4: built twice, the same SHA-256, and `sealwright reproduce` says so."""
    source, dist = tmp_path / "source", tmp_path / "dist"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(source)], check=True, capture_output=True)
    commit = git(source, "rev-parse", "HEAD")
    build(source, dist)
    command = ["sealwright", "reproduce", str(dist), "--source", str(source), "--commit", commit, "--no-isolation"]
    done = run(*command, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    jsonschema_rs.validator_for(SCHEMA).validate(document)
    assert [artifact["outcome"] for artifact in document["artifacts"]] == ["same", "same"]
    assert all(a["released"]["sha256"] == a["rebuilt"]["sha256"] for a in document["artifacts"])
    assert {extra["origin"] for extra in document["notInSource"]} == {"metadata"}
    assert document["source"]["commitVouched"] is False
    assert "runs the project's code" in done.stderr


def test_the_same(project: Project) -> None:
    done = project.again()
    assert done.exit_code is ExitCode.DONE
    assert [artifact.outcome for artifact in done.artifacts] == [Outcome.SAME, Outcome.SAME]
    assert {(e.artifact, e.name.rpartition("/")[2], e.origin) for e in done.extras} == {
        (SDIST, "PKG-INFO", Origin.METADATA),
        *((WHEEL, name, Origin.METADATA) for name in ("METADATA", "WHEEL", "RECORD")),
    }
    text = render_reproduction(done, None)
    assert text.startswith("REPRODUCED")
    assert "NOT verified" in text
    assert "built with hatchling" in text


def test_planted_files_are_content_and_unexplained(project: Project) -> None:
    import tarfile
    import zipfile

    evil = b"import os\nos.system('evil')\n"
    rewrite_wheel(project.dist / WHEEL, lambda m: [*m, (zipfile.ZipInfo("tiny_project/e\x1b[31m.py"), evil)])
    rewrite_sdist(project.dist / SDIST, lambda m: [*m, (tarfile.TarInfo("tiny_project-1.2.3/evil.py"), b"2")])
    done = project.again()
    assert done.exit_code is ExitCode.TAMPERED
    found = {(d.member, d.why) for artifact in done.artifacts for d in artifact.differences}
    assert ("tiny_project/e\x1b[31m.py", Why.ONLY_RELEASED) in found
    assert ("tiny_project-1.2.3/evil.py", Why.ONLY_RELEASED) in found
    unexplained = {(e.artifact, e.name, e.source) for e in done.extras if e.origin is Origin.UNEXPLAINED}
    assert unexplained == {(WHEEL, "tiny_project/e\x1b[31m.py", "the sdist"), (SDIST, "evil.py", "the commit")}
    assert "\x1b" not in render_reproduction(done, None)


def test_only_another_time_is_an_anomaly(project: Project) -> None:
    done = project.again(epoch=1_600_000_000)
    assert done.exit_code is ExitCode.ANOMALY
    assert {d.why for artifact in done.artifacts for d in artifact.differences} == {Why.TIME}


def test_another_commit_is_another_content(project: Project) -> None:
    (project.source / "tiny_project" / "__init__.py").write_text("x = 2\n")
    git(project.source, "commit", "-qam", "second")
    done = project.again(commit=git(project.source, "rev-parse", "HEAD"), epoch=1_000_000_000)
    assert done.exit_code is ExitCode.TAMPERED
    diffs = {d.member: d.diff for d in done.artifacts[0].differences if d.why is Why.CONTENT}
    assert {"-x = 1", "+x = 2"} <= set(diffs["tiny_project/__init__.py"])


def test_what_the_build_makes_is_explained(tmp_path: Path) -> None:
    code = "open(os.path.join(self.root, 'tiny_project', 'made.py'), 'w').write('made = 1\\n')"
    made = hooked(tmp_path, code)
    (made.dist / SDIST).unlink()
    build(made.source, made.dist)
    git(made.source, "clean", "-qfdx")
    done = made.again()
    assert done.exit_code is ExitCode.DONE
    assert ("tiny_project/made.py", Origin.BUILD) in {(e.name, e.origin) for e in done.extras}


def test_where_a_user_has_installed_everything_for_himself(project: Project, tmp_path: Path) -> None:
    """`pip install --user sealwright`: neither `build` nor a backend lies anywhere else."""
    user = UserSite(tmp_path)
    command = ("reproduce", str(project.dist), "--source", str(project.source), "--commit", project.commit)
    done = user.run(*command, "--no-isolation")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wheel_of_another_platform_is_not_rebuilt(project: Project) -> None:
    (project.dist / WHEEL).rename(project.dist / WHEEL.replace("any", "win_amd64"))
    done = project.again()
    assert done.exit_code is ExitCode.UNDECIDED
    assert any("also made" in note for note in done.notes)


@pytest.mark.parametrize("what", ["link", "fifo", "folder", "zip", "nothing"])
def test_what_cannot_be_compared_is_never_passed_over(project: Project, tmp_path: Path, what: str) -> None:
    wheel = project.dist / WHEEL
    wheel.rename(tmp_path / WHEEL)
    match what:
        case "link":
            wheel.symlink_to(tmp_path / WHEEL)
        case "fifo":
            os.mkfifo(wheel)
        case "folder":
            wheel.mkdir()
        case "zip":
            (project.dist / "tiny_project-1.2.3.zip").write_bytes(b"x")
        case "nothing":
            (project.dist / SDIST).unlink()
    with pytest.raises((UndecidedError, UsageError)):
        project.again()


def test_an_unreadable_artifact_is_content(project: Project) -> None:
    (project.dist / WHEEL).write_bytes(b"PK")
    done = project.again()
    assert done.exit_code is ExitCode.TAMPERED
    assert "unfit" in done.artifacts[0].note


@pytest.mark.parametrize("commit", ["HEAD", "main", "abc123", "--upload-pack=touch x", "0" * 41])
def test_a_commit_is_a_full_id(project: Project, commit: str) -> None:
    with pytest.raises(UsageError, match="no full commit id"):
        project.again(commit=commit)


def test_a_commit_that_is_not_there(project: Project) -> None:
    with pytest.raises(UndecidedError, match="does not contain the commit"):
        project.again(commit="0" * 40)
    tree = git(project.source, "rev-parse", "HEAD^{tree}")
    with pytest.raises(UndecidedError, match="does not contain the commit"):
        project.again(commit=tree)


@pytest.mark.parametrize(
    "source", ["ext::sh -c 'touch canary'", "https://user:canary@example.com/r", "http://example.com/r", "-x", "git://h/r", "/nowhere"]
)  # fmt: skip
def test_sources_that_are_refused(project: Project, source: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        project.again(source=source)
    assert "user:canary" not in str(caught.value) + caught.value.hint
    assert not list(tmp_path.rglob("canary"))


def test_nothing_of_a_hostile_repository_runs_but_the_build(project: Project, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    hook = f"#!/bin/sh\ntouch {canary}\n"
    for name in ("post-checkout", "pre-commit", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"):
        path = project.source / ".git" / "hooks" / name
        path.write_text(hook)
        path.chmod(0o755)
    script = tmp_path / "script"
    script.write_text(hook)
    script.chmod(0o755)
    git(project.source, "config", "core.fsmonitor", str(script))
    git(project.source, "config", "uploadpack.packObjectsHook", str(script))
    git(project.source, "config", "core.sshCommand", str(script))
    git(project.source, "config", "filter.evil.smudge", str(script))
    (project.source / ".gitattributes").write_text("* filter=evil\n")
    git(project.source, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "add", ".gitattributes")
    git(project.source, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "commit", "-qm", "evil")
    canary.unlink(missing_ok=True)
    commit = git(project.source, "-c", "core.fsmonitor=false", "rev-parse", "HEAD")
    done = project.again(commit=commit)
    assert done.exit_code is ExitCode.TAMPERED  # .gitattributes is new in the sdist
    assert not canary.exists()


def test_submodules_are_said_and_not_fetched(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "other"
    make_project(other)
    git(project.source, "submodule", "--quiet", "add", str(other), "vendored")
    git(project.source, "commit", "-qm", "vendor")
    done = project.again(commit=git(project.source, "rev-parse", "HEAD"))
    assert "the submodule vendored was not fetched" in done.notes


def test_the_build_gets_no_secret_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_TOKEN", "canary-5a1")
    made = hooked(tmp_path, f"open({str(tmp_path / 'seen')!r}, 'w').write(repr(dict(os.environ)) + oct(os.umask(0)))")
    assert made.again().exit_code is ExitCode.TAMPERED
    seen = (tmp_path / "seen").read_text()
    assert "canary" not in seen
    assert seen.endswith("0o22")
    for expected in ("'TZ': 'UTC'", "'PYTHONHASHSEED': '0'", "'LC_ALL': 'C.UTF-8'", "'SOURCE_DATE_EPOCH': "):
        assert expected in seen
    assert str(Path.home()) + "'" not in seen.partition("'HOME': '")[2].split(",")[0]


def test_a_build_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(UndecidedError, match="wicked"):
        hooked(tmp_path, "raise SystemExit('wicked')").again()


def test_a_build_that_does_not_end_is_ended(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(UndecidedError, match="did not end within 8 seconds"):
        hooked(tmp_path, "time.sleep(3600)").again(seconds=8)
    assert time.monotonic() - started < 90


def test_a_process_that_stays_behind_does_not_hold_the_answer(tmp_path: Path) -> None:
    code = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(180)'], start_new_session=True)"
    started = time.monotonic()
    assert hooked(tmp_path, code).again().exit_code is ExitCode.TAMPERED
    assert time.monotonic() - started < 150


def test_a_build_that_talks_without_end_fills_no_memory(tmp_path: Path) -> None:
    code = "[print('x' * 10_000_000) for _ in range(30)] and sys.exit('enough')"
    with pytest.raises(UndecidedError, match="enough") as caught:
        hooked(tmp_path, code).again()
    assert len(caught.value.message) < 1000


def test_a_build_that_takes_away_rights_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = hooked(
        tmp_path, "os.makedirs('deep/er'); open('deep/er/f', 'w'); os.chmod('deep/er', 0); os.chmod('deep', 0)"
    )
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    assert made.again().exit_code is ExitCode.TAMPERED
    assert os.listdir(tmp_path / "tmp") == []


def sealed(project: Project, folder: Path, sigstore: Sigstore, commit: str) -> World:
    """The dist/ of a project, sealed by a workflow that says it built that commit."""
    world = keyless_world(folder, sigstore, version=VERSION)
    shutil.rmtree(world.dist)
    shutil.copytree(project.dist, world.dist)
    world.policy.write_text(REQUIRING)
    assert Run(world, sigstore, claims=WORKFLOW._replace(sha=commit)).seal().verdict.result is Result.PASSED
    return world


def by_policy(world: World, project: Project, commit: str = "") -> Reproduced:
    return reproduce(
        world.release,
        read_trust_folder(world.policy, world.release),
        Recipe(os.environ["PATH"], str(project.source), commit, isolated=False),
        clock=lambda: datetime.now(UTC),
        gpg=GPG,
        say=lambda text: None,
    )


def test_the_commit_of_the_verified_provenance(project: Project, tmp_path: Path, sigstore: Sigstore) -> None:
    world = sealed(project, tmp_path / "world", sigstore, project.commit)
    done = by_policy(world, project)
    assert done.verdict
    assert done.reproduction
    assert (done.verdict.result, done.reproduction.exit_code) == (Result.PASSED, ExitCode.DONE)
    assert (done.reproduction.source.commit, done.reproduction.source.vouched) == (project.commit, True)
    check_rendered(done)
    assert "its verified provenance says so" in render_reproduction(done.reproduction, done.verdict)
    with pytest.raises(UsageError, match="the verified provenance names commit"):
        by_policy(world, project, commit="1" * 40)


def test_what_does_not_verify_is_not_built(project: Project, tmp_path: Path, sigstore: Sigstore) -> None:
    world = sealed(project, tmp_path / "world", sigstore, project.commit)
    with (world.release / WHEEL).open("ab") as wheel:
        wheel.write(b"x")
    command = ["reproduce", "release", "--source", str(project.source), "--no-isolation"]
    done = world.run("sealwright", *command)
    assert done.returncode == 10
    assert "NOT VERIFIED" in done.stdout
    assert "cloning" not in done.stderr
    document = json.loads(world.run("sealwright", *command, "--json").stdout)
    jsonschema_rs.validator_for(SCHEMA).validate(document)
    assert (document["exitCode"], document["source"], document["release"]["result"]) == (10, None, "FAILED")


def test_without_a_provenance_the_commit_must_be_named(world: World, project: Project) -> None:
    done = world.run("sealwright", "reproduce", "release", "--source", str(project.source), "--no-isolation")
    assert done.returncode == 2
    assert "--commit" in done.stderr
    assert "cloning" not in done.stderr


def test_setuptools_sdists_differ_in_time_and_say_why(tmp_path: Path) -> None:
    pyproject = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n[project]\n'
    pyproject += 'name = "tiny-project"\nversion = "1.2.3"\n[tool.setuptools]\npackages = ["tiny_project"]\n'
    made = Project(tmp_path, pyproject=pyproject)
    epoch = os.environ | {"SOURCE_DATE_EPOCH": "1600000000"}
    command = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "-o", str(made.dist), str(made.source)]
    done = subprocess.run(command, env=epoch, capture_output=True, text=True, timeout=120, check=False, umask=0o022)
    if done.returncode:
        pytest.skip("no setuptools beside the tests")
    shutil.rmtree(made.source / "tiny_project.egg-info")
    time.sleep(1.1)
    found = made.again()
    assert found.exit_code is ExitCode.ANOMALY
    assert {d.why for d in found.artifacts[0].differences} <= {Why.TIME}
    assert "two of its runs never agree" in found.artifacts[0].note
    assert {e.origin for e in found.extras} == {Origin.METADATA}


def in_isolation(project: Project) -> Reproduction:
    made = Recipe(os.environ["PATH"], str(project.source), project.commit)
    try:
        done = reproduce(project.dist, None, made, clock=lambda: datetime.now(UTC), gpg=GPG, say=lambda text: None)
    except UndecidedError as error:
        if "pip" in error.message or "install" in error.message:
            pytest.skip(f"no package index can be reached: {error.message}")
        raise
    assert done.reproduction
    check_rendered(done)
    return done.reproduction


@pytest.mark.network
def test_in_an_environment_of_its_own(project: Project) -> None:
    done = in_isolation(project)
    assert done.exit_code is ExitCode.DONE
    assert done.source.isolated
    assert done.source.backend == done.artifacts[0].released.tool.replace(" ", "==")


@pytest.mark.network
def test_a_tool_that_the_project_does_not_ask_for(tmp_path: Path) -> None:
    """As `uv build` does it: like cannot be compared with like, so the answer says which tools there were."""
    from support.archives import PYPROJECT

    made = Project(tmp_path, pyproject=PYPROJECT.replace('"hatchling"', '"hatchling==1.27.0"', 1))
    build(made.source, made.dist, "--skip-dependency-check")
    done = in_isolation(made)
    wheel = next(artifact for artifact in done.artifacts if artifact.kind == "wheel")
    assert wheel.rebuilt
    assert wheel.rebuilt.tool == "hatchling 1.27.0" != wheel.released.tool
    assert "the rebuild with hatchling 1.27.0" in wheel.note
    assert any("could not be built" in note for note in done.notes)
    assert done.source.backend == ""
    assert done.exit_code is ExitCode.TAMPERED

"""`sealwright init`: what it finds out about a project, and that the policy which it suggests can be met there."""

import subprocess
from pathlib import Path

import pytest
from support.world import World, build, run

SIGNERS = "# Or without a key, with Sigstore"


def start(folder: Path, remote: str) -> World:
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "tiny-project"\nversion = "1.2.3"\n')
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "remote", "add", "origin", remote], check=True)
    done = run("sealwright", "init", cwd=folder)
    assert done.returncode == 0, done.stderr
    return World(folder)


def without_a_key(policy: str) -> str:
    """Do what the comments say for a project that signs with Sigstore."""
    above, suggested = policy.split(SIGNERS)
    above = above.replace("openpgp = 1 ", "openpgp = 0 ").replace("sigstore = 0", "sigstore = 1")
    return above + suggested[suggested.index("# [[signer]]") :].replace("# ", "")


@pytest.mark.parametrize(
    ("remote", "evidence", "identity", "issuer"),
    [
        (
            "git@github.com:owner/tiny.git",
            "github:owner/tiny",
            "https://github.com/owner/tiny/.github/workflows/release.yml",
            "https://token.actions.githubusercontent.com",
        ),
        (
            "https://token@gitlab.com/group/sub/tiny.git",
            "https://gitlab.com/api/v4/projects/group%2Fsub%2Ftiny/packages/generic/tiny/{version}",
            "https://gitlab.com/group/sub/tiny//.gitlab-ci.yml",
            "https://gitlab.com",
        ),
        (
            "https://git.example.org/tiny.git",
            "index",
            "https://git.example.org/tiny/.github/workflows/release.yml",
            "https://token.actions.githubusercontent.com",
        ),
    ],
)
def test_the_host_decides_who_signs(tmp_path: Path, remote: str, evidence: str, identity: str, issuer: str) -> None:
    text = start(tmp_path / "project", remote).policy.read_text()
    assert f'\nevidence = "{evidence}"\n' in text
    assert f'# identity = "{identity}@refs/tags/v{{version}}"\n# oidc-issuer = "{issuer}"\n' in text


@pytest.mark.parametrize("remote", ["git@github.com:owner/tiny.git", "https://gitlab.com/group/sub/tiny.git"])
def test_what_is_suggested_can_be_met(tmp_path: Path, remote: str) -> None:
    world = start(tmp_path / "project", remote)
    world.policy.write_text(without_a_key(world.policy.read_text()))
    build(world.dist)
    done = world.run("sealwright", "rehearse")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "VERIFIED (in a sandbox)" in done.stdout

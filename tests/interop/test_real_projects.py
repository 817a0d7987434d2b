"""Real input: the wheel and the sdist of a project from the package index, and this project's own."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.forge import Forge, asc
from support.world import World

from sealwright import __version__
from sealwright.sandbox.keys import write_trust_folder

ROOT = Path(__file__).parents[2]


def fetch(folder: Path, requirement: str) -> None:
    """Fetch wheel and sdist by name."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), requirement]
    for kind in (["--only-binary", ":all:"], ["--no-binary", ":all:"]):
        done = subprocess.run([*command, *kind], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            pytest.skip(f"no package index can be reached: {done.stderr.strip().splitlines()[-1]}")


def seal_and_verify(world: World, keys: Forge, project: str, version: str) -> None:
    from datetime import UTC, datetime, timedelta

    expires = datetime.now(UTC) + timedelta(days=30)
    write_trust_folder(
        world.folder / "keys", project, {"alice": keys.alice}, {keys.alice: keys.public(keys.alice)}, expires
    )
    sealed = world.seal(keys, keys.alice)
    assert sealed.returncode == 0, sealed.stdout + sealed.stderr
    assert len(list(world.release.iterdir())) == 6
    good = world.verify(asked=f"{project}=={version}")
    assert good.returncode == 0, good.stdout
    for artifact in [path for path in world.release.iterdir() if asc(path).exists() and path.name != "SHA256SUMS"]:
        content = artifact.read_bytes()
        artifact.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert world.verify(asked=f"{project}=={version}").returncode == 10
        artifact.write_bytes(content)


@pytest.mark.network
def test_sampleproject(tmp_path: Path, keys: Forge) -> None:
    world = World(tmp_path)
    fetch(world.dist, "sampleproject==4.0.0")
    seal_and_verify(world, keys, "sampleproject", "4.0.0")


def test_this_project(tmp_path: Path, keys: Forge) -> None:
    world = World(tmp_path)
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(world.dist)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    seal_and_verify(world, keys, "sealwright", __version__)


def test_this_projects_own_policy_trusts_nobody_yet() -> None:
    """No key has been admitted (keys/README.md): until one is, every verification with it must be refused."""
    from sealwright.errors import PolicyError
    from sealwright.store.trust_folder import read_trust_folder

    with pytest.raises(PolicyError, match="lists no signer"):
        read_trust_folder(ROOT / "keys" / "policy.toml", ROOT / "release")

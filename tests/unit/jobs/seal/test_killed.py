"""Kill -9 at random moments of a seal: the next run finishes it, and no half file ever has its final name."""

import hashlib
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.forge import Forge, asc
from support.world import SDIST, SUMS, TARGETS, WHEEL, World

from sealwright.files.private import MEMORY, _wipe_if_unlocked
from sealwright.files.writing import is_unfinished


def seal_and_kill(world: World, secret: bytes, files: int, more: float) -> None:
    """Kill the seal some moments after that many files have their final names."""
    command = [sys.executable, "-m", "sealwright.cli.main", "seal", "dist", "--openpgp-key-file", "-"]
    with subprocess.Popen(command, cwd=world.folder, stdin=-1, stdout=-3, stderr=-3) as process:
        assert process.stdin
        process.stdin.write(secret)
        process.stdin.close()
        while process.poll() is None and len(finished(world)) < files:
            time.sleep(0.0005)
        time.sleep(more)
        process.send_signal(signal.SIGKILL)


def finished(world: World) -> list[Path]:
    return [path for path in world.release.glob("*") if not is_unfinished(path.name)]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def whole(world: World, path: Path) -> bool:
    if path.name in (WHEEL, SDIST):
        return digest(path) == digest(world.dist / path.name)
    content = path.read_text()
    if path.name == SUMS:
        return content == "".join(f"{digest(world.dist / name)}  {name}\n" for name in sorted((WHEEL, SDIST)))
    return content.startswith("-----BEGIN PGP SIGNATURE") and content.endswith("-----END PGP SIGNATURE-----\n")


@pytest.fixture
def _cleaned() -> Iterator[None]:
    """Wipe now what the next run would wipe after a minute: the private folders of killed runs."""
    from sealwright.gnupg.home import _wipe

    before = set(MEMORY.glob("sealwright-*"))
    yield
    left = set(MEMORY.glob("sealwright-*")) - before
    time.sleep(2)  # another test may have made one of them in this moment, and not locked it yet
    for folder in left:
        with suppress(OSError):
            _wipe_if_unlocked(folder, _wipe)


@pytest.mark.usefixtures("_cleaned")
@pytest.mark.parametrize("half", [0, 1])
def test_kill_at_random_moments(unsealed: World, keys: Forge, half: int) -> None:
    secret = keys.secret(keys.alice)
    chance = random.Random(half)
    interrupted = 0
    for _ in range(25):
        shutil.rmtree(unsealed.release, ignore_errors=True)
        seal_and_kill(unsealed, secret, chance.randint(0, 6), chance.uniform(0, 0.01))
        there = finished(unsealed)
        if not unsealed.release.exists():
            unsealed.release.mkdir()  # killed before anything began
        assert all(whole(unsealed, path) for path in there), there
        verdict = unsealed.judge()
        complete = {path.name for path in there} == {*TARGETS, *(f"{name}.asc" for name in TARGETS)}
        assert (verdict.exit_code == 0) == complete
        interrupted += not complete
        done = unsealed.seal(keys, keys.alice)
        assert done.returncode == 0, done.stdout + done.stderr
        assert unsealed.judge().exit_code == 0
        assert all(asc(unsealed.release / name).read_bytes().count(b"BEGIN PGP") == 1 for name in TARGETS)
        assert not [path for path in unsealed.release.iterdir() if is_unfinished(path.name)]
    assert interrupted, "not one of the kills came in time"

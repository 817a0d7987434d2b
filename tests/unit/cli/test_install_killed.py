"""Kill -9 anywhere in `verify-release --install --require-file --kit`: nothing half done has a final name, and the
same command, given again, does it all and leaves nothing of the killed run behind.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.installing import Environment
from support.world import PROJECT, VERSION, WHEEL, World

from sealwright.files.writing import is_unfinished
from sealwright.store.log_reading import verify_chain

# The command as it is, in a process that kills itself when it is about to do something.
DYING = """
import os, sys
from pathlib import Path
from sealwright.files import private
private.MEMORY = Path(os.environ["TMPDIR"])  # where nobody else looks
event, text = sys.argv[1:3]
def watch(name, arguments):
    if name == event and text in str(arguments):
        os.kill(os.getpid(), 9)
if event:
    sys.addaudithook(watch)
del sys.argv[1:3]
from sealwright.cli.plain_call import main
main()
"""
# pip's Python kills Sealwright when it is about to write the module, and goes on by itself.
ORPHANED = """
import atexit, os, sys
if "install" in sys.argv:
    atexit.register(lambda: open({ended!r}, "w").close())
def watch(event, arguments):
    if event == "open" and "install" in sys.argv and "tiny_project.py" in str(arguments[0]) and os.getppid() > 1:
        os.kill(os.getppid(), 9)
sys.addaudithook(watch)
"""


class Runs:
    """One user's runs of the command."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.temporary, self.work = world, folder / "temporary", folder / "work"
        for path in (self.temporary, self.work):
            path.mkdir()
        self.environment = Environment(folder / "environment")

    def run(self, event: str = "", text: str = "") -> "subprocess.CompletedProcess[str]":
        keys, release = str(self.world.policy), str(self.world.release)
        wanted = ["--install", "--require-file", "requirements.txt"]
        wanted += [] if (self.work / "kit").exists() else ["--kit", "kit"]
        command = [
            f"{PROJECT}=={VERSION}",
            "--from",
            release,
            "--policy",
            keys,
            *wanted,
            "--",
            "--python",
            self.environment.python,
        ]
        return subprocess.run(
            [sys.executable, "-c", DYING, event, text, *command],
            cwd=self.work,
            env=os.environ | {"TMPDIR": str(self.temporary)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def age(self) -> int:
        """Let what was left be older than a minute, after which it is known to be nobody's; return how many there are."""
        left = list(self.temporary.iterdir())
        for path in left:
            os.utime(path, (0, 0))
        return len(left)

    def made(self) -> set[str]:
        """The final names that are there."""
        names = {path.name for path in self.work.iterdir() if not path.name.startswith(".")} | self.environment.holds()
        return names - {f"tiny_project-{VERSION}.dist-info"}


@pytest.fixture
def runs(world: World, tmp_path: Path) -> Runs:
    return Runs(world, tmp_path)


def finish(runs: Runs, data_home: Path) -> None:
    assert runs.age()
    done = runs.run()
    assert done.returncode == 0, done.stderr
    assert "\nINSTALLED" in done.stdout
    assert not list(runs.temporary.iterdir())
    assert {path.name for path in runs.work.iterdir() if not is_unfinished(path.name)} == {KIT, FILE}
    assert (runs.work / "kit" / "release" / WHEEL).read_bytes() == (runs.world.release / WHEEL).read_bytes()
    assert (runs.work / "requirements.txt").read_text().count("--hash=sha256:") == 2
    assert runs.environment.holds() == {"tiny_project.py", f"tiny_project-{VERSION}.dist-info"}
    assert f'__version__ = "{VERSION}"' in (runs.environment.site / "tiny_project.py").read_text()
    (log,) = data_home.parent.rglob("audit.jsonl")
    chain = verify_chain(log)
    assert chain.lines
    assert not chain.problem
    assert not chain.torn


KIT, FILE = "kit", "requirements.txt"
POINTS = {
    "writing the kit": ("open", "-kit-kit.part/trust", set()),
    "naming the requirements": ("os.rename", FILE, {KIT}),
    "giving pip the wheel": ("os.rename", f"/wheel/{WHEEL}", {KIT, FILE}),
    "logging what was installed": ("open", "audit.jsonl", {KIT, FILE, "tiny_project.py"}),
}


@pytest.mark.parametrize("point", POINTS)
def test_the_run_after_a_kill_is_clean(runs: Runs, data_home: Path, point: str) -> None:
    event, text, there = POINTS[point]
    died = runs.run(event, text)
    assert died.returncode == -9, died.stdout + died.stderr
    assert runs.made() == there
    finish(runs, data_home)


def test_a_pip_that_outlives_us(runs: Runs, data_home: Path) -> None:
    """It installs what was verified, and nobody compares it: the next run does."""
    ended = runs.environment.folder / "ended"
    runs.environment.race(ORPHANED.format(ended=str(ended)))
    assert runs.run().returncode == -9
    end = time.monotonic() + 60
    while not ended.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    assert "tiny_project.py" in runs.made()
    (runs.environment.site / "pip_racer.pth").unlink()
    (runs.environment.site / "pip_racer.py").unlink()
    (runs.environment.site / "tiny_project.py").write_text("evil = True")  # in the meantime
    finish(runs, data_home)

"""verify-release from places, as a process of its own: what a person sees, and what a killed one leaves."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema_rs
from support.fetching import REPO, command, environment, publish
from support.installing import Environment
from support.keyless import REQUIRING, Run, keyless_world
from support.terminal import on_terminal
from support.web import Answer, serving
from support.world import PROJECT, SDIST, SUMS, VERSION, WHEEL, World

from sealwright.sandbox.places import Answer as Fault
from sealwright.sandbox.places import Delay, Endpoint, Places
from sealwright.sandbox.project import build_wheel
from sealwright.sandbox.sigstore import Sigstore

FROM = ("--from", "index", "--evidence-from", f"github:{REPO}")
SCHEMA = Path(__file__).parents[3] / "docs" / "verdict.schema.json"


def test_a_verdict_says_where_it_fetched_from(world: World, places: Places) -> None:
    publish(world, places)
    done = command(world, places, *FROM)
    assert done.returncode == 0, done.stderr
    assert not done.stderr  # progress is for terminals
    assert f"  fetched from index\n               github:{REPO}\n" in done.stdout
    verdict = json.loads(command(world, places, *FROM, "--json").stdout)
    jsonschema_rs.validator_for(json.loads(SCHEMA.read_text())).validate(verdict)
    assert verdict["places"] == ["index", f"github:{REPO}"]


def test_taking_a_yanked_release_is_an_override(world: World, places: Places, tmp_path: Path) -> None:
    publish(world, places)
    places.index.yank(PROJECT, VERSION, "it eats files")
    log = tmp_path / "audit.jsonl"
    assert command(world, places, *FROM, "--log", str(log)).returncode == 13
    done = command(world, places, *FROM, "--allow-yanked", "--log", str(log))
    assert done.returncode == 0, done.stderr
    assert "warning      it was taken although its index calls it back (yanked: it eats files)" in done.stdout
    assert [json.loads(line)["action"] for line in log.read_text().splitlines()] == ["verification-failed", "override"]


def test_a_slow_place_is_waited_for_visibly(world: World, places: Places) -> None:
    """Before the first byte, too; and the line is gone when the answer or an error comes."""
    publish(world, places)
    for version, code, follows in ((VERSION, 0, "VERIFIED"), ("7", 12, "sealwright: error")):
        places.faults.add(Endpoint.INDEX_LISTING, Delay(3))
        asked = ["sealwright.cli.plain_call", f"{PROJECT}=={version}", "--policy", "keys/policy.toml", *FROM]
        done, screen = on_terminal(asked, world.folder, environment(places, world.folder), {})
        assert done == code, screen
        before, waiting, after = screen.partition("\r  waiting for index\x1b[K")
        assert waiting
        assert not before.strip()
        assert after.rpartition("\r\x1b[K")[2].lstrip("\x1b[0123;m").startswith(follows), repr(screen)


def test_errors_are_errors(world: World, places: Places) -> None:
    publish(world, places)
    for code, more, asked in (
        (2, ["--from", "index", "--offline"], f"{PROJECT}=={VERSION}"),
        (2, ["--from", "github:x"], f"{PROJECT}=={VERSION}"),
        (12, FROM, f"{PROJECT}==7"),
    ):
        done = command(world, places, *more, asked=asked)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.startswith("sealwright: error: ")
        assert "sealwright: hint: " in done.stderr
    places.faults.add(Endpoint.INDEX_LISTING, Fault(503))
    done = command(world, places, *FROM, env={"PIP_RETRIES": "0"})
    assert (done.returncode, done.stdout) == (3, "")


def test_a_proxy_that_is_not_there_is_asked(world: World, places: Places) -> None:
    given = {"PIP_INDEX_URL": "https://index.example/simple", "HTTPS_PROXY": "http://127.0.0.1:9", "PIP_RETRIES": "0"}
    done = command(world, places, "--from", "index", env=given)
    assert done.returncode == 3
    assert "proxy" in done.stderr
    exempt = command(world, places, "--from", "index", env=given | {"NO_PROXY": "index.example"})
    assert exempt.returncode == 3
    assert "proxy" not in exempt.stderr


def test_kill_9_and_ctrl_c_during_a_download(world: World, places: Places, tmp_path: Path) -> None:
    """An index without sizes: the private folder lies in TMPDIR, where no other test looks."""
    publish(world, places)
    target = Environment(tmp_path / "environment")
    private = tmp_path / "private"
    private.mkdir()
    env = os.environ | environment(places, world.folder, TMPDIR=str(private))
    arguments = [sys.executable, "-m", "sealwright.cli.verify_release", f"{PROJECT}=={VERSION}", *FROM]
    arguments += ["--policy", "keys/policy.toml", "--install", "--", "--python", target.python]
    with serving() as web:
        page = "".join(f'<a href="/files/{name}">x</a>' for name in (WHEEL, SDIST))
        web[f"/simple/{PROJECT}/"] = Answer(page.encode(), headers={"Content-Type": "text/html"})
        env["PIP_INDEX_URL"] = f"{web.url}/simple"
        for name in (WHEEL, SDIST):
            web[f"/files/{name}"] = Answer((world.release / name).read_bytes(), pace=0.05)
        for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -9)):
            with subprocess.Popen(arguments, cwd=world.folder, env=env, stdout=-3, stderr=-3) as process:
                while not (found := list(private.glob("sealwright-copy-*/*.whl"))) and process.poll() is None:
                    time.sleep(0.01)
                process.send_signal(number)
                start = time.monotonic()
                assert process.wait() == code
                assert time.monotonic() - start < 30
            assert found, "it ended before it was killed"
            assert (number == signal.SIGKILL) == bool(list(private.iterdir()))
            assert not target.holds()
        os.utime(found[0].parent, (0, 0))  # as though it were older than a minute
        for name in (WHEEL, SDIST):
            web[f"/files/{name}"] = (world.release / name).read_bytes()
        again = subprocess.run(arguments, cwd=world.folder, env=env, capture_output=True, check=False, timeout=300)
    assert again.returncode == 0, again.stderr
    assert not list(private.iterdir())
    assert "tiny_project.py" in target.holds()


def test_a_release_attestation_names_what_was_not_fetched(sigstore: Sigstore, places: Places, tmp_path: Path) -> None:
    """It lists every file of the release; those for other platforms are held against SHA256SUMS."""
    world = keyless_world(tmp_path / "world", sigstore)
    foreign = world.dist / "tiny_project-1.2.3-cp39-cp39-win_amd64.whl"
    (tmp_path / "other").mkdir()
    build_wheel(tmp_path / "other", PROJECT, VERSION).rename(foreign)
    world.policy.write_text(REQUIRING)
    Run(world, sigstore).seal()
    publish(world, places)
    for source in (FROM, ("--from", f"github:{REPO}")):
        done = command(world, places, *source)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"{foreign.name}: not fetched" in done.stdout
    # One that the attestation does not know was added, although SHA256SUMS (which nobody signs here) lists it.
    evil = build_wheel(tmp_path / "other", PROJECT, VERSION).rename(tmp_path / foreign.name.replace("cp39", "cp38"))
    sums = dict(line.split("  ")[::-1] for line in (world.release / SUMS).read_text().splitlines())
    sums[evil.name] = hashlib.sha256(evil.read_bytes()).hexdigest()
    (world.release / SUMS).write_text("".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))
    places.github.remove(REPO, f"v{VERSION}", SUMS)
    places.github.publish(REPO, f"v{VERSION}", world.release / SUMS, evil)
    done = command(world, places, "--from", f"github:{REPO}")
    assert done.returncode == 10
    assert "it is not about tiny_project-1.2.3-cp38-cp38-win_amd64.whl" in done.stdout

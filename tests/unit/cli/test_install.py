"""`verify-release --install`, `--require-file` and `--kit` as people run them."""

import functools
import json
import operator
import shlex
import shutil
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest
import requests
from packaging.pylock import Pylock
from support.fetching import REPO, command
from support.fetching import publish as publish_world
from support.forge import Forge
from support.installing import Environment
from support.publishing import Attested, publish
from support.world import PROJECT, SDIST, VERSION, WHEEL, World, run

from sealwright.sandbox.places import Places


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "env")


def log(data_home: Path) -> list[dict[str, object]]:
    lines = [path.read_text().splitlines() for path in data_home.parent.rglob("*.jsonl")]
    return [json.loads(line) for line in functools.reduce(operator.iadd, lines, [])]


def test_install(world: World, environment: Environment, data_home: Path) -> None:
    done = world.verify("--install", "--", "--python", environment.python)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("VERIFIED  tiny-project 1.2.3\n")
    assert "\nINSTALLED  tiny-project 1.2.3\n" in done.stdout
    assert "  next         what you asked for follows, with these very bytes and no others. Undo it if" in done.stdout
    assert environment.run("import tiny_project; print(tiny_project.__version__)").stdout == "1.2.3\n"
    (line,) = [line for line in log(data_home) if line["action"] == "install"]
    assert WHEEL in str(line)
    as_json = world.verify("--json", "--install", env={"VIRTUAL_ENV": str(environment.folder)})
    assert json.loads(as_json.stdout)["result"] == "PASSED"
    assert "INSTALLED" in as_json.stderr


def test_nothing_goes_into_sealwrights_own_environment_by_itself(world: World, environment: Environment) -> None:
    """Whoever may release one project would else decide what judges all others."""
    if sys.prefix == sys.base_prefix:
        pytest.skip("the tests run in no virtual environment")
    nowhere = {"VIRTUAL_ENV": ""}
    for dry in ((), ("--", "--dry-run")):
        refused = world.verify("--install", *dry, env=nowhere)
        assert (refused.returncode, refused.stdout) == (2, ""), "before anything is judged"
        assert "Sealwright's own environment" in refused.stderr
        assert "-- --python PYTHON" in refused.stderr
    dry = ("--install", "--", "--dry-run")
    assert world.verify(*dry, "--python", environment.python, env=nowhere).returncode == 0
    assert world.verify(*dry, "--python", sys.executable, env=nowhere).returncode == 0, "somebody has said so"
    assert world.verify(*dry, "--target", "new", env=nowhere).returncode == 0
    assert world.verify(*dry, env={"VIRTUAL_ENV": str(environment.folder)}).returncode == 0


def test_the_log_tells_an_install_from_one_that_failed(world: World, data_home: Path, tmp_path: Path) -> None:
    target = ["--install", "--", "--target", str(tmp_path / "target")]
    assert [world.verify(*target).returncode for _ in range(2)] == [0, 2]
    lines = [line for line in log(data_home) if line["action"] == "install"]
    assert [line["outcome"] for line in lines] == ["done", "failed"]


def test_what_does_not_verify_is_not_installed(world: World, environment: Environment, tmp_path: Path) -> None:
    with (world.release / WHEEL).open("ab") as stream:
        stream.write(b"x")
    kit, file = tmp_path / "kit", tmp_path / "requirements.txt"
    done = world.verify(
        "--install", "--kit", str(kit), "--require-file", str(file), "--", "--python", environment.python
    )
    assert done.returncode == 10
    assert not environment.holds()
    assert not kit.exists()
    assert not file.exists()


@pytest.mark.parametrize(
    "words",
    [["--install", "--", "-r", "evil.txt"], ["--install", "--", "--index-url", "http://127.0.0.1:9"], ["--install", "evil"],
     ["evil"], ["--", "--target", "x"], ["--lock", "x"], ["--with-dependencies"], ["--install", "--lock", "absent"],
     ["--install", "--offline", "--with-dependencies"], ["--kit", "release"], ["-r", "evil.txt"]],
)  # fmt: skip
def test_usage(world: World, words: list[str]) -> None:
    done = world.verify(*words)
    assert (done.returncode, done.stdout) == (2, ""), "found before anything is judged"


def test_require_file(world: World, environment: Environment, tmp_path: Path) -> None:
    said = {}
    for name in ("requirements.txt", "requirements.txt", "pylock.toml"):
        done = world.verify("--require-file", name)
        assert done.returncode == 0
        said[name] = shlex.split(done.stdout.rpartition("\n  next ")[2].replace("\\\n", ""))  # as a shell reads it
    assert said["pylock.toml"][-2:] == ["-r", "pylock.toml"]
    program, *words = said["requirements.txt"]
    assert program == "python"
    by_pip = subprocess.run([environment.python, *words], cwd=world.folder, check=False, capture_output=True)
    assert by_pip.returncode == 0, by_pip.stderr
    assert "tiny_project.py" in environment.holds() or "tiny_project" in environment.holds()
    lock = Pylock.from_dict(tomllib.loads((world.folder / "pylock.toml").read_text()))
    (package,) = lock.packages
    assert (package.name, str(package.version)) == (PROJECT, VERSION)
    assert package.wheels
    assert package.wheels[0].path == f"release/{WHEEL}"
    (world.folder / "requirements.txt").write_text("mine\n")
    assert world.verify("--require-file", "requirements.txt").returncode == 2
    assert (world.folder / "requirements.txt").read_text() == "mine\n"


def test_what_pip_chose_besides_is_listed_and_is_no_verdict() -> None:
    from sealwright.cli.afterwards import _say
    from sealwright.jobs.install.install import Installed, InstallRequest
    from sealwright.jobs.install.options import PipOptions

    request = InstallRequest(PipOptions(), {}, None, with_dependencies=True)
    many = tuple(f"needed-{number}==1" for number in range(40))
    (line,) = [
        texts
        for label, texts in _say(Installed("w", "0", "in", "py", "23", 1, unverified=many), request)
        if label == "unverified"
    ]
    assert line == [f"what pip installed for it: {', '.join(many)}"]
    assert ("unverified", ["nothing: pip had nothing to install for it"]) in _say(
        Installed("w", "0", "in", "py", "23", 1), request
    )


_NAMESPACE = ["unshare", "-rn"]


def test_kit(world: World, tmp_path: Path) -> None:
    kit = tmp_path / "kit"
    assert world.verify("--kit", str(kit)).returncode == 0
    readme = (kit / "README.md").read_text()
    (command,) = {line.strip() for line in readme.splitlines() if line.strip().endswith("policy.toml --offline")}
    probe = [*_NAMESPACE, "true"] if shutil.which("unshare") else ["false"]
    prefix = _NAMESPACE if subprocess.run(probe, check=False, capture_output=True).returncode == 0 else []
    program = [*prefix, sys.executable, "-m", "sealwright.cli.plain_call", *command.split()[1:]]

    def verify() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(program, cwd=kit, check=False, capture_output=True, text=True)

    done = verify()
    assert done.returncode == 0, done.stderr
    (fingerprint,) = [line.split()[1] for line in done.stdout.splitlines() if line.strip().startswith("fingerprint")]
    assert fingerprint in readme
    assert "from elsewhere" in readme
    with (kit / "release" / SDIST).open("ab") as stream:
        stream.write(b"x")
    assert verify().returncode == 10
    assert world.verify("--kit", str(kit)).returncode == 2, "never over what is there"


def test_a_kit_that_is_refused(world: World, tmp_path: Path) -> None:
    for kit in ("release/kit", "./dist/../release/a/kit", str(world.release / "kit")):
        done = world.verify("--kit", kit)
        assert (done.returncode, done.stdout) == (2, "")
        assert "would lie in the release" in done.stderr
    (tmp_path / "link").symlink_to(world.release)
    assert world.verify("--kit", str(tmp_path / "link" / "kit")).returncode == 2
    (tmp_path / "dangling").symlink_to("nowhere")
    assert world.verify("--kit", str(tmp_path / "dangling")).returncode == 2
    assert world.verify().returncode == 0, "nothing was left in the release"


def test_a_kit_that_was_changed_afterwards(world: World, keys: Forge, tmp_path: Path) -> None:
    """Each file in turn: taken away, or longer. Only what judges nothing may differ."""
    shutil.move(world.policy, world.policy.with_name("my policy; reboot.toml"))
    (world.folder / "keys" / "SHA256SUMS").unlink(missing_ok=True)
    kit = tmp_path / "kit"
    policy = ("--policy", "keys/my policy; reboot.toml")
    made = world.run("verify-release", f"{PROJECT}=={VERSION}", "--from", "release", *policy, "--kit", str(kit))
    assert made.returncode == 0, made.stdout + made.stderr
    (command,) = {
        line.strip() for line in (kit / "README.md").read_text().splitlines() if line.endswith(".toml' --offline")
    }
    words = shlex.split(command)
    assert run(*words, cwd=kit).returncode == 0
    codes = {}
    for path in [path for path in kit.rglob("*") if path.is_file() and path.name != "README.md"]:
        whole = path.read_bytes()
        path.unlink()
        gone = run(*words, cwd=kit).returncode
        path.write_bytes(whole + b"\n# more\n")
        codes[str(path.relative_to(kit))] = gone, run(*words, cwd=kit).returncode
        path.write_bytes(whole)
    tampered = {"release/SHA256SUMS": (12, 10), f"release/{WHEEL}": (10, 10), f"release/{SDIST}": (10, 10)}
    signatures = {f"release/{name}.asc": (12, 0) for name in ("SHA256SUMS", WHEEL, SDIST)}  # words after an armor
    trust = {f"trust/{name}": (2, 2) for name in (words[5].partition("/")[2], f"{keys.alice}.asc", f"{keys.bob}.asc")}
    assert codes == tampered | signatures | trust | {"trust/SHA256SUMS": (0, 2)}


def test_a_kit_of_what_was_fetched(attested: Attested, places: Places, tmp_path: Path) -> None:
    """From an index and a release page, into one folder that verifies by itself, and that pylock.toml names."""
    published = publish(places, attested)
    kit, world = tmp_path / "kit", attested.world
    asked = [
        "verify-release",
        f"{PROJECT}=={VERSION}",
        "--policy",
        "keys/policy.toml",
        "--from",
        f"url:{published.url}",
    ]
    done = run(*asked, "--kit", str(kit), "--require-file", str(tmp_path / "pylock.toml"), cwd=world.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (kit / "release" / WHEEL).read_bytes() == (world.release / WHEEL).read_bytes()
    assert "kit/release/" in (tmp_path / "pylock.toml").read_text()


def test_a_lock_of_what_was_fetched(world: World, places: Places) -> None:
    """It says where anybody gets the files; an asset of a token's is for nobody else."""
    publish_world(world, places)
    page = f"github:{REPO}"
    for number, source in enumerate(
        (["index", "--evidence-from", page], [page], [f"url:{places.web.url}/{PROJECT}/{VERSION}/"])
    ):
        name = f"pylock.from{number}.toml"
        done = command(world, places, "--from", *source, "--require-file", name)
        assert done.returncode == 0, done.stderr
        lock = Pylock.from_dict(tomllib.loads((world.folder / name).read_text()))
        (package,) = lock.packages
        assert package.wheels
        assert package.sdist
        for file in (*package.wheels, package.sdist):
            assert file.url
            assert sha256(requests.get(file.url, timeout=60).content).hexdigest() == file.hashes["sha256"]
    private = command(
        world, places, "--from", page, "--require-file", "pylock.toml", env={"GITHUB_TOKEN": places.github.token}
    )
    assert private.returncode == 2
    assert "--kit" in private.stderr
    assert not (world.folder / "pylock.toml").exists()

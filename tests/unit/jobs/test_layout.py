"""From plan to verdict, through the commands: a layout, its signatures, the steps of a build, a sealed release."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from support.forge import Forge
from support.world import PROJECT, SDIST, VERSION, WHEEL, World, run

PLAN = """schema = 1

[[functionary]]
name = "build job"
key = "job.pub"

[[step]]
name = "checkout"
run-by = ["bob", "build job"]
command = ["python3", "-c", "pass"]
materials = ["DISALLOW *"]
products = ["CREATE src/*"]

[[step]]
name = "build"
run-by = ["build job"]
command = ["python3", "build.py"]
materials = ["MATCH src/* WITH PRODUCTS FROM checkout"]
products = ["CREATE dist/*"]
"""
BUILD = f"open('dist/{WHEEL}', 'wb').write(open('built/{WHEEL}', 'rb').read())\n"
BUILD += f"open('dist/{SDIST}', 'wb').write(open('built/{SDIST}', 'rb').read())\n"


def write_key(world: World, name: str = "job", password: str = "") -> None:
    key = Ed25519PrivateKey.generate()
    protection: KeySerializationEncryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    (world.folder / f"{name}.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (world.folder / ".sealwright").mkdir(exist_ok=True)
    (world.folder / ".sealwright" / f"{name}.pub").write_bytes(public)


@pytest.fixture
def planned(unsealed: World) -> World:
    """A project whose policy requires a layout, with a plan, a job's key, and a build that fills dist/."""
    world = unsealed
    world.edit_policy("layout = false", "layout = true")
    write_key(world)
    (world.folder / ".sealwright" / "layout.toml").write_text(PLAN)
    (world.folder / "build.py").write_text(BUILD)
    (world.folder / "src").mkdir()
    (world.folder / "src" / "tiny.py").write_text("print(1)\n")
    world.dist.rename(world.folder / "built")
    world.dist.mkdir()
    return world


def sign(world: World, keys: Forge, signer: str) -> "subprocess.CompletedProcess[str]":
    return world.run("sealwright", "layout", "sign", "--openpgp-key-file", "-", input=keys.secret(signer).decode())


def step(world: World, name: str, *more: str, key: str = "job.pem") -> "subprocess.CompletedProcess[str]":
    return world.run("sealwright", "step", name, "--key-file", key, *more)


def build_all(world: World, keys: Forge) -> None:
    for done in (
        world.run("sealwright", "layout", "new"),
        sign(world, keys, keys.alice),
        step(world, "checkout", "--products", "src", "--", "python3", "-c", "pass"),
        step(world, "build", "--materials", "src", "--products", "dist/*", "--", "python3", "build.py"),
    ):
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_build_is_laid_out_run_sealed_and_verified(planned: World, keys: Forge) -> None:
    build_all(planned, keys)
    sealed = planned.seal(keys, keys.alice, "--layout", "layout")
    assert sealed.returncode == 0, sealed.stdout + sealed.stderr
    links = {path.name for path in planned.release.glob("*.link")}
    assert len(links) == 2
    assert (planned.release / "root.layout").read_bytes() == (planned.folder / "layout" / "root.layout").read_bytes()
    verdict = json.loads(planned.verify("--json").stdout)
    assert verdict["result"] == "PASSED"
    assert not set(verdict["notChecked"]) & {"root.layout", *links}
    assert {check["id"] for check in verdict["checks"] if check["outcome"] != "pass"} == set()
    before = {path: path.stat().st_mtime_ns for path in planned.release.iterdir()}
    again = planned.seal(keys, keys.alice, "--layout", "layout")
    assert "nothing to write" in again.stderr
    assert before == {path: path.stat().st_mtime_ns for path in planned.release.iterdir()}
    second = planned.seal(keys, keys.bob, dist=False)
    assert second.returncode == 0, second.stderr


@pytest.mark.parametrize(
    ("spoil", "code", "check"),
    [
        ("root.layout", 12, "evidence.present"),
        ("build.*.link", 12, "layout.step"),
        ("checkout.*.link", 12, "layout.step"),
    ],
)
def test_what_is_deleted_is_missed(planned: World, keys: Forge, spoil: str, code: int, check: str) -> None:
    build_all(planned, keys)
    assert planned.seal(keys, keys.alice, "--layout", "layout").returncode == 0
    next(planned.release.glob(spoil)).unlink()
    done = planned.verify("--json")
    assert check in {c["id"] for c in json.loads(done.stdout)["checks"] if c["outcome"] == "fail"}
    assert done.returncode == code


def test_a_source_changed_between_the_steps_is_found(planned: World, keys: Forge) -> None:
    assert planned.run("sealwright", "layout", "new").returncode == 0
    assert sign(planned, keys, keys.alice).returncode == 0
    step(planned, "checkout", "--products", "src", "--", "python3", "-c", "pass")
    (planned.folder / "src" / "tiny.py").write_text("import evil\n")
    step(planned, "build", "--materials", "src", "--products", "dist/*", "--", "python3", "build.py")
    sealed = planned.seal(keys, keys.alice, "--layout", "layout", "--json")
    assert sealed.returncode == 10
    failed = {check["id"] for check in json.loads(sealed.stdout)["checks"] if check["outcome"] == "fail"}
    assert failed == {"layout.rule"}


def test_a_command_that_fails_is_recorded_and_ends_the_step(planned: World) -> None:
    done = step(planned, "build", "--", "python3", "-c", "import sys; print('said'); sys.exit(7)")
    assert (done.returncode, done.stdout) == (7, "said\n")
    (link,) = (planned.folder / "layout").iterdir()
    signed = json.loads(link.read_text())["signed"]
    assert signed["byproducts"] == {"return-value": 7, "stdout": "", "stderr": ""}
    killed = step(planned, "build", "--", "python3", "-c", "import os; os.kill(os.getpid(), 9)")
    assert killed.returncode == 137


def test_a_step_that_makes_nothing_says_so(planned: World) -> None:
    done = step(planned, "build", "--products", "dist/*.whl", "--", "python3", "-c", "pass")
    assert done.returncode == 12
    assert "nothing was made that dist/*.whl fits" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["build", "--", "true"], "signed with one key"),
        (["build", "--key-file", "job.pem", "--openpgp-key", "A" * 40, "--", "true"], "signed with one key"),
        (["build", "--key-file", "no.pem", "--", "true"], "does not exist"),
        (["build", "--key-file", ".sealwright/job.pub", "--", "true"], "no private key"),
        (["build", "--key-file", "job.pem"], "COMMAND"),
        (["build", "--key-file", "job.pem", "--", "no-such-program"], "cannot be run"),
        (
            ["build", "--key-file", "job.pem", "--materials", "none/*", "--", "true"],
            "there is nothing that none/* fits",
        ),
        (["../build", "--key-file", "job.pem", "--", "true"], "no name for a step"),
    ],
)
def test_a_step_that_is_called_wrongly_leaves_no_link(planned: World, arguments: list[str], words: str) -> None:
    done = planned.run("sealwright", "step", *arguments)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert not (planned.folder / "layout").exists()


def test_a_key_with_a_password_and_an_openpgp_key_sign_links(planned: World, keys: Forge) -> None:
    write_key(planned, "locked", "open sesame")
    descriptor, writer = os.pipe()
    os.write(writer, b"open sesame\n")
    os.close(writer)
    arguments = ["step", "build", "--key-file", "locked.pem", "--passphrase-fd", str(descriptor), "--", "true"]
    done = run("sealwright", *arguments, cwd=planned.folder, pass_fds=(descriptor,))
    os.close(descriptor)
    assert done.returncode == 0, done.stderr
    without = step(planned, "build", "--", "true", key="locked.pem")
    assert (without.returncode, "needs its password" in without.stderr) == (2, True)
    for signer in (keys.alice, keys.bob):
        secret = keys.secret(signer).decode()
        done = planned.run("sealwright", "step", "build", "--openpgp-key-file", "-", "--", "true", input=secret)
        assert done.returncode == 0, done.stderr
    assert len(list((planned.folder / "layout").iterdir())) == 3


def test_the_command_sees_no_key(planned: World, keys: Forge) -> None:
    look = "import sys, os; print(repr(sys.stdin.read()), sorted(os.listdir('/proc/self/fd')))"
    secret = keys.secret(keys.alice).decode()
    command = ["step", "build", "--openpgp-key-file", "-", "--", "python3", "-c", look]
    done = planned.run("sealwright", *command, input=secret)
    assert done.stdout.startswith("'' ['0', '1', '2', '3']"), done.stdout


def test_a_layout_ends_with_the_policy_and_is_not_overwritten(planned: World) -> None:
    made = planned.run("sealwright", "layout", "new", "--days", "3000")
    assert made.returncode == 0, made.stderr
    text = planned.policy.read_text()
    day = text.split("expires = ")[1][:10]
    assert f"good until {day}" in made.stdout
    for words in ("step checkout", "bob (", "DISALLOW '*'", "python3 build.py"):
        assert words in made.stdout
    again = planned.run("sealwright", "layout", "new")
    assert (again.returncode, "already there" in again.stderr) == (2, True)


def test_maintainers_sign_one_after_the_other(planned: World, keys: Forge) -> None:
    planned.edit_policy("signers = 1\nopenpgp = 1", "signers = 2\nopenpgp = 2")
    planned.run("sealwright", "layout", "new")
    assert planned.run("sealwright", "layout", "show").returncode == 11
    first = sign(planned, keys, keys.alice)
    assert (first.returncode, "1 of 2" in first.stdout) == (0, True), first.stderr
    before = (planned.folder / "layout" / "root.layout").read_bytes()
    assert "nothing to write" in sign(planned, keys, keys.alice).stderr
    assert (planned.folder / "layout" / "root.layout").read_bytes() == before
    foreign = sign(planned, keys, keys.mallory)
    assert (foreign.returncode, "is not in" in foreign.stderr) == (2, True)
    second = sign(planned, keys, keys.bob)
    assert second.returncode == 0, second.stderr
    shown = planned.run("sealwright", "layout", "show")
    assert (shown.returncode, "2 of 2 OpenPGP signers: alice, bob" in shown.stdout) == (0, True)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"bob", "build job"', '"eve"', "eve is neither a signer"),
        ('"job.pub"', '"gone.pub"', "gone.pub does not exist"),
        ('"job.pub"', '"../job.pem"', "a file beside the plan"),
        ('"job.pub"', '"layout.toml"', "no public key"),
        ("CREATE dist/*", "TRUST dist/*", "none of in-toto's"),
        ('name = "build"\n', 'name = "../build"\n', "no name of a file"),
        ('name = "build"\n', 'name = "checkout"\n', "named twice"),
        ("schema = 1", "schema = 2", "schema must be"),
        ("schema = 1", "schema = 1\nextra = 1", "extra is not a key"),
        ('run-by = ["build job"]', 'run-by = ["build job"]\nthreshold = 2', "must name 2 or more"),
        ('command = ["python3", "build.py"]', 'command = "make"', "a list of texts"),
    ],
)
def test_a_plan_that_cannot_be_used(planned: World, old: str, new: str, words: str) -> None:
    plan = planned.folder / ".sealwright" / "layout.toml"
    text = plan.read_text()
    assert old in text
    plan.write_text(text.replace(old, new))
    done = planned.run("sealwright", "layout", "new")
    assert done.returncode == 2
    assert words in done.stderr, done.stderr
    assert not (planned.folder / "layout").exists()


def test_what_no_signature_could_make_good_is_not_signed(planned: World, keys: Forge) -> None:
    path = planned.folder / "layout" / "root.layout"
    planned.run("sealwright", "layout", "new")
    good = json.loads(path.read_text())
    attack = {
        "_type": "inspection",
        "name": "a",
        "run": ["touch", "x"],
        "expected_materials": [],
        "expected_products": [],
    }
    for change, words in (
        ({"inspect": [attack]}, "inspections"),
        ({"expires": "2020-01-01T00:00:00Z"}, "has expired"),
        ({"expires": "2199-01-01T00:00:00Z"}, "later than the policy"),
        ({"steps": []}, "no layout"),
    ):
        path.write_text(json.dumps({"signed": good["signed"] | change, "signatures": []}))
        done = sign(planned, keys, keys.alice)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr
        assert not json.loads(path.read_text())["signatures"]


def test_sealing_asks_for_the_layout_before_it_writes(planned: World, keys: Forge) -> None:
    build_all(planned, keys)
    without = planned.seal(keys, keys.alice)
    assert (without.returncode, "--layout DIR" in without.stderr) == (2, True)
    nowhere = planned.seal(keys, keys.alice, "--layout", "src")
    assert (nowhere.returncode, "root.layout does not exist" in nowhere.stderr) == (2, True)
    planned.edit_policy("layout = true", "layout = false")
    useless = planned.seal(keys, keys.alice, "--layout", "layout")
    assert (useless.returncode, "requires no layout" in useless.stderr) == (2, True)
    assert not planned.release.exists()


def test_a_policy_whose_layout_nobody_could_sign_is_refused(planned: World) -> None:
    text = planned.policy.read_text()
    head = text.split("[[signer]]")[0].replace("openpgp = 1\nsigstore = 0", "openpgp = 0\nsigstore = 1")
    robot = (
        '[[signer]]\nname = "robot"\n[[signer.sigstore]]\nidentity = "a@b.invalid"\noidc-issuer = "https://b.invalid"\n'
    )
    planned.policy.write_text(head + robot)
    planned.release.mkdir()
    done = planned.verify()
    assert (done.returncode, "who could sign one" in done.stderr) == (2, True)


def test_in_toto_verify_accepts_what_we_sealed(planned: World, keys: Forge) -> None:
    build_all(planned, keys)
    assert planned.seal(keys, keys.alice, "--layout", "layout").returncode == 0
    program = Path(sys.executable).with_name("in-toto-verify")
    key, home = keys.alice.lower(), str(keys.home.folder)
    command = [program, "--layout", "root.layout", "--gpg", key, "--gpg-home", home]
    done = subprocess.run(command, cwd=planned.release, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def test_the_layout_is_told_in_the_verdict_for_people(planned: World, keys: Forge) -> None:
    build_all(planned, keys)
    planned.seal(keys, keys.alice, "--layout", "layout")
    done = planned.verify(asked=f"{PROJECT}=={VERSION}")
    assert done.returncode == 0, done.stdout
    assert "not covered" not in done.stdout

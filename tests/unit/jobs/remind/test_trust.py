"""Deadlines of what trust rests on: trusted roots, layouts, revocation certificates, the signing of the log."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from support.forge import Forge
from support.world import GPG, World

from sealwright.errors import UsageError
from sealwright.jobs.remind.remind import Places, remind
from sealwright.jobs.remind.trust import of_layout, of_trusted_root
from sealwright.model.deadline import Deadline, Period, Reminder
from sealwright.model.log_entry import Action, Actor, Event
from sealwright.model.trusted_root import end_of_root
from sealwright.sandbox.keys import write_trust_folder
from sealwright.sandbox.sigstore import Sigstore
from sealwright.store.audit_log import append
from sealwright.store.trust_folder import TrustFolder, read_trust_folder

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ME = {"release workflow": {"identity": "me@example.org", "oidc-issuer": "https://accounts.example.org"}}
SCHEMA = json.loads((Path(__file__).parents[4] / "docs" / "remind.schema.json").read_text())


def trust(folder: Path, *, root: bytes = b"", identities: Any = ME) -> TrustFolder:
    path = write_trust_folder(
        folder / "keys", "pkg", {}, {}, NOW + timedelta(days=90), threshold=0, identities=identities, root=root
    )
    return read_trust_folder(path, folder / "release")


def shipped(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sealwright.store.trusted_root.shipped", lambda *_: content)


def test_the_root_that_came_with_sigstore_is_good_for_half_a_year_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = trust(tmp_path)
    (real,), notes = of_trusted_root(folder)
    assert (real.kind, real.name, real.owner, notes) == ("trusted root", "production", "release workflow", [])
    assert real.due.year > 2025
    shipped(monkeypatch, b'{"signed": {"expires": "2026-08-31T12:00:00Z"}}')
    (found,), _ = of_trusted_root(folder)
    assert (found.due.isoformat(), found.name) == ("2027-02-28T12:00:00+00:00", "production")
    assert "2026-08-31" in found.source
    for wrong in (b"", b"{}", b'{"signed": {"expires": 5}}', b'{"signed": {"expires": "2026-01-01T00:00:00"}}'):
        shipped(monkeypatch, wrong)
        assert of_trusted_root(folder)[0] == []
        assert "names no end" in of_trusted_root(folder)[1][0]


def test_a_policy_without_sigstore_has_no_root(unsealed: World) -> None:
    assert of_trusted_root(read_trust_folder(unsealed.policy, unsealed.release)) == ([], [])


def test_a_root_beside_the_policy(tmp_path: Path, sigstore: Sigstore) -> None:
    root = json.loads(sigstore.trusted_root_json())
    assert of_trusted_root(trust(tmp_path, root=json.dumps(root).encode()))[0] == []
    assert (
        "names no end; its newest authority or log is from 20"
        in of_trusted_root(trust(tmp_path, root=json.dumps(root).encode()))[1][0]
    )
    for log in root["tlogs"]:
        log["publicKey"]["validFor"]["end"] = "2027-01-31T00:00:00Z"
    ended = json.dumps(root).encode()
    (found,), notes = of_trusted_root(trust(tmp_path, root=ended))
    assert (found.name, found.due.isoformat(), notes) == ("trusted_root.json", "2027-01-31T00:00:00+00:00", [])
    assert end_of_root(b"[" * 100_000) is end_of_root(b"{}") is end_of_root(b'{"tlogs": 5}') is None


def collect(world: World, now: datetime | None = None) -> Reminder:
    at = world.folder / ".sealwright"
    places = (
        at / "tokens.toml",
        at / "audit.toml",
        at / "keys.toml",
        world.folder / "layout/root.layout",
        world.folder / "log",
    )
    return remind(Places(world.policy, *places), now or datetime.now(UTC), Period(0, 30), GPG)


def of_kind(found: Reminder, kind: str) -> list[Deadline]:
    return [deadline for deadline in found.deadlines if deadline.kind == kind]


def test_revocation_certificates_are_looked_at_once_a_year(unsealed: World, keys: Forge) -> None:
    said = collect(unsealed).notes
    register = unsealed.folder / ".sealwright/keys.toml"
    assert said == tuple(
        f"no revocation certificate of {f} ({n}) is recorded in {register}"
        for f, n in sorted(((keys.alice, "alice"), (keys.bob, "bob")))
    )
    register.parent.mkdir()
    entry = f'[[key]]\nfingerprint = "{keys.alice}"\nowner = "alice"\nkept = "the safe in Bonn"\ncreated = 2024-02-29\n'
    register.write_text("schema = 1\n" + entry)
    found = collect(unsealed)
    assert [note for note in found.notes if keys.alice in note] == []
    assert len(found.notes) == 1
    (deadline,) = of_kind(found, "revocation certificate")
    assert (deadline.name, deadline.owner, deadline.due.isoformat()) == (
        keys.alice,
        "alice",
        "2025-02-28T00:00:00+00:00",
    )
    assert found.exit_code == 31
    register.write_text("schema = 1\n" + entry + "checked = 2026-11-01\n")
    assert of_kind(collect(unsealed), "revocation certificate")[0].due.isoformat() == "2027-11-01T00:00:00+00:00"
    for wrong in (
        entry.replace("kept", "secret"),
        entry.replace("alice", "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDA"),
        "[key]",
    ):
        register.write_text("schema = 1\n" + wrong)
        with pytest.raises(UsageError):
            collect(unsealed)


def test_a_log_that_nobody_signed_is_said_so_and_an_old_checkpoint_is_overdue(unsealed: World, keys: Forge) -> None:
    assert not any("never signed" in note for note in collect(unsealed).notes)
    append(unsealed.folder / "log", Event(NOW, Actor("me", "here"), Action.SEAL, "pkg"))
    assert any("was never signed: sealwright log checkpoint" in note for note in collect(unsealed).notes)
    secret = keys.secret(keys.alice).decode()
    done = unsealed.run("sealwright", "log", "checkpoint", "--log", "log", "--openpgp-key-file", "-", input=secret)
    assert done.returncode == 0, done.stderr
    made = datetime.now(UTC)
    assert not any("never signed" in note for note in collect(unsealed, made).notes)
    states = [collect(unsealed, made + timedelta(days=days)) for days in (1, 70, 91)]
    assert [len(found.overdue) for found in states[:2]] == [0, 0]
    assert "log checkpoint" in {deadline.kind for deadline in states[1].due}
    assert "log checkpoint" in {deadline.kind for deadline in states[2].overdue}


def test_a_layout(unsealed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = unsealed.folder / ".sealwright/layout.toml"
    plan.parent.mkdir()
    plan.write_text(
        'schema = 1\n\n[[step]]\nname = "build"\nrun-by = ["alice"]\ncommand = ["true"]\nmaterials = ["ALLOW *"]\nproducts = ["CREATE dist/*"]\n'
    )
    unsealed.edit_policy("layout = false", "layout = true")
    made = unsealed.run("sealwright", "layout", "new", "--days", "60")
    assert made.returncode == 0, made.stderr
    done = unsealed.run("sealwright", "remind", "--log", "log", "--within", "61d", "--format", "json")
    document = json.loads(done.stdout)
    jsonschema_rs.validator_for(SCHEMA).validate(document)
    assert [entry["state"] for entry in document["deadlines"] if entry["kind"] == "layout"] == ["due"]
    assert any("revocation certificate" in note for note in document["notes"])
    assert "layout/root.layout" in document["sources"]
    (unsealed.folder / "wrong").write_text("{}")
    with pytest.raises(UsageError, match="is no layout"):
        of_layout(unsealed.folder / "wrong")
    assert unsealed.run("sealwright", "remind", "--log", "log", "--layout", "nowhere").returncode == 2
    shown = unsealed.run("sealwright", "remind", "--log", "log", "--format", "markdown").stdout
    assert "no revocation certificate" in shown

"""`sealwright keys new`, `add`, `export`, `status`: what must be refused, and what is left in keys/ otherwise."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import jsonschema_rs
import pytest
from support.forge import Forge, adopt
from support.maintainer import PASSPHRASE, Desk, good, refused, sit_down
from support.terminal import on_terminal
from support.world import World

from sealwright.errors import PolicyError, UndecidedError
from sealwright.model.key_register import key_register_deadlines, parse_key_register
from sealwright.model.policy_toml import parse_draft, parse_policy
from sealwright.store.draft_sums import render_draft_sums, write_draft_sums
from sealwright.store.log_reading import read_entries
from sealwright.store.policy_editing import list_key, raise_version, set_until
from sealwright.store.trust_folder import read_trust_folder

ROOT = Path(__file__).parents[3]
NEW = ["new", "--signer", "release manager", "--user-id", "Éva: Release Manager <release@example.invalid>"]


@pytest.fixture
def desk(unsealed: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with sit_down(unsealed.folder, monkeypatch) as seated:
        yield seated


def offer(desk: Desk, content: bytes, signer: str = "carol", *more: str) -> click.testing.Result:
    """Somebody sends a key file; its fingerprint is not asked for, so that only our own rules refuse it."""
    file = desk.project.parent / "sent.asc"
    file.write_bytes(content)
    return desk("add", str(file), "--signer", signer, *more, answer="y\n")


def state(desk: Desk) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (desk.project / "keys").iterdir()}


# What nobody may get into keys/


def attacks(keys: Forge) -> dict[str, tuple[bytes, str, str]]:
    """Each: the file, whose key it is said to be, and what the refusal says."""
    carol = keys.key("Carol")
    return {
        "a second key in the file": (keys.public(carol) + keys.public(keys.mallory), "carol", "holds 2 keys"),
        "two keys in one block": (keys.run("--armor", "--export", carol, keys.mallory), "carol", "holds 2 keys"),
        "a secret key": (keys.secret(carol), "carol", "SECRET"),
        "a secret key that calls itself public": (
            keys.secret(carol).replace(b"PRIVATE KEY BLOCK", b"PUBLIC KEY BLOCK"), "carol", "SECRET",
        ),
        "another signer's key": (keys.public(keys.alice), "carol", "for alice already"),
        "a listed key's subkey": (adopt(keys, keys.alice)[1], "carol", "share key material"),
        "a weak key": (keys.public(keys.key("Weak", algorithm="rsa1024")), "carol", "1024 bits is too weak"),
        "a weak primary key": (weak_primary(keys), "carol", "1024 bits is too weak"),
        "an expired key": (keys.public(keys.key("Late", at="2020-01-01")), "carol", "has expired"),
        "a revoked key": (keys.revoke(carol, 1), "carol", "is revoked"),
        "a key that was revoked with SHA-1": (
            keys.public(carol) + keys.revocation(carol, 1, "--cert-digest-algo", "SHA1"),
            "carol",
            "holds a revocation that gpg does not take",
        ),
        "a key that cannot sign": (keys.public(keys.key("Mute", usage="cert")), "carol", "no part that may sign"),
        "a key signed by itself with SHA-1": (with_sha1(keys), "carol", "that gpg can use"),
        "a user ID that paints the terminal": (keys.public(keys.key("Ca\x1b[2Jrol")), "carol", r"\x1b"),
        "a user ID that runs backwards": (backwards(keys), "carol", r"\u202e"),
        "no key": (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n", "carol", "no OpenPGP key"),
        "nothing": (b"", "carol", "no OpenPGP key"),
        "a signer's name in another case": (keys.public(carol), "ALICE", "calls that signer alice"),
    }  # fmt: skip


def weak_primary(keys: Forge) -> bytes:
    made = keys.key("Weak primary", algorithm="rsa1024", usage="cert")
    keys.add_subkey(made, "ed25519", "sign")
    return keys.public(made)


def backwards(keys: Forge) -> bytes:
    from sealwright.sandbox.keys import make_key

    return keys.public(make_key(keys.home, "Ca\u202erol", options=("--utf8-strings",)))


def with_sha1(keys: Forge) -> bytes:
    from sealwright.sandbox.keys import make_key

    options = ("--cert-digest-algo", "SHA1", "--digest-algo", "SHA1")
    return keys.public(make_key(keys.home, "Old", algorithm="rsa2048", options=options))


def test_nothing_unfit_gets_into_the_trust_folder(desk: Desk, keys: Forge) -> None:
    before = state(desk)
    for attack, (content, signer, said) in attacks(keys).items():
        done = offer(desk, content, signer)
        message = refused(done)
        from sealwright.render.text import plain

        assert said in plain(message), attack
        assert "\x1b" not in done.output, attack
        assert state(desk) == before, attack
    assert not (desk.project.parent / "state").exists(), "nothing was done, so nothing was logged"


def test_a_file_that_is_refused_is_named(desk: Desk, keys: Forge) -> None:
    file = desk.project.parent / "sent.asc"
    for content, said in ((keys.secret(keys.mallory), "a SECRET key"), (b"[project]\n", "no OpenPGP key that gpg can")):
        assert f"the key file {file} holds {said}" in refused(offer(desk, content))
    assert "standard input holds no OpenPGP key" in refused(desk("add", "-", "--signer", "carol", answer="x"))


def test_a_key_is_taken_over_as_small_as_it_can_be(desk: Desk, keys: Forge) -> None:
    """No third-party signature, one user ID, no encryption subkey; and only after a person has said whose it is."""
    carol = keys.key("Carol the Second", usage="cert")
    keys.add_subkey(carol, "ed25519", "sign")
    keys.add_subkey(carol, "cv25519", "encr")
    keys.run("--passphrase-fd", "0", "--quick-add-uid", carol, "Carol at home <home@example.invalid>", given=b"\n")
    keys.run("--passphrase-fd", "0", "--local-user", keys.mallory, "--quick-sign-key", carol, given=b"\n")
    full = keys.public(carol)
    write_draft_sums(desk.project / "keys")
    before = state(desk)
    assert isinstance(desk("add", "-", "--signer", "carol", answer=full.decode()).exception, click.Abort)
    said = refused(offer(desk, full, "carol", "--fingerprint", carol[-16:]))
    assert f"'{carol[-16:]}' is not the full fingerprint" in said
    assert "Its owner tells it to you: gpg --list-keys" in said, "keys status knows no key that is not listed"
    assert "not 0000" in refused(offer(desk, full, "carol", "--fingerprint", "0" * 40))
    assert "nothing was changed" in good(offer(desk, full, "carol", "--dry-run"))
    assert state(desk) == before
    output = good(offer(desk, full))
    assert carol in output.split("\n")[0]
    written = (desk.project / "keys" / f"{carol}.asc").read_bytes()
    packets = keys.run("--list-packets", given=written).decode()
    assert packets.count(":user ID packet:") == 1
    assert packets.count(":public sub key packet:") == 1
    assert packets.count(":signature packet:") == 2, "that of the user ID, and that of the subkey"
    trust = read_trust_folder(desk.project / "keys" / "policy.toml", desk.project / "release")
    assert trust.policy.signer_of_key(carol).name == "carol"  # type: ignore[union-attr]
    assert trust.policy.version == 2
    assert state(desk)["SHA256SUMS"] == render_draft_sums(desk.project / "keys")
    (entry,) = read_entries(desk.project.parent / "state/sealwright/audit.jsonl")
    assert (entry["action"], entry["object"]["name"], entry["outcome"]) == ("key", carol, "added")
    after = state(desk)
    assert "nothing was written" in good(offer(desk, full))
    assert state(desk) == after, "a second time changes nothing"


def test_another_signers_key_is_theirs_to_change(desk: Desk, keys: Forge) -> None:
    for command in (["extend"], ["rotate"], ["revoke", "--reason", "compromised", "--yes"]):
        said = refused(desk(*command, keys.bob))
        assert f"your keyring has no secret key {keys.bob}" in said, command
        assert "It is the key of bob: if that is not you, they run this, and send you what sealwright keys" in said
        assert "--key-file FILE" in said


def test_a_listed_key_is_brought_up_to_date_and_loses_no_revocation(desk: Desk, keys: Forge) -> None:
    carol = keys.key("Carol the Third")
    good(offer(desk, keys.public(carol)))
    good(offer(desk, keys.revoke(carol, 1)))
    assert parse_draft(state(desk)["policy.toml"]).version == 3
    good(offer(desk, keys.public(carol)))  # her old public key again
    assert "REVOKED (compromised)" in good(desk("status"))
    assert parse_draft(state(desk)["policy.toml"]).version == 3


def test_a_trust_folder_that_somebody_changed_is_not_signed_off(desk: Desk, keys: Forge) -> None:
    write_draft_sums(desk.project / "keys")
    (desk.project / "keys" / f"{keys.bob}.asc").write_bytes(keys.public(keys.mallory))
    said = refused(offer(desk, keys.public(keys.key("Carol the Fourth"))))
    assert f"does not agree with {keys.bob}.asc" in said


# The policy's text


def test_the_policy_keeps_its_comments_and_its_order() -> None:
    one, two, three = ("1" * 40), ("2" * 40), ("3" * 40)
    before = (ROOT / "keys" / "policy.toml").read_text() + (
        '\n[[signer]]   # the first\nname = "a"\n[[signer.sigstore]]  # who\nidentity = "x"\noidc-issuer = "https://e"\n'
        f'# end of a\n\n[[signer]]\nname = "b"\n[[signer.openpgp]]\nfingerprint = "{one}"  # a card\n# the end\n'
    )
    content = list_key(before.encode(), "a", two)
    content = list_key(content, 'c "quoted" # not a comment', three)
    content = set_until(content, one, parse_version("2.0"))
    after = raise_version(content).decode()
    assert parse_policy(after.encode()).version == parse_draft(before.encode()).version + 4
    lines = iter(after.split("\n"))
    assert all(line in lines for line in before.split("\n") if not line.startswith("version")), "all, in this order"
    assert re.search(r"^version = 5 +# of this policy: raise it with every change$", after, re.MULTILINE)
    assert list_key(content, "a", two) == content
    assert set_until(content, one, parse_version("2")) == content
    with pytest.raises(PolicyError, match="for a already"):
        list_key(content, "b", two)


def test_what_cannot_be_edited_safely_is_left_to_a_person() -> None:
    inline = (ROOT / "keys" / "policy.toml").read_text().replace(
        "schema = 1", f'schema = 1\nsigner = [{{ name = "a", openpgp = [{{ fingerprint = "{"1" * 40}" }}] }}]'
    )  # fmt: skip
    assert parse_draft(inline.encode()).signers
    with pytest.raises((UndecidedError, PolicyError)):
        list_key(list_key(inline.encode(), "a", "2" * 40), "b", "3" * 40)


def parse_version(text: str) -> "object":
    from packaging.version import Version

    return Version(text)


# A new key


def test_a_new_key_is_backed_up_listed_and_signs(desk: Desk, keys: Forge, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    before = state(desk)
    assert "dry run" in good(desk(*NEW, "--backup", str(backup), "--dry-run"))
    assert (state(desk), backup.exists()) == (before, False)
    output = good(desk(*NEW, "--backup", str(backup), "--kept", "the safe", passphrase=PASSPHRASE))
    fingerprint = output.split()[1]
    assert {path.name for path in backup.iterdir()} == {
        f"{fingerprint}.{kind}.asc" for kind in ("secret", "revocation")
    }
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in backup.iterdir())
    assert b"PRIVATE KEY BLOCK" in (backup / f"{fingerprint}.secret.asc").read_bytes()
    found = json.loads(good(desk("status", "--json")))
    jsonschema_rs.validate(json.loads((ROOT / "docs" / "keys.schema.json").read_text()), found)
    (made,) = (key for key in found["keys"] if key["fingerprint"] == fingerprint)
    primary, subkey = made["parts"]
    assert made["userId"] == r"Éva\x3a Release Manager <release@example.invalid>"
    assert (made["signer"], primary["may"], primary["expires"]) == ("release manager", ["certify"], None)
    assert (subkey["may"], subkey["state"], subkey["secret"]) == (["sign"], "valid", "here")
    assert 360 < subkey["daysLeft"] <= 366
    # Neither of the others' secret keys is at hand.
    assert {part["secret"] for key in found["keys"] for part in key["parts"] if key != made} == {"elsewhere"}
    register = desk.project / ".sealwright/keys.toml"
    records = parse_key_register(register.read_bytes(), "keys.toml")
    (deadline,) = key_register_deadlines(records, "keys.toml")
    assert (deadline.name, deadline.owner, deadline.kind) == (fingerprint, "release manager", "revocation certificate")
    assert "the safe" in deadline.step
    assert 360 < deadline.days_left(datetime.now(UTC)) <= 366
    check_the_certificate(desk, backup / f"{fingerprint}.revocation.asc", fingerprint)
    check_resumption(desk, backup, fingerprint)
    check_for_ci(desk, fingerprint, tmp_path)


def check_the_certificate(desk: Desk, file: Path, fingerprint: str) -> None:
    """It is tried, and nothing is revoked by that."""
    before = state(desk)
    done = good(desk("status", "--check-revocation", str(file)))
    assert f"revokes {fingerprint} (no reason)" in done
    assert "REVOKED" not in done
    assert state(desk) == before
    (record,) = parse_key_register((desk.project / ".sealwright/keys.toml").read_bytes(), "keys.toml")
    assert record.checked is not None


def check_resumption(desk: Desk, backup: Path, fingerprint: str) -> None:
    """The backup is there, and whatever comes after it was lost: the same command goes on."""
    after = state(desk)
    (desk.project / "keys" / "policy.toml").write_bytes(
        after["policy.toml"].split(b'\n[[signer]]\nname = "release manager"')[0].replace(b"version = 2", b"version = 1")
    )
    (desk.project / "keys" / f"{fingerprint}.asc").unlink()
    (desk.project / ".sealwright/keys.toml").unlink()
    for command in (["--delete-secret-keys"], ["--delete-keys"]):
        subprocess.run(["gpg", "--batch", "--yes", *command, fingerprint], check=True, capture_output=True)
    output = good(desk(*NEW, "--backup", str(backup)))
    assert "from where the last run was interrupted" in output
    assert state(desk) == after
    assert "secret here" in good(desk("status"))
    output = good(desk(*NEW, "--backup", str(backup)))
    assert "nothing was written" in output
    file = backup.parent / "key.asc"
    for _ in range(2):
        good(desk(*NEW, "--backup", str(backup), "--key-file", str(file)))
    assert file.read_bytes() == (backup / f"{fingerprint}.secret.asc").read_bytes()
    file.write_bytes(b"somebody else's")
    assert "holds something else" in refused(desk(*NEW, "--backup", str(backup), "--key-file", str(file)))
    assert state(desk) == after


def check_for_ci(desk: Desk, fingerprint: str, tmp_path: Path) -> None:
    """What CI gets has the subkey's secret, protected by the passphrase, and not the primary key's."""
    file = tmp_path / "ci.asc"
    assert "where a secret could be published" in refused(
        desk("export", fingerprint, "--secret-subkey", str(desk.project / "ci.asc"), passphrase=PASSPHRASE)
    )
    before = state(desk)
    assert "passphrase is wrong" in refused(
        desk("extend", fingerprint, "--expires", "2y", passphrase="not " + PASSPHRASE)
    )
    assert state(desk) == before
    good(desk("export", fingerprint, "--secret-subkey", str(file), passphrase=PASSPHRASE))
    assert file.stat().st_mode & 0o777 == 0o600
    listed = subprocess.run(["gpg", "--list-packets", str(file)], capture_output=True, text=True, check=True).stdout
    primary, subkey = listed.split(":secret key packet:")[1].split(":secret sub key packet:")
    assert "gnu-dummy" in primary
    assert "gnu-dummy" not in subkey
    assert "iter+salt S2K" in subkey
    assert "only subkeys of" in refused(desk("extend", fingerprint, "--key-file", str(file), passphrase=PASSPHRASE))
    assert "not overwritten" in refused(
        desk("export", fingerprint, "--secret-subkey", str(file), passphrase=PASSPHRASE)
    )
    assert good(desk("export", fingerprint)).encode() == state(desk)[f"{fingerprint}.asc"]


def test_a_secret_is_not_written_where_it_could_be_published(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    (tmp_path / "link").symlink_to(desk.project / "keys")
    before = state(desk)
    places = (desk.project, desk.project / "keys", tmp_path / "clone/deep", tmp_path / "link", Path("backup"))
    for place in places:
        said = refused(desk(*NEW, "--backup", str(place), passphrase=PASSPHRASE))
        assert "where a secret could be published by mistake" in said, place
    assert state(desk) == before


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        (["add", "nofile", "--signer", "carol"], "It holds what sealwright keys export FINGERPRINT prints"),
        (["status", "--key-file", "nofile"], "It is a backup (FINGERPRINT.secret.asc)"),
        (["extend", "{}", "--key-file", "nofile"], "It is a backup (FINGERPRINT.secret.asc)"),
        (["export", "{}", "--key-file", "nofile"], "It is a backup (FINGERPRINT.secret.asc)"),
        (["status", "--check-revocation", "nofile"], "It is FINGERPRINT.revocation.asc"),
        (["revoke", "{}", "--certificate", "nofile"], "It is FINGERPRINT.revocation.asc"),
    ],
)
def test_a_file_that_is_not_there_is_said_to_be_what(desk: Desk, keys: Forge, command: list[str], hint: str) -> None:
    said = refused(desk(*(word.format(keys.alice) for word in command)))
    assert f"nofile does not exist {hint}" in said


def test_what_is_asked_for_wrongly_is_said_before_a_key_is_made(desk: Desk, tmp_path: Path) -> None:
    backup = ["--backup", str(tmp_path / "backup")]
    assert "printable" in refused(desk("new", "--signer", "x", "--user-id", "a\x1b[2Jb <a@b>", *backup))
    assert "calls that signer alice" in refused(desk("new", "--signer", "Alice", "--user-id", "Alice <a@b>", *backup))
    assert "12 printable" in refused(desk(*NEW, *backup, passphrase="short"))
    assert not (tmp_path / "backup").exists()
    policy = desk.project / "keys" / "policy.toml"
    policy.unlink()
    assert "sealwright init" in refused(desk(*NEW, *backup))


def test_a_new_passphrase_is_asked_for_without_echo(desk: Desk, tmp_path: Path) -> None:
    """One that is too short, so that no key has to be made for it."""
    answers = {"New passphrase": "tooShort#1", "Once more": "tooShort#1"}
    arguments = ["sealwright.cli.main", "keys", *NEW, "--backup", str(tmp_path / "backup")]
    env = {
        "PYTHONPATH": str(ROOT / "tests"), "PYTHON_KEYRING_BACKEND": "support.file_keyring.FileKeyring",
        "TEST_KEYRING": str(tmp_path / "keyring.json"),
    }  # fmt: skip
    code, screen = on_terminal(arguments, desk.project, env, answers)
    assert code == 2, screen
    assert "Once more" in screen
    assert "tooShort#1" not in screen
    assert "12 printable" in screen


def test_a_policy_without_signers_yet_is_one_to_begin_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: Forge
) -> None:
    """As `sealwright init` leaves it; and with a threshold that the first signer alone cannot meet."""
    from sealwright.collect.built.project import ProjectFacts
    from sealwright.jobs.init import render_policy

    text = render_policy(ProjectFacts("pkg", "https://example.invalid/pkg"), datetime.now(UTC))
    (tmp_path / "project/keys").mkdir(parents=True)
    policy = tmp_path / "project/keys/policy.toml"
    policy.write_text(re.sub(r"^(signers|openpgp) = 1", r"\1 = 2", text, flags=re.MULTILINE))
    with sit_down(tmp_path / "project", monkeypatch) as desk:
        assert "EMPTY" in good(desk("status"))
        good(offer(desk, keys.public(keys.alice), "alice"))
        with pytest.raises(PolicyError):
            parse_policy(policy.read_bytes())
        assert "for a release" not in good(offer(desk, keys.public(keys.bob), "bob")), "both must sign"
        said = good(offer(desk, keys.public(keys.mallory), "dave"))
        assert "any 2 of the 3 signers suffice for a release;\n  if more must sign, raise signers" in said
    assert parse_policy(policy.read_bytes()).version == 4
    assert "# Or without a key, with Sigstore" in policy.read_text()


def test_a_machine_without_a_keyring_is_told_before_a_passphrase_is_asked_for(desk: Desk, tmp_path: Path) -> None:
    env = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    command = ["sealwright.cli.start", "keys", *NEW, "--backup", str(tmp_path / "backup")]
    code, screen = on_terminal(command, desk.project, env, {})
    assert code == 3
    assert "no keyring" in screen
    assert "New passphrase" not in screen


def test_a_machine_without_a_keyring_is_told_and_nothing_is_left(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keyring
    from keyring.backends.fail import Keyring

    before, folder = keyring.get_keyring(), state(desk)
    keyring.set_keyring(Keyring())
    try:
        said = refused(desk(*NEW, "--backup", str(tmp_path / "backup")))
    finally:
        keyring.set_keyring(before)
    assert "no keyring" in said
    assert '--passphrase-fd 3 3<<<"$PASSPHRASE"' in said
    assert "github-secret" not in said, "that is for tokens"
    assert state(desk) == folder
    assert not (tmp_path / "backup").exists()
    assert not os.listdir(desk.keyring / "private-keys-v1.d") if (desk.keyring / "private-keys-v1.d").exists() else True

"""Attacks on trust: what may be pinned, by what it may be replaced, and what a verification remembers."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.forge import Forge
from support.pinning import failing, judge, offer_of, pin
from support.world import PROJECT, World, build

from sealwright.errors import PolicyError, StaleError, TamperedError, UndecidedError, UsageError
from sealwright.files.digest import digest_bytes
from sealwright.jobs.trust import accept, refuse_other_fingerprint
from sealwright.model.pin import Pin, PinKind
from sealwright.model.publisher import Publisher
from sealwright.model.seen import Seen
from sealwright.model.verdict import Outcome
from sealwright.model.withdrawal import SignedWithdrawal, Withdrawal, render_withdrawals
from sealwright.sandbox.keys import write_trust_folder
from sealwright.store.first_use import pairs_of
from sealwright.store.pins import list_pins, pin_path, read_pin, remove_pin, trust_of, write_pin
from sealwright.store.seen import read_seen, seen_path
from sealwright.store.trust_sums_writing import write_sums
from sealwright.store.user_data import locate_data


def keys_of(world: World) -> Path:
    return world.folder / "keys"


def test_a_pin_judges_and_says_how_old_it_is(world: World, data_home: Path) -> None:
    then = datetime.now(UTC) - timedelta(days=12, hours=1)
    offer = pin(keys_of(world), data_home, now=then)
    shutil.rmtree(keys_of(world))
    verdict = judge(world, data_home, pinned=True)
    assert verdict.exit_code == 0
    assert verdict.policy.fingerprint == offer.trust.fingerprint
    assert verdict.policy.pin
    assert (verdict.policy.pin.kind, verdict.policy.pin.days) == ("policy", 12)
    assert not verdict.warnings
    later = judge(world, data_home, pinned=True, now=datetime.now(UTC) + timedelta(days=75))
    assert "the policy ends in 24 days" in " ".join(later.warnings)


def test_the_fingerprint_is_that_of_the_listing(world: World, data_home: Path) -> None:
    fingerprint = write_sums(keys_of(world))
    listing = (keys_of(world) / "SHA256SUMS").read_bytes()
    assert fingerprint == digest_bytes(listing) == offer_of(keys_of(world), data_home, gpg=None).trust.fingerprint
    done = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=keys_of(world), capture_output=True)
    assert done.returncode == 0


def first_key(folder: Path) -> Path:
    return min(folder.glob("*.asc"))


def swap_keys(folder: Path) -> None:
    one, two = sorted(folder.glob("*.asc"))
    two.write_bytes(one.read_bytes())


def link(folder: Path) -> None:
    path = first_key(folder)
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")


def link_policy(folder: Path) -> None:
    (folder / "policy.toml").rename(folder.parent / "policy")
    (folder / "policy.toml").symlink_to(folder.parent / "policy")


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "extra key": (lambda f: shutil.copy(first_key(f), f / f"{'A' * 40}.asc"), "belongs to no trust folder"),
    "extra file": (lambda f: (f / "notes").touch(), "belongs to no trust folder"),
    "hidden file": (lambda f: (f / ".x").touch(), "belongs to no trust folder"),
    "missing key": (lambda f: first_key(f).unlink(), "lacks"),
    "missing policy": (lambda f: (f / "policy.toml").unlink(), "no trust folder"),
    "swapped keys": (swap_keys, "no OpenPGP key of that fingerprint"),
    "a link to a key": (link, "a symbolic link"),
    "a link to the policy": (link_policy, "a symbolic link"),
    "a folder": (lambda f: (f / "more").mkdir(), "a directory"),
    "a pipe": (lambda f: os.mkfifo(f / "README.md"), "a FIFO"),
    "a listing that disagrees": (lambda f: (write_sums(f), (f / "README.md").touch()), "does not agree"),
    "a listing of nothing": (lambda f: (f / "SHA256SUMS").touch(), "does not agree"),
    "a huge file": (lambda f: os.truncate(f / "policy.toml", 2**33), "larger than"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_no_trust_folder(world: World, data_home: Path, how: str) -> None:
    spoil, words = SPOILED[how]
    spoil(keys_of(world))
    with pytest.raises(PolicyError, match=words):
        offer_of(keys_of(world), data_home)


def test_a_key_that_was_changed_since_the_listing(world: World, keys: Forge, data_home: Path) -> None:
    write_sums(keys_of(world))
    path = keys_of(world) / f"{keys.alice}.asc"
    path.write_bytes(keys.revoke(keys.alice, 1))
    with pytest.raises(PolicyError, match="does not agree"):
        offer_of(keys_of(world), data_home)


def test_a_secret_key_in_it(world: World, keys: Forge, data_home: Path) -> None:
    (keys_of(world) / f"{keys.alice}.asc").write_bytes(keys.secret(keys.alice))
    with pytest.raises(PolicyError, match="SECRET"):
        offer_of(keys_of(world), data_home)


def test_expired(world: World, data_home: Path) -> None:
    with pytest.raises(StaleError, match="expired"):
        offer_of(keys_of(world), data_home, now=datetime.now(UTC) + timedelta(days=101))


@pytest.mark.parametrize("where", ["release", "release/keys", "release/a/b"])
def test_a_release_does_not_bring_its_own_trust(world: World, data_home: Path, where: str) -> None:
    shutil.copytree(keys_of(world), world.folder / where, dirs_exist_ok=True)
    with pytest.raises(UsageError, match="part of the release"):
        offer_of(world.folder / where, data_home)


def test_an_unpacked_sdist_does_not_bring_its_own_trust(world: World, data_home: Path) -> None:
    shutil.unpack_archive(world.dist / "tiny_project-1.2.3.tar.gz", world.folder / "unpacked", filter="data")
    inside = world.folder / "unpacked" / "tiny_project-1.2.3" / "keys"
    shutil.copytree(keys_of(world), inside)
    (world.folder / "by-another-name").symlink_to(inside)
    for folder in (inside, world.folder / "by-another-name"):
        with pytest.raises(UsageError, match="unpacked sdist"):
            offer_of(folder, data_home)


def test_another_fingerprint_than_was_told(world: World, data_home: Path) -> None:
    offer = offer_of(keys_of(world), data_home, gpg=None)
    with pytest.raises(TamperedError):
        refuse_other_fingerprint(offer, "0" * 64)
    with pytest.raises(UsageError):
        refuse_other_fingerprint(offer, offer.trust.fingerprint[:16])
    told = offer.trust.fingerprint.upper()
    refuse_other_fingerprint(offer, " ".join(re.findall("....", told)))


def test_replaced_only_by_a_newer_policy(world: World, data_home: Path) -> None:
    world.edit_policy("version = 1\n", "version = 5\n")
    pin(keys_of(world), data_home)
    world.edit_policy("signers = 1", "signers = 2")
    with pytest.raises(UsageError, match="pinned already"):
        offer_of(keys_of(world), data_home, gpg=None)
    with pytest.raises(TamperedError, match="another policy"):
        offer_of(keys_of(world), data_home, gpg=None, replace=True)
    world.edit_policy("version = 5\n", "version = 4\n")
    with pytest.raises(StaleError, match="version 5 is pinned"):
        offer_of(keys_of(world), data_home, gpg=None, replace=True)
    world.edit_policy("version = 4\n", "version = 6\n")
    offer = pin(keys_of(world), data_home, replace=True)
    assert [change.words for change in offer.changes] == ["threshold raised from 1 to 2"]
    assert trust_of(data_home, read_pin(data_home, PROJECT) or pytest.fail("gone")).policy.require.signers == 2


def test_what_is_weaker_stands_first(world: World, keys: Forge, data_home: Path) -> None:
    world.edit_policy("signers = 1", "signers = 2")
    pin(keys_of(world), data_home)
    world.edit_policy("signers = 2", "signers = 1")
    world.edit_policy("version = 1\n", "version = 2\n")
    mallory = f'\n[[signer]]\nname = "mallory"\n[[signer.openpgp]]\nfingerprint = "{keys.mallory}"\n'
    world.policy.write_text(world.policy.read_text() + mallory)
    (keys_of(world) / f"{keys.mallory}.asc").write_bytes(keys.public(keys.mallory))
    changes = offer_of(keys_of(world), data_home, gpg=None, replace=True).changes
    assert [(c.words, c.weaker) for c in changes] == [
        ("threshold lowered from 2 to 1", True),
        (f"signer added: mallory (OpenPGP {keys.mallory})", False),
    ]


def test_a_readme_or_a_withdrawal_needs_no_new_version(world: World, data_home: Path) -> None:
    pin(keys_of(world), data_home)
    (keys_of(world) / "README.md").write_text("hello")
    offer = offer_of(keys_of(world), data_home, gpg=None, replace=True)
    assert [change.words for change in offer.changes] == ["README.md added"]


def test_a_withdrawal_that_is_gone_is_weaker(world: World, data_home: Path) -> None:
    """Whoever brings an old folder of the same version back takes the withdrawal away with it."""
    (keys_of(world) / "withdrawn.json").write_bytes(render_withdrawals(()))
    pin(keys_of(world), data_home)
    (keys_of(world) / "withdrawn.json").unlink()
    offer = offer_of(keys_of(world), data_home, gpg=None, replace=True)
    assert [(c.words, c.weaker) for c in offer.changes] == [("withdrawn.json removed", True)]


@pytest.mark.parametrize("after", ["one less", "none", "no file", "unsigned", "cut", "reordered", "more"])
def test_every_withdrawal_that_is_gone_is_named(world: World, keys: Forge, data_home: Path, after: str) -> None:
    """A shorter file is as weak as none for the version that it no longer calls back, and looks more innocent."""
    first, second = (
        Withdrawal(PROJECT, version, f"{version} deletes files", "", "", "2026-01-02T03:04:05Z")
        for version in ("1.2.2", "1.2.3")
    )
    entries = tuple(
        SignedWithdrawal(text, openpgp=(keys.sign(keys.bob, text.encode()).decode(),))
        for text in (first.to_bytes().decode(), second.to_bytes().decode())
    )
    file, gone = keys_of(world) / "withdrawn.json", ["1.2.2", "1.2.3"]
    file.write_bytes(render_withdrawals(entries))
    pin(keys_of(world), data_home)
    match after:
        case "one less":
            file.write_bytes(render_withdrawals(entries[1:]))
            gone = ["1.2.2"]
        case "none":
            file.write_bytes(render_withdrawals(()))
        case "no file":
            file.unlink()
        case "unsigned":
            file.write_bytes(render_withdrawals((entries[0], entries[1]._replace(openpgp=()))))
            gone = ["1.2.3"]
        case "cut":
            wrong = entries[1]._replace(statement=entries[1].statement.replace("1.2.3", "1.2.4"))
            file.write_bytes(render_withdrawals((entries[0], wrong)))
            gone = ["1.2.3"]
        case "reordered":
            file.write_bytes(render_withdrawals((entries[1], entries[0])))
            gone = []
        case "more":
            file.write_bytes(render_withdrawals((*entries, SignedWithdrawal(entries[0].statement))))
            gone = []
    offer = offer_of(keys_of(world), data_home, gpg=None, replace=True)
    named = [c for c in offer.changes if c.words.startswith("withdrawal")]
    assert [c.weaker for c in named] == [True] * len(gone)
    assert [version for version in ("1.2.2", "1.2.3") if any(f" {version} " in c.words for c in named)] == gone


def test_less_evidence_is_weaker(world: World, data_home: Path) -> None:
    """What need not be there can be taken away unnoticed."""
    pin(keys_of(world), data_home)
    world.edit_policy("version = 1\n", "version = 2\n")
    world.edit_policy('tag = "v{version}"\n', 'tag = "v{version}"\nevidence = ["checksums", "checksums-signature"]\n')
    changes = offer_of(keys_of(world), data_home, gpg=None, replace=True).changes
    assert [(c.words, c.weaker) for c in changes] == [
        ("artifact-signatures must no longer be there, or it was taken away", True),
    ]


@pytest.mark.parametrize("before", [1, 2])
def test_a_revocation_that_is_gone_is_weaker(world: World, keys: Forge, data_home: Path, before: int) -> None:
    """A key file without the revocation that the pinned one has brings a stolen key back."""
    file = keys_of(world) / f"{keys.alice}.asc"
    good = file.read_bytes()
    file.write_bytes(keys.revoke(keys.alice, before))
    pin(keys_of(world), data_home)
    file.write_bytes(good)
    world.edit_policy("version = 1\n", "version = 2\n")
    changes = offer_of(keys_of(world), data_home, replace=True).changes
    assert [(c.words, c.weaker) for c in changes] == [
        (f"the revocation of {keys.alice} is gone", True),
        (f"key file changed: {keys.alice}.asc", False),
    ]


def test_an_older_policy_is_not_taken_after_unpinning(world: World, data_home: Path) -> None:
    shutil.copytree(keys_of(world), world.folder / "old")
    world.edit_policy("version = 1\n", "version = 2\n")
    pin(keys_of(world), data_home)
    assert judge(world, data_home, pinned=True).exit_code == 0
    assert remove_pin(data_home, PROJECT)
    with pytest.raises(StaleError, match="version 2 was seen"):
        offer_of(world.folder / "old", data_home, gpg=None)
    world.edit_policy("signers = 1", "signers = 2")
    with pytest.raises(TamperedError, match="was seen before"):
        offer_of(keys_of(world), data_home, gpg=None)


def reseal(path: Path, edit: Callable[[dict[str, object]], None]) -> None:
    """Edit a record and its digest, as an attacker who has read our source would."""
    record = json.loads(path.read_text())["record"]
    edit(record)
    body = json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
    path.write_bytes(b'{"sha256":"' + digest_bytes(body).encode() + b'","record":' + body + b"}\n")


def test_a_pin_edited_by_hand(world: World, data_home: Path) -> None:
    pin(keys_of(world), data_home)
    path = pin_path(data_home, PROJECT)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    whole = path.read_bytes()
    spoiled = [
        whole.replace(b'"source":"/', b'"source":"x'),
        whole[:-1],
        whole + b"\n",
        whole[: len(whole) // 2],
        b"",
        b"{}",
        b"[" * 100_000,
    ]
    for content in spoiled:
        path.write_bytes(content)
        with pytest.raises(UndecidedError, match="not what Sealwright wrote"):
            read_pin(data_home, PROJECT)
    path.write_bytes(whole)
    reseal(path, lambda record: record["files"].update({"README.md": "aGVsbG8="}))  # type: ignore[attr-defined]
    with pytest.raises(UndecidedError, match="do not have its fingerprint"):
        read_pin(data_home, PROJECT)
    for key, value in {"project": "other", "kind": "magic", "since": "yesterday", "files": 1, "schema": 2}.items():
        path.write_bytes(whole)
        reseal(path, lambda record, pair=(key, value): record.update([pair]))  # type: ignore[misc]
        with pytest.raises(UndecidedError):
            read_pin(data_home, PROJECT)
    path.write_bytes(whole)
    path.chmod(0o666)
    with pytest.raises(UndecidedError, match="other users"):
        read_pin(data_home, PROJECT)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(UndecidedError, match="symbolic link"):
        read_pin(data_home, PROJECT)


@pytest.mark.parametrize("where", [pin_path, seen_path])
def test_a_record_that_others_can_change(world: World, data_home: Path, where: Callable[[Path, str], Path]) -> None:
    """By writing it, by owning it, or by putting another one into its folder."""
    pin(keys_of(world), data_home)
    assert judge(world, data_home, pinned=True).exit_code == 0
    path = where(data_home, PROJECT)
    for changed, mode in (
        (path, 0o620),
        (path, 0o602),
        (path.parent, 0o770),
        (path.parent, 0o777),
        (path.parent, 0o1777),
    ):
        before = changed.stat().st_mode
        changed.chmod(mode)
        with pytest.raises(UndecidedError, match="open to changes by other users"):
            judge(world, data_home, pinned=True)
        changed.chmod(before)
    if os.geteuid() == 0:
        for changed in (path, path.parent):
            os.chown(changed, 1234, -1)
            with pytest.raises(UndecidedError, match="another user's"):
                judge(world, data_home, pinned=True)
            os.chown(changed, 0, -1)
    assert judge(world, data_home, pinned=True).exit_code == 0


def test_a_pin_of_a_first_use_gives_way_to_a_policy(world: World, data_home: Path) -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    workflow = "https://github.com/o/r/.github/workflows/release.yml"
    who = Publisher(
        "https://token.actions.githubusercontent.com", "https://github.com/o/r", "1", "2", workflow, workflow
    )
    first = Pin(PROJECT, PinKind.FIRST_USE, now, "index", publisher=pairs_of(who, "production"))
    assert write_pin(data_home, first, None)
    assert read_pin(data_home, PROJECT) == first
    assert not write_pin(data_home, first._replace(since=now + timedelta(1)), None)  # the same, by another process
    with pytest.raises(UsageError, match="meanwhile"):
        write_pin(data_home, first._replace(publisher=pairs_of(who._replace(owner_id="3"), "production")), None)
    assert trust_of(data_home, first).policy.publisher() == who
    offer = offer_of(keys_of(world), data_home, gpg=None)
    assert [change.weaker for change in offer.changes] == [True, False]
    assert "is none of its signers" in offer.changes[0].words
    listed = '\n[[signer]]\nname = "ci"\n[[signer.sigstore]]\n'
    listed += f'identity = "{workflow}@refs/tags/v{{version}}"\noidc-issuer = "{who.issuer}"\nsource-repository = "{who.repository}"\n'
    world.policy.write_text(world.policy.read_text() + listed)
    assert "is one of its signers" in offer_of(keys_of(world), data_home, gpg=None).changes[0].words
    pin(keys_of(world), data_home)
    assert list_pins(data_home) == (PROJECT,)


def test_another_process_pins_between_question_and_answer(world: World, data_home: Path) -> None:
    offer = offer_of(keys_of(world), data_home, gpg=None)
    (keys_of(world) / "README.md").write_text("another")
    pin(keys_of(world), data_home)
    with pytest.raises(UsageError, match="meanwhile"):
        accept(offer, data_home, datetime.now(UTC))


_PIN = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sealwright.errors import SealwrightError
from sealwright.jobs.trust import accept, look_at
from sealwright.store.trust_source import FolderSource
folder, data = Path(sys.argv[1]), Path(sys.argv[2])
try:
    offer = look_at(FolderSource(folder, str(folder)), data, replace=True, now=datetime.now(UTC), gpg=None)
    print("ready", flush=True)
    sys.stdin.readline()
    print(accept(offer, data, datetime.now(UTC)))
except SealwrightError as error:
    print(error.exit_code.value, error.message)
"""


def test_twenty_processes_pin_at_once(world: World, data_home: Path) -> None:
    """Ten trust folders of one project, each by two processes: one is pinned, whole, and everybody is told the truth."""
    folders = []
    for number in range(10):
        folder = world.folder / f"keys-{number}"
        shutil.copytree(keys_of(world), folder)
        (folder / "README.md").write_text(f"number {number}")
        folders.append(folder)
    running = [
        subprocess.Popen([sys.executable, "-c", _PIN, str(f), str(data_home)], stdin=-1, stdout=-1, text=True)
        for f in folders * 2
    ]
    assert all(p.stdout and p.stdout.readline() == "ready\n" for p in running)
    for process in running:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=300)[0].strip() for process in running]
    assert said.count("True") == 1
    assert said.count("False") == 1  # the other one with the same folder
    assert sum("meanwhile" in text for text in said) == 18
    pinned = read_pin(data_home, PROJECT)
    assert pinned
    assert pinned.fingerprint == offer_of(Path(pinned.source), data_home, gpg=None).trust.fingerprint
    assert sorted(path.name for path in (data_home / "pins").iterdir()) == [".lock", f"{PROJECT}.json"]


_KILLED = """
import sys, itertools
from datetime import UTC, datetime
from pathlib import Path
from sealwright.jobs.trust import accept, look_at
from sealwright.store.trust_source import FolderSource
data = Path(sys.argv[1])
for number in itertools.count():
    folder = Path(sys.argv[2 + number % 2])
    offer = look_at(FolderSource(folder, str(folder)), data, replace=True, now=datetime.now(UTC), gpg=None)
    accept(offer, data, datetime.now(UTC))
    print(number, flush=True)
"""


def test_kill_during_a_pin(world: World, data_home: Path) -> None:
    """Kill -9 at whatever moment: the pin is one of the two, whole, and the next run is clean."""
    other = world.folder / "other"
    shutil.copytree(keys_of(world), other)
    (other / "README.md").write_text("x" * 1_000_000)
    good = {offer_of(folder, data_home, gpg=None).trust.fingerprint for folder in (keys_of(world), other)}
    for number in range(8):
        command = [sys.executable, "-c", _KILLED, str(data_home), str(keys_of(world)), str(other)]
        with subprocess.Popen(command, stdout=-1) as process:
            assert process.stdout
            for _ in range(2 + number):
                process.stdout.readline()
            process.kill()
        pinned = read_pin(data_home, PROJECT)
        assert pinned
        assert pinned.fingerprint in good
    remove_pin(data_home, PROJECT)
    pin(keys_of(world), data_home)
    assert sorted(path.name for path in (data_home / "pins").iterdir()) == [".lock", f"{PROJECT}.json"]


def test_an_older_policy_is_always_refused(world: World, data_home: Path) -> None:
    world.edit_policy("version = 1\n", "version = 3\n")
    assert judge(world, data_home).exit_code == 0
    world.edit_policy("version = 3\n", "version = 2\n")
    verdict = judge(world, data_home)
    assert failing(verdict) == {"policy.seen"}
    assert verdict.exit_code == 14
    world.edit_policy("version = 2\n", "version = 3\n")
    assert judge(world, data_home).exit_code == 0


def test_another_policy_of_the_same_version(world: World, keys: Forge, data_home: Path) -> None:
    assert judge(world, data_home).exit_code == 0
    text = world.policy.read_text()
    world.edit_policy("expires = 2", "expires = 3")
    verdict = judge(world, data_home)
    assert (failing(verdict), verdict.exit_code) == ({"policy.seen"}, 10)
    world.policy.write_text(text)
    (keys_of(world) / "README.md").write_text("judges nobody")
    assert judge(world, data_home).exit_code == 0
    (keys_of(world) / f"{keys.bob}.asc").write_bytes(keys.revoke(keys.bob, 1))
    assert judge(world, data_home).exit_code == 10


def test_a_policy_older_than_the_pin_is_refused_before_anything_was_judged_by_it(world: World, data_home: Path) -> None:
    """A pin was seen when it was pinned: a key that it dropped must not count again."""
    world.edit_policy("version = 1\n", "version = 3\n")
    pin(keys_of(world), data_home)
    world.edit_policy("version = 3\n", "version = 2\n")
    assert judge(world, data_home).exit_code == 14
    world.edit_policy("version = 2\n", "version = 3\n# another one\n")
    assert judge(world, data_home).exit_code == 10
    assert judge(world, data_home, pinned=True).exit_code == 0


def test_policies_that_are_named_beside_a_pin_are_not_taken_back_either(world: World, data_home: Path) -> None:
    pin(keys_of(world), data_home)
    for before, version, code in ((1, 5, 0), (5, 4, 14), (4, 5, 0), (5, 6, 0)):
        world.edit_policy(f"version = {before}\n", f"version = {version}\n")
        assert judge(world, data_home).exit_code == code, version
    assert judge(world, data_home, pinned=True).exit_code == 0
    assert read_seen(data_home, PROJECT).policy == 1


def test_a_policy_that_is_brought_along_does_not_pass_over_a_pin_unnoticed(
    world: World, keys: Forge, data_home: Path, tmp_path: Path
) -> None:
    """A kit of somebody's with a policy of a high version: the pin must not be an old one from then on."""
    pinned = pin(keys_of(world), data_home).trust.fingerprint
    evil = World(tmp_path / "kit")
    build(evil.dist)
    people, public = {"alice": keys.mallory}, {keys.mallory: keys.public(keys.mallory)}
    write_trust_folder(evil.folder / "keys", PROJECT, people, public, datetime.now(UTC) + timedelta(days=50))
    evil.edit_policy("version = 1\n", "version = 99\n")
    assert evil.seal(keys, keys.mallory).returncode == 0
    text = Withdrawal(PROJECT, "1.2.4", "never", "", "", "2026-01-02T03:04:05Z").to_bytes()
    entry = SignedWithdrawal(text.decode(), openpgp=(keys.sign(keys.mallory, text).decode(),))
    (evil.release / "withdrawn.json").write_bytes(render_withdrawals((entry,)))
    verdict = judge(evil, data_home)
    assert verdict.exit_code == 0
    (warning,) = verdict.warnings
    assert f"{PROJECT} is pinned with another fingerprint, {pinned}" in warning
    seen = read_seen(data_home, PROJECT)
    assert seen.beside == 99
    assert seen._replace(withdrawn=(), beside=0, beside_substance="") == Seen()
    assert [entry.by != "" for entry in read_seen(data_home, PROJECT).withdrawn] == [True], "for that policy alone"
    assert judge(evil, data_home, pinned=True).exit_code == 11
    assert judge(world, data_home, pinned=True).exit_code == 0
    done = evil.verify()
    assert f"is pinned with another fingerprint, {pinned}" in " ".join(done.stdout.split())
    assert "override" in evil.run("sealwright", "log", "show", "--action", "override").stdout
    assert judge(world, data_home).warnings == ()  # the pin's own policy, by name


def test_only_a_pass_moves_what_was_seen(world: World, data_home: Path) -> None:
    world.edit_policy("version = 1\n", "version = 9\n")
    wheel = next(world.release.glob("*.whl"))
    wheel.write_bytes(wheel.read_bytes() + b"x")
    assert judge(world, data_home).exit_code == 10
    assert judge(world, data_home, asked="9.9").exit_code == 10
    assert not seen_path(data_home, PROJECT).exists()


def newer_world(world: World, keys: Forge, version: str, signer: str = "") -> World:
    other = World(world.folder.parent / version)
    shutil.copytree(keys_of(world), other.folder / "keys")
    build(other.dist, version)
    assert other.seal(keys, signer or keys.alice).returncode == 0
    return other


def test_an_older_release(world: World, keys: Forge, data_home: Path) -> None:
    newer = newer_world(world, keys, "1.10.0")
    assert judge(newer, data_home, asked="1.10.0").exit_code == 0
    assert read_seen(data_home, PROJECT).newest == "1.10.0"
    verdict = judge(world, data_home)
    assert verdict.exit_code == 0
    assert verdict.warnings == ("1.2.3 is older than 1.10.0, the newest release that was verified here",)
    verdict = judge(world, data_home, chosen=True)
    assert (failing(verdict), verdict.exit_code) == ({"release.seen"}, 14)
    assert judge(newer, data_home, asked="1.10.0", chosen=True).exit_code == 0
    assert read_seen(data_home, PROJECT).newest == "1.10.0"


def test_the_story(world: World, keys: Forge, data_home: Path) -> None:
    """A signer goes, another comes, a version follows, the first is called back; and what a user is told at each step."""
    pin(keys_of(world), data_home)
    assert judge(world, data_home, pinned=True).exit_code == 0
    old = world.folder.parent / "old-keys"
    shutil.copytree(keys_of(world), old)
    (keys_of(world) / f"{keys.alice}.asc").write_bytes(keys.revoke(keys.alice, 1))
    mallory = f'\n[[signer]]\nname = "mallory"\n[[signer.openpgp]]\nfingerprint = "{keys.mallory}"\n'
    world.policy.write_text(world.policy.read_text().replace("version = 1\n", "version = 2\n") + mallory)
    (keys_of(world) / f"{keys.mallory}.asc").write_bytes(keys.public(keys.mallory))
    newer = newer_world(world, keys, "2.0", keys.mallory)
    verdict = judge(newer, data_home, asked="2.0", pinned=True)
    assert verdict.exit_code == 11  # the pin does not know her yet
    offer = pin(keys_of(world), data_home, replace=True)
    assert [change.words for change in offer.changes] == [
        f"signer added: mallory (OpenPGP {keys.mallory})",
        f"key file changed: {keys.alice}.asc",
    ]
    assert judge(newer, data_home, asked="2.0", pinned=True).exit_code == 0
    assert judge(world, data_home, pinned=True).exit_code == 11  # Alice's key was stolen: what it signed counts no more
    shutil.rmtree(keys_of(newer))
    shutil.copytree(old, keys_of(newer))
    assert judge(newer, data_home, asked="2.0").exit_code == 11
    assert judge(World(world.folder.parent / "2.0"), data_home, asked="2.0", pinned=True).exit_code == 0
    withdrawal = Withdrawal(PROJECT, "2.0", "it was built wrongly", "", "", "2026-01-02T03:04:05Z")
    text = withdrawal.to_bytes()
    entry = SignedWithdrawal(text.decode(), openpgp=(keys.sign(keys.bob, text).decode(),))
    (newer.release / "withdrawn.json").write_bytes(render_withdrawals((entry,)))
    assert judge(newer, data_home, asked="2.0", pinned=True).exit_code == 13
    (newer.release / "withdrawn.json").unlink()
    assert judge(newer, data_home, asked="2.0", pinned=True).exit_code == 13


def test_a_memory_that_others_can_take_away_is_never_an_empty_one(world: World, data_home: Path) -> None:
    assert judge(world, data_home).exit_code == 0
    path = seen_path(data_home, PROJECT)
    path.parent.chmod(0o777)
    path.unlink()
    with pytest.raises(UndecidedError, match="open to changes by other users") as caught:
        judge(world, data_home)
    assert f"chmod go-w {path.parent}" in (caught.value.hint or "")
    path.parent.chmod(0o700)
    assert judge(world, data_home).exit_code == 0


@pytest.mark.parametrize("kept", ["seen", "pins"])
def test_nor_one_whose_whole_folder_others_can_take_away(world: World, data_home: Path, kept: str) -> None:
    """With umask 002, as many systems set it, a folder that is made by the way is open to its group."""
    before = os.umask(0o002)
    try:
        pin(keys_of(world), data_home)
        assert judge(world, data_home, pinned=True).exit_code == 0
    finally:
        os.umask(before)
    assert data_home.stat().st_mode & 0o777 == 0o700
    data_home.chmod(0o770)
    (data_home / kept).rename(data_home / "gone")
    with pytest.raises(UndecidedError, match="open to changes by other users"):
        judge(world, data_home, pinned=kept == "pins")
    data_home.chmod(0o700)
    (data_home / "gone").rename(data_home / kept)
    assert judge(world, data_home, pinned=True).exit_code == 0


@pytest.mark.parametrize("place", ["all", "seen", "pins"])
@pytest.mark.parametrize("instead", ["link", "file"])
def test_nor_one_whose_folder_is_not_there_although_its_name_is(
    world: World, data_home: Path, place: str, instead: str
) -> None:
    """A link to a disk that is not mounted just now, or a file that somebody has put there."""
    world.edit_policy("version = 1\n", "version = 2\n")
    pin(keys_of(world), data_home)
    assert judge(world, data_home, pinned=True).exit_code == 0
    world.edit_policy("version = 2\n", "version = 1\n")
    assert judge(world, data_home).exit_code == 14
    folder = data_home if place == "all" else data_home / place
    away = data_home.with_name("away")
    folder.rename(away)
    if instead == "link":
        folder.symlink_to(away.with_name("nowhere"))
    else:
        folder.write_text("")
    with pytest.raises(UndecidedError, match="no folder") as caught:
        judge(world, data_home)
    assert str(folder) in caught.value.message
    folder.unlink()
    folder.symlink_to(away)
    assert judge(world, data_home).exit_code == 14


def test_a_damaged_memory_is_never_an_empty_one(world: World, data_home: Path) -> None:
    assert judge(world, data_home).exit_code == 0
    path = seen_path(data_home, PROJECT)
    whole = path.read_bytes()
    for content in (b"", whole[:-9], whole.replace(b'"policy":1', b'"policy":0'), b"null"):
        path.write_bytes(content)
        with pytest.raises(UndecidedError, match="was edited by hand"):
            judge(world, data_home)
        assert path.read_bytes() == content
    path.write_bytes(whole)
    reseal(path, lambda record: record.update(policy="1"))
    with pytest.raises(UndecidedError):
        judge(world, data_home)


_SYSFS = pytest.mark.skipif(
    not os.path.ismount("/sys"), reason="no sysfs is mounted here: /sys is a folder like others"
)


@pytest.mark.parametrize("data", ["/proc/nobody/home", "/dev/null/x", pytest.param("/sys/kernel/x", marks=_SYSFS)])
def test_a_home_that_cannot_be_written_is_said_and_breaks_nothing(world: World, data: str) -> None:
    verdict = judge(world, Path(data))
    assert verdict.exit_code == 0
    assert "nothing of this is remembered" in verdict.warnings[0]


def test_what_was_seen_is_not_written_again(world: World, data_home: Path) -> None:
    """Not even with the same content; reading it may move the time of the last reading."""

    def written() -> tuple[int, int, int]:
        found = seen_path(data_home, PROJECT).stat()
        return found.st_ino, found.st_mtime_ns, found.st_ctime_ns

    judge(world, data_home)
    before = written()
    verdict = judge(world, data_home)
    assert written() == before
    assert [c.outcome for c in verdict.checks if c.id == "policy.seen"] == [Outcome.PASS]


def test_twenty_verifications_at_once_in_one_home(world: World, data_home: Path) -> None:
    offer = pin(keys_of(world), data_home)
    command = [sys.executable, "-m", "sealwright.cli.verify_release", "1.2.3", "--from", "release", "--json"]
    running = [
        subprocess.Popen(command, cwd=world.folder, stdin=-3, stdout=-1, stderr=-1, text=True) for _ in range(20)
    ]
    for process in running:
        said, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert json.loads(said)["policy"]["fingerprint"] == offer.trust.fingerprint
    assert read_seen(data_home, PROJECT).newest == "1.2.3"
    assert sorted(path.name for path in (data_home / "seen").iterdir()) == [".lock", f"{PROJECT}.json"]


def test_the_data_folder_is_the_one_that_platformdirs_names(monkeypatch: pytest.MonkeyPatch) -> None:
    import platformdirs

    for home, given in (("/home/a", ""), ("/home/a", "/b/data")):
        monkeypatch.setenv("HOME", home)
        monkeypatch.setenv("XDG_DATA_HOME", given)
        assert locate_data(os.environ) == platformdirs.user_data_path("sealwright")
    assert locate_data({"HOME": "/home/a", "XDG_DATA_HOME": "relative"}) == Path("/home/a/.local/share/sealwright")

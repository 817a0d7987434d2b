"""Which OpenPGP signatures count: each attack with real keys, made on the spot."""

import os
import subprocess
import sys
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.forge import Forge, asc, utc
from support.world import GPG, SUMS, TARGETS, WHEEL, World, outcomes

from sealwright.errors import ExitCode, PolicyError, UndecidedError
from sealwright.model.verdict import Outcome, Result, Verdict


@pytest.fixture
def dying_gpg(tmp_path: Path) -> str:
    """gpg that is killed in the middle of an import (no memory is left, say): what it had not read yet is missing."""
    program = tmp_path / "gpg"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *--import*) {GPG} "$@" >/dev/null 2>&1; kill -9 $$;; esac\nexec {GPG} "$@"\n'
    )
    program.chmod(0o700)
    return str(program)


def test_a_gpg_that_dies_in_the_import_decides_nothing(world: World, dying_gpg: str) -> None:
    """A revocation may be what it had not read."""
    with pytest.raises(UndecidedError, match="import"):
        world.judge(gpg=dying_gpg)


@pytest.mark.parametrize("end", ["kill -9 $$", "exit 2"], ids=["killed", "given up"])
def test_a_gpg_that_dies_in_its_listing_decides_nothing(world: World, keys: Forge, tmp_path: Path, end: str) -> None:
    """It lists the last revocation first: that the key was compromised may be what it had not said yet."""
    key = keys.key(f"Twice revoked, {end}")
    sign_all(world, keys, key)
    list_signer(world, key, keys.revoke(key, 1, 2), 'until-version = "2.0"\n')
    refused(world.judge(), "the key was revoked (compromised, superseded)")
    program = tmp_path / "gpg"
    listing = f"{GPG} \"$@\" 2>/dev/null | sed '/^rev:/q'"
    program.write_text(f'#!/bin/sh\ncase "$*" in *--check-sigs*) {listing}; {end};; esac\nexec {GPG} "$@"\n')
    program.chmod(0o700)
    with pytest.raises(UndecidedError, match="did not finish what it had to say"):
        world.judge(gpg=str(program))


def test_a_caller_who_waits_for_no_child_hides_no_death(world: World, keys: Forge, tmp_path: Path) -> None:
    """Whoever ignores SIGCHLD hands that on by exec; the system then forgets how each of our children has ended."""
    key = keys.key("Twice revoked, unwaited")
    sign_all(world, keys, key)
    list_signer(world, key, keys.revoke(key, 1, 2), 'until-version = "2.0"\n')
    program = tmp_path / "bin" / "gpg"
    program.parent.mkdir()
    listing = f"{GPG} \"$@\" 2>/dev/null | sed '/^rev:/q'"
    program.write_text(f'#!/bin/sh\ncase "$*" in *--check-sigs*) {listing}; kill -9 $$;; esac\nexec {GPG} "$@"\n')
    program.chmod(0o700)
    asked = [
        sys.executable,
        "-m",
        "sealwright.cli.plain_call",
        "1.2.3",
        "--from",
        "release",
        "--policy",
        "keys/policy.toml",
    ]
    ignore = f"import os, signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv({asked[0]!r}, {asked!r})"
    environment = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    command = [sys.executable, "-c", ignore]
    done = subprocess.run(command, cwd=world.folder, env=environment, capture_output=True, timeout=300, check=False)
    assert (done.returncode, b"did not finish" in done.stderr) == (3, True), done.stdout


def sign_all(world: World, keys: Forge, signer: str, *options: str, at: str = "") -> None:
    """Replace every signature by one of `signer`."""
    for name in TARGETS:
        file = world.release / name
        asc(file).write_bytes(keys.sign(signer, file.read_bytes(), *options, at=at))


def list_signer(world: World, fingerprint: str, public: bytes, more: str = "") -> None:
    """Make `fingerprint` the only signer of the policy."""
    head = world.policy.read_text().split("[[signer]]")[0]
    world.policy.write_text(
        f'{head}[[signer]]\nname = "carol"\n[[signer.openpgp]]\nfingerprint = "{fingerprint}"\n{more}'
    )
    (world.policy.parent / f"{fingerprint}.asc").write_bytes(public)


def reasons(verdict: Verdict) -> str:
    return " | ".join(
        check.got for check in verdict.checks if check.id == "openpgp.signature" and check.outcome is Outcome.FAIL
    )


def refused(verdict: Verdict, why: str) -> None:
    assert verdict.exit_code is ExitCode.UNTRUSTED
    assert ("signers.threshold", "fail") in outcomes(verdict)
    assert ("openpgp.evidence", "fail") in outcomes(verdict)
    assert why in reasons(verdict)


def test_a_sealed_release_is_verified(world: World, keys: Forge) -> None:
    verdict = world.judge()
    assert verdict.result is Result.PASSED
    assert [(s.name, s.counted, s.by) for s in verdict.signers] == [("alice", True, (keys.alice,)), ("bob", False, ())]
    assert not verdict.not_checked()


@pytest.mark.parametrize("who", ["alice", "bob"], ids=["ed25519", "rsa3072-subkey"])
def test_each_kind_of_key_counts(world: World, keys: Forge, who: str) -> None:
    sign_all(world, keys, getattr(keys, who))
    assert [s.name for s in world.judge().signers if s.counted] == [who]


def test_two_keys_of_one_person_count_once(world: World, keys: Forge) -> None:
    text = world.policy.read_text().replace('[[signer]]\nname = "bob"\n', "")
    world.policy.write_text(text.replace("signers = 1", "signers = 1"))
    for name in TARGETS:
        file = world.release / name
        asc(file).write_bytes(asc(file).read_bytes() + keys.sign(keys.bob, file.read_bytes()))
    verdict = world.judge()
    assert [(s.name, len(s.by)) for s in verdict.signers] == [("alice", 2)]


def test_one_key_three_times_is_one_signer(world: World, keys: Forge) -> None:
    world.edit_policy("signers = 1", "signers = 2")
    for name in TARGETS:
        asc(world.release / name).write_bytes(3 * asc(world.release / name).read_bytes())
    verdict = world.judge()
    assert verdict.exit_code is ExitCode.UNTRUSTED
    assert [c.got for c in verdict.failed()] == ["1 of 2 signers: alice"]


def test_two_signers_meet_a_threshold_of_two(world: World, keys: Forge) -> None:
    world.policy.write_text(world.policy.read_text().replace("= 1\nopenpgp = 1", "= 2\nopenpgp = 2"))
    assert world.judge().exit_code is ExitCode.UNTRUSTED
    for name in TARGETS:
        file = world.release / name
        asc(file).write_bytes(asc(file).read_bytes() + keys.sign(keys.bob, file.read_bytes()))
    assert world.judge().result is Result.PASSED


def test_a_signer_of_one_artifact_only_does_not_count(world: World, keys: Forge) -> None:
    world.policy.write_text(world.policy.read_text().replace("= 1\nopenpgp = 1", "= 2\nopenpgp = 2"))
    file = world.release / WHEEL
    asc(file).write_bytes(asc(file).read_bytes() + keys.sign(keys.bob, file.read_bytes()))
    verdict = world.judge()
    assert verdict.exit_code is ExitCode.UNTRUSTED
    assert [(s.name, s.counted, s.covers) for s in verdict.signers] == [("alice", True, 2), ("bob", False, 1)]


def test_an_unlisted_key(world: World, keys: Forge) -> None:
    sign_all(world, keys, keys.mallory)
    refused(world.judge(), f"by a key that the policy does not list (claims to be {keys.mallory})")


def by_key_id(world: World, keys: Forge, signer: str, key_id: str) -> Verdict:
    for name in TARGETS:
        file = world.release / name
        asc(file).write_bytes(keys.sign_by_key_id(signer, file.read_bytes(), key_id))
    return world.judge()


def test_a_key_id_alone_says_where_to_look_and_nothing_else(world: World, keys: Forge) -> None:
    """Who signed is the primary fingerprint of the key that verified it (VALIDSIG), never what a signature names."""
    verdict = by_key_id(world, keys, keys.alice, keys.alice[-16:])
    assert verdict.result is Result.PASSED
    assert [(s.name, s.by) for s in verdict.signers if s.counted] == [("alice", (keys.alice,))]
    # As a key of Mallory's with the same key id would: gpg tries Alice's, and it is not hers.
    refused(by_key_id(world, keys, keys.mallory, keys.alice[-16:]), "not a signature of these bytes")
    refused(by_key_id(world, keys, keys.mallory, keys.mallory[-16:]), "by a key that the policy does not list")
    refused(by_key_id(world, keys, keys.alice, "0" * 16), "")


@pytest.mark.parametrize("digits", [8, 16, 32, 39])
def test_a_policy_that_names_a_key_by_a_part_of_its_fingerprint(world: World, keys: Forge, digits: int) -> None:
    short = keys.alice[-digits:]
    world.edit_policy(keys.alice, short)
    (world.policy.parent / f"{keys.alice}.asc").rename(world.policy.parent / f"{short}.asc")
    done = world.verify()
    assert (done.returncode, done.stdout) == (2, "")
    assert "fingerprint" in done.stderr


def test_a_bad_signature_first_hides_no_good_one(world: World, keys: Forge) -> None:
    for name in TARGETS:
        file = world.release / name
        other = keys.sign(keys.alice, b"other bytes")
        asc(file).write_bytes(other + keys.sign(keys.mallory, file.read_bytes()) + asc(file).read_bytes())
    verdict = world.judge()
    assert verdict.result is Result.PASSED
    assert "not a signature of these bytes" in reasons(verdict)
    assert "does not list" in reasons(verdict)


def test_several_packets_in_one_block_with_a_bad_one_first(world: World, keys: Forge) -> None:
    for name in TARGETS:
        file = world.release / name
        bad, good = keys.sign(keys.alice, b"other"), keys.sign(keys.alice, file.read_bytes())
        both = b"".join(keys.run("--dearmor", given=block) for block in (bad, good))
        enarmored = keys.run("--enarmor", given=both).replace(b"PGP ARMORED FILE", b"PGP SIGNATURE")
        asc(file).write_bytes(enarmored)
    assert world.judge().result is Result.PASSED


def test_a_signature_of_other_bytes(world: World, keys: Forge) -> None:
    for name in TARGETS:
        asc(world.release / name).write_bytes(keys.sign(keys.alice, b"other bytes"))
    refused(world.judge(), "not a signature of these bytes (claims to be alice")


@pytest.mark.parametrize("digest", ["SHA1", "RIPEMD160", "SHA224", "MD5"])
def test_weak_digests(world: World, keys: Forge, digest: str) -> None:
    rsa = keys.bob  # EdDSA keys refuse short digests themselves
    options = ["--digest-algo", digest, "--allow-weak-digest-algos", "--allow-weak-key-signatures", "--rfc4880"]
    try:
        sign_all(world, keys, rsa, *options)
    except Exception as error:  # noqa: BLE001  this gpg will not make it: then nobody can with this gpg
        pytest.skip(f"this gpg cannot make a {digest} signature: {error}")
    refused(world.judge(), "SHA-256 or stronger is required")


def test_text_mode(world: World, keys: Forge) -> None:
    sign_all(world, keys, keys.alice, "--textmode")
    refused(world.judge(), "class 01")


def test_clear_signed(world: World, keys: Forge) -> None:
    for name in TARGETS:
        file = world.release / name
        content = file.read_bytes() if name == SUMS else b"hello\n"
        signed = keys.run(
            "--passphrase-fd", "0", "--local-user", keys.alice, "--output", "-", "--clearsign", given=b"\n" + content
        )
        asc(file).write_bytes(signed)
    refused(world.judge(), "clear-signed")


def test_a_signed_message_in_place_of_a_signature(world: World, keys: Forge) -> None:
    file = world.release / SUMS
    options = [
        "--passphrase-fd",
        "0",
        "--local-user",
        keys.alice,
        "--armor",
        "--compress-algo",
        "none",
        "--output",
        "-",
    ]
    whole = keys.run(*options, "--sign", given=b"\n" + file.read_bytes())
    asc(file).write_bytes(whole.replace(b"PGP MESSAGE", b"PGP SIGNATURE"))
    verdict = world.judge()
    assert verdict.exit_code is ExitCode.UNTRUSTED
    assert "an OpenPGP packet of type" in reasons(verdict)


def test_a_weak_rsa_key(world: World, keys: Forge) -> None:
    weak = keys.key("Weak", algorithm="rsa1024")
    list_signer(world, weak, keys.public(weak))
    sign_all(world, keys, weak)
    refused(world.judge(), "1024 bits is too weak")


def test_a_weak_primary_with_a_strong_subkey(world: World, keys: Forge) -> None:
    weak = keys.key("Weak primary", algorithm="rsa1024", usage="cert")
    keys.add_subkey(weak, "ed25519", "sign")
    list_signer(world, weak, keys.public(weak))
    sign_all(world, keys, weak)
    refused(world.judge(), "1024 bits is too weak")


def test_an_expired_key(world: World, keys: Forge) -> None:
    old = keys.key("Old", expires="2020-06-01", at="2020-01-01")
    list_signer(world, old, keys.public(old))
    sign_all(world, keys, old, at="2020-02-01")
    verdict = world.judge()
    refused(verdict, "the key has expired")
    hints = {check.id: check.hint for check in verdict.failed() if check.subject.endswith(".asc")}
    assert "sealwright keys extend" in hints["openpgp.evidence"]
    assert world.judge(now=utc("2020-03-01")).result is Result.PASSED, (
        "the same signature counted while the key was valid"
    )


def test_a_faked_earlier_time_does_not_help_an_expired_key(world: World, keys: Forge) -> None:
    old = keys.key("Old faker", expires="2020-06-01", at="2020-01-01")
    list_signer(world, old, keys.public(old))
    sign_all(world, keys, old, at="2020-01-02")  # made now, says 2020
    refused(world.judge(), "the key has expired")


def test_an_expired_subkey_of_a_good_primary(world: World, keys: Forge) -> None:
    key = keys.key("Sub expired", usage="cert", expires="none", at="2020-01-01")
    keys.add_subkey(key, "ed25519", "sign", expires="2020-06-01", at="2020-01-02")
    list_signer(world, key, keys.public(key))
    sign_all(world, keys, key, at="2020-02-01")
    refused(world.judge(), "the key has expired")


def test_an_expired_primary_with_a_subkey_that_is_not(world: World, keys: Forge) -> None:
    key = keys.key("Primary expired", usage="cert", expires="2020-06-01", at="2020-01-01")
    keys.add_subkey(key, "ed25519", "sign", expires="none", at="2020-01-02")
    list_signer(world, key, keys.public(key))
    sign_all(world, keys, key, at="2020-02-01")
    refused(world.judge(), "expired")


def test_an_expired_signature(world: World, keys: Forge) -> None:
    old = keys.key("Signed briefly", expires="none", at="2020-01-01")
    list_signer(world, old, keys.public(old))
    sign_all(world, keys, old, "--default-sig-expire", "2020-03-01", at="2020-02-01")
    refused(world.judge(), "the signature has expired")


def test_a_key_whose_own_word_for_itself_is_weak(world: World, keys: Forge) -> None:
    """Signed by itself with SHA-1: its end and what it is for are then unknown, and gpg 2.4 takes it all the same."""
    weak = keys.key("Own SHA-1", algorithm="rsa2048", options=("--cert-digest-algo", "SHA1"))
    list_signer(world, weak, keys.public(weak))
    sign_all(world, keys, weak)
    with pytest.raises(PolicyError, match="that gpg can use") as caught:
        world.judge()
    assert "SHA-1" in caught.value.hint


@pytest.mark.parametrize("part", ["the key", "its subkey"])
def test_an_end_that_gpg_does_not_take(world: World, keys: Forge, part: str) -> None:
    """Its owner has let it end, with SHA-1: gpg removes that from the key, and goes by what was said before.

    Both are there as on a key server, which forgets nothing.
    """
    key = keys.key(f"Ended, {part}", algorithm="rsa2048", usage="cert", expires="none", at="2024-01-01")
    keys.add_subkey(key, "rsa2048", "sign", "none", "2024-01-01")
    sign_all(world, keys, key)
    before = keys.public(key)
    list_signer(world, key, before)
    assert world.judge().exit_code is ExitCode.DONE
    which = ["*"] if part == "its subkey" else []
    said = ("--passphrase-fd", "0", "--faked-system-time")
    weakly = ("--cert-digest-algo", "SHA1", *said, "20250101T000000!")
    keys.run(*weakly, "--quick-set-expire", key, "2025-06-01", *which, given=b"\n")
    before += keys.public(key)
    world.policy.with_name(f"{key}.asc").write_bytes(before)
    with pytest.raises(PolicyError, match="a newest self-signature that gpg does not take"):
        world.judge()
    keys.run(*said, "20250102T000000!", "--quick-set-expire", key, "2025-06-01", *which, given=b"\n")
    world.policy.with_name(f"{key}.asc").write_bytes(before + keys.public(key))
    refused(world.judge(), "the key has expired")


def test_an_end_that_gpg_does_not_understand(world: World, keys: Forge) -> None:
    """Its owner has let it end, in a signature that holds something new: gpg goes by what was said before."""
    key = keys.key("Ended in a new way", expires="none", at="2024-01-01")
    sign_all(world, keys, key)
    list_signer(world, key, keys.public(key))
    assert world.judge().exit_code is ExitCode.DONE
    list_signer(world, key, keys.end(key, 24 * 3600))
    with pytest.raises(PolicyError, match="a newest self-signature that gpg does not take"):
        world.judge()


def test_a_key_that_is_not_yet_valid(world: World, keys: Forge) -> None:
    future = keys.key("Future", expires="none", at="2090-01-01")
    list_signer(world, future, keys.public(future))
    sign_all(world, keys, future, at="2090-01-02")
    with pytest.raises(PolicyError, match="that gpg can use") as caught:
        world.judge()
    assert "not yet valid" in caught.value.hint
    assert world.judge(now=utc("2090-01-03")).exit_code is ExitCode.STALE, (
        "by then the key counts, and the policy has expired"
    )
    assert {check.id for check in world.judge(now=utc("2090-01-03")).failed()} == {"policy.expiry"}


def test_a_signature_from_the_future(world: World, keys: Forge) -> None:
    tomorrow = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"
    sign_all(world, keys, keys.alice, at=tomorrow)
    refused(world.judge(), "in the future")


@pytest.mark.parametrize("reason", [0, 1, 2, 3], ids=["no reason", "compromised", "superseded", "retired"])
@pytest.mark.parametrize("until", ["", "1.0", "1.2.3", "2.0"])
def test_a_revoked_key(world: World, keys: Forge, reason: int, until: str) -> None:
    """gpg's menu: 0 no reason, 1 compromised, 2 superseded, 3 retired."""
    key = keys.key(f"Revoked {reason} {until}")
    sign_all(world, keys, key)
    list_signer(world, key, keys.revoke(key, reason), f'until-version = "{until}"\n' if until else "")
    verdict = world.judge()
    if reason in (2, 3) and until in ("1.2.3", "2.0"):
        assert verdict.result is Result.PASSED
    else:
        refused(verdict, "the key was revoked" if reason in (0, 1) or not until else "counts only until version 1.0")


@pytest.mark.parametrize(("until", "counts"), [("1.0", False), ("1.2.3", True), ("2.0", True)])
def test_a_key_that_the_policy_retired_counts_up_to_its_until_version(
    world: World, keys: Forge, until: str, counts: bool
) -> None:
    list_signer(world, keys.alice, keys.public(keys.alice), f'until-version = "{until}"\n')
    verdict = world.judge()
    if counts:
        assert verdict.result is Result.PASSED
    else:
        refused(verdict, "counts only until version 1.0")


def test_a_key_file_with_another_key(world: World, keys: Forge) -> None:
    (world.policy.parent / f"{keys.alice}.asc").write_bytes(keys.public(keys.mallory))
    with pytest.raises(PolicyError, match="holds no OpenPGP key of that fingerprint"):
        world.judge()


def test_a_key_file_with_one_key_too_many(world: World, keys: Forge) -> None:
    file = world.policy.parent / f"{keys.alice}.asc"
    file.write_bytes(file.read_bytes() + keys.public(keys.mallory))
    with pytest.raises(PolicyError, match=r"also holds the key|holds no OpenPGP key"):
        world.judge()


def test_a_subkey_fingerprint_is_not_a_signer(world: World, keys: Forge) -> None:
    listing = keys.run("--with-colons", "--list-keys", keys.bob).decode().splitlines()
    subkey = [line.split(":")[9] for line in listing if line.startswith("fpr")][1]
    list_signer(world, subkey, keys.public(keys.bob))
    sign_all(world, keys, keys.bob)
    with pytest.raises(PolicyError):
        world.judge()


def test_without_gpg_nothing_is_decided(world: World) -> None:
    verdict = world.judge(gpg=None)
    assert (verdict.result, verdict.exit_code) == (Result.UNDECIDED, ExitCode.UNDECIDED)


def test_without_gpg_tampering_is_still_seen(world: World) -> None:
    (world.release / WHEEL).write_bytes(b"evil")
    assert world.judge(gpg=None).exit_code is ExitCode.TAMPERED


def test_a_signature_that_gpg_cannot_read_costs_no_other_file_its_own(world: World, keys: Forge) -> None:
    """A version 6 signature, as RFC 9580 makes them, beside a good one: gpg's last words belong to nobody."""
    odd = b"\xc2\x06\x06\x00\x1b\x0a\x00\x00"
    enarmored = keys.run("--enarmor", given=odd).replace(b"PGP ARMORED FILE", b"PGP SIGNATURE")
    for name in TARGETS:
        file = asc(world.release / name)
        file.write_bytes(enarmored + file.read_bytes() + enarmored)
    verdict = world.judge()
    assert verdict.result is Result.PASSED
    assert len(verdict.reported()) == 6


def test_key_material_under_two_keys_would_count_twice(world: World, keys: Forge) -> None:
    """Carol's signing subkey is Alice's key with another creation time: one secret, two fingerprints."""
    from support.forge import adopt

    carol, public = adopt(keys, keys.alice)
    text = world.policy.read_text()
    world.policy.write_text(f'{text}\n[[signer]]\nname = "carol"\n[[signer.openpgp]]\nfingerprint = "{carol}"\n')
    (world.policy.parent / f"{carol}.asc").write_bytes(public)
    with pytest.raises(PolicyError, match="share key material"):
        world.judge()


@pytest.mark.parametrize("half", [False, True])
def test_a_revocation_that_gpg_passes_over(world: World, keys: Forge, half: bool) -> None:
    """One that stands before its key, and one whose armor breaks off."""
    key = keys.key(f"Passed over, {half}")
    sign_all(world, keys, key)
    revoked, public = keys.revocation(key, 1), keys.public(key)
    list_signer(world, key, public + revoked)
    refused(world.judge(), "the key was revoked (compromised)")
    list_signer(world, key, public + revoked[:150] if half else revoked + public)
    with pytest.raises(PolicyError, match="could not take in all"):
        world.judge()


@pytest.mark.parametrize("how", ["UTF-16", "indented", "quoted", "words"])
def test_what_stands_outside_of_a_key_block_is_refused(world: World, keys: Forge, how: str) -> None:
    """gpg passes it over without a word, and exits with 0: it may be the key's revocation."""
    key = keys.key(f"Outside, {how}")
    sign_all(world, keys, key)
    revoked, public = keys.revocation(key, 1), keys.public(key)
    list_signer(world, key, public + b"\r\n \n" + revoked.replace(b"\n", b"\r\n"))
    refused(world.judge(), "the key was revoked (compromised)")
    prefix = {"indented": b"  ", "quoted": b"> "}.get(how, b"")
    hidden = b"".join(prefix + line for line in revoked.splitlines(keepends=True))
    hidden = {"UTF-16": revoked.decode().encode("utf-16"), "words": b"revoked by letter"}.get(how, hidden)
    list_signer(world, key, public + hidden)
    with pytest.raises(PolicyError, match="outside of its key block"):
        world.judge()


@pytest.mark.parametrize("how", ["carriage returns", "form feed", "after the checksum"])
def test_what_gpg_takes_for_no_armor_is_refused(world: World, keys: Forge, how: str) -> None:
    """gpg ends a line at a newline alone, a block at its checksum, and passes over the rest without a word."""
    key = keys.key(f"No armor, {how}")
    sign_all(world, keys, key)
    revoked, public = keys.revocation(key, 1), keys.public(key)
    if how == "carriage returns":
        content = public + revoked.replace(b"\n", b"\r") + b"\n"
    elif how == "form feed":
        content = public + revoked.replace(b"BLOCK-----", b"BLOCK-----\f")
    else:
        body = revoked.partition(b"\n\n")[2].partition(b"-----END")[0]
        content = public.replace(b"-----END", body + b"-----END")
    list_signer(world, key, content)
    with pytest.raises(PolicyError, match=r"outside of its key block|could not take in all"):
        world.judge()


@pytest.mark.parametrize("first", [b"\xef\xff\x00\x00\x05H\n", b"\xcd\x01H\n", b"\xb4\x01H\n", b"\xff\n"])
def test_a_file_that_only_begins_like_a_binary_one_is_refused(world: World, keys: Forge, first: bytes) -> None:
    """gpg passes over a line that is no key, and takes in the armor behind it, with a revocation that it does not take."""
    key = keys.key(f"Begins like {first.hex()}")
    sign_all(world, keys, key)
    list_signer(world, key, first + keys.public(key) + keys.revocation(key, 1, "--cert-digest-algo", "SHA1"))
    with pytest.raises(PolicyError, match=r"outside of its key block|could not take in all|cannot be read"):
        world.judge()


def _outcome(world: World) -> str:
    try:
        verdict = world.judge()
    except PolicyError as error:
        return error.message
    assert verdict.exit_code is not ExitCode.DONE
    return reasons(verdict)


@pytest.mark.parametrize("order", [(2, 1), (1, 2)], ids=["graver first", "graver last"])
def test_a_graver_revocation_of_a_subkey_is_not_lost_behind_a_newer_one(
    world: World, keys: Forge, order: tuple[int, int]
) -> None:
    """Of a subkey's revocations gpg keeps the newest: superseded, which counts until a version, hides compromised."""
    key = keys.key(f"Twice revoked {order}", usage="cert", expires="none")
    keys.add_subkey(key, "ed25519", "sign", "none")
    sign_all(world, keys, key)
    copies = [keys.revoke_subkey(key, reason, later) for later, reason in enumerate((1, 2))]  # compromised, superseded
    list_signer(world, key, copies[order[0] - 1] + copies[order[1] - 1])
    world.edit_policy(f'fingerprint = "{key}"', f'fingerprint = "{key}"\nuntil-version = "2.0"')
    said = _outcome(world)
    assert "compromised" in said or ("a revocation of" in said and "does not take" in said)


def test_a_revocation_with_sha1_does_not_matter_beside_a_good_one(world: World, keys: Forge) -> None:
    key = keys.key("Revoked well, too")
    sign_all(world, keys, key)
    weakly = keys.revocation(key, 1, "--cert-digest-algo", "SHA1")
    list_signer(world, key, keys.public(key) + weakly + keys.revocation(key, 1))
    said = _outcome(world)  # gpg 2.4 says of itself that it could not take in all
    assert "the key was revoked" in said or "could not take in all" in said


def test_a_revocation_that_stands_behind_another_subkey_is_not_left_aside(world: World, keys: Forge) -> None:
    """gpg does not take it, so nobody knows which part it is about: perhaps the one that signs."""
    key = keys.key("Old encryption", algorithm="rsa2048", usage="sign")
    keys.add_subkey(key, "rsa2048", "encr")
    sign_all(world, keys, key)
    list_signer(world, key, keys.revoke_subkey(key, 0, 0, "--cert-digest-algo", "SHA1"))
    with pytest.raises(PolicyError, match=r"holds a revocation of|could not take in all") as caught:
        world.judge()
    assert "delkey" in caught.value.hint or "Export each key again" in caught.value.hint


@pytest.mark.parametrize(
    "armor",
    [(b"\n\n", b"\nComment: \nX_y: z\n\n"), (b"-----END", b"\n\n-----END"), (b"\n", b"\r\n")],
    ids=["headers", "blank lines", "CRLF"],
)
def test_armor_that_others_make_is_read(world: World, keys: Forge, armor: tuple[bytes, bytes]) -> None:
    key = keys.key(f"Armor {armor[1]!r}")
    sign_all(world, keys, key)
    public = keys.public(key)
    list_signer(world, key, public.replace(*armor) if armor[0] == b"\n" else public.replace(*armor, 1))
    assert world.judge().exit_code is ExitCode.DONE


@pytest.mark.parametrize("form", ["armored", "binary"])
def test_a_revocation_that_gpg_does_not_take(world: World, keys: Forge, form: str) -> None:
    """With SHA-1 refused, gpg removes it from the key without a word: what a stolen key signs would count."""
    key = keys.key(f"Not taken, {form}")
    sign_all(world, keys, key)
    content = keys.public(key) + keys.revocation(key, 1, "--cert-digest-algo", "SHA1")
    list_signer(world, key, keys.run("--dearmor", given=content) if form == "binary" else content)
    with pytest.raises(PolicyError, match=r"holds a revocation that gpg does not take|gpg could not take in all"):
        world.judge()


def _packed(packets: bytes) -> bytes:
    """A packet that holds others, compressed: RFC 9580, 5.6."""
    body = b"\x02" + zlib.compress(packets)
    return b"\xc8\xff" + len(body).to_bytes(4) + body


@pytest.mark.parametrize("form", ["marker", "comment", "old comment", "compressed", "compressed in armor"])
def test_a_revocation_that_gpg_does_not_take_hides_behind_no_other_packet(world: World, keys: Forge, form: str) -> None:
    """gpg passes over a marker and a comment, and takes in a key that stands behind it, or in a compressed packet."""
    key = keys.key(f"Hidden, {form}")
    sign_all(world, keys, key)
    content = keys.public(key) + keys.revocation(key, 1, "--cert-digest-algo", "SHA1")
    packets = keys.run("--dearmor", given=content)
    before = {"marker": b"\xca\x03PGP", "comment": b"\xfd\x01x", "old comment": b"\xd0\x01x"}
    packets = before[form] + packets if form in before else _packed(packets)
    if form.endswith("armor"):
        packets = keys.run("--enarmor", given=packets).replace(b"PGP ARMORED FILE", b"PGP PUBLIC KEY BLOCK")
    list_signer(world, key, packets)
    expected = r"holds a revocation that gpg does not take|no place in a key|could not take in all"
    with pytest.raises(PolicyError, match=expected):
        world.judge()


@pytest.mark.parametrize("form", ["binary", "armored as public"])
def test_a_secret_key_in_the_trust_folder(world: World, keys: Forge, form: str) -> None:
    secret = keys.secret(keys.alice)
    if form == "binary":
        content = keys.run("--dearmor", given=secret)
    else:
        content = secret.replace(b"PRIVATE KEY BLOCK", b"PUBLIC KEY BLOCK")
    (world.policy.parent / f"{keys.alice}.asc").write_bytes(content)
    with pytest.raises(PolicyError, match="SECRET"):
        world.judge()


def test_more_signatures_than_anybody_makes(world: World, keys: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sealwright.verify.openpgp._MOST_SIGNATURES", 2)
    verdict = world.judge()
    assert verdict.exit_code is ExitCode.UNTRUSTED
    assert "none was judged" in reasons(verdict)

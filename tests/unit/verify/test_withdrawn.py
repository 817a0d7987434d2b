"""Withdrawals: any one signer of the policy calls a version back, nobody else does, and nobody takes it back."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from support.forge import Forge
from support.keyless import WORKFLOW, Run, bundle_by, keyless_world
from support.pinning import failing, judge, pin
from support.world import GPG, PROJECT, VERSION, World

from sealwright.errors import PolicyError, UsageError
from sealwright.jobs.withdraw import build_withdrawal, by_openpgp, find_standing, judge_of, withdraw
from sealwright.model.seen import Remembered, Seen
from sealwright.model.verdict import Outcome, Verdict
from sealwright.model.withdrawal import SignedWithdrawal, Withdrawal, render_withdrawals
from sealwright.sandbox.sigstore import Sigstore
from sealwright.sign.openpgp import signer_from_file
from sealwright.store.seen import read_seen, remember
from sealwright.store.trust_folder import read_trust_folder

GOOD = Withdrawal(PROJECT, VERSION, "it deletes files", "1.2.4", "CVE-2026-1", "2026-01-02T03:04:05Z")
SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "withdrawn.schema.json").read_text())


def signed(keys: Forge, by: str, withdrawal: Withdrawal = GOOD, statement: str = "") -> SignedWithdrawal:
    text = statement or withdrawal.to_bytes().decode()
    return SignedWithdrawal(text, openpgp=(keys.sign(by, text.encode()).decode(),))


def offer(world: World, *entries: SignedWithdrawal, beside: str = "release") -> None:
    (world.folder / beside / "withdrawn.json").write_bytes(render_withdrawals(entries))


def said(verdict: Verdict) -> list[str]:
    return [c.got for c in verdict.checks if c.id == "withdrawal.signature" and c.outcome is Outcome.FAIL]


@pytest.mark.parametrize("beside", ["release", "keys"])
def test_one_signer_suffices(world: World, keys: Forge, data_home: Path, beside: str) -> None:
    offer(world, signed(keys, keys.bob), beside=beside)
    verdict = judge(world, data_home)
    assert (failing(verdict), verdict.exit_code) == ({"release.withdrawn"}, 13)
    check = verdict.failed()[0]
    assert check.got == "withdrawn by its project: it deletes files (CVE-2026-1)"
    assert check.hint == "Use version 1.2.4 instead."
    jsonschema_rs.validate(SCHEMA, json.loads((world.folder / beside / "withdrawn.json").read_text()))


def test_remembered_for_ever(world: World, keys: Forge, data_home: Path) -> None:
    """Neither a later file that lacks it, nor a newer policy, nor a signer who is gone takes it back."""
    pin(world.folder / "keys", data_home)
    offer(world, signed(keys, keys.bob))
    assert judge(world, data_home, pinned=True).exit_code == 13
    offer(world)
    assert judge(world, data_home, pinned=True).exit_code == 13
    (world.release / "withdrawn.json").unlink()
    assert judge(world, data_home, pinned=True).exit_code == 13
    assert judge(world, data_home, pinned=True, gpg=None).exit_code == 13
    assert read_seen(data_home, PROJECT).withdrawn == (Remembered(GOOD),)


def test_of_another_version(world: World, keys: Forge, data_home: Path) -> None:
    offer(world, signed(keys, keys.alice, GOOD._replace(version="1.2.2")))
    verdict = judge(world, data_home)
    assert verdict.exit_code == 0
    assert [w.version for w in read_seen(data_home, PROJECT).counting("any policy")] == ["1.2.2"]


@pytest.mark.parametrize("spelling", ["1.2.3.0", "v1.2.3", "1.2.3-0.post0", "01.2.3"])
def test_a_version_is_a_version_however_it_is_spelled(
    world: World, keys: Forge, data_home: Path, spelling: str
) -> None:
    offer(world, signed(keys, keys.alice, GOOD._replace(version=spelling)))
    hits = "post" not in spelling
    assert judge(world, data_home).exit_code == (13 if hits else 0)


@pytest.mark.parametrize("version", ["1.2.3+evil", "1.2.3rc1", "1.2.30", "1.2"])
def test_another_version_that_looks_alike(world: World, keys: Forge, data_home: Path, version: str) -> None:
    offer(world, signed(keys, keys.alice, GOOD._replace(version=version)))
    assert judge(world, data_home).exit_code == 0


def test_by_nobody_listed(world: World, keys: Forge, data_home: Path) -> None:
    offer(world, signed(keys, keys.mallory))
    verdict = judge(world, data_home)
    assert verdict.exit_code == 0
    assert len(said(verdict)) == 1
    assert not read_seen(data_home, PROJECT).withdrawn


def test_by_a_key_that_is_revoked(world: World, keys: Forge, data_home: Path) -> None:
    entry = signed(keys, keys.bob)
    (world.folder / "keys" / f"{keys.bob}.asc").write_bytes(keys.revoke(keys.bob, 1))
    offer(world, entry)
    verdict = judge(world, data_home)
    assert verdict.exit_code == 0
    assert "revoked" in said(verdict)[0]


def test_by_a_key_that_is_retired(world: World, keys: Forge, data_home: Path) -> None:
    entry = signed(keys, keys.bob)
    (world.folder / "keys" / f"{keys.bob}.asc").write_bytes(keys.revoke(keys.bob, 3))
    line = f'fingerprint = "{keys.bob}"\n'
    world.edit_policy(line, line + 'until-version = "2.0"\n')
    offer(world, entry)
    assert judge(world, data_home).exit_code == 0


def test_of_another_project_of_the_same_people(world: World, keys: Forge, data_home: Path) -> None:
    offer(world, signed(keys, keys.alice, GOOD._replace(project="other")))
    verdict = judge(world, data_home)
    assert verdict.exit_code == 0
    assert said(verdict) == ["of another project, other"]


def _statement(**more: Any) -> str:
    document = json.loads(GOOD.to_bytes()) | more
    return json.dumps(document, sort_keys=True, separators=(",", ":")) + "\n"


FORGED: dict[str, Callable[[str], str]] = {
    "another reason": lambda text: text.replace("files", "hopes"),
    "another version": lambda text: text.replace('"version":"1.2.3"', '"version":"1.2.4"'),
    "without its newline": str.strip,
    "a space more": lambda text: text.replace(":1,", ": 1,"),
    "a name twice": lambda text: text.replace("{", '{"version":"9",', 1),
    "empty": lambda text: "",
    "no object": lambda text: "[]\n",
    "too deep": lambda text: "[" * 5000,
}


@pytest.mark.parametrize("how", FORGED)
def test_a_statement_that_was_changed(world: World, keys: Forge, data_home: Path, how: str) -> None:
    entry = signed(keys, keys.alice)
    offer(world, entry._replace(statement=FORGED[how](entry.statement)))
    verdict = judge(world, data_home)
    assert verdict.exit_code == 0
    assert len(said(verdict)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        _statement(_type="sealwright-something"),
        _statement(schema=2),
        _statement(more=1),
        _statement(version="none"),
        _statement(version=1),
        _statement(reason=""),
        _statement(reason="x" * 1001),
        _statement(reason="\u001b[2J"),
    ],
)
def test_a_signed_statement_that_is_none(world: World, keys: Forge, data_home: Path, statement: str) -> None:
    offer(world, signed(keys, keys.alice, statement=statement))
    verdict = judge(world, data_home)
    assert verdict.exit_code == 0
    assert len(said(verdict)) == 1


def test_nothing_hides_a_good_one(world: World, keys: Forge, data_home: Path) -> None:
    """Junk around it, in its own file or in another: each entry is judged by itself."""
    good = signed(keys, keys.alice)
    block = good.openpgp[0]
    junk = [
        SignedWithdrawal(good.statement, ("-----BEGIN PGP SIGNATURE-----\n",)),
        signed(keys, keys.mallory),
        SignedWithdrawal("{", ("x",)),
        SignedWithdrawal(good.statement, (), ("{}", "x")),
        good._replace(statement=good.statement.replace("files", "hopes")),
        SignedWithdrawal(good.statement, ("-----BEGIN PGP SIGNATURE-----\n", "nothing", block[:200])),
    ]
    offer(world, *junk, good, *junk)
    assert judge(world, data_home).exit_code == 13


def _armor(packets: bytes) -> str:
    text = base64.b64encode(packets).decode()
    return f"-----BEGIN PGP SIGNATURE-----\n\n{text}\n-----END PGP SIGNATURE-----\n"


@pytest.mark.parametrize("beside", ["release", "keys"])
def test_nor_do_thousands_of_signatures_in_few_entries(world: World, keys: Forge, data_home: Path, beside: str) -> None:
    """More than are judged at once: those of the others, and not all, are worth nothing."""
    flood = SignedWithdrawal(GOOD._replace(version="0.1").to_bytes().decode(), (_armor(b"\xc2\x02\x04\x00" * 100),) * 5)
    full = flood._replace(openpgp=(_armor(b"\xc2\x02\x04\x00" * 5),) * 5)
    offer(world, *[flood] * 11, *[full] * 188, signed(keys, keys.alice), beside=beside)
    verdict = judge(world, data_home)
    assert verdict.exit_code == 13
    assert said(verdict)[0] == "0.1: more than 5 signatures in one text; none was judged"


def test_no_file_hides_that_of_another_place(world: World, keys: Forge, data_home: Path) -> None:
    offer(world, signed(keys, keys.alice), beside="keys")
    flood = SignedWithdrawal(GOOD.to_bytes().decode(), ("\n".join([signed(keys, keys.mallory).openpgp[0]] * 200),) * 5)
    for content in (b"", b"{}", b"\xff", b"[" * 1_000_000, render_withdrawals((flood,) * 2)):
        (world.release / "withdrawn.json").write_bytes(content)
        assert judge(world, data_home / str(len(content))).exit_code == 13


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b"null",
        b'{"schema":2,"withdrawals":[]}',
        b'{"schema":1,"withdrawals":{}}',
        b'{"schema":1,"withdrawals":[1,{},{"statement":1},{"statement":"x","openpgp":"y"}]}',
        b'{"schema":1,"withdrawals":[' + b",".join([b"{}"] * 201) + b"]}",
    ],
)
def test_no_list_of_withdrawals_is_reported_and_costs_nothing(world: World, data_home: Path, content: bytes) -> None:
    (world.release / "withdrawn.json").write_bytes(content)
    verdict = judge(world, data_home)
    assert verdict.exit_code == 0
    assert said(verdict)


def test_without_gpg_nobody_can_tell(world: World, keys: Forge, data_home: Path) -> None:
    offer(world, signed(keys, keys.alice))
    assert "release.withdrawn" in failing(judge(world, data_home, gpg=None))
    assert not read_seen(data_home, PROJECT).withdrawn


def test_a_policy_that_is_older_calls_nothing_back(world: World, keys: Forge, data_home: Path) -> None:
    """Its keys may have been stolen since: what it says is not remembered."""
    world.edit_policy("version = 1\n", "version = 2\n")
    assert judge(world, data_home).exit_code == 0
    world.edit_policy("version = 2\n", "version = 1\n")
    offer(world, signed(keys, keys.alice))
    assert judge(world, data_home).exit_code == 13
    assert not read_seen(data_home, PROJECT).withdrawn


def test_the_last_word_counts(world: World, keys: Forge, data_home: Path) -> None:
    later = GOOD._replace(replacement="1.2.5", time="2026-02-02T03:04:05Z")
    offer(world, signed(keys, keys.alice), signed(keys, keys.bob, later), signed(keys, keys.bob))
    assert judge(world, data_home).failed()[0].hint == "Use version 1.2.5 instead."


def test_by_sigstore(tmp_path: Path, sigstore: Sigstore, data_home: Path) -> None:
    keyless = keyless_world(tmp_path / "world", sigstore)
    Run(keyless, sigstore).seal()
    text = GOOD.to_bytes()
    fork = bundle_by(sigstore, text, WORKFLOW._replace(repository="m/r")).decode()
    artifact = next(keyless.release.glob("*.whl.sigstore.json")).read_text()
    for bundle, words in ((artifact, "digest mismatch"), (fork, "does not list"), ("\ud800", "decode")):
        offer(keyless, SignedWithdrawal(text.decode(), (), (bundle,)))
        verdict = judge(keyless, data_home)
        assert verdict.exit_code == 0
        assert words in said(verdict)[0]
    withdrawal = build_withdrawal(
        read_trust_folder(keyless.policy, keyless.release), VERSION, "it deletes files", "1.2.4", "", datetime.now(UTC)
    )
    made = bundle_by(sigstore, withdrawal.to_bytes(), WORKFLOW).decode()
    offer(keyless, SignedWithdrawal(withdrawal.to_bytes().decode(), (), (artifact, fork, made)))
    assert judge(keyless, data_home).exit_code == 13


def test_withdrawing_with_sigstore(tmp_path: Path, sigstore: Sigstore, data_home: Path) -> None:
    """As a CI job would: the command, with the token of a workflow, and the sandbox in the place of the public one."""
    keyless = keyless_world(tmp_path / "world", sigstore)
    Run(keyless, sigstore).seal()
    (keyless.folder / "config.json").write_bytes(sigstore.trust_config_json(rekor=1, timestamps=True))
    command = ["sealwright", "withdraw", VERSION, "--reason", "bad", "--trust-config", "config.json", "--yes"]
    for claims, code in ((WORKFLOW._replace(repository="m/r"), 2), (WORKFLOW, 0)):
        done = keyless.run(*command, "--identity-token", "-", input=sigstore.github_token(claims))
        assert done.returncode == code, done.stdout + done.stderr
        assert (keyless.folder / "keys" / "withdrawn.json").exists() == (code == 0)
    assert judge(keyless, data_home).exit_code == 13
    other = tmp_path / "other-data"
    pin(keyless.folder / "keys", other, gpg=None)  # which Sigstore does not need
    assert [entry.version for entry in read_seen(other, PROJECT).counting("any policy")] == [VERSION]


def make(
    world: World, keys: Forge, by: str, reason: str = "it deletes files", replacement: str = "1.2.4"
) -> tuple[Any, Any]:
    trust = read_trust_folder(world.policy, world.release)
    now = datetime.now(UTC)
    wanted = build_withdrawal(trust, VERSION, reason, replacement, "", now)
    judged = judge_of(trust, now, GPG)
    if standing := find_standing(trust, wanted, judged):
        return standing, trust
    sign = by_openpgp(lambda: signer_from_file(GPG, keys.secret(by), lambda fingerprint: ""), trust)
    return withdraw(trust, wanted, sign, judged), trust


def test_withdrawing(world: World, keys: Forge, data_home: Path) -> None:
    from sealwright.store.trust_sums_writing import write_sums

    pin(world.folder / "keys", data_home)
    write_sums(world.folder / "keys")
    made, before = make(world, keys, keys.bob)
    assert (made.signer, made.signed_now, made.sums_written) == ("bob", True, True)
    assert judge(world, data_home).exit_code == 13
    after = read_trust_folder(world.policy, world.release)
    assert after.fingerprint != before.fingerprint
    assert after.substance == before.substance
    jsonschema_rs.validate(SCHEMA, json.loads((world.folder / "keys" / "withdrawn.json").read_text()))
    again, _ = make(world, keys, keys.alice)
    assert (again.signer, again.signed_now) == ("bob", False)
    third, _ = make(world, keys, keys.alice, replacement="1.2.5")
    assert third.signed_now
    assert pin(world.folder / "keys", data_home, replace=True).changes[0].words == "withdrawn.json added"


def test_who_is_not_listed_withdraws_nothing(world: World, keys: Forge) -> None:
    with pytest.raises(UsageError, match="is not in"):
        make(world, keys, keys.mallory)
    (world.folder / "keys" / f"{keys.bob}.asc").write_bytes(keys.revoke(keys.bob, 1))
    with pytest.raises(UsageError, match="would not count"):
        make(world, keys, keys.bob)
    assert not (world.folder / "keys" / "withdrawn.json").exists()


@pytest.mark.parametrize(
    ("version", "replacement", "reason"),
    [("x", "", "r"), ("1", "y", "r"), ("1.0", "1", "r"), ("1", "", "a\nb"), ("1", "", "x" * 2000)],
)
def test_a_withdrawal_that_cannot_be(world: World, version: str, replacement: str, reason: str) -> None:
    trust = read_trust_folder(world.policy, world.release)
    with pytest.raises(UsageError):
        build_withdrawal(trust, version, reason, replacement, "", datetime.now(UTC))


def test_many_are_remembered_for_ever(world: World, keys: Forge, data_home: Path) -> None:
    """Whoever robs one signer's key fills the memory first: what is called back after that is remembered, too."""
    many = tuple(Remembered(GOOD._replace(version=f"9.{number}")) for number in range(1_100))
    remember(data_home, PROJECT, Seen(), lambda before: before._replace(withdrawn=many))
    offer(world, signed(keys, keys.bob))
    assert judge(world, data_home).exit_code == 13
    (world.release / "withdrawn.json").unlink()
    assert judge(world, data_home).exit_code == 13


SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "torn": lambda whole: whole[:-9],
    "a name twice": lambda whole: whole.replace(b"{", b'{"schema":1,', 1),
    "of a later version": lambda whole: whole.replace(b'"schema": 1', b'"schema": 2', 1),
    "too large": lambda whole: b" " * 2_000_000 + whole,
    "too deep": lambda whole: b"[" * 100_000,
    "empty": lambda whole: b"",
    "no object": lambda whole: b"[]",
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_file_that_cannot_be_read(world: World, keys: Forge, data_home: Path, how: str) -> None:
    """Beside a policy it is never taken as if it called nothing back; beside a release it is reported, for anybody could put it there."""
    whole = render_withdrawals((signed(keys, keys.bob),))
    (world.folder / "keys" / "withdrawn.json").write_bytes(SPOILED[how](whole))
    for take in (lambda: pin(world.folder / "keys", data_home), lambda: judge(world, data_home)):
        with pytest.raises(PolicyError, match=r"withdrawn.json of .* cannot be read: it is"):
            take()
    (world.folder / "keys" / "withdrawn.json").write_bytes(whole)
    pin(world.folder / "keys", data_home)
    (world.release / "withdrawn.json").write_bytes(SPOILED[how](whole))
    verdict = judge(world, data_home, pinned=True)
    assert verdict.exit_code == (10 if how == "too large" else 13)
    assert "release.withdrawn" in failing(verdict)

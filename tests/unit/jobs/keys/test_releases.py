"""Releases sealed before and after a subkey was rotated, extended or revoked, judged as docs/keys.md says.

GnuPG for real: each key is made here, and each command is the one that a maintainer runs.
"""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from support.forge import Forge
from support.maintainer import Desk, good, refused, sit_down
from support.world import PROJECT, World, build, make_world

from sealwright.errors import ExitCode
from sealwright.model.policy_toml import parse_policy
from sealwright.model.verdict import Verdict

OLD, NEW = "1.2.3", "1.3.0"
MONTHS = timedelta(days=31)


class Rotated(NamedTuple):
    """Two releases: the old one was signed by the first subkey, the new one by the second."""

    folder: Path
    key: str
    first: str
    second: str

    def judge(self, version: str, now: datetime | None = None) -> Verdict:
        return _judge(World(self.folder), version, now)


def _judge(world: World, version: str, now: datetime | None) -> Verdict:
    from support.world import GPG

    from sealwright.jobs.verify.release import parse_asked, verify_folder
    from sealwright.store.trust_folder import read_trust_folder

    release = world.folder / version
    trust = read_trust_folder(world.policy, release)
    asked = parse_asked(f"{PROJECT}=={version}")
    return verify_folder(release, trust, asked=asked, clock=lambda: now or datetime.now(UTC), gpg=GPG)


def seal(world: World, version: str) -> None:
    build(world.folder / f"dist-{version}", version)
    key = ["--openpgp-key-file", "key.asc", "--out", version]
    done = world.run("sealwright", "seal", f"dist-{version}", *key)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def rotated(keys: Forge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rotated]:
    """Carol's key with its first subkey; a release; the subkey rotated; another release. The secret is in key.asc."""
    world = make_world(tmp_path_factory.mktemp("rotated") / "world", keys)
    carol = keys.key("Carol who rotates", usage="cert", expires="never")
    keys.add_subkey(carol, "ed25519", "sign")
    (world.folder / "key.asc").write_bytes(keys.secret(carol))
    (world.folder / "sent.asc").write_bytes(keys.public(carol))
    text = world.policy.read_text()
    year = f"{datetime.now(UTC) + timedelta(days=3650):%Y}-01-01T00:00:00Z"
    world.policy.write_text("\n".join(f"expires = {year}" if s.startswith("expires") else s for s in text.split("\n")))
    with pytest.MonkeyPatch.context() as patched, sit_down(world.folder, patched) as desk:
        good(desk("add", "sent.asc", "--signer", "carol", "--fingerprint", carol))
        seal(world, OLD)
        (first,) = subkeys(world, carol)
        output = good(desk("rotate", carol, "--key-file", "key.asc"))
        second = output.split()[1]
        seal(world, NEW)
        assert subkeys(world, carol) == [first, second]
        yield Rotated(world.folder, carol, first, second)


def subkeys(world: World, fingerprint: str) -> list[str]:
    from sealwright.jobs.keys.status import keys_status

    found = keys_status("gpg", world.policy, None, world.folder / "no-log", datetime.now(UTC)).keys
    return [p.fingerprint for key in found if key.fingerprint == fingerprint for p in key.parts if not p.primary]


@pytest.fixture
def copy(rotated: Rotated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Rotated, Desk]]:
    shutil.copytree(rotated.folder, tmp_path / "world")
    with sit_down(tmp_path / "world", monkeypatch) as desk:
        yield rotated._replace(folder=tmp_path / "world"), desk


def codes(made: Rotated, now: datetime | None = None) -> tuple[int, int]:
    return int(made.judge(OLD, now).exit_code), int(made.judge(NEW, now).exit_code)


def signing(made: Rotated, version: str) -> str:
    """The subkey that made the signatures of a release, by their own account."""
    from sealwright.gnupg.home import private_home
    from sealwright.sandbox.keys import run_gpg

    with private_home("gpg") as home:
        packets = run_gpg(home, "--list-packets", str(made.folder / version / "SHA256SUMS.asc")).decode()
    return packets.split("issuer fpr v4 ")[1].split(")")[0]


def test_a_rotated_subkey_stays_valid_for_what_it_signed(copy: tuple[Rotated, Desk]) -> None:
    made, desk = copy
    assert (signing(made, OLD), signing(made, NEW)) == (made.first, made.second)
    assert codes(made) == (0, 0)
    assert World(made.folder).run("sealwright", "verify", OLD).returncode == 0
    # The old subkey's secret part is gone from the key file, and the published key still holds its public part.
    status = good(desk("status", "--key-file", "key.asc"))
    about = status.split(f"subkey {made.first}\n")[1].split("\n")[0]
    assert "secret not here" in about
    assert "secret here" in status.split(f"subkey {made.second}\n")[1].split("\n")[0]


def test_an_expired_subkey_is_extended_and_its_releases_verify_again(copy: tuple[Rotated, Desk]) -> None:
    made, desk = copy
    later = datetime.now(UTC) + 13 * MONTHS
    assert codes(made) == (0, 0)
    assert codes(made, later) == (11, 11)
    before = made.folder / "keys" / f"{made.key}.asc"
    content = before.read_bytes()
    assert "dry run" in good(desk("extend", made.key, "--expires", "3y", "--key-file", "key.asc", "--dry-run"))
    assert before.read_bytes() == content
    output = good(desk("extend", made.key, "--expires", "3y", "--key-file", "key.asc"))
    assert {made.first, made.second} <= set(output.split()), "the replaced one, too"
    assert codes(made, later) == (0, 0)
    assert codes(made, later + 36 * MONTHS) == (11, 11)
    until = f"lasts until {datetime.now(UTC).year + 3}-"
    for more in ([], ["--dry-run"]):
        output = good(desk("extend", made.key, "--expires", "3y", "--key-file", "key.asc", *more))
        assert "nothing is extended, because 3y from now is no later:\n" in output
        assert f"  {made.key} does not expire\n" in output
        assert all(f"  {subkey} {until}" in output for subkey in (made.first, made.second))
        assert ("nothing had to be" in output) is (not more), more


def test_a_rotation_says_what_became_of_the_old_subkeys_and_where_the_backup_is(
    copy: tuple[Rotated, Desk], tmp_path: Path
) -> None:
    made, desk = copy
    backup = tmp_path / "backup"
    year = f"{datetime.now(UTC).year + 1}-"
    output = good(desk("rotate", made.key, "--key-file", "key.asc", "--keep-old"))
    third = output.split()[1]
    assert "--keep-old keeps it" not in output
    assert f"the old subkey {made.second} stays valid until {year}" in output
    assert "its secret part was left as it is (--keep-old)\n" in output
    assert "the backup does not hold the new subkey" in output
    output = good(desk("rotate", made.key, "--key-file", "key.asc", "--backup", str(backup)))
    said = output.split("the old subkey ")[1:]
    assert [each.split()[0] for each in said] == [made.first, made.second, third]
    assert "its secret part is not here\n" in said[0]
    assert all("its secret part was deleted here (--keep-old keeps it)\n" in each for each in said[1:])
    assert f"wrote {made.key}.secret.asc to {backup}, which no one else may read\n" in output
    assert (backup / f"{made.key}.secret.asc").exists()
    assert "an older backup does not hold the new subkey" in output
    assert f"sealwright keys export {made.key} --secret-subkey FILE --key-file FILE\n" in output


@pytest.mark.parametrize("change", ["extend", "rotate"])
def test_subkeys_that_have_expired_by_now_are_not_lost(change: str, copy: tuple[Rotated, Desk]) -> None:
    from sealwright.gnupg.home import private_home
    from sealwright.sandbox.keys import export_public, export_secret, run_gpg

    made, desk = copy
    secret = made.folder / "key.asc"
    with private_home("gpg") as home:
        run_gpg(home, "--import", given=secret.read_bytes())
        run_gpg(home, "--passphrase-fd", "0", "--quick-set-expire", made.key, "seconds=1", "*", given=b"\n")
        secret.write_bytes(export_secret(home, made.key, ""))
        (made.folder / "keys" / f"{made.key}.asc").write_bytes(export_public(home, made.key))
    time.sleep(2)
    assert codes(made) == (11, 11)
    status = good(desk("status", "--key-file", "key.asc"))
    assert status.count("EXPIRED") == 2
    output = good(desk(change, made.key, "--key-file", "key.asc"))
    assert change == "rotate" or {made.first, made.second} <= set(output.split())
    assert subkeys(World(made.folder), made.key)[:2] == [made.first, made.second]
    assert codes(made) == (0, 0)


# reason, whether the first subkey alone, and then the exit codes: of the old release, and of the new one.
REVOKED = [
    ("compromised", True, None, (11, 0)),
    ("unspecified", True, None, (11, 0)),
    ("superseded", True, OLD, (0, 11)),
    ("retired", True, OLD, (0, 11)),
    ("compromised", False, None, (11, 11)),
    ("unspecified", False, None, (11, 11)),
    ("superseded", False, OLD, (0, 11)),
    ("retired", False, OLD, (0, 11)),
    ("retired", False, NEW, (0, 0)),
]


@pytest.mark.parametrize(("reason", "subkey", "until", "expected"), REVOKED)
def test_what_a_revocation_does_to_releases(
    copy: tuple[Rotated, Desk], reason: str, subkey: bool, until: str | None, expected: tuple[int, int]
) -> None:
    made, desk = copy
    before = parse_policy((made.folder / "keys/policy.toml").read_bytes()).version
    which = ["--subkey", made.first] if subkey else []
    limit = ["--until-version", until] if until else []
    command = ["revoke", made.key, "--reason", reason, *which, "--key-file", "key.asc"]
    good(desk(*command, *limit, "--yes"))
    assert codes(made) == expected
    policy = parse_policy((made.folder / "keys/policy.toml").read_bytes())
    assert policy.version == before + 1
    assert policy.signer_of_key(made.key) is not None, "it stays listed, so that everyone learns of it"
    if not subkey:
        build(made.folder / "dist-2", "2.0")
        done = World(made.folder).run("sealwright", "seal", "dist-2", "--openpgp-key-file", "key.asc", "--out", "2.0")
        assert done.returncode == 2, "nothing is signed with it any more"
    after = (made.folder / "keys" / f"{made.key}.asc").read_bytes()
    good(desk(*command, *limit, "--yes"))
    assert (made.folder / "keys" / f"{made.key}.asc").read_bytes() == after, "a second run changes nothing"
    extending = desk("extend", made.key, "--expires", "3y", "--key-file", "key.asc")
    if subkey:
        good(extending)
        assert codes(made) == expected, "extending brings nothing back"
    else:
        assert "is revoked" in refused(extending)


@pytest.mark.parametrize("subkey", [True, False])
def test_a_gentle_revocation_does_not_keep_from_a_grave_one(copy: tuple[Rotated, Desk], subkey: bool) -> None:
    """A key was retired, and is then found to be stolen: what is worse counts."""
    made, desk = copy
    key = [*(["--subkey", made.first] if subkey else []), "--key-file", "key.asc", "--yes"]
    good(desk("revoke", made.key, "--reason", "retired", "--until-version", NEW, *key))
    assert codes(made) == (0, 0)
    good(desk("revoke", made.key, "--reason", "compromised", *key))
    assert codes(made) == (11, 0 if subkey else 11)
    if not subkey:
        good(desk("revoke", made.key, "--reason", "retired", "--until-version", NEW, *key))
        assert codes(made) == (11, 11), "a later, gentler one softens nothing"


@pytest.mark.parametrize(
    ("before", "until", "then", "after"),
    [
        (["--lost"], OLD, (0, 11), (11, 11)),
        (["--reason", "retired"], NEW, (0, 0), (11, 0)),
    ],
)
@pytest.mark.parametrize("gently_first", [True, False])
def test_a_stolen_subkey_leaves_the_limit_of_the_whole_key(
    copy: tuple[Rotated, Desk], before: list[str], until: str, then: tuple[int, int], after: tuple[int, int],
    gently_first: bool,
) -> None:  # fmt: skip
    """What the whole key counts for was said of the whole key: a subkey's reason neither widens nor narrows it."""
    made, desk = copy
    subkey = ["--subkey", made.first, "--key-file", "key.asc", "--yes"]
    limit = ["--until-version", until]
    if gently_first:
        good(desk("revoke", made.key, "--reason", "retired", *limit, *subkey))
    good(desk("revoke", made.key, *before, *limit, *([] if "--lost" in before else ["--key-file", "key.asc"]), "--yes"))
    assert codes(made) == then
    output = good(desk("revoke", made.key, "--reason", "compromised", *subkey))
    assert codes(made) == after
    assert limit_of(made) == until
    assert f"until-version {until}" in output, "it says what it left"
    good(desk("revoke", made.key, "--reason", "retired", *limit, *subkey))
    assert codes(made) == after, "a later, gentler one softens nothing"


def test_a_subkey_does_not_raise_the_limit_of_the_whole_key(copy: tuple[Rotated, Desk]) -> None:
    made, desk = copy
    good(desk("revoke", made.key, "--lost", "--until-version", OLD, "--yes"))
    subkey = ["--subkey", made.first, "--key-file", "key.asc", "--yes"]
    said = refused(desk("revoke", made.key, "--reason", "superseded", "--until-version", NEW, *subkey))
    assert f"until {OLD} already" in said
    assert codes(made) == (0, 11)
    assert limit_of(made) == OLD


def limit_of(made: Rotated) -> str:
    keys = parse_policy((made.folder / "keys/policy.toml").read_bytes()).openpgp_keys()
    return str(next(key.until_version for key in keys if key.fingerprint == made.key))


def test_a_lost_key_keeps_what_it_signed(copy: tuple[Rotated, Desk]) -> None:
    made, desk = copy
    (made.folder / "key.asc").unlink()
    good(desk("revoke", made.key, "--lost", "--until-version", OLD, "--yes"))
    assert codes(made) == (0, 11)


def test_a_revocation_certificate_works_without_the_secret(copy: tuple[Rotated, Desk], keys: Forge) -> None:
    made, desk = copy
    (made.folder / "key.asc").unlink()
    certificate = made.folder / "rev.asc"
    certificate.write_bytes(revocation_of(keys, made.key))
    assert "made of" not in good(desk("status", "--check-revocation", str(certificate)))
    assert codes(made) == (0, 0)
    good(desk("revoke", made.key, "--certificate", str(certificate), "--yes"))
    assert codes(made) == (11, 11)


def revocation_of(keys: Forge, fingerprint: str) -> bytes:
    """As gpg writes one when it makes a key: with a colon before the armor."""
    (found,) = (keys.home.folder / "openpgp-revocs.d").glob(f"{fingerprint}.rev")
    content = found.read_bytes()
    assert b"\n:-----BEGIN" in content
    return content


def test_a_revocation_that_does_not_belong_changes_nothing(copy: tuple[Rotated, Desk], keys: Forge) -> None:
    made, desk = copy
    before = {path.name: path.read_bytes() for path in (made.folder / "keys").iterdir()}
    stranger, file = keys.key("A stranger"), made.folder / "rev.asc"
    bare = revocation_of(keys, stranger)
    foreign = {
        "another key's": bare,
        "another key with its own": keys.revoke(stranger, 1),
        "this key itself": keys.public(made.key),
        "a secret key": keys.secret(made.key),
        "nothing": b"",
        "noise": b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
        # A certificate that revokes the key, in the company of another key, is not taken in either.
        "with another key beside it": keys.public(stranger) + revocation_of(keys, made.key),
    }
    for what, content in foreign.items():
        file.write_bytes(content)
        assert "no revocation certificate" in refused(desk("revoke", made.key, "--certificate", "rev.asc", "--yes")), (
            what
        )
        if what != "with another key beside it":
            assert "revokes no key" in refused(desk("status", "--check-revocation", "rev.asc")), what
    assert {path.name: path.read_bytes() for path in (made.folder / "keys").iterdir()} == before
    assert codes(made) == (0, 0)


def test_what_cannot_be_right_is_refused_before_anything_is_revoked(copy: tuple[Rotated, Desk], keys: Forge) -> None:
    made, desk = copy
    before = {path.name: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()}
    key = ["--key-file", "key.asc", "--yes"]
    for arguments, said in (
        ([made.key], "say why"),
        ([made.key, "--reason", "retired"], "counts up to a version"),
        ([made.key, "--reason", "compromised", "--until-version", OLD], "never counts again"),
        ([made.key, "--reason", "retired", "--until-version", "one"], "is no version"),
        ([made.key, "--reason", "compromised", "--subkey", made.key], "has no signing subkey"),
        ([keys.mallory, "--reason", "compromised"], "lists no key"),
        ([made.key, "--lost"], "needs --until-version"),
        ([made.key[-16:], "--reason", "compromised"], "not the full fingerprint"),
    ):
        assert said in refused(desk("revoke", *arguments, *key)), arguments
    done = desk("revoke", made.key, "--reason", "compromised", "--key-file", "key.asc")  # the question meets no answer
    assert type(done.exception).__name__ == "Abort"
    assert "dry run" in good(desk("revoke", made.key, "--reason", "compromised", "--dry-run"))
    assert {path.name: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()} == before


# An interruption at any step: the same command goes on from there


@pytest.mark.parametrize("fails_at", range(1, 7))
def test_a_rotation_interrupted_anywhere_is_finished_by_the_next(
    copy: tuple[Rotated, Desk], monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    """The key file is written twice, then the policy, the key, SHA256SUMS; before each, the power fails."""
    from sealwright.jobs.keys import secret as key_secret
    from sealwright.store import draft_sums, trust_editing
    from sealwright.store.draft_sums import write_draft_sums

    made, desk = copy
    write_draft_sums(made.folder / "keys")
    steps = 0

    def failing(real: object) -> object:
        def step(*arguments: object) -> object:
            nonlocal steps
            steps += 1
            if steps == fails_at:
                raise KeyboardInterrupt
            return real(*arguments)  # type: ignore[operator]

        return step

    with monkeypatch.context() as patched:
        for module in (key_secret, trust_editing, draft_sums):
            patched.setattr(module, "write_whole", failing(module.write_whole))
        done = desk("rotate", made.key, "--key-file", "key.asc")
    assert (type(done.exception).__name__ == "Abort") is (fails_at < 6), f"{done.exception!r}"
    if fails_at == 6:
        assert steps == 5
    output = good(desk("rotate", made.key, "--key-file", "key.asc"))
    third = output.split(": ")[1].split("\n")[0].split()[0]
    world = World(made.folder)
    build(made.folder / "dist-2", "2.0")
    sealed = world.run("sealwright", "seal", "dist-2", "--openpgp-key-file", "key.asc", "--out", "2.0")
    assert sealed.returncode == 0, sealed.stdout + sealed.stderr
    assert signing(made, "2.0") == third
    assert codes(made) == (0, 0)
    assert ("resumed" in output) is (2 <= fails_at <= 5)
    assert len(subkeys(world, made.key)) == (4 if fails_at == 6 else 3), (
        "no second rotation, unless the first was whole"
    )


def test_the_exit_codes_are_those_of_the_design() -> None:
    assert ExitCode.UNTRUSTED == 11

"""The memory of withdrawals: nobody pushes one out of it, fills it up unnoticed, or puts another policy's into it."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.forge import Forge
from support.pinning import failing, judge, offer_of, pin
from support.world import GPG, PROJECT, VERSION, World

from sealwright.errors import UndecidedError
from sealwright.model.pin import Pin, PinKind
from sealwright.model.publisher import Publisher
from sealwright.model.seen import MOST_OF_OTHERS, MOST_WITHDRAWN, Seen, advance
from sealwright.model.verdict import PolicyInUse, Verdict
from sealwright.model.withdrawal import SignedWithdrawal, Withdrawal, render_withdrawals
from sealwright.sandbox.keys import write_trust_folder
from sealwright.store.first_use import pairs_of
from sealwright.store.pins import pin_path, remove_pin, write_pin
from sealwright.store.seen import read_seen, remember, seen_path

OWN, EVIL = "a" * 64, "e" * 64


def withdrawal(version: str = VERSION, *, reason: str = "it deletes files", time: str = "2026-01-02") -> Withdrawal:
    return Withdrawal(PROJECT, version, reason, "", "", time)


def offer(world: World, keys: Forge, by: str, *entries: Withdrawal, beside: str = "release") -> None:
    texts = [entry.to_bytes() for entry in entries or (withdrawal(),)]
    signed = tuple(SignedWithdrawal(text.decode(), openpgp=(keys.sign(by, text).decode(),)) for text in texts)
    (world.folder / beside / "withdrawn.json").write_bytes(render_withdrawals(signed))


def other_policy(world: World, keys: Forge, version: int = 1) -> Path:
    """A policy of the same project, by somebody else, that a user was talked into naming."""
    folder = world.folder / f"other-{version}"
    material = {keys.mallory: keys.public(keys.mallory)}
    write_trust_folder(folder, PROJECT, {"mallory": keys.mallory}, material, datetime(2099, 1, 1, tzinfo=UTC))
    text = (folder / "policy.toml").read_text()
    (folder / "policy.toml").write_text(text.replace("version = 1\n", f"version = {version}\n"))
    return folder


def by_policy(world: World, data: Path, folder: Path) -> Verdict:
    """Judge by the policy in another folder than keys/, as --policy does."""
    own = world.folder / "keys"
    own.rename(world.folder / "aside")
    shutil.copytree(folder, own)
    try:
        return judge(world, data)
    finally:
        shutil.rmtree(own)
        (world.folder / "aside").rename(own)


# Another policy's withdrawals, of which the pin knows nothing


def test_another_policy_calls_nothing_back_for_the_pin(world: World, keys: Forge, data_home: Path) -> None:
    pin(world.folder / "keys", data_home)
    offer(world, keys, keys.mallory)
    other = other_policy(world, keys, version=2)
    assert by_policy(world, data_home, other).exit_code in (11, 13)
    (world.release / "withdrawn.json").unlink()
    assert judge(world, data_home, pinned=True).exit_code == 0
    assert "release.withdrawn" in failing(by_policy(world, data_home, other)), "for that policy it stays withdrawn"


def test_nor_beside_a_first_use(world: World, keys: Forge, data_home: Path) -> None:
    """A policy that somebody brings along must not make that pin an old one, nor call anything back for it."""
    workflow = "https://github.com/o/r/.github/workflows/release.yml"
    issuer = "https://token.actions.githubusercontent.com"
    who = pairs_of(Publisher(issuer, "https://github.com/o/r", "1", "2", workflow, workflow), "production")
    assert write_pin(data_home, Pin(PROJECT, PinKind.FIRST_USE, datetime.now(UTC), "index", publisher=who), None)
    offer(world, keys, keys.alice, withdrawal("2.0"))
    verdict = judge(world, data_home)
    assert verdict.exit_code == 0
    (warning,) = verdict.warnings
    assert "is pinned with another fingerprint" in warning
    seen = read_seen(data_home, PROJECT)
    assert (seen.policy, seen.newest, [entry.by != "" for entry in seen.withdrawn]) == (0, "", [True])
    assert "policy.seen" not in failing(judge(world, data_home, pinned=True))
    world.edit_policy("version = 1\n", "version = 1\n# another one\n")
    assert judge(world, data_home).exit_code == 10, "beside it, too, named policies are held against each other"


def test_nor_where_the_pin_cannot_be_read(world: World, keys: Forge, data_home: Path) -> None:
    pin(world.folder / "keys", data_home)
    offer(world, keys, keys.mallory)
    path = pin_path(data_home, PROJECT)
    content = path.read_bytes()
    path.write_bytes(content[:-5])
    path.chmod(0o600)
    with pytest.raises(UndecidedError, match="was edited by hand"):
        by_policy(world, data_home, other_policy(world, keys))
    path.write_bytes(content)
    (world.release / "withdrawn.json").unlink()
    assert judge(world, data_home, pinned=True).exit_code == 0


def test_nor_for_a_policy_that_has_passed(world: World, keys: Forge, data_home: Path) -> None:
    """Without a pin, too: only a policy by which a release has passed speaks for every later one."""
    assert judge(world, data_home).exit_code == 0
    offer(world, keys, keys.mallory)
    assert "policy.seen" in failing(by_policy(world, data_home, other_policy(world, keys)))
    assert "release.withdrawn" in failing(by_policy(world, data_home, other_policy(world, keys, version=2)))
    (world.release / "withdrawn.json").unlink()
    assert judge(world, data_home).exit_code == 0


@pytest.mark.parametrize("pinned", [True, False])
def test_a_withdrawal_outlives_its_policy(world: World, keys: Forge, data_home: Path, pinned: bool) -> None:
    """By the pin, or by a policy that a release has passed by before or afterwards: every later policy knows of it."""
    if pinned:
        pin(world.folder / "keys", data_home)
    offer(world, keys, keys.bob, withdrawal("1.2.2"))
    assert judge(world, data_home, pinned=pinned).exit_code == 0
    offer(world, keys, keys.bob)
    assert judge(world, data_home, pinned=pinned).exit_code == 13
    (world.release / "withdrawn.json").unlink()
    world.edit_policy("version = 1\n", "version = 2\n")
    assert failing(judge(world, data_home)) == {"release.withdrawn"}
    assert [each.by for each in read_seen(data_home, PROJECT).withdrawn] == ["", ""]


def test_without_a_pin_it_is_kept_for_the_policy_that_judged(world: World, keys: Forge, data_home: Path) -> None:
    """Nothing has passed by that policy yet; it is not forgotten, and counts for all once something has."""
    offer(world, keys, keys.bob)
    assert judge(world, data_home).exit_code == 13
    (world.release / "withdrawn.json").unlink()
    assert judge(world, data_home).exit_code == 13
    assert [bool(each.by) for each in read_seen(data_home, PROJECT).withdrawn] == [True]
    pin(world.folder / "keys", data_home)
    assert judge(world, data_home, pinned=True).exit_code == 13
    assert [each.by for each in read_seen(data_home, PROJECT).withdrawn] == [""], "the pin is that very policy"


# What a trust folder calls back is known once it is pinned, before anything was verified by it


@pytest.mark.parametrize("had_gpg", [True, False])
def test_a_pinned_withdrawal_outlives_its_folder(world: World, keys: Forge, data_home: Path, had_gpg: bool) -> None:
    """Where gpg was missing when it was pinned, it is judged when it is replaced."""
    folder = world.folder / "keys"
    offer(world, keys, keys.bob, beside="keys")
    pin(folder, data_home, gpg=GPG if had_gpg else None)
    assert [each.by for each in read_seen(data_home, PROJECT).withdrawn] == [""] * had_gpg
    (folder / "withdrawn.json").unlink()
    pin(folder, data_home, replace=True, gpg=GPG)
    assert failing(judge(world, data_home, pinned=True)) == {"release.withdrawn"}
    world.edit_policy("version = 1\n", "version = 2\n")
    assert remove_pin(data_home, PROJECT)
    assert failing(judge(world, data_home)) == {"release.withdrawn"}


def test_a_pin_remembers_what_its_signers_call_back_alone(world: World, keys: Forge, data_home: Path) -> None:
    offer(world, keys, keys.mallory, beside="keys")
    pin(world.folder / "keys", data_home, gpg=GPG)
    assert not seen_path(data_home, PROJECT).exists()
    assert judge(world, data_home, pinned=True).exit_code == 0


def test_what_is_not_confirmed_is_not_remembered(world: World, keys: Forge, data_home: Path) -> None:
    offer(world, keys, keys.bob, beside="keys")
    assert offer_of(world.folder / "keys", data_home).withdrawn == (withdrawal(),)
    assert not seen_path(data_home, PROJECT).exists()


def test_a_memory_that_cannot_be_written_is_said(world: World, keys: Forge, data_home: Path) -> None:
    offer(world, keys, keys.bob, beside="keys")
    data_home.mkdir(parents=True)
    (seen_path(data_home, PROJECT).parent / ".lock").mkdir(parents=True)  # so that nothing can be written there
    with pytest.raises(UndecidedError, match="calls back is not remembered"):
        pin(world.folder / "keys", data_home, gpg=GPG)


# A flood


def verdict_of(*found: Withdrawal) -> Verdict:
    """A verdict of fail, as that of a release that is withdrawn."""
    used = PolicyInUse("policy.toml", 1, EVIL, datetime(2099, 1, 1, tzinfo=UTC))
    return Verdict(PROJECT, VERSION, "release", used, (), (), 1, checks=(), withdrawals=found)


def test_many_words_about_one_version_are_one(world: World, keys: Forge, data_home: Path) -> None:
    pin(world.folder / "keys", data_home)
    several = [withdrawal(time=f"2026-01-{day:02}") for day in range(1, 20)]
    offer(world, keys, keys.bob, *several, withdrawal("1.2.3.0", reason="the last word", time="2026-02-01"))
    assert judge(world, data_home, pinned=True).exit_code == 13
    (entry,) = read_seen(data_home, PROJECT).counting("")
    assert entry.reason == "the last word"


def test_a_flood_pushes_nothing_out_and_is_said(world: World, keys: Forge, data_home: Path) -> None:
    """Whoever holds one key of the pin fills memory: what was in it stays, and what comes then is not passed over."""
    pin(world.folder / "keys", data_home)
    offer(world, keys, keys.bob)
    assert judge(world, data_home, pinned=True).exit_code == 13
    flood = verdict_of(*(withdrawal(f"9.{number}") for number in range(MOST_WITHDRAWN - 1)))
    before = read_seen(data_home, PROJECT)
    remember(data_home, PROJECT, before, lambda seen: advance(seen, flood, OWN, OWN))
    assert judge(world, data_home, pinned=True).exit_code == 13
    full = read_seen(data_home, PROJECT)
    assert (len(full.withdrawn), full.full) == (MOST_WITHDRAWN, False)
    offer(world, keys, keys.bob, withdrawal("1.2.2"))
    verdict = judge(world, data_home, pinned=True)
    assert failing(verdict) == {"release.withdrawn", "withdrawals.seen"}
    assert "not remembered" in verdict.warnings[0]
    (world.release / "withdrawn.json").unlink()
    after = read_seen(data_home, PROJECT)
    assert (after.withdrawn, after.full) == (full.withdrawn, True)
    assert judge(world, data_home, pinned=True).exit_code == 13


def test_a_full_memory_lets_nothing_pass(world: World, keys: Forge, data_home: Path) -> None:
    pin(world.folder / "keys", data_home)
    assert judge(world, data_home, pinned=True).exit_code == 0
    flood = verdict_of(*(withdrawal(f"9.{number}") for number in range(MOST_WITHDRAWN + 1)))
    remember(data_home, PROJECT, read_seen(data_home, PROJECT), lambda seen: advance(seen, flood, OWN, OWN))
    verdict = judge(world, data_home, pinned=True)
    assert (failing(verdict), verdict.exit_code) == ({"withdrawals.seen"}, 3)


def test_other_policies_do_not_fill_what_is_kept_for_the_pin() -> None:
    seen = advance(Seen(), verdict_of(withdrawal()), OWN, OWN)
    for number in range(3):
        flood = verdict_of(*(withdrawal(f"{number}.{each}") for each in range(MOST_OF_OTHERS)))
        seen = advance(seen, flood, f"{number:064}", OWN)
    assert (len(seen.withdrawn), seen.full) == (MOST_OF_OTHERS + 1, False)
    assert seen.counting(OWN) == (withdrawal(),)


@pytest.mark.parametrize("letter", ["\U00012000", ","])
def test_what_is_kept_at_the_most_can_be_read_again(data_home: Path, letter: str) -> None:
    """The longest words that a signer can write, in letters that JSON escapes to twelve characters, or that count."""
    words = {"reason": letter * 1000, "replacement": letter * 200, "advisory": letter * 200, "time": letter * 200}
    most = MOST_WITHDRAWN + MOST_OF_OTHERS
    found = [Withdrawal(PROJECT, "1." * 90 + str(n), **words) for n in range(most)]
    found[0].to_bytes()
    seen = advance(Seen(), verdict_of(*found[:MOST_WITHDRAWN]), OWN, OWN)
    seen = advance(seen, verdict_of(*found[MOST_WITHDRAWN:]), EVIL, OWN)
    assert (len(seen.withdrawn), seen.full) == (most, False)
    remember(data_home, PROJECT, Seen(), lambda before: seen)
    assert read_seen(data_home, PROJECT) == seen
    assert seen_path(data_home, PROJECT).stat().st_size < 16 * 1024**2


def test_what_a_policy_called_back_before_it_was_pinned_outlives_the_pin(
    world: World, keys: Forge, data_home: Path
) -> None:
    """Known from a verification without a pin, and in no trust folder that is pinned afterwards."""
    offer(world, keys, keys.alice)
    assert judge(world, data_home).exit_code == 13
    (world.release / "withdrawn.json").unlink()
    pin(world.folder / "keys", data_home)
    world.edit_policy("version = 1\n", "version = 2\n")
    pin(world.folder / "keys", data_home, replace=True)
    assert judge(world, data_home, pinned=True).exit_code == 13

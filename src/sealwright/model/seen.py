"""What was seen of a project before, and what follows from it: nothing older is taken again unnoticed (rollback).

Enters: what is remembered, and what is in front of us. Leaves: checks, warnings, and what to remember from now on.
Only a verdict of PASSED moves it; a withdrawal that a signer signed is remembered whatever came of the rest, or when
its trust folder is pinned. It counts for every policy if the one that judged it is trusted here, else for that alone.
"""

from typing import TYPE_CHECKING

from sealwright.errors import ExitCode
from sealwright.model.record import Record
from sealwright.model.verdict import Check, Outcome, Result, Verdict
from sealwright.model.withdrawal import Withdrawal

if TYPE_CHECKING:
    from packaging.version import Version

_CLAUSE = "docs/trust.md#what-is-remembered"
POLICY_SEEN = "policy.seen"
RELEASE_SEEN = "release.seen"
WITHDRAWALS_SEEN = "withdrawals.seen"
MOST_WITHDRAWN = 2_000  # versions: more than any project has released, and with their words less than a record holds
MOST_OF_OTHERS = 500
_MOST_REASON, _MOST_WORDS = 200, 64  # characters of what is told, where memory tells it


class Remembered(Record):
    """A withdrawal; `by` is the substance of the policy that alone it counts for, or empty: for every policy."""

    withdrawal: Withdrawal
    by: str = ""


class Seen(Record):
    """Of one project: the newest policy that a release passed by, its substance (hex), the newest such release.

    Of `withdrawn`, a version stands there once for whoever judged it. `full`: there were more than that holds.
    `beside` and `beside_substance` are those of the newest policy that passed beside another pin: they bind only
    policies that are named.
    """

    policy: int = 0
    substance: str = ""
    newest: str = ""
    withdrawn: tuple[Remembered, ...] = ()
    full: bool = False
    beside: int = 0
    beside_substance: str = ""

    def counting(self, substance: str) -> tuple[Withdrawal, ...]:
        """Return what counts where the policy of that substance judges: another one's withdrawals do not."""
        return tuple(entry.withdrawal for entry in self.withdrawn if entry.by in ("", substance))


def binding(seen: Seen, pinned: tuple[int, str] | None, substance: str) -> Seen:
    """Return what was seen with the newest policy that binds the one of that `substance`.

    `pinned` is the version and the substance of the pin: it was seen when it was pinned. Beside it, a policy that is
    named is bound by those that were named before.
    """
    known = [(seen.policy, seen.substance), *([pinned] if pinned else [])]
    if pinned and pinned[1] != substance:
        known.append((seen.beside, seen.beside_substance))
    policy, newest = max(known, key=lambda entry: entry[0])
    return seen._replace(policy=policy, substance=newest)


def check_seen(seen: Seen, policy: int, substance: str) -> tuple[Check, ...]:
    """Check that a policy is not older than one that was seen, and not another one of the same version.

    A trust on first use has the version 0.
    """
    if not seen.policy:
        return ()
    expected = f"policy version {seen.policy}, which was seen before, or a newer one"
    if policy == 0:
        hint = "Pin that policy or a newer one: sealwright trust pin FOLDER|URL|git+URL@COMMIT."
        got = "a first use, which is weaker than any policy"
        return (Check(POLICY_SEEN, "policy", Outcome.FAIL, expected, got, _CLAUSE, ExitCode.STALE, hint),)
    if policy < seen.policy:
        hint = "Somebody may have brought an old policy back: get the current one over the channel you trust."
        got = f"version {policy}, which is older"
        return (Check(POLICY_SEEN, "policy", Outcome.FAIL, expected, got, _CLAUSE, ExitCode.STALE, hint),)
    if policy == seen.policy and substance != seen.substance:
        hint = "Ask the project which one is its own; every change of a policy or a key needs a higher version."
        got = f"another policy that calls itself version {policy}, too"
        return (Check(POLICY_SEEN, "policy", Outcome.FAIL, expected, got, _CLAUSE, ExitCode.TAMPERED, hint),)
    return (Check(POLICY_SEEN, "policy", Outcome.PASS, expected, f"version {policy}", _CLAUSE, ExitCode.STALE),)


def is_older(seen: Seen, version: str) -> bool:
    """Tell whether a release is older than the newest that was verified."""
    newest, this = _read(seen.newest), _read(version)
    return newest is not None and this is not None and this < newest


def check_release_seen(seen: Seen, version: str) -> Check:
    """Return the check of a release that nobody asked for by its version: it must not be older than the newest one."""
    expected = f"no release older than {seen.newest}, the newest that was verified here"
    hint = f"Somebody may hold the newer ones back. Type the version if you mean it: verify-release {version}"
    outcome = Outcome.FAIL if is_older(seen, version) else Outcome.PASS
    return Check(RELEASE_SEEN, "release", outcome, expected, f"{version}", _CLAUSE, ExitCode.STALE, hint)


def advance(seen: Seen, verdict: Verdict, substance: str, pinned: str | None) -> Seen:
    """Return what is known after a verdict by the policy of that `substance`; `pinned` is that of the pin, if any is.

    Another policy than the pin moves nothing that counts for the pin: one of a high version that is brought along must
    not make the pin an old one.
    A withdrawal is only taken from a policy that is itself to be trusted. Memory loses none; if it can take no more of
    the policy that is trusted here, it is `full` from then on, and no version can be said not to be withdrawn.
    """
    stale = any(c.outcome is Outcome.FAIL and c.id in (POLICY_SEEN, "policy.expiry") for c in verdict.checks)
    passed = verdict.result is Result.PASSED
    known = seen if stale else _with_withdrawals(seen, verdict.withdrawals, substance, pinned, passed=passed)
    policy = verdict.policy.version
    if not passed or known.full:  # the verdict does not know yet that memory is
        return known
    if pinned not in (None, substance):
        return known._replace(beside=policy, beside_substance=substance) if policy > known.beside else known
    if policy < seen.policy or (policy == seen.policy and substance != seen.substance):
        return known  # another process may have seen more since this one began
    newest = seen.newest if is_older(seen, verdict.version) else verdict.version
    return known._replace(policy=policy, substance=substance, newest=newest)


def add_withdrawn(seen: Seen, found: tuple[Withdrawal, ...], pinned: str) -> Seen:
    """Return what is known once a trust folder of that substance is pinned: what it calls back counts for all."""
    return _with_withdrawals(seen, found, pinned, pinned, passed=False)


def lost_withdrawals(seen: Seen, verdict: Verdict, substance: str) -> int:
    """Count the versions whose withdrawals counted here and that memory has no room for."""
    if not verdict.withdrawals:
        return 0
    kept = {_key(withdrawal) for withdrawal in seen.counting(substance)}
    return len({_key(withdrawal) for withdrawal in verdict.withdrawals} - kept)


def check_room(seen: Seen) -> tuple[Check, ...]:
    """Say that nobody can tell what else was withdrawn, once memory holds no more of it."""
    if not seen.full:
        return ()
    expected = f"withdrawals of at most {MOST_WITHDRAWN:,} versions"
    hint = "Somebody floods it with a key of the policy: ask the project which one (docs/trust.md)."
    outcome, code = Outcome.UNDECIDED, ExitCode.UNDECIDED
    return (Check(WITHDRAWALS_SEEN, "memory", outcome, expected, "more than that", _CLAUSE, code, hint),)


def _with_withdrawals(
    seen: Seen, found: tuple[Withdrawal, ...], substance: str, pinned: str | None, *, passed: bool
) -> Seen:
    """Add what was found. A policy is trusted here if it is pinned, or, where none is, once a release passed by it."""
    before = passed or (substance != "" and seen.substance == substance)
    trusted = pinned == substance if pinned is not None else before
    own = [entry for entry in seen.withdrawn if trusted and substance and entry.by == substance]
    if not (found or own) or not (trusted or substance):
        return seen
    kept = {(e.by, _key(e.withdrawal)): e for e in seen.withdrawn if e not in own}
    room = {"": MOST_WITHDRAWN, "others": MOST_OF_OTHERS}
    for by, _ in kept:
        room["others" if by else ""] -= 1
    by, full = "" if trusted else substance, seen.full
    for withdrawal in (*(entry.withdrawal for entry in own), *found):
        there = kept.get((by, _key(withdrawal)))
        if there is None and room["others" if by else ""] <= 0:
            full = full or not by
        elif there is None or withdrawal.time > there.withdrawal.time:  # the last word
            room["others" if by else ""] -= there is None
            kept[by, _key(withdrawal)] = Remembered(_cut(withdrawal), by)
    return seen._replace(withdrawn=tuple(kept.values()), full=full)


def _key(withdrawal: Withdrawal) -> str:
    """Many statements about one version are one: nobody fills memory with those."""
    from packaging.utils import canonicalize_version

    return canonicalize_version(withdrawal.version)


def _cut(withdrawal: Withdrawal) -> Withdrawal:
    words = {name: getattr(withdrawal, name)[:_MOST_WORDS] for name in ("replacement", "advisory", "time")}
    return withdrawal._replace(reason=withdrawal.reason[:_MOST_REASON], **words)


def _read(text: str) -> "Version | None":
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except (InvalidVersion, ValueError):
        return None

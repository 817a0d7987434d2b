"""What was seen of a project before, and what follows from it: nothing older is taken again unnoticed (rollback).

Enters: what is remembered, and what is in front of us. Leaves: checks, warnings, and what to remember from now on.
Only a verdict of PASSED moves it; a withdrawal that a signer signed is remembered whatever came of the rest.
"""

from typing import TYPE_CHECKING, NamedTuple

from sealwright.errors import ExitCode
from sealwright.model.verdict import Check, Outcome, Result, Verdict
from sealwright.model.withdrawal import Withdrawal

if TYPE_CHECKING:
    from packaging.version import Version

_CLAUSE = "docs/trust.md#what-is-remembered"
POLICY_SEEN = "policy.seen"
RELEASE_SEEN = "release.seen"


class Seen(NamedTuple):
    """Of one project: the newest policy that a release passed by, its substance (hex), the newest such release."""

    policy: int = 0
    substance: str = ""
    newest: str = ""
    withdrawn: tuple[Withdrawal, ...] = ()


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


def advance(seen: Seen, verdict: Verdict, substance: str) -> Seen:
    """Return what is known after a verdict. A withdrawal is only taken from a policy that is itself to be trusted."""
    stale = any(c.outcome is Outcome.FAIL and c.id in (POLICY_SEEN, "policy.expiry") for c in verdict.checks)
    called_back = () if stale else tuple(w for w in verdict.withdrawals if w not in seen.withdrawn)
    known = seen._replace(withdrawn=seen.withdrawn + called_back)
    policy = verdict.policy.version
    another = policy < seen.policy or (policy == seen.policy and substance != seen.substance)
    if verdict.result is not Result.PASSED or another:  # another process may have seen more since this one began
        return known
    newest = seen.newest if is_older(seen, verdict.version) else verdict.version
    return known._replace(policy=policy, substance=substance, newest=newest)


def _read(text: str) -> "Version | None":
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except (InvalidVersion, ValueError):
        return None

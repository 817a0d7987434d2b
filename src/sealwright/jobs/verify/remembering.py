"""The end user's verification, which remembers: nothing older than what passed before is taken unnoticed.

Enters: what judges the release, and the user's data folder. Leaves: its verdict, with what memory adds, and memory
moved on. A data folder that cannot be written breaks no verification, and the verdict says so; one that holds something
else than what was written there ends as undecided.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.errors import SealwrightError
from sealwright.files.reading import reason
from sealwright.jobs.verify.release import Clock, Recall, Verified
from sealwright.model.seen import (
    Seen,
    advance,
    binding,
    check_release_seen,
    check_room,
    check_seen,
    is_older,
    lost_withdrawals,
)
from sealwright.model.verdict import YANKED, Check, PinInUse, Result, Verdict
from sealwright.store.seen import read_seen, remember
from sealwright.store.trust_folder import TrustFolder

if TYPE_CHECKING:
    from sealwright.model.pin import Pin

_WARNED_BEFORE = timedelta(days=30)

Judge = Callable[[Recall], AbstractContextManager[Verified]]
"""Judges a release by what is recalled, too, and keeps its bytes until the end."""

LogOverride = Callable[[str, str], None]
"""Given an object (`NAME VERSION`) and what was overridden, puts it into the audit log. Raises a SealwrightError."""


@contextlib.contextmanager
def verified_remembering(
    judge: Judge,
    trust: TrustFolder,
    data: Path,
    *,
    clock: Clock,
    pin: "Pin | None" = None,
    chosen: bool = False,
    log: LogOverride = lambda thing, what: None,
) -> Iterator[Verified]:
    """Let `judge` judge by a policy from `pin`, or one that a person named, and add what memory says.

    `chosen`: the version was chosen by us and not by a person, so that one older than the newest verified is refused;
    a person is warned, also of a pin that the policy which they named passes over. Raises as `judge` does, and
    UndecidedError if what was seen, or that pin, cannot be read.
    """
    project = trust.policy.project
    memory = cache(lambda: read_seen(data, project))
    pinned = trust if pin else pinned_trust(data, project)
    with judge(lambda: memory().counting(trust.substance)) as verified:
        seen = memory()
        verdict = verified.verdict
        now = clock()
        checks = [*verdict.checks, *check_policy_seen(seen, pinned, trust)]
        if chosen and seen.newest:
            checks.append(check_release_seen(seen, verdict.version))
        learn = _learning(trust, pinned, verdict._replace(checks=tuple(checks)))
        checks += check_room(learn(seen))
        used = verdict.policy._replace(pin=_pin_in_use(pin, now)) if pin else verdict.policy
        verdict = verdict._replace(checks=tuple(checks), policy=used)
        warnings = [*verdict.warnings, *_expiry(verdict.policy.expires, now)]
        if verdict.result is Result.PASSED and is_older(seen, verdict.version):
            what = f"{verdict.version} is older than {seen.newest}, the newest release that was verified here"
            warnings += [what, *_logged(log, f"{project} {verdict.version}", what)]
        if verdict.result is Result.PASSED and (yanked := [c.got for c in verdict.checks if c.id == YANKED]):
            what = f"it was taken although its index calls it back ({yanked[0]})"
            warnings += [what, *_logged(log, f"{project} {verdict.version}", what)]
        if pinned and pinned.substance != trust.substance:
            what = f"{project} is pinned with another fingerprint, {pinned.fingerprint}, and the named policy judged"
            told = _logged(log, f"{project} {verdict.version}", what) if verdict.result is Result.PASSED else []
            warnings += [f"{what}: nothing of this counts for the pin", *told]
        warnings += _remembered(data, seen, verdict, trust.substance, learn)
        yield verified._replace(verdict=verdict._replace(warnings=tuple(warnings)))


def check_policy_seen(seen: Seen, pinned: TrustFolder | None, trust: TrustFolder) -> tuple[Check, ...]:
    """Check that the policy of `trust` is not older than one that was seen, or than one that is pinned beside it."""
    bound = binding(seen, (pinned.policy.version, pinned.substance) if pinned else None, trust.substance)
    return check_seen(bound, trust.policy.version, trust.substance)


def pinned_trust(data: Path, project: str) -> TrustFolder | None:
    """Return what the pin of a project trusts, where a person named a policy; None if there is none.

    A first use is one, too: any policy is stronger, but a person has to say so by pinning it.
    """
    if not os.path.lexists(data / "pins"):  # loads nothing for those who pin nothing
        return None
    from sealwright.store.pins import read_pin, trust_of

    pin = read_pin(data, project)
    return trust_of(data, pin) if pin else None


def _pin_in_use(pin: "Pin", now: datetime) -> PinInUse:
    return PinInUse(pin.kind.value, pin.since, pin.source, max(0, (now - pin.since).days))


def _expiry(expires: datetime, now: datetime) -> list[str]:
    left = expires - now
    if left > _WARNED_BEFORE or left <= timedelta():
        return []
    days = f"in {left.days} days" if left.days > 1 else "tomorrow" if left.days else "today"
    return [f"the policy ends {days}, on {expires:%Y-%m-%d}: get the project's next one"]


def _logged(log: LogOverride, thing: str, what: str) -> list[str]:
    try:
        log(thing, what)
    except SealwrightError as error:
        return [f"that is not in the audit log: {error.message}"]
    return []


def _learning(trust: TrustFolder, pinned: TrustFolder | None, verdict: Verdict) -> Callable[[Seen], Seen]:
    """Return what memory becomes by a verdict."""
    return lambda seen: advance(seen, verdict, trust.substance, pinned.substance if pinned else None)


def _remembered(data: Path, seen: Seen, verdict: Verdict, substance: str, learn: Callable[[Seen], Seen]) -> list[str]:
    """Move memory on. That it cannot be written is no reason to refuse a good release, but to say it."""
    try:
        remember(data, verdict.project, seen, learn)
    except OSError as error:
        why = f"{data} cannot be written ({reason(error)})"
        return [f"nothing of this is remembered, as {why}: an older release would go unnoticed later"]
    if lost := lost_withdrawals(learn(seen), verdict, substance):
        return [f"withdrawals of {lost} versions are not remembered: those of this policy are too many, or it is old"]
    return []

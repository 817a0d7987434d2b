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
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.errors import SealwrightError
from sealwright.files.reading import reason
from sealwright.jobs.verify_release import Clock, Verified
from sealwright.model.seen import Seen, advance, check_release_seen, check_seen, is_older
from sealwright.model.verdict import YANKED, PinInUse, Result, Verdict
from sealwright.model.withdrawal import Withdrawal
from sealwright.store.seen import read_seen, remember
from sealwright.store.trust_folder import TrustFolder

if TYPE_CHECKING:
    from sealwright.model.pin import Pin

_WARNED_BEFORE = timedelta(days=30)

Judge = Callable[[tuple[Withdrawal, ...]], AbstractContextManager[Verified]]
"""Given what the project was once found to have called back, judges a release and keeps its bytes until the end."""

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
    seen = read_seen(data, project)
    passed_over = "" if pin else _passed_over(data, trust)
    with judge(seen.withdrawn) as verified:
        verdict = verified.verdict
        now = clock()
        checks = [*verdict.checks, *check_seen(seen, trust.policy.version, trust.substance)]
        if chosen and seen.newest:
            checks.append(check_release_seen(seen, verdict.version))
        used = verdict.policy._replace(pin=_pin_in_use(pin, now)) if pin else verdict.policy
        verdict = verdict._replace(checks=tuple(checks), policy=used)
        warnings = [*verdict.warnings, *_expiry(verdict.policy.expires, now)]
        if verdict.result is Result.PASSED and is_older(seen, verdict.version):
            what = f"{verdict.version} is older than {seen.newest}, the newest release that was verified here"
            warnings += [what, *_logged(log, f"{project} {verdict.version}", what)]
        if verdict.result is Result.PASSED and (yanked := [c.got for c in verdict.checks if c.id == YANKED]):
            what = f"it was taken although its index calls it back ({yanked[0]})"
            warnings += [what, *_logged(log, f"{project} {verdict.version}", what)]
        if passed_over:
            what = f"{project} is pinned with another fingerprint, {passed_over}, and the policy that was named judged"
            told = _logged(log, f"{project} {verdict.version}", what) if verdict.result is Result.PASSED else []
            warnings += [f"{what}: nothing of this is remembered", *told]
        else:
            warnings += _remembered(data, seen, verdict, trust.substance)
        yield verified._replace(verdict=verdict._replace(warnings=tuple(warnings)))


def _passed_over(data: Path, trust: TrustFolder) -> str:
    """Return the fingerprint of a pin that trusts others than the policy that a person named; empty if there is none.

    Who brings a policy along may not move what is remembered, and so have the pin taken for an old one.
    """
    if not os.path.isdir(data / "pins"):  # loads nothing for those who pin nothing
        return ""
    from sealwright.store.pins import read_pin, trust_of

    pin = read_pin(data, trust.policy.project)
    pinned = trust_of(data, pin) if pin else trust
    return "" if pinned.substance == trust.substance else pinned.fingerprint


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


def _remembered(data: Path, seen: Seen, verdict: Verdict, substance: str) -> list[str]:
    """Move memory on. That it cannot be written is no reason to refuse a good release, but to say it."""
    try:
        remember(data, verdict.project, seen, lambda before: advance(before, verdict, substance))
    except OSError as error:
        why = f"{data} cannot be written ({reason(error)})"
        return [f"nothing of this is remembered, as {why}: an older release would go unnoticed later"]
    return []

"""How a command writes into the audit log: before it does something, after it did, or without being able to stop it.

Three ways, and docs/log.md says which command takes which. `log_for` finds out before the work that nothing could be
logged; `record` raises if what was done cannot be; `remark` only warns, for verdicts, which no log may change.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.cli.world import actor, clock, log_place, say
from sealwright.errors import SealwrightError, UndecidedError

if TYPE_CHECKING:
    from sealwright.jobs.log_events import By
    from sealwright.model.log_entry import Event
    from sealwright.store.trust_folder import TrustFolder

_WAIT = 3.0  # seconds that a verdict may wait for a log that another process holds


def by() -> "By":
    """Who runs this, now."""
    from sealwright.jobs.log_events import By

    return By(actor(), clock())


def log_for(given: Path | None) -> Path:
    """Return where the log is, for whoever is about to do what must be logged. Raises UsageError and UndecidedError."""
    from sealwright.store.audit_log import refuse_unwritable

    path = log_place(given).path
    refuse_unwritable(path)
    return path


def record(path: Path, *events: "Event") -> None:
    """Write down what was done. Raises UndecidedError, which says that it was done all the same."""
    from sealwright.store.audit_log import append_all

    if not events:
        return
    try:
        append_all(path, events)
    except UndecidedError as error:
        did = ", ".join(f"{event.action} {event.object}" for event in events[-1:])
        raise UndecidedError(f"{error.message}; what was done stands ({did}), and is in no log", error.hint) from error


def remark(given: Path | None, events: "Callable[[By], tuple[Event, ...]]") -> None:
    """Write down what a verdict came to. Nothing that goes wrong here is more than a warning on standard error."""
    try:
        from sealwright.store.audit_log import append_all

        found = events(by())
        if found:
            append_all(log_place(given).path, found, patience=_WAIT)
    except SealwrightError as error:
        why = error.message
    except Exception as error:  # noqa: BLE001  a bug here must not become the verdict
        why = f"internal error: {type(error).__name__}"
    else:
        return
    say(f"sealwright: warning: not in the audit log: {why}", sys.stderr)


def warnings_of(trust: "TrustFolder", given: Path | None) -> tuple[str, ...]:
    """Say what its publisher should know of a trust folder: what users can do nothing with, and what has changed
    under the version that the log knows, if it can be asked.
    """
    from sealwright.jobs.unfit import find_unfit
    from sealwright.jobs.unraised import find_unraised
    from sealwright.store.trust_folder import POLICY_FILE

    unfit = tuple(f"{POLICY_FILE}: {each}" for each in find_unfit(trust.policy))
    try:
        return unfit + find_unraised(trust.policy, trust.content, trust.keys, log_place(given).path)
    except SealwrightError:
        return unfit

"""Deadlines: what must be renewed, by whom, until when, and how that stands at a given time.

Enters: dates, periods, and the time as an argument. Leaves: `Deadline`s, and a `Reminder` with its exit code. Reads no
clock. All times are in UTC, so that no change to summer time moves a deadline; a date alone means its first moment.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sealwright.errors import ExitCode, UsageError

_PERIOD = re.compile(r"P(?=\d)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?", re.ASCII)
_SHORT = re.compile(r"(\d{1,6})([dwmy])", re.ASCII)
_SHORT_UNITS = {"d": "D", "w": "W", "m": "M", "y": "Y"}
_LAST = datetime.max.replace(tzinfo=UTC, microsecond=0)


class Period(NamedTuple):
    """A calendar period: so many months, then so many days."""

    months: int
    days: int


class Deadline(NamedTuple):
    """A date (UTC) on which something must have been renewed. `kind` and `name` together are unique and stay the same.

    `step` is what to do; `source` the file that says so.
    """

    kind: str
    name: str
    owner: str
    due: datetime
    step: str
    source: str

    def days_left(self, now: datetime) -> int:
        """Whole days until it is due; negative once it is overdue."""
        return (self.due - now).days


class Reminder(NamedTuple):
    """Every deadline, soonest first, as it stands at `now`; those before `horizon` are due.

    `sources` are the files that were read, `absent` those that were not there, `unasked` those that need not be;
    `notes` say what has no deadline.
    """

    now: datetime
    horizon: datetime
    deadlines: tuple[Deadline, ...]
    sources: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unasked: frozenset[str] = frozenset()

    @property
    def overdue(self) -> tuple[Deadline, ...]:
        """Those whose time has come: at that very second it is too late."""
        return tuple(deadline for deadline in self.deadlines if deadline.due <= self.now)

    @property
    def due(self) -> tuple[Deadline, ...]:
        """Those that come next, the horizon included."""
        return tuple(deadline for deadline in self.deadlines if self.now < deadline.due <= self.horizon)

    @property
    def exit_code(self) -> ExitCode:
        """31 if anything is overdue, 30 if anything is due, else 0."""
        if self.overdue:
            return ExitCode.OVERDUE
        return ExitCode.DUE if self.due else ExitCode.DONE


def build_reminder(
    deadlines: list[Deadline],
    now: datetime,
    within: Period,
    sources: tuple[str, ...] = (),
    absent: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> Reminder:
    """Order deadlines as they stand at `now`, which must have a zone."""
    now = now.astimezone(UTC)
    ordered = sorted(deadlines, key=lambda deadline: (deadline.due, deadline.kind, deadline.name))
    return Reminder(now, add(now, within), tuple(ordered), sources, absent, notes)


def days_late(due: datetime, now: datetime) -> int:
    """Whole days since something was due: 0 within the first day. How every list counts them."""
    return (now - due) // timedelta(days=1)


def parse_period(text: str) -> Period:
    """Read a period of years, months, weeks and days (ISO 8601: P90D, P3M, P1Y6M), or the short 30d, 6w, 3m, 1y.

    Raises UsageError; a period of nothing is none.
    """
    if short := _SHORT.fullmatch(text):
        text = f"P{short[1]}{_SHORT_UNITS[short[2]]}"
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise UsageError(f"{text[:40]!r} is not a period", "For instance 30d, 6w, 3m, 1y, or P90D (ISO 8601).")
    years, months, weeks, days = (int(part or 0) for part in found.groups())
    period = Period(12 * years + months, 7 * weeks + days)
    if period == Period(0, 0):
        raise UsageError(f"{text[:40]!r} is a period of no length")
    return period


def add(moment: datetime, period: Period) -> datetime:
    """Add a period: months first, to the same day or the last one of a shorter month; then days. Never overflows."""
    months = moment.month - 1 + period.months
    year, month = moment.year + months // 12, months % 12 + 1
    if year >= _LAST.year:
        return _LAST
    longest = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    day = min(moment.day, longest.day)
    try:
        return moment.replace(year=year, month=month, day=day) + timedelta(days=period.days)
    except OverflowError:
        return _LAST


def to_moment(value: object) -> datetime | None:
    """Return the moment that a date, or a date and time with its zone, means, in UTC; None for anything else."""
    if isinstance(value, datetime):
        try:
            return value.astimezone(UTC) if value.tzinfo is not None else None
        except OverflowError:
            return None
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else None

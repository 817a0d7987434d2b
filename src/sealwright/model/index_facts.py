"""What an index of advisories says about itself.

Enters: nothing. Leaves: `IndexFacts`, which every result of an audit states, and `Skipped`, what could not be read
into it.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

FORMAT = 1


class Skipped(NamedTuple):
    """A record that could not be used: where it stood, and why. Empty `packages`: nobody knows whom it was about."""

    file: str
    id: str
    packages: tuple[str, ...]
    problem: str


class IndexFacts(NamedTuple):
    """`sha256` is that of the tables, the same for the same records; `source_sha256` that of the export; both hex.

    `newest` is the newest change that a record states; `current` the time at which the export was what its source
    offered: when it was fetched, or, for a file of unknown age, `newest`. Both are RFC 3339 in UTC, or empty.
    """

    source: str
    source_sha256: str
    sha256: str
    records: int
    withdrawn: int
    packages: int
    newest: str
    current: str
    imported: str
    skipped: tuple[Skipped, ...]
    skipped_count: int
    etag: str = ""
    last_modified: str = ""

    def age(self, now: datetime) -> timedelta | None:
        """How long ago the index was current; None if it does not say. Never less than zero."""
        current = read_time(self.current)
        return max(now - current, timedelta(0)) if current else None


def read_time(text: str) -> datetime | None:
    """Read a time as `IndexFacts` holds it."""
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is UTC else None
    except ValueError:
        return None


def write_time(moment: datetime) -> str:
    """Write a time as `IndexFacts` holds it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def describe_age(age: timedelta | None) -> str:
    """Say an age in one short word or two."""
    if age is None:
        return "of unknown age"
    if age.days:
        return f"{age.days} day{'s' if age.days > 1 else ''} old"
    hours = age.seconds // 3600
    return f"{hours} hour{'s' if hours != 1 else ''} old"

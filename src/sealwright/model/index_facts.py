"""What an index of advisories says about itself.

Enters: nothing. Leaves: `IndexFacts`, which every result of an audit states, and `Skipped`, what could not be read
into it.
"""

from datetime import UTC, datetime, timedelta

from sealwright.model.record import Record

FORMAT = 3
_NUMBERS = ("records", "withdrawn", "packages", "skipped_count")


class Skipped(Record):
    """A record that could not be used: where it stood, and why. Empty `packages`: nobody knows whom it was about."""

    file: str
    id: str
    packages: tuple[str, ...]
    problem: str


class IndexFacts(Record):
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

    def quiet(self) -> timedelta:
        """For how long nothing had changed in it when it was current: a mirror may be asked daily, and get nothing."""
        current, newest = read_time(self.current), read_time(self.newest)
        return max(current - newest, timedelta(0)) if current and newest else timedelta(0)


_QUOTED = (("%", "%25"), ("\t", "%09"), ("\n", "%0A"), ("\r", "%0D"))  # the first one is taken back last


def render_facts(facts: IndexFacts) -> bytes:
    """Write facts as lines of UTF-8: key, tab, value. JSON would do, but takes as long to load as 300 look-ups."""
    lines = [f"{key}\t{_quote(str(value))}" for key, value in facts._asdict().items() if key != "skipped"]
    lines += ["\t".join(map(_quote, ("skipped", s.file, s.id, s.problem, *s.packages))) for s in facts.skipped]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def parse_facts(content: bytes) -> IndexFacts:
    """Read what `render_facts` wrote. Raises ValueError, TypeError."""
    found: dict[str, str | int] = {}
    skipped: list[Skipped] = []
    for line in content.decode("utf-8").removesuffix("\n").split("\n"):
        key, *values = map(_unquote, line.split("\t"))
        if key == "skipped":
            file, name, problem, *packages = values
            skipped.append(Skipped(file, name, tuple(packages), problem))
        else:
            (text,) = values
            found[key] = int(text) if key in _NUMBERS else text
    return IndexFacts(**found, skipped=tuple(skipped))  # type: ignore[arg-type]  # what has the wrong type or is missing, raises


def _quote(text: str) -> str:
    for sign, quoted in _QUOTED:
        text = text.replace(sign, quoted)
    return text


def _unquote(text: str) -> str:
    for sign, quoted in reversed(_QUOTED) if "%" in text else ():
        text = text.replace(quoted, sign)
    return text


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

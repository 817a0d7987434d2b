"""Time: leap days, month ends, time zones, summer time, clocks that go backwards. `now` is always given."""

import tomllib
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples

from sealwright.errors import UsageError
from sealwright.model.deadline import Deadline, Period, add, build_reminder, parse_period, to_moment
from sealwright.model.plain_toml import read_plain
from sealwright.model.token import Token, parse_register, token_deadlines


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(due: str, name: str = "x") -> Deadline:
    return Deadline("token rotation", name, "me", utc(due), "rotate it", "here")


@pytest.mark.parametrize(
    ("start", "period", "end"),
    [
        ("2024-02-29", "P1Y", "2025-02-28"),
        ("2024-02-29", "P4Y", "2028-02-29"),
        ("2023-02-28", "P1Y", "2024-02-28"),
        ("2024-01-31", "P1M", "2024-02-29"),
        ("2023-01-31", "P1M", "2023-02-28"),
        ("2023-08-31", "3m", "2023-11-30"),
        ("2023-12-31", "P2M", "2024-02-29"),
        ("2023-11-30", "P3M", "2024-02-29"),
        ("2024-02-28", "1d", "2024-02-29"),
        ("2023-12-31", "1d", "2024-01-01"),
        ("2026-01-01", "P90D", "2026-04-01"),
        ("2026-01-01", "P1Y2M3W4D", "2027-03-26"),
        ("1900-01-31", "P1M", "1900-02-28"),
        ("2000-01-31", "P1M", "2000-02-29"),
        ("2026-01-01", "P9999Y", "9999-12-31T23:59:59"),
        ("9990-01-01", "P999999D", "9999-12-31T23:59:59"),
    ],
)
def test_periods_and_calendars(start: str, period: str, end: str) -> None:
    assert add(utc(start), parse_period(period)) == utc(end)


@pytest.mark.parametrize(
    "text", ["", "P", "PT1H", "P1", "30", "-30d", "P0D", "0d", "30 d", "P1D1Y", "d", "٣d", "P1.5D", "P9999999D"]
)
def test_what_is_no_period(text: str) -> None:
    with pytest.raises(UsageError):
        parse_period(text)


def test_the_second_that_counts() -> None:
    deadline = at("2026-03-31")
    for now, code in (
        ("2026-02-28T23:59:59", 0), ("2026-03-01T00:00:00", 30), ("2026-03-30T23:59:59", 30), ("2026-03-31T00:00:00", 31),
    ):  # fmt: skip
        assert build_reminder([deadline], utc(now), Period(0, 30)).exit_code == code, now


def test_the_zone_of_the_caller_does_not_matter() -> None:
    moment = utc("2026-03-30T23:30:00")
    for zone in (timezone(timedelta(hours=14)), timezone(timedelta(hours=-12)), ZoneInfo("Asia/Kathmandu")):
        here = moment.astimezone(zone)
        reminder = build_reminder([at("2026-03-31")], here, Period(0, 30))
        assert (reminder.exit_code, reminder.deadlines[0].days_left(reminder.now)) == (30, 0)
        assert reminder.now.tzinfo is UTC


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_summer_time_moves_nothing(day: str) -> None:
    """Berlin's clocks jump on these days: an hour that is missing or doubled is no hour of a deadline."""
    berlin = ZoneInfo("Europe/Berlin")
    due = utc(day) + timedelta(hours=1)
    before = (due - timedelta(seconds=1)).astimezone(berlin)
    assert build_reminder([at(due.isoformat()[:19])], before, Period(0, 1)).exit_code == 30
    assert build_reminder([at(due.isoformat()[:19])], due.astimezone(berlin), Period(0, 1)).exit_code == 31
    midnight = datetime.fromisoformat(day).replace(tzinfo=berlin)
    assert add(midnight.astimezone(UTC), Period(0, 1)) - midnight == timedelta(hours=24)


def test_a_clock_that_goes_backwards() -> None:
    """What was overdue is not any more, and nothing remembers: each answer is one of its time alone."""
    deadlines = [at("2026-03-31")]
    answers = [
        build_reminder(deadlines, utc(now), Period(0, 30)).exit_code
        for now in ("2026-04-01", "2026-03-01", "1999-01-01", "2026-04-01")
    ]
    assert answers == [31, 30, 0, 31]


def test_what_a_date_means() -> None:
    assert to_moment(date(2026, 3, 31)) == utc("2026-03-31")
    assert to_moment(datetime.fromisoformat("2026-03-31T00:00:00+02:00")) == utc("2026-03-30T22:00:00")
    for wrong in (
        datetime(2026, 3, 31),  # noqa: DTZ001  that is the point
        "2026-03-31",
        5,
        None,
        datetime.min.replace(tzinfo=timezone(timedelta(hours=9))),
    ):
        assert to_moment(wrong) is None


TOKEN = """schema = 1

# The token of the release job.
[[token]]
name = "pypi"
service = "pypi"
scope = "project:pkg"
owner = "me"  # since March
purpose = "upload"
where = "keyring:sealwright/token:pypi"
created = 2026-01-01
"""


def test_deadlines_of_a_token() -> None:
    def found(more: str) -> list[tuple[str, str]]:
        tokens = parse_register((TOKEN + more).encode(), "tokens.toml")
        return [(deadline.kind, f"{deadline.due:%Y-%m-%d}") for deadline in token_deadlines(tokens, "tokens.toml")]

    assert found("") == [("token rotation", "2026-04-01")]
    assert found("rotated = 2026-02-28\n") == [("token rotation", "2026-05-29")]
    assert found('rotate-every = "P1M"\nrotated = 2024-01-31\n') == [("token rotation", "2024-02-29")]
    assert found("expires = 2026-12-31T00:00:00+01:00\n")[1] == ("token expiry", "2026-12-30")
    assert found("revoked = 2026-02-01\n") == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("schema = 1", "schema = 2", "schema must be 1"),
        ("schema = 1", "schema = 1\nsecret = 1", "secret is not a key"),
        ('owner = "me"', 'ower = "me"', "ower is not a key"),
        ('owner = "me"', "", "owner is missing"),
        ('owner = "me"', "owner = 5", "owner must be a printable text"),
        ('owner = "me"', 'owner = ""', "owner must be a printable text"),
        ('"me"', '"a\\u001bb"', "owner must be a printable text"),
        ('service = "pypi"', 'service = "npm"', "service must be one of"),
        ("keyring:sealwright/token:pypi", "file:/etc/passwd", "where must be"),
        ("2026-01-01", "2026-01-01T00:00:00", "created must be a date"),
        ("2026-01-01", '"soon"', "created must be a date"),
        ("2026-01-01", "2026-02-30", "is not TOML"),
        ("created", "name", "is not TOML"),
        ('name = "pypi"', 'name = "../pypi"', "name must be"),
        ("[[token]]", "[token]", "token must be written"),
        ("created = 2026-01-01", 'created = 2026-01-01\nrotate-every = "often"', "is not a period"),
        ("# The", "x" * 3000, "more than 2,000"),
        ("schema = 1", "schema = " + "[" * 1500 + "]" * 400, "tokens.toml"),
    ],
)
def test_registers_that_are_wrong(old: str, new: str, said: str) -> None:
    assert old in TOKEN
    with pytest.raises(UsageError) as caught:
        parse_register(TOKEN.replace(old, new, 1).encode(), "tokens.toml")
    assert said in caught.value.message


@pytest.mark.parametrize("new", ["2026-31-11", "correct-horse-battery"])
def test_a_register_that_is_no_toml_is_not_quoted(new: str) -> None:
    """The line may hold a secret of a form that nobody knows, and what is printed goes into the log of a CI job."""
    with pytest.raises(UsageError, match="is not TOML") as caught:
        parse_register(TOKEN.replace("2026-01-01", new, 1).encode(), "tokens.toml")
    assert caught.value.hint.startswith("Texts stand in quotes, and dates do not")
    assert "battery" not in caught.value.message + caught.value.hint


def test_two_tokens_of_one_name() -> None:
    twice = TOKEN + TOKEN[TOKEN.index("[[token]]") :]
    with pytest.raises(UsageError, match="two tokens are called pypi"):
        parse_register(twice.encode(), "x")


def test_the_plainest_toml_is_read_as_tomllib_reads_it() -> None:
    assert read_plain(TOKEN) == tomllib.loads(TOKEN)
    assert isinstance(parse_register(TOKEN.encode(), "x")[0], Token)


_PARTS = ["[[token]]", "[[a]]", "a = 1", "b = 01", 'a = "x"', 'c = "', 'c = """', '"""', "d = 2026-02-29", "d = 2024-02-29",
          "# x", "a = 1 # x", 'a = "x#y"', "", " ", "\t", "e = 2026-01-01T00:00:00Z", "a.b = 1", "[a]", 'f = "\\n"', "a=1",
          "a = 1\r", 'g = "\x7f"', 'g = "ü"', "# \x00", "token = 1", "  a = 1", "h = -1", "'a' = 1", "i = ''", "\x0c"]  # fmt: skip


@examples(400)
@given(st.lists(st.sampled_from(_PARTS), max_size=6))
def test_plain_or_left_to_tomllib(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = read_plain(text)
    if found is not None:
        assert found == tomllib.loads(text)

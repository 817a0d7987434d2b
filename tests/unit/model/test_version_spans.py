"""Ranges hold what the OSV specification's own algorithm says, in whatever order their events stand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.advisories import affected, is_vulnerable, record
from support.fuzz import examples
from support.osv_entries import ENTRIES, EVENTS, VERSIONS

from sealwright.model.advisory import concerns
from sealwright.model.osv_record import parse_advisory


def judge(version: str, entry: dict[str, Any]) -> bool | None:
    return concerns(parse_advisory(record(1, entry)).affected[0], version)


@examples(1000)
@given(VERSIONS, ENTRIES)
def test_the_specification_is_never_contradicted(version: str, entry: dict[str, Any]) -> None:
    """Equal where everything can be evaluated; a local version may also be affected as its public one."""
    expected = is_vulnerable(version, entry) or is_vulnerable(version.partition("+")[0], entry)
    found = judge(version, entry)
    if expected:
        assert found is True
    else:
        unclear = not entry["ranges"] and "versions" not in entry
        unclear |= any(not any("introduced" in event for event in each["events"]) for each in entry["ranges"])
        assert found is (None if unclear else False)


@examples(500)
@given(VERSIONS, EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(version: str, events: list[dict[str, str]], random: Any) -> None:
    shuffled = random.sample(events, len(events))
    assert judge(version, affected(events=events)) is judge(version, affected(events=shuffled))


@pytest.mark.parametrize(
    ("version", "events", "expected"),
    [
        ("1.5", [{"introduced": "1.0"}, {"fixed": "2.0"}], True),
        ("2.0", [{"introduced": "1.0"}, {"fixed": "2.0"}], False),
        ("2.0rc1", [{"introduced": "1.0"}, {"fixed": "2.0"}], True),
        ("2.0.post1", [{"introduced": "1.0"}, {"last_affected": "2.0"}], False),
        ("2.0", [{"introduced": "1.0"}, {"last_affected": "2.0"}], True),
        ("1!0.1", [{"introduced": "0"}, {"fixed": "2.0"}], False),
        ("0.1", [{"introduced": "0"}, {"fixed": "1!0.1"}], True),
        ("1.5", [{"fixed": "2.0"}, {"introduced": "1.0"}], True),
        ("3.5", [{"fixed": "4"}, {"introduced": "1"}, {"fixed": "2"}, {"introduced": "3"}], True),
        ("2.5", [{"fixed": "4"}, {"introduced": "1"}, {"fixed": "2"}, {"introduced": "3"}], False),
        ("1.0", [{"introduced": "1.0"}, {"last_affected": "1.0"}], True),
        ("1.0.0", [{"introduced": "1.0"}, {"last_affected": "1"}], True),
        ("2.0+cpu", [{"introduced": "1.0"}, {"last_affected": "2.0"}], True),
        ("1.5", [{"introduced": "1"}, {"fixed": "2019-09-12"}], None),
        ("1.5", [{"fixed": "2"}], None),
        ("1.5", [{"introduced": "1", "fixed": "2"}], None),
        ("1.5", [{"introduced": 1}], None),
        ("1.5", [{"invented": "1"}], None),
        ("not a version", [{"introduced": "0"}], None),
    ],
)
def test_ranges(version: str, events: list[dict[str, Any]], expected: bool | None) -> None:
    assert judge(version, affected(events=events)) is expected

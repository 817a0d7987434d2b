"""How many days are left, or past: the same number wherever it is shown."""

from datetime import UTC, datetime, timedelta

import pytest

from sealwright.model.deadline import Deadline, Period, build_reminder
from sealwright.model.key_status import KeysStatus, KeyStatus, PartStatus
from sealwright.render.keys import render_status
from sealwright.render.reminder import render_reminder

NOW = datetime(2026, 11, 29, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "late"),
    [
        (timedelta(0), 0),
        (timedelta(hours=23), 0),
        (timedelta(hours=25), 1),
        (timedelta(days=667), 667),
        (timedelta(days=667, hours=23), 667),
    ],
)
def test_a_key_that_has_expired_is_as_late_in_status_as_in_remind(ago: timedelta, late: int) -> None:
    due = NOW - ago
    part = PartStatus("F" * 40, True, ("sign",), "Ed25519 255", due, "expired", (), "here")
    status = KeysStatus("keys/policy.toml", 1, NOW, (KeyStatus("me", "F" * 40, "Me", "", "F.asc", (part,)),))
    assert f"EXPIRED {due:%Y-%m-%d} ({late} days ago)" in render_status(status)
    reminder = build_reminder([Deadline("OpenPGP key", "F" * 40, "me", due, "extend it", "F.asc")], NOW, Period(3, 0))
    assert f" {late} days late  " in render_reminder(reminder)

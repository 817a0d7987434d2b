"""The register of keys: what it says, and what is refused."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sealwright.errors import UsageError
from sealwright.model.key_register import key_register_deadlines, parse_key_register
from sealwright.store.key_register import read_key_register, set_key_record

KEY = "0123456789ABCDEF" * 2 + "01234567"
GOOD = f'schema = 1\n\n[[key]]\nfingerprint = "{KEY}"\nowner = "me"\nkept = "the safe"\ncreated = 2028-02-29\n'


def test_a_certificate_is_to_be_looked_at_each_year() -> None:
    (record,) = parse_key_register(GOOD.encode(), "keys.toml")
    (deadline,) = key_register_deadlines((record,), "keys.toml")
    assert deadline.due == datetime(2029, 2, 28, tzinfo=UTC)
    assert (deadline.kind, deadline.name, deadline.owner, deadline.source) == (
        "revocation certificate",
        KEY,
        "me",
        "keys.toml",
    )
    looked = record._replace(checked=datetime(2029, 2, 1, tzinfo=UTC))
    assert key_register_deadlines((looked,), "")[0].due == datetime(2030, 2, 1, tzinfo=UTC)
    assert key_register_deadlines((record._replace(revoked=looked.checked),), "") == []
    (monthly,) = parse_key_register(f'{GOOD}check-every = "P1M"\n'.encode(), "keys.toml")
    assert monthly.check_by == datetime(2028, 3, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("schema = 1", "schema = 2", "schema must be 1"),
        ("kept", "keept", "keept is not a key"),
        ('kept = "the safe"\n', "", "kept is missing"),
        ('"the safe"', '"the\\u001b[2Jsafe"', "printable"),
        ('"the safe"', "7", "printable"),
        (KEY, KEY[:16], "40 or 64"),
        (KEY, KEY.lower(), "40 or 64"),
        ("2028-02-29", '"today"', "must be a date"),
        ("2028-02-29", "2028-02-29T12:00:00", "must be a date"),
        ("[[key]]", "[key]", "must be written"),
        ("created", 'check-every = "often"\ncreated', "is not a period"),
        ("schema = 1\n", "schema = 1\nschema = 1\n", "TOML"),
    ],
)
def test_what_is_wrong_is_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_key_register(GOOD.replace(old, new, 1).encode(), "keys.toml")


def test_a_key_stands_there_once() -> None:
    with pytest.raises(UsageError, match="twice"):
        parse_key_register((GOOD + GOOD.removeprefix("schema = 1\n")).encode(), "keys.toml")


def test_it_is_edited_with_its_comments_kept(tmp_path: Path) -> None:
    path = tmp_path / ".sealwright" / "keys.toml"
    assert read_key_register(path) == ()
    assert not set_key_record(path, KEY, {}, {"revoked": date(2027, 1, 1)}), "nothing is begun only to revoke it"
    new: dict[str, str | date] = {"owner": "me", "kept": 'a "safe" # 7', "created": date(2026, 1, 1)}
    assert set_key_record(path, KEY, new, {})
    path.write_text(path.read_text().replace("created = 2026-01-01", "created = 2026-01-01   # at home"))
    assert set_key_record(path, KEY, new, {"checked": date(2027, 1, 1)})
    assert not set_key_record(path, KEY, new, {"checked": date(2027, 1, 1)})
    (record,) = read_key_register(path)
    assert (record.kept, record.check_by) == ('a "safe" # 7', datetime(2028, 1, 1, tzinfo=UTC))
    assert "created = 2026-01-01   # at home" in path.read_text()

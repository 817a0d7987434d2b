"""The register of keys: where a key's revocation certificate and backup lie, in its owner's words, and who looks.

Enters: the content of .sealwright/keys.toml. Leaves: `KeyRecord`s and their deadlines, or a UsageError that names what
to mend. It holds no secret, and nothing is judged by it. docs/keys.md is its manual.
"""

import re
from datetime import datetime
from typing import NamedTuple

from sealwright.errors import UsageError
from sealwright.model.deadline import Deadline, Period, add, parse_period, to_moment
from sealwright.model.token import parse_toml

MAX_KEY_REGISTER_BYTES = 1024 * 1024
YEARLY = "P1Y"
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")
_TEXTS = ("fingerprint", "owner", "kept")
_DATES = ("created", "checked", "revoked")
_KEYS = frozenset((*_TEXTS, *_DATES, "check-every"))
_HINT = "docs/keys.md shows every key."
_MAX_KEYS = 1000


class KeyRecord(NamedTuple):
    """A key (upper-case fingerprint), whose it is, and where its revocation certificate is kept, in words.

    `checked` is when somebody last saw that the certificate is there and fits.
    """

    fingerprint: str
    owner: str
    kept: str
    created: datetime
    checked: datetime | None = None
    revoked: datetime | None = None
    check_every: Period = Period(12, 0)

    @property
    def check_by(self) -> datetime:
        """When the revocation certificate must have been looked at again."""
        return add(self.checked or self.created, self.check_every)


def parse_key_register(content: bytes, source: str) -> tuple[KeyRecord, ...]:
    """Read a register of keys (TOML 1.0, https://toml.io/en/v1.0.0). Raises UsageError, which names file and key."""
    document = parse_toml(content, source, MAX_KEY_REGISTER_BYTES)
    if unknown := set(document) - {"schema", "key"}:
        raise UsageError(f"{source}: {ascii(min(unknown))[1:-1]} is not a key of the register", _HINT)
    if document.get("schema") != 1:
        raise UsageError(f"{source}: schema must be 1", "A later schema needs a later Sealwright.")
    entries = document.get("key", [])
    if not isinstance(entries, list) or len(entries) > _MAX_KEYS:
        raise UsageError(f"{source}: key must be written [[key]], at most {_MAX_KEYS:,} times", _HINT)
    records = tuple(_record(entry, f"{source}: key {number}") for number, entry in enumerate(entries, 1))
    if len({record.fingerprint for record in records}) != len(records):
        raise UsageError(f"{source}: a key is registered twice", _HINT)
    return records


def key_register_deadlines(records: tuple[KeyRecord, ...], source: str) -> list[Deadline]:
    """Return when each revocation certificate must be looked at again; that of a revoked key has no deadline."""
    found = []
    for record in records:
        if record.revoked is None:
            step = f"see that it is there ({record.kept}): sealwright keys status --check-revocation FILE"
            name = record.fingerprint
            found.append(Deadline("revocation certificate", name, record.owner, record.check_by, step, source))
    return found


def _record(entry: object, place: str) -> KeyRecord:
    if not isinstance(entry, dict):
        raise UsageError(f"{place} must be a table", _HINT)
    if unknown := entry.keys() - _KEYS:
        raise UsageError(f"{place}: {ascii(min(unknown))[1:-1]} is not a key of the register", _HINT)
    if missing := [key for key in (*_TEXTS, "created") if key not in entry]:
        raise UsageError(f"{place}: {missing[0]} is missing", _HINT)
    for key in entry.keys() - set(_DATES):
        value = entry[key]
        if not isinstance(value, str) or not value or not value.isprintable():
            raise UsageError(f"{place}: {key} must be a printable text", _HINT)
    if not _FINGERPRINT.fullmatch(entry["fingerprint"]):
        raise UsageError(f"{place}: fingerprint must be the 40 or 64 upper-case hex digits of a primary key", _HINT)
    dates = {key: _moment(entry[key], f"{place}: {key}") for key in _DATES if key in entry}
    return KeyRecord(
        **{key: entry[key] for key in _TEXTS},
        **dates,  # type: ignore[arg-type]  # created is required
        check_every=parse_period(entry.get("check-every", YEARLY)),
    )


def _moment(value: object, place: str) -> datetime:
    moment = to_moment(value)
    if moment is None:
        raise UsageError(f"{place} must be a date, or a date and time with its zone", "For instance 2026-03-31.")
    return moment

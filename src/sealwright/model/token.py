"""The register of tokens: what they may do, whose they are, where their secrets live. It holds no secret.

Enters: the content of .sealwright/tokens.toml. Leaves: `Token`s and their deadlines, or a UsageError that names what to
mend. Never guesses: an unknown key or a wrong type is an error. docs/tokens.md is its manual.
"""

import re
from datetime import datetime
from typing import Any, NamedTuple

from sealwright.errors import UsageError
from sealwright.model.deadline import Deadline, Period, add, parse_period, to_moment
from sealwright.model.log_entry import may_hold_secrets, without_secrets
from sealwright.model.plain_toml import read_plain

MAX_REGISTER_BYTES = 4 * 1024 * 1024
SERVICES = ("pypi", "testpypi", "github", "gitlab", "other")
QUARTERLY = "P90D"
NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
WHERE = re.compile(
    r"keyring:[^\s/:]+/[^\s/]+|github-secret:[A-Za-z0-9._-]+/[A-Za-z0-9._-]+/[A-Z_][A-Z0-9_]*|env:[A-Za-z_]\w*|external",
    re.ASCII,
)
PLACES = "keyring:SERVICE/USER, github-secret:OWNER/REPO/NAME, env:NAME or external"
_TEXTS = ("name", "service", "scope", "owner", "purpose", "where")
_DATES = ("created", "rotated", "expires", "revoked")
_KEYS = frozenset((*_TEXTS, *_DATES, "rotate-every", "accepted", "kept"))
_REQUIRED = (*_TEXTS, "created")
_HINT = "docs/tokens.md shows every key."
_TOML = 'Texts stand in quotes, and dates do not: name = "pypi-upload", created = 2026-11-30.'
_MAX_TOKENS = 10_000


class Token(NamedTuple):
    """A credential without its secret. `where` is keyring:SERVICE/USER, github-secret:O/R/NAME, env:NAME or external.

    `accepted` is the reason for which a token that may do more than its purpose needs was accepted, `kept` the one for
    which it is kept although trusted publishing makes it needless.
    """

    name: str
    service: str
    scope: str
    owner: str
    purpose: str
    where: str
    created: datetime
    rotated: datetime | None = None
    expires: datetime | None = None
    revoked: datetime | None = None
    rotate_every: Period = Period(0, 90)
    accepted: str = ""
    kept: str = ""

    @property
    def rotate_by(self) -> datetime:
        """When its secret must have been exchanged, counted from the last exchange."""
        return add(self.rotated or self.created, self.rotate_every)


def parse_register(content: bytes, source: str) -> tuple[Token, ...]:
    """Read a register (TOML 1.0, https://toml.io/en/v1.0.0). Raises UsageError, which names the file and the key."""
    document = parse_toml(content, source, MAX_REGISTER_BYTES)
    if unknown := set(document) - {"schema", "token"}:
        raise UsageError(f"{source}: {ascii(min(unknown))[1:-1]} is not a key of the register", _HINT)
    if document.get("schema") != 1:
        raise UsageError(f"{source}: schema must be 1", "A later schema needs a later Sealwright.")
    entries = document.get("token", [])
    if not isinstance(entries, list) or len(entries) > _MAX_TOKENS:
        raise UsageError(f"{source}: token must be written [[token]], at most {_MAX_TOKENS:,} times", _HINT)
    tokens = tuple(_token(entry, f"{source}: token {number}") for number, entry in enumerate(entries, 1))
    names: set[str] = set()
    for token in tokens:
        if token.name in names:
            raise UsageError(f"{source}: two tokens are called {token.name}")
        names.add(token.name)
    return tokens


def parse_toml(content: bytes, source: str, limit: int) -> dict[str, Any]:
    """Read TOML that people write by hand, within bounds. Raises UsageError."""
    try:
        text = content.decode("utf-8")
        if len(content) > limit or max(map(len, text.split("\n"))) > 2000:  # a dotted key costs the square of its parts
            raise UsageError(f"{source} is too large, or has a line of more than 2,000 characters")
        refuse_secrets(text, source)
        plain = read_plain(text)
        if plain is not None:
            return plain
        import tomllib

        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise UsageError(f"{source} is not UTF-8 (byte {error.start})") from error
    except RecursionError as error:
        raise UsageError(f"{source} is nested too deeply") from error
    except ValueError as error:
        # Not the line itself: it may hold a secret of a form that nobody knows.
        raise UsageError(f"{source} is not TOML: {error}", _TOML) from error


def refuse_secrets(text: str, source: str) -> None:
    """Refuse a text into which somebody has pasted a secret; it is not shown. Raises UsageError.

    A register is committed, mailed and put into calendars.
    """
    if not may_hold_secrets(text):
        return
    for number, line in enumerate(text.split("\n"), 1):
        if without_secrets(line) != line:
            raise UsageError(
                f"{source}: line {number} holds what looks like a secret",
                "Revoke it at its service: a secret that was written into a file is known. Then take it out.",
            )


def _token(entry: object, place: str) -> Token:
    if not isinstance(entry, dict):
        raise UsageError(f"{place} must be a table", _HINT)
    if unknown := entry.keys() - _KEYS:
        raise UsageError(f"{place}: {ascii(min(unknown))[1:-1]} is not a key of a token", _HINT)
    if missing := [key for key in _REQUIRED if key not in entry]:
        raise UsageError(f"{place}: {missing[0]} is missing", _HINT)
    for key, value in entry.items():
        if key not in _DATES and (not isinstance(value, str) or not value or not value.isprintable()):
            raise UsageError(f"{place}: {key} must be a printable text", _HINT)
    dates = {key: _moment(entry[key], f"{place}: {key}") for key in _DATES if key in entry}
    if not NAME.fullmatch(entry["name"]):
        raise UsageError(f"{place}: name must be of a-z, 0-9, and . _ - between them", _HINT)
    if entry["service"] not in SERVICES:
        raise UsageError(f"{place}: service must be one of {', '.join(SERVICES)}", _HINT)
    if not WHERE.fullmatch(entry["where"]):
        raise UsageError(f"{place}: where must be {PLACES}", _HINT)
    return Token(
        **{key: entry[key] for key in _TEXTS},
        **dates,  # type: ignore[arg-type]  # created is required
        rotate_every=parse_period(entry.get("rotate-every", QUARTERLY)),
        accepted=entry.get("accepted", ""),
        kept=entry.get("kept", ""),
    )


def _moment(value: object, place: str) -> datetime:
    moment = to_moment(value)
    if moment is None:
        raise UsageError(f"{place} must be a date, or a date and time with its zone", "For instance 2026-03-31.")
    return moment


def token_deadlines(tokens: tuple[Token, ...], source: str) -> list[Deadline]:
    """Return when each token must be rotated, and when it expires; a revoked one has no deadline."""
    found = []
    for token in tokens:
        if token.revoked is not None:
            continue
        step = f"sealwright tokens rotate {token.name}"
        found.append(Deadline("token rotation", token.name, token.owner, token.rotate_by, step, source))
        if token.expires is not None:
            found.append(Deadline("token expiry", token.name, token.owner, token.expires, step, source))
    return found

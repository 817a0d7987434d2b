"""One line of the audit log: what happened, who did it, and the SHA-256 that ties it to the line before.

Enters: an `Event`, or a line of the log. Leaves: the bytes of a line, or what a line says. Reads no clock and no file.
Secrets never enter: what looks like one is taken out before a line is made. docs/log.md is the manual.
"""

import hashlib
import json
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

MAX_LINE_BYTES = 64 * 1024
MAX_EVENT_BYTES = 16 * 1024  # a line as we write it; what is torn of one then fits, in base64, into another line
NO_LINE = "0" * 64
"""Stands for the line before the first."""

# A line begins with its own digest and that of the line before, each at a fixed place, so that a million lines are
# verified without parsing one: {"sha256":"64 hex","previous":"64 hex","time":"27 characters",...}
_OPENING, _PREVIOUS, _TIME = b'{"sha256":"', b'","previous":"', b'","time":"'
DIGEST_AT = len(_OPENING)
HASHED_FROM = DIGEST_AT + 64
PREVIOUS_AT = HASHED_FROM + len(_PREVIOUS)
TIME_AT = PREVIOUS_AT + 64 + len(_TIME)
TIME_END = TIME_AT + 27
_LEAST_BYTES = TIME_END + 2
_MAX_TEXT = 1000
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True)
_json = json.encoder.encode_basestring_ascii  # what the encoder itself uses for a text
_MAX_PAIRS = 100
_HEX = re.compile(r"[0-9a-f]{64}")
# The tokens of PyPI, GitHub and GitLab, JSON web tokens, passwords in URLs, and any armored secret key. Those of PyPI
# begin with pypi-A or pypi-ey, and so never look like a name in the register, which is in lower case.
_SECRETS = re.compile(
    r"pypi-(?:[A-Z]|ey)[A-Za-z0-9_-]{14,}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|gl[a-z]{1,6}-[A-Za-z0-9_.-]{16,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*|(?<=://)[^/@:\s]*:[^/@\s]*(?=@)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY.*",
    re.DOTALL,
)
# No secret is without one of these, and to look for them costs a tenth of the above.
_MARKS = ("pypi-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "gl", "eyJ", "://", "-----BEGIN ")
_MAX_SEARCHED = 4096  # some texts cost the square of their length
_CUT_WORD = re.compile(r"\S*\Z")
_TAKEN_OUT = "[a secret was taken out]"
_TOO_MUCH = {"left out": "details and digests, which are too long for one line"}


class Action(StrEnum):
    """What can be done that is worth a line."""

    SEAL = "seal"
    SIGN = "sign"
    TOKEN = "token"  # noqa: S105  a word, no secret
    ROTATE = "rotate"
    MINT = "mint"
    REMIND = "remind"
    WITHDRAW = "withdraw"
    POLICY = "policy"
    KEY = "key"
    OVERRIDE = "override"
    INSTALL = "install"
    VERIFICATION_FAILED = "verification-failed"
    CHECKPOINT = "checkpoint"
    REPAIR = "repair"


class Actor(NamedTuple):
    """Who did it: a user on a host, or the identity of a CI job, by their own account."""

    user: str
    host: str
    ci: str = ""


class Event(NamedTuple):
    """What happened. `time` has a zone; `digests` are pairs of a name and a SHA-256 in hex, `detail` pairs of texts."""

    time: datetime
    actor: Actor
    action: Action
    object: str
    outcome: str = "done"
    digests: tuple[tuple[str, str], ...] = ()
    detail: tuple[tuple[str, str], ...] = ()


class LineError(ValueError):
    """A line that is not one of an audit log; the text completes "line 7 is …"."""


def without_secrets(text: str) -> str:
    """Return the text with whatever looks like a token, a password in a URL or a secret key taken out.

    Of a text of more than 4,096 characters only its beginning is returned, without the word that was cut: that could
    be a part of a secret.
    """
    if not may_hold_secrets(text):
        return text
    if len(text) > _MAX_SEARCHED:
        text = _CUT_WORD.sub("", text[:_MAX_SEARCHED])
    return _SECRETS.sub(_TAKEN_OUT, text)


def may_hold_secrets(text: str) -> bool:
    """Tell, quickly, that a text need not be searched for secrets if this is False."""
    return any(mark in text for mark in _MARKS)


def write_time(moment: datetime) -> str:
    """Write a moment as RFC 3339 with microseconds, always 27 characters. Raises ValueError if it has no zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def build_line(event: Event, previous: str) -> tuple[bytes, str]:
    """Return the line for an event (one JSON object, ASCII, ended by a newline) and its SHA-256 in hex.

    The SHA-256 is over all that follows it in the line but the newline, the digest of the line before included. Texts
    of more than 1,000 characters are cut, and details that do not fit are left out. Raises ValueError for an event
    without a zone, with digests that are none, or with more than 100 of something.
    """
    if len(previous) != 64 or not all(map(_HEX.fullmatch, [digest for _, digest in event.digests])):
        raise ValueError("a digest that is not SHA-256 in lower-case hex")
    if len(event.digests) > _MAX_PAIRS or len(event.detail) > _MAX_PAIRS:
        raise ValueError("an event with too many digests or details")
    digests, detail = dict(event.digests), dict(event.detail)
    user, host, ci = event.actor
    together = "\n".join((user, host, ci, event.object, event.outcome, *digests, *detail, *detail.values()))
    text = _text if len(together) > _MAX_TEXT or may_hold_secrets(together) else _as_it_is
    head = (
        f'{previous}","time":"{write_time(event.time)}","action":"{event.action.value}","actor":{{"user":'
        f'{_json(text(user))},"host":{_json(text(host))},"ci":{_json(text(ci))}}},"object":{{"name":'
        f'{_json(text(event.object))},"sha256":'
    )
    outcome = _json(text(event.outcome))
    shown = {text(name): digest for name, digest in digests.items()}
    said = {text(name): text(value) for name, value in detail.items()}
    made = _seal(f'{head}{_object(shown)}}},"outcome":{outcome},"detail":{_object(said)}}}')
    if len(made[0]) > MAX_EVENT_BYTES:
        made = _seal(f'{head}{{}}}},"outcome":{outcome},"detail":{_object(_TOO_MUCH)}}}')
    return made


def _object(pairs: dict[str, str]) -> str:
    return _ENCODER.encode(pairs) if pairs else "{}"


def _as_it_is(value: str) -> str:
    return value


def seal_line(document: dict[str, Any]) -> tuple[bytes, str]:
    """Put a document's SHA-256 before it, and return that, too."""
    return _seal(_ENCODER.encode(document).removeprefix('{"previous":"'))


def _seal(after: str) -> tuple[bytes, str]:
    """Put the SHA-256 before what stands in a line after `"previous":"`."""
    rest = b'","previous":"' + after.encode("ascii")
    digest = hashlib.sha256(rest).hexdigest()
    return _OPENING + digest.encode("ascii") + rest + b"\n", digest


def _text(value: str) -> str:
    clean = without_secrets(value)  # before it is cut: half a token is a secret, too
    return clean if len(clean) <= _MAX_TEXT else clean[:_MAX_TEXT] + "…"


def read_head(line: bytes) -> str:
    """Return the digest that the line after this one must be tied to; `line` stands without its newline.

    Raises LineError if the line's own digest does not agree with it.
    """
    digest = hashlib.sha256(line[HASHED_FROM:]).hexdigest()
    if len(line) < _LEAST_BYTES or not line.startswith(_OPENING) or not line.endswith(b"}"):
        raise LineError("not a line of an audit log")
    if not line.startswith(_OPENING + digest.encode("ascii") + _PREVIOUS):
        raise LineError("not what it was when it was written: its SHA-256 does not agree")
    return digest


def say_why(line: bytes, previous: str) -> str:
    """Say what is wrong with a line that does not begin as it should; completes "line 7 is …"."""
    try:
        read_head(line)
    except LineError as error:
        return str(error)
    there = line[PREVIOUS_AT : PREVIOUS_AT + 64].decode("ascii", "replace")
    if there == NO_LINE:
        return "the first line of a log, and stands in the middle of one"
    return f"tied to another line than the one it stands after ({previous[:16]}…): one was removed, inserted or moved"

"""The keys of a policy, as text for people or as JSON for programs (docs/keys.schema.json).

Enters: a `KeysStatus`. Leaves: text, in which nothing that came from a key can steer a terminal.
"""

import json

from sealwright.model.deadline import days_late
from sealwright.model.key_status import KeysStatus, KeyStatus, PartStatus
from sealwright.render.style import PLAIN, Style, plain, wrapped

_WHERE = {"here": "here", "card": "on a card", "elsewhere": "not here"}


def render_status(status: KeysStatus, style: Style = PLAIN) -> str:
    """Show every key with its parts, at most 80 columns but for names; wrapped if a width is given."""
    lines = [f"policy {status.policy}, version {status.version}"]
    if not status.keys:
        lines.append("EMPTY: the policy lists no OpenPGP key (sealwright keys new makes one)")
    for key in status.keys:
        lines += ["", *_key(key, status)]
    lines += [f"warning: {warning}" for warning in status.warnings]
    return "".join(f"{each}\n" for line in lines for each in _wrapped(line, style))


def _wrapped(line: str, style: Style) -> list[str]:
    return wrapped(plain(line), style.width, len(line) - len(line.lstrip()) + 2) or [""]


def _key(key: KeyStatus, status: KeysStatus) -> list[str]:
    until = f", counts until version {key.until}" if key.until else ""
    lines = [f"{key.signer}{until}", f"  {key.user_id or '(no user ID)'}", f"  {key.file}"]
    for part in key.parts:
        where = _WHERE[part.secret]
        lines.append(f"  {'key   ' if part.primary else 'subkey'} {part.fingerprint}")
        lines.append(f"         {', '.join(part.may) or 'nothing'}; {_until(part, status)}; secret {where}")
    return lines + ([f"  does not count: {key.weakness}"] if key.weakness else [])


def _until(part: PartStatus, status: KeysStatus) -> str:
    if part.state == "revoked":
        return f"REVOKED ({', '.join(part.reasons)})"
    if part.state == "invalid":
        return "INVALID"
    days = part.days_left(status.now)
    if part.expires is None or days is None:
        return "does not expire"
    if part.state == "expired":
        return f"EXPIRED {part.expires:%Y-%m-%d} ({days_late(part.expires, status.now)} days ago)"
    return f"expires {part.expires:%Y-%m-%d} ({days} days)"


def render_status_json(status: KeysStatus) -> str:
    """Write the status as one JSON object."""
    document = {
        "schema": 1,
        "policy": {"path": status.policy, "version": status.version},
        "now": f"{status.now:%Y-%m-%dT%H:%M:%SZ}",
        "keys": [
            {
                "signer": key.signer,
                "fingerprint": key.fingerprint,
                "userId": key.user_id,
                "untilVersion": key.until or None,
                "file": key.file,
                "weakness": key.weakness or None,
                "parts": [_part(part, status) for part in key.parts],
            }
            for key in status.keys
        ],
        "warnings": list(status.warnings),
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _part(part: PartStatus, status: KeysStatus) -> dict[str, object]:
    return {
        "fingerprint": part.fingerprint,
        "primary": part.primary,
        "may": list(part.may),
        "algorithm": part.algorithm,
        "expires": f"{part.expires:%Y-%m-%dT%H:%M:%SZ}" if part.expires else None,
        "daysLeft": part.days_left(status.now),
        "state": part.state,
        "reasons": list(part.reasons),
        "secret": part.secret,
    }

"""What can be told of a Sigstore trusted root without trusting it: its name, its age, whether it is a rehearsal's.

Enters: the JSON of a trusted root. Leaves: `RootInUse`. Judges no signature; sealwright.verify.sigstore does.
Format: https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto
"""

from datetime import UTC, datetime
from typing import Any

from sealwright.model.record import Record

SANDBOX_ORGANIZATION = "Sealwright sandbox"
"""The organization of the authorities that a rehearsal makes for itself (sealwright.sandbox)."""

_KINDS = ("certificateAuthorities", "tlogs", "ctlogs", "timestampAuthorities")


class TrustedRootFile(Record):
    """A trusted root that judges: what to call it in a message, and its bytes (JSON)."""

    name: str
    content: bytes


class RootInUse(Record):
    """What a verdict says of the trusted root that judged.

    `newest` is when its newest authority or log came into use (UTC; None if it does not say); `ended`, whether all of
    its logs or all of its authorities are past their time; `sandbox`, whether it is a rehearsal's.
    """

    name: str
    newest: datetime | None
    ended: bool
    sandbox: bool


def describe_root(root: TrustedRootFile, now: datetime) -> RootInUse:
    """Say how old a trusted root is at `now` (UTC) and whether it is a rehearsal's.

    Never raises: what it does not say, or says in a way that cannot be read, is left open. Nothing is trusted for it.
    """
    import json

    try:
        document = json.loads(root.content)
        kinds = [[_valid_for(entry) for entry in document.get(kind, [])] for kind in _KINDS]
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError):
        kinds = []
    starts = [start for kind in kinds for start, _ in kind if start]
    ended = any(bool(kind) and all(end is not None and end < now for _, end in kind) for kind in kinds[:2])
    return RootInUse(root.name, max(starts, default=None), ended, _is_sandbox(root.content))


def end_of_root(content: bytes) -> datetime | None:
    """Return when a trusted root is of no more use: when the last authority, or the last log, of a kind has ended.

    None if it names no such time, or says it in a way that cannot be read.
    """
    import json

    try:
        document = json.loads(content)
        kinds = [[_valid_for(entry)[1] for entry in document.get(kind, [])] for kind in _KINDS]
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    ends = [max(end for end in kind if end) for kind in kinds if kind and all(kind)]
    return min(ends, default=None)


def authorities_of(content: bytes | str) -> frozenset[str]:
    """Return the certificates of a trusted root's certificate authorities, as they are written (base64 of DER).

    Nothing for what cannot be read.
    """
    import json

    try:
        entries = json.loads(content).get("certificateAuthorities", [])
        chains = [entry["certChain"]["certificates"] for entry in entries]
        return frozenset(str(each["rawBytes"]) for chain in chains for each in chain)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return frozenset()


def _is_sandbox(content: bytes) -> bool:
    """Whether a certificate, or anything else in it, names the sandbox.

    What is written beside a certificate can be reworded and nothing would fail; the certificate itself cannot.
    """
    import json

    try:
        left = [json.loads(content)]
    except (ValueError, RecursionError):
        left = []
    while left:
        match left.pop():
            case dict() as table:
                left += [*table, *table.values()]
            case list() as entries:
                left += entries
            case str() as text if SANDBOX_ORGANIZATION in text or SANDBOX_ORGANIZATION.encode() in _unpack(text):
                return True
    return False


def _unpack(text: str) -> bytes:
    """Decode base64 as leniently as whoever reads the certificates might; nothing if it is none."""
    import base64

    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/") + "==")
    except ValueError:
        return b""


def _valid_for(entry: dict[str, Any]) -> tuple[datetime | None, datetime | None]:
    span = entry.get("validFor") or entry.get("publicKey", {}).get("validFor", {})
    return _time(span.get("start")), _time(span.get("end"))


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None

"""A pin: the trust in one project that a user has accepted, and keeps.

Enters: nothing. Leaves: `Pin`. sealwright.store.pins keeps it.
"""

from datetime import datetime
from enum import Enum
from typing import NamedTuple


class PinKind(Enum):
    """What was accepted: a trust folder, or the publisher that was found when there was none (trust on first use)."""

    POLICY = "policy"
    FIRST_USE = "first-use"


class Pin(NamedTuple):
    """What a user has accepted. `project` is normalised (PEP 503), `since` in UTC, `source` is where it came from.

    Of a policy: the files of the trust folder by name, without its SHA256SUMS, and its fingerprint in hex. Of a first
    use: what identifies the publisher, and the root of Sigstore that vouched for it, as pairs of a name and a value;
    `fingerprint` is then empty, and `files` holds a root that is none of the public ones.
    """

    project: str
    kind: PinKind
    since: datetime
    source: str
    fingerprint: str = ""
    files: dict[str, bytes] = {}  # noqa: RUF012  a named tuple's default, which nobody changes
    publisher: tuple[tuple[str, str], ...] = ()

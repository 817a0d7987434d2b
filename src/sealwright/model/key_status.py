"""What is known of the keys of a policy: pure data, for the command that shows it.

Enters: nothing. Leaves: the records that jobs/keys/status.py fills and render/keys.py shows.
"""

from datetime import datetime
from typing import NamedTuple


class PartStatus(NamedTuple):
    """A primary key or a subkey. `state`: valid, expired, invalid, or revoked; `secret`: here, card, or elsewhere.

    `may` are of certify, sign, encrypt, authenticate; `reasons` those of its revocations.
    """

    fingerprint: str
    primary: bool
    may: tuple[str, ...]
    algorithm: str
    expires: datetime | None
    state: str
    reasons: tuple[str, ...]
    secret: str

    def days_left(self, now: datetime) -> int | None:
        """Whole days until it expires; negative once it has; None if it never does."""
        return None if self.expires is None else (self.expires - now).days


class KeyStatus(NamedTuple):
    """A key of the policy, the primary key first among its parts. `until` is its until-version, or empty."""

    signer: str
    fingerprint: str
    user_id: str
    until: str
    file: str
    parts: tuple[PartStatus, ...]
    weakness: str = ""


class KeysStatus(NamedTuple):
    """Every key of a policy, as it stands at `now` (UTC)."""

    policy: str
    version: int
    now: datetime
    keys: tuple[KeyStatus, ...]
    warnings: tuple[str, ...] = ()

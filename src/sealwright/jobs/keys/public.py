"""The public part of a key, as it is to stand in the trust folder, held against the rules by which it will be judged.

Enters: key material, and what is published of the key now. Leaves: one armor block that has lost no revocation.
"""

from datetime import datetime
from typing import NamedTuple

from sealwright.errors import PolicyError, UndecidedError, UsageError
from sealwright.gnupg.home import private_home
from sealwright.gnupg.key_file import refuse_lost
from sealwright.gnupg.listing import UNUSABLE, Key
from sealwright.gnupg.public_key import Material, UserID, minimise, read_material
from sealwright.model.policy import OpenPGPKey
from sealwright.verify.openpgp import weakness
from sealwright.verify.policy_keys import import_keys

_FILE = "the file"
_NOT_ONE = "gpg --armor --export FINGERPRINT writes a file with one."


class PublicPart(NamedTuple):
    """An armored public key, minimised, with the keys in it (the primary one first) and its user ID as gpg lists it."""

    content: bytes
    keys: tuple[Key, ...]
    user_id: str

    @property
    def primary(self) -> Key:
        """The primary key."""
        return self.keys[0]

    @property
    def signing(self) -> tuple[Key, ...]:
        """What of it could sign, now or once."""
        return tuple(key for key in self.keys if key.can_sign)


def read_public(gpg: str | None, content: bytes, now: datetime, place: str) -> PublicPart:
    """Read one public key that somebody handed over, and minimise it. `place` is where it came from, in words.

    Raises UsageError and PolicyError.
    """
    with private_home(gpg) as home:
        material = read_material(home, content)
        fingerprint = _only_one(material, place)
        refuse_lost(content, material.keys, place)
        minimal = minimise(home, fingerprint)
    return _as_judged(gpg, fingerprint, minimal, now)


def renew_public(gpg: str | None, fingerprint: str, old: bytes | None, new: bytes, now: datetime) -> PublicPart:
    """Join what is published of a key with what it says now: its user IDs stay, and no revocation is lost.

    Raises UsageError if one of them is another key.
    """
    with private_home(gpg) as home:
        keep: tuple[str, ...] = ()
        if old is not None:
            keep = tuple(each.hash for each in read_material(home, old).user_ids)
        material = read_material(home, new)
        if _only_one(material) != fingerprint:
            raise UsageError(f"that is the key {material.primaries[0]}, not {fingerprint}")
        for each in (old, new):  # of both, gpg may keep the word that says less
            if each is not None:
                refuse_lost(each, material.keys, _FILE)
        minimal = minimise(home, fingerprint, keep)
    part = _as_judged(gpg, fingerprint, minimal, now)
    revoked = {key.fingerprint: key.revocations for key in part.keys}
    for key in material.keys:
        if key.revocations and (key.can_sign or key.fingerprint == fingerprint) and not revoked.get(key.fingerprint):
            raise UndecidedError(f"the revocation of {key.fingerprint} was lost when its public key was made smaller")
    return part


def refuse_unfit(part: PublicPart) -> None:
    """Refuse a key whose signatures would not count now: revoked, expired, weak, or unable to sign.

    A user ID that a terminal could obey is refused, too: people will read it. Raises UsageError.
    """
    primary = part.primary
    if primary.revocations or primary.usable == "r":
        raise UsageError(f"{primary.fingerprint} is revoked")
    if primary.usable in UNUSABLE:
        raise UsageError(
            f"{primary.fingerprint} has expired, or is not valid", "Its owner extends it and sends it again."
        )
    for key in (primary, *part.signing):
        if weak := weakness(key):
            raise UsageError(f"{key.fingerprint} would not count: {weak}", "Its owner makes a stronger one.")
    if not [key for key in part.signing if key.usable not in UNUSABLE and not key.revocations]:
        raise UsageError(f"{primary.fingerprint} has no part that may sign now", "A signing subkey, for instance.")
    if _obeyed(part.user_id):
        raise UsageError(f"{primary.fingerprint} has a user ID that is no plain text: {part.user_id[:100]}")


def refuse_shared(
    gpg: str | None, listed: tuple[OpenPGPKey, ...], keys: dict[str, bytes], part: PublicPart, now: datetime
) -> None:
    """Refuse a key that shares a part with a key of the policy, by the very rule that judges. Raises PolicyError."""
    fingerprint = part.primary.fingerprint
    others = tuple(key for key in listed if key.fingerprint != fingerprint and key.fingerprint in keys)
    with private_home(gpg) as home:
        import_keys(home, (*others, OpenPGPKey(fingerprint)), keys | {fingerprint: part.content}, now)


def _only_one(material: Material, place: str = _FILE) -> str:
    if material.secret:
        raise PolicyError(
            f"{place} holds a SECRET key",
            "Only the public part belongs here. Whoever sent it should treat it as stolen.",
        )
    if not material.primaries:
        raise UsageError(
            f"{place} holds no OpenPGP key that gpg can use",
            "One signed by itself with SHA-1, or not yet valid by this machine's clock, is not usable.",
        )
    if len(material.primaries) > 1:
        raise UsageError(f"{place} holds {len(material.primaries)} keys, and must hold one", _NOT_ONE)
    return material.primaries[0]


def _as_judged(gpg: str | None, fingerprint: str, content: bytes, now: datetime) -> PublicPart:
    """List a public key as a verification will see it."""
    with private_home(gpg) as home:
        keys = tuple(import_keys(home, (OpenPGPKey(fingerprint),), {fingerprint: content}, now).values())
        user_ids: tuple[UserID, ...] = read_material(home).user_ids
    return PublicPart(content, keys, user_ids[0].text if user_ids else "")


def _obeyed(text: str) -> bool:
    """Whether gpg had to escape a control character of a user ID, or it holds one that is not printable."""
    import re

    return not text.isprintable() or re.search(r"\\x(?:[01][0-9a-f]|7f)", text) is not None

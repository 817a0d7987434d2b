"""What gpg says of the keys in a home, read from its colon listing.

Enters: the output of `gpg --with-colons --check-sigs`. Leaves: `Key`. Judges nothing.
Format: doc/DETAILS of GnuPG, https://git.gnupg.org/cgi-bin/gitweb.cgi?p=gnupg.git;a=blob;f=doc/DETAILS
"""

from datetime import UTC, datetime
from enum import Enum

from sealwright.gnupg.home import Home
from sealwright.model.record import Record

LIST_KEYS = ("--batch", "--with-colons", "--fixed-list-mode", "--with-keygrip", "--check-sigs")


class Revocation(Enum):
    """Why a key was revoked (RFC 9580, 5.2.3.31, https://www.rfc-editor.org/rfc/rfc9580#section-5.2.3.31)."""

    NO_REASON = "00"
    SUPERSEDED = "01"
    COMPROMISED = "02"
    RETIRED = "03"
    OTHER = "other"


# Validity letters of doc/DETAILS for a key that may not sign now: revoked, expired, invalid, disabled, never trusted.
UNUSABLE = ("r", "e", "i", "d", "n")

HERE, NOT_HERE = "+", "#"
"""Whether a listing of secret keys says that a secret part is at hand; else it names a card."""

# Classes of signatures (RFC 9580, 5.2.1): of a user ID by its own key, of a key directly, of a subkey.
_SELF, _BINDING = ("10", "11", "12", "13", "1F", "1f"), ("18",)
_KEY_ID = 16  # hexadecimal digits

_GENTLE = (Revocation.SUPERSEDED, Revocation.RETIRED)


class Key(Record):
    """A primary key or a subkey. `algorithm` is the number of RFC 9580, 9.1; `bits` the key's length.

    `secret`, in a listing of secret keys: HERE, NOT_HERE, or the serial number of its card. `bound` is whether a good
    signature by the primary key says what it is for and how long: without one, gpg 2.4 takes a key for good at
    everything, for ever (RFC 9580, 5.2.3.10, https://www.rfc-editor.org/rfc/rfc9580#section-5.2.3.10). `said` is
    when the newest of these was made, in seconds since 1970.
    """

    fingerprint: str
    primary: str
    algorithm: int
    bits: int
    expires: datetime | None
    usable: str
    revocations: tuple[Revocation, ...]
    keygrip: str
    user_ids: tuple[str, ...] = ()
    capabilities: str = ""
    secret: str = ""
    bound: bool = False
    said: int = 0

    @property
    def can_sign(self) -> bool:
        """Whether this very key, not another of the same owner, may sign data."""
        return "s" in self.capabilities

    @property
    def gently_revoked(self) -> bool:
        """Whether it was revoked, and every revocation says superseded or retired."""
        return bool(self.revocations) and all(reason in _GENTLE for reason in self.revocations)


class _Draft:
    def __init__(self, record: list[str]) -> None:
        self.record = record
        self.fingerprint = self.keygrip = ""
        self.revocations: list[Revocation] = []
        self.user_ids: list[str] = []
        self.bound = False
        self.said = 0


def list_keys(home: Home, *arguments: str) -> tuple[Key, ...]:
    """List every key and subkey of a home, primary keys first among their own. Raises UndecidedError."""
    return read_listing(home.run([*arguments, *LIST_KEYS], whole=True))


def read_listing(output: bytes) -> tuple[Key, ...]:
    """Read a colon listing, and skip what is no key record."""
    keys: list[Key] = []
    drafts: list[_Draft] = []
    about_user_id = False
    for line in output.decode("utf-8", "replace").split("\n"):
        record = line.split(":")
        record += [""] * (21 - len(record))
        match record[0]:
            case "pub" | "sec":
                keys += _finish(drafts)
                drafts, about_user_id = [_Draft(record)], False
            case "sub" | "ssb" if drafts:
                drafts.append(_Draft(record))
                about_user_id = False
            case "fpr" if drafts:
                drafts[-1].fingerprint = drafts[-1].fingerprint or record[9]
            case "grp" if drafts:
                drafts[-1].keygrip = drafts[-1].keygrip or record[9]
            case "uid" if drafts:
                drafts[0].user_ids.append(record[9])
                about_user_id = True
            case "uat" if drafts:  # a picture, which may stand before any user ID
                about_user_id = True
            case "sig" if drafts and _binds(record, drafts[0].fingerprint, of_subkey=len(drafts) > 1):
                drafts[-1].bound = True
                drafts[-1].said = max(drafts[-1].said, _number(record[5]))
            # Revocations of a user ID (class 30) say nothing of the key; of a key (20) and a subkey (28) they do.
            case "rev" if drafts and not (about_user_id and record[10].startswith("30")):
                drafts[-1].revocations.append(_reason(record))
    return tuple(keys + _finish(drafts))


def _binds(record: list[str], primary: str, *, of_subkey: bool) -> bool:
    """Tell whether a signature that gpg has checked is the primary key's own word for a key, or for a user ID of it."""
    own = bool(primary) and primary.endswith(record[4]) and len(record[4]) == _KEY_ID
    return record[1] == "!" and own and record[10][:2] in (_BINDING if of_subkey else _SELF)


def count_secret_keys(output: bytes) -> int:
    """Say how many secret keys gpg has read in an import: the tenth number of IMPORT_RES (doc/DETAILS of GnuPG)."""
    for line in output.decode("utf-8", "replace").split("\n"):
        words = line.split(" ")
        if words[:2] == ["[GNUPG:]", "IMPORT_RES"] and len(words) > 11:
            return int(words[11])
    return 0


def _reason(record: list[str]) -> Revocation:
    signature_class, _, code = record[10].partition(",")
    if record[1] != "!" or not signature_class.startswith(("20", "28")):
        return Revocation.OTHER
    try:
        return Revocation(code or "00")
    except ValueError:
        return Revocation.OTHER


def _finish(drafts: list[_Draft]) -> list[Key]:
    return [
        Key(
            fingerprint=draft.fingerprint,
            primary=drafts[0].fingerprint,
            algorithm=_number(draft.record[3]),
            bits=_number(draft.record[2]),
            expires=datetime.fromtimestamp(_number(draft.record[6]), UTC) if draft.record[6] else None,
            usable=draft.record[1],
            revocations=tuple(draft.revocations),
            keygrip=draft.keygrip,
            user_ids=tuple(draft.user_ids),
            capabilities=draft.record[11],
            secret=draft.record[14],
            bound=draft.bound,
            said=draft.said,
        )
        for draft in drafts
    ]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0

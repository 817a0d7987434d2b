"""A public key made as small as a trust folder needs it: its own signatures, one user ID, what can sign.

Enters: key material that anybody may have made, and a private, empty home. Leaves: one armor block of exactly one
primary key. What gpg does not find signed by the key itself is not taken over.
"""

import re
from typing import NamedTuple

from sealwright.errors import UndecidedError, UsageError
from sealwright.gnupg.home import Home
from sealwright.gnupg.listing import LIST_KEYS, Key, count_secret_keys, read_listing

MAX_PUBLIC_BYTES = 4 * 1024 * 1024
_MOST_PARTS = 200
_HASH = re.compile(r"[0-9A-F]{40}")
# Not export-minimal: it leaves out subkeys that have expired (GnuPG T3622), by which what they signed is judged. Where
# no other key is, export-clean leaves nobody else's signatures, and of the key's own the newest.
_EXPORT = ("--batch", "--armor", "--no-emit-version", "--no-comments", "--export-options", "export-clean", "--export")


class UserID(NamedTuple):
    """A user ID as gpg lists it: escaped, and with the hash by which gpg selects it. `text` of a picture is empty."""

    text: str
    hash: str
    usable: bool


class Material(NamedTuple):
    """What a key file holds: its keys, how many secret ones gpg read, and the user IDs of the first primary key."""

    keys: tuple[Key, ...]
    secret: int
    user_ids: tuple[UserID, ...]

    @property
    def primaries(self) -> list[str]:
        """The fingerprints of the primary keys, in the order in which they stand."""
        return list(dict.fromkeys(key.primary for key in self.keys))


def read_material(home: Home, *contents: bytes) -> Material:
    """Import contents into a home and return what is in it now. Raises UndecidedError."""
    secret = 0
    for content in contents:
        secret += count_secret_keys(home.run(["--batch", "--status-fd", "1", "--import"], given=content))
    output = home.run(LIST_KEYS, whole=True)
    return Material(read_listing(output), secret, _user_ids(output))


def minimise(home: Home, fingerprint: str, keep: tuple[str, ...] = ()) -> bytes:
    """Return the public key of a home with nothing but its own signatures, signing subkeys, and some user IDs.

    `keep` are the hashes of the user IDs to keep; without any, the first usable one. Raises UsageError if there is
    none.
    """
    output = home.run([*LIST_KEYS, "--", fingerprint], whole=True)
    keys, user_ids = read_listing(output), _user_ids(output)
    if len(keys) + len(user_ids) > _MOST_PARTS:
        raise UsageError(f"{fingerprint} has more than {_MOST_PARTS} subkeys and user IDs")
    kept = {each.hash for each in user_ids if each.hash in keep}
    if not kept:
        named = [each for each in user_ids if each.text and _HASH.fullmatch(each.hash)]
        named.sort(key=lambda each: not each.usable)  # of a key that is revoked or has expired, none is
        kept = {each.hash for each in named[:1]}
    if not kept:
        raise UsageError(f"{fingerprint} has no user ID that its own key vouches for")
    dropped = [each.hash for each in user_ids if each.hash not in kept]
    # Revoked and expired signing subkeys stay: what they signed is judged by them.
    subkeys = [key.fingerprint for key in keys if key.fingerprint != fingerprint and not key.can_sign]
    _edit(home, fingerprint, "uid", "deluid", dropped)
    _edit(home, fingerprint, "key", "delkey", subkeys)
    left = home.run([*LIST_KEYS, "--", fingerprint], whole=True)
    if {each.hash for each in _user_ids(left)} != kept or any(key.fingerprint in subkeys for key in read_listing(left)):
        raise UndecidedError(f"gpg could not make the public key {fingerprint} smaller")
    content = home.run([*_EXPORT, fingerprint])
    if not content.startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----"):
        raise UndecidedError(f"gpg could not export the public key {fingerprint}")
    return content


def _edit(home: Home, fingerprint: str, kind: str, command: str, parts: list[str]) -> None:
    if parts:
        answers = "".join(f"{kind} {part}\n" for part in parts) + f"{command}\ny\nsave\n"
        home.run(["--command-fd", "0", "--yes", "--edit-key", fingerprint], given=answers.encode())


def _user_ids(output: bytes) -> tuple[UserID, ...]:
    found: list[UserID] = []
    primaries = 0
    for line in output.decode("utf-8", "replace").split("\n"):
        record = line.split(":")
        primaries += record[0] == "pub"
        if record[0] in ("uid", "uat") and len(record) > 9 and primaries == 1:
            usable = record[1] not in ("r", "e", "i", "d", "n")
            found.append(UserID(record[9] if record[0] == "uid" else "", record[7], usable))
    return tuple(found)

"""OpenPGP packets told apart: where one starts and ends, the revocations of a key, and a key without them.

Enters: bytes that anybody may have made, not armored. Leaves: places in them, or fewer bytes. Judges no signature.
Format: RFC 9580, 4.2, https://www.rfc-editor.org/rfc/rfc9580#section-4.2
"""

import hashlib
from collections.abc import Iterator

from sealwright.model.record import Record

SIGNATURE = 2
_PRIMARY, _SUBKEYS = (5, 6), (7, 14)  # with its secret, and without
_IN_A_KEY = (SIGNATURE, *_PRIMARY, *_SUBKEYS, 10, 12, 13, 17, 21)  # marker, trust, user ID and attribute, padding
NO_SUBKEY = "none"
"""The part of a signature about a subkey, where there is no subkey before it, or one of a form that is not known."""
_OF_THE_KEY, _OF_A_SUBKEY = 0x20, 0x28
_BINDS_A_SUBKEY = 0x18
_BINDING = (0x10, 0x11, 0x12, 0x13, _BINDS_A_SUBKEY, 0x1F)
_OLDER = (b"\x02", b"\x03")  # versions of a signature that gpg reads alike
_MADE, _ISSUER, _REASON, _ISSUER_FINGERPRINT = 2, 16, 29, 33  # types of subpackets: RFC 9580, 5.2.3.7


class PacketError(ValueError):
    """The bytes are no packets, or are cut off."""


def read_header(data: bytes, start: int) -> tuple[int, int, int]:
    """Return the packet's type, and where its body starts and ends. Raises PacketError."""
    first = data[start]
    if not first & 0x80:
        raise PacketError("bytes that are no OpenPGP packet")
    if first & 0x40:  # RFC 9580, 4.2.1
        tag, at = first & 0x3F, start + 1
        octet = data[at] if at < len(data) else 0
        if octet < 192:
            size, length = 1, octet
        elif octet < 224:
            size, length = 2, ((octet - 192) << 8) + int.from_bytes(data[at + 1 : at + 2]) + 192
        elif octet == 255:
            size, length = 5, int.from_bytes(data[at + 1 : at + 5])
        else:
            raise PacketError("a packet of partial length")
    else:  # RFC 9580, 4.2.2
        tag, at = (first >> 2) & 0x0F, start + 1
        if first & 0x03 == 3:
            raise PacketError("a packet of indeterminate length")
        size = 1 << (first & 0x03)
        length = int.from_bytes(data[at : at + size])
    if at + size > len(data):
        raise PacketError("a packet that is cut off")
    return tag, at + size, at + size + length


class KeySignature(Record):
    """A signature in a key. `part` is the fingerprint of the subkey that it is about, empty for the primary key.

    `kind` is its class (RFC 9580, 5.2.1), `digest` a number of 9.5, `made` in seconds since 1970, and `issuer` a key id
    in upper-case hex, empty if it names none. `reason` is why something was revoked (5.2.3.31), 0 if it does not say.
    """

    part: str
    kind: int
    digest: int
    made: int
    issuer: str
    reason: int

    @property
    def revokes(self) -> bool:
        """Whether it says that the key, or the subkey, is revoked."""
        return self.kind in (_OF_THE_KEY, _OF_A_SUBKEY)

    @property
    def binds(self) -> bool:
        """Whether it says what a key, a user ID or a subkey is for, and until when."""
        return self.kind in _BINDING


def each_key_signature(data: bytes) -> Iterator[KeySignature]:
    """Yield each signature in a key, which may stand there more than once; nobody has judged it.

    Raises PacketError, also for a packet that has no place in a key: gpg reads what is in one that is compressed.
    """
    subkey = NO_SUBKEY
    for packet, tag, body in _each(data):
        if tag not in _IN_A_KEY:
            raise PacketError(f"a packet of type {tag}, which has no place in a key")
        if tag in _SUBKEYS:
            subkey = _fingerprint(packet[body:])
        elif tag in _PRIMARY:
            subkey = NO_SUBKEY
        elif tag == SIGNATURE:
            kind, digest = _kind_of(packet, tag, body)
            part = subkey if kind in (_OF_A_SUBKEY, _BINDS_A_SUBKEY) else ""
            yield KeySignature(part, kind, digest, *_origin(packet[body:]))


def without_revocations(data: bytes) -> bytes:
    """Return a key as it was before any part of it was revoked (RFC 9580, 5.2.1.11, 5.2.1.12). Raises PacketError."""
    revoking = (_OF_THE_KEY, _OF_A_SUBKEY)
    return b"".join(packet for packet, tag, body in _each(data) if _kind_of(packet, tag, body)[0] not in revoking)


def _each(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield each packet, its type, and where its body starts in it."""
    start = 0
    while start < len(data):
        tag, body, end = read_header(data, start)
        if end > len(data):
            raise PacketError("a packet that is cut off")
        yield data[start:end], tag, body - start
        start = end


def _kind_of(packet: bytes, tag: int, body: int) -> tuple[int, int]:
    """Return the class of a signature, and its digest: RFC 9580, 5.2.2 (until version 3), 5.2.3 (from version 4 on)."""
    kind, digest = (2, 16) if packet[body : body + 1] in _OLDER else (1, 3)
    if tag != SIGNATURE or len(packet) <= body + digest:
        return -1, -1
    return packet[body + kind], packet[body + digest]


def _fingerprint(body: bytes) -> str:
    """Return the fingerprint of a subkey of version 4, in upper-case hex: RFC 9580, 5.5.4.2."""
    if body[:1] != b"\x04":
        return NO_SUBKEY
    framed = b"\x99" + len(body).to_bytes(2) + body if len(body) < 1 << 16 else b""
    return hashlib.sha1(framed, usedforsecurity=False).hexdigest().upper()


def _origin(body: bytes) -> tuple[int, str, int]:
    """Return when a signature says that it was made, the key id that it names, and its reason: RFC 9580, 5.2.3."""
    if body[:1] in _OLDER:
        return int.from_bytes(body[3:7]), body[7:15].hex().upper(), 0
    wide = 4 if body[:1] == b"\x06" else 2  # octets of a length
    made, issuer, reason, at = 0, "", 0, 4
    for _ in ("hashed", "unhashed"):
        end = at + wide + int.from_bytes(body[at : at + wide])
        for kind, content in _subpackets(body[at + wide : end]):
            if kind == _MADE:
                made = max(made, int.from_bytes(content))
            elif kind == _REASON:
                reason = content[0] if content else 0
            elif kind == _ISSUER:
                issuer = content.hex().upper()
            elif kind == _ISSUER_FINGERPRINT and content[:1] == b"\x04":
                issuer = content[-8:].hex().upper()
        at = end
    return made, issuer, reason


def _subpackets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the type and the content of each subpacket (RFC 9580, 5.2.3.7). Raises PacketError."""
    at = 0
    while at < len(data):
        octet = data[at]
        if octet < 192:
            size, length = 1, octet
        elif octet < 255:
            size, length = 2, ((octet - 192) << 8) + int.from_bytes(data[at + 1 : at + 2]) + 192
        else:
            size, length = 5, int.from_bytes(data[at + 1 : at + 5])
        start, end = at + size, at + size + length
        if not length or end > len(data):
            raise PacketError("a signature whose subpackets are cut off")
        yield data[start] & 0x7F, data[start + 1 : end]
        at = end

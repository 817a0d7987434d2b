"""OpenPGP packets told apart: where one starts and ends, the revocations of a key, and a key without them.

Enters: bytes that anybody may have made, not armored. Leaves: places in them, or fewer bytes. Judges no signature.
Format: RFC 9580, 4.2, https://www.rfc-editor.org/rfc/rfc9580#section-4.2
"""

from collections.abc import Iterator

from sealwright.model.record import Record

SIGNATURE = 2
_SUBKEYS = (7, 14)  # with its secret, and without
_OF_THE_KEY, _OF_A_SUBKEY = 0x20, 0x28


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


class RevocationPacket(Record):
    """A signature that says to revoke the primary key (part 0) or the `part`th subkey; `digest` as in RFC 9580, 9.5."""

    part: int
    digest: int


def each_revocation(data: bytes) -> Iterator[RevocationPacket]:
    """Yield each revocation in a key; nobody has judged whether it is one. Raises PacketError."""
    subkeys = 0
    for packet, tag, body in _each(data):
        subkeys += tag in _SUBKEYS
        kind, digest = _kind_of(packet, tag, body)
        if kind in (_OF_THE_KEY, _OF_A_SUBKEY):
            yield RevocationPacket(subkeys if kind == _OF_A_SUBKEY else 0, digest)


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
    """Return the class of a signature, and its digest: RFC 9580, 5.2.2 (version 3) and 5.2.3 (from version 4 on)."""
    kind, digest = (2, 16) if packet[body : body + 1] == b"\x03" else (1, 3)
    if tag != SIGNATURE or len(packet) <= body + digest:
        return -1, -1
    return packet[body + kind], packet[body + digest]

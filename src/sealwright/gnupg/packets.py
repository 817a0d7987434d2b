"""OpenPGP packets told apart: where one starts and ends, and a key without its revocations.

Enters: bytes that anybody may have made, not armored. Leaves: places in them, or fewer bytes. Judges no signature.
Format: RFC 9580, 4.2, https://www.rfc-editor.org/rfc/rfc9580#section-4.2
"""

SIGNATURE = 2
_REVOCATIONS = (b"\x20", b"\x28")  # of the primary key, and of a subkey


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


def without_revocations(data: bytes) -> bytes:
    """Return a key as it was before any part of it was revoked (RFC 9580, 5.2.1.11, 5.2.1.12). Raises PacketError."""
    kept, start = bytearray(), 0
    while start < len(data):
        tag, body, end = read_header(data, start)
        if end > len(data):
            raise PacketError("a packet that is cut off")
        # Of a signature of version 4 or later, the second octet is its class: RFC 9580, 5.2.3.
        revokes = tag == SIGNATURE and data[body] >= 4 and data[body + 1 : body + 2] in _REVOCATIONS
        kept += b"" if revokes else data[start:end]
        start = end
    return bytes(kept)

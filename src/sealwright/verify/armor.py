"""Splitting a file of detached OpenPGP signatures into single signature packets.

Enters: the content of an .asc file. Leaves: packets, and what in the file is none. Judges no signature: each
packet goes to GnuPG alone, because gpg stops at the first bad one of several, and because whatever this file
misreads is at worst a signature less. Formats: RFC 9580, 6.2 (armor) and 4.2 (packet headers),
https://www.rfc-editor.org/rfc/rfc9580
"""

import base64
import binascii
import re

from sealwright.model.record import Record

MAX_SIGNATURE_FILE_BYTES = 256 * 1024
MAX_SIGNATURES = 100
_SIGNATURE_TAG = 2
_BEGIN, _END = "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----"
_CLEARSIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"
_HEADER = re.compile(r"[A-Za-z0-9-]+: .*")
_CRC24 = re.compile(r"=[A-Za-z0-9+/]{4}")


class SignaturePacket(Record):
    """One signature packet with its header, as bytes."""

    packet: bytes


class Malformed(Record):
    """A part of the file that is no signature, and why."""

    reason: str


class _PacketError(ValueError):
    pass


def split_signatures(content: bytes) -> tuple[SignaturePacket | Malformed, ...]:
    """Return what the file holds, in its order; an empty file holds one Malformed."""
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        return (Malformed("not ASCII armor"),)
    if _CLEARSIGNED in text:
        return (Malformed("a clear-signed message, not a detached signature"),)
    found: list[SignaturePacket | Malformed] = []
    block: list[str] | None = None
    for line in text.split("\n"):
        line = line.rstrip(" \t\r")
        if block is None and line == _BEGIN:
            block = []
        elif block is None and line:
            if not found or not isinstance(found[-1], Malformed):
                found.append(Malformed("text outside a signature block"))
        elif block is not None and line == _END:
            found += _read_block(block)
            block = None
        elif block is not None and line.startswith("-----"):
            found.append(Malformed("a signature block that is not closed"))
            block = [] if line == _BEGIN else None
        elif block is not None:
            block.append(line)
    if block is not None:
        found.append(Malformed("a signature block that is not closed"))
    if not found:
        found.append(Malformed("empty"))
    if len(found) > MAX_SIGNATURES:
        return (Malformed(f"more than {MAX_SIGNATURES} signatures"),)
    return tuple(found)


def _read_block(lines: list[str]) -> list[SignaturePacket | Malformed]:
    if "" not in lines:
        return [Malformed("armor without the blank line after its headers")]
    blank = lines.index("")
    headers, body = lines[:blank], lines[blank + 1 :]
    if not all(_HEADER.fullmatch(line) for line in headers):
        return [Malformed("armor with a damaged header")]
    if body and _CRC24.fullmatch(body[-1]):
        body = body[:-1]  # optional, and no protection: RFC 9580, 6.1
    try:
        return list(_split_packets(base64.b64decode("".join(body), validate=True)))
    except binascii.Error:
        return [Malformed("armor that is not base64")]
    except _PacketError as error:
        return [Malformed(str(error))]


def _split_packets(data: bytes) -> tuple[SignaturePacket, ...]:
    if not data:
        raise _PacketError("an empty signature block")
    packets = []
    start = 0
    while start < len(data):
        tag, body, end = _read_header(data, start)
        if tag != _SIGNATURE_TAG:
            raise _PacketError(f"an OpenPGP packet of type {tag} where a signature should be")
        if end > len(data):
            raise _PacketError("a signature that is cut off")
        packets.append(SignaturePacket(_frame(data[body:end])))
        start = end
    return tuple(packets)


def _read_header(data: bytes, start: int) -> tuple[int, int, int]:
    """Return the packet's type, and where its body starts and ends."""
    first = data[start]
    if not first & 0x80:
        raise _PacketError("bytes that are no OpenPGP packet")
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
            raise _PacketError("a signature of partial length")
    else:  # RFC 9580, 4.2.2
        tag, at = (first >> 2) & 0x0F, start + 1
        if first & 0x03 == 3:
            raise _PacketError("a signature of indeterminate length")
        size = 1 << (first & 0x03)
        length = int.from_bytes(data[at : at + size])
    if at + size > len(data):
        raise _PacketError("a signature that is cut off")
    return tag, at + size, at + size + length


def _frame(body: bytes) -> bytes:
    """Give a signature packet's body one plain header, so that gpg sees exactly the packet that was split off."""
    return bytes((0xC0 | _SIGNATURE_TAG, 255)) + len(body).to_bytes(4) + body

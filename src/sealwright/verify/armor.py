"""Splitting a file of detached OpenPGP signatures into single signature packets.

Enters: the content of an .asc file. Leaves: packets, and what in the file is none. Judges no signature: each
packet goes to GnuPG alone, because gpg stops at the first bad one of several, and because whatever this file
misreads is at worst a signature less. Formats: RFC 9580, 6.2 (armor) and 4.2 (packet headers),
https://www.rfc-editor.org/rfc/rfc9580
"""

from sealwright.gnupg.key_file import decode_armor
from sealwright.gnupg.packets import SIGNATURE, PacketError, read_header
from sealwright.model.record import Record

MAX_SIGNATURE_FILE_BYTES = 256 * 1024
MAX_SIGNATURES = 100
_BEGIN, _END = "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----"
_CLEARSIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"


class SignaturePacket(Record):
    """One signature packet with its header, as bytes."""

    packet: bytes


class Malformed(Record):
    """A part of the file that is no signature, and why."""

    reason: str


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
    try:
        return list(_split_packets(decode_armor(lines)))
    except PacketError as error:
        return [Malformed(str(error))]


def _split_packets(data: bytes) -> tuple[SignaturePacket, ...]:
    if not data:
        raise PacketError("an empty signature block")
    packets = []
    start = 0
    while start < len(data):
        tag, body, end = read_header(data, start)
        if tag != SIGNATURE:
            raise PacketError(f"an OpenPGP packet of type {tag} where a signature should be")
        if end > len(data):
            raise PacketError("a signature that is cut off")
        packets.append(SignaturePacket(_frame(data[body:end])))
        start = end
    return tuple(packets)


def _frame(body: bytes) -> bytes:
    """Give a signature packet's body one plain header, so that gpg sees exactly the packet that was split off."""
    return bytes((0xC0 | SIGNATURE, 255)) + len(body).to_bytes(4) + body

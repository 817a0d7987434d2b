"""What an OpenPGP signature packet states about itself.

Enters: one packet. Leaves: `OpenPGPClaims`. No cryptography: whoever wrote the packet wrote what stands in it,
the time and the key as well. Format: RFC 9580, 5.2, https://www.rfc-editor.org/rfc/rfc9580
"""

from datetime import UTC, datetime

from sealwright.collect.claims.certificate import time_text
from sealwright.gnupg.packets import PacketError
from sealwright.model.explanation import OpenPGPClaims

_CLASSES = {0x00: "binary document", 0x01: "text document", 0x02: "standalone", 0x40: "timestamp", 0x50: "confirmation"}
_KEYS = {1: "RSA", 3: "RSA", 17: "DSA", 19: "ECDSA", 22: "EdDSA", 27: "Ed25519", 28: "Ed448"}
_DIGESTS = {
    1: "MD5", 2: "SHA-1", 3: "RIPEMD-160", 8: "SHA-256", 9: "SHA-384", 10: "SHA-512", 11: "SHA-224", 12: "SHA3-256",
    14: "SHA3-512",
}  # fmt: skip
_CREATED, _KEY_ID, _FINGERPRINT = 2, 16, 33


def read_signature_packet(body: bytes) -> OpenPGPClaims:
    """Read the body of a signature packet, without the packet's header. Raises PacketError."""
    version = body[0] if body else 0
    if version == 3:
        return _read_v3(body)
    if version not in (4, 6):
        raise PacketError(f"a signature of version {version}")
    width = 4 if version == 6 else 2
    hashed, rest = _area(body[4:], width)
    unhashed, _ = _area(rest, width)
    found = dict(_subpackets(unhashed)) | dict(_subpackets(hashed))  # what is signed goes before what is not
    fingerprint = found.get(_FINGERPRINT, b"")[1:].hex().upper()
    created = found.get(_CREATED, b"")
    return OpenPGPClaims(
        version,
        _name(_CLASSES, body[1], "class"),
        _name(_KEYS, body[2], "algorithm"),
        _name(_DIGESTS, body[3], "digest"),
        fingerprint,
        found.get(_KEY_ID, b"").hex().upper(),
        _time(created) if len(created) == 4 else "",
    )


def _read_v3(body: bytes) -> OpenPGPClaims:
    if len(body) < 19 or body[1] != 5:
        raise PacketError("a signature of version 3 that is cut off")
    key, digest = _name(_KEYS, body[15], "algorithm"), _name(_DIGESTS, body[16], "digest")
    return OpenPGPClaims(
        3, _name(_CLASSES, body[2], "class"), key, digest, "", body[7:15].hex().upper(), _time(body[3:7])
    )


def _area(data: bytes, width: int) -> tuple[bytes, bytes]:
    """Split off a counted area of subpackets."""
    size = int.from_bytes(data[:width])
    if len(data) < width + size:
        raise PacketError("a signature that is cut off")
    return data[width : width + size], data[width + size :]


def _subpackets(area: bytes) -> list[tuple[int, bytes]]:
    """Split an area (RFC 9580, 5.2.3.7); of two of one type the last one stands, as elsewhere the first might."""
    found = []
    start = 0
    while start < len(area):
        first = area[start]
        if first < 192:
            at, size = start + 1, first
        elif first < 255:
            at, size = start + 2, ((first - 192) << 8) + int.from_bytes(area[start + 1 : start + 2]) + 192
        else:
            at, size = start + 5, int.from_bytes(area[start + 1 : start + 5])
        if size < 1 or at + size > len(area):
            raise PacketError("a signature with a subpacket that is cut off")
        found.append((area[at] & 0x7F, area[at + 1 : at + size]))
        start = at + size
    return found


def _time(octets: bytes) -> str:
    return time_text(datetime.fromtimestamp(int.from_bytes(octets), UTC))


def _name(names: dict[int, str], number: int, what: str) -> str:
    return names.get(number, f"{what} {number}")

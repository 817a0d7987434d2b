"""A file of a public key, read as strictly as gpg is lenient: what gpg passes over without a word may be a revocation.

Enters: bytes that anybody may have made. Leaves: OpenPGP packets, or a `PacketError`. Judges no signature.
Formats: RFC 9580, 6.2 (armor) and 5.2.3 (signatures), https://www.rfc-editor.org/rfc/rfc9580
"""

import base64
import re
from collections.abc import Iterable

from sealwright.gnupg.listing import Key
from sealwright.gnupg.packets import PacketError, each_revocation

_ARMOR = b"-----BEGIN PGP "
_BEGIN, _END = (b"-----%s PGP PUBLIC KEY BLOCK-----" % word for word in (b"BEGIN", b"END"))
_WEAK = (1, 2, 3)  # MD5, SHA-1, RIPEMD-160: RFC 9580, 9.5
_HEADER = re.compile(r"[A-Za-z0-9-]+: .*")
_CRC24 = re.compile(r"=[A-Za-z0-9+/]{4}")


class OutsideError(PacketError):
    """Something stands outside of the key blocks."""


def decode_armor(lines: list[str]) -> bytes:
    """Return what stands between the two lines that frame a block. Raises PacketError."""
    if "" not in lines:
        raise PacketError("armor without the blank line after its headers")
    blank = lines.index("")
    headers, body = lines[:blank], lines[blank + 1 :]
    if not all(_HEADER.fullmatch(line) for line in headers):
        raise PacketError("armor with a damaged header")
    if body and _CRC24.fullmatch(body[-1]):
        body = body[:-1]  # optional, and no protection: RFC 9580, 6.1
    try:
        return base64.b64decode("".join(body), validate=True)
    except ValueError as error:
        raise PacketError("armor that is not base64") from error


def read_key_file(content: bytes) -> bytes:
    """Return the packets of a key file; nothing of one that is neither binary nor armored, of which gpg says so.

    Raises OutsideError, and PacketError for armor that gpg could read in another way.
    """
    if content[:1] >= b"\x80":  # as gpg tells the two apart
        return content
    if _ARMOR not in content:
        return b""
    packets = bytearray()
    block: list[str] | None = None
    for raw in content.split(b"\n"):
        line = raw.rstrip(b" \t\r")  # a form feed, or a carriage return within, is no end of a line to gpg
        if block is None and line == _BEGIN:
            block = []
        elif block is None and line:
            raise OutsideError("something outside of its key block")
        elif block is not None and line == _END:
            packets += decode_armor(block[:-1] if block[-1:] == [""] else block)
            block = None
        elif block is not None:
            block.append(line.decode("ascii", "replace"))
    if block is not None:
        raise PacketError("a key block that is not closed")
    return bytes(packets)


def lost_revocation(content: bytes, keys: Iterable[Key]) -> bool:
    """Tell whether the file of a public key holds a revocation that gpg has not taken in; `keys` is what it lists.

    What it cannot verify, it leaves out without a word; of a subkey's, it keeps the newest. Raises PacketError.
    """
    found = tuple(each_revocation(read_key_file(content)))
    revoked = {revocation.part for revocation in found}
    weak = any(revocation.digest in _WEAK for revocation in found)
    return weak or len(revoked) > sum(bool(key.revocations) for key in keys)

"""A file of a public key, read as strictly as gpg is lenient: what gpg passes over without a word may be a revocation.

Enters: bytes that anybody may have made. Leaves: OpenPGP packets, or a `PacketError`. Judges no signature.
Formats: RFC 9580, 6.2 (armor) and 5.2.3 (signatures), https://www.rfc-editor.org/rfc/rfc9580
"""

import base64
import re
from collections.abc import Iterable

from sealwright.gnupg.listing import Key
from sealwright.gnupg.packets import PacketError, each_key_signature

_ARMOR = b"-----BEGIN PGP "
_BEGIN, _END = (b"-----%s PGP PUBLIC KEY BLOCK-----" % word for word in (b"BEGIN", b"END"))
_WEAK = (1, 2, 3)  # MD5, SHA-1, RIPEMD-160: RFC 9580, 9.5
_HEADER = re.compile(r"[A-Za-z0-9-]+: .*")
_KEY_ID = 16  # hexadecimal digits
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


def lost_word(content: bytes, keys: Iterable[Key]) -> str:
    """Say what the file of a public key holds of its owner's word that gpg has not taken in; empty for nothing.

    `keys` is what gpg lists of it, the primary key first. What gpg cannot verify, it leaves out without saying so; of
    a subkey's revocations, it keeps the newest. Raises PacketError.
    """
    signatures, listed = tuple(each_key_signature(read_key_file(content))), tuple(keys)
    revocations = [each for each in signatures if each.revokes]
    weak = any(each.digest in _WEAK for each in revocations)
    if weak or len({each.part for each in revocations}) > sum(bool(key.revocations) for key in listed):
        return "a revocation that gpg does not take (made with SHA-1, say)"
    own = {key.primary[-_KEY_ID:] for key in listed} | {""}  # that of somebody else says nothing of what a key is for
    taken: dict[int, int] = {}
    passed_over: dict[int, int] = {}
    for each in signatures:
        if each.binds and each.issuer in own:
            times = passed_over if each.digest in _WEAK else taken
            times[each.part] = max(each.made, times.get(each.part, 0))
    # Where none is taken, gpg does not take the part either.
    if any(part in taken and made >= taken[part] for part, made in passed_over.items()):
        return "a newest self-signature that gpg does not take (made with SHA-1, say), which may end the key"
    return ""

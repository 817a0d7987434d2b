"""A file of a public key, read as strictly as gpg is lenient: what gpg passes over without a word may be a revocation.

Enters: bytes that anybody may have made. Leaves: OpenPGP packets, or a `PacketError`. Judges no signature.
Formats: RFC 9580, 6.2 (armor) and 5.2.3 (signatures), https://www.rfc-editor.org/rfc/rfc9580
"""

import base64
import re
from collections.abc import Iterable

from sealwright.errors import PolicyError
from sealwright.gnupg.listing import Key
from sealwright.gnupg.packets import KeySignature, PacketError, each_key_signature, read_header

_ARMOR = b"-----BEGIN PGP "
_BEGIN, _END = (b"-----%s PGP PUBLIC KEY BLOCK-----" % word for word in (b"BEGIN", b"END"))
_KEYS = (5, 6)  # the packets that a binary key begins with, with its secret and without: RFC 9580, 5.5.1
_WEAK = (1, 2, 3)  # MD5, SHA-1, RIPEMD-160: RFC 9580, 9.5
_GENTLE = (1, 3)  # superseded, retired: 5.2.3.31
_HEADER = re.compile(r"[^:\s]+:( .*)?")
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

    gpg takes a file for a binary one also where another packet stands before the key: a marker, a comment.

    Raises OutsideError, and PacketError for armor that gpg could read in another way.
    """
    if content[:1] >= b"\x80" and (_ARMOR not in content or read_header(content, 0)[0] in _KEYS):
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
            while block[-1:] == [""]:
                block.pop()
            packets += decode_armor(block)
            block = None
        elif block is not None:
            block.append(line.decode("ascii", "replace"))
    if block is not None:
        raise PacketError("a key block that is not closed")
    return bytes(packets)


def refuse_lost(content: bytes, keys: Iterable[Key], place: str) -> None:
    """Refuse the file of a public key that holds a word of its owner's that gpg has not taken in. Raises PolicyError.

    `keys` is what gpg lists of it, `place` what to call the file. What gpg cannot verify, it leaves out without saying
    so, and of a subkey's revocations, it keeps the newest. Nothing is left aside because of where it stands: what gpg
    did not verify may be about another part.
    """
    try:
        lost = _lost_word(content, tuple(keys))
    except PacketError as error:
        raise PolicyError(
            f"{place} cannot be read as a key: {error}", "Export it: gpg --armor --export FINGERPRINT > FINGERPRINT.asc"
        ) from error
    if lost:
        raise PolicyError(
            f"{place} holds {lost} (made with SHA-1, say, or older than another)",
            "Have its owner say it anew, with a newer gpg, or take a subkey that it is about out of the key (gpg "
            "--edit-key, delkey), and send the key again; until then, take it for revoked.",
        )


def _lost_word(content: bytes, keys: tuple[Key, ...]) -> str:
    listed = {key.fingerprint: key for key in keys}
    primary = next((key.primary for key in keys), "")
    signatures = tuple(each_key_signature(read_key_file(content)))
    for each in signatures:
        if each.revokes and _is_lost(each, listed, primary):
            return f"a revocation{f' of {each.part}' if each.part in listed else ''} that gpg does not take"
    own = {primary[-_KEY_ID:], ""}  # that of somebody else says nothing of what a key is for
    if any(each.binds and each.issuer in own and _is_passed_over(each, listed, primary) for each in signatures):
        return "a newest self-signature that gpg does not take, which may end the key"
    return ""


def _is_passed_over(signature: KeySignature, listed: dict[str, Key], primary: str) -> bool:
    """Tell whether a self-signature is newer than all of that part that gpg has taken, or as new and weak.

    It may be weak, or hold what this gpg does not know (RFC 9580, 5.2.3.7). Where none is taken, gpg does not take the
    part either.
    """
    key = listed.get(signature.part or primary)
    if key is None or not key.bound:
        return False
    return signature.made > key.said or (signature.made == key.said and signature.digest in _WEAK)


def _is_lost(revocation: KeySignature, listed: dict[str, Key], primary: str) -> bool:
    """Tell whether gpg lists the part that it is about as one that nobody has revoked, or for a lesser reason."""
    key = listed.get(revocation.part or primary)
    return key is None or not key.revocations or (key.gently_revoked and revocation.reason not in _GENTLE)

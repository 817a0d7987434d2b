"""The little DER that the timestamp authority and the certificates need, and that no library writes for them.

Enters: values. Leaves: their encoding (X.690); and, the other way, the parts of a request that a stranger sent. Reads
one level at a time, so that no nesting costs anything.
https://www.itu.int/rec/T-REC-X.690
"""

from typing import NamedTuple

BOOLEAN, INTEGER, BITS, OCTETS, NULL, OID, UTF8, TIME = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x18
SEQUENCE, SET = 0x30, 0x31


class Element(NamedTuple):
    """A tag (one byte) and its content."""

    tag: int
    content: bytes


def encode(tag: int, *contents: bytes) -> bytes:
    """Encode an element; the contents stand one after the other."""
    content = b"".join(contents)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def encode_integer(number: int) -> bytes:
    """Encode an integer that is not negative."""
    return encode(INTEGER, number.to_bytes(number.bit_length() // 8 + 1))


def encode_oid(dotted: str) -> bytes:
    """Encode an object identifier."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    encoded = b""
    for arc in (40 * first + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        encoded += bytes(reversed(septets))
    return encode(OID, encoded)


def encode_set_of(*elements: bytes, tag: int = SET) -> bytes:
    """Encode a SET OF, whose elements DER sorts. X.690, 11.6."""
    return encode(tag, *sorted(elements))


def read_elements(content: bytes) -> list[Element]:
    """Read the elements that stand one after the other. Raises ValueError for anything that is not DER."""
    found = []
    while content:
        element, content = _read_one(content)
        found.append(element)
    return found


def _read_one(content: bytes) -> tuple[Element, bytes]:
    if len(content) < 2 or content[0] & 0x1F == 0x1F:
        raise ValueError("cut DER, or a tag of several bytes")
    length, start = content[1], 2
    if length >= 0x80:
        start += length & 0x7F
        length = int.from_bytes(content[2:start])
        if not 2 < start <= 6 or length < 0x80 or content[2] == 0:
            raise ValueError("a length that is not DER")
    if len(content) < start + length:
        raise ValueError("cut DER")
    return Element(content[0], content[start : start + length]), content[start + length :]

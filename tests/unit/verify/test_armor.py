"""Splitting signature files: what is found, and that nothing makes it raise."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples

from sealwright.verify.armor import Malformed, SignaturePacket, split_signatures


def armor(data: bytes, headers: str = "", crc: str = "") -> bytes:
    body = base64.encodebytes(data).decode()
    return f"-----BEGIN PGP SIGNATURE-----\n{headers}\n{body}{crc}-----END PGP SIGNATURE-----\n".encode()


def packet(body: bytes, tag: int = 2) -> bytes:
    return bytes((0xC0 | tag, len(body))) + body


def framed(body: bytes) -> SignaturePacket:
    return SignaturePacket(b"\xc2\xff" + len(body).to_bytes(4) + body)


@pytest.mark.parametrize(
    "encoded",
    [
        b"\xc2\x03abc",  # new format, one octet of length
        b"\xc2\xff\x00\x00\x00\x03abc",  # new format, five octets
        b"\x88\x03abc",  # old format, one octet
        b"\x89\x00\x03abc",
        b"\x8a\x00\x00\x00\x03abc",
    ],
)
def test_every_way_to_write_a_length(encoded: bytes) -> None:
    assert split_signatures(armor(encoded)) == (framed(b"abc"),)


def test_two_octets_of_length() -> None:
    body = bytes(300)
    assert split_signatures(armor(b"\xc2" + bytes((192 + (300 - 192 >> 8), 300 - 192 & 0xFF)) + body)) == (
        framed(body),
    )


def test_blocks_and_packets_keep_their_order() -> None:
    content = (
        armor(packet(b"a") + packet(b"b"), "Comment: x\n", "=abcd\n")
        + b"\n"
        + armor(packet(b"c")).replace(b"\n", b"\r\n")
    )
    assert split_signatures(content) == (framed(b"a"), framed(b"b"), framed(b"c"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"\xff", "not ASCII"),
        (b"hello", "text outside"),
        (armor(packet(b"x")) + b"hello", "text outside"),
        (b"-----BEGIN PGP SIGNED MESSAGE-----\n", "clear-signed"),
        (armor(packet(b"x"))[:-10], "not closed"),
        (b"-----BEGIN PGP SIGNATURE-----\nabcd\n-----END PGP SIGNATURE-----\n", "without the blank line"),
        (armor(packet(b"x"), "not a header\n"), "damaged header"),
        (b"-----BEGIN PGP SIGNATURE-----\n\na*b=\n-----END PGP SIGNATURE-----\n", "not base64"),
        (armor(b""), "empty signature block"),
        (armor(packet(b"x", tag=6)), "packet of type 6"),
        (armor(packet(b"x") + packet(b"x", tag=8)), "packet of type 8"),
        (armor(b"\xc2\x09abc"), "cut off"),
        (armor(b"\xc2"), "cut off"),
        (armor(b"\xc2\xff\x00"), "cut off"),
        (armor(b"\x8babc"), "indeterminate"),
        (armor(b"\xc2\xe1abc"), "partial length"),
        (armor(b"\x00\x00"), "no OpenPGP packet"),
        (b"".join(armor(packet(bytes([n]))) for n in range(101)), "more than 100"),
    ],
)
def test_what_is_no_signature_is_named(content: bytes, reason: str) -> None:
    found = [part.reason for part in split_signatures(content) if isinstance(part, Malformed)]
    assert len(found) == 1
    assert reason in found[0]


def test_junk_hides_no_signature() -> None:
    content = b"junk\n" + armor(b"\x00") + armor(packet(b"good")) + b"junk"
    assert framed(b"good") in split_signatures(content)


@examples(500)
@given(content=st.binary(max_size=400))
def test_any_bytes_are_split(content: bytes) -> None:
    assert split_signatures(content)
    assert split_signatures(armor(content))


@examples(100)
@given(bodies=st.lists(st.binary(min_size=1, max_size=180), min_size=1, max_size=5))
def test_what_goes_in_comes_out(bodies: list[bytes]) -> None:
    assert split_signatures(armor(b"".join(packet(body) for body in bodies))) == tuple(framed(body) for body in bodies)

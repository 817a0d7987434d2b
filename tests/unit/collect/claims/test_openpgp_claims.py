"""What is read from signature packets, and from bytes that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples

from sealwright.collect.claims.openpgp_claims import read_signature_packet
from sealwright.gnupg.packets import PacketError
from sealwright.model.explanation import OpenPGPClaims

CREATED = b"\x05\x02" + (1735787045).to_bytes(4)
FINGERPRINT = b"\x16\x21\x04" + b"\xab" * 20
KEY_ID = b"\x09\x10" + b"\xcd" * 8


def v4(hashed: bytes, unhashed: bytes = b"") -> bytes:
    return b"\x04\x00\x16\x0a" + len(hashed).to_bytes(2) + hashed + len(unhashed).to_bytes(2) + unhashed + b"\x00\x00"


def test_versions_3_4_and_6() -> None:
    assert read_signature_packet(v4(FINGERPRINT + CREATED, KEY_ID)) == OpenPGPClaims(
        4, "binary document", "EdDSA", "SHA-512", "AB" * 20, "CD" * 8, "2025-01-02 03:04:05 UTC"
    )
    v6 = b"\x06\x01\x1b\x0c" + len(CREATED).to_bytes(4) + CREATED + bytes(4) + b"\x00\x00"
    assert read_signature_packet(v6) == OpenPGPClaims(
        6, "text document", "Ed25519", "SHA3-256", "", "", "2025-01-02 03:04:05 UTC"
    )
    v3 = b"\x03\x05\x00" + (1735787045).to_bytes(4) + b"\xcd" * 8 + b"\x11\x02\x00\x00"
    assert read_signature_packet(v3) == OpenPGPClaims(
        3, "binary document", "DSA", "SHA-1", "", "CD" * 8, "2025-01-02 03:04:05 UTC"
    )


def test_what_is_signed_goes_before_what_is_not() -> None:
    other = b"\x16\x21\x04" + b"\xee" * 20
    assert read_signature_packet(v4(FINGERPRINT, other)).fingerprint == "AB" * 20


@pytest.mark.parametrize(
    "body", [b"", b"\x05", b"\x04", b"\x04\x00\x01\x08\x00\x09", b"\x03\x05", v4(b"\x00"), v4(b"\x09\x10")]
)
def test_packets_that_are_broken(body: bytes) -> None:
    with pytest.raises(PacketError):
        read_signature_packet(body)


@examples(300)
@given(body=st.binary(max_size=60), version=st.sampled_from([b"\x03\x05", b"\x04", b"\x06", b""]))
def test_nothing_but_that_error_is_raised(body: bytes, version: bytes) -> None:
    try:
        read_signature_packet(version + body)
    except PacketError:
        return

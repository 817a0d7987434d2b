"""What stands in a key, told apart as gpg tells it apart."""

import pytest

from sealwright.gnupg.packets import PacketError, each_key_signature

ISSUER = "0123456789ABCDEF"


@pytest.mark.parametrize("version", [2, 3])
def test_an_old_signature_is_read_as_gpg_reads_it(version: int) -> None:
    """`gpg --list-packets` says of both: created 5, sigclass 0x20, digest algo 2."""
    body = bytes([version, 5, 0x20]) + (5).to_bytes(4) + bytes.fromhex(ISSUER) + b"\x01\x02ab\x00\x08\xff"
    (found,) = each_key_signature(b"\xc2" + bytes([len(body)]) + body)
    assert (found.kind, found.made, found.issuer, found.digest, found.revokes) == (0x20, 5, ISSUER, 2, True)


@pytest.mark.parametrize("tag", [1, 3, 8, 9, 11, 16, 18, 20, 61, 63])
def test_a_packet_that_has_no_place_in_a_key(tag: int) -> None:
    """gpg takes in what is in a compressed one; of what it does with the others, nothing is known here."""
    with pytest.raises(PacketError, match=f"type {tag}, "):
        list(each_key_signature(bytes([0xC0 | tag, 1, 0])))
    assert not list(each_key_signature(b"\xca\x03PGP"))

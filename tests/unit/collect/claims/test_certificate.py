"""What is read from certificates made by hand, and what happens to those that are broken."""

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from support.fulcio import IDENTITY, ISSUER, REPOSITORY, certificate, der_text
from support.fuzz import examples

from sealwright.collect.claims.certificate import MAX_CERTIFICATE_BYTES, read_certificate
from sealwright.collect.claims.json_claims import Problems
from sealwright.model.claims import utf8_string
from sealwright.model.explanation import Certificate, Claim


def read(der: bytes) -> tuple[Certificate | None, Problems]:
    problems = Problems()
    return read_certificate(der, problems), problems


def test_everything_that_a_certificate_says() -> None:
    found, problems = read(certificate())
    assert not problems
    assert found
    assert found.identities == (Claim("URI", IDENTITY),)
    assert found.oidc_issuers == (ISSUER,)
    assert (found.not_before, found.not_after) == ("2025-01-02 03:04:05 UTC", "2025-01-02 03:14:05 UTC")
    assert found.issued_by == "CN=test-intermediate"
    assert found.scts == 0
    assert [(extension.name, extension.text) for extension in found.extensions] == [
        ("Issuer (deprecated)", ISSUER),
        ("Issuer", ISSUER),
        ("Source Repository URI", REPOSITORY),
        ("Source Repository Ref", "refs/tags/v1.2.3"),
    ]


def test_every_extension_has_its_name() -> None:
    raw = {number: f"v{number}".encode() for number in range(1, 7)} | {n: der_text(f"v{n}") for n in range(8, 27)}
    found, problems = read(certificate(raw))
    assert found
    assert not problems
    assert [extension.text for extension in found.extensions] == [f"v{n}" for n in range(1, 27) if n != 7]
    names = {extension.oid.rpartition(".")[2]: extension.name for extension in found.extensions}
    assert (names["9"], names["21"], names["22"]) == (
        "Build Signer URI", "Run Invocation URI", "Source Repository Visibility At Signing",
    )  # fmt: skip
    assert (names["23"], names["26"]) == ("Deployment Environment", "1.3.6.1.4.1.57264.1.26")


def test_two_issuers_are_both_shown() -> None:
    found, _ = read(certificate({1: b"https://one", 8: der_text("https://two")}))
    assert found
    assert found.oidc_issuers == ("https://two", "https://one")


def test_every_type_of_identity() -> None:
    other = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7"), der_text("someone"))
    strange = x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")
    names = [x509.RFC822Name("a@example.org"), x509.DNSName("example.org"), other, strange]
    found, problems = read(certificate(names=[*names, x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))]))
    assert found
    assert not problems
    assert found.identities[:4] == (
        Claim("e-mail", "a@example.org"), Claim("DNS", "example.org"), Claim("user name", "someone"), Claim("1.2.3", "0500"),
    )  # fmt: skip
    assert found.identities[4].label == "RegisteredID"


@pytest.mark.parametrize(
    "raw", [b"", b"\x0c", b"\x0c\x05abc", b"\x0c\x01ab", b"\x0c\x80ab\x00\x00", b"\x13\x01a", b"\x0c\x83\x00\x00\x01a", b"raw"]
)  # fmt: skip
def test_an_extension_that_is_no_text_is_said_so(raw: bytes) -> None:
    assert utf8_string(raw) is None
    found, problems = read(certificate({12: raw, 14: der_text("ref")}))
    assert found
    assert [extension.text for extension in found.extensions] == ["ref"]
    assert problems == ["the extension Source Repository URI cannot be read: it is no DER UTF8String"]


@pytest.mark.parametrize("oid", ["1.3.6.1.4.1.11129.2.4.2", "2.5.29.15", "2.5.29.37"])
def test_a_broken_extension_of_another_kind(oid: str) -> None:
    found, problems = read(certificate(more=[(oid, b"\xff\xff")]))
    assert problems
    assert found
    assert found.not_before, "what can be read is read"


@pytest.mark.parametrize("der", [b"", b"0", b"\x30\x80", bytes(MAX_CERTIFICATE_BYTES + 1)])
def test_what_is_no_certificate(der: bytes) -> None:
    found, problems = read(der)
    assert found is None
    assert len(problems) == 1


def test_a_changed_byte_never_raises() -> None:
    good = certificate()

    @examples(300)
    @given(position=st.integers(0, len(good) - 1), byte=st.integers(0, 255), cut=st.booleans())
    def change(position: int, byte: int, cut: bool) -> None:
        read(good[:position] + bytes((byte,)) + (b"" if cut else good[position + 1 :]))

    change()

"""The timestamp authority against rfc3161-client, and against requests that are none."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
import requests
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from support.fuzz import examples

from sealwright.sandbox.sigstore import Endpoint, Lie, Sigstore, running_sigstore
from sealwright.sandbox.sigstore.der import encode_integer, encode_oid, read_elements

MESSAGE = b"a signature"


def query(algorithm: HashAlgorithm = HashAlgorithm.SHA256, *, nonce: bool = True, certificates: bool = True) -> bytes:
    builder = TimestampRequestBuilder().data(MESSAGE).hash_algorithm(algorithm)
    content: bytes = builder.nonce(nonce=nonce).cert_request(cert_request=certificates).build().as_bytes()
    return content


def ask(sigstore: Sigstore, content: bytes) -> requests.Response:
    headers = {"Content-Type": "application/timestamp-query"}
    return requests.post(sigstore.urls.timestamp, data=content, headers=headers, timeout=30)


def verify(sigstore: Sigstore, response: TimeStampResponse, message: bytes = MESSAGE) -> None:
    chain = requests.get(f"{sigstore.urls.timestamp}/certchain", timeout=30).content
    leaf, root = x509.load_pem_x509_certificates(chain)
    VerifierBuilder().tsa_certificate(leaf).add_root_certificate(root).build().verify_message(response, message)


@pytest.mark.parametrize("algorithm", [HashAlgorithm.SHA256, HashAlgorithm.SHA512])
@pytest.mark.parametrize("certificates", [True, False])
@pytest.mark.parametrize("nonce", [True, False])
def test_rfc3161_client_accepts_the_answers(
    sigstore: Sigstore, algorithm: HashAlgorithm, certificates: bool, nonce: bool
) -> None:
    answer = ask(sigstore, query(algorithm, nonce=nonce, certificates=certificates))
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/timestamp-reply")
    response = decode_timestamp_response(answer.content)
    verify(sigstore, response)
    assert len(response.signed_data.certificates) == (2 if certificates else 0)
    assert abs(response.tst_info.gen_time - datetime.now(UTC)) < timedelta(minutes=10)
    with pytest.raises(VerificationError):
        verify(sigstore, response, b"another signature")


def ask_by_json(sigstore: Sigstore, **changed: object) -> requests.Response:
    digest = base64.b64encode(hashlib.sha256(MESSAGE).digest()).decode()
    asked = {"artifactHash": digest, "hashAlgorithm": "sha256", "nonce": 7, "certificates": True} | changed
    return requests.post(sigstore.urls.timestamp, json=asked, timeout=30)


def test_a_request_may_be_json(sigstore: Sigstore) -> None:
    response = decode_timestamp_response(ask_by_json(sigstore).content)
    verify(sigstore, response)
    assert (response.tst_info.nonce, len(response.signed_data.certificates)) == (7, 2)


@pytest.mark.parametrize(
    "changed", [{"artifactHash": "AA=="}, {"artifactHash": 1}, {"hashAlgorithm": "md5"}, {"nonce": -1}, {"nonce": "x"}]
)
def test_a_json_request_that_is_none_is_refused(sigstore: Sigstore, changed: dict[str, object]) -> None:
    assert ask_by_json(sigstore, **changed).status_code == 400


def test_the_time_is_the_sandboxs() -> None:
    moment = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    with running_sigstore(lambda: moment) as sigstore:
        response = decode_timestamp_response(ask(sigstore, query()).content)
    assert response.tst_info.gen_time == moment


def test_no_two_have_the_same_number(sigstore: Sigstore) -> None:
    content = query()
    answers = [decode_timestamp_response(ask(sigstore, content).content) for _ in range(3)]
    assert len({answer.tst_info.serial_number for answer in answers}) == 3
    assert len({answer.tst_info.nonce for answer in answers}) == 1


def test_a_rejection_is_one_that_clients_understand(sigstore: Sigstore) -> None:
    sigstore.faults.add(Endpoint.TIMESTAMP, Lie.NO_TIMESTAMP)
    assert decode_timestamp_response(ask(sigstore, query()).content).status == 2


SPOILT = {
    "nothing": b"",
    "a tag alone": b"\x30",
    "no definite length": b"\x30\x80\x00\x00",
    "four gigabytes": b"\x30\x84\xff\xff\xff\xff",
    "an empty sequence": b"\x30\x00",
    "something behind it": query() + b"\x00",
    "cut": query()[:-1],
    "another algorithm": query().replace(encode_oid("2.16.840.1.101.3.4.2.1"), encode_oid("2.16.840.1.101.3.4.2.9")),
    "a digest of another size": query().replace(
        encode_oid("2.16.840.1.101.3.4.2.1"), encode_oid("2.16.840.1.101.3.4.2.2")
    ),
}


@pytest.mark.parametrize("content", SPOILT.values(), ids=SPOILT)
def test_what_is_no_request_is_refused(sigstore: Sigstore, content: bytes) -> None:
    answer = ask(sigstore, content)
    assert answer.status_code in (400, 411)
    assert answer.headers["Content-Type"] == "application/json"


@examples(100)
@given(st.data())
def test_a_spoilt_request_gets_a_timestamp_or_a_refusal(running_all_along: Sigstore, data: st.DataObject) -> None:
    content = bytearray(query(nonce=False))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    answer = ask(running_all_along, bytes(content))
    if answer.status_code == 201:
        assert decode_timestamp_response(answer.content).status == 0
    else:
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("number", "encoded"), [(0, "020100"), (127, "02017f"), (128, "02020080"), (255, "020200ff"), (256, "02020100")]
)
def test_integers_are_encoded_as_x690_says(number: int, encoded: str) -> None:
    assert encode_integer(number).hex() == encoded


@examples(100)
@given(st.binary(max_size=40))
def test_reading_der_ends_with_elements_or_an_error(content: bytes) -> None:
    try:
        elements = read_elements(content)
    except ValueError:
        return
    assert sum(len(each.content) + 2 for each in elements) <= len(content)

"""Each fault does what it says, and sigstore-python refuses what comes of it: when it signs, or when it verifies."""

import contextlib
import http.client
import json
import time
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import requests
from sigstore.errors import VerificationError
from sigstore.models import InvalidBundle
from sigstore.sign import ExpiredCertificate
from support.sigstore import CONFIGS, CONTENT, client, propose_hashedrekord, statement

from sealwright.sandbox.faults import Faults
from sealwright.sandbox.sigstore import NOT_JSON, Answer, Break, Delay, Endpoint, Lie, Sigstore

V1, V2 = Endpoint.ENTRY_V1, Endpoint.ENTRY_V2
EACH_LOG = [("rekor1", V1), ("rekor2-timestamps", V2)]


@pytest.mark.parametrize(("name", "endpoint"), EACH_LOG)
@pytest.mark.parametrize(
    ("lie", "told"),
    [
        (Lie.WRONG_PROOF, "inclusion proof contains invalid root hash"),
        (Lie.FOREIGN_CHECKPOINT, "checkpoint"),
        (Lie.OTHER_CHECKPOINT, "invalid root hash signature"),
        (Lie.OTHER_ENTRY, "inconsistent with other materials"),
    ],
)
def test_a_false_entry_is_refused(sigstore: Sigstore, name: str, endpoint: Endpoint, lie: Lie, told: str) -> None:
    sigstore.faults.add(endpoint, lie)
    signing = client(sigstore, name)
    bundle = signing.sign()
    with pytest.raises(VerificationError, match=told):
        signing.verify(bundle)


@pytest.mark.parametrize(("name", "endpoint"), EACH_LOG)
def test_anothers_statement_in_the_log_is_refused(sigstore: Sigstore, name: str, endpoint: Endpoint) -> None:
    sigstore.faults.add(endpoint, Lie.OTHER_ENTRY)
    signing = client(sigstore, name)
    bundle = signing.sign_statement(statement())
    with pytest.raises(VerificationError, match=r"does not match|inconsistent"):
        signing.verify_statement(bundle)


def test_a_false_promise_is_refused(sigstore: Sigstore) -> None:
    sigstore.faults.add(V1, Lie.WRONG_PROMISE)
    signing = client(sigstore, "rekor1")
    bundle = signing.sign()
    with pytest.raises(VerificationError, match="inclusion promise"):
        signing.verify(bundle)


@pytest.mark.parametrize(
    ("lie", "told"), [(Lie.NO_SCT, "does not contain a signed certificate timestamp"), (Lie.WRONG_SCT, "SCT verify")]
)
def test_a_certificate_in_no_ct_log_is_refused_twice(
    sigstore: Sigstore, monkeypatch: pytest.MonkeyPatch, lie: Lie, told: str
) -> None:
    sigstore.faults.add(Endpoint.CERTIFICATE, lie)
    signing = client(sigstore)
    with pytest.raises(VerificationError, match=told):
        signing.sign()
    monkeypatch.setattr("sigstore.sign.verify_sct", lambda *_: None)  # a signer who does not look
    bundle = signing.sign()
    with pytest.raises(VerificationError, match=told):
        signing.verify(bundle)


def test_an_expired_certificate_signs_nothing(sigstore: Sigstore) -> None:
    sigstore.faults.add(Endpoint.CERTIFICATE, Lie.EXPIRED_CERTIFICATE)
    with pytest.raises(ExpiredCertificate):
        client(sigstore).sign()


def test_a_certificate_of_another_time_than_the_entry_is_refused(sigstore: Sigstore) -> None:
    sigstore.faults.add(Endpoint.CERTIFICATE, Lie.FUTURE_CERTIFICATE)
    signing = client(sigstore, "rekor1")
    bundle = signing.sign()
    begins = bundle.signing_certificate.not_valid_before_utc.timestamp()
    assert begins > int(bundle.log_entry._inner.integrated_time or 0)
    with pytest.raises(VerificationError, match="failed to build timestamp certificate chain"):
        signing.verify(bundle)


def test_a_certificate_for_somebody_else_is_refused(sigstore: Sigstore) -> None:
    sigstore.faults.add(Endpoint.CERTIFICATE, Lie.OTHER_IDENTITY)
    signing = client(sigstore)
    bundle = signing.sign()
    with pytest.raises(VerificationError, match="do not match"):
        signing.verify(bundle)


def test_without_a_timestamp_rekor_v2_proves_no_time(sigstore: Sigstore) -> None:
    sigstore.faults.add(Endpoint.TIMESTAMP, Answer(500))
    with pytest.raises(InvalidBundle, match="inclusion promise or signed timestamp"):
        client(sigstore, "rekor2-timestamps").sign()


def test_a_refused_timestamp_proves_no_time(sigstore: Sigstore) -> None:
    sigstore.faults.add(Endpoint.TIMESTAMP, Lie.NO_TIMESTAMP)
    signing = client(sigstore, "rekor2-timestamps")
    bundle = signing.sign()  # sigstore-python takes a refusal for a timestamp, until it verifies
    with pytest.raises(ValueError, match="Missing SignedData"):
        signing.verify(bundle)


@pytest.mark.parametrize("name", ["rekor1-timestamps", "rekor2-timestamps"])
def test_a_timestamp_outside_of_the_certificate_is_refused(sigstore: Sigstore, name: str) -> None:
    sigstore.faults.add(Endpoint.TIMESTAMP, Lie.LATE_TIMESTAMP)
    signing = client(sigstore, name)
    bundle = signing.sign()
    stamped = bundle.verification_material.timestamp_verification_data
    assert stamped
    late = stamped.rfc3161_timestamps[0].tst_info.gen_time - bundle.signing_certificate.not_valid_before_utc
    assert late >= timedelta(hours=1)
    with pytest.raises(VerificationError, match="failed to build timestamp certificate chain"):
        signing.verify(bundle)


def test_a_timestamp_over_something_else_proves_no_time(sigstore: Sigstore) -> None:
    sigstore.faults.add(Endpoint.TIMESTAMP, Lie.OTHER_TIMESTAMP)
    signing = client(sigstore, "rekor2-timestamps")
    bundle = signing.sign()
    with pytest.raises(VerificationError, match="not enough sources of verified time"):
        signing.verify(bundle)


def test_the_lies_of_the_log_are_over_when_the_faults_are_cleared(sigstore: Sigstore) -> None:
    for name, endpoint in EACH_LOG:
        sigstore.faults.add(endpoint, Lie.WRONG_PROOF)
        with pytest.raises(VerificationError):
            client(sigstore, name).verify(client(sigstore, name).sign())
    sigstore.faults.clear()
    for name in CONFIGS:
        client(sigstore, name).verify(client(sigstore, name).sign())


def test_a_lie_is_told_by_those_who_can() -> None:
    with pytest.raises(ValueError, match="cannot answer with"):
        Faults().add(Endpoint.TIMESTAMP, Lie.NO_SCT)


def test_faults_are_counted_and_add_up() -> None:
    faults = Faults()
    faults.add(V1, Answer(503), times=2, skip=1)
    faults.add(V1, Lie.WRONG_PROOF)
    taken = [faults.take(V1) for _ in range(4)]
    assert taken == [
        (Lie.WRONG_PROOF,),
        (Answer(503), Lie.WRONG_PROOF),
        (Answer(503), Lie.WRONG_PROOF),
        (Lie.WRONG_PROOF,),
    ]
    assert faults.take(V2) == ()
    assert faults.counted() == {V1: 4, V2: 1}
    faults.clear()
    assert faults.take(V1) == ()
    assert faults.counted() == {V1: 1}


def log_of(sigstore: Sigstore) -> str:
    return f"{sigstore.urls.rekor1}/api/v1/log"


def test_an_error_with_a_time_to_come_back(sigstore: Sigstore) -> None:
    sigstore.faults.add(Endpoint.LOG_V1, Answer(429, b'{"code": 429, "message": "slow down"}', retry_after=7), times=1)
    answer = requests.get(log_of(sigstore), timeout=30)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json()["message"] == "slow down"
    assert requests.get(log_of(sigstore), timeout=30).status_code == 200
    assert sigstore.requests[Endpoint.LOG_V1] == 2


def test_an_answer_that_is_no_json(sigstore: Sigstore) -> None:
    sigstore.faults.add(Endpoint.LOG_V1, NOT_JSON)
    answer = requests.get(log_of(sigstore), timeout=30)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)


def test_an_answer_that_is_cut(sigstore: Sigstore) -> None:
    sigstore.faults.add(Endpoint.LOG_V1, Break.TRUNCATED)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(log_of(sigstore), timeout=30)


def test_no_answer(sigstore: Sigstore) -> None:
    sigstore.faults.add(Endpoint.LOG_V1, Break.DROPPED)
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(log_of(sigstore), timeout=30)


def test_a_late_answer(sigstore: Sigstore) -> None:
    sigstore.faults.add(Endpoint.LOG_V1, Delay(0.3), times=1)
    start = time.monotonic()
    assert requests.get(log_of(sigstore), timeout=60).status_code == 200
    assert time.monotonic() - start >= 0.3
    sigstore.faults.add(Endpoint.LOG_V1, Delay(3600), times=1)  # the end of the sandbox ends it
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(log_of(sigstore), timeout=0.2)


def test_an_answer_without_end(sigstore: Sigstore) -> None:
    sigstore.faults.add(Endpoint.LOG_V1, Break.ENDLESS)
    connection = http.client.HTTPConnection(urlsplit(sigstore.urls.rekor1).netloc, timeout=30)
    connection.request("GET", "/api/v1/log")
    answer = connection.getresponse()
    assert answer.getheader("Content-Length") is None
    assert len(answer.read(20_000_000)) == 20_000_000
    answer.close()
    connection.close()


@pytest.mark.parametrize(("fault", "status"), [(Answer(503), 201), (Break.DROPPED, 409), (Break.TRUNCATED, 409)])
def test_a_lost_answer_leaves_its_entry_and_an_error_leaves_none(
    sigstore: Sigstore, fault: Answer | Break, status: int
) -> None:
    sigstore.faults.add(V1, fault, times=1)
    proposal = propose_hashedrekord(fault.name.encode() if isinstance(fault, Break) else b"an error")
    with contextlib.suppress(requests.exceptions.RequestException):
        requests.post(f"{log_of(sigstore)}/entries", json=proposal, timeout=30)
    assert requests.post(f"{log_of(sigstore)}/entries", json=proposal, timeout=30).status_code == status


@pytest.mark.parametrize("fault", [Answer(503), Break.TRUNCATED, Break.DROPPED, NOT_JSON])
@pytest.mark.parametrize("endpoint", [Endpoint.CERTIFICATE, V1])
def test_a_client_notices_and_signs_the_next_time(
    sigstore: Sigstore, endpoint: Endpoint, fault: Answer | Break
) -> None:
    sigstore.faults.add(endpoint, fault, times=1)
    signing = client(sigstore)
    with pytest.raises(Exception, match=r".*"):  # each part of the client has errors of its own
        signing.sign()
    bundle = signing.sign(CONTENT)
    signing.verify(bundle)
    assert sigstore.requests[endpoint] == 2

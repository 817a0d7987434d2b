"""What HTTP itself must hold: loopback, bounds, keep-alive, no traceback, and nothing left when it ends."""

import contextlib
import http.client
import json
import re
import socket
import threading
import time
import warnings
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples

from sealwright.sandbox.server import MAX_BODY_BYTES
from sealwright.sandbox.sigstore import Delay, Endpoint, Sigstore, running_sigstore

ENTRIES = "/api/v1/log/entries"


def netloc(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def exchange(sigstore: Sigstore, sent: bytes) -> bytes:
    """Send bytes to Rekor v1 as they are, and return what comes until the end."""
    with socket.create_connection(netloc(sigstore.urls.rekor1), timeout=30) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_every_port_is_on_loopback_alone(sigstore: Sigstore) -> None:
    ports = {netloc(url) for url in sigstore.urls}
    assert {host for host, _ in ports} == {"127.0.0.1"}
    assert len(ports) == 6
    listening = {
        (address, int(port, 16))
        for address, port in re.findall(
            r"^ *\d+: ([0-9A-F]{8}):([0-9A-F]{4}) 00000000:0000 0A", Path("/proc/net/tcp").read_text(), re.MULTILINE
        )
    }
    for _, port in ports:
        assert {address for address, each in listening if each == port} == {"0100007F"}


def test_one_connection_serves_many_requests(sigstore: Sigstore) -> None:
    connection = http.client.HTTPConnection(*netloc(sigstore.urls.rekor1), timeout=30)
    with contextlib.closing(connection):
        connection.connect()
        port = connection.sock.getsockname()
        for path, status in (("/api/v1/log", 200), ("/nowhere", 404), (f"{ENTRIES}?logIndex=x", 400)) * 3:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
            assert connection.sock.getsockname() == port


def test_many_clients_at_once(sigstore: Sigstore) -> None:
    connections = [socket.create_connection(netloc(sigstore.urls.rekor1), timeout=30) for _ in range(100)]
    for connection in connections:
        connection.sendall(b"GET /api/v1/log HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    for connection in connections:
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.close()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: %d\r\n" % (MAX_BODY_BYTES + 1), 413),
        (b"Content-Length: -1\r\n", 400),
        (b"Content-Length: 9" + b"9" * 30 + b"\r\n", 400),
        (b"Content-Length: x\r\n", 400),
        (b"Content-Length: 2\r\nContent-Length: 2\r\n", 411),
        (b"Transfer-Encoding: chunked\r\n", 411),
        (b"", 411),
        (b"Content-Length: 50\r\n", 400),
    ],
)
def test_a_body_of_unclear_or_too_great_a_length_is_refused(sigstore: Sigstore, head: bytes, status: int) -> None:
    answer = exchange(sigstore, b"POST " + ENTRIES.encode() + b" HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n{}")
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == status


def test_a_client_that_sends_too_much_is_told_so(sigstore: Sigstore) -> None:
    answer = requests.post(sigstore.urls.rekor1 + ENTRIES, data=bytes(MAX_BODY_BYTES + 1), timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (413, 413)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/api/v1/log", 405),
        ("HEAD", "/api/v1/log", 200),
        ("POST", "/api/v1/log", 405),
        ("GET", "/..//", 404),
    ],
)
def test_other_methods_and_places(sigstore: Sigstore, method: str, path: str, status: int) -> None:
    assert requests.request(method, sigstore.urls.rekor1 + path, data=b"{}", timeout=30).status_code == status


@pytest.mark.parametrize("line", [b"GET", b"GET / HTTP/9.9", b"GET /" + b"x" * 70_000 + b" HTTP/1.1", b"\xff\xfe \x00"])
def test_what_is_no_http_is_refused_in_json(sigstore: Sigstore, line: bytes) -> None:
    answer = exchange(sigstore, line + b"\r\nHost: x\r\n\r\n")
    content = json.loads(answer.partition(b"\r\n\r\n")[2] if answer.startswith(b"HTTP") else answer)
    assert 400 <= content["code"] < 500


def test_a_client_that_waits_for_leave_to_go_on_gets_it(sigstore: Sigstore) -> None:
    with socket.create_connection(netloc(sigstore.urls.rekor1), timeout=30) as connection:
        head = b" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(b"POST " + ENTRIES.encode() + head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"x"', b"\xff", b"{", b"[" * 100_000, b"NaN"])
def test_what_is_no_json_object_is_refused(sigstore: Sigstore, body: bytes) -> None:
    urls = sigstore.urls
    for url in (urls.rekor1 + ENTRIES, urls.rekor2 + "/api/v2/log/entries", urls.fulcio + "/api/v2/signingCert"):
        answer = requests.post(url, data=body, headers={"Content-Length": str(len(body))}, timeout=30)
        assert answer.status_code == 400
        assert "no JSON" in answer.json()["message"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@examples(40)
@given(JSON, st.sampled_from(["spec", "hashedRekordRequestV002", "dsseRequestV002", "publicKeyRequest", "entries"]))
def test_whatever_comes_the_answer_is_a_refusal_in_json(
    running_all_along: Sigstore, content: object, name: str
) -> None:
    body = {"apiVersion": "0.0.1", "kind": "dsse", "kindVersion": content, name: content, "credentials": content}
    for url in (
        f"{running_all_along.urls.rekor1}{ENTRIES}",
        f"{running_all_along.urls.rekor2}/api/v2/log/entries",
        f"{running_all_along.urls.fulcio}/api/v2/signingCert",
    ):
        answer = requests.post(url, json=body, timeout=30)
        assert 400 <= answer.status_code < 500
        assert set(answer.json()) == {"code", "message", "details"}
        assert "Traceback" not in answer.text


def test_nothing_is_left_when_it_ends() -> None:
    before = set(threading.enumerate())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with running_sigstore() as sigstore:
            ports = {netloc(url) for url in sigstore.urls}
            sigstore.faults.add(Endpoint.LOG_V1, Delay(3600))
            idle = socket.create_connection(netloc(sigstore.urls.fulcio), timeout=30)
            waiting = socket.create_connection(netloc(sigstore.urls.rekor1), timeout=30)
            waiting.sendall(b"GET /api/v1/log HTTP/1.1\r\nHost: x\r\n\r\n")
            while not sigstore.requests[Endpoint.LOG_V1]:
                time.sleep(0.01)
        assert idle.recv(1) == b""
        for connection in (idle, waiting):
            connection.close()
    assert not set(threading.enumerate()) - before
    for address in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=30)


def test_each_start_has_keys_of_its_own() -> None:
    with running_sigstore() as first, running_sigstore() as second:
        one, other = first.trusted_root(), second.trusted_root()
    for name in ("tlogs", "ctlogs"):
        for mine, yours in zip(one[name], other[name], strict=True):
            assert mine["publicKey"]["rawBytes"] != yours["publicKey"]["rawBytes"]
    for name in ("certificateAuthorities", "timestampAuthorities"):
        assert one[name][0]["certChain"] != other[name][0]["certChain"]

"""Services that lie to a signer below the level of their protocol: where they send it, and how long they take."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import requests
from support.lying import Handler, drip, listening

from sealwright.sign.patience import Patience, open_session

ONCE = Patience(attempts=1, connect=20, read=20, pause=0.01, longest=0.1, most_bytes=100_000)
QUICK = ONCE._replace(connect=0.5, read=0.5)
Serve = Callable[[Handler], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda handler: stack.enter_context(listening(handler))


def post(url: str, patience: Patience = ONCE) -> requests.Response:
    return open_session(patience, {}).post(url, data="{}", headers={"Authorization": "Bearer secret"})


def lead_to(status: int, location: str) -> Handler:
    head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    return lambda connection: connection.sendall(head.encode())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_service_sends_a_signer_to_another(serve: Serve, status: int) -> None:
    reached: list[bool] = []
    other = serve(lambda connection: reached.append(True))
    with pytest.raises(requests.TooManyRedirects):
        post(serve(lead_to(status, other)))
    assert not reached


@pytest.mark.parametrize("location", ["http://x//{other}/stolen", "x:http://{other}/stolen", "//{other}/stolen"])
def test_an_entry_that_is_there_already_is_looked_for_at_the_same_service(serve: Serve, location: str) -> None:
    reached: list[bool] = []
    other = serve(lambda connection: reached.append(True)).split("/")[2]
    assert post(serve(lead_to(409, location.format(other=other)))).status_code == 409
    assert not reached


@pytest.mark.parametrize("location", ["http://[/x", "x:file:///etc/passwd", "\x7f", "%zz"])
def test_an_entry_that_is_nowhere(serve: Serve, location: str) -> None:
    assert post(serve(lead_to(409, location))).status_code == 409


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["body", "chunks", "headers", "promises"],
)
def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(serve: Serve, start: bytes, drop: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(requests.RequestException):
        post(serve(drip(start, drop)), QUICK)
    assert time.monotonic() - began < 30, "a minute's worth of drops"

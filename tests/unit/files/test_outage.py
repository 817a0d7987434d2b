"""Why there was no answer: what the libraries really throw becomes words, and never what a server has put into a text."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import urllib3
from support.lying import listening
from support.tls import breaking, make_authority
from support.web import serving

from sealwright.files.outage import outage

CANARY = "eyJ-canary"


def ask(url: str, timeout: float = 20, **options: object) -> str:
    with pytest.raises(requests.RequestException) as caught:
        requests.get(url, timeout=timeout, **options)  # type: ignore[arg-type]  # each test knows what it takes
    return outage(caught.value)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken, so that nobody else comes to listen there, and listened at by nobody."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


def drop(connection: socket.socket) -> None:
    connection.close()


def half(connection: socket.socket) -> None:
    connection.sendall(f"HTTP/1.1 200 {CANARY}\r\nContent-Length: 99\r\n\r\nhalf".encode())


def nonsense(connection: socket.socket) -> None:
    connection.sendall(f"{CANARY}\r\n\r\n".encode())


def silence(connection: socket.socket) -> None:
    connection.recv(1)


def around(connection: socket.socket) -> None:
    connection.sendall(
        f"HTTP/1.1 302 x\r\nLocation: /{CANARY}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()
    )


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (drop, "the connection broke off"),
        (half, "the connection broke off"),
        (nonsense, "the connection broke off"),
        (silence, "no answer in time"),
        (around, "it leads elsewhere, which is not followed"),
    ],
)
def test_servers_that_lie(handler: Callable[[socket.socket], None], words: str) -> None:
    with listening(handler) as url:
        said = ask(url, timeout=0.5 if handler is silence else 20)
    assert said == words
    assert CANARY not in said


def test_nobody_is_there(closed_port: int) -> None:
    assert ask(f"http://127.0.0.1:{closed_port}/") == "no connection could be made"
    assert ask("http://nobody.invalid/") == "the name of its host is not known"
    proxy = f"http://127.0.0.1:{closed_port}"
    assert ask("https://files.example/", proxies={"https": proxy}) == "the proxy does not answer"


def test_tls(tmp_path: Path) -> None:
    authority, other = make_authority(tmp_path / "authority"), make_authority(tmp_path / "other")
    with serving(tls=authority.context()) as web:
        assert ask(web.url, verify=str(other.certificate)) == "its certificate is not trusted (self-signed certificate)"
        with breaking(int(web.url.rpartition(":")[2]), 99) as (url, _):
            assert ask(url, verify=str(authority.certificate)).startswith("no TLS connection could be made (")
    with serving() as plain:
        assert "wrong version number" in ask(plain.url.replace("http:", "https:"))


def test_what_is_not_known_is_named_by_its_class() -> None:
    assert outage(urllib3.exceptions.LocationParseError(CANARY)) == "LocationParseError"
    assert outage(ValueError(CANARY)) == "ValueError"
    loop = requests.RequestException()
    loop.args = (loop,)
    assert outage(loop) == "RequestException"

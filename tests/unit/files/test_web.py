"""Downloads under attack: what is slow, broken, endless, packed, lying or leading astray ends in bounds, and nowhere else."""

import gzip
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.lying import drip, listening
from support.tls import breaking, make_authority
from support.web import Answer, WebServer, serving

from sealwright.errors import UndecidedError
from sealwright.files.web import Web
from sealwright.files.web_address import check_address, follow
from sealwright.files.web_answer import AbsentError, OversizeError, Patience, StatusError
from sealwright.files.web_route import WebSettings
from sealwright.store.places.credentials import OriginCredentials

QUICK = Patience(attempts=3, connect=20, stall=20, pause=0.01, longest=2, least=60, slowest=10**6, whole=120)
BODY = os.urandom(300_000)
TAG = {"ETag": '"one"'}


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving() as started:
        yield started


def client(
    patience: Patience = QUICK, credentials: OriginCredentials | None = None, certificates: Path | str = ""
) -> Web:
    return Web(WebSettings(certificates=str(certificates)), credentials or OriginCredentials(), patience)


def fetch(url: str, path: Path, most: int = 10**6, patience: Patience = QUICK) -> str:
    target = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with client(patience) as opened:
            found = opened.download(url, target, most)
    finally:
        os.close(target)
    content = path.read_bytes()
    assert (found.sha256, found.size) == (hashlib.sha256(content).hexdigest(), len(content))
    return found.sha256


def test_a_file_is_hashed_while_it_arrives(web: WebServer, tmp_path: Path) -> None:
    web["/file"] = BODY
    assert fetch(f"{web.url}/file", tmp_path / "file") == hashlib.sha256(BODY).hexdigest()
    assert web.requests[0].headers["accept-encoding"] == "identity"
    assert len(web.requests) == 1


def test_a_download_goes_on_where_it_broke_off(web: WebServer, tmp_path: Path) -> None:
    web["/file"] = [Answer(BODY, headers=TAG, sent=100_000, length=len(BODY)), Answer(BODY, headers=TAG)]
    assert fetch(f"{web.url}/file", tmp_path / "file") == hashlib.sha256(BODY).hexdigest()
    again = web.requests[1].headers
    assert (again["range"], again["if-range"]) == ("bytes=100000-", '"one"')


def test_a_file_that_changed_meanwhile_is_fetched_anew(web: WebServer, tmp_path: Path) -> None:
    other = os.urandom(len(BODY))
    web["/file"] = [
        Answer(BODY, headers=TAG, sent=100_000, length=len(BODY)),
        Answer(other, headers={"ETag": '"two"'}),
    ]
    assert fetch(f"{web.url}/file", tmp_path / "file") == hashlib.sha256(other).hexdigest()


def test_halves_that_do_not_fit_are_not_joined(web: WebServer, tmp_path: Path) -> None:
    lie = Answer(BODY[:1000], 206, {"Content-Range": f"bytes 5-1004/{len(BODY)}"})
    web["/file"] = [Answer(BODY, headers=TAG, sent=100_000, length=len(BODY)), lie, Answer(BODY)]
    assert fetch(f"{web.url}/file", tmp_path / "file") == hashlib.sha256(BODY).hexdigest()


def test_a_part_that_nobody_asked_for_is_no_file(web: WebServer, tmp_path: Path) -> None:
    web["/file"] = Answer(BODY[:1000], 206, {"Content-Range": f"bytes 0-999/{len(BODY)}"})
    with pytest.raises(UndecidedError, match="another part"):
        fetch(f"{web.url}/file", tmp_path / "file")


def test_a_passing_fault_is_borne(web: WebServer, tmp_path: Path) -> None:
    web["/file"] = [Answer(status=503), Answer(status=429, headers={"Retry-After": "0"}), Answer(BODY)]
    fetch(f"{web.url}/file", tmp_path / "file")
    assert len(web.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 500, 502, 503, 504, 429, 418, 204])
def test_a_refusal_is_undecided(web: WebServer, tmp_path: Path, status: int) -> None:
    web["/file"] = Answer(status=status)
    with pytest.raises(StatusError, match=str(status)):
        fetch(f"{web.url}/file", tmp_path / "file")
    assert len(web.requests) == (3 if status in (429, 500, 502, 503, 504) else 1)


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_told_apart(web: WebServer, tmp_path: Path, status: int) -> None:
    web["/file"] = Answer(status=status)
    with pytest.raises(AbsentError):
        fetch(f"{web.url}/file", tmp_path / "file")


def test_a_long_wait_is_not_waited_for(web: WebServer, tmp_path: Path) -> None:
    web["/file"] = Answer(status=429, headers={"Retry-After": "3600"})
    start = time.monotonic()
    with pytest.raises(StatusError) as caught:
        fetch(f"{web.url}/file", tmp_path / "file")
    assert "3600 seconds" in caught.value.hint
    assert time.monotonic() - start < 30


def test_what_is_truncated_for_good_is_undecided(web: WebServer, tmp_path: Path) -> None:
    web["/file"] = Answer(BODY, sent=1000, length=len(BODY))
    with pytest.raises(UndecidedError, match="broke off"):
        fetch(f"{web.url}/file", tmp_path / "file")


@pytest.mark.parametrize("said", [True, False], ids=["announced", "unannounced"])
def test_no_more_is_read_than_may_come(web: WebServer, tmp_path: Path, said: bool) -> None:
    chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    def endless(connection: object) -> None:
        connection.sendall(head)  # type: ignore[attr-defined]
        while True:
            connection.sendall(chunk)  # type: ignore[attr-defined]

    web["/file"] = BODY
    with listening(endless) as url, pytest.raises(OversizeError):
        fetch(f"{web.url}/file" if said else url, tmp_path / "file", most=200_000)
    assert (tmp_path / "file").stat().st_size <= 200_000


def test_a_bomb_is_not_unpacked(web: WebServer, tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    web["/file"] = Answer(bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(UndecidedError, match="encoding"):
        fetch(f"{web.url}/file", tmp_path / "file")


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: more\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"."),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n.\r\n"),
    ],
    ids=["status", "headers", "body", "chunks"],
)
def test_what_drips_is_given_up(tmp_path: Path, start: bytes, drop: bytes) -> None:
    patience = QUICK._replace(least=0.5, slowest=10**9, connect=0.3, stall=0.3, attempts=1)
    begin = time.monotonic()
    with listening(drip(start, drop)) as url, pytest.raises(UndecidedError):
        fetch(url, tmp_path / "file", patience=patience)
    assert time.monotonic() - begin < 30, "a minute's worth of drops"


def test_silence_is_given_up(web: WebServer, tmp_path: Path) -> None:
    web["/file"] = Answer(BODY, delay=30)
    with pytest.raises(UndecidedError):
        fetch(f"{web.url}/file", tmp_path / "file", patience=QUICK._replace(attempts=1, stall=0.3))


def test_an_interrupt_ends_every_transfer(web: WebServer, tmp_path: Path) -> None:
    web["/file"] = Answer(BODY, sent=1000, length=len(BODY), delay=0)
    web["/slow"] = Answer(BODY, delay=30)
    for path, body in (("/slow", b""), ("/paced", BODY)):
        if body:
            web[path] = Answer(body, pace=0.05)
        opened = client(Patience())
        threading.Timer(0.3, opened.stop).start()
        start = time.monotonic()
        with pytest.raises(UndecidedError), opened:
            opened.read(f"{web.url}{path}", 10**6)
        assert time.monotonic() - start < 15, "twenty seconds without a byte"


def leading(target: str) -> Answer:
    return Answer(status=302, headers={"Location": target})


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd", "http://192.0.2.1/", "ftp://127.0.0.1/", "http://169.254.169.254/latest/meta-data/", "",
        "https://user:secret@127.0.0.1/", "gopher://x", "//192.0.2.1/x", "http://127.0.0.1:99999/", "data:,x",
        "http://[::ffff:169.254.1.1]/", "http://0.0.0.0/",
    ],
)  # fmt: skip
def test_nobody_is_led_astray(web: WebServer, tmp_path: Path, target: str) -> None:
    web["/file"] = leading(target)
    with pytest.raises(UndecidedError, match="leads"):
        fetch(f"{web.url}/file", tmp_path / "file")


def test_a_redirection_is_followed_but_not_for_ever(web: WebServer, tmp_path: Path) -> None:
    web["/file"], web["/there"], web["/circle"] = leading("/there"), BODY, leading("/circle")
    fetch(f"{web.url}/file", tmp_path / "file")
    with pytest.raises(UndecidedError, match="on and on"):
        fetch(f"{web.url}/circle", tmp_path / "circle")
    assert len(web.asked("/circle")) == 6


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "file:///x", "https://", "https:///x", "https://a b/", "https://x\ny/", "http://localhost.evil.org/",
        "https://x:0/", "https://x:99999/", "http://127.0.0.1.evil.org/", "https://x\\y/", "https://ü.org/", "",
    ],
)  # fmt: skip
def test_only_https_and_this_machine_are_gone_to(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_address(url)


@pytest.mark.parametrize(
    ("base", "target"),
    [
        ("https://a.org/x", "http://127.0.0.1/"),
        ("https://a.org/x", "https://127.0.0.1/"),
        ("https://a.org/x", "https://localhost/"),
        ("https://a.org/x", "https://2130706433/"),
        ("https://a.org/x", "https://0x7f.1/"),
        ("https://a.org/x", "https://[::1]/"),
        ("https://a.org/x", "https://[::ffff:127.0.0.1]/"),
        ("https://a.org/x", "https://10.0.0.1/"),
        ("https://a.org/x", "https://169.254.169.254/"),
        ("https://10.0.0.1/x", "https://169.254.169.254/"),
        ("https://a.org/x", "http://b.org/"),
        ("https://a.org/x", "https://u:p@b.org/"),
    ],
)
def test_a_page_leads_to_nowhere_inside(base: str, target: str) -> None:
    with pytest.raises(ValueError, match=r"lead|holds|https"):
        follow(base, target)


def test_a_page_leads_to_other_hosts() -> None:
    assert follow("https://a.org/simple/x/", "../../files/y#sha256=00") == "https://a.org/files/y"
    assert follow("https://a.org/simple/x/", "//b.org/y") == "https://b.org/y"
    assert follow("http://127.0.0.1:1/", "https://b.org/y") == "https://b.org/y"


def test_credentials_go_to_their_origin_alone(web: WebServer) -> None:
    with serving() as other:
        said = OriginCredentials()
        base = said.add_address(web.url.replace("//", "//me:secret@") + "/simple", {})
        assert base == f"{web.url}/simple"
        web["/simple/x"], web["/away"] = b"page", leading(f"{other.url}/there")
        other["/there"] = b"file"
        with client(credentials=said) as opened:
            opened.read(f"{web.url}/simple/x", 100)
            opened.read(f"{web.url}/away", 100)
        assert web.requests[0].headers["authorization"].startswith("Basic ")
        assert "authorization" not in other.requests[0].headers


def test_a_connection_serves_again(tmp_path: Path) -> None:
    authority = make_authority(tmp_path / "authority")
    with serving(tls=authority.context()) as web, breaking(_port(web), 0) as (url, calls):
        web["/x"] = b"page"
        with client(certificates=authority.certificate) as opened:
            for _ in range(3):
                opened.read(f"{url}/x", 100)
        assert len(web.requests) == 3
    assert len(calls) == 1


def test_a_handshake_that_breaks_off_is_tried_again(tmp_path: Path) -> None:
    authority = make_authority(tmp_path / "authority")
    with serving(tls=authority.context()) as web:
        web["/x"] = b"page"
        with breaking(_port(web), 2) as (url, calls), client(certificates=authority.certificate) as opened:
            assert opened.read(f"{url}/x", 100).content == b"page"
        assert len(calls) == 3
        with (
            breaking(_port(web), 99) as (url, calls),
            client(certificates=authority.certificate) as opened,
            pytest.raises(UndecidedError, match="no TLS connection could be made"),
        ):
            opened.read(f"{url}/x", 100)
        assert len(calls) == 3


def test_a_certificate_that_is_not_trusted_is_named(tmp_path: Path) -> None:
    authority, other = make_authority(tmp_path / "authority"), make_authority(tmp_path / "other")
    with serving(tls=authority.context()) as web:
        refused = pytest.raises(UndecidedError, match=r"its certificate is not trusted \(self-signed certificate\)")
        with client(certificates=other.certificate) as opened, refused:
            opened.read(f"{web.url}/x", 100)
        assert not web.requests


def test_who_does_not_speak_tls_is_named(web: WebServer) -> None:
    with (
        client() as opened,
        pytest.raises(UndecidedError, match=r"no TLS connection could be made \(wrong version num"),
    ):
        opened.read(web.url.replace("http:", "https:") + "/x", 100)


def _port(web: WebServer) -> int:
    return int(web.url.rpartition(":")[2])

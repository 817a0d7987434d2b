"""A web server on loopback whose every answer a test writes, and misspells: status, headers, body, pace, breaks."""

import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.loopback import Quiet, running


@dataclass
class Answer:
    """One answer. `length` is what Content-Length says, `sent` how many bytes of the body really come."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    sent: int | None = None
    delay: float = 0.0
    pace: float = 0.0
    ranges: bool = True


Reply = Answer | Callable[["Request"], Answer]


@dataclass(frozen=True)
class Request:
    """What came: the path with its query, the headers by their names in lower case, and which one of that path it is."""

    path: str
    headers: dict[str, str]
    number: int


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client left."""


class WebServer:
    """The running server: `answers` by path, and the requests that came."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.url = f"http://{host}:{port}"
        self.answers: dict[str, Reply | list[Reply]] = {}
        self.requests: list[Request] = []
        self.latency = 0.0
        self.stopping = threading.Event()
        self.lock = threading.Lock()

    def __setitem__(self, path: str, answer: Reply | list[Reply] | bytes) -> None:
        """Give an answer to a path; of a list each once, and the last one from then on."""
        self.answers[path] = Answer(answer) if isinstance(answer, bytes) else answer

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]


class _Handler(Quiet, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    web: WebServer

    def do_GET(self) -> None:
        web = self.web
        with web.lock:
            number = len(web.asked(self.path)) + 1
            request = Request(self.path, {k.lower(): v for k, v in self.headers.items()}, number)
            web.requests.append(request)
            found = web.answers.get(self.path)
            if isinstance(found, list):
                found = found[min(number, len(found)) - 1]
        if web.latency:
            time.sleep(web.latency)
        answer = found(request) if callable(found) else found or Answer(b"nothing here", 404)
        self._send(answer, request)

    def _send(self, answer: Answer, request: Request) -> None:
        web, body, status, headers = self.web, answer.body, answer.status, dict(answer.headers)
        asked = request.headers.get("range", "")
        if asked and status == 200 and answer.ranges and request.headers.get("if-range") == headers.get("ETag"):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            status, body = 206, body[start:]
        web.stopping.wait(answer.delay)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if answer.length is None else answer.length))
        self.end_headers()
        body = body if answer.sent is None else body[: answer.sent]
        if answer.pace:
            for number in range(len(body)):
                self.wfile.write(body[number : number + 1])
                self.wfile.flush()
                if web.stopping.wait(answer.pace):
                    break
        else:
            self.wfile.write(body)
        self.wfile.flush()
        if answer.sent is not None or answer.length is not None:
            self.close_connection = True


@contextlib.contextmanager
def serving(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    """Run a server on `host`, which is one of loopback's; over TLS, if it is told how."""
    handler = type("Handler", (_Handler,), {})
    server = _Server((host, 0), handler)
    web = WebServer(server.server_address[1], host)
    if tls:
        web.url = web.url.replace("http:", "https:")
        # In the thread of each connection: one that never shakes hands must hold nobody up.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    handler.web = web  # type: ignore[attr-defined]
    with running(server):
        try:
            yield web
        finally:
            web.stopping.set()

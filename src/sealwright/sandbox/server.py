"""HTTP on loopback: bounded requests in, answers out, and the faults that concern HTTP itself.

Enters: routes. Leaves: a port of 127.0.0.1 that answers them until it is stopped. Never listens elsewhere, never
keeps more than 16 MiB of a request, and never shows a traceback: what cannot be understood is a 400.
"""

import contextlib
import functools
import gzip
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from sealwright.sandbox.faults import Answer, Break, Delay, Endpoint, Fault, Faults, Lie, Trickle

MAX_BODY_BYTES = 16 * 1024 * 1024
_MAX_DISCARDED_BYTES = 4 * MAX_BODY_BYTES
_IDLE_SECONDS = 60.0
_ENDLESS_BYTES = 1024**3
_BOMB_MEMBER_BYTES = 16 * 1024 * 1024
_CHUNK = b"  " * 32 * 1024
# https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
_GRPC_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 409: 6, 413: 8}


class Request(NamedTuple):
    """What a client asks; `matched` are the groups of the route's pattern, `lies` what the answer should be like."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # by their names in lower case
    body: bytes
    matched: tuple[str, ...]
    lies: frozenset[Lie]


class Response(NamedTuple):
    """What a client gets."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class RefusalError(Exception):
    """A request that is refused, with an HTTP status from 400 to 499."""

    def __init__(self, status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Take the status and one sentence for the client."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


class Route(NamedTuple):
    """Which requests go where: the pattern must match the whole path."""

    method: str
    pattern: str
    endpoint: Endpoint
    answer: Callable[[Request], Response]


def answer_json(content: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Build a JSON answer."""
    return Response(status, json.dumps(content).encode(), headers=headers)


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object. Raises RefusalError for anything else."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusalError(400, "the request is no JSON") from error
    if not isinstance(content, dict):
        raise RefusalError(400, "the request is no JSON object")
    return content


def _instead(fault: Answer) -> Response:
    later = () if fault.retry_after is None else (("Retry-After", str(fault.retry_after)),)
    return Response(fault.status, fault.body, fault.content_type, (*later, *fault.headers))


@functools.cache
def _bomb() -> bytes:
    """Many members, each of which is quick to make: gzip's own format allows to join them (RFC 1952, 2.2)."""
    return gzip.compress(b" " * _BOMB_MEMBER_BYTES, 9) * (_ENDLESS_BYTES // _BOMB_MEMBER_BYTES)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True  # an answer in two packets would wait for the client's acknowledgement
    wbufsize = -1
    server: "_Server"

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name of the base class
        """Say nothing."""

    def handle_expect_100(self) -> bool:
        """Tell the client to go on now, and not once the answer is written."""
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what http.server itself does not like, in JSON: it is the client's fault."""
        self.close_connection = True
        status = 405 if code == HTTPStatus.NOT_IMPLEMENTED else min(code, 499)
        self._send((), self._refuse(RefusalError(status, "the request is no HTTP that is spoken here")))

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the client left, or the sandbox ends
            faults, response = self._answer()
            self._send(faults, response)

    def _answer(self) -> tuple[tuple[Fault, ...], Response]:
        faults: tuple[Fault, ...] = ()
        try:
            body = self._read_body()
            url = urlsplit(self.path)
            route, matched = self._route(url.path)
            faults = self.server.faults.take(route.endpoint)
            for fault in faults:
                if isinstance(fault, Answer):
                    return faults, _instead(fault)
            lies = frozenset(fault for fault in faults if isinstance(fault, Lie))
            query = dict(parse_qsl(url.query))
            headers = {name.lower(): value for name, value in self.headers.items()}
            return faults, route.answer(Request(url.path, query, headers, body, matched, lies))
        except RefusalError as error:
            return faults, self._refuse(error)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001  what a parser makes of hostile input is the client's fault, not ours
            return faults, self._refuse(RefusalError(400, f"the request is malformed ({type(error).__name__})"))

    def _refuse(self, error: RefusalError) -> Response:
        code = _GRPC_CODES.get(error.status, 3) if self.server.grpc_codes else error.status
        return answer_json({"code": code, "message": error.message, "details": []}, error.status, error.headers)

    def _route(self, path: str) -> tuple[Route, tuple[str, ...]]:
        found = [
            (route, match) for route in self.server.routes if (match := re.fullmatch(route.pattern, path, re.ASCII))
        ]
        for route, match in found:
            if route.method == ("GET" if self.command == "HEAD" else self.command):
                return route, match.groups()
        raise RefusalError(405 if found else 404, "not allowed here" if found else "not found")

    def _read_body(self) -> bytes:
        """Read what the request says that it brings; where that is not clear, the connection cannot go on."""
        stated = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers or len(stated) > 1 or (self.command == "POST" and not stated):
            self.close_connection = True
            raise RefusalError(411, "the request must state its Content-Length, once")
        if not stated:
            return b""
        if not re.fullmatch(r"[0-9]{1,18}", stated[0], re.ASCII):
            self.close_connection = True
            raise RefusalError(400, "the request's Content-Length is no number")
        if int(stated[0]) > MAX_BODY_BYTES:
            self.close_connection = True
            self._discard(int(stated[0]))
            raise RefusalError(413, f"the request is larger than {MAX_BODY_BYTES:,} bytes")
        body = self.rfile.read(int(stated[0]))
        if len(body) < int(stated[0]):
            self.close_connection = True
            raise RefusalError(400, "the request is shorter than its Content-Length")
        return body

    def _discard(self, length: int) -> None:
        """Read past a body that is too large, if it is not by far: a client that still sends would miss the answer."""
        left = length if length <= _MAX_DISCARDED_BYTES else 0
        while left and (chunk := self.rfile.read(min(left, len(_CHUNK)))):
            left -= len(chunk)

    def _send(self, faults: tuple[Fault, ...], response: Response) -> None:
        broken: Break | None = None
        trickle: Trickle | None = None
        for fault in faults:
            if isinstance(fault, Delay):
                self.server.stopping.wait(fault.seconds)
            elif isinstance(fault, Break):
                broken = fault
            elif isinstance(fault, Trickle):
                trickle = fault
        if broken is not None:
            self.close_connection = True
        if broken is Break.DROPPED:
            return
        body = _bomb() if broken is Break.GZIP_BOMB else response.body
        self._send_headers(response, None if broken is Break.ENDLESS else len(body), bomb=broken is Break.GZIP_BOMB)
        if broken is Break.ENDLESS:
            self._send_without_end()
        elif self.command != "HEAD":
            self._send_body(body[: len(body) // 2] if broken is Break.TRUNCATED else body, trickle)
        self.wfile.flush()

    def _send_headers(self, response: Response, length: int | None, *, bomb: bool) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        for name, value in response.headers:
            if not bomb or name != "Content-Encoding":
                self.send_header(name, value)
        if bomb:
            self.send_header("Content-Encoding", "gzip")
        if self.close_connection:
            self.send_header("Connection", "close")
        if length is not None and response.status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send_body(self, body: bytes, trickle: Trickle | None) -> None:
        if trickle is None:
            self.wfile.write(body)
            return
        for start in range(0, len(body), trickle.size):
            if self.server.stopping.wait(trickle.seconds):
                return
            self.wfile.write(body[start : start + trickle.size])
            self.wfile.flush()

    def _send_without_end(self) -> None:
        sent = 0
        while sent < _ENDLESS_BYTES and not self.server.stopping.is_set():
            sent += self.wfile.write(_CHUNK)


class _Server(ThreadingHTTPServer):
    """Threads that all end when the server does: their connections are cut, and they are waited for."""

    request_queue_size = 128  # the default of 5 costs parallel clients a second
    daemon_threads = False
    allow_reuse_address = False

    def __init__(self, faults: Faults) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.routes: tuple[Route, ...] = ()
        self.grpc_codes = False
        self.faults = faults
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the client left in the middle."""

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class Service:
    """One port. It answers 404 until `serve` gives it routes, because those may need to know the port."""

    def __init__(self, server: _Server) -> None:
        """Take a server that listens."""
        self._server = server
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def serve(self, *routes: Route, grpc_codes: bool = False) -> None:
        """Answer these routes from now on; refusals carry HTTP's codes, or gRPC's as its JSON gateway does."""
        self._server.grpc_codes = grpc_codes
        self._server.routes = routes


@contextlib.contextmanager
def running_service(faults: Faults) -> Iterator[Service]:
    """Listen on a free port of 127.0.0.1 until the context ends. Raises OSError if there is none."""
    server = _Server(faults)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="sandbox")
    thread.start()
    try:
        yield Service(server)
    finally:
        server.stop()
        thread.join()

"""A server of one export of advisories on loopback: with an entity tag, or a date, and it breaks off where it is told to."""

import contextlib
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.loopback import Quiet, running


class ExportServer(ThreadingHTTPServer):
    """`content` is what it sends, `status` another answer than that, `asked` the headers of each request."""

    content = b""
    etag = '"one"'
    modified = ""
    status = 0
    broken_after: int | None = None
    drips = ""  # "head" or "body": a byte at a time, each in time, until the client has left

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/PyPI/all.zip"

    def unchanged(self, asked: dict[str, str]) -> bool:
        """Whether the client has it already; its tag goes before its date (RFC 9110, 13.2.2)."""
        if "If-None-Match" in asked:
            return asked["If-None-Match"] == self.etag
        return bool(self.modified) and asked.get("If-Modified-Since") == self.modified


class _Handler(Quiet, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ExportServer

    def do_GET(self) -> None:
        server, asked = self.server, dict(self.headers)
        server.asked.append(asked)
        if server.drips:
            self._drip(
                b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: 99999\r\n\r\n" if server.drips == "body" else b"X: ")
            )
            return
        content, status, start = server.content, 200, 0
        if server.status:
            status, content = server.status, b""
        elif server.unchanged(asked):
            status, content = 304, b""
        elif server.etag and asked.get("If-Range") == server.etag:
            status, start = 206, int(asked["Range"][6:-1])
            content = content[start:]
        self.send_response(status)
        for name, value in (("ETag", server.etag), ("Last-Modified", server.modified), ("Location", "/elsewhere")):
            if value:
                self.send_header(name, value)
        if status == 206:
            total = start + len(content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if status != 304:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: server.broken_after])
        self.close_connection = server.broken_after is not None

    def _drip(self, begin: bytes) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.write(begin)
            while True:
                self.wfile.write(b"x")
                time.sleep(0.1)


@contextlib.contextmanager
def running_export() -> Iterator[ExportServer]:
    server = ExportServer()
    with running(server):
        yield server

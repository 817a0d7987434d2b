"""A door on loopback through which pip-audit sees an OSV service: its answers whole, as they were checked.

Enters: answers. Leaves: the URL of a query on 127.0.0.1, for as long as the context lasts. Answers nothing it was not
given.
"""

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MAX_QUERY_BYTES = 64 * 1024
_Answers = Mapping[tuple[str, str], tuple[dict[str, Any], ...]]


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def __init__(self, answers: _Answers) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_POST(self) -> None:
        status, body = 400, b"{}"
        with contextlib.suppress(ValueError, LookupError, TypeError):
            length = int(self.headers["Content-Length"])
            if 0 <= length <= _MAX_QUERY_BYTES:
                query = json.loads(self.rfile.read(length))
                records = self.server.answers[query["package"]["name"], query["version"]]
                status, body = 200, json.dumps({"vulns": records} if records else {}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name of the base class
        """Say nothing."""


@contextlib.contextmanager
def running_relay(answers: _Answers) -> Iterator[str]:
    """Answer queries for these names and versions. Raises OSError if there is no port."""
    server = _Server(answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="relay", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

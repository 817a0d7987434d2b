"""An OSV service on loopback, which answers by the naive reading of support.advisories, and misbehaves where it is told to."""

import contextlib
import json
import threading
import time
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sealwright.collect.advisories.service_answer import PROBE
from support.advisories import affected, is_vulnerable, record
from support.loopback import Quiet, running

# What sealwright asks first: a service that does not know this is not believed.
PROBED = record("PYSEC-2014-8", affected(PROBE[0], events=[{"introduced": "0"}, {"fixed": "2.7.2"}]))
ENDLESS = 2 * 1024**3


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def __init__(self, records: Iterable[dict[str, Any]], delay: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.records: dict[str, list[dict[str, Any]]] = {}
        for document in records:
            for entry in document["affected"]:
                self.records.setdefault(entry["package"]["name"].lower(), []).append(document)
        self.delay = delay
        self.faults: dict[str, str] = {}
        self.answers: dict[tuple[str, str], bytes] = {}  # made once, so that a benchmark does not measure this
        self.queries: list[tuple[str, str]] = []
        self.stopping = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client left."""


class _Handler(Quiet, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, version = query["package"]["name"], query["version"]
        self.server.queries.append((name, version))
        if self.server.delay:
            time.sleep(self.server.delay)
        fault = self.server.faults.get(name) or self.server.faults.get("*", "")
        if not fault and (name, version) in self.server.answers:
            self._send(200, self.server.answers[name, version])
            return
        found = self.server.records.get(name, [])
        records = [each for each in found if any(is_vulnerable(version, entry) for entry in each["affected"])]
        if fault:
            self._misbehave(fault, records, query)
        else:
            self.server.answers[name, version] = json.dumps({"vulns": records} if records else {}).encode()
            self._send(200, self.server.answers[name, version])

    def _misbehave(self, fault: str, records: list[dict[str, Any]], query: dict[str, Any]) -> None:
        match fault:
            case "hang":
                self.server.stopping.wait(60)
                self.close_connection = True
            case "pages":
                rest = {"next_page_token": "second"} if "page_token" not in query else {}
                self._send(200, rest | {"vulns": records[1:] if rest else records[:1]})
            case "circle":
                self._send(200, {"next_page_token": "same", "vulns": []})
            case "schema":
                self._send(200, {"vulns": [each | {"schema_version": "2.0.0"} for each in records]})
            case "unaffected":
                self._send(200, {"vulns": [{k: v for k, v in each.items() if k != "affected"} for each in records]})
            case "redirect":
                self.send_response(302)
                self.send_header("Location", self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()
            case "truncated":
                self._head(200, 10_000)
                self.wfile.write(b'{"vulns": [')
                self.close_connection = True
            case "drip":  # each byte in time, the whole never
                self._head(200, 10_000)
                while not self.server.stopping.wait(0.2):
                    self.wfile.write(b" ")
            case "dripping head":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not self.server.stopping.wait(0.2):
                    self.wfile.write(b"x")
            case "endless":
                self._head(200, ENDLESS)
                sent = 0
                while sent < ENDLESS and not self.server.stopping.is_set():
                    sent += self.wfile.write(b" " * 65536)
            case _ if fault.isdecimal():
                self._send(int(fault), b"" if fault == "204" else {"code": 5, "message": "no"})
            case _:
                self._send(200, fault.removeprefix("body:").encode())

    def _head(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send(self, status: int, content: Any) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self._head(status, len(body))
        self.wfile.write(body)
        self.wfile.flush()


class OsvServer:
    """The running service: its `url` for queries, its faults by package ("*": all of them), what it was asked."""

    def __init__(self, server: _Server) -> None:
        self.url = f"http://127.0.0.1:{server.server_address[1]}/v1/query"
        self.faults = server.faults
        self.queries = server.queries


@contextlib.contextmanager
def running_osv(records: Iterable[dict[str, Any]], delay: float = 0.0) -> Iterator[OsvServer]:
    server = _Server([PROBED, *records], delay)
    with running(server):
        try:
            yield OsvServer(server)
        finally:
            server.stopping.set()

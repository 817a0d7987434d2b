"""A server of the standard library on loopback, in a thread of its own, that ends with the test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Quiet:
    """A handler that says nothing on stderr."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name of the base class
        """Say nothing."""


@contextmanager
def running(server: ThreadingHTTPServer | type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Run a server, or one with that handler, and yield `HOST:PORT`."""
    made = ThreadingHTTPServer(("127.0.0.1", 0), server) if isinstance(server, type) else server
    made.daemon_threads = True
    thread = threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"{made.server_address[0]!s}:{made.server_port}"
    finally:
        made.shutdown()
        made.server_close()
        thread.join()

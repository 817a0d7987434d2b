"""Services that lie below the level of their protocol: an HTTP server that sends whatever bytes it is told to."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Handler = Callable[[socket.socket], None]


@contextmanager
def listening(handler: Handler) -> Iterator[str]:
    """Answer each connection with `handler`, after its request has come."""

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                asked = b""
                while b"\r\n\r\n" not in asked:
                    asked += (more := connection.recv(65536))
                    if not more:
                        return  # the client has left
                handler(connection)
            except OSError:
                pass  # the client has left

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/entries"


def drip(start: bytes, drop: bytes) -> Handler:
    """Send `start`, and then `drop` ten times a second, for a minute."""

    def handler(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(600):
            connection.sendall(drop)
            time.sleep(0.1)

    return handler

"""TLS on loopback: an authority of the test's own, a proxy that relays what is connected through it, and a bad line."""

import contextlib
import ipaddress
import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support.loopback import Quiet, running

HOST = "files.example"  # a name that nothing resolves: only a proxy gets there


class Authority(NamedTuple):
    """A certificate that signs itself, for loopback, HOST, other hosts and clients alike; `both` holds its key, too."""

    certificate: Path
    both: Path

    def context(self, *, clients: bool = False) -> ssl.SSLContext:
        """Return what a server speaks TLS with; with `clients`, to those alone who have a certificate of this one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.both)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.certificate)
        return context


def make_authority(folder: Path, *hosts: str) -> Authority:
    folder.mkdir()
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, folder.name)])
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), *map(x509.DNSName, (HOST, *hosts))]
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(9))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    certificate = made.public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "certificate.pem").write_bytes(certificate)
    (folder / "both.pem").write_bytes(certificate + secret)
    return Authority(folder / "certificate.pem", folder / "both.pem")


class Relay(NamedTuple):
    """The proxy's address, and for each connection where it was to go and what was said to the proxy about who asks."""

    url: str
    asked: list[tuple[str, str]]


@contextlib.contextmanager
def relaying(to: int) -> Iterator[Relay]:
    """Run a proxy that takes every CONNECT to that port of this machine."""
    asked: list[tuple[str, str]] = []

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append((self.path, self.headers.get("Proxy-Authorization", "")))
            self.send_response(200)
            self.end_headers()
            _pass_on(self.connection, to)

    with running(Handler) as address:
        yield Relay(f"http://{address}", asked)


@contextlib.contextmanager
def breaking(to: int, times: int) -> Iterator[tuple[str, list[int]]]:
    """Run a line to that port of this machine that breaks off the first handshakes; yield its address, and its calls."""
    calls: list[int] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            calls.append(len(self.request.recv(65536, socket.MSG_PEEK)))
            if len(calls) > times:
                _pass_on(self.request, to)
            self.request.recv(65536)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}", calls
        server.shutdown()
        thread.join()


def _pass_on(connection: socket.socket, to: int) -> None:
    with socket.create_connection(("127.0.0.1", to)) as behind:
        ways = {connection: behind, behind: connection}
        while ready := select.select(list(ways), [], [], 20)[0]:
            for source in ready:
                if not (block := source.recv(65536)):
                    return
                ways[source].sendall(block)

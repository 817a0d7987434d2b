"""TLS on loopback: an authority of the test's own, and a proxy that relays what is connected through it."""

import contextlib
import ipaddress
import select
import socket
import ssl
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
            with socket.create_connection(("127.0.0.1", to)) as behind:
                ways = {self.connection: behind, behind: self.connection}
                while ready := select.select(list(ways), [], [], 20)[0]:
                    for source in ready:
                        if not (block := source.recv(65536)):
                            return
                        ways[source].sendall(block)

    with running(Handler) as address:
        yield Relay(f"http://{address}", asked)

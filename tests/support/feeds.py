"""PyPI's feed of vulnerabilities and Ecosyste.ms, on loopback behind a proxy and with TLS, as pip-audit asks them.

https://docs.pypi.org/api/json/#get-a-release, https://advisories.ecosyste.ms/docs
"""

import contextlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from sealwright.collect.advisories.service_answer import PROBE
from support.loopback import Quiet, running
from support.tls import make_authority, relaying

HOSTS = ("pypi.org", "advisories.ecosyste.ms")
ESMS_PATH = "/api/v1/advisories"
Known = dict[str, list[dict[str, Any]]]


class Feeds(NamedTuple):
    """What they answer: status, headers and body by path, else by what is `known`; and how a client gets there."""

    environment: dict[str, str]
    answers: dict[str, tuple[int, dict[str, str], bytes]]
    asked: list[str]

    def answer(self, name: str, version: str, body: bytes | str, status: int = 200, **headers: str) -> None:
        """Answer about a project, or about everything ("*"), in this way."""
        content = body.encode() if isinstance(body, str) else body
        for path in (f"/pypi/{name}/{version}/json", f"{ESMS_PATH}?{name}") if name != "*" else ("*",):
            self.answers[path] = (status, headers, content)


def pypi_says(name: str, version: str, *vulnerabilities: dict[str, Any]) -> dict[str, Any]:
    """Return what PyPI says of a release."""
    return {"info": {"name": name, "version": version}, "urls": [], "vulnerabilities": list(vulnerabilities)}


def vulnerability(number: str, *fixed: str, withdrawn: str | None = None) -> dict[str, Any]:
    """Return a vulnerability as PyPI lists it."""
    return {
        "id": number, "aliases": [], "details": "text", "summary": None, "fixed_in": list(fixed), "link": "",
        "source": "osv", "withdrawn": withdrawn,
    }  # fmt: skip


def advisory(number: str, name: str, span: str, fixed: str, withdrawn: str | None = None) -> dict[str, Any]:
    """Return an advisory as Ecosyste.ms lists it."""
    versions = [{"vulnerable_version_range": span, "first_patched_version": fixed}]
    packages = [{"ecosystem": "pypi", "package_name": name, "versions": versions}]
    texts = {"title": "title", "description": "text", "withdrawn_at": withdrawn, "published_at": "2020-01-01T00:00:00Z"}
    return {"identifiers": [number], "packages": packages} | texts


@contextlib.contextmanager
def running_feeds(folder: Path) -> Iterator[Feeds]:
    """Run both, which know that PROBE and `bad` 1.0 are vulnerable, and that nothing else is."""
    answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
    asked: list[str] = []
    of_pypi = {
        (PROBE[0], PROBE[1]): vulnerability("PYSEC-2014-8", "2.7.2"),
        ("bad", "1.0"): vulnerability("GHSA-1", "1.1"),
    }
    of_esms = {
        PROBE[0]: advisory("CVE-1", PROBE[0], "< 2.7.2", "2.7.2"),
        "bad": advisory("GHSA-1", "bad", "< 1.1", "1.1"),
    }

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            parts = urlsplit(self.path)
            if parts.path == ESMS_PATH:
                name = parse_qs(parts.query)["package_name"][0]
                key, said = f"{ESMS_PATH}?{name}", json.dumps([of_esms[name]] if name in of_esms else [])
            else:
                _, _, name, version, _ = parts.path.split("/")
                known = of_pypi.get((name, version))
                key, said = parts.path, json.dumps(pypi_says(name, version, *([known] if known else [])))
            status, headers, body = answers.get(key) or answers.get("*") or (200, {}, said.encode())
            self.send_response(status)
            for header, value in (
                {"Content-Type": "application/json", "Content-Length": str(len(body))} | headers
            ).items():
                self.send_header(header.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

    authority = make_authority(folder / "authority", *HOSTS)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = authority.context().wrap_socket(server.socket, server_side=True)
    with running(server), relaying(server.server_port) as relay:
        environment = {"HTTPS_PROXY": relay.url, "REQUESTS_CA_BUNDLE": str(authority.certificate)}
        yield Feeds(environment, answers, asked)

"""Small real packages: wheels with requirements, environments that nobody installed, and an index on loopback."""

import base64
import hashlib
import json
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
NESTED = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "version": 1,
    "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
}


def metadata(name: str, version: str = "1.0", *lines: str, requires: Iterable[str] = ()) -> str:
    """METADATA; `lines` are further fields, as they are written."""
    fields = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines]
    return "\n".join([*fields, *(f"Requires-Dist: {text}" for text in requires)]) + "\n\nThe description.\n"


def wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *lines: str,
    requires: Iterable[str] = (),
    more: Mapping[str, bytes] | None = None,
) -> Path:
    """A wheel that pip installs; `more` are further members, `{info}` in their names its .dist-info folder."""
    folder.mkdir(parents=True, exist_ok=True)
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    members = {
        f"{module}.py": b"",
        f"{info}/METADATA": metadata(name, version, *lines, requires=requires).encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    members |= {path.replace("{info}", info): content for path, content in (more or {}).items()}
    rows = [f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in members.items()]
    members[f"{info}/RECORD"] = ("".join(rows) + f"{info}/RECORD,,\n").encode()
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(zipfile.ZipInfo(member, _LONG_AGO), content)
    return path


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def install(
    environment: Path, name: str, version: str = "1.0", *lines: str, requires: Iterable[str] = (), **files: str
) -> Path:
    """Put a .dist-info into an environment, as an installer would; return it."""
    site = environment / "lib" / "python3.11" / "site-packages"
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(metadata(name, version, *lines, requires=requires))
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: py3-none-any\n")
    for file, content in files.items():
        (info / file.replace("__", ".")).write_text(content)
    return info


class LoopbackIndex(NamedTuple):
    """An index that answers as PEP 691 says; `pages` can be spoilt, `asked` is what was asked for."""

    url: str
    pages: dict[str, tuple[str, bytes]]
    asked: list[str]


@contextmanager
def loopback_index(*wheels: Path, sidecars: bool = True) -> Iterator[LoopbackIndex]:
    """Serve wheels, and beside each its metadata (PEP 658) if asked for."""
    pages: dict[str, tuple[str, bytes]] = {}
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            kind, content = pages.get(self.path, ("text/plain", b""))
            self.send_response(200 if self.path in pages else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        base = f"http://127.0.0.1:{server.server_port}"
        listings: dict[str, list[dict[str, Any]]] = {}
        for path in wheels:
            project = path.name.split("-")[0].replace("_", "-")
            pages[f"/files/{path.name}"] = ("application/zip", path.read_bytes())
            if sidecars and path.suffix == ".whl":
                with zipfile.ZipFile(path) as archive:
                    inside = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
                    pages[f"/files/{path.name}.metadata"] = ("text/plain", archive.read(inside))
            file = {"filename": path.name, "url": f"{base}/files/{path.name}", "hashes": {"sha256": sha256(path)}}
            listings.setdefault(project, []).append(file)
        for project, files in listings.items():
            page = {"meta": {"api-version": "1.1"}, "name": project, "files": files, "versions": []}
            pages[f"/simple/{project}/"] = ("application/vnd.pypi.simple.v1+json", json.dumps(page).encode())
        yield LoopbackIndex(f"{base}/simple/", pages, asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def edges(document: dict[str, Any]) -> set[tuple[str, str]]:
    """The graph of a CycloneDX document as pairs of names."""
    names = {c["bom-ref"]: c["name"] for c in document["components"]}
    names[document["metadata"]["component"]["bom-ref"]] = document["metadata"]["component"]["name"]
    return {(names[d["ref"]], names[to]) for d in document["dependencies"] for to in d.get("dependsOn", [])}

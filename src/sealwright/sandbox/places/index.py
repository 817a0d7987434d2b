"""A package index on loopback, which answers as PyPI does.

Enters: wheels and sdists, perhaps with attestations. Leaves: PEP 503 pages, PEP 691 JSON (with PEP 658/714 metadata,
PEP 592 yanks, PEP 700 sizes and versions, PEP 740 provenance, PEP 792 status), the files, and the Integrity API.
Everything is kept in memory. https://docs.pypi.org/api/
"""

import base64
import hmac
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from packaging.version import Version

from sealwright.files.distribution import MetadataError
from sealwright.files.sdist import read_sdist_metadata
from sealwright.files.wheel import read_wheel_metadata
from sealwright.model.artifact import ArtifactKind, ArtifactName, is_uploaded, parse_artifact_name
from sealwright.sandbox.faults import Endpoint
from sealwright.sandbox.places.index_pages import (
    JSON,
    Uploaded,
    normalize,
    render_html,
    render_json,
    render_projects_html,
    render_projects_json,
    requires_python,
)
from sealwright.sandbox.places.provenance import Publisher, build_provenance
from sealwright.sandbox.places.serving import Listed, choose_type, digest, serve_file, serve_page, spoil_listing
from sealwright.sandbox.server import Request, Response, Route, answer_json

_PAGES = ("text/html", "application/vnd.pypi.simple.v1+html", JSON)
_INTEGRITY = ("application/vnd.pypi.integrity.v1+json", "application/json")
_BRIEFLY = ("Cache-Control", "max-age=600, public")
_FOR_EVER = ("Cache-Control", "max-age=365000000, immutable, public")


class Index:
    """The index. Safe to publish to while it runs."""

    def __init__(self, url: str, files_url: str, now: Callable[[], datetime]) -> None:
        """Take its own address and that of the host of its files."""
        self.host = url
        self.url = f"{url}/simple/"
        self._files_url = files_url
        self._now = now
        self._lock = threading.Lock()
        self._files: dict[str, Uploaded] = {}
        self._status: dict[str, dict[str, str]] = {}
        self._serials: dict[str, int] = {}
        self._serial = 1000
        self._login: str | None = None

    def publish(
        self, *paths: Path, attestations: Path | None = None, publisher: Publisher | None = None, replace: bool = False
    ) -> tuple[str, ...]:
        """Take wheels and sdists, each with its attestation from the folder `attestations` if there is one.

        Returns the names of the files that were taken: what is neither is not, as by a real index. Raises ValueError
        for other bytes under a name that is taken, unless they are to `replace` those, which no real index would do.
        """
        taken = []
        for path in paths:
            if not is_uploaded(path.name):
                continue
            file = self._take(path)
            beside = attestations / f"{path.name}.publish.attestation" if attestations else None
            if beside and beside.exists() and publisher:
                file = file._replace(provenance=build_provenance((publisher, [beside.read_bytes()])))
            with self._lock:
                known = self._files.get(path.name)
                if known is not None and known.content != file.content and not replace:
                    raise ValueError(f"{path.name} is there already, with other bytes")
                self._put(file)
            taken.append(path.name)
        return tuple(taken)

    def publish_provenance(self, name: str, provenance: bytes | None) -> None:
        """Serve this, whatever it is, as the provenance of a file; None: none."""
        with self._lock:
            self._put(self._files[name]._replace(provenance=provenance))

    def yank(self, project: str, version: str, reason: str = "") -> None:
        """Yank a release, file by file, as PyPI does (PEP 592)."""
        self._yank(project, version, reason)

    def unyank(self, project: str, version: str) -> None:
        """Take a yank back."""
        self._yank(project, version, None)

    def _yank(self, project: str, version: str, reason: str | None) -> None:
        with self._lock:
            found = [file for file in self._files.values() if (file.project, file.version) == (project, version)]
            if not found:
                raise ValueError(f"there is no {project} {version}")
            for file in found:
                self._put(file._replace(yanked=reason))

    def remove(self, name: str) -> None:
        """Forget a file."""
        with self._lock:
            self._touch(self._files.pop(name).project)

    def mark(self, project: str, status: str, reason: str = "") -> None:
        """State that a project is active, archived, quarantined or deprecated (PEP 792)."""
        with self._lock:
            self._status[project] = {"status": status} | ({"reason": reason} if reason else {})
            self._touch(project)

    def require_login(self, name: str, password: str) -> None:
        """Answer from now on only who says these; the files are then on the host of the index itself."""
        self._login = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()

    def open_to_all(self) -> None:
        """Ask nobody for a login."""
        self._login = None

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._files.clear()
            self._status.clear()
            self._login = None

    def _take(self, path: Path) -> Uploaded:
        name = parse_artifact_name(path.name)
        metadata = _read_metadata(path, name)
        wheel = name.kind is ArtifactKind.WHEEL
        return Uploaded(
            path.name, name.project, str(name.version), path.read_bytes(), metadata if wheel else None,
            requires_python(metadata or b""), self._now(),
        )  # fmt: skip

    def _put(self, file: Uploaded) -> None:
        self._files[file.name] = file
        self._touch(file.project)

    def _touch(self, project: str) -> None:
        self._serial += 1
        self._serials[project] = self._serial

    def routes(self) -> tuple[Route, ...]:
        """The API; and the files, for those who had to say who they are."""
        return (
            Route("GET", "/simple/", Endpoint.INDEX_PROJECTS, self._guard(self._projects)),
            Route("GET", r"/simple/([\w.-]+)(/?)", Endpoint.INDEX_LISTING, self._guard(self._listing)),
            Route(
                "GET", "/integrity/([^/]+)/([^/]+)/([^/]+)/provenance", Endpoint.INDEX_PROVENANCE,
                self._guard(self._provenance),
            ),
            *self._file_routes(self._guard),
        )  # fmt: skip

    def file_routes(self) -> tuple[Route, ...]:
        """The files, on a host of their own."""
        return self._file_routes(lambda answer: answer)

    def _file_routes(
        self, guard: Callable[[Callable[[Request], Response]], Callable[[Request], Response]]
    ) -> tuple[Route, ...]:
        return (
            Route("GET", r"(/packages/.*)\.metadata", Endpoint.INDEX_METADATA, guard(self._metadata)),
            Route("GET", r"(/packages/.*)", Endpoint.INDEX_FILE, guard(self._file)),
        )

    def _guard(self, answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def guarded(request: Request) -> Response:
            said = request.headers.get("authorization", "")
            if self._login is not None and not hmac.compare_digest(said.encode(), self._login.encode()):
                asked = ("WWW-Authenticate", 'Basic realm="pypi"')
                return Response(401, b"401 Unauthorized\n", "text/plain", (asked,))
            return answer(request)

        return guarded

    def _projects(self, request: Request) -> Response:
        with self._lock:
            serials = {file.project: self._serials[file.project] for file in self._files.values()}
        kind = choose_type(request.headers.get("accept"), _PAGES) or _PAGES[0]
        body = render_projects_json(serials, self._serial) if kind == JSON else render_projects_html(serials)
        return self._answer(request, body, kind, self._serial)

    def _listing(self, request: Request) -> Response:
        asked, slash = request.matched
        project = normalize(asked)
        if asked != project or not slash:
            return Response(301, b"", "text/plain", (("Location", f"/simple/{project}/"),))
        with self._lock:
            files = [file for file in self._files.values() if file.project == project]
            status = self._status.get(project, {"status": "active"})
            serial = self._serials.get(project, 0)
        if not files and project not in self._status:
            return Response(404, b"404 Not Found\n", "text/plain")
        kind = choose_type(request.headers.get("accept"), _PAGES) or _PAGES[0]
        entries = self._entries(request, files)
        body = render_json(project, entries, status, serial) if kind == JSON else render_html(project, entries, status)
        return self._answer(request, body, kind, serial)

    def _entries(self, request: Request, files: list[Uploaded]) -> list[tuple[Listed, Uploaded, str | None]]:
        """Each file as it is listed, as it is, and the address of its provenance."""
        base = self._files_url if self._login is None else self.host
        by_name = {file.name: file for file in files}
        listed = [
            Listed(name, base + file.path, len(file.content), digest(file.content))
            for name, file in sorted(by_name.items(), key=lambda each: (Version(each[1].version), each[0]))
        ]
        found = []
        for each in spoil_listing(request, listed):
            file = by_name[each.name.removeprefix("../")]
            address = f"{self.host}/integrity/{file.project}/{file.version}/{file.name}/provenance"
            found.append((each, file, address if file.provenance is not None else None))
        return found

    def _answer(self, request: Request, body: str, kind: str, serial: int) -> Response:
        headers = (("Vary", "Accept"), _BRIEFLY, ("X-PyPI-Last-Serial", str(serial)))
        shown = f"{kind}; charset=UTF-8" if kind == _PAGES[0] else kind
        return serve_page(request, Response(200, body.encode(), shown, headers))

    def _provenance(self, request: Request) -> Response:
        project, version, name = request.matched
        kind = choose_type(request.headers.get("accept"), _INTEGRITY)
        if not kind:
            return _message(406, "Request not acceptable")
        with self._lock:
            file = self._files.get(name)
        if file is None or normalize(project) != file.project or version != file.version:
            return _message(404, "Not Found")
        if file.provenance is None:
            return _message(404, f"No provenance available for {name}")
        return serve_file(request, file.provenance, file.uploaded, kind, (("Vary", "Accept"), _BRIEFLY))

    def _metadata(self, request: Request) -> Response:
        file = self._find(request)
        if file is None or file.metadata is None:
            return Response(404, b"404 Not Found\n", "text/plain")
        return serve_file(request, file.metadata, file.uploaded, headers=(_FOR_EVER,))

    def _file(self, request: Request) -> Response:
        file = self._find(request)
        if file is None:
            return Response(404, b"404 Not Found\n", "text/plain")
        return serve_file(request, file.content, file.uploaded, headers=(_FOR_EVER,))

    def _find(self, request: Request) -> Uploaded | None:
        path = request.matched[0]
        with self._lock:
            file = self._files.get(path.rpartition("/")[2])
        return file if file is not None and file.path == path else None


def _read_metadata(path: Path, name: ArtifactName) -> bytes | None:
    """What a file says of itself; None if it does not, as no real index would take it."""
    try:
        if name.kind is ArtifactKind.WHEEL:
            return read_wheel_metadata(path, name)
        return read_sdist_metadata(path, name)
    except MetadataError:
        return None


def _message(status: int, text: str) -> Response:
    return answer_json({"message": text}, status)

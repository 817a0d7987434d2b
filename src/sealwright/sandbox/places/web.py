"""A plain web folder on loopback.

Enters: files under paths. Leaves: their bytes, and for a path that ends in a slash the list of what is in it, as web
servers make one. All in memory.
"""

import html
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, unquote

from sealwright.sandbox.faults import Endpoint
from sealwright.sandbox.places.serving import BINARY, serve_file
from sealwright.sandbox.server import Request, Response, Route

_TYPES = {".json": "application/json", ".html": "text/html", ".txt": "text/plain", ".toml": "text/plain"}


class WebFolder:
    """The folder. Safe to publish to while it is served."""

    def __init__(self, url: str, now: Callable[[], datetime]) -> None:
        """Take its address."""
        self.url = url
        self._now = now
        self._lock = threading.Lock()
        self._files: dict[str, tuple[bytes, datetime]] = {}

    def publish(self, folder: str, *paths: Path) -> str:
        """Put files, or all files of folders, under a path such as `project/1.2.3`. Returns its address."""
        under = folder.strip("/")
        for path in paths:
            for file in sorted(path.iterdir()) if path.is_dir() else (path,):
                self.put(f"{under}/{file.name}", file.read_bytes())
        return f"{self.url}/{quote(under)}/"

    def put(self, path: str, content: bytes) -> None:
        """Put one file there, in place of one that is."""
        with self._lock:
            self._files[path.strip("/")] = (content, self._now())

    def remove(self, path: str) -> None:
        """Take a file, or whatever is under a path, away."""
        gone = path.strip("/")
        with self._lock:
            self._files = {
                name: file for name, file in self._files.items() if name != gone and not name.startswith(f"{gone}/")
            }

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._files.clear()

    def routes(self) -> tuple[Route, ...]:
        """The one route."""
        return (Route("GET", "/(.*)", Endpoint.WEB_FILE, self._answer),)

    def _answer(self, request: Request) -> Response:
        path = unquote(request.matched[0])
        with self._lock:
            found = self._files.get(path)
            names = sorted({name[len(path) :].split("/")[0] for name in self._files if name.startswith(path)})
        if found is not None:
            return serve_file(request, found[0], found[1], _TYPES.get(Path(path).suffix, BINARY))
        if names and (not path or path.endswith("/")):
            links = "".join(f'<a href="{quote(name)}">{html.escape(name)}</a>\n' for name in names)
            return Response(200, f"<html><body><pre>\n{links}</pre></body></html>\n".encode(), "text/html")
        return Response(404, b"<html><body>404 Not Found</body></html>\n", "text/html")

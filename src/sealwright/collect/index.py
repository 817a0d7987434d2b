"""A package index, asked over HTTPS: which files there are of a project, and what their metadata says.

Enters: the address of an index that speaks the JSON simple API. Leaves: `IndexFile`s and bytes. Every answer is bounded
in size and time; a file counts only if its SHA-256 is the one that was asked for.
https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urljoin, urlsplit

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.strict_json import read_json

if TYPE_CHECKING:
    import requests

DEFAULT_INDEX = "https://pypi.org/simple/"
_ACCEPT = "application/vnd.pypi.simple.v1+json"
_PATIENCE = (10, 30)  # seconds to connect, and between two pieces of an answer
_WHOLE_SECONDS = 300
_MAX_LISTING_BYTES = 64 * 1024 * 1024
_MAX_LISTING_COMMAS = 2_000_000
_MAX_METADATA_BYTES = 4 * 1024 * 1024
_MAX_FILE_BYTES = 1024**3
_MAX_ALL_BYTES = 8 * 1024**3
_BLOCK = 256 * 1024
_HINT = "Try again, or add --offline: then licences, suppliers or hashes that only the index knows are left out."


class IndexFile(NamedTuple):
    """A file of the index: name, address, hex SHA-256 (empty if the index does not say)."""

    name: str
    url: str
    sha256: str


class Index:
    """One index, for one job. Safe to use from several threads."""

    def __init__(self, url: str = "") -> None:
        """Take the address of the simple API."""
        self._url = (url or DEFAULT_INDEX).rstrip("/") + "/"
        self._lock = threading.Lock()
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._left = _MAX_ALL_BYTES

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        for session in self._sessions:
            session.close()

    def list_files(self, project: str) -> tuple[IndexFile, ...]:
        """Return the files of a project (PEP 691); none if the index does not know it. Raises UndecidedError."""
        url = urljoin(self._url, f"{project}/")
        content = self._get(url, _MAX_LISTING_BYTES, accept=_ACCEPT)
        if content is None:
            return ()
        try:
            document = read_json(content, max_commas=_MAX_LISTING_COMMAS)
            listed = document["files"] if isinstance(document, dict) else None
            if not isinstance(listed, list):
                raise ValueError("it lists no files")  # noqa: TRY004  JSON is wrong, not an argument
        except (ValueError, KeyError) as error:
            raise UndecidedError(
                f"the index's answer about {project} cannot be read: {error}", "The index must speak PEP 691 (JSON)."
            ) from error
        return tuple(file for entry in listed if (file := _file(entry, url)))

    def read_metadata(self, url: str) -> bytes | None:
        """Return the metadata of the file at `url` (PEP 658), or None if the index has none of its own."""
        return self._get(f"{url.partition('#')[0]}.metadata", _MAX_METADATA_BYTES)

    def fetch(self, url: str, sha256: str, path: Path, most: int = _MAX_FILE_BYTES) -> None:
        """Write the file to `path` if it has exactly that digest. Raises UndecidedError, and OSError for `path`."""
        hasher = hashlib.sha256()
        with path.open("wb") as target:

            def keep(block: bytes) -> None:
                hasher.update(block)
                target.write(block)

            if not self._receive(url.partition("#")[0], most, "*/*", keep):
                raise UndecidedError(f"the index no longer has {_shown(url)}", _HINT)
        if hasher.hexdigest() != sha256:
            raise UndecidedError(f"{_shown(url)} is not the file that was meant: its SHA-256 is another", _HINT)

    def _get(self, url: str, most: int, accept: str = "*/*") -> bytes | None:
        content = bytearray()
        return bytes(content) if self._receive(url, most, accept, content.extend) else None

    def _receive(self, url: str, most: int, accept: str, keep: Callable[[bytes], None]) -> bool:
        """Give the answer to `keep`, block by block; False if there is nothing at that address."""
        import requests

        _check_address(url)
        end = time.monotonic() + _WHOLE_SECONDS
        size = 0
        try:
            with self._session().get(url, headers={"Accept": accept}, timeout=_PATIENCE, stream=True) as answer:
                _check_address(answer.url)  # a redirect must not leave HTTPS
                if answer.status_code in (404, 410):
                    return False
                answer.raise_for_status()
                for block in answer.iter_content(_BLOCK):
                    size += len(block)
                    if size > most or time.monotonic() > end:
                        raise UndecidedError(f"the index's answer at {_shown(url)} is too large or too slow", _HINT)
                    keep(block)
        except (requests.RequestException, ValueError) as error:
            status = getattr(getattr(error, "response", None), "status_code", "")
            why = f"status {status}" if status else type(error).__name__
            raise UndecidedError(f"the package index did not answer ({_shown(url)}: {why})", _HINT) from error
        with self._lock:
            self._left -= size
            if self._left < 0:
                raise UndecidedError("the package index sent too much", _HINT)
        return True

    def _session(self) -> "requests.Session":
        """A connection for each thread: requests promises no more than that."""
        import requests

        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.headers["User-Agent"] = "sealwright"
            session.max_redirects = 5
            with self._lock:
                self._sessions.append(session)
        return session


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")):
        raise UndecidedError(f"{_shown(url)} is no https:// address", "Name another index: --index-url URL")


def _shown(url: str) -> str:
    """An address for a message: without credentials and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"[:300]


def _file(entry: Any, base: str) -> IndexFile | None:
    if not isinstance(entry, dict):
        return None
    name, url, hashes = entry.get("filename"), entry.get("url"), entry.get("hashes")
    if not isinstance(name, str) or not isinstance(url, str) or len(name) > 255:
        return None
    digest = hashes.get("sha256") if isinstance(hashes, dict) else None
    try:
        return IndexFile(name, urljoin(base, url), digest if isinstance(digest, str) else "")
    except ValueError:
        return None


def check_index_url(url: str) -> None:
    """Refuse an address that is neither HTTPS nor on this machine. Raises UsageError."""
    try:
        _check_address(url)
    except (UndecidedError, ValueError) as error:
        raise UsageError("--index-url must begin with https://", f"Such as {DEFAULT_INDEX}") from error

"""A package index, asked over HTTPS: which files there are of a project, and what their metadata says.

Enters: the way to the network, the address of an index that speaks the JSON simple API. Leaves: `IndexFile`s and bytes.
Every answer is bounded; a file counts only if its SHA-256 is the one that was asked for.
https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.strict_json import read_json
from sealwright.files.web_address import check_address, follow, shown
from sealwright.files.web_answer import AbsentError, OversizeError, Page

if TYPE_CHECKING:
    from sealwright.files.web import Web

DEFAULT_INDEX = "https://pypi.org/simple/"
_ACCEPT = "application/vnd.pypi.simple.v1+json"
_MAX_LISTING_BYTES = 64 * 1024 * 1024
_MAX_LISTING_COMMAS = 2_000_000
_MAX_METADATA_BYTES = 4 * 1024 * 1024
_MAX_FILE_BYTES = 1024**3
_MAX_ALL_BYTES = 8 * 1024**3
_HINT = "Try again, or add --offline: then licences, suppliers or hashes that only the index knows are left out."


class IndexFile(NamedTuple):
    """A file of the index: name, address, hex SHA-256 (empty if the index does not say)."""

    name: str
    url: str
    sha256: str


class Index:
    """One index, for one job. Safe to use from several threads."""

    def __init__(self, web: "Web", url: str) -> None:
        """Take the address of the simple API, without credentials."""
        self._web = web
        self._url = url.rstrip("/") + "/"
        self._lock = threading.Lock()
        self._left = _MAX_ALL_BYTES

    def stop(self) -> None:
        """End what is under way, also in other threads."""
        self._web.stop()

    def list_files(self, project: str) -> tuple[IndexFile, ...]:
        """Return the files of a project (PEP 691); none if the index does not know it. Raises UndecidedError."""
        page = self._read(urljoin(self._url, f"{project}/"), _MAX_LISTING_BYTES, _ACCEPT)
        if page is None:
            return ()
        try:
            document = read_json(page.content, max_commas=_MAX_LISTING_COMMAS)
            listed = document["files"] if isinstance(document, dict) else None
            if not isinstance(listed, list):
                raise ValueError("it lists no files")  # noqa: TRY004  JSON is wrong, not an argument
        except (ValueError, KeyError) as error:
            raise UndecidedError(
                f"the index's answer about {project} cannot be read: {error}", "The index must speak PEP 691 (JSON)."
            ) from error
        return tuple(file for entry in listed if (file := _file(entry, page.url)))

    def read_metadata(self, url: str) -> bytes | None:
        """Return the metadata of the file at `url` (PEP 658), or None if the index has none of its own."""
        page = self._read(f"{url.partition('#')[0]}.metadata", _MAX_METADATA_BYTES)
        return None if page is None else page.content

    def fetch(self, url: str, sha256: str, path: Path, most: int = _MAX_FILE_BYTES) -> None:
        """Write the file to `path` if it has exactly that digest. Raises UndecidedError, and OSError for `path`."""
        url = url.partition("#")[0]
        with path.open("wb") as target, _said_of_index(url):
            try:
                found = self._web.download(url, target.fileno(), most)
            except AbsentError as error:
                raise UndecidedError(f"it no longer has {shown(url)}") from error
        self._count(found.size)
        if found.sha256 != sha256:
            raise UndecidedError(f"{shown(url)} is not the file that was meant: its SHA-256 is another", _HINT)

    def _read(self, url: str, most: int, accept: str = "*/*") -> Page | None:
        """Return what is at an address, None if there is nothing."""
        with _said_of_index(url):
            try:
                page = self._web.read(url, most, accept=accept)
            except AbsentError:
                return None
        self._count(len(page.content))
        return page

    def _count(self, size: int) -> None:
        with self._lock:
            self._left -= size
            if self._left < 0:
                raise UndecidedError("the package index sent too much", _HINT)


@contextlib.contextmanager
def _said_of_index(url: str) -> Iterator[None]:
    """Say of errors that it is the index that they come from, and what can be done without it."""
    try:
        yield
    except OversizeError as error:
        raise UndecidedError(f"the index's answer at {shown(url)} is {error}", _HINT) from error
    except UndecidedError as error:
        raise UndecidedError(f"the package index did not answer: {error.message}", _HINT) from error


def _file(entry: Any, base: str) -> IndexFile | None:
    if not isinstance(entry, dict):
        return None
    name, url, hashes = entry.get("filename"), entry.get("url"), entry.get("hashes")
    if not isinstance(name, str) or not isinstance(url, str) or len(name) > 255:
        return None
    digest = hashes.get("sha256") if isinstance(hashes, dict) else None
    try:
        return IndexFile(name, follow(base, url), digest if isinstance(digest, str) else "")
    except ValueError:
        return None


def check_index_url(url: str) -> None:
    """Refuse an address that is neither HTTPS nor on this machine. Raises UsageError."""
    try:
        check_address(url)
    except ValueError as error:
        raise UsageError(f"--index-url cannot be used: {error}", f"Such as {DEFAULT_INDEX}") from error

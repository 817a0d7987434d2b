"""Where trust comes from: one small interface, and the sources that lie in a folder or behind a URL.

Enters: what a person named. Leaves: the files of a trust folder, none of them believed. A source proves nothing: what
makes trust of it is a person who compares the fingerprint. (A TUF repository will be one more source, which proves
freshness, too.) No redirect is followed, and everything is bounded in number, size and time.
"""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlsplit

from sealwright.errors import PolicyError, UndecidedError, UsageError
from sealwright.files.digest import digest_bytes
from sealwright.files.outage import outage
from sealwright.files.reading import UnfitFileError, read_bounded, reason
from sealwright.files.threads import within
from sealwright.model.artifact import looks_released
from sealwright.store.trust_folder import MAX_TRUST_FILE_BYTES
from sealwright.store.trust_sums import MAX_FILES, MAX_SUMS_BYTES, SUMS, parse_sums

if TYPE_CHECKING:
    from requests import Session

MAX_TRUST_BYTES = 8 * 1024**2
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_WAIT = (10.0, 20.0)  # seconds to connect, and between two pieces of an answer
_CHUNK = 64 * 1024
_MAX_ENTRIES = 10_000
_HINT = "Name a folder that was downloaded, or try again."


class TrustSource(Protocol):
    """A place that offers a trust folder."""

    @property
    def name(self) -> str:
        """What to call it in a message, and in the pin."""

    def read(self) -> dict[str, bytes]:
        """Return its files by name, perhaps with a SHA256SUMS. Raises PolicyError, UsageError and UndecidedError."""


class FolderSource(NamedTuple):
    """A folder on this machine, which must not be a part of what it is to judge."""

    folder: Path
    name: str

    def read(self) -> dict[str, bytes]:
        """Return its files. Raises PolicyError for a link or anything else that is no plain file."""
        refuse_release(self.folder)
        return read_plain_folder(self.folder)


class WebSource(NamedTuple):
    """A folder of plain files behind an https URL, or a loopback one: SHA256SUMS first, then what it lists."""

    url: str
    seconds: float = 120.0

    @property
    def name(self) -> str:
        """The URL itself."""
        return self.url

    def read(self) -> dict[str, bytes]:
        """Return its files, each with the digest that SHA256SUMS states. Raises PolicyError and UndecidedError."""
        try:
            return within(self.seconds, self._read)
        except TimeoutError as error:
            raise UndecidedError(f"{self.url} did not answer within {self.seconds:g} seconds", _HINT) from error

    def _read(self) -> dict[str, bytes]:
        import requests

        until = time.monotonic() + self.seconds
        with requests.Session() as session:
            session.trust_env = self.url.startswith("https://")  # a proxy would answer in this machine's place
            listing = _get(session, self.url + SUMS, MAX_SUMS_BYTES, until)
            try:
                listed = parse_sums(listing)
            except ValueError as error:
                raise PolicyError(f"{self.url}{SUMS} is {error}", "`sealwright trust sums` writes it.") from error
            files, left = {SUMS: listing}, MAX_TRUST_BYTES
            for name, sha256 in listed.items():
                files[name] = _get(session, self.url + name, min(left, MAX_TRUST_FILE_BYTES), until)
                left -= len(files[name])
                if digest_bytes(files[name]) != sha256:
                    raise PolicyError(f"{self.url}{name} is not what {SUMS} lists", "Get it over another channel.")
            return files


def web_source(text: str) -> WebSource:
    """Return the source at a URL. Raises UsageError for one that is not https, or holds a secret."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{text[:200]!r} is no URL") from error
    if parts.username is not None or parts.password is not None:
        raise UsageError("the URL of a trust folder may hold no user and no password", "It is written into the pin.")
    if not host or parts.query or parts.fragment or not text.isprintable() or " " in text:
        raise UsageError(f"{text[:200]!r} is no URL of a folder", "For instance https://example.org/project/keys/")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise UsageError(f"{text[:200]!r} is not https", "Anybody on the way could change what http brings.")
    return WebSource(text.rstrip("/") + "/")


def _get(session: "Session", url: str, limit: int, until: float) -> bytes:
    """Fetch one file. A redirect could lead to another host, or to a file of this machine: none is followed."""
    from requests import RequestException

    headers = {"Accept-Encoding": "identity"}
    try:
        with session.get(url, headers=headers, stream=True, timeout=_WAIT, allow_redirects=False) as response:
            if response.is_redirect or 300 <= response.status_code < 400:
                raise UndecidedError(f"{url} sends elsewhere, which is not followed", "Name the place itself.")
            if response.status_code in (404, 410):
                raise UsageError(f"{url} is not there", "A trust folder on the web needs its SHA256SUMS.")
            if response.status_code != 200:
                raise UndecidedError(f"{url} answers with status {response.status_code}", _HINT)
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise UndecidedError(f"{url} answers in an encoding that was not asked for", _HINT)
            content = bytearray()
            for chunk in response.iter_content(_CHUNK):
                content += chunk
                if len(content) > limit:
                    raise UndecidedError(f"{url} is larger than {limit:,} bytes")
                if time.monotonic() > until:
                    raise UndecidedError(f"{url} does not end in time", _HINT)
            stated = response.headers.get("Content-Length", "")
            if stated.isdecimal() and int(stated) != len(content):
                raise UndecidedError(f"{url} broke off after {len(content):,} bytes", _HINT)
            return bytes(content)
    except (RequestException, OSError, ValueError) as error:
        raise UndecidedError(f"{url} cannot be fetched: {outage(error)}", _HINT) from error


def read_plain_folder(folder: Path) -> dict[str, bytes]:
    """Read every entry of a trust folder. Raises PolicyError for a link, or a folder, or too much of anything."""
    try:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{folder} is not a folder", "Name the folder that holds policy.toml and the keys.") from error
    except (OSError, ValueError) as error:
        raise UndecidedError(f"{folder} cannot be read: {reason(error)}") from error
    try:
        names = sorted(os.listdir(directory))
        if len(names) > MAX_FILES:
            raise PolicyError(f"{folder} holds more than {MAX_FILES:,} files, so it is no trust folder")
        files: dict[str, bytes] = {}
        left = MAX_TRUST_BYTES
        for name in names:
            files[name] = _read_entry(directory, folder, name, min(left, MAX_TRUST_FILE_BYTES))
            left -= len(files[name])
        return files
    finally:
        os.close(directory)


def _read_entry(directory: int, folder: Path, name: str, limit: int) -> bytes:
    try:
        return read_bounded(name, limit, folder=directory)
    except UnfitFileError as error:
        raise PolicyError(
            f"{folder / name} is {error}", "A trust folder holds plain files only: ask the project."
        ) from error
    except OSError as error:
        raise UndecidedError(f"{folder / name} cannot be read: {reason(error)}") from error


def refuse_release(folder: Path) -> None:
    """Refuse a folder that is, or lies in, a release or an unpacked sdist: what is verified cannot bring the judge.

    Raises UsageError, and UndecidedError if a folder above cannot be looked into.
    """
    try:
        place = folder.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise UndecidedError(f"{folder} cannot be resolved: {error}", "Name the folder itself.") from error
    for above in (place, *place.parents):
        if what := _is_release(above):
            raise UsageError(
                f"the trust folder {folder} is a part of {what}",
                "What is to be verified cannot say whom to trust: get the trust folder over another channel.",
            )


def _is_release(folder: Path) -> str:
    """Say what of a release a folder is; empty if nothing. A folder that cannot be listed is passed over."""
    try:
        with os.scandir(folder) as entries:
            names = {entry.name for _, entry in zip(range(_MAX_ENTRIES), entries, strict=False)}
    except OSError:
        return ""
    if SUMS in names and any(looks_released(name) for name in names):
        return f"the release in {folder}"
    if "PKG-INFO" in names and names & {"pyproject.toml", "setup.py"}:
        return f"the unpacked sdist in {folder}"
    return ""

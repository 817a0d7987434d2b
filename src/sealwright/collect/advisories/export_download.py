"""An export of advisories, fetched over HTTP: only if it has changed, and from where an earlier try broke off.

Enters: a URL, an HTTP session, what is known of the last one, a folder. Leaves: a whole file, or that nothing has
changed. No redirect is followed. What was fetched before is only continued if the server says that it is the same
file (RFC 9110, 13.1.5 and 14).
"""

import contextlib
import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sealwright.collect.advisories.export import MAX_EXPORT_BYTES
from sealwright.errors import UndecidedError
from sealwright.files.outage import outage
from sealwright.files.reading import read_bounded, reason
from sealwright.files.threads import within
from sealwright.files.writing import write_whole

if TYPE_CHECKING:
    from requests import Response, Session

_SECONDS, _HEAD_SECONDS, _STALL = 3600.0, 60.0, 30.0
_CHUNK = 64 * 1024
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)", re.ASCII)
_HINT = "The index that was there is untouched; the next try goes on from where this one broke off."


class Known(NamedTuple):
    """What the server said of a file: its entity tag and its date, as they stand; either may be empty."""

    etag: str = ""
    last_modified: str = ""


class Fetched(NamedTuple):
    """A whole file, and what the server said of it."""

    path: Path
    known: Known


@contextlib.contextmanager
def fetch_export(url: str, part: Path, session: "Session", known: Known) -> Iterator[Fetched | None]:
    """Fetch `url` into `part`, which is gone afterwards; None if the server says that it has not changed since `known`.

    Raises UndecidedError. A part that broke off stays, to be continued.
    """
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    try:
        part.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise UndecidedError(f"{part} cannot be written: {reason(error)}") from error
    try:
        _claim(lock, part)
        note = part.with_name(part.name + ".json")
        begun = _read_note(note, url)
        have = os.fstat(lock).st_size if begun.etag else 0
        try:
            headers = _ask(begun, have, known)
            with within(_HEAD_SECONDS, lambda: _open(session, url, headers)) as response:
                if response.status_code == 304:
                    part.unlink()
                    yield None
                    return
                said = _start(response, url, lock, have, note)
                _receive(response, url, lock)
        except (RequestException, HTTPError, OSError) as error:
            raise UndecidedError(f"{url} cannot be fetched: {outage(error)}", _HINT) from error
        try:
            yield Fetched(part, said)
        finally:  # also if it is of no use: it was whole, so there is nothing to continue
            part.unlink(missing_ok=True)
            note.unlink(missing_ok=True)
    finally:
        os.close(lock)


def _open(session: "Session", url: str, headers: dict[str, str]) -> "Response":
    return session.get(url, headers=headers, stream=True, timeout=_STALL, allow_redirects=False)


def _claim(lock: int, part: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise UndecidedError(f"{part} is being fetched by another process", "Wait for it.") from error


def _read_note(note: Path, url: str) -> Known:
    """What was said of the part that is there; only a strong entity tag says that two halves fit together."""
    try:
        document: Any = json.loads(read_bounded(note, 64 * 1024))
        etag, same = str(document["etag"]), document["url"] == url
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return Known()
    return Known(etag) if same and etag.startswith('"') else Known()


def _ask(begun: Known, have: int, known: Known) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}
    if have:
        return headers | {"Range": f"bytes={have}-", "If-Range": begun.etag}
    if known.etag:
        headers["If-None-Match"] = known.etag
    if known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    return headers


def _start(response: "Response", url: str, lock: int, have: int, note: Path) -> Known:
    """Decide where what follows belongs, and note what it is a part of."""
    said = Known(response.headers.get("ETag", "")[:500], response.headers.get("Last-Modified", "")[:100])
    found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status_code == 206 and found and int(found[1]) == have > 0:
        os.lseek(lock, have, os.SEEK_SET)
    elif response.status_code == 200:
        os.ftruncate(lock, 0)
        write_whole(note, json.dumps({"url": url, "etag": said.etag}).encode())
    else:
        if response.status_code in (206, 416):
            os.ftruncate(lock, 0)  # the halves do not fit: the next try begins anew
        raise UndecidedError(f"{url} answers with status {response.status_code}", _HINT)
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise UndecidedError(f"{url} answers in an encoding that was not asked for", _HINT)
    return said


def _receive(response: "Response", url: str, lock: int) -> None:
    end = time.monotonic() + _SECONDS
    size = os.lseek(lock, 0, os.SEEK_CUR)
    start = size
    while chunk := response.raw.read1(_CHUNK):  # what there is: a whole chunk can be long in coming, byte by byte
        size += len(chunk)
        if size > MAX_EXPORT_BYTES:
            os.ftruncate(lock, 0)
            raise UndecidedError(f"{url} is larger than {MAX_EXPORT_BYTES:,} bytes")
        if time.monotonic() > end:
            raise UndecidedError(f"{url} did not arrive within {_SECONDS:g} seconds", _HINT)
        os.write(lock, chunk)
    stated = response.headers.get("Content-Length", "")
    if stated.isdecimal() and int(stated) != size - start:
        raise UndecidedError(f"{url} broke off after {size:,} bytes", _HINT)

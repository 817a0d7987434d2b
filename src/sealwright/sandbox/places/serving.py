"""How the places of the sandbox answer: whole files and parts of them, under an ETag, in the format that is asked for.

Enters: bytes and a request. Leaves: responses, with the lies that were ordered. Knows no place's own format.
https://www.rfc-editor.org/rfc/rfc9110
"""

import gzip
import hashlib
import re
from datetime import datetime
from email.utils import format_datetime
from typing import NamedTuple

from sealwright.sandbox.faults import Lie
from sealwright.sandbox.server import Request, Response

BINARY = "application/octet-stream"
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)
_SMALL_BYTES = 1000


class Listed(NamedTuple):
    """A file as a listing names it: size in bytes, SHA-256 in hex."""

    name: str
    url: str
    size: int
    sha256: str


def digest(content: bytes) -> str:
    """Return the SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def etag_of(content: bytes) -> str:
    """Return a strong ETag."""
    return f'"{digest(content)[:32]}"'


def choose_type(accept: str | None, offers: tuple[str, ...]) -> str:
    """Return the offer that the client likes best, of equals the first; empty if it takes none. RFC 9110, 12.5.1."""
    if not accept:
        return offers[0]
    liked: dict[str, float] = {}
    for part in accept.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        try:
            liked[media.lower()] = float(weight)
        except ValueError:
            liked[media.lower()] = 0.0
    weights = [_weight(liked, offer) for offer in offers]
    return offers[weights.index(max(weights))] if max(weights) > 0 else ""


def _weight(liked: dict[str, float], offer: str) -> float:
    for media in (offer, offer.partition("/")[0] + "/*", "*/*"):
        if media in liked:
            return liked[media]
    return 0.0


def serve_page(request: Request, response: Response) -> Response:
    """Serve a listing: under its ETag, unchanged as 304, packed if the client can unpack it."""
    etag = etag_of(response.body + response.content_type.encode())
    kept = (*response.headers, ("ETag", etag))
    if etag in request.headers.get("if-none-match", ""):
        return Response(304, b"", response.content_type, kept)
    if "gzip" in request.headers.get("accept-encoding", "") and len(response.body) > _SMALL_BYTES:
        packed = gzip.compress(response.body, 6, mtime=0)
        return response._replace(body=packed, headers=(*kept, ("Content-Encoding", "gzip")))
    return response._replace(headers=kept)


def serve_file(
    request: Request,
    content: bytes,
    modified: datetime,
    content_type: str = BINARY,
    headers: tuple[tuple[str, str], ...] = (),
) -> Response:
    """Serve a file, or the one range of it that is asked for, with the lies that were ordered."""
    honest = content
    content = _spoil(request, content)
    etag = etag_of(honest if Lie.OTHER_BYTES in request.lies else content)
    kept = (*headers, ("ETag", etag), ("Accept-Ranges", "bytes"), ("Last-Modified", _http_date(modified)))
    if etag in request.headers.get("if-none-match", ""):
        return Response(304, b"", content_type, kept)
    asked = request.headers.get("range")
    unchanged = request.headers.get("if-range", etag) in (etag, _http_date(modified))
    if asked is None or not unchanged or Lie.NO_RANGES in request.lies:
        return Response(200, content, content_type, kept)
    return _serve_range(request, content, asked, Response(200, content, content_type, kept))


def _serve_range(request: Request, content: bytes, asked: str, whole: Response) -> Response:
    match = _RANGE.fullmatch(asked)
    if not match or not any(match.groups()):
        return whole  # RFC 9110, 14.2: what is no range that is known here is ignored
    first, last = match.groups()
    start = int(first) if first else max(0, len(content) - int(last))
    end = min(int(last) if first and last else len(content) - 1, len(content) - 1)
    if start > end:
        return Response(416, b"", whole.content_type, (*whole.headers, ("Content-Range", f"bytes */{len(content)}")))
    shift = 1 if Lie.OTHER_RANGE in request.lies else 0
    part = content[start + shift : end + 1] + b" " * shift
    return whole._replace(
        status=206, body=part, headers=(*whole.headers, ("Content-Range", f"bytes {start}-{end}/{len(content)}"))
    )


def _http_date(moment: datetime) -> str:
    return format_datetime(moment.replace(microsecond=0), usegmt=True)


def _spoil(request: Request, content: bytes) -> bytes:
    if {Lie.OTHER_BYTES, Lie.CHANGED} & request.lies and content:
        content = content[:-1] + bytes([content[-1] ^ 1])
    if Lie.SHORTER in request.lies:
        content = content[:-1]
    return content + b"\n" if Lie.LONGER in request.lies else content


def spoil_listing(request: Request, files: list[Listed]) -> list[Listed]:
    """Return the files as they are to be listed, with the lies that were ordered."""
    lies = request.lies
    if Lie.OTHER_HASH in lies:
        files = [each._replace(sha256=digest(each.sha256.encode())) for each in files]
    if Lie.OTHER_SIZE in lies:
        files = [each._replace(size=each.size - 1) for each in files]
    if Lie.PATH_NAMES in lies:
        files = [each._replace(name=f"../{each.name}") for each in files]
    if Lie.FILE_ADDRESSES in lies:
        files = [each._replace(url="file:///etc/hostname") for each in files]
    if Lie.TWICE in lies:
        files = [*files, *(each._replace(sha256=digest(each.sha256.encode())) for each in files)]
    return files

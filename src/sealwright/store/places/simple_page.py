"""A project's page in the simple API of a package index, as JSON or as HTML.

Enters: a `Page` that nobody trusts. Leaves: `Link`s, each with an address that may be gone to, or a PageError. Every
attribute is read as the specification says it, and one of the wrong type counts as none.
https://packaging.python.org/en/latest/specifications/simple-repository-api/ (PEP 503, 592, 629, 658, 691, 700, 714,
740)
"""

import posixpath
import re
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from sealwright.files.strict_json import read_json
from sealwright.files.web_address import follow
from sealwright.files.web_answer import Page

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
MAX_PAGE_BYTES = 64 * 1024**2
_MAX_COMMAS = 2_000_000
_MAX_FILES = 200_000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FRAGMENT = re.compile(r"(?:.*&)?sha256=([0-9a-f]{64})(?:&.*)?")
_JSON, _HTML = "application/vnd.pypi.simple.v1+json", ("application/vnd.pypi.simple.v1+html", "text/html")


class PageError(ValueError):
    """A page that is none of an index."""


class Link(NamedTuple):
    """A file that a page lists; `url` is empty if the address is one that nobody should go to, and `wrong` says why.

    `called` is what pip calls it, the last part of its address, if that is another name.
    """

    name: str
    url: str
    wrong: str = ""
    size: int | None = None
    sha256: str = ""
    yanked: str | None = None
    provenance: str = ""
    metadata_sha256: str = ""
    called: str = ""


def read_simple_page(page: Page) -> tuple[Link, ...]:
    """Read a project's page. Raises PageError."""
    kind = page.headers.get("content-type", "text/html").partition(";")[0].strip().lower()
    if kind == _JSON or kind == "application/json":
        return _read_json(page)
    if kind in _HTML:
        return read_html_page(page)
    raise PageError(f"it is {kind[:80] or 'of no type'}, not a page of the simple API")


def _read_json(page: Page) -> tuple[Link, ...]:
    """PEP 691, with size (PEP 700), core-metadata (PEP 714), yanked (PEP 592) and provenance (PEP 740)."""
    try:
        document = read_json(page.content, _MAX_COMMAS)
    except ValueError as error:
        raise PageError(f"it is no JSON that can be read ({error})") from error
    if not isinstance(document, dict) or not isinstance(document.get("files"), list):
        raise PageError("it lists no files")
    meta = document.get("meta")
    _refuse_version(meta.get("api-version") if isinstance(meta, dict) else None)
    return tuple(_from_json(entry, page.url) for entry in document["files"][:_MAX_FILES] if _is_file(entry))


def _refuse_version(version: Any) -> None:
    """PEP 629: another major version may mean anything; none at all is 1.0."""
    if isinstance(version, str) and version.partition(".")[0] != "1":
        raise PageError(f"it speaks version {version[:20]} of the API")


def _is_file(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("filename"), str) and isinstance(entry.get("url"), str)


def _from_json(entry: dict[str, Any], base: str) -> Link:
    hashes, size, yanked = entry.get("hashes"), entry.get("size"), entry.get("yanked", False)
    metadata = entry.get("core-metadata")
    if metadata is None:  # as pip falls back on the older name: PEP 714
        metadata = entry.get("dist-info-metadata")
    reason = yanked if isinstance(yanked, str) else ""
    return _link(
        entry["filename"],
        base,
        entry["url"],
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
        sha256=_digest(hashes),
        yanked=None if yanked is False or yanked is None else reason,
        provenance=entry.get("provenance"),
        metadata_sha256=_digest(metadata),
    )


def _digest(hashes: Any) -> str:
    found = hashes.get("sha256") if isinstance(hashes, dict) else None
    return found if isinstance(found, str) and _SHA256.fullmatch(found) else ""


def _link(name: str, base: str, url: str, *, provenance: Any, **others: Any) -> Link:
    try:
        address, wrong = follow(base, url), ""
    except ValueError as error:
        address, wrong = "", str(error)
    try:
        proof = follow(base, provenance) if isinstance(provenance, str) and provenance else ""
    except ValueError:
        proof = ""  # as though there were none: evidence that is not there proves nothing
    return Link(name, address, wrong, provenance=proof, called=_called(name, base, url), **others)


def _called(name: str, base: str, url: str) -> str:
    try:
        found = _last_part(urljoin(base, url))
    except ValueError:
        return ""
    return "" if found == name else found


def _last_part(url: str) -> str:
    return unquote(posixpath.basename(urlsplit(url).path.rstrip("/")))


def read_html_page(page: Page) -> tuple[Link, ...]:
    """Read the links of a page (PEP 503): a file is called by the last part of its address, whatever the text says."""
    try:
        text = page.content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PageError("it is no UTF-8") from error
    reader = _Anchors()
    try:
        reader.feed(text)
        reader.close()
    except (AssertionError, ValueError, RecursionError) as error:
        raise PageError("it is no HTML that can be read") from error
    _refuse_version(reader.version)
    return tuple(_from_html(found, reader.base or "", page.url) for found in reader.found)


def _from_html(given: dict[str, str], base: str, url: str) -> Link:
    href = given["href"]
    try:
        start = follow(url, base) if base else url
        name = _last_part(href)
        fragment = urlsplit(href).fragment
    except ValueError as error:
        return Link(href[:200], "", str(error))
    found = _FRAGMENT.fullmatch(fragment)
    stated = given.get("data-core-metadata", given.get("data-dist-info-metadata", ""))
    metadata = stated.removeprefix("sha256=")
    return _link(
        name,
        start,
        href,
        sha256=found[1] if found else "",
        yanked=given.get("data-yanked"),
        provenance=given.get("data-provenance"),
        metadata_sha256=metadata if _SHA256.fullmatch(metadata) else "",
    )


class _Anchors(HTMLParser):
    """The attributes of every anchor with an address, the base of them all, and the version of the API."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.base: str | None = None
        self.version: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, str] = {}
        for name, value in attrs:
            given.setdefault(name, value or "")  # of two attributes of one name, HTML knows the first
        if tag == "a" and "href" in given:
            if len(self.found) >= _MAX_FILES:
                raise ValueError("too many links")
            self.found.append(given)
        elif tag == "base" and self.base is None and "href" in given:
            self.base = given["href"]
        elif tag == "meta" and given.get("name") == "pypi:repository-version":
            self.version = given.get("content")

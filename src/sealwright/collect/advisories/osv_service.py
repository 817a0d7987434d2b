"""An OSV service: what it knows about one version, to its last page.

Enters: an HTTP session and a URL. Leaves: the records of an answer, or a ServiceError that says why there is no
answer. No redirect is followed; size, pages and time are bounded. An answer that is not one is never read as "nothing
known". https://google.github.io/osv.dev/post-v1-query/
"""

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from sealwright.files.strict_json import read_json
from sealwright.model.osv_record import Advisory, AdvisoryError, parse_advisory

if TYPE_CHECKING:
    from requests import Response, Session

OSV_URL = "https://api.osv.dev/v1/query"
# Known to be vulnerable since 2014. A service that does not say so says nothing about anything.
PROBE = ("jinja2", "2.4.1")
_MAX_BODY_BYTES = 64 * 1024**2
_MAX_COMMAS = 5_000_000
_MAX_PAGES = 100
_CHUNK = 64 * 1024


class ServiceError(Exception):
    """No answer, and why."""


class Answer(NamedTuple):
    """What a service says about one version: records as they came and as they were read, and those that cannot be."""

    records: tuple[dict[str, Any], ...]
    advisories: tuple[Advisory, ...]
    problems: tuple[str, ...]


class OsvService:
    """One service; `seconds` is the most that one answer may take, with all its pages."""

    def __init__(self, session: "Session", url: str, seconds: float = 60.0) -> None:
        """Take an HTTP session and the URL of the query."""
        self._session = session
        self.url = url
        self._seconds = seconds

    def ask(self, name: str, version: str) -> Answer:
        """Ask about one version of one project. Raises ServiceError."""
        end = time.monotonic() + self._seconds
        query: dict[str, Any] = {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
        records: list[dict[str, Any]] = []
        tokens: set[str] = set()
        for _ in range(_MAX_PAGES):
            page = self._post(query, end)
            records += _records(page)
            token = page.get("next_page_token")
            if token is None or token == "":
                return _read(records)
            if not isinstance(token, str) or token in tokens:
                raise ServiceError("its pages lead in a circle")
            tokens.add(token)
            query["page_token"] = token
        raise ServiceError(f"its answer has more than {_MAX_PAGES} pages")

    def _post(self, query: dict[str, Any], end: float) -> dict[str, Any]:
        from requests import RequestException

        left = end - time.monotonic()
        if left <= 0:
            raise ServiceError(f"no whole answer within {self._seconds:g} seconds")
        try:
            with self._session.post(
                self.url, json=query, timeout=min(left, 15.0), stream=True, allow_redirects=False
            ) as response:
                body = self._read_body(response, end)
        except (RequestException, OSError) as error:
            raise ServiceError(f"no answer ({type(error).__name__})") from error
        try:
            page = read_json(body, _MAX_COMMAS)
        except ValueError as error:
            raise ServiceError("its answer is not JSON") from error
        if not isinstance(page, dict) or not set(page) <= {"vulns", "next_page_token"}:
            raise ServiceError("its answer is no answer of OSV")
        return page

    def _read_body(self, response: "Response", end: float) -> bytes:
        if response.status_code != 200:
            raise ServiceError(f"it answers with status {response.status_code}")
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > _MAX_BODY_BYTES:
                raise ServiceError(f"its answer is larger than {_MAX_BODY_BYTES:,} bytes")
            if time.monotonic() > end:
                raise ServiceError(f"no whole answer within {self._seconds:g} seconds")
        return bytes(body)


def _records(page: dict[str, Any]) -> list[dict[str, Any]]:
    records = page.get("vulns", [])
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise ServiceError("its answer is no answer of OSV")
    return records


def _read(records: list[dict[str, Any]]) -> Answer:
    """Read the records; those that pip-audit would pass over become problems."""
    readable: list[dict[str, Any]] = []
    advisories: list[Advisory] = []
    problems: list[str] = []
    for document in records:
        try:
            advisory = parse_advisory(document)
        except AdvisoryError as error:
            problems.append(f"{error.id or 'a record'}, which the service names, cannot be read: {error}")
            continue
        if not advisory.withdrawn:
            readable.append(document)
            advisories.append(advisory)
    return Answer(tuple(readable), tuple(advisories), tuple(problems))

"""An OSV service: what it knows about one version, to its last page.

Enters: a service and a URL. Leaves: the records of an answer, or a ServiceError that says why there is no answer; its
pages are bounded. An answer that is not one is never read as "nothing known". https://google.github.io/osv.dev/post-v1-query/
"""

import time
from typing import Any, NamedTuple

from sealwright.collect.advisories.service_answer import Service, ServiceError
from sealwright.model.osv_record import Advisory, AdvisoryError, parse_advisory

OSV_URL = "https://api.osv.dev/v1/query"
_MAX_PAGES = 100


class Answer(NamedTuple):
    """What a service says about one version: records as they came and as they were read, and those that cannot be."""

    records: tuple[dict[str, Any], ...]
    advisories: tuple[Advisory, ...]
    problems: tuple[str, ...]


class OsvService:
    """One service; one answer may take as long as it says, with all its pages."""

    def __init__(self, service: Service, url: str, now: str) -> None:
        """Take how to ask, the URL of the query, and the time (RFC 3339 in UTC), by which something is withdrawn."""
        self._service = service
        self.url = url
        self._now = now

    def ask(self, name: str, version: str) -> Answer:
        """Ask about one version of one project. Raises ServiceError."""
        end = time.monotonic() + self._service.seconds
        query: dict[str, Any] = {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
        records: list[dict[str, Any]] = []
        tokens: set[str] = set()
        for _ in range(_MAX_PAGES):
            page = self._post(query, end)
            records += _records(page)
            token = page.get("next_page_token")
            if token is None or token == "":
                return _read(records, self._now)
            if not isinstance(token, str) or token in tokens:
                raise ServiceError("its pages lead in a circle")
            tokens.add(token)
            query["page_token"] = token
        raise ServiceError(f"its answer has more than {_MAX_PAGES} pages")

    def _post(self, query: dict[str, Any], end: float) -> dict[str, Any]:
        page = self._service.post(self.url, query, end - time.monotonic()).document
        if not isinstance(page, dict) or not set(page) <= {"vulns", "next_page_token"}:
            raise ServiceError("its answer is no answer of OSV")
        return page


def _records(page: dict[str, Any]) -> list[dict[str, Any]]:
    records = page.get("vulns", [])
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise ServiceError("its answer is no answer of OSV")
    return records


def _read(records: list[dict[str, Any]], now: str) -> Answer:
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
        if not advisory.is_withdrawn(now):
            readable.append(document)
            advisories.append(advisory)
    return Answer(tuple(readable), tuple(advisories), tuple(problems))

"""One answer of a service in JSON, with bounds, or why there is none.

Enters: an HTTP session, an address. Leaves: what the answer says, and its headers. No redirect is followed; size and
time are bounded, however slowly the answer comes.
"""

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from sealwright.files.outage import outage
from sealwright.files.strict_json import read_json
from sealwright.files.threads import within

if TYPE_CHECKING:
    from requests import Response, Session

PROBE = ("jinja2", "2.4.1")
"""Known to be vulnerable since 2014. A service that does not say so says nothing about anything."""

_MAX_BODY_BYTES = 64 * 1024**2
_MAX_COMMAS = 5_000_000
_CHUNK = 64 * 1024
_STALL = 15.0  # seconds without a byte


class ServiceError(Exception):
    """No answer, and why."""


class Said(NamedTuple):
    """What an answer says, as JSON, and its headers."""

    document: Any
    headers: Mapping[str, str]


class Service:
    """A session with one service; `seconds` is the most that one answer may take."""

    def __init__(self, session: "Session", seconds: float = 60.0) -> None:
        """Take an HTTP session."""
        self._session = session
        self._stopped = threading.Event()
        self.seconds = seconds

    def stop(self) -> None:
        """Give up all that is under way, and wait for nothing any more."""
        self._stopped.set()

    def get(self, url: str) -> Said:
        """Ask for what is at an address. Raises ServiceError."""
        return self._ask(
            lambda: self._session.get(url, timeout=_STALL, stream=True, allow_redirects=False), self.seconds
        )

    def post(self, url: str, query: Mapping[str, Any], seconds: float) -> Said:
        """Ask a question, to be answered within so many seconds. Raises ServiceError."""
        return self._ask(
            lambda: self._session.post(url, json=query, timeout=_STALL, stream=True, allow_redirects=False), seconds
        )

    def _ask(self, send: "Callable[[], Response]", seconds: float) -> Said:
        from requests import RequestException

        def receive() -> tuple[bytes, Mapping[str, str]]:
            with send() as response:
                return _read_body(response), response.headers

        try:
            if seconds <= 0:
                raise TimeoutError
            body, headers = within(seconds, receive, self._stopped)
        except TimeoutError as error:
            raise ServiceError(f"no whole answer within {self.seconds:g} seconds") from error
        except (RequestException, OSError, ValueError) as error:
            raise ServiceError(f"no answer ({outage(error)})") from error
        try:
            return Said(read_json(body, _MAX_COMMAS), headers)
        except ValueError as error:
            raise ServiceError("its answer is not JSON") from error


def _read_body(response: "Response") -> bytes:
    if response.status_code != 200:
        raise ServiceError(f"it answers with status {response.status_code}")
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise ServiceError(f"its answer is larger than {_MAX_BODY_BYTES:,} bytes")
    return bytes(body)

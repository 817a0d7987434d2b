"""HTTP with bounds, for services that may be slow, down, or lying: how long to wait, how often, how much to read.

Enters: requests of sigstore-python's clients, which know no timeout. Leaves: whole answers, or the last error. Judges
no answer. Nothing secret is logged: a token is only ever in the header of the request that needs it.
"""

import io
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from sealwright.files.threads import within

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

# Answers that may be another one a moment later (RFC 9110, 15; RFC 6585, 4 for 429).
_PASSING = (408, 429, 500, 502, 503, 504)
_CONFLICT = 409
_CHUNK = 64 * 1024


class Patience(NamedTuple):
    """How much to bear: times in seconds, sizes in bytes.

    A whole answer has `connect` and `read` together. `pause` is doubled after each attempt, unless the service says
    how long to wait (Retry-After), which is heeded up to `longest`. Rekor v2 answers only when an entry is in the log,
    which takes some seconds.
    """

    attempts: int = 4
    connect: float = 10
    read: float = 60
    pause: float = 1
    longest: float = 60
    most_bytes: int = 4 * 1024 * 1024


PATIENCE = Patience()


def open_session(patience: Patience, headers: dict[str, str]) -> "Session":
    """Return a session that keeps `patience` with every request, sends `headers`, and heeds the user's proxies.

    It follows no redirection: what a signer sends is for the service that was named.
    """
    import requests
    from requests.adapters import HTTPAdapter

    class Bounded(HTTPAdapter):
        def send(self, request: "PreparedRequest", *args: Any, **kwargs: Any) -> "Response":
            return _send(request, patience, lambda given: super(Bounded, self).send(given, *args, **kwargs), kwargs)

    session = requests.Session()
    session.headers.update(headers)
    session.max_redirects = 0
    session.auth = _as_given
    for scheme in ("https://", "http://"):
        session.mount(scheme, Bounded())
    return session


def _as_given(request: "PreparedRequest") -> "PreparedRequest":
    """Leave the headers as they are: without this, a password for that host in a .netrc takes the place of ours."""
    return request


def _send(request: "PreparedRequest", patience: Patience, once: Any, options: dict[str, Any]) -> "Response":
    """Send a request until it has a whole answer that is no passing fault; return that answer, or the last fault."""
    from requests import RequestException

    options["timeout"], options["stream"] = (patience.connect, patience.read), True
    pause = patience.pause
    for attempt in range(1, patience.attempts + 1):
        last = attempt == patience.attempts
        try:
            response = _ask(request, patience, once)
        except RequestException:
            if last:
                raise
            wait = pause
        else:
            if response.status_code == _CONFLICT and (there := _instead(request, response)):
                return _ask(there, patience, once)  # an entry that an earlier attempt has made
            if response.status_code not in _PASSING or last:
                return response
            wait = _asked_to_wait(response, pause)
            if wait > patience.longest:
                return response
        time.sleep(min(wait, patience.longest))
        pause *= 2
    raise AssertionError("the last attempt returns or raises")


def _ask(request: "PreparedRequest", patience: Patience, once: Any) -> "Response":
    """Send a request once, and have the whole answer, its headers too, within the time for one answer."""
    import requests

    try:
        return within(patience.connect + patience.read, lambda: _read(once(request), patience))
    except TimeoutError as error:
        raise requests.Timeout("the answer is too slow, or does not end") from error


def _instead(request: "PreparedRequest", response: "Response") -> "PreparedRequest | None":
    """The request for what is already at the path of a Location, always of the same service; None without a path."""
    from urllib.parse import urlsplit

    import requests

    try:
        path = urlsplit(response.headers.get("Location", "")).path
    except ValueError:
        return None
    if not path.startswith("/"):
        return None
    # Not urljoin: a path may begin with //, or look like a URL itself, and would lead to another host.
    url = urlsplit(str(request.url))._replace(path=path, query="", fragment="").geturl()
    headers = {name: value for name, value in request.headers.items() if not name.lower().startswith("content-")}
    return requests.Request("GET", url, headers).prepare()


def _read(response: "Response", patience: Patience) -> "Response":
    """Return the answer with its whole body, read within bounds. Raises requests' exceptions."""
    import requests

    end = time.monotonic() + patience.read
    content = io.BytesIO()
    try:
        for chunk in response.iter_content(_CHUNK):
            content.write(chunk)
            if content.tell() > patience.most_bytes or time.monotonic() > end:
                raise requests.exceptions.ContentDecodingError("the answer is too large, or does not end")
    finally:
        response.close()
    whole = requests.Response()
    whole.status_code, whole.headers, whole.url = response.status_code, response.headers, response.url
    whole.reason, whole.request, whole.encoding = response.reason, response.request, response.encoding
    content.seek(0)
    whole.raw = content
    return whole


def _asked_to_wait(response: "Response", otherwise: float) -> float:
    """The seconds of a Retry-After header (RFC 9110, 10.2.3); a date or nonsense counts as none."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else otherwise

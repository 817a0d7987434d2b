"""What the services of the sandbox are told to do wrong, and when.

Enters: faults for endpoints. Leaves: for each request, those that apply to it; and how many requests there were. Safe
to use from several threads while the services run. Makes nothing go wrong itself: `server.py` and the services do.
"""

import threading
from collections import Counter
from enum import StrEnum
from typing import NamedTuple


class Endpoint(StrEnum):
    """What can be asked of the sandbox. Requests are counted by these names."""

    DISCOVERY = "oidc.discovery"
    KEYS = "oidc.keys"
    AMBIENT = "oidc.ambient"
    AUTHORIZE = "oidc.authorize"
    TOKEN = "oidc.token"  # noqa: S105  a name, no secret
    CERTIFICATE = "fulcio.certificate"
    TRUST_BUNDLE = "fulcio.trust-bundle"
    CT_LOG = "ct.log"
    ENTRY_V1 = "rekor1.entry"
    LOOKUP_V1 = "rekor1.look-up"
    LOG_V1 = "rekor1.log"
    ENTRY_V2 = "rekor2.entry"
    LOG_V2 = "rekor2.log"
    TIMESTAMP = "tsa.timestamp"
    TIMESTAMP_CHAIN = "tsa.chain"
    TUF = "tuf.file"
    INDEX_PROJECTS = "index.projects"
    INDEX_LISTING = "index.listing"
    INDEX_FILE = "index.file"
    INDEX_METADATA = "index.metadata"
    INDEX_PROVENANCE = "index.provenance"
    GITHUB_RELEASES = "github.releases"
    GITHUB_RELEASE = "github.release"
    GITHUB_ASSETS = "github.assets"
    GITHUB_ASSET = "github.asset"
    GITHUB_DOWNLOAD = "github.download"
    GITHUB_FILE = "github.file"
    WEB_FILE = "web.file"


class Delay(NamedTuple):
    """The request is served, and the answer comes later, by so many seconds."""

    seconds: float


class Trickle(NamedTuple):
    """The request is served, and the answer comes in pieces of `size` bytes, with so many seconds before each."""

    seconds: float
    size: int = 1


class Answer(NamedTuple):
    """The request is not served; this comes instead: an HTTP error, or no JSON. `retry_after` is in seconds."""

    status: int
    body: bytes = b'{"code": 13, "message": "a fault of the sandbox, as ordered"}'
    retry_after: int | None = None
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def redirect(to: str, status: int = 302) -> Answer:
    """Send the client elsewhere: to another host, to file:///etc/hostname, to where it came from."""
    return Answer(status, b"", headers=(("Location", to),))


NOT_JSON = Answer(200, b"<html>a captive portal</html>", content_type="text/html")


class Break(StrEnum):
    """How an answer does not arrive whole; the request was served, so that a log has the entry."""

    DROPPED = "the connection closes without an answer"
    TRUNCATED = "the connection closes after half of the promised bytes"
    ENDLESS = "the answer has no length, and goes on until the client leaves (or for 1 GiB)"
    GZIP_BOMB = "the answer is 1 MiB of gzip that becomes 1 GiB of blanks"


class Lie(StrEnum):
    """What a service says that is well formed and false."""

    EXPIRED_TOKEN = "a token that has expired"  # noqa: S105
    EXPIRED_CERTIFICATE = "a certificate whose ten minutes were over ten minutes ago"
    FUTURE_CERTIFICATE = "a certificate whose ten minutes begin in an hour, so that no log entry of now is within them"
    OTHER_IDENTITY = "a certificate for mallory@example.invalid"
    NO_SCT = "a certificate that no CT log knows"
    WRONG_SCT = "a certificate whose SCT another key has signed"
    WRONG_PROOF = "an inclusion proof for another tree"
    FOREIGN_CHECKPOINT = "a checkpoint that another log has signed"
    OTHER_CHECKPOINT = "a checkpoint of this log over another tree"
    WRONG_PROMISE = "a signed entry timestamp over another time"
    OTHER_ENTRY = "an entry over other content, validly logged"
    NO_TIMESTAMP = "a timestamp response that says: rejected"
    OTHER_TIMESTAMP = "a timestamp over other content"
    LATE_TIMESTAMP = "a timestamp of an hour from now"
    OTHER_BYTES = "a file of the right length with one byte changed, under the ETag of the right one"
    CHANGED = "a file that is another now, under an ETag of its own: order it to skip the first request"
    SHORTER = "a file without its last byte, sent as if that were all"
    LONGER = "a file with one byte more"
    NO_RANGES = "the whole file, whatever range was asked for"
    OTHER_RANGE = "a range of the file that begins one byte later than it says"
    OTHER_HASH = "a listing with a wrong SHA-256 for each file"
    OTHER_SIZE = "a listing with each file one byte smaller than it is"
    PATH_NAMES = "a listing with ../ before each file name"
    FILE_ADDRESSES = "a listing whose files are at file:///etc/hostname"
    TWICE = "a listing with each file twice, with another SHA-256 the second time"


Fault = Delay | Trickle | Answer | Break | Lie

_ENTRIES = frozenset({Endpoint.ENTRY_V1, Endpoint.ENTRY_V2})
_FILES = frozenset(
    {
        Endpoint.INDEX_FILE,
        Endpoint.INDEX_METADATA,
        Endpoint.INDEX_PROVENANCE,
        Endpoint.GITHUB_FILE,
        Endpoint.WEB_FILE,
    }
)
_LISTINGS = frozenset(
    {Endpoint.INDEX_LISTING, Endpoint.GITHUB_RELEASES, Endpoint.GITHUB_RELEASE, Endpoint.GITHUB_ASSETS}
)
_OF_FILES = (Lie.OTHER_BYTES, Lie.CHANGED, Lie.SHORTER, Lie.LONGER, Lie.NO_RANGES, Lie.OTHER_RANGE)
_OF_LISTINGS = (Lie.OTHER_HASH, Lie.OTHER_SIZE, Lie.PATH_NAMES, Lie.FILE_ADDRESSES, Lie.TWICE)
_TOLD_BY = {
    **dict.fromkeys(_OF_FILES, _FILES),
    **dict.fromkeys(_OF_LISTINGS, _LISTINGS),
    Lie.EXPIRED_TOKEN: frozenset({Endpoint.AMBIENT, Endpoint.TOKEN}),
    Lie.EXPIRED_CERTIFICATE: frozenset({Endpoint.CERTIFICATE}),
    Lie.FUTURE_CERTIFICATE: frozenset({Endpoint.CERTIFICATE}),
    Lie.OTHER_IDENTITY: frozenset({Endpoint.CERTIFICATE}),
    Lie.NO_SCT: frozenset({Endpoint.CERTIFICATE}),
    Lie.WRONG_SCT: frozenset({Endpoint.CERTIFICATE}),
    Lie.WRONG_PROOF: _ENTRIES,
    Lie.FOREIGN_CHECKPOINT: _ENTRIES,
    Lie.OTHER_CHECKPOINT: _ENTRIES,
    Lie.WRONG_PROMISE: frozenset({Endpoint.ENTRY_V1}),
    Lie.OTHER_ENTRY: _ENTRIES,
    Lie.NO_TIMESTAMP: frozenset({Endpoint.TIMESTAMP}),
    Lie.OTHER_TIMESTAMP: frozenset({Endpoint.TIMESTAMP}),
    Lie.LATE_TIMESTAMP: frozenset({Endpoint.TIMESTAMP}),
}


class _Ordered:
    """One fault with the requests it still skips and still spoils."""

    def __init__(self, fault: Fault, times: int | None, skip: int) -> None:
        self.fault = fault
        self.times = times
        self.skip = skip

    def applies(self) -> bool:
        """Use up one request, and tell whether it is spoilt."""
        if self.skip:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


class Faults:
    """The faults that are ordered, by endpoint, and the count of requests."""

    def __init__(self) -> None:
        """Start with services that work."""
        self._lock = threading.Lock()
        self._ordered: dict[Endpoint, list[_Ordered]] = {}
        self._requests: Counter[Endpoint] = Counter()

    def add(self, endpoint: Endpoint, fault: Fault, *, times: int | None = None, skip: int = 0) -> None:
        """Spoil the next `times` requests to an endpoint (None: all), after the first `skip`.

        Several faults of one endpoint add up. Raises ValueError for a lie that this endpoint cannot tell.
        """
        if isinstance(fault, Lie) and endpoint not in _TOLD_BY[fault]:
            raise ValueError(f"{endpoint} cannot answer with {fault.value}")
        with self._lock:
            self._ordered.setdefault(endpoint, []).append(_Ordered(fault, times, skip))

    def clear(self) -> None:
        """Let all services work again, and count from zero."""
        with self._lock:
            self._ordered.clear()
            self._requests.clear()

    def take(self, endpoint: Endpoint) -> tuple[Fault, ...]:
        """Count a request, and return the faults that spoil it."""
        with self._lock:
            self._requests[endpoint] += 1
            return tuple(each.fault for each in self._ordered.get(endpoint, ()) if each.applies())

    def counted(self) -> Counter[Endpoint]:
        """The number of requests to each endpoint since the start or the last `clear`."""
        with self._lock:
            return self._requests.copy()

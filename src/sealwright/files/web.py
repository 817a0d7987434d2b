"""Files from the web, with bounds: how long to wait, how often to ask, how much to read, and where not to be led.

Enters: addresses, and how the user reaches the network. Leaves: bytes with their digest, hashed while they arrive, or
an error that says why not. Judges nothing. No answer is unpacked, no more is read than was asked for, credentials go
to the one origin that they are for, and an interrupt ends every transfer at once. Safe to use from several threads.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from sealwright.errors import UndecidedError
from sealwright.files.digest import Digest
from sealwright.files.outage import outage
from sealwright.files.threads import within
from sealwright.files.web_address import check_address, follow, origin, shown
from sealwright.files.web_answer import (
    HINT,
    PATIENCE,
    AbsentError,
    Credentials,
    OversizeError,
    Page,
    Part,
    PassingError,
    Patience,
    StatusError,
    asked_to_wait,
    headers_of,
    refuse_length,
)
from sealwright.files.web_route import Route, WebSettings

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

# Answers that may be another one a moment later (RFC 9110, 15; RFC 6585, 4 for 429).
_PASSING = (408, 429, 500, 502, 503, 504)
_REDIRECTIONS = (301, 302, 303, 307, 308)
_ABSENT = (404, 410)
_MOST_REDIRECTIONS = 5
_BLOCK = 1024**2
_Outcome = TypeVar("_Outcome")


class Web:
    """The network, for one job."""

    def __init__(self, settings: WebSettings, credentials: Credentials, patience: Patience = PATIENCE) -> None:
        """Take how the user reaches the network, what to say to whom, and how much to bear."""
        self._patience = patience
        self._credentials = credentials
        self._route = Route(settings, patience.connect, patience.stall)
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._open: set[BaseHTTPResponse] = set()
        self._end = time.monotonic() + patience.whole

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        self.stop()
        self._route.close()

    def stop(self) -> None:
        """End what is under way, also in other threads, and begin nothing any more."""
        self._stopped.set()
        with self._lock:
            answers = list(self._open)
        for answer in answers:
            with contextlib.suppress(ValueError, RuntimeError, OSError):
                answer.shutdown()

    def read(self, url: str, most: int, *, accept: str = "*/*") -> Page:
        """Return what is at an address, of at most so many bytes.

        Raises AbsentError, OversizeError, and UndecidedError (StatusError for a refusal).
        """

        def once(end: float) -> Page:
            with self._answer(url, {"Accept": accept}, end) as (answer, final):
                if answer.status != 200:
                    raise UndecidedError(f"{shown(url)} answers with a part that nobody asked for", HINT)
                refuse_length(answer, most)
                content = bytearray()
                for block in self._blocks(answer, end):
                    content += block
                    if len(content) > most:
                        raise OversizeError(f"larger than {most:,} bytes")
                return Page(bytes(content), final, headers_of(answer))

        return self._persist(url, most, once)

    def download(
        self,
        url: str,
        target: int,
        most: int,
        *,
        accept: str = "*/*",
        report: Callable[[int], None] = lambda size: None,
    ) -> Digest:
        """Write what is at an address to the descriptor `target`, hashed on the way; continue where a try broke off.

        `report` is told how many bytes are there. Raises what `read` raises, and OSError for `target`.
        """
        part = Part(target)

        def once(end: float) -> Digest:
            with self._answer(url, {"Accept": accept} | part.headers(), end) as (answer, _):
                part.begin(answer)
                refuse_length(answer, most - part.size)
                for block in self._blocks(answer, end):
                    if part.size + len(block) > most:
                        raise OversizeError(f"larger than {most:,} bytes")
                    part.add(block)
                    report(part.size)
                return Digest(part.hasher.hexdigest(), part.size)

        return self._persist(url, most, once)

    def _persist(self, url: str, most: int, once: Callable[[float], _Outcome]) -> _Outcome:
        """Try until there is an answer that is no passing fault, as often and as long as patience lasts."""
        patience = self._patience
        end = min(self._end, time.monotonic() + patience.least + most / patience.slowest)
        pause = patience.pause
        for attempt in range(1, patience.attempts + 1):
            try:
                return once(end)
            except PassingError as fault:
                wait = pause if fault.wait is None else fault.wait
                late = wait > patience.longest or time.monotonic() + wait > end
                if late or attempt == patience.attempts or self._stopped.is_set():
                    if fault.refusal:
                        raise fault.refusal from fault
                    raise UndecidedError(f"{shown(url)}: {fault}", HINT) from fault
            self._stopped.wait(wait)
            pause *= 2
        raise AssertionError("the last attempt returns or raises")

    @contextlib.contextmanager
    def _answer(self, url: str, headers: dict[str, str], end: float) -> Iterator[tuple["BaseHTTPResponse", str]]:
        """Ask, and be led on; what is yielded is an answer with a body that may be read, and where it is from."""
        for _ in range(_MOST_REDIRECTIONS + 1):
            answer = self._ask(url, headers, end)
            try:
                if answer.status in _REDIRECTIONS:
                    url = _led_to(url, answer.headers.get("Location", ""))
                    continue
                self._refuse(url, answer)
                with self._lock:
                    self._open.add(answer)
                if self._stopped.is_set():  # `stop` may have looked before this answer was there
                    raise UndecidedError("the download was stopped")
                yield answer, url
                answer.release_conn()  # read to its end, so that the connection serves again
                return
            finally:
                with self._lock:
                    self._open.discard(answer)
                if answer.connection is not None:  # not read to its end: nothing of it may be taken for the next
                    answer.close()
        raise UndecidedError(f"{shown(url)} leads on and on", HINT)

    def _ask(self, url: str, headers: dict[str, str], end: float) -> "BaseHTTPResponse":
        """Send one request. A server that wants to know who asks is told, if somebody knows."""
        server = origin(url)
        said = self._credentials.known(server)
        answer = self._send(url, headers, said, end)
        if answer.status == 401 and (asked := self._credentials.asked(server)) and asked != said:
            answer.close()
            answer = self._send(url, headers, asked, end)
        return answer

    def _send(self, url: str, headers: dict[str, str], authorization: str, end: float) -> "BaseHTTPResponse":
        import urllib3

        try:
            check_address(url)
        except ValueError as error:
            raise UndecidedError(f"{shown(url)} is not gone to: {error}", HINT) from error
        sent = {"User-Agent": "sealwright", "Accept-Encoding": "identity", **headers}
        if authorization:
            sent["Authorization"] = authorization
        left = min(end - time.monotonic(), self._patience.connect + self._patience.stall)
        if self._stopped.is_set() or left <= 0:
            raise UndecidedError(f"{shown(url)} was given up: it takes too long", HINT)
        given_up = threading.Event()

        def get() -> "BaseHTTPResponse":
            answer = self._route.get(url, sent)
            if given_up.is_set():
                answer.close()
            return answer

        try:
            # `within` bounds what no timeout of a socket does: the look-up of a name, and headers that never end.
            return within(left, get, self._stopped)
        except TimeoutError as error:
            given_up.set()
            raise PassingError("no answer in time") from error
        except urllib3.exceptions.HTTPError as error:
            if self._route.is_lasting(error):
                raise UndecidedError(f"{shown(url)}: {outage(error)}", HINT) from error
            raise PassingError(outage(error)) from error
        except (OSError, ValueError) as error:  # ValueError: a name that IDNA does not know
            raise UndecidedError(f"{shown(url)}: {outage(error)}", HINT) from error

    def _refuse(self, url: str, answer: "BaseHTTPResponse") -> None:
        """Raise for whatever has no body that was asked for."""
        headers = headers_of(answer)
        if answer.status in _ABSENT:
            raise AbsentError(shown(url))
        if answer.status in _PASSING:
            wait = asked_to_wait(headers)
            hint = f"It asks to wait {wait:g} seconds." if wait is not None else HINT
            refusal = StatusError(url, answer.status, headers, hint)
            raise PassingError(f"it answers with status {answer.status}", wait, refusal)
        if answer.status not in (200, 206):
            raise StatusError(url, answer.status, headers)
        if headers.get("content-encoding", "identity").lower() != "identity":  # a bomb is never unpacked
            raise UndecidedError(f"{shown(url)} answers in an encoding that was not asked for", HINT)

    def _blocks(self, answer: "BaseHTTPResponse", end: float) -> Iterator[bytes]:
        """The pieces of a body as they arrive: each waits for one read of the socket at most."""
        import urllib3

        try:
            while block := answer.read1(_BLOCK):
                if time.monotonic() > end:
                    raise UndecidedError("the answer is too slow, or does not end", HINT)
                if self._stopped.is_set():
                    break
                yield block
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise PassingError(f"it broke off ({outage(error)})") from error
        if self._stopped.is_set():
            raise UndecidedError("the download was stopped")


def _led_to(url: str, location: str) -> str:
    try:
        return follow(url, location)
    except ValueError as error:
        raise UndecidedError(f"{shown(url)} leads to where nobody should go: {error}", HINT) from error

"""What web.py hands out and keeps: patience, credentials, answers, refusals, and the part of a file that is there.

Enters: answers of urllib3. Leaves: the same, read within bounds. Asks nobody for anything.
"""

import hashlib
import os
import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sealwright.errors import UndecidedError
from sealwright.files.web_address import shown

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)
HINT = "Try again later, or name another place with --from."


class Patience(NamedTuple):
    """How much to bear, in seconds and bytes a second.

    `stall` is the longest wait for the next piece, `pause` is doubled after each attempt unless the server says how
    long to wait, which is heeded up to `longest`. One file has `least` seconds and what `slowest` makes of its size.
    """

    attempts: int = 4
    connect: float = 10
    stall: float = 20
    pause: float = 0.5
    longest: float = 60
    least: float = 60
    slowest: float = 32 * 1024
    whole: float = 3600


PATIENCE = Patience()


class Credentials(Protocol):
    """What to say to whom. Both return the value of an Authorization header, empty if there is none."""

    def known(self, server: str) -> str:
        """What is sent to that origin from the beginning."""

    def asked(self, server: str) -> str:
        """What is sent to that origin after it has refused an answer without (status 401)."""


class Page(NamedTuple):
    """A whole answer: its bytes, the address that it came from in the end, and its headers."""

    content: bytes
    url: str
    headers: dict[str, str]


class StatusError(UndecidedError):
    """An answer that is a refusal."""

    def __init__(self, url: str, status: int, headers: dict[str, str], hint: str = HINT) -> None:
        """Take the address, the status, and the headers by their names in lower case."""
        super().__init__(f"{shown(url)} answers with status {status}", hint)
        self.status = status
        self.headers = headers


class AbsentError(Exception):
    """The server has answered, and there is nothing at that address."""


class OversizeError(Exception):
    """The server sends more than it may; its text completes "is …"."""


class PassingError(Exception):
    """A fault that the next attempt may not meet; `wait` is what the server asks for, in seconds."""

    def __init__(self, why: str, wait: float | None = None, refusal: StatusError | None = None) -> None:
        """Take what went wrong, and the refusal, if it was one."""
        super().__init__(why)
        self.wait = wait
        self.refusal = refusal


class Part:
    """What has arrived of one file, across several tries."""

    def __init__(self, target: int) -> None:
        """Take the descriptor that it is written to."""
        self._target = target
        self._tag = ""
        self.size = 0
        self.hasher = hashlib.sha256()

    def headers(self) -> dict[str, str]:
        """Ask for the rest, on condition that it is still the same file (RFC 9110, 13.1.5 and 14)."""
        return {"Range": f"bytes={self.size}-", "If-Range": self._tag} if self.size and self._tag else {}

    def begin(self, answer: "BaseHTTPResponse") -> None:
        """Go on where the last try ended if this is the rest, and start again if it is the whole."""
        found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if answer.status == 206 and found and self.size and int(found[1]) == self.size:
            return
        os.ftruncate(self._target, 0)
        os.lseek(self._target, 0, os.SEEK_SET)
        self.size, self.hasher = 0, hashlib.sha256()
        tag = answer.headers.get("ETag", "")
        self._tag = tag if tag.startswith('"') and len(tag) < 500 else ""  # a weak one proves nothing
        if answer.status == 206:
            raise PassingError("it answers with another part than the one that was asked for")

    def add(self, block: bytes) -> None:
        """Keep the next bytes."""
        self.hasher.update(block)
        view = memoryview(block)
        while view:
            view = view[os.write(self._target, view) :]
        self.size += len(block)


def headers_of(answer: "BaseHTTPResponse") -> dict[str, str]:
    """Return the headers by their names in lower case."""
    return {name.lower(): value for name, value in answer.headers.items()}


def refuse_length(answer: "BaseHTTPResponse", most: int) -> None:
    """Raise OversizeError if more is announced than may come."""
    stated = answer.headers.get("Content-Length", "")
    if stated.isascii() and stated.isdigit() and len(stated) < 19 and int(stated) > most:
        raise OversizeError(f"larger than {most:,} bytes")


def asked_to_wait(headers: dict[str, str]) -> float | None:
    """The seconds of a Retry-After header (RFC 9110, 10.2.3); a date or nonsense counts as none."""
    text = headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None

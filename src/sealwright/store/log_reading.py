"""The audit log, read: the whole chain verified in bounded memory, and its entries one by one.

Enters: the path of a log, and checkpoints to hold it against. Leaves: a `Chain`, or entries. Writes nothing, and
parses no line to verify it: each is hashed once, and must begin with its own digest and that of the line before.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.reading import UnfitFileError, open_regular, reason
from sealwright.model.log_entry import (
    DIGEST_AT,
    HASHED_FROM,
    MAX_LINE_BYTES,
    NO_LINE,
    TIME_AT,
    TIME_END,
    say_why,
)

_BLOCK = 256 * 1024
_TAIL_BYTES = 4 * 1024 * 1024
_NO_LOG = "Nothing was logged there yet, or the log lives elsewhere: name it with --log."


class Chain(NamedTuple):
    """What a log is made of: how many whole lines, the first one's digest and the last one's, and what is wrong.

    `problem` names the first line that is wrong, and nothing is said of the lines after it. `torn` is the number of
    bytes after the last newline. `backwards` counts lines that are dated before the line before them. `heads` are
    the digests of the lines that were asked for, by their number.
    """

    lines: int
    first: str
    head: str
    problem: str = ""
    torn: int = 0
    backwards: int = 0
    last_time: str = ""
    heads: Mapping[int, str] = {}


class Position(NamedTuple):
    """Where a verification stands."""

    lines: int
    first: str
    head: str
    time: bytes
    backwards: int


def verify_chain(path: Path, wanted: frozenset[int] = frozenset()) -> Chain:
    """Verify every line of a log, and note the digests of the lines whose numbers are `wanted`.

    Raises UsageError if there is no log, and UndecidedError if it cannot be read.
    """
    heads: dict[int, str] = {0: NO_LINE} if 0 in wanted else {}
    at = Position(0, NO_LINE, NO_LINE, b"", 0)
    rest = b""
    problem = ""
    with _reading(path) as descriptor:
        while not problem and (block := os.read(descriptor, _BLOCK)):
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            at, problem = _verify_lines(lines, at, wanted, heads)
            if not problem and len(rest) > MAX_LINE_BYTES:
                problem = f"line {at.lines + 1} is longer than {MAX_LINE_BYTES:,} bytes"
    torn = 0 if problem else len(rest)
    return Chain(at.lines, at.first, at.head, problem, torn, at.backwards, at.time.decode("ascii", "replace"), heads)


def _verify_lines(
    lines: list[bytes], at: Position, wanted: frozenset[int], heads: dict[int, str]
) -> tuple[Position, str]:
    """Verify some lines, given without their newlines. This is the inner loop of a million lines: it calls little."""
    number, first, head, last, backwards = at
    ahead = sorted(wanted - {n for n in wanted if n <= number})
    following = ahead.pop(0) if ahead else 0
    for content in lines:
        digest = sha256(content[HASHED_FROM:]).hexdigest()
        if not content.startswith(f'{{"sha256":"{digest}","previous":"{head}","time":"'.encode()):
            return Position(number, first, head, last, backwards), f"line {number + 1} is {say_why(content, head)}"
        number += 1
        head = digest
        moment = content[TIME_AT:TIME_END]
        if moment < last:
            backwards += 1
        last = moment
        if number == following:
            heads[number] = digest
            following = ahead.pop(0) if ahead else 0
    if number > at.lines == 0:
        first = lines[0][DIGEST_AT:HASHED_FROM].decode("ascii")
    return Position(number, first, head, last, backwards), ""


def read_entries(path: Path, passes: Callable[[dict[str, Any]], bool] = lambda _: True) -> Iterator[dict[str, Any]]:
    """Yield the entries of a log that pass, in order, each with its line's number under `line`.

    The chain is not verified. Raises UsageError, and UndecidedError at a line that is no entry.
    """
    from sealwright.files.strict_json import read_json

    rest, number = b"", 0
    with _reading(path) as descriptor:
        while block := os.read(descriptor, _BLOCK):
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            for line in lines:
                number += 1
                try:
                    entry = read_json(line[:MAX_LINE_BYTES])
                    if not isinstance(entry, dict) or not {"time", "action", "object", "actor"} <= set(entry):
                        raise ValueError("no entry")
                    fits = passes(entry)
                except (ValueError, TypeError, KeyError, AttributeError) as error:
                    raise UndecidedError(
                        f"line {number} of {path} is no entry of an audit log", "sealwright log verify says more."
                    ) from error
                if fits:
                    yield {"line": number} | entry
            if len(rest) > MAX_LINE_BYTES:
                raise UndecidedError(f"line {number + 1} of {path} is too long", "sealwright log verify says more.")


def find_last(path: Path, action: str, name: str, *, detail: str = "") -> dict[str, Any] | None:
    """Return the last entry of that action about that object in the last 4 MiB of a log; None if there is none.

    With `detail`, the last one that says anything under that key.

    Neither the chain nor what cannot be read is judged here. Raises UndecidedError if the log cannot be read.
    """
    from sealwright.files.strict_json import read_json

    if not path.exists():
        return None
    with _reading(path) as descriptor:
        rest = os.pread(descriptor, _TAIL_BYTES, max(0, os.fstat(descriptor).st_size - _TAIL_BYTES))
    marked = f'"action":"{action}"'.encode()
    for line in reversed(rest.split(b"\n")):
        if marked not in line or len(line) > MAX_LINE_BYTES:
            continue
        try:
            entry = read_json(line)
            if entry["action"] != action or entry["object"]["name"] != name or entry["object"]["sha256"] is None:
                continue
            said = entry.get("detail")
            if not detail or (isinstance(said, dict) and detail in said):
                return dict(entry)
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
    return None


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[int]:
    try:
        descriptor = open_regular(path, follow=True)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"there is no audit log at {path}", _NO_LOG) from error
    except UnfitFileError as error:
        raise UsageError(f"the audit log {path} is {error}") from error
    except OSError as error:
        raise UndecidedError(f"the audit log {path} cannot be read: {reason(error)}") from error
    try:
        yield descriptor
    except OSError as error:
        raise UndecidedError(f"the audit log {path} cannot be read: {reason(error)}") from error
    finally:
        os.close(descriptor)

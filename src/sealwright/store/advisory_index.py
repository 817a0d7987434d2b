"""The offline index of advisories: one SQLite file that is only ever replaced as a whole.

Enters: the path of an index. Leaves: what is known about a package. The table `package` names every project that an
advisory names, `affected` has a row for each part of what one says. The file is read once, its digest is checked, and
the bytes that were hashed are the ones that are asked: a file that is cut, flipped or half written is refused, never
read as "nothing known". Never writes. After the SQLite image stand the lines of `IndexFacts` and the seal, of fixed
length: `sealwright-advisory-index FORMAT LENGTH SHA256`, with the length of the image and the digest of all before it.
"""

import hashlib
import sqlite3
from collections.abc import Iterable

from sealwright.errors import UndecidedError
from sealwright.files.reading import read_named
from sealwright.model.advisory import Affected
from sealwright.model.index_facts import FORMAT, IndexFacts, parse_facts
from sealwright.model.record import Record
from sealwright.model.severity import Score
from sealwright.model.version_spans import Bound, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    _Parts = tuple[list[Span], list[str], list[str], list[str]]

MAX_INDEX_BYTES = 1024**3
SEAL = "sealwright-advisory-index {format} {length:012d} {sha256}\n"
_SEAL_LENGTH = len(SEAL.format(format=FORMAT, length=0, sha256="0" * 64))
_AT_ONCE = 500
_NAMED = "SELECT name, last, closed FROM package"
_AFFECTED = "SELECT entry, number, kind, first, last FROM affected WHERE package = ? ORDER BY entry, place"
OPEN, CLOSED, VERSION, UNCLEAR, TEXT = range(5)
"""What a row says of a package: that a span is affected, a version, what is unclear, a text."""
_HINT = "Make it with: sealwright audit db update, or: sealwright audit db import ZIP"
_AGAIN = "Import it again: sealwright audit db import ZIP. Nothing was audited."


class KnownAdvisory(Record):
    """What the index keeps of an advisory."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    published: str
    score: Score | None


class Entry(Record):
    """One advisory about one package; `number` finds the `KnownAdvisory`."""

    number: int
    affected: Affected


class AdvisoryIndex:
    """An index that was checked and is held in memory. Each look-up reads rows by their key."""

    def __init__(self, facts: IndexFacts, connection: sqlite3.Connection, path: "Path | str") -> None:
        """Take what `open_index` has checked."""
        self.facts = facts
        self.path = path
        self._connection = connection
        self._bounds: dict[str, Bound | None] = {}

    def __del__(self) -> None:
        """Close it with its last reader: Python warns of one that is left open from 3.13 on."""
        self._connection.close()

    def load(self, packages: Iterable[str]) -> None:
        """Read of many packages at once whether they are named, which takes a fifth of the time.

        Raises UndecidedError.
        """
        names = [name for name in dict.fromkeys(packages) if name not in self._bounds]
        self._bounds |= dict.fromkeys(names)
        for start in range(0, len(names), _AT_ONCE):
            part = names[start : start + _AT_ONCE]
            for name, end, closed in self._all(f"{_NAMED} WHERE name IN ({','.join('?' * len(part))})", part):
                self._bounds[name] = Bound._make((end, bool(closed)))

    def bound(self, package: str) -> Bound | None:
        """Where everything ends that is said of a package, by its normalised name; None if no advisory names it.

        Raises UndecidedError.
        """
        if package not in self._bounds:
            self.load((package,))
        return self._bounds[package]

    def entries(self, package: str) -> tuple[Entry, ...]:
        """What is known about a package, by its normalised name. Raises UndecidedError."""
        found: list[tuple[int, _Parts]] = []
        last = -1
        parts: _Parts = ([], [], [], [])
        for entry, number, kind, first, end in self._all(_AFFECTED, (package,)):
            if entry != last:
                last, parts = entry, ([], [], [], [])
                found.append((number, parts))
            if kind <= CLOSED:
                parts[0].append(Span._make((first, end, kind == CLOSED)))
            else:
                parts[kind - CLOSED].append(first)
        return tuple(
            [
                Entry._make((number, Affected._make((package, tuple(spans), *map(tuple, texts)))))
                for number, (spans, *texts) in found
            ]
        )

    def advisory(self, number: int) -> KnownAdvisory:
        """The advisory of an entry. Raises UndecidedError."""
        rows = self._all(
            "SELECT id, aliases, summary, published, score, word, vector FROM advisory WHERE number = ?", (number,)
        )
        if not rows:
            raise self._broken("an advisory is missing")
        name, aliases, summary, published, score, word, vector = rows[0]
        given = None if score is None else Score(score, word, vector)
        return KnownAdvisory(name, tuple(aliases.split()), summary, published, given)

    def _all(self, query: str, keys: "Sequence[str | int]") -> "list[Any]":
        try:
            return self._connection.execute(query, keys).fetchall()
        except sqlite3.Error as error:
            raise self._broken(str(error)) from error

    def _broken(self, problem: str) -> UndecidedError:
        return UndecidedError(f"the advisory index {self.path} cannot be used: {problem}", _AGAIN)


def open_index(path: "Path | str") -> AdvisoryIndex:
    """Read an index and check it. Raises UsageError if there is none, UndecidedError if it is not whole."""
    content = read_named(path, MAX_INDEX_BYTES, "the advisory index", _HINT)
    facts, length = _check(content, path)
    try:
        connection = sqlite3.connect(":memory:")
        connection.deserialize(memoryview(content)[:length])
        connection.execute("PRAGMA query_only = 1")
        connection.execute("SELECT 1 FROM affected LIMIT 1")
    except sqlite3.Error as error:
        raise UndecidedError(f"the advisory index {path} is damaged: {error}", _AGAIN) from error
    return AdvisoryIndex(facts, connection, path)


def read_facts(path: "Path | str") -> tuple[IndexFacts, int]:
    """Check an index and return what it says about itself, and its size in bytes. Raises what `open_index` raises."""
    content = read_named(path, MAX_INDEX_BYTES, "the advisory index", _HINT)
    return _check(content, path)[0], len(content)


def read_image(path: "Path | str") -> tuple[IndexFacts, bytes]:
    """Check an index and return what it says about itself, and its SQLite image. Raises what `open_index` raises."""
    content = read_named(path, MAX_INDEX_BYTES, "the advisory index", _HINT)
    facts, length = _check(content, path)
    return facts, content[:length]


def _check(content: bytes, path: "Path | str") -> tuple[IndexFacts, int]:
    """Return what the index says about itself and the length of its image, after its digest was compared."""
    body, seal = memoryview(content)[:-_SEAL_LENGTH], content[-_SEAL_LENGTH:]
    words = seal.split()
    if len(words) != 4 or words[0] != b"sealwright-advisory-index" or len(seal) != _SEAL_LENGTH:
        raise UndecidedError(f"the advisory index {path} is damaged or was cut short: it is not sealed", _AGAIN)
    if words[1] != str(FORMAT).encode():
        raise UndecidedError(f"the advisory index {path} was made by another version of Sealwright", _AGAIN)
    sha256 = hashlib.sha256(body).hexdigest()
    if words[3] != sha256.encode():
        raise UndecidedError(
            f"the advisory index {path} is damaged: its digest is {sha256}, not the sealed one", _AGAIN
        )
    try:
        length = int(words[2])
        if seal != SEAL.format(format=FORMAT, length=length, sha256=sha256).encode():
            raise ValueError("its seal is written in another way")
        return parse_facts(bytes(body[length:])), length
    except (ValueError, TypeError) as error:
        raise UndecidedError(f"the advisory index {path} is damaged: its facts cannot be read", _AGAIN) from error

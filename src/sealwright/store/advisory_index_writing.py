"""Making an index of advisories: beside the old one, and swapped in as a whole.

Enters: advisories, and what could not be read. Leaves: a file that `sealwright.store.advisory_index` opens. The
tables depend on the records alone, not on their order, and on the time only where a withdrawal is yet to come, so that
two people can compare digests. Never opens a network connection.
"""

import contextlib
import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import UndecidedError
from sealwright.files.reading import reason
from sealwright.files.writing import remove_unfinished, write_whole
from sealwright.model.advisory import Affected
from sealwright.model.index_facts import FORMAT, IndexFacts, Skipped, render_facts
from sealwright.model.osv_record import Advisory
from sealwright.model.severity import score
from sealwright.model.version_order import Order, common_form, read_order
from sealwright.model.version_spans import Bound, Cover
from sealwright.store.advisory_index import CLOSED, OPEN, SEAL, TEXT, UNCLEAR, VERSION

_TABLES = """
CREATE TABLE advisory (number INTEGER PRIMARY KEY, id TEXT NOT NULL, aliases TEXT NOT NULL, summary TEXT NOT NULL,
    published TEXT NOT NULL, score REAL, word TEXT, vector TEXT);
CREATE TABLE package (name TEXT PRIMARY KEY, last TEXT NOT NULL, closed INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE affected (package TEXT NOT NULL, entry INTEGER NOT NULL, place INTEGER NOT NULL, number INTEGER NOT NULL,
    kind INTEGER NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL, PRIMARY KEY (package, entry, place)) WITHOUT ROWID;
"""
_MOST_NAMED = 100
_UNREADABLE = "the record about it could not be read"

_Row = tuple[int, str, str]
_Entry = tuple[int, list[_Row]]


class Tables(NamedTuple):
    """The SQLite image, and how many of what it holds. `newest` is RFC 3339 in UTC, or empty."""

    image: bytes
    records: int
    withdrawn: int
    packages: int
    newest: str


class IndexSource(NamedTuple):
    """Where the records come from; `current` as in `IndexFacts`, empty if only the records can tell."""

    name: str
    sha256: str
    current: str = ""
    etag: str = ""
    last_modified: str = ""


def build_tables(advisories: Iterable[Advisory], skipped: Iterable[Skipped], now: str) -> Tables:
    """Put advisories into tables. Those withdrawn by `now` concern nobody, but their packages become known names."""
    records: dict[str, Advisory] = {}
    for advisory in advisories:
        known = records.get(advisory.id)
        if known is None or (advisory.modified, advisory) > (known.modified, known):
            records[advisory.id] = advisory  # a record that stands twice: the one that was changed last
    entries: dict[str, list[_Entry]] = {}
    rows: list[tuple[object, ...]] = []
    for number, name in enumerate(sorted(records), 1):
        advisory = records[name]
        found = score(advisory.severities) if advisory.severities else None
        texts = (" ".join(advisory.aliases), advisory.summary, advisory.published)
        rows.append((number, name, *texts, *(found or (None, None, None))))
        for affected in advisory.affected:
            concerned = entries.setdefault(affected.package, [])
            if not advisory.is_withdrawn(now):
                concerned.append((number, _rows_of(affected)))
    number = len(rows)
    for broken in skipped:
        number += 1
        rows.append((number, broken.id or broken.file, "", broken.problem, "", None, None, None))
        for package in broken.packages:
            entries.setdefault(package, []).append((number, [(UNCLEAR, f"{_UNREADABLE}: {broken.problem}", "")]))
    newest = max((advisory.modified for advisory in records.values()), default="")
    withdrawn = sum(advisory.is_withdrawn(now) for advisory in records.values())
    return Tables(_write(rows, entries), len(records), withdrawn, len(entries), newest)


def _rows_of(affected: Affected) -> list[_Row]:
    """What an advisory says of a package, a row for each part; versions in the form that is read at once."""
    versions, odd = _beyond(affected)
    rows = [(CLOSED if closed else OPEN, common_form(start), common_form(end)) for start, end, closed in affected.spans]
    rows += [(VERSION, text, "") for text in versions]
    rows += [(UNCLEAR, text, "") for text in affected.unclear]
    return rows + [(TEXT, text, "") for text in odd]


def _numbered(package: str, entries: list[_Entry]) -> Iterator[tuple[object, ...]]:
    for entry, (number, rows) in enumerate(entries):
        for place, (kind, first, last) in enumerate(rows):
            yield package, entry, place, number, kind, first, last


def _bound(entries: list[_Entry]) -> Bound:
    """Where everything ends that is said of a package. Texts do not count: no version is equal to one."""
    last: tuple[Order, bool, str] | None = None
    for kind, first, end in (row for _, rows in entries for row in rows if row[0] != TEXT):
        text = first if kind == VERSION else end if kind in (OPEN, CLOSED) else ""
        order = read_order(text) if text else None
        if order is None:
            return Bound("", False)
        found = (order, kind != OPEN, text)
        last = max(last or found, found)
    return Bound(last[2], last[1]) if last else Bound("", False)


def _beyond(affected: Affected) -> tuple[list[str], list[str]]:
    """The listed versions that no span contains, and apart from them what is no version: those must be kept."""
    beyond: dict[str, None] = {}
    texts: list[str] = []
    cover = Cover(affected.spans)
    for text in affected.versions:
        order = read_order(text)
        if order is None:
            texts.append(text)
        elif not cover.contains(order):
            beyond[common_form(text)] = None
    return list(beyond), texts


def _write(rows: list[tuple[object, ...]], entries: dict[str, list[_Entry]]) -> bytes:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_TABLES)
        connection.executemany("INSERT INTO advisory VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_storable, rows))
        connection.executemany(
            "INSERT INTO package VALUES (?, ?, ?)",
            (_storable((name, *_bound(entries[name]))) for name in sorted(entries)),
        )
        connection.executemany(
            "INSERT INTO affected VALUES (?, ?, ?, ?, ?, ?, ?)",
            (_storable(row) for name in sorted(entries) for row in _numbered(name, entries[name])),
        )
        connection.commit()
        connection.execute("VACUUM")
        return connection.serialize()


def _storable(row: tuple[object, ...]) -> tuple[object, ...]:
    """Write out what is half a character, in JSON or in the name of a file: no UTF-8 holds it."""
    return tuple([each.encode("utf-8", "backslashreplace").decode() if isinstance(each, str) else each for each in row])


def write_index(path: Path, tables: Tables, skipped: tuple[Skipped, ...], source: IndexSource, now: str) -> IndexFacts:
    """Seal the tables and put them at `path`, or leave what is there untouched. Raises UndecidedError."""
    newest = min(tables.newest, now)  # a record that says it was changed tomorrow makes no index young
    facts = IndexFacts(
        source.name,
        source.sha256,
        hashlib.sha256(tables.image).hexdigest(),
        tables.records,
        tables.withdrawn,
        tables.packages,
        newest,
        source.current or newest,
        now,
        skipped[:_MOST_NAMED],
        len(skipped),
        source.etag,
        source.last_modified,
    )
    replace_index(path, tables.image, facts)
    return facts


def replace_index(path: Path, image: bytes, facts: IndexFacts) -> None:
    """Put an image with its facts and its seal at `path`, as a whole. Raises UndecidedError."""
    body = image + render_facts(facts)
    seal = SEAL.format(format=FORMAT, length=len(image), sha256=hashlib.sha256(body).hexdigest())
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(path):
            remove_unfinished(path.parent)
            write_whole(path, body + seal.encode())
    except OSError as error:
        problem = reason(error)
        raise UndecidedError(
            f"the advisory index {path} cannot be written: {problem}", "What was there before is untouched."
        ) from error


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let two imports write one after the other: the later one stays, and each is whole."""
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

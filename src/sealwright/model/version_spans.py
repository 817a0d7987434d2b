"""Ranges of versions as OSV writes them, turned into spans that need no order of events any more.

Enters: the events of one ECOSYSTEM range, in whatever order. Leaves: spans, or a SpansError that says why the range
cannot be evaluated. 70 of 2,661 records list their events out of order, so they are always sorted first.
https://ossf.github.io/osv-schema/#evaluation
"""

from collections.abc import Iterable
from itertools import accumulate

from sealwright.model.record import Record
from sealwright.model.version_order import Order, public_of, read_order

_MAX_EVENTS = 10_000
# At one version: what ends comes before what begins, so that "fixed 1, introduced 1" stays affected; and the last
# affected version comes after its introduction, so that "introduced 1, last affected 1" is that one version.
_ORDER = {"fixed": 0, "introduced": 1, "last_affected": 2}


_Start = Order | tuple[()]
_End = tuple[bool, Order | tuple[()], bool]


class SpansError(ValueError):
    """A range that cannot be evaluated; the text says why."""


class Span(Record):
    """Versions from `start` (empty: from the first) to `end` (empty: without end), which is part of it if `closed`."""

    start: str
    end: str
    closed: bool


class Bound(Record):
    """Where everything ends that is said of a package: at `end`, of which something is still said if `closed`.

    `end` is empty where it does not end: a span has none, or nobody knows what an advisory means.
    """

    end: str
    closed: bool

    def is_passed(self, version: Order) -> bool:
        """Tell whether a version, and the public one it was built from, lie beyond: then no advisory is about it."""
        end = read_order(self.end) if self.end else None
        public = public_of(version)
        return end is not None and (public > end if self.closed else public >= end)


class _Event(Record):
    kind: str
    text: str
    version: Order | None  # None for introduced 0: before every version


def contains(span: Span, version: Order) -> bool:
    """Tell whether a version lies in a span, by the order of PEP 440."""
    first, last, closed = span
    if first:
        start = read_order(first)
        if start is None or version < start:
            return False
    if not last:
        return True
    end = read_order(last)
    return end is not None and (version <= end if closed else version < end)


class Cover:
    """Many spans, asked as one: each question takes as long as a few comparisons, however many there are."""

    def __init__(self, spans: Iterable[Span]) -> None:
        """Put them in the order of their starts, and with each the furthest end until there."""
        bounds: list[tuple[_Start, _End]] = []
        for span in spans:
            start, end = read_order(span.start) if span.start else (), read_order(span.end) if span.end else ()
            if start is not None and end is not None:  # what is no version contains nothing
                bounds.append((start, (False, end, span.closed) if end else (True, (), False)))
        bounds.sort()
        self._starts = [start for start, _ in bounds]
        self._ends = list(accumulate((end for _, end in bounds), max))

    def contains(self, version: Order) -> bool:
        """Tell whether a version lies in one of the spans."""
        before, after = 0, len(self._starts)
        while before < after:  # bisect would have to be loaded
            middle = (before + after) // 2
            before, after = (before, middle) if version < self._starts[middle] else (middle + 1, after)
        if not before:
            return False
        endless, end, closed = self._ends[before - 1]
        return endless or (version <= end if closed else version < end)


def read_spans(events: object) -> list[Span]:
    """Turn the events of a range into spans that contain exactly the affected versions. Raises SpansError."""
    if not isinstance(events, list) or not 0 < len(events) <= _MAX_EVENTS:
        raise SpansError("a range without events")
    limits: list[str] = []
    found: list[_Event] = []
    for event in events:
        kind, text = _take(event)
        if kind == "limit":
            limits.append(text)
        else:
            found.append(_read(kind, text))
    if not any(event.kind == "introduced" for event in found):
        raise SpansError("a range that nothing introduces")
    return _cut(_walk(_sorted(found)), limits)


def _take(event: object) -> tuple[str, str]:
    """The one kind and version that an event has (https://ossf.github.io/osv-schema/#affectedrangesevents-fields)."""
    if not isinstance(event, dict) or len(event) != 1:
        raise SpansError("an event that is not exactly one of introduced, fixed, last_affected and limit")
    kind, text = next(iter(event.items()))
    if kind not in (*_ORDER, "limit") or not isinstance(text, str):
        raise SpansError(f"an event of the unknown kind {str(kind)[:40]!r}")
    return kind, text


def _read(kind: str, text: str) -> _Event:
    if kind == "introduced" and text == "0":
        return _Event(kind, "", None)
    version = read_order(text)
    if version is None:
        raise SpansError(f"{kind} {text[:60]!r} is not a version of PEP 440")
    return _Event(kind, text, version)


def _sorted(events: list[_Event]) -> list[_Event]:
    first = [event for event in events if event.version is None]
    rest = [(event.version, _ORDER[event.kind], event) for event in events if event.version is not None]
    rest.sort(key=lambda found: found[:2])
    return first + [event for _, _, event in rest]


def _walk(events: list[_Event]) -> list[Span]:
    spans: list[Span] = []
    start: str | None = None
    for event in events:
        if event.kind == "introduced":
            start = event.text if start is None else start
        elif start is not None:
            spans.append(Span(start, event.text, event.kind == "last_affected"))
            start = None
    if start is not None:
        spans.append(Span(start, "", False))
    return spans


def _cut(spans: list[Span], limits: list[str]) -> list[Span]:
    """Leave out what no limit reaches: a version counts if it is before any of them."""
    if not limits or "*" in limits:
        return spans
    versions = [(version, text) for text in limits if (version := read_order(text)) is not None]
    if len(versions) != len(limits):
        raise SpansError("a limit that is not a version of PEP 440")
    limit, text = max(versions)
    cut: list[Span] = []
    for span in spans:
        start, end = read_order(span.start) if span.start else None, read_order(span.end) if span.end else None
        if start is not None and start >= limit:
            continue
        reaches = end is None or end > limit or (end == limit and span.closed)
        cut.append(Span(span.start, text, False) if reaches else span)
    return cut

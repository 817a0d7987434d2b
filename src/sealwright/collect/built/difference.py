"""In what an artifact and its rebuild differ: which member, and why.

Enters: two archives of the same name, of which either may be hostile. Leaves: differences; none if the two cannot be
told apart by what is looked at here, which is for the caller to take as the worst. Decides nothing.
"""

import difflib
from collections.abc import Iterator
from pathlib import Path

from sealwright.files.distribution import MetadataError
from sealwright.files.members import read_texts
from sealwright.model.artifact import ArtifactKind
from sealwright.model.reproduction import Difference, Member, Packing, Why

_MAX_DIFFS = 20
_MAX_DIFF_LINES = 40
_MAX_LINE = 200
_ALIKE = 100  # lines a side that difflib is given: its worst case grows with their third power
_CONTEXT = 3


def compare_packings(released: Packing, rebuilt: Packing) -> tuple[Difference, ...]:
    """Compare two archives as they were read, member by member."""
    mine = {member.name: member for member in released.members}
    theirs = {member.name: member for member in rebuilt.members}
    found = [Difference(n, Why.ONLY_RELEASED, _held(m), "not there") for n, m in mine.items() if n not in theirs]
    found += [Difference(n, Why.ONLY_REBUILT, "not there", _held(m)) for n, m in theirs.items() if n not in mine]
    for name, member in mine.items():
        if other := theirs.get(name):
            found += _compare_members(member, other)
    order, again = [n for n in mine if n in theirs], [n for n in theirs if n in mine]
    moved = next(((at, pair) for at, pair in enumerate(zip(order, again, strict=True), 1) if pair[0] != pair[1]), None)
    if moved:
        at, (here, there) = moved
        found.append(Difference("", Why.ORDER, f"{here} stands at {at}", f"{there} stands at {at}"))
    whole: tuple[tuple[Why, str, str], ...] = (
        (Why.TIME, released.time, rebuilt.time),
        (Why.COMPRESSION, released.compression, rebuilt.compression),
        (Why.CONTENT, released.outside, rebuilt.outside),
    )
    for why, ours, others in whole:
        if ours != others:
            where = "outside of its members: " if why is Why.CONTENT else ""
            found.append(Difference("", why, where + (ours or "nothing"), where + (others or "nothing")))
    if not found and released.stream and released.stream == rebuilt.stream:
        found.append(Difference("", Why.COMPRESSION, "the same data, packed", "by another program or level"))
    return tuple(found)


def _compare_members(member: Member, other: Member) -> Iterator[Difference]:
    same = (member.kind, member.sha256) == (other.kind, other.sha256)
    if not same:
        yield Difference(member.name, Why.CONTENT, _held(member), _held(other))
    # What the same method makes of other content has another length.
    packed: tuple[str, ...] = (member.compression, other.compression) if same else tuple(
        each.compression.partition(",")[0] for each in (member, other)
    )  # fmt: skip
    headers: tuple[tuple[Why, str, str], ...] = (
        (Why.TIME, member.time, other.time),
        (Why.MODE, f"{member.mode:04o}", f"{other.mode:04o}"),
        (Why.OWNER, member.owner, other.owner),
        (Why.COMPRESSION, packed[0], packed[1]),
        (Why.OTHER, member.other, other.other),
    )
    for why, ours, theirs in headers:
        if ours != theirs:
            yield Difference(member.name, why, ours or "nothing", theirs or "nothing")


def _held(member: Member) -> str:
    return f"{member.kind}, {member.size:,} bytes, sha256:{member.sha256}"


def add_diffs(
    differences: tuple[Difference, ...], released: Path, rebuilt: Path, kind: ArtifactKind
) -> tuple[Difference, ...]:
    """Return the same differences, with short diffs for the first twenty members whose text differs."""
    wanted = [d.member for d in differences if d.why is Why.CONTENT and d.member][:_MAX_DIFFS]
    if not wanted:
        return differences
    try:
        ours, theirs = read_texts(released, kind, wanted), read_texts(rebuilt, kind, wanted)
    except MetadataError:  # what differs stands fast, it is only not shown
        return differences
    diffs = {name: diff_texts(ours[name], theirs[name]) for name in wanted if name in ours and name in theirs}
    return tuple(
        d._replace(diff=diffs[d.member]) if d.why is Why.CONTENT and d.member in diffs else d for d in differences
    )


def diff_texts(released: bytes, rebuilt: bytes) -> tuple[str, ...]:
    """Return a unified diff of at most 40 lines, from the release to the rebuild; empty unless both are UTF-8 text.

    What is equal at both ends is cut off first: difflib's time has no bound that a hostile file would keep to.
    """
    try:
        ours, theirs = (content.decode("utf-8") for content in (released, rebuilt))
    except UnicodeDecodeError:
        return ()
    if "\0" in ours or "\0" in theirs:
        return ()
    a, b = ours.split("\n"), theirs.split("\n")
    begin = 0
    while begin < min(len(a), len(b)) and a[begin] == b[begin]:
        begin += 1
    end = 0
    while end < min(len(a), len(b)) - begin and a[-1 - end] == b[-1 - end]:
        end += 1
    first, last = max(0, begin - _CONTEXT), max(0, end - _CONTEXT)
    mine, other = a[first : len(a) - last], b[first : len(b) - last]
    if max(len(mine), len(other)) <= _ALIKE:
        lines = list(difflib.unified_diff(mine, other, "released", "rebuilt", lineterm="", n=_CONTEXT))
    else:
        lines = ["--- released", "+++ rebuilt", *("-" + line for line in mine[: _MAX_DIFF_LINES // 2])]
        lines += ["+" + line for line in other[: _MAX_DIFF_LINES // 2]]
    if lines[2:3] and lines[2].startswith("@@") and first:
        lines[2] += f" from line {first + 1}"
    more = ["… and more"] if len(lines) > _MAX_DIFF_LINES else []
    return tuple(line[:_MAX_LINE] for line in lines[:_MAX_DIFF_LINES]) + tuple(more)

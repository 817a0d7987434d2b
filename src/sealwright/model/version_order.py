"""The order of versions (PEP 440) as tuples, which compare without packaging being loaded.

Enters: the text of a version. Leaves: an `Order`, or None for what is no version. The common forms are taken apart
here, every other one by packaging, and a property test holds the two against each other.
https://packaging.python.org/en/latest/specifications/version-specifiers/#summary-of-permitted-suffixes-and-relative-ordering
"""

from functools import lru_cache

Order = tuple[int, tuple[int, ...], tuple[int, int], int, tuple[int, int], tuple[tuple[int, int, str], ...]]
"""Epoch, release without the zeros at its end, pre-release, post-release, development release, local version."""

_LONGEST = 200
_PHASES = {"a": 0, "b": 1, "rc": 2}
_DEVELOPED, _FINAL = (-1, 0), (3, 0)  # before every pre-release of the same release, after every one
_NO_POST, _NO_DEV = -1, (1, 0)


@lru_cache(maxsize=100_000)
def read_order(text: str) -> Order | None:
    """Return where a version stands, or None if it is none (PEP 440)."""
    if len(text) > _LONGEST:
        return None
    parts = text.split(".")
    if text.isascii() and text.replace(".", "").isdecimal() and "" not in parts:
        return 0, _release(parts), _FINAL, _NO_POST, _NO_DEV, ()
    return _read_common(text) or _ask_packaging(text)


def _read_common(text: str) -> Order | None:
    """Read RELEASE, then perhaps a, b or rc and a number, .post and a number, .dev and a number; None for the rest.

    Without a regular expression: to compile one takes as long as to read 500 versions.
    """
    if not text.isascii() or text != text.lower():
        return None
    rest, dev = _cut(text, ".dev")
    rest, post = _cut(rest, ".post")
    for phase, rank in _PHASES.items():
        release, number = _cut(rest, phase)
        if number >= 0:
            pre = (rank, number)
            break
    else:
        release, pre = rest, _DEVELOPED if post < 0 <= dev else _FINAL
    parts = release.split(".")
    if not all(map(str.isdecimal, parts)):
        return None
    return 0, _release(parts), pre, post, (0, dev) if dev >= 0 else _NO_DEV, ()


def _cut(text: str, word: str) -> tuple[str, int]:
    """Cut a word and the number after it off the end; the number is -1 if they are not there."""
    rest, found, number = text.rpartition(word)
    return (rest, int(number)) if found and number.isdecimal() else (text, -1)


def common_form(text: str) -> str:
    """Return a version as packaging writes it, so that it is read at once; what is none, or empty, as it is."""
    if not text or _read_common(text):
        return text
    from packaging.version import InvalidVersion, Version

    try:
        return str(Version(text))
    except (InvalidVersion, ValueError):
        return text


def is_unfinished(order: Order) -> bool:
    """Tell whether a version is a pre-release or a development release."""
    return order[4] != _NO_DEV or order[2] != _FINAL


def public_of(order: Order) -> Order:
    """Return where the public version stands from which a local one was built; itself if it is public."""
    return (*order[:5], ()) if order[5] else order


def _release(parts: list[str]) -> tuple[int, ...]:
    numbers = [*map(int, parts)]
    while not numbers[-1] and len(numbers) > 1:
        numbers.pop()
    return tuple(numbers)


def _pre(pre: tuple[int, int] | None, post: object, dev: object) -> tuple[int, int]:
    """A development release of a final one stands before its pre-releases; without either, after them."""
    if pre is not None:
        return pre
    return _DEVELOPED if post is None and dev is not None else _FINAL


def _ask_packaging(text: str) -> Order | None:
    from packaging.version import InvalidVersion, Version

    try:
        version = Version(text)
    except (InvalidVersion, ValueError):  # ValueError: more digits than int() takes
        return None
    local = tuple((1, part, "") if isinstance(part, int) else (0, 0, part) for part in _segments(version.local))
    return (
        version.epoch,
        _release([str(number) for number in version.release]),
        _pre((_PHASES[version.pre[0]], version.pre[1]) if version.pre else None, version.post, version.dev),
        _NO_POST if version.post is None else version.post,
        _NO_DEV if version.dev is None else (0, version.dev),
        local,
    )


def _segments(local: str | None) -> list[int | str]:
    """The parts of a local version; numbers stand after texts."""
    return [int(part) if part.isdecimal() else part for part in local.split(".")] if local else []

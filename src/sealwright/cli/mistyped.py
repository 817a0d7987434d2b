"""What a person probably meant, where a call of `verify-release` is wrong. Nothing here offers to install anything.

Enters: words of the command line. Leaves: a UsageError whose hint is the call that is nearest.
"""

import difflib
import os
from collections.abc import Iterable
from typing import NoReturn

from sealwright.errors import UsageError
from sealwright.jobs.verify.release import parse_asked

_NEAR = 0.8  # of the letters: one or two of a name differ
_PLACES = ("index", "github", "dir:")


def refuse_word(release: str, word: str) -> NoReturn:
    """Refuse a word behind the release that is no option: a version, or a place without its --from."""
    meant = f"{release}=={word.removeprefix('==')}"
    said = f"there is one word too many: {word[:80]!r}"
    if "://" in word:  # which may hold a password
        raise UsageError("there is one word too many: an address", "A place stands behind --from.")
    if "==" not in release and _is_asked(meant):
        raise UsageError(said, f"A release is one word: did you mean {meant}?")
    if os.path.isdir(word) or word.startswith(_PLACES):
        raise UsageError(said, f"Did you mean --from {word}?")
    raise UsageError(said, "verify-release --help shows an example.")


def near(name: str, names: Iterable[str]) -> str:
    """Return which of some names one is probably a misspelling of; empty if none."""
    return next(iter(difflib.get_close_matches(name, list(names), 1, _NEAR)), "")


def _is_asked(text: str) -> bool:
    try:
        return parse_asked(text).project is not None
    except UsageError:
        return False

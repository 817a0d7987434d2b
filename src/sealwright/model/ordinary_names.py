"""Names of projects and of files, as nearly all are written, taken apart without packaging.utils.

Enters: names. Leaves: what packaging makes of them. A name that is not written in an ordinary way is left to packaging;
that is not always asked, because it loads thirty modules for the tags of wheels (docs/adr/0008). A test holds the two
against each other.
"""

import re

_LONGEST = 255  # int() takes 4,300 digits
_PROJECT = r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*"
_VERSION = r"[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?(?:\.dev[0-9]+)?"
_TAGS = r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*"
_NAME = re.compile(_PROJECT)
_ORDINARY_VERSION = re.compile(_VERSION)
_SDIST = re.compile(rf"({_PROJECT})-({_VERSION})\.tar\.gz")
_WHEEL = re.compile(rf"([A-Za-z0-9]+(?:_[A-Za-z0-9]+)*)-({_VERSION})(?:-[0-9]+)?(?:-{_TAGS}){{3}}\.whl")


def canonical_project(name: str, *, validate: bool = True) -> str:
    """Return the normalised name of a project (PEP 503); if asked, raise ValueError for what is none (PEP 508)."""
    if _NAME.fullmatch(name):
        return name.lower().replace("_", "-").replace(".", "-")
    from packaging.utils import canonicalize_name

    return canonicalize_name(name, validate=validate)


def split_ordinary(file: str) -> tuple[str, str] | None:
    """Return project, normalised, and version as written, of a wheel or an sdist; None if packaging has to say."""
    match = _WHEEL.fullmatch(file) or _SDIST.fullmatch(file)
    return (canonical_project(match[1]), match[2]) if match else None


def is_ordinary_version(text: str) -> bool:
    """Tell whether a text is surely a version (PEP 440), without asking packaging."""
    return len(text) <= _LONGEST and _ORDINARY_VERSION.fullmatch(text) is not None

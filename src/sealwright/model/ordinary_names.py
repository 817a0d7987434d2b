"""Names of projects and of files, as nearly all are written, taken apart without packaging.utils.

Enters: names. Leaves: what packaging makes of them. A name that is not written in an ordinary way is left to packaging;
that is not always asked, because it loads thirty modules for the tags of wheels (docs/adr/0008). A test holds the two
against each other.
"""

import re

_LONGEST = 255  # int() takes 4,300 digits
_NAME = re.compile(r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?(?:\.dev[0-9]+)?")
_TAGS = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*")


def canonical_project(name: str, *, validate: bool = True) -> str:
    """Return the normalised name of a project (PEP 503); if asked, raise ValueError for what is none (PEP 508)."""
    if _NAME.fullmatch(name):
        return name.lower().replace("_", "-").replace(".", "-")
    from packaging.utils import canonicalize_name

    return canonicalize_name(name, validate=validate)


def split_ordinary(file: str) -> tuple[str, str] | None:
    """Return project, normalised, and version as written, of a wheel or an sdist; None if packaging has to say."""
    if file.endswith(".whl"):
        name, _, rest = file.removesuffix(".whl").partition("-")
        version, *tags = rest.split("-")
        if len(tags) == 4 and tags[0].isascii() and tags[0].isdigit():  # a build number
            del tags[0]
        ordinary = len(tags) == 3 and all(_TAGS.fullmatch(tag) for tag in tags)
    else:
        name, _, version = file.removesuffix(".tar.gz").rpartition("-")
        ordinary = file.endswith(".tar.gz")
    if ordinary and _NAME.fullmatch(name) and is_ordinary_version(version):
        return canonical_project(name), version
    return None


def is_ordinary_version(text: str) -> bool:
    """Tell whether a text is surely a version (PEP 440), without asking packaging."""
    return len(text) <= _LONGEST and _VERSION.fullmatch(text) is not None

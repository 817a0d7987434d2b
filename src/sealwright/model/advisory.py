"""Which versions of a package an advisory is about.

Enters: what an OSV record says is affected, and a version. Leaves: yes, no, or that it cannot be said, which never
counts as no. https://ossf.github.io/osv-schema/#evaluation
"""

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sealwright.model.version_spans import Span, contains

if TYPE_CHECKING:
    from packaging.version import Version

MALICIOUS = "MAL-"
_MAX_VERSION = 200
_MAX_NAME = 200
_SEPARATORS = str.maketrans("_.", "--")
_NO_SEPARATORS = str.maketrans("", "", "-_.")


class Affected(NamedTuple):
    """The versions of one package that one advisory is about.

    `package` is normalised (PEP 503); `versions` are listed one by one; `spans` come from the ECOSYSTEM ranges;
    `unclear` says what could not be evaluated. https://ossf.github.io/osv-schema/#affected-fields
    """

    package: str
    spans: tuple[Span, ...]
    versions: tuple[str, ...]
    unclear: tuple[str, ...]


def normalise(name: str) -> str:
    """Return a project's name as PEP 503 normalises it (https://peps.python.org/pep-0503/#normalized-names)."""
    normalised = name.lower().translate(_SEPARATORS)  # a regular expression takes longer to compile than all look-ups
    while "--" in normalised:
        normalised = normalised.replace("--", "-")
    return normalised


def is_name(name: str) -> bool:
    """Tell whether a text is the name of a project (PEP 508, https://peps.python.org/pep-0508/#names)."""
    if not 0 < len(name) <= _MAX_NAME or not name.isascii():
        return False
    return name[0].isalnum() and name[-1].isalnum() and name.translate(_NO_SEPARATORS).isalnum()


@lru_cache(maxsize=100_000)
def read_version(text: str) -> "Version | None":
    """Read a version (PEP 440, https://peps.python.org/pep-0440/), or return None if it is none."""
    from packaging.version import InvalidVersion, Version

    if len(text) > _MAX_VERSION:
        return None
    try:
        return Version(text)
    except (InvalidVersion, ValueError):  # ValueError: more digits than int() takes
        return None


def concerns(affected: Affected, version: str) -> bool | None:
    """Tell whether an advisory is about this version: True, False, or None if that cannot be said.

    A local version (1.0+cpu) is also held against what is said of the public one: it was built from it, and no advisory
    lists local versions. https://ossf.github.io/osv-schema/#evaluation
    """
    if version in affected.versions:
        return True
    parsed = read_version(version)
    if parsed is not None:
        candidates = [parsed]
        if parsed.local is not None and (public := read_version(parsed.public)) is not None:
            candidates.append(public)
        for candidate in candidates:
            for span in affected.spans:
                if contains(span, candidate, read_version):
                    return True
            for listed in affected.versions:
                if read_version(listed) == candidate:
                    return True
    return None if affected.unclear or parsed is None else False

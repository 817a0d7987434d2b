"""Which versions of a package an advisory is about.

Enters: what an OSV record says is affected, and a version. Leaves: yes, no, or that it cannot be said, which never
counts as no. https://ossf.github.io/osv-schema/#evaluation
"""

from functools import lru_cache

from sealwright.model.record import Record
from sealwright.model.version_order import public_of, read_order
from sealwright.model.version_spans import Span, contains

MALICIOUS = "MAL-"
_MAX_NAME = 200


class Affected(Record):
    """The versions of one package that one advisory is about.

    `package` is normalised (PEP 503); `versions` are listed one by one; `spans` come from the ECOSYSTEM ranges;
    `unclear` says what could not be evaluated. An index keeps those that are no version (PEP 440) apart, as `texts`. https://ossf.github.io/osv-schema/#affected-fields
    """

    package: str
    spans: tuple[Span, ...]
    versions: tuple[str, ...]
    unclear: tuple[str, ...]
    texts: tuple[str, ...] = ()


def normalise(name: str) -> str:
    """Return a project's name as PEP 503 normalises it (https://peps.python.org/pep-0503/#normalized-names)."""
    # A regular expression takes longer to compile than all look-ups, and translate five times as long as this.
    normalised = name.lower().replace("_", "-").replace(".", "-")
    while "--" in normalised:
        normalised = normalised.replace("--", "-")
    return normalised


@lru_cache(maxsize=100_000)
def is_name(name: str) -> bool:
    """Tell whether a text is the name of a project (PEP 508, https://peps.python.org/pep-0508/#names)."""
    if not 0 < len(name) <= _MAX_NAME or not name.isascii():
        return False
    if name.isalnum():
        return True
    return (
        name[0].isalnum() and name[-1].isalnum() and name.replace("-", "").replace("_", "").replace(".", "").isalnum()
    )


def concerns(affected: Affected, version: str) -> bool | None:
    """Tell whether an advisory is about this version: True, False, or None if that cannot be said.

    A local version (1.0+cpu) is also held against what is said of the public one: it was built from it, and no advisory
    lists local versions. https://ossf.github.io/osv-schema/#evaluation
    """
    _, spans, versions, unclear, texts = affected
    if version in versions or version in texts:
        return True
    order = read_order(version)
    if order is None:
        return None
    for candidate in (order, public_of(order)) if order[5] else (order,):
        for span in spans:
            if contains(span, candidate):
                return True
        for listed in versions:
            if read_order(listed) == candidate:
                return True
    return None if unclear else False

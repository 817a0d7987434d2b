"""Which versions of a package an advisory is about.

Enters: what an OSV record says is affected, and a version. Leaves: yes, no, or that it cannot be said, which never
counts as no. https://ossf.github.io/osv-schema/#evaluation
"""

from sealwright.model.record import Record
from sealwright.model.version_order import public_of, read_order
from sealwright.model.version_spans import Span, contains

MALICIOUS = "MAL-"
_MAX_NAME = 200
_SEPARATORS = str.maketrans("_.", "--")
_NO_SEPARATORS = str.maketrans("", "", "-_.")


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
    normalised = name.lower().translate(_SEPARATORS)  # a regular expression takes longer to compile than all look-ups
    while "--" in normalised:
        normalised = normalised.replace("--", "-")
    return normalised


def is_name(name: str) -> bool:
    """Tell whether a text is the name of a project (PEP 508, https://peps.python.org/pep-0508/#names)."""
    if not 0 < len(name) <= _MAX_NAME or not name.isascii():
        return False
    if name.isalnum():
        return True
    return name[0].isalnum() and name[-1].isalnum() and name.translate(_NO_SEPARATORS).isalnum()


def concerns(affected: Affected, version: str) -> bool | None:
    """Tell whether an advisory is about this version: True, False, or None if that cannot be said.

    A local version (1.0+cpu) is also held against what is said of the public one: it was built from it, and no advisory
    lists local versions. https://ossf.github.io/osv-schema/#evaluation
    """
    if version in affected.versions or version in affected.texts:
        return True
    order = read_order(version)
    if order is not None:
        public = public_of(order)
        for candidate in (order,) if public == order else (order, public):
            for span in affected.spans:
                if contains(span, candidate):
                    return True
            for listed in affected.versions:
                if read_order(listed) == candidate:
                    return True
    return None if affected.unclear or order is None else False

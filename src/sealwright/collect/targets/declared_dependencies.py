"""Name, version and dependencies as core metadata states them.

Enters: the bytes of a METADATA or PKG-INFO. Leaves: `Stated`, or a ValueError.
https://packaging.python.org/en/latest/specifications/core-metadata/
"""

from typing import NamedTuple

from sealwright.model.advisory import is_name, normalise


class Stated(NamedTuple):
    """`name` is normalised (PEP 503); `requires` are the Requires-Dist as they are written.

    `final`: in an sdist, too, there are no others (PEP 643, https://peps.python.org/pep-0643/).
    """

    name: str
    version: str
    requires: tuple[str, ...]
    final: bool


def read_declared(content: bytes) -> Stated:
    """Read metadata, which must state Name and Version exactly once. Raises ValueError."""
    from email.parser import BytesHeaderParser
    from email.policy import compat32

    message = BytesHeaderParser(policy=compat32).parsebytes(content)
    names, versions = message.get_all("Name") or [], message.get_all("Version") or []
    if len(names) != 1 or len(versions) != 1:
        raise ValueError("its metadata does not state Name and Version exactly once")
    name, version = str(names[0]).strip(), str(versions[0]).strip()
    if not is_name(name) or not version:
        raise ValueError("its metadata states no usable name or version")
    requires = tuple(str(each) for each in message.get_all("Requires-Dist") or [])
    dynamic = {str(each).strip().lower() for each in message.get_all("Dynamic") or []}
    final = "requires-dist" not in dynamic and _is_static(str(message.get("Metadata-Version")))
    return Stated(normalise(name), version, requires, final)


def _is_static(text: str) -> bool:
    """Tell whether metadata of this version says which of its fields are dynamic: 2.2 and later."""
    major, _, minor = text.strip().partition(".")
    return text.isascii() and major.isdecimal() and minor.isdecimal() and (int(major), int(minor)) >= (2, 2)

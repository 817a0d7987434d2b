"""Name, version and dependencies as core metadata states them.

Enters: the bytes of a METADATA or PKG-INFO. Leaves: `Stated`, or a ValueError.
https://packaging.python.org/en/latest/specifications/core-metadata/
"""

from typing import NamedTuple

from sealwright.model.advisory import is_name, normalise


class Stated(NamedTuple):
    """`name` is normalised (PEP 503); `requires` are the Requires-Dist as they are written."""

    name: str
    version: str
    requires: tuple[str, ...]


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
    return Stated(normalise(name), version, tuple(str(each) for each in message.get_all("Requires-Dist") or []))

"""What the readers of SBOMs of every format ask of a field.

Enters: a text of an SBOM. Leaves: whether it is a time, or a name for people.
"""

import re

from sealwright.collect.contents.references import clean

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,12})?(Z|[+-]\d{2}:\d{2})")


def is_time(text: str) -> bool:
    """Tell whether a text is a time (RFC 3339)."""
    return _TIME.fullmatch(text) is not None


def label(name: str, version: str, number: int) -> str:
    """Name a component for people."""
    shown = clean(name, 200) or f"(unnamed, number {number})"
    return f"{shown} {clean(version, 100)}".rstrip()

"""What is known to exist.

Enters: nothing. Leaves: `KnownNames`.
"""

from sealwright.model.record import Record


class KnownNames(Record):
    """Which names, and which versions of them, exist; empty `versions` of a name: any may. `source` says who knows."""

    source: str
    versions: dict[str, frozenset[str]]

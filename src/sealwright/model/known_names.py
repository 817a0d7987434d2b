"""What is known to exist.

Enters: nothing. Leaves: `KnownNames`.
"""

from sealwright.model.record import Record
from sealwright.model.version_order import read_order


class KnownNames(Record):
    """Which names, and which versions of them, exist; empty `versions` of a name: any may. `source` says who knows."""

    source: str
    versions: dict[str, frozenset[str]]

    def objection(self, name: str, version: str) -> str:
        """Say that a project (its name normalised), or this version of it, is not known to exist, or nothing."""
        versions = self.versions.get(name)
        if versions is None:
            return f"{self.source} does not know this project"
        order = read_order(version)
        if versions and version not in versions and not any(read_order(text) == order for text in versions):
            return f"{self.source} does not know version {version[:60]}"
        return ""

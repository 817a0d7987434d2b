"""The files that are to be installed, and whether they are those that are pinned.

Enters: nothing. Leaves: `KnownFiles`.
"""

from collections.abc import Mapping

from sealwright.model.dependency import Dependency
from sealwright.model.record import Record
from sealwright.model.version_order import Order, read_order

_SHA256 = "sha256:"


class KnownFiles(Record):
    """SHA-256 (hex) of each file, by project (normalised) and version; `source` is the folder where they lie."""

    source: str
    digests: Mapping[tuple[str, Order], frozenset[str]]

    def objection(self, dependency: Dependency) -> str:
        """Say why a dependency is none of these files, or nothing if it is, or if no hash pins it.

        Name and version of a file that is pinned by its hash are what somebody says of it: if it is another file,
        nobody has looked at what will be installed. https://pip.pypa.io/en/stable/topics/secure-installs/
        """
        version = read_order(dependency.version)
        if not dependency.hashes or version is None:
            return ""
        pinned = {each.lower().removeprefix(_SHA256) for each in dependency.hashes if each.lower().startswith(_SHA256)}
        if not pinned:
            return "its hashes are no SHA-256, and cannot be compared"
        there = self.digests.get((dependency.name, version), frozenset())
        if not there:
            return f"{self.source} holds no file of this version to compare its hashes with"
        return "" if pinned & there else f"its hashes are those of no file of this version in {self.source}"

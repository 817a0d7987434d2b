"""The files that are to be installed, and whether they are those that are pinned.

Enters: nothing. Leaves: `KnownFiles`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from sealwright.model.advisory import read_version
from sealwright.model.dependency import Dependency

if TYPE_CHECKING:
    from packaging.version import Version

_SHA256 = "sha256:"


class KnownFiles(NamedTuple):
    """SHA-256 (hex) of each file, by project (normalised) and version; `source` is the folder where they lie."""

    source: str
    digests: "Mapping[tuple[str, Version], frozenset[str]]"

    def objection(self, dependency: Dependency) -> str:
        """Say why a dependency is none of these files, or nothing if it is, or if no hash pins it.

        Name and version of a file that is pinned by its hash are what somebody says of it: if it is another file,
        nobody has looked at what will be installed. https://pip.pypa.io/en/stable/topics/secure-installs/
        """
        version = read_version(dependency.version)
        if not dependency.hashes or version is None:
            return ""
        pinned = {each.lower().removeprefix(_SHA256) for each in dependency.hashes if each.lower().startswith(_SHA256)}
        if not pinned:
            return "its hashes are no SHA-256, and cannot be compared"
        there = self.digests.get((dependency.name, version), frozenset())
        if not there:
            return f"{self.source} holds no file of this version to compare its hashes with"
        return "" if pinned & there else f"its hashes are those of no file of this version in {self.source}"

"""The files that are to be installed, and whether they are those that are pinned.

Enters: nothing. Leaves: `KnownFiles`.
"""

from collections.abc import Mapping

from sealwright.model.dependency import Dependency
from sealwright.model.record import Record
from sealwright.model.version_order import Order, read_order

_SHA256 = "sha256:"
_SHOWN, _MOST = 16, 4


class KnownFiles(Record):
    """SHA-256 (hex) of each file, by project (normalised) and version; `source` is the folder or index that has them.

    `whole`: it has every file of a version. A folder holds what is to be installed here, an index all there are: of a
    hash that is of none of these, nobody knows what it lets in.
    """

    source: str
    digests: Mapping[tuple[str, Order], frozenset[str]]
    whole: bool = False

    def objection(self, dependency: Dependency) -> str:
        """Say why a dependency is none of these files, or nothing if it is, or if no hash pins it.

        Name and version of a file that is pinned by its hash are what somebody says of it: if it is another file,
        nobody has looked at what will be installed. https://pip.pypa.io/en/stable/topics/secure-installs/
        """
        if dependency.unhashed:
            return "one of its files has no hash, or a weak one: it cannot be compared"
        version = read_order(dependency.version)
        if not dependency.hashes or version is None:
            return ""
        stated = (*dependency.hashes, *dependency.hashes_of_some) if self.whole else dependency.hashes
        pinned = {each.lower().removeprefix(_SHA256) for each in stated if each.lower().startswith(_SHA256)}
        if not pinned:
            return "its hashes are no SHA-256, and cannot be compared"
        there = self.digests.get((dependency.name, version))
        if there is None:
            return f"{self.source} holds no file of this version to compare its hashes with"
        if not there:
            return f"{self.source} states no SHA-256 of a file of this version"
        strange = pinned - there
        if strange and (self.whole or strange == pinned):
            which = "its hashes are those" if strange == pinned else "one of its hashes is that"
            sides = f"pinned {_short(strange)}, there {_short(there)}"
            return f"{which} of no file of this version in {self.source}: {sides}"
        if self.whole and not all(each.lower().startswith(_SHA256) for each in stated):
            return "one of its hashes is no SHA-256, and cannot be compared"
        return ""


def _short(digests: frozenset[str] | set[str]) -> str:
    first = ", ".join(f"{each[:_SHOWN]}…" for each in sorted(digests)[:_MOST])
    return first + (f" and {len(digests) - _MOST} more" if len(digests) > _MOST else "")

"""What an input says is depended on.

Enters: what a reader of sealwright.collect found. Leaves: `Dependencies`. An entry that cannot be held against
advisories stays in it, with the reason: it is a part of the answer.
"""

from sealwright.model.record import Record


class Dependency(Record):
    """One dependency as an input states it.

    `name` is normalised (PEP 503), or as it is written if it is no name; `version` as it is written, or empty.
    `problem` says why it cannot be audited, empty if it can. `line` counts from 1; 0: there are no lines to speak of.
    `marker` and `hashes` are kept to be shown: a dependency is audited wherever its marker is true. Where several lines
    state it, `hashes` are those that all lines with hashes allow, and `hashes_of_some` what only some of them do.
    `unhashed`: a lock lists a file of it that no hash pins, so an installer takes whatever is there.
    """

    name: str
    version: str
    file: str
    line: int = 0
    problem: str = ""
    marker: str = ""
    hashes: tuple[str, ...] = ()
    hashes_of_some: tuple[str, ...] = ()
    unhashed: bool = False


class Product(Record):
    """What depends on them; `version` is empty where nobody says it."""

    name: str
    version: str


class Dependencies(Record):
    """All dependencies of a target, in the order of the input; `notes` is what else its reader wants said.

    `read` are the resolved paths of the files whose every entry is here, where the target names others.
    """

    kind: str
    target: str
    entries: tuple[Dependency, ...]
    product: Product | None = None
    notes: tuple[str, ...] = ()
    read: tuple[str, ...] = ()

"""What a software bill of materials is about: packages, what they say of themselves, and who needs whom.

Enters: nothing. Leaves: records. They hold facts that were read, never a judgement; what could not be known is listed
in `Inventory.unknown`, so that silence is never taken for completeness.
"""

from typing import NamedTuple


class Stated(NamedTuple):
    """What metadata says about a licence, in its own words, and in which field."""

    field: str
    text: str


class Licence(NamedTuple):
    """`expressions` are normalised SPDX expressions; `names` are what no SPDX identifier could be told for.

    More than one of them means that the metadata names several without saying how they combine.
    """

    expressions: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    evidence: tuple[Stated, ...] = ()


class Contact(NamedTuple):
    """A person or a mailbox; each part may be empty."""

    name: str
    email: str


class Supplier(NamedTuple):
    """Who a package says it comes from; `derived` tells from what it was concluded, where no field says it."""

    name: str
    contacts: tuple[Contact, ...] = ()
    url: str = ""
    derived: str = ""


class Reference(NamedTuple):
    """An address outside; `kind` is a type of CycloneDX's external references. `sha256` is of what lies there."""

    kind: str
    url: str
    comment: str = ""
    sha256: str = ""


class CoreMetadata(NamedTuple):
    """The fields of a package's metadata that matter here; `name` is normalised (PEP 503)."""

    name: str
    version: str
    summary: str = ""
    licence: Licence = Licence()
    supplier: Supplier | None = None
    references: tuple[Reference, ...] = ()
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


class DistributionFile(NamedTuple):
    """The file a package is installed from: name, address (empty if it is on this machine), hex SHA-256."""

    name: str
    url: str = ""
    sha256: str = ""


class Package(NamedTuple):
    """One package. `hashes` are the SHA-256 of its file, or of each file that may be the one that is installed."""

    name: str
    version: str
    purl: str
    metadata: CoreMetadata
    hashes: tuple[str, ...] = ()
    files: tuple[DistributionFile, ...] = ()
    nested: tuple[Reference, ...] = ()
    extras: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()


class Inventory(NamedTuple):
    """All of it: the project, its packages, the active edges by purl, and what could not be known, in sentences.

    `phase` is a phase of CycloneDX's lifecycles; `source` says what was read.
    """

    root: Package
    packages: tuple[Package, ...]
    edges: dict[str, tuple[str, ...]]
    phase: str
    source: str
    unknown: tuple[str, ...] = ()


class Origin(NamedTuple):
    """Who made an SBOM and when: `author` may be empty; `timestamp` is RFC 3339 in UTC, or empty."""

    tool: str
    tool_version: str
    author: str = ""
    timestamp: str = ""

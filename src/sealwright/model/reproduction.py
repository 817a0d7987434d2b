"""What came of rebuilding a release: which artifacts came out the same, and where and why others did not.

Enters: nothing. Leaves: `Reproduction` and its parts. The exit code is derived from the artifacts here and nowhere
else: it can only be 0 if there was something to compare, and every bit of it was the same.
"""

from enum import Enum
from typing import NamedTuple

from sealwright.errors import ExitCode, gravest


class Why(Enum):
    """In what two archives, or two members of the same name, differ."""

    CONTENT = "content"
    ONLY_RELEASED = "only in the release"
    ONLY_REBUILT = "only in the rebuild"
    TIME = "time stamp"
    MODE = "mode"
    OWNER = "owner"
    ORDER = "order"
    COMPRESSION = "compression"
    OTHER = "other metadata"


IN_CONTENT = frozenset({Why.CONTENT, Why.ONLY_RELEASED, Why.ONLY_REBUILT})


class Member(NamedTuple):
    """One member of an archive. `sha256` (hex) and `size` (bytes) are of its content, or of a link's target.

    `blobs` are the names that git gives to the same content, by each of git's two digests. `time` is as the archive
    states it, `mode` has only the permission bits, `other` is what else its header says.
    """

    name: str
    kind: str
    size: int
    sha256: str
    blobs: tuple[str, str]
    time: str
    mode: int
    owner: str
    compression: str
    other: str = ""


class Packing(NamedTuple):
    """An archive as a whole: its members in their order, and what its own header says of time and compression.

    `stream` is the SHA-256 of what a compressed archive unpacks to; `outside` names bytes that belong to no member.
    """

    members: tuple[Member, ...]
    time: str = ""
    compression: str = ""
    stream: str = ""
    outside: str = ""


class Difference(NamedTuple):
    """One difference: in which member ("" is the archive itself), why, and what each side has.

    `diff` is a short unified diff, where both are text.
    """

    member: str
    why: Why
    released: str
    rebuilt: str
    diff: tuple[str, ...] = ()


class Outcome(Enum):
    """What came of one artifact."""

    SAME = "same"
    METADATA = "metadata differs"
    CONTENT = "content differs"
    NOT_REBUILT = "not rebuilt"
    NOT_COMPARED = "not compared"


_CODES = {
    Outcome.SAME: ExitCode.DONE,
    Outcome.METADATA: ExitCode.ANOMALY,
    Outcome.CONTENT: ExitCode.TAMPERED,
    Outcome.NOT_REBUILT: ExitCode.UNDECIDED,
    Outcome.NOT_COMPARED: ExitCode.DONE,
}


class Side(NamedTuple):
    """One of the two files: SHA-256 in hex, bytes, and the tool that it says it was built with."""

    sha256: str
    size: int
    tool: str = ""


class Compared(NamedTuple):
    """One artifact of the release, against its rebuild; `note` says what a reader must know of it."""

    name: str
    kind: str
    outcome: Outcome
    released: Side
    rebuilt: Side | None = None
    differences: tuple[Difference, ...] = ()
    note: str = ""


class Origin(Enum):
    """Where a file of an sdist that is not in the commit, or of a wheel that is not in the sdist, comes from."""

    METADATA = "written by the build backend, as its format demands"
    BUILD = "made by the build: the rebuild makes the same"
    CHANGED = "there with other content; the rebuild changes it in the same way"
    UNEXPLAINED = "unexplained: the rebuild does not make it"


class Extra(NamedTuple):
    """A file of `artifact` that is not, or not like that, in `source`: the commit or the sdist."""

    artifact: str
    name: str
    source: str
    origin: Origin


class Source(NamedTuple):
    """What was rebuilt: the repository as it was named, the full commit, who says that it is this one, and how.

    `epoch` is the SOURCE_DATE_EPOCH of the rebuild, in seconds since 1970. `vouched` tells whether a verified
    provenance named the commit; `backend` is what the isolated environment was held to.
    """

    repository: str
    commit: str
    vouched: bool
    epoch: int
    isolated: bool
    backend: str


class Reproduction(NamedTuple):
    """All of it. `notes` are for the reader, and decide nothing."""

    folder: str
    source: Source
    artifacts: tuple[Compared, ...]
    extras: tuple[Extra, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """The gravest of the artifacts'; UNDECIDED if none was compared."""
        code = gravest({_CODES[artifact.outcome] for artifact in self.artifacts})
        compared = any(artifact.outcome is not Outcome.NOT_COMPARED for artifact in self.artifacts)
        return code if compared else ExitCode.UNDECIDED


def outcome_of(differences: tuple[Difference, ...]) -> Outcome:
    """Return what the differences of two files that are not the same, bit for bit, amount to.

    None found means that nobody knows what differs, so it is never taken for less than content.
    """
    if not differences or any(difference.why in IN_CONTENT for difference in differences):
        return Outcome.CONTENT
    return Outcome.METADATA

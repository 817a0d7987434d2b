"""A checkpoint: how long an audit log was at a time, and the digest it ended with, for somebody to sign.

Enters: numbers and digests, or the bytes of a checkpoint file. Leaves: the bytes to sign, a `Checkpoint`, the verdict
on a log. A checkpoint file is one line of JSON, which is signed with its newline, and then the armored signatures.
"""

import json
import re
from typing import Any, NamedTuple

from sealwright.errors import ExitCode, gravest

_KIND = "sealwright audit log checkpoint"
_HEX = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_MOST_LINES = 10**12
_ONE_OBJECT = re.compile(rb"\{[^\[\]{}]{0,400}\}\n")


class Checkpoint(NamedTuple):
    """A log of so many lines; `first` and `head` are the digests of its first and last one, `time` as in the log."""

    lines: int
    first: str
    head: str
    time: str

    def to_bytes(self) -> bytes:
        """Return the line that is signed."""
        return json.dumps({"kind": _KIND} | self._asdict(), separators=(",", ":")).encode("ascii") + b"\n"


class Held(NamedTuple):
    """A log held against one checkpoint: whose it is, and what is wrong (empty if nothing); `lines` it speaks for."""

    name: str
    signer: str
    lines: int
    time: str
    problem: str = ""
    code: ExitCode = ExitCode.DONE


class LogVerdict(NamedTuple):
    """What was found out about a log: the chain, the checkpoints, what was not checked."""

    path: str
    lines: int
    head: str
    problem: str
    torn: int
    backwards: int
    held: tuple[Held, ...]

    @property
    def exit_code(self) -> ExitCode:
        """10 for a chain that does not hold or was cut, 11 for a checkpoint nobody vouches for, 3 for a torn line."""
        codes = {held.code for held in self.held}
        codes |= {ExitCode.TAMPERED} if self.problem else set()
        codes |= {ExitCode.UNDECIDED} if self.torn else set()
        return gravest(codes)

    @property
    def proved(self) -> int:
        """How many lines a signed checkpoint speaks for: none of them can have been cut off."""
        return max((held.lines for held in self.held if not held.problem), default=0)


def parse_checkpoint(line: bytes) -> Checkpoint:
    """Read the first line of a checkpoint file. Raises ValueError."""
    document: Any = json.loads(line.decode("ascii")) if _ONE_OBJECT.fullmatch(line) else None
    found: dict[str, Any] = {key: document.get(key) if document else None for key in Checkpoint._fields}
    lines, first, head, time = found.values()
    well_formed = isinstance(lines, int) and 0 < lines < _MOST_LINES
    for pattern, value in ((_HEX, first), (_HEX, head), (_TIME, time)):
        well_formed = well_formed and isinstance(value, str) and pattern.fullmatch(value) is not None
    if not well_formed or Checkpoint(**found).to_bytes() != line:  # one spelling, so that nothing hides in another
        raise ValueError("no checkpoint of an audit log, or not in the one spelling that is signed")
    return Checkpoint(**found)

"""What comes of judging one statement.

Enters: nothing. Leaves: `Judged`.
"""

from typing import NamedTuple

from sealwright.errors import ExitCode


class Judged(NamedTuple):
    """What is wrong with a statement, or, if nothing is, what it shows; `costs` is what a problem ends with."""

    problem: str
    shown: str = ""
    costs: ExitCode = ExitCode.TAMPERED

"""What comes of judging one statement.

Enters: nothing. Leaves: `Judged`.
"""

from typing import NamedTuple


class Judged(NamedTuple):
    """What is wrong with a statement, or, if nothing is, what it shows."""

    problem: str
    shown: str = ""

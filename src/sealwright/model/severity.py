"""How grave an advisory is: the score of a CVSS vector, version 2 to 4, as the cvss library computes it.

Enters: vectors of an advisory. Leaves: one score with its word, or none. A vector that the library refuses is passed
over. https://www.first.org/cvss/
"""

from sealwright.model.record import Record


class Severity(Record):
    """A CVSS vector as OSV gives it: `kind` is CVSS_V2, CVSS_V3 or CVSS_V4."""

    kind: str
    vector: str


class Score(Record):
    """`score` from 0.0 to 10.0, its word in lower case (none, low, medium, high, critical), and the vector it is of."""

    score: float
    word: str
    vector: str


def score(severities: tuple[Severity, ...]) -> Score | None:
    """Return the score by the newest version of CVSS that is given; of several vectors of it, the highest."""
    from cvss import CVSS2, CVSS3, CVSS4
    from cvss.exceptions import CVSSError

    for kind, calculate in (("CVSS_V4", CVSS4), ("CVSS_V3", CVSS3), ("CVSS_V2", CVSS2)):
        found: list[Score] = []
        for severity in severities:
            if severity.kind != kind:
                continue
            try:
                made = calculate(severity.vector)
                found.append(Score(float(made.scores()[0]), str(made.severities()[0]).lower(), severity.vector))
            except (CVSSError, ValueError, LookupError, ArithmeticError, TypeError, AttributeError):
                continue
        if found:
            return max(found)
    return None

"""How much of the minimum elements an SBOM has, and what it lacks where.

Enters: what an SBOM says, as facts of any format. Leaves: `SbomScore`. Knows the elements of two lists:
NTIA 2021, https://www.ntia.gov/report/2021/minimum-elements-software-bill-materials-sbom, and
CISA 2025 (draft for comment), https://www.cisa.gov/resources-tools/resources/2025-minimum-elements-software-bill-materials-sbom
"""

from enum import Enum
from typing import NamedTuple

from sealwright.errors import ExitCode


class Standard(Enum):
    """The lists of minimum elements."""

    NTIA = "NTIA 2021"
    CISA = "CISA 2025"


class SbomComponent(NamedTuple):
    """What an SBOM says of one component: `label` for people, the rest whether it says it."""

    label: str
    name: bool
    version: bool
    supplier: bool
    identifier: bool
    hash: bool
    licence: bool
    related: bool


class SbomFacts(NamedTuple):
    """What an SBOM says: `format` for people, the rest whether it says it. `faults` are where it breaks its schema.

    `schema_checked` is false for a format whose schema is not at hand.
    """

    format: str
    author: bool
    tool: bool
    timestamp: bool
    context: bool
    components: tuple[SbomComponent, ...]
    faults: tuple[str, ...] = ()
    schema_checked: bool = False


class ElementScore(NamedTuple):
    """One element of a list: how many have it, of how many, and who lacks it."""

    standard: Standard
    name: str
    have: int
    of: int
    missing: tuple[str, ...]


class SbomScore(NamedTuple):
    """The whole judgement; `minimum` is the score that was asked for, 0 to 100."""

    path: str
    facts: SbomFacts
    elements: tuple[ElementScore, ...]
    minimum: int = 0

    def percent(self, standard: Standard) -> int:
        """The mean of a list's elements in whole percent, rounded down: 100 means that nothing is missing."""
        shares = [element for element in self.elements if element.standard is standard]
        whole = 1
        for element in shares:
            whole *= max(element.of, 1)
        parts = sum(element.have * (whole // max(element.of, 1)) for element in shares)
        return 100 * parts // (whole * len(shares))

    @property
    def lowest(self) -> int:
        """The lower of the two scores, which is the one that the minimum is held against."""
        return min(self.percent(standard) for standard in Standard)

    @property
    def exit_code(self) -> ExitCode:
        """12 (required evidence is missing) if it breaks its schema or is below the minimum, else 0."""
        return ExitCode.MISSING if self.facts.faults or self.lowest < self.minimum else ExitCode.DONE


_DOCUMENT = "the document"
_OF_COMPONENTS = {
    Standard.NTIA: (
        ("supplier name", "supplier"),
        ("component name", "name"),
        ("version", "version"),
        ("other unique identifiers", "identifier"),
        ("dependency relationship", "related"),
    ),
    Standard.CISA: (
        ("software producer", "supplier"),
        ("component name", "name"),
        ("component version", "version"),
        ("software identifiers", "identifier"),
        ("component hash", "hash"),
        ("license", "licence"),
        ("dependency relationship", "related"),
    ),
}
_OF_THE_DOCUMENT = {
    Standard.NTIA: (("author of SBOM data", "author"), ("timestamp", "timestamp")),
    Standard.CISA: (
        ("SBOM author", "author"),
        ("tool name", "tool"),
        ("timestamp", "timestamp"),
        ("generation context", "context"),
    ),
}


def score_sbom(path: str, facts: SbomFacts, minimum: int = 0) -> SbomScore:
    """Count. An SBOM without a component has none of the elements of components."""
    elements = []
    for standard in Standard:
        for name, field in _OF_COMPONENTS[standard]:
            lacking = tuple(component.label for component in facts.components if not getattr(component, field))
            count = len(facts.components)
            elements.append(
                ElementScore(standard, name, count - len(lacking), max(count, 1), lacking if count else (_DOCUMENT,))
            )
        for name, field in _OF_THE_DOCUMENT[standard]:
            there = bool(getattr(facts, field))
            elements.append(ElementScore(standard, name, int(there), 1, () if there else (_DOCUMENT,)))
    return SbomScore(path, facts, tuple(elements), minimum)

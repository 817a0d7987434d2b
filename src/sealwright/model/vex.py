"""VEX statements: which finding, in which component, of which product, need not be feared.

Enters: statements as they were read. Leaves: by what a finding is set aside. Never by the id of a vulnerability
alone: the product must be the one that is audited, and the component the dependency; one that names qualifiers
sets nothing aside. https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from sealwright.model.audit import Finding
from sealwright.model.dependency import Dependency, Product
from sealwright.model.purl import PypiPurl
from sealwright.model.version_order import read_order

SET_ASIDE = ("not_affected", "fixed")
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Statement(NamedTuple):
    """`product` is None where the component itself is the product; `moment` where nobody knows when it was made."""

    ids: frozenset[str]
    product: PypiPurl | None
    component: PypiPurl
    status: str
    why: str
    moment: datetime | None
    source: str


class Statements:
    """The statements of some documents, for one product."""

    def __init__(self, statements: tuple[Statement, ...], product: Product | None, now: datetime) -> None:
        """Keep those whose product is the one that is audited, by the component they are about.

        What sets aside from a later time than `now` on is left out: it would win against whatever is said until then.
        So is what sets aside only a file or a part of something: what is said against one counts against the whole.
        """
        self._product = product
        self._elsewhere: dict[str, dict[str, None]] = {}
        self._by_name: dict[str, list[Statement]] = {}
        for statement in statements:
            if statement.status in SET_ASIDE and (_is_later(statement, now) or _is_narrowed(statement)):
                continue
            if statement.product is None or (product is not None and _is(statement.product, *product)):
                self._by_name.setdefault(statement.component.name, []).append(statement)
            else:
                self._elsewhere.setdefault(statement.source, {})[" ".join(statement.product[:2]).strip()] = None

    def excuse(self, dependency: Dependency, finding: Finding) -> str:
        """Say by what a finding is set aside, or nothing. The latest statement counts; of two at once, the graver."""
        matching = [
            statement
            for statement in self._by_name.get(dependency.name, ())
            if statement.ids & set(finding.ids) and _is(statement.component, dependency.name, dependency.version)
        ]
        if not matching:
            return ""
        last = max(matching, key=_when)
        return f"{last.status.replace('_', ' ')}: {last.why} ({last.source})" if last.status in SET_ASIDE else ""

    def say_idle(self, sources: Iterable[str], findings: Iterable[Finding]) -> list[str]:
        """Name the documents that set none of the `findings` aside, and why, if they are about something else."""
        used = {finding.ignored for finding in findings if finding.ignored}
        idle = [each for each in dict.fromkeys(sources) if not any(text.endswith(f"({each})") for text in used)]
        return [f"{each} sets nothing aside here{self._say_elsewhere(each)}" for each in idle]

    def _say_elsewhere(self, source: str) -> str:
        found = list(self._elsewhere.get(source, ()))
        if not found:
            return ""
        more = f", and {len(found) - 3} more" if len(found) > 3 else ""
        here = f"this is {' '.join(self._product)}".strip() if self._product else "nobody says what this is (--product)"
        return f": it speaks of what is in {', '.join(found[:3])}{more}, and {here}"


def _when(statement: Statement) -> tuple[datetime, bool]:
    """When a statement was made; of which nobody knows it, the one that sets aside is the first, any other the last."""
    grave = statement.status not in SET_ASIDE
    return statement.moment or (_LAST if grave else _FIRST), grave


def _is_later(statement: Statement, now: datetime) -> bool:
    return statement.moment is not None and statement.moment > now


def _is_narrowed(statement: Statement) -> bool:
    return statement.component.narrowed or (statement.product is not None and statement.product.narrowed)


def _is(purl: PypiPurl, name: str, version: str) -> bool:
    """A purl without a version is about every version of its project."""
    if purl.name != name:
        return False
    if not purl.version:
        return True
    stated, found = read_order(purl.version), read_order(version)
    return purl.version == version or (stated is not None and stated == found)

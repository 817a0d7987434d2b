"""Several advisories about one thing become one finding, and the version that mends them is found.

Enters: advisories that concern one dependency. Leaves: findings with all their ids, the gravest first.
https://ossf.github.io/osv-schema/#aliases-field
"""

from collections.abc import Callable, Iterable, Sequence

from sealwright.model.advisory import Affected
from sealwright.model.audit import Finding
from sealwright.model.record import Record
from sealwright.model.severity import Score
from sealwright.model.version_order import Order, is_unfinished, public_of, read_order
from sealwright.model.version_spans import Cover

_ID_ORDER = {"MAL-": 0, "PYSEC-": 1, "GHSA-": 2, "CVE-": 3}


class Concerning(Record):
    """An advisory that concerns a dependency. `fixes` are the versions in which it says that it is mended."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    score: Score | None
    published: str
    fixes: tuple[str, ...]
    source: str = ""


def merge(found: Iterable[Concerning], version: str) -> tuple[Finding, ...]:
    """Merge what shares an id or an alias; one finding each."""
    found = list(found)
    if len(found) == 1:
        return (_finding(found, version),)
    findings = [_finding(group, version) for group in _groups(found)]
    return tuple(sorted(findings, key=_gravest_first))


def _groups(found: list[Concerning]) -> Iterable[list[Concerning]]:
    """What shares an id or an alias, also by way of another one; each id is looked at once, however many there are."""
    by_id: dict[str, list[Concerning]] = {}
    for advisory in found:
        names = (advisory.id, *advisory.aliases)
        groups = {id(group): group for name in names if (group := by_id.get(name))}.values()
        largest = max(groups, key=len, default=[])
        for group in ([advisory], *groups):
            if group is not largest:
                largest += group
                by_id |= dict.fromkeys((name for each in group for name in (each.id, *each.aliases)), largest)
    return {id(group): group for group in by_id.values()}.values()


def _finding(group: list[Concerning], version: str) -> Finding:
    own = sorted({each.id for each in group}, key=_id_order)
    # The records themselves come first: an alias may have no page of its own.
    ids = own + sorted({name for each in group for name in each.aliases}.difference(own), key=_id_order)
    first = next(each for each in group if each.id == own[0])
    return Finding(
        tuple(ids),
        first.summary or next((each.summary for each in group if each.summary), ""),
        max((each.score for each in group if each.score), default=None),
        lowest_after(version, (fix for each in group for fix in each.fixes)),
        first.published,
        "",
        first.source,
    )


def _id_order(name: str) -> tuple[int, str]:
    return _ID_ORDER.get(name[: name.find("-") + 1], len(_ID_ORDER)), name


def _gravest_first(finding: Finding) -> tuple[bool, float, str]:
    return not finding.malicious, -(finding.score.score if finding.score else 0.0), finding.ids[0]


def lowest_after(version: str, candidates: Iterable[str], fits: Callable[[str], bool] = lambda text: True) -> str:
    """The lowest candidate that is later than `version` and fits, or empty. Versions that are not PEP 440 never do.

    A pre-release is only suggested to who uses one.
    """
    current = read_order(version)
    later: dict[Order, str] = {}
    for text in candidates if current is not None else ():
        parsed = read_order(text)
        if current is not None and parsed is not None and parsed > current:
            later.setdefault(parsed, text)
    for unfinished in (False, True):
        for parsed in sorted(later):
            if is_unfinished(parsed) == unfinished and fits(later[parsed]):
                return later[parsed]
    return ""


def fixes_of(affected: Affected) -> tuple[str, ...]:
    """The versions in which an advisory says that it is mended."""
    return tuple(span.end for span in affected.spans if span.end and not span.closed)


def find_fix(version: str, affected: Sequence[Affected], fixes: Iterable[str]) -> str:
    """The lowest later version that mends everything: none of the package's advisories may be about it."""
    fixes = tuple(fixes)
    if not fixes or any(each.unclear for each in affected):
        return ""
    cover = Cover(span for each in affected for span in each.spans)
    listed = {text for each in affected for text in (*each.versions, *each.texts)}
    orders = {read_order(text) for each in affected for text in each.versions}

    def is_free(text: str) -> bool:  # as `concerns` has it, of all at once
        order = read_order(text)
        if text in listed or order is None:
            return False
        return not any(each in orders or cover.contains(each) for each in {order, public_of(order)})

    return lowest_after(version, fixes, is_free)

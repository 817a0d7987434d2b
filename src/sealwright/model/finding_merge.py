"""Several advisories about one thing become one finding, and the version that mends them is found.

Enters: advisories that concern one dependency. Leaves: findings with all their ids, the gravest first.
https://ossf.github.io/osv-schema/#aliases-field
"""

from collections.abc import Callable, Iterable, Sequence

from sealwright.model.advisory import Affected, concerns
from sealwright.model.audit import Finding
from sealwright.model.record import Record
from sealwright.model.severity import Score
from sealwright.model.version_order import Order, is_unfinished, read_order

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
    groups: list[list[Concerning]] = []
    for advisory in found:
        ids = {advisory.id, *advisory.aliases}
        joined = [advisory]
        for group in [group for group in groups if any(ids & {each.id, *each.aliases} for each in group)]:
            groups.remove(group)
            joined = group + joined
        groups.append(joined)
    findings = [_finding(group, version) for group in groups]
    return tuple(sorted(findings, key=_gravest_first))


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
    return lowest_after(version, fixes, lambda text: all(concerns(each, text) is False for each in affected))

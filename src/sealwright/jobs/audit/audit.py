"""Hold every dependency of a target against the advisories of the local index.

Enters: dependencies, an index, ignores, the time. Leaves: an `AuditResult`, in which each dependency is clean,
vulnerable, ignored or not audited. Opens no connection, runs nothing, and downloads nothing: it believes the versions
that the target states.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sealwright.model.advisory import concerns, is_name
from sealwright.model.audit import UNHEARD_VERSION, Audited, AuditResult, Finding, Ignore
from sealwright.model.dependency import Dependencies, Dependency
from sealwright.model.finding_merge import Concerning, find_fix, fixes_of, merge
from sealwright.model.index_facts import IndexFacts, describe_age
from sealwright.model.record import Record
from sealwright.model.version_order import Order, public_of, read_order
from sealwright.model.version_spans import Bound
from sealwright.store.advisory_index import AdvisoryIndex, Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sealwright.model.known_files import KnownFiles
    from sealwright.model.known_names import KnownNames

Excuse = Callable[[Dependency, Finding], str]
"""Says by what a finding is set aside (a VEX statement that matches), or nothing."""


def no_excuse(dependency: Dependency, finding: Finding) -> str:
    """Set nothing aside."""
    return ""


_UNHEARD = "no advisory names this project"
_OLD = timedelta(days=30)


class Rules(Record):
    """What the project has decided: its ignores, how old an index may be, what exists, and what is to be installed."""

    ignores: tuple[Ignore, ...] = ()
    excuse: Excuse = no_excuse
    max_age: timedelta | None = None
    known: "KnownNames | None" = None
    known_by_index: bool = False
    files: "KnownFiles | None" = None


def audit(dependencies: Dependencies, index: AdvisoryIndex, rules: Rules, *, now: datetime) -> AuditResult:
    """Audit dependencies offline. Raises UndecidedError if the index breaks off."""
    entries = distinct(dependencies.entries)
    index.load(entry.name for entry in entries if is_name(entry.name))
    audited = tuple(look_up(entry, index, rules) for entry in entries)
    return conclude(dependencies, audited, rules, now=now, index=index.facts)


def conclude(
    dependencies: Dependencies,
    audited: tuple[Audited, ...],
    rules: Rules,
    *,
    now: datetime,
    index: IndexFacts | None = None,
    service: str = "",
    warnings: tuple[str, ...] = (),
) -> AuditResult:
    """Apply ignores to what was found, and add it all up."""
    applied, used = _apply(audited, rules, now)
    expired = tuple(ignore for ignore in rules.ignores if not ignore.counts(now))
    spent = {ignore for ignore, _ in used}
    unmatched = tuple(ignore for ignore in rules.ignores if ignore.counts(now) and ignore not in spent)
    hashed = 0 if rules.files else sum(bool(entry.dependency.hashes) for entry in audited)
    whose = f"{hashed} {'dependency' if hashed == 1 else 'dependencies'}"
    unlike = [f"the hashes of {whose} were not compared with any file; --files does"] if hashed else []
    of_index = _say_skipped(index) if index else []
    of_index += _say_old(index, rules, now) if index and not service else []
    notes = [*dependencies.notes, *unlike, *of_index, *warnings]
    stale = _stale(index, rules, now) if index and not service else ""
    return AuditResult(
        dependencies.kind, dependencies.target, dependencies.product, applied, now, index, service, stale, expired,
        unmatched, used, tuple(notes),
    )  # fmt: skip


def distinct(entries: tuple[Dependency, ...]) -> tuple[Dependency, ...]:
    """Leave out what repeats an earlier entry. Two hashes for one file cannot both be right: that is not audited."""
    seen: dict[tuple[str, str, str, str], int] = {}
    kept: list[Dependency] = []
    for entry in entries:
        key = (entry.name, entry.version, entry.problem, entry.marker)
        known = seen.setdefault(key, len(kept))
        if known == len(kept):
            kept.append(entry)
            continue
        if entry.hashes:  # what one line pins must not hide behind another
            kept[known] = _narrow(kept[known], entry.hashes)
        if entry.unhashed:  # nor what no hash pins
            kept[known] = kept[known]._replace(unhashed=True)
    return tuple(kept)


def _narrow(entry: Dependency, hashes: tuple[str, ...]) -> Dependency:
    """Allow what every line allows, as pip does, and keep the others apart: an index must have them all the same.

    https://pip.pypa.io/en/stable/topics/secure-installs/#hash-checking-mode
    """
    before, stated = entry.hashes or hashes, frozenset(hashes)
    both = tuple(each for each in before if each in stated)
    if not both:
        return entry._replace(problem="its hashes contradict those of another line")
    rest = dict.fromkeys((*entry.hashes_of_some, *before, *hashes))
    for each in both:
        rest.pop(each, None)
    return entry._replace(hashes=both, hashes_of_some=tuple(rest))


def look_up(entry: Dependency, index: AdvisoryIndex, rules: Rules) -> Audited:
    """Audit one dependency."""
    if entry.problem:
        return Audited(entry, reasons=(entry.problem,))
    if not is_name(entry.name):
        return Audited(entry, reasons=("its name is no name of a project",))
    other = rules.files.objection(entry) if rules.files else ""
    bound, order = index.bound(entry.name), read_order(entry.version)
    past = bound is not None and order is not None and bound.is_passed(order)
    known = () if bound is None or past else index.entries(entry.name)
    if not known and order is not None and not other and rules.known is None and not rules.known_by_index:
        return Audited._make((entry, (), (), "", _unheard(bound, known, order)))  # most of what is audited
    found: list[Concerning] = []
    reasons = [other] if other else []
    for number, affected in known:
        about = concerns(affected, entry.version)
        if about:
            advisory = index.advisory(number)
            texts = (advisory.id, advisory.aliases, advisory.summary, advisory.score, advisory.published)
            found.append(Concerning(*texts, fixes_of(affected), ""))
        elif about is None and affected.unclear:
            reasons.append(f"{index.advisory(number).id} cannot be evaluated: {affected.unclear[0]}")
    if order is None:
        reasons.append(f"its version {entry.version[:60]!r} is not PEP 440")
    findings = merge(found, entry.version) if found else ()
    fix = ""
    if findings:
        every = [affected for _, affected in known]
        fix = find_fix(entry.version, every, (fix for affected in every for fix in fixes_of(affected)))
    reasons += _unknown(entry, rules, heard=bound is not None)
    said = findings or reasons or rules.known is not None
    unheard = "" if bound is not None and said else _unheard(bound, known, order)
    return Audited(entry, findings, tuple(reasons), fix, unheard)


def _unheard(bound: Bound | None, known: tuple[Entry, ...], order: Order | None) -> str:
    """Say that no advisory names a project, or that none names this version, not even as one that mends something."""
    if bound is None:
        return _UNHEARD
    if order is None or not (known or bound.end):
        return ""
    ends = [span.end for _, affected in known for span in affected.spans if span.end] if known else [bound.end]
    same = (order, public_of(order))
    return "" if any(read_order(end) in same for end in ends) else UNHEARD_VERSION


def _unknown(entry: Dependency, rules: Rules, *, heard: bool) -> list[str]:
    """Say that a name or a version does not exist, for all that is known."""
    if rules.known_by_index and not heard:
        return ["the index has never heard of this project"]
    other = rules.known.objection(entry.name, entry.version) if rules.known else ""
    return [other] if other else []


def _apply(
    audited: tuple[Audited, ...], rules: Rules, now: datetime
) -> tuple[tuple[Audited, ...], tuple[tuple[Ignore, Dependency], ...]]:
    """Set aside what an ignore in force, or an excuse, is about: by id and package. Never what was made to harm."""
    live = {(ignore.id, ignore.package): ignore for ignore in rules.ignores if ignore.counts(now)}
    if not live and rules.excuse is no_excuse:
        return audited, ()
    used: list[tuple[Ignore, Dependency]] = []
    applied: list[Audited] = []
    for entry in audited:
        findings: list[Finding] = []
        for finding in entry.findings:
            matching = [live[key] for name in finding.ids if (key := (name, entry.dependency.name)) in live]
            why = ""
            if not finding.malicious:
                used += [(ignore, entry.dependency) for ignore in matching]
                why = _say_ignore(matching[0]) if matching else rules.excuse(entry.dependency, finding)
            findings.append(finding._replace(ignored=why) if why else finding)
        changed = any(finding.ignored for finding in findings)
        applied.append(entry._replace(findings=tuple(findings)) if changed else entry)
    return tuple(applied), tuple(used)


def _say_ignore(ignore: Ignore) -> str:
    return f"{ignore.reason} ({ignore.owner}, until {ignore.expires:%Y-%m-%d})"


def _say_skipped(index: IndexFacts) -> list[str]:
    """Name what the index could not read: nobody knows whom such a record was about."""
    if not index.skipped_count:
        return []
    first = ", ".join(f"{each.file} ({each.problem})" for each in index.skipped[:3])
    more = f", and {index.skipped_count - 3} more" if index.skipped_count > 3 else ""
    count = index.skipped_count
    what = "advisory of the index could not be read, and was" if count == 1 else ""
    what = what or "advisories of the index could not be read, and were"
    return [f"{count} {what} skipped: {first}{more}"]


def _say_old(index: IndexFacts, rules: Rules, now: datetime) -> list[str]:
    """Warn of an index in which a month or more is missing, where nobody has said how old it may be.

    Also of a source in which nothing has changed for as long, as where a mirror stands still, whatever they have said.
    """
    quiet = index.quiet()
    frozen = f"the newest advisory was {describe_age(quiet)} when the index was fetched: does its source get new ones?"
    said = [frozen] if quiet > _OLD else []
    age = index.age(now)
    if rules.max_age is not None or (age is not None and age <= _OLD):
        return said
    return [*said, f"the index is {describe_age(age)}: newer advisories are not in it (sealwright audit db update)"]


def _stale(index: IndexFacts, rules: Rules, now: datetime) -> str:
    if rules.max_age is None:
        return ""
    age = index.age(now)
    if age is not None and age <= rules.max_age:
        return ""
    return f"the index is {describe_age(age)}; --db-max-age allows at most {_days(rules.max_age)}"


def _days(limit: timedelta) -> str:
    days = limit / timedelta(days=1)
    return f"{days:g} day{'' if days == 1 else 's'}"

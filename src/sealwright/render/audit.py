"""The result of an audit as a short text for a person: the answer, what to do, what was not looked at.

Enters: an `AuditResult`. Leaves: text. Whatever came from outside goes through `plain`.
"""

from sealwright.errors import ExitCode
from sealwright.model.audit import Audited, AuditResult, Coverage, Finding, Ignore
from sealwright.model.dependency import Dependency
from sealwright.model.index_facts import describe_age
from sealwright.render.style import PLAIN, Style, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_INDENT = 15
_MOST = 20
_MOST_FINDINGS = 5
_MOST_FIXES = 12
_MOST_SUMMARY = 2
_MOST_UNPINNED = 5
_UNPINNED = "not pinned"  # how a target says it of a requirement
_END = "\x1b[0m"
_TITLES = {
    ExitCode.DONE: ("AUDITED", "\x1b[1;32m"),
    ExitCode.VULNERABLE: ("VULNERABLE", "\x1b[1;31m"),
    ExitCode.UNAUDITED: ("NOT AUDITED IN FULL", "\x1b[1;33m"),
    ExitCode.STALE: ("STALE", "\x1b[1;33m"),
}


def render_audit(result: AuditResult, style: Style = PLAIN) -> str:
    """Write a result as lines of text, ended by a newline."""
    title, colour = _TITLES[result.exit_code]
    first = f"{title}  {plain(result.target)}: {say_counts(result)}"
    first = "\n".join(_wrap(first, style.width, subsequent_indent="  ")) if style.width else first
    lines = [first.replace(title, f"{colour}{title}{_END}", 1) if style.colour else first]
    vulnerable = sorted(result.of(Coverage.VULNERABLE), key=_gravest_first)
    for number, entry in enumerate(vulnerable[:_MOST]):
        lines += _vulnerable("" if number else "vulnerable", entry, result.target, style)
    if len(vulnerable) > _MOST:
        lines += _wrapped("", _more(len(vulnerable) - _MOST), style)
    unaudited = [f"{say_dependency(e, result.target)}: {e.reasons[0]}" for e in result.of(Coverage.NOT_AUDITED)]
    lines += _listed("not audited", unaudited, style)
    ignored = [_say_ignored(e, f, result.target) for e in result.audited for f in e.findings if not f.counts]
    lines += _listed("ignored", ignored, style)
    lines += _listed("expired", [f"{say_ignore(each)}: no longer counts" for each in result.expired], style)
    lines += _listed("unmatched", [f"{say_ignore(each)}: matches nothing" for each in result.unmatched], style)
    lines += _listed("unheard of", say_unheard(result), style)
    lines += _listed("warning", list(result.warnings), style)
    lines += _listed("against", say_against(result), style)
    lines += _listed("next", [next_step(result)], style)
    return "\n".join(lines) + "\n"


def headline(result: AuditResult) -> str:
    """Return the first words of the answer."""
    return _TITLES[result.exit_code][0]


def _gravest_first(entry: Audited) -> tuple[bool, float]:
    counting = [finding for finding in entry.findings if finding.counts]
    scores = [finding.score.score for finding in counting if finding.score]
    return not any(finding.malicious for finding in counting), -max(scores, default=0.0)


def _more(number: int) -> str:
    return f"and {number} more; --json lists them all"


def say_counts(result: AuditResult) -> str:
    """Count the dependencies by what became of them; what is nought is left out, but the whole number never is."""
    total = len(result.audited)
    counts = [(coverage.value.replace("-", " "), len(result.of(coverage))) for coverage in Coverage]
    said = ", ".join(f"{count} {name}" for name, count in counts if count)
    return f"{total} {'dependency' if total == 1 else 'dependencies'}" + (f", {said}" if said else "")


def say_place(dependency: Dependency, target: str) -> str:
    """Where a dependency stands: its line, and its file unless that is the target itself."""
    if dependency.file == target or dependency.file.startswith(target.rstrip("/") + "/"):
        return f"line {dependency.line}" if dependency.line else ""
    return f"{dependency.file}:{dependency.line}" if dependency.line else dependency.file


def say_pin(dependency: Dependency) -> str:
    """Name a dependency with its version, if it has one."""
    return f"{dependency.name} {dependency.version}".strip()


def say_dependency(entry: Audited, target: str) -> str:
    """Name a dependency, and where it stands."""
    found = entry.dependency
    name = say_pin(found)
    place = say_place(found, target)
    return f"{name} ({place})" if place else name


def say_finding(finding: Finding) -> str:
    """Name a finding by its ids, and say how grave it is."""
    cve = next((name for name in finding.ids[1:] if name.startswith("CVE-")), finding.ids[-1])
    others = f" ({cve})" if len(finding.ids) > 1 else ""
    grade = f" {finding.score.score:.1f} {finding.score.word}" if finding.score else ""
    return finding.ids[0] + others + (" MALICIOUS" if finding.malicious else grade)


def say_ignore(ignore: Ignore) -> str:
    """Name an ignore of the register."""
    return f"the ignore of {ignore.id} in {ignore.package} ({ignore.owner}, until {ignore.expires:%Y-%m-%d})"


def say_unheard(result: AuditResult) -> list[str]:
    """Say of how many projects, and of how many versions, the index has never heard: they may not exist."""
    unheard = [entry for entry in result.audited if entry.unheard and not entry.reasons]
    names = list(dict.fromkeys(e.dependency.name for e in unheard if not e.version_unheard))
    versions = list(dict.fromkeys(say_pin(e.dependency) for e in unheard if e.version_unheard))
    return [
        f"{len(found)} {what} ({', '.join(found[:5])}{', …' if len(found) > 5 else ''}); "
        f"whether {'it exists' if len(found) == 1 else 'they exist'} says --known-names"
        for found, what in (
            (names, f"project{'' if len(names) == 1 else 's'} that no advisory names"),
            (versions, f"version{'' if len(versions) == 1 else 's'} that no advisory names"),
        )
        if found
    ]


def say_notes(result: AuditResult) -> list[str]:
    """Say what was unheard of, which ignores did nothing, and every warning."""
    notes = [f"{say_ignore(each)} has expired and no longer counts" for each in result.expired]
    notes += [f"{say_ignore(each)} matches nothing" for each in result.unmatched]
    return [*say_unheard(result), *notes, *result.warnings]


def say_against(result: AuditResult) -> list[str]:
    """Say what the dependencies were held against: its digest and its age."""
    said = [f"{result.service}, asked at {result.now:%Y-%m-%d %H:%M} UTC"] if result.service else []
    if index := result.facts:
        newest = f"newest of {index.newest[:10]}" if index.newest else "of unknown dates"
        count = f"{index.records:,} {'advisory' if index.records == 1 else 'advisories'}"
        said.append(f"{count}, {newest}; the index is {describe_age(index.age(result.now))}")
        said.append(f"sha256:{index.sha256}")
    if result.stale:
        said.append(result.stale)
    return said


def next_step(result: AuditResult) -> str:
    """Say what to do now."""
    match result.exit_code:
        case ExitCode.VULNERABLE:
            if any(f.malicious and f.counts for entry in result.audited for f in entry.findings):
                return "remove the malicious package, and treat what it could reach as stolen"
            fixes = [f"{entry.dependency.name}=={entry.fix}" for entry in result.of(Coverage.VULNERABLE) if entry.fix]
            if fixes:
                step = "upgrade to " + ", ".join(fixes[:_MOST_FIXES]) + (", …" if len(fixes) > _MOST_FIXES else "")
                return step + _say_unpinned(result)
            return (
                "no fixed version is known: replace them, or ignore the findings for a while in .sealwright/audit.toml"
                + _say_unpinned(result)
            )
        case ExitCode.UNAUDITED if not result.audited:
            return "name a target that lists dependencies; an empty one proves nothing"
        case ExitCode.UNAUDITED:
            return _mend(result)
        case ExitCode.STALE:
            return "sealwright audit db update"
        case _:
            return "nothing; audit again when the advisories have changed"


def _mend(result: AuditResult) -> str:
    """What to do about what was not audited: pin it, where that is all, or what stands beside each."""
    unpinned = [entry.reasons[0].startswith(_UNPINNED) for entry in result.of(Coverage.NOT_AUDITED)]
    pin = "pin what is not pinned, or audit the environment it is installed in"
    rest = "mend what is said of each that was not audited, or look at it yourself"
    return pin if all(unpinned) else f"{pin}; {rest}" if any(unpinned) else rest


def _say_unpinned(result: AuditResult) -> str:
    """What else is to be done: what is not pinned was not audited, beside what is vulnerable."""
    unpinned = [e.dependency.name for e in result.of(Coverage.NOT_AUDITED) if e.reasons[0].startswith(_UNPINNED)]
    names = list(dict.fromkeys(unpinned))
    if not names:
        return ""
    some = ", ".join(names[:_MOST_UNPINNED]) + (", …" if len(names) > _MOST_UNPINNED else "")
    how, what = (f"{names[0]}==VERSION", "it is") if len(names) == 1 else ("NAME==VERSION", "they are")
    return f"; pin {some} ({how}), or audit the environment {what} installed in"


def _vulnerable(label: str, entry: Audited, target: str, style: Style) -> list[str]:
    fix = f"fixed in {entry.fix}" if entry.fix else "no fixed version is known"
    marker = f"; where {entry.dependency.marker}" if entry.dependency.marker else ""
    lines = _wrapped(label, f"{say_dependency(entry, target)}: {fix}{marker}", style)
    counting = [finding for finding in entry.findings if finding.counts]
    for finding in counting[:_MOST_FINDINGS]:
        lines += [" " * (_INDENT + 2) + line for line in _finding(finding, style)]
    if len(counting) > _MOST_FINDINGS:
        lines.append(" " * (_INDENT + 2) + _more(len(counting) - _MOST_FINDINGS))
    if entry.reasons:
        lines += _wrapped("", f"besides, not audited in full: {entry.reasons[0]}", style)
    return lines


def _finding(finding: Finding, style: Style) -> list[str]:
    """A finding with its summary; where that does not fit beside it, it has up to two lines of its own."""
    name, summary = plain(say_finding(finding)), plain(finding.summary)
    whole, room = f"{name}: {summary}" if summary else name, style.width - _INDENT - 2
    if not style.width or len(whole) <= room:
        return [whole]
    more = _wrap(summary, room - 2, max_lines=_MOST_SUMMARY, placeholder=" …")
    return [_shorten(name, room), *(f"  {line}" for line in more)]


def _say_ignored(entry: Audited, finding: Finding, target: str) -> str:
    return f"{say_dependency(entry, target)}: {finding.ids[0]}: {finding.ignored}"


def _listed(label: str, texts: list[str], style: Style) -> list[str]:
    shown = texts[:_MOST] + ([_more(len(texts) - _MOST)] if len(texts) > _MOST else [])
    lines: list[str] = []
    for text in shown:
        lines += _wrapped("" if lines else label, text, style)
    return lines


def _wrapped(label: str, text: str, style: Style) -> list[str]:
    """One text under a label; a digest, which is longer than what is left of eighty columns, starts further left."""
    room = style.width - _INDENT if style.width else 0
    safe = plain(text)
    parts = _wrap(safe, room, break_long_words=False, break_on_hyphens=False) if room else [safe]
    margins = [f"  {label:<{_INDENT - 2}}", *[" " * _INDENT] * len(parts)]
    long = [
        " " * 4 if room and len(part) > room and not label else margin
        for part, margin in zip(parts, margins, strict=False)
    ]
    return [f"{margin}{part}" for margin, part in zip(long, parts, strict=True)]


def _wrap(text: str, width: int, **more: "Any") -> list[str]:
    """Wrap for a terminal; in a pipe the library is not even loaded."""
    import textwrap

    return textwrap.wrap(text, width, **more)


def _shorten(text: str, width: int) -> str:
    import textwrap

    return textwrap.shorten(text, width, placeholder=" …")

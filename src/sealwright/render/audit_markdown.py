"""The result of an audit as Markdown, for the summary of a CI job.

Enters: an `AuditResult`. Leaves: text. What came from outside cannot become markup: it is escaped for tables and HTML.
https://github.github.com/gfm/
"""

import re

from sealwright.model.audit import Audited, AuditResult, Coverage, Finding
from sealwright.render.audit import headline, next_step, say_against, say_counts, say_notes, say_place
from sealwright.render.text import plain

_MOST = 200
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~<>&@])")


def render_audit_markdown(result: AuditResult) -> str:
    """Write a heading, tables of what is wrong, and what it was held against."""
    lines = [f"## {headline(result)}: {_safe(result.target)}", "", _safe(say_counts(result)), ""]
    vulnerable = [(entry, finding) for entry in result.of(Coverage.VULNERABLE) for finding in entry.findings]
    lines += _table(
        "| dependency | where | advisory | severity | fixed in |",
        [_vulnerable(entry, finding, result.target) for entry, finding in vulnerable if finding.counts],
    )
    lines += _table(
        "| not audited | where | why |",
        [_row(_name(e), say_place(e.dependency, result.target), "; ".join(e.reasons)) for e in _unaudited(result)],
    )
    lines += _table(
        "| ignored | advisory | why |",
        [_row(_name(e), f.ids[0], f.ignored) for e in result.audited for f in e.findings if not f.counts],
    )
    notes = [*say_notes(result), *say_against(result), f"Next: {next_step(result)}"]
    return "\n".join([*lines, *(f"- {_safe(note)}" for note in notes)]) + "\n"


def _vulnerable(entry: Audited, finding: Finding, target: str) -> str:
    grade = f"{finding.score.score:.1f} {finding.score.word}" if finding.score else ""
    grade = "malicious" if finding.malicious else grade
    return _row(_name(entry), say_place(entry.dependency, target), ", ".join(finding.ids), grade, entry.fix)


def _unaudited(result: AuditResult) -> list[Audited]:
    return [entry for entry in result.audited if entry.reasons]


def _name(entry: Audited) -> str:
    return f"{entry.dependency.name} {entry.dependency.version}".strip()


def _row(*cells: str) -> str:
    return "| " + " | ".join(_safe(cell) for cell in cells) + " |"


def _table(head: str, rows: list[str]) -> list[str]:
    if not rows:
        return []
    more = [f"\nand {len(rows) - _MOST} more; the JSON lists them all"] if len(rows) > _MOST else []
    return [head, "|" + " --- |" * (head.count("|") - 1), *rows[:_MOST], *more, ""]


def _safe(text: str) -> str:
    return _MARKUP.sub(r"\\\1", plain(text)).replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;")

"""Entries of the audit log, and the verdict on it, as text or JSON.

Enters: entries, a `LogVerdict`. Leaves: text. What comes from the log goes through `plain`.
"""

import json
from typing import Any

from sealwright.errors import ExitCode
from sealwright.model.checkpoint import LogVerdict
from sealwright.render.style import PLAIN, Style, plain, wrapped
from sealwright.render.text import entry

_NEXT = "compare it with your copy of the log. Do not write on: put this file away, and name a new one with --log"


def render_entry(entry: dict[str, Any], style: Style = PLAIN) -> str:
    """One entry as a line for people, wrapped if a width is given."""
    actor, thing = entry["actor"], entry["object"]
    who = actor.get("ci") or f"{actor.get('user')}@{actor.get('host')}"
    more = "  ".join(f"{name}={value}" for name, value in entry.get("detail", {}).items() if name != "base64")
    said = f"{entry['line']:>6}  {entry['time'][:19]}Z  {entry['action']:<12}  {thing.get('name')}  by {who}"
    whole = plain(f"{said}  {entry.get('outcome')}  {more}".rstrip())
    return "".join(f"{line}\n" for line in wrapped(whole, style.width, 8))


def render_log_verdict(verdict: LogVerdict, style: Style = PLAIN) -> str:
    """Write a verdict for people, ended by a newline, and wrapped if a width is given."""
    good = not verdict.exit_code
    whole = f"whole up to line {verdict.lines:,}" if verdict.lines else "not even its first line"
    size = whole if verdict.problem else f"{verdict.lines:,} lines"
    first = f"{'HOLDS' if good else 'DOES NOT HOLD'}  {verdict.path}, {size}"
    lines = wrapped(plain(first), style.width, 2)
    problems = [f"{verdict.problem}; nothing is said of the lines after it"] if verdict.problem else []
    if verdict.torn:
        problems.append(
            f"the last line is torn ({verdict.torn:,} bytes without an end): a run was killed, or it "
            "was changed. The next entry repairs it, and keeps what it held."
        )
    problems += [f"{held.name}: {held.problem}" for held in verdict.held if held.problem]
    for problem in problems:
        lines += entry("problem", [problem], style)
    for held in verdict.held:
        if not held.problem:
            vouched = f"the first {held.lines:,} lines, by {held.signer} at {held.time} ({held.name})"
            lines += entry("vouched for", [vouched], style)
    if verdict.backwards:
        dated = f"{verdict.backwards:,} lines are dated before the line before them: a clock was set"
        lines += entry("also", [dated], style)
    unproved = verdict.lines - verdict.proved
    known = any(held.signer and held.problem for held in verdict.held)  # then a checkpoint has said what is cut off
    if unproved and not verdict.problem and not known:
        since = f"after line {verdict.proved:,}" if verdict.proved else "at its end"
        lines += entry("not checked", [f"whether lines were cut off {since}: no checkpoint says it"], style)
    if verdict.exit_code is ExitCode.TAMPERED:
        lines += entry("next", [_NEXT], style, bold=True)
    return "".join(f"{line}\n" for line in lines)


def render_log_json(verdict: LogVerdict) -> str:
    """Write a verdict as one JSON object and a newline (docs/log.schema.json, ASCII)."""
    document = {
        "schema": 1,
        "result": "UNDECIDED" if verdict.exit_code == 3 else "FAILED" if verdict.exit_code else "PASSED",
        "exitCode": int(verdict.exit_code),
        "log": verdict.path,
        "lines": verdict.lines,
        "head": verdict.head,
        "problem": verdict.problem,
        "tornBytes": verdict.torn,
        "datedBackwards": verdict.backwards,
        "provedLines": verdict.proved,
        "checkpoints": [
            {"file": h.name, "signer": h.signer, "lines": h.lines, "time": h.time, "problem": h.problem}
            for h in verdict.held
        ],
    }
    return json.dumps(document, indent=2) + "\n"

"""Deadlines as text, Markdown, JSON or a calendar.

Enters: a `Reminder`. Leaves: text. What comes from outside goes through `plain`, and in Markdown loses its meaning.
"""

import hashlib
import json
import re
from datetime import datetime

from sealwright.model.deadline import Deadline, Reminder, days_late
from sealwright.render.style import PLAIN, Style, plain, wrapped

_RFC3339, _ICS_TIME = "%Y-%m-%dT%H:%M:%SZ", "%Y%m%dT%H%M%SZ"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~@&$-])")
_COMMAND = re.compile(r"\b(?:sealwright|pip)(?: [A-Za-z0-9][A-Za-z0-9.:=/_-]*| --?[a-z][a-z-]*)+|--[a-z][a-z-]*")
_EMPTY = "EMPTY: no deadline is registered, so nothing can be said to be fine"
_INDENT = 11
_ALARMS = ("-P30D", "-P7D", "-P1D")


def title(reminder: Reminder) -> str:
    """The answer in one line, with numbers that do not change from day to day."""
    if not reminder.deadlines:
        return _EMPTY
    overdue, due = len(reminder.overdue), len(reminder.due)
    rest = len(reminder.deadlines) - overdue - due
    return f"{overdue} overdue, {due} due, {rest} later" if overdue or due else f"nothing is due; {rest} later"


def render_reminder(reminder: Reminder, style: Style = PLAIN) -> str:
    """Write every deadline as lines of text, soonest first."""
    lines = [title(reminder)]
    for deadline in reminder.deadlines:
        state = _state(deadline, reminder)
        when = f"{deadline.due:%Y-%m-%d}  {_left(deadline, reminder):>14}"
        lines.append(f"  {state:<8} {when}  {deadline.kind} {deadline.name}  ({deadline.owner})")
        if state != "later":
            lines.append(f"           {deadline.step}")
    lines += [f"  note: {note}" for note in reminder.notes]
    lines += [f"  not there: {path}" for path in reminder.absent if path not in reminder.unasked]
    return "".join(f"{each}\n" for line in lines for each in wrapped(plain(line), style.width, _INDENT))


def render_reminder_markdown(reminder: Reminder, *, all_of_them: bool = True) -> str:
    """Write deadlines as a Markdown table, for an issue or a message; without `all_of_them` only what is due."""
    chosen = reminder.deadlines if all_of_them else reminder.overdue + reminder.due
    lines = [f"**{_escape(title(reminder))}**", ""]
    if chosen:
        lines += ["| | until | left | what | owner | next |", "|---|---|---|---|---|---|"]
    for deadline in chosen:
        texts = (deadline.kind + " " + deadline.name, deadline.owner, deadline.step)
        what, owner, step = _escape(texts[0]), _escape(texts[1]), _quoted(texts[2])
        state, left = _state(deadline, reminder), _left(deadline, reminder)
        lines.append(f"| {state} | {deadline.due:%Y-%m-%d} | {left} | {what} | {owner} | {step} |")
    if all_of_them and reminder.notes:
        lines += ["", *(f"- {_quoted(note)}" for note in reminder.notes)]
    return "\n".join(lines) + "\n"


def render_reminder_json(reminder: Reminder, code: int, unsent: tuple[str, ...] = ()) -> str:
    """Write one JSON object and a newline (docs/remind.schema.json, ASCII)."""
    document = {
        "schema": 1,
        "exitCode": code,
        "now": reminder.now.strftime(_RFC3339),
        "horizon": reminder.horizon.strftime(_RFC3339),
        "empty": not reminder.deadlines,
        "deadlines": [
            {
                "id": uid(deadline),
                "state": _state(deadline, reminder),
                "kind": deadline.kind,
                "name": deadline.name,
                "owner": deadline.owner,
                "due": deadline.due.strftime(_RFC3339),
                "daysLeft": deadline.days_left(reminder.now),
                "step": deadline.step,
                "source": deadline.source,
            }
            for deadline in reminder.deadlines
        ],
        "sources": list(reminder.sources),
        "absent": list(reminder.absent),
        "notes": list(reminder.notes),
        "unsent": list(unsent),
    }
    return json.dumps(document, indent=2) + "\n"


def render_reminder_ics(reminder: Reminder) -> str:
    """Write an iCalendar (RFC 5545, https://www.rfc-editor.org/rfc/rfc5545): one event and three alarms a deadline.

    An event's UID depends on what must be renewed and not on the date, so that importing again moves events instead of
    doubling them. RFC 5545, 3.8.7.2: DTSTAMP is when this was made; a later SEQUENCE (3.8.7.4) replaces an earlier one.
    3.6.1: an event without DTEND ends when it begins, as a deadline does.
    """
    sequence = int(reminder.now.timestamp()) // 60 % 2**31
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Sealwright//remind//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
    ]
    for deadline in reminder.deadlines:
        summary = f"{deadline.kind} {deadline.name}"
        lines += [
            "BEGIN:VEVENT",
            f"UID:{uid(deadline)}@sealwright",
            f"DTSTAMP:{_ics_time(reminder.now)}",
            f"SEQUENCE:{sequence}",
            f"DTSTART:{_ics_time(deadline.due)}",
            f"SUMMARY:{_ics_text(f'Renew: {summary} ({deadline.owner})')}",
            f"DESCRIPTION:{_ics_text(f'{deadline.step}. Written in {deadline.source}.')}",
            "TRANSP:TRANSPARENT",
        ]
        for trigger in _ALARMS:
            lines += ["BEGIN:VALARM", "ACTION:DISPLAY", f"TRIGGER:{trigger}", f"DESCRIPTION:{_ics_text(summary)}"]
            lines.append("END:VALARM")
        lines.append("END:VEVENT")
    lines.append("END:VCALENDAR")
    return "".join(_fold(line) for line in lines)


def uid(deadline: Deadline) -> str:
    """What stays the same of a deadline when it is moved: 32 hex digits."""
    return hashlib.sha256(f"{deadline.kind}\0{deadline.name}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _state(deadline: Deadline, reminder: Reminder) -> str:
    if deadline.due <= reminder.now:
        return "overdue"
    return "due" if deadline.due <= reminder.horizon else "later"


def _left(deadline: Deadline, reminder: Reminder) -> str:
    if deadline.due <= reminder.now:
        return f"{days_late(deadline.due, reminder.now)} days late"
    return f"{deadline.days_left(reminder.now)} days"


def _escape(text: str) -> str:
    """Markdown without effect: no link, no mention, no column, no HTML."""
    return _MARKDOWN.sub(r"\\\1", plain(text)).replace("\\@", "@\u200b").replace("\\<", "&lt;")


def _quoted(text: str) -> str:
    """Text without effect, and the commands in it as code, to be copied as they stand."""
    parts, at = [], 0
    for command in _COMMAND.finditer(text):
        parts += [_escape(text[at : command.start()]), f"`{command[0]}`"]
        at = command.end()
    return "".join([*parts, _escape(text[at:])])


def _ics_time(moment: datetime) -> str:
    return moment.strftime(_ICS_TIME).rjust(16, "0")


def _ics_text(text: str) -> str:
    """RFC 5545, 3.3.11: backslash, semicolon and comma are escaped; line ends cannot be in what went through plain."""
    return re.sub(r"([\\;,])", r"\\\1", plain(text))


def _fold(line: str) -> str:
    """RFC 5545, 3.1: at most 75 octets a line, further ones begin with a space; never within a character."""
    parts, size = [""], 0
    for character in line:
        octets = len(character.encode("utf-8"))
        if size + octets > 75:
            parts.append(" ")
            size = 1
        parts[-1] += character
        size += octets
    return "\r\n".join(parts) + "\r\n"

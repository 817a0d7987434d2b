"""What evidence says, as text for a person, each line of which says that it is a claim.

Enters: an `Explanation`. Leaves: text. The mark stands at the start of every row of the screen, so that whoever copies
three lines copies the mark, and no claim is long enough to start a row of its own. All of it goes through `plain`.
"""

from sealwright.model.explanation import (
    Certificate,
    Explanation,
    Extension,
    LogEntry,
    Piece,
    PieceKind,
    StatementClaims,
)
from sealwright.render.text import PLAIN, Style, plain

_MARK, _UNREAD = "claims  ", "unread  "
_HEAD = "UNVERIFIED CLAIMS  "
_LABEL = 13
_MOST = 12
_LONGEST = 1_000
_YELLOW, _END = "\x1b[1;33m", "\x1b[0m"

Row = tuple[str, str]


def render_explanation(explanation: Explanation, style: Style = PLAIN) -> str:
    """Write what evidence says as lines of text, ended by a newline; the pieces of a folder each in short."""
    lines = _headline(explanation, style)
    for piece in explanation.pieces:
        read = piece.kind is not PieceKind.UNREADABLE
        name = f"{piece.kind.value} " if read else ""
        title = f"{name}{piece.file}{', ' + piece.where if piece.where else ''}"
        rows = _short(piece) if explanation.is_folder else _full(piece)
        lines += ["", *_marked(_MARK if read else _UNREAD, [("", title), *rows], style)]
        lines += _marked(_UNREAD, [("", problem) for problem in piece.problems], style)
    lines += ["", *_advice(explanation, style)]
    return "\n".join(lines) + "\n"


def _headline(explanation: Explanation, style: Style) -> list[str]:
    whose = f"the evidence in {plain(explanation.path)}" if explanation.is_folder else plain(explanation.path)
    text = f"this is what {whose} says; nothing of it was checked"
    # Each further row starts with space: the name of a file can be made to look like an answer.
    parts = _cut(text, style.width - len(_HEAD)) if style.width else [text]
    lines = [f"{' ' * len(_HEAD) if number else _HEAD}{part}" for number, part in enumerate(parts)]
    return [f"{_YELLOW}{line}{_END}" for line in lines] if style.colour else lines


def _advice(explanation: Explanation, style: Style) -> list[str]:
    text = (
        "next: sealwright explain DIR --policy FILE, verify-release and sealwright verify-artifact check evidence. "
        "Who must have signed is for you to know beforehand, and not for the evidence to tell you."
    )
    if not style.width:
        return ["  " + text]
    import textwrap

    return [f"  {line}" for line in textwrap.wrap(text, style.width - 2, break_on_hyphens=False)]


def _marked(mark: str, rows: list[Row], style: Style) -> list[str]:
    """Put the mark before every row, and cut rows that would not fit: a terminal would go on without the mark."""
    lines: list[str] = []
    for label, text in rows:
        named, safe = plain(label[:_LONGEST]), plain(text[:_LONGEST])
        if len(text) > _LONGEST:
            safe += f" ... and {len(text) - _LONGEST:,} characters more, with --json"
        start = "" if not named else f"{named:<{_LABEL}} " if len(named) < _LABEL else f"{named}: "
        room = style.width - len(mark)
        if not style.width:
            parts = [start + safe]
        elif start and _columns(start + safe) > room:  # a long one has rows of its own, further left
            parts = [*_cut(named, room), *(f"  {part}" for part in _cut(safe, room - 2))]
        else:
            parts = _cut(start + safe, room)
        lines += [mark + part for part in parts]
    return lines


def _columns(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text) if not text.isascii() else len(text)


def _cut(text: str, width: int) -> list[str]:
    """Cut a text into parts of at most so many columns, between words where it can be done."""
    parts: list[str] = []
    part, used = "", 0
    for character in text:
        wide = _columns(character)
        if used + wide > width:
            head, space, tail = part.rpartition(" ")
            parts.append(head if space and head.strip() else part)
            part = tail if space and head.strip() else ""
            used = _columns(part)
        part += character
        used += wide
    return [*parts, part]


def _full(piece: Piece) -> list[Row]:
    rows: list[Row] = [("format", piece.media_type)] if piece.media_type else []
    if piece.certificate:
        rows += _certificate(piece.certificate)
        rows += _listed([(extension.name, extension.text) for extension in _newest_first(piece.certificate)], 40)
    rows += _listed([row for entry in piece.log_entries for row in _log_entry(entry)], 3 * _MOST)
    rows += _listed([("timestamp", time) for time in piece.timestamps])
    rows += [("signs", f"the file of {piece.digest.label} {piece.digest.text}")] if piece.digest else []
    rows += [("signs", f"a payload of type {piece.payload_type}")] if piece.payload_type else []
    rows += _statement(piece.statement) if piece.statement else []
    rows += _openpgp(piece)
    rows += _listed([(claim.label, claim.text) for claim in piece.more], 40)
    return rows + _listed(
        [row for claim in piece.checksums for row in (("lists", claim.label), ("", f"sha256 {claim.text}"))], 2 * _MOST
    )


def _short(piece: Piece) -> list[Row]:
    rows: list[Row] = []
    if piece.certificate:
        rows += _certificate(piece.certificate)[
            : len(piece.certificate.identities) + len(piece.certificate.oidc_issuers)
        ]
    times = [entry.time for entry in piece.log_entries if entry.time] + list(piece.timestamps)
    rows += _listed([("time", time) for time in times], 3)
    if piece.statement:
        subjects = ", ".join(subject.name for subject in piece.statement.subjects[:3])
        more = f" and {len(piece.statement.subjects) - 3} more" if len(piece.statement.subjects) > 3 else ""
        rows += [("statement", f"{piece.statement.predicate_type} about {subjects}{more}")]
    rows += _openpgp(piece)
    if piece.kind in (PieceKind.LAYOUT, PieceKind.LINK):
        rows += [(claim.label, claim.text) for claim in piece.more[:3]]
    return rows + ([("lists", f"{len(piece.checksums):,} files")] if piece.checksums else [])


def _listed(rows: list[Row], most: int = _MOST) -> list[Row]:
    more = len(rows) - most
    return rows[:most] + ([("", f"and {more:,} more of these, with --json")] if more > 0 else [])


def _certificate(certificate: Certificate) -> list[Row]:
    rows = [("identity", f"{name.text} ({name.label})") for name in certificate.identities]
    rows += [("oidc issuer", issuer) for issuer in certificate.oidc_issuers]
    rows.append(("issued by", certificate.issued_by))
    rows.append(("valid", f"{certificate.not_before} to {certificate.not_after}"))
    number = certificate.scts
    rows.append(("", f"with {number} {'SCT' if number == 1 else 'SCTs'} (signed certificate timestamps)"))
    return rows


def _newest_first(certificate: Certificate) -> list[Extension]:
    return sorted(certificate.extensions, key=lambda extension: extension.name.endswith("(deprecated)"))


def _log_entry(entry: LogEntry) -> list[Row]:
    there = {"inclusion proof": entry.proof, "promise": entry.promise, "checkpoint": entry.checkpoint}
    has = [what for what, is_there in there.items() if is_there]
    lacks = ["without " + ", ".join(what for what in there if what not in has)] if len(has) < len(there) else []
    integrated = f"integrated {entry.time}" if entry.time else "without an integrated time"
    size = f"; tree of {entry.tree_size}" if entry.tree_size else ""
    return [
        ("log entry", f"index {entry.log_index or 'not stated'}, {entry.kind or 'of no stated kind'}, {integrated}"),
        ("", "; ".join(("with " + (", ".join(has) or "nothing"), *lacks)) + size),
        ("", f"log {entry.log_id or 'not stated'}"),
    ]


def _statement(statement: StatementClaims) -> list[Row]:
    rows = [("statement", statement.type), ("predicate", statement.predicate_type)]
    for subject in statement.subjects[:_MOST]:
        rows += [("subject", subject.name)]
        rows += _listed([("", f"{digest.label} {digest.text}") for digest in subject.digests])
    more = len(statement.subjects) - _MOST
    rows += [("", f"and {more:,} more subjects, with --json")] if more > 0 else []
    return rows + [(claim.label, claim.text) for claim in statement.predicate]


def _openpgp(piece: Piece) -> list[Row]:
    if not piece.openpgp:
        return []
    stated = piece.openpgp
    algorithms = (stated.key_algorithm, stated.digest_algorithm)
    key = f"fingerprint {stated.fingerprint}" if stated.fingerprint else f"key id {stated.key_id or 'not stated'}"
    return [
        ("key", key),
        ("signature", ", ".join((f"version {stated.version}", stated.signature_class, *algorithms))),
        ("created", stated.created or "not stated"),
    ]

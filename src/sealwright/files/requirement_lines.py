"""The lines of a requirements file, as pip reads them.

Enters: bytes. Leaves: logical lines with the number of their first physical line. Knows nothing of what they mean.
https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

import codecs

from sealwright.model.record import Record

MAX_LINES = 200_000
# As pip does; the longer marks first, because UTF-32 begins like UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Where a line ends for pip (str.splitlines), and not for uv.
_OTHER_ENDS = ("\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
_UTF_8 = (b"utf-8", b"utf8", b"ascii", b"us-ascii")


class Line(Record):
    """A line without its comment; `number` counts from 1.

    `hidden` is what stands in further lines that uv reads as lines of their own, and stays apart in lines: pip passes
    over it, because a comment goes on there, or joins it, because the comment before has ended, to pip alone, at a form
    feed, say, or because an option's value may go on there, to pip alone.
    """

    number: int
    text: str
    hidden: str = ""


def decode(content: bytes) -> str:
    """Decode a requirements file: by its byte order mark, else as UTF-8. Raises ValueError.

    pip obeys a comment that names another encoding (PEP 263), in which a comment can end in the middle of its line.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            text = content[len(mark) :].decode(encoding)
            break
    else:
        for line in content.split(b"\n", 2)[:2]:
            named = _encoding(line) if line.startswith(b"#") and b"coding" in line else b""
            if named and named.lower().replace(b"_", b"-") not in _UTF_8:
                raise ValueError(f"it names the encoding {named.decode('ascii', 'replace')[:40]}, which is not UTF-8")
        text = content.decode("utf-8")
    if "\0" in text:
        raise ValueError("it holds a null character, so its encoding is not UTF-8")
    return text


def _encoding(comment: bytes) -> bytes:
    """The encoding that a comment names, as pip looks for it; nothing if it names none."""
    import re  # takes longer to load than a file to read

    found = re.search(rb"coding[:=]\s*([-\w.]+)", comment)
    return found[1] if found else b""


def logical_lines(text: str) -> list[Line]:
    """Join continued lines and take comments off, as pip does. Raises ValueError for a file with too many lines."""
    apart = _read_apart(text) if any(end in text for end in _OTHER_ENDS) else frozenset()
    lines: list[Line] = []
    parts: list[str] = []
    others: list[str] = []  # of the parts, those that uv does not join with the first
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        if number > MAX_LINES:
            raise ValueError(f"it has more than {MAX_LINES:,} lines")
        if not parts and "#" not in line and "\\" not in line:
            if stripped := line.strip():
                lines.append(Line._make((number, stripped, "")))
            continue
        comment = line.lstrip().startswith("#")
        if parts and (others or number in apart):
            others.append(line.strip().strip("\\").strip())
        if line.endswith("\\") and not comment:
            start = start or number
            parts.append(line.strip("\\"))  # at both ends, as pip does
            continue
        if comment and parts:
            line = " " + line  # pip: the comment ends the joined line
        lines += _finish(start or number, [*parts, line], others)
        parts, others, start = [], [], 0
    if parts:
        lines += _finish(start, parts, others)
    return lines


def _read_apart(text: str) -> frozenset[int]:
    """The numbers of the lines that uv does not join with the one before: to it, a comment or an option goes on."""
    found = set()
    comment = False
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if line.endswith(_OTHER_ENDS):
            comment = comment or "#" in line or line.lstrip().startswith("-")
            continue
        if comment and line.rstrip("\r\n").endswith("\\"):
            found.add(number + 1)
        comment = False
    return frozenset(found)


def _finish(number: int, parts: list[str], others: list[str]) -> list[Line]:
    """Join the parts of a line, and keep apart what follows those in which its comment, or its option, begins."""
    text = _without_comment("".join(parts))
    hidden = dict.fromkeys(other for other in others if other and not other.startswith("#"))
    stripped, at = text.strip(), 0
    ended = len(text) - len(text.lstrip()) if _has_ended(stripped, parts) else len(text)
    for part in parts:
        if at > ended and (more := part.strip()) and not more.startswith("#"):
            hidden[more] = None
        at += len(part)
    return [Line(number, stripped, "\n".join(hidden))] if stripped else []


def _has_ended(text: str, parts: list[str]) -> bool:
    """Tell whether to uv an option ends with its own line, whatever pip joins to it.

    One that needs a value, and has none there, has uv refuse the whole file.
    """
    if not text.startswith("-") or len(parts) == 1:
        return False
    import re

    needed = "-[irc]|--(index-url|extra-index-url|requirement|constraint|no-binary|only-binary)"
    return re.fullmatch(rf"({needed})[\s=]*", next(part.strip() for part in parts if part.strip())) is None


def _without_comment(text: str) -> str:
    """Take off what begins with a # at the start or after a space, as pip does."""
    start = text.find("#")
    while start > 0 and not text[start - 1].isspace():
        start = text.find("#", start + 1)
    return text if start < 0 else text[:start]


def without_password(text: str) -> str:
    """Leave the user and the password of an address out: what is printed is kept in logs."""
    import re

    return re.sub(r"://[^/\s]*@", "://", text)

"""How text is shown to a person, and that nothing from outside can write to the terminal by itself.

Enters: text. Leaves: the same, with what a terminal could obey written out.
"""

from sealwright.model.record import Record


class Style(Record):
    """How text is shown: with colours, and wrapped to so many columns (0: not at all, for pipes and files)."""

    colour: bool = False
    width: int = 0


PLAIN = Style()


def plain(text: str) -> str:
    """Return the text with every character that a terminal could obey written out (escapes, newlines, bidi marks)."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode("ascii") for c in _valid(text)
    )


def wrapped(text: str, width: int, indent: int = 0) -> list[str]:
    """Return text that is safe to show as lines of at most `width` columns, broken between words; 0: as one line.

    The first line stands as it is, the others are indented. A word that is longer, such as a digest, is kept whole.
    """
    if not width:
        return [text]
    import re
    import textwrap

    room = width - indent

    def apart(
        found: "re.Match[str]",
    ) -> str:  # a digest fits into eighty columns, but not always with what it is glued to
        return found[0] if len(found[1]) + len(found[2]) <= room else f"{found[1]} "

    text = re.sub(r"(?<=\s)(\S*[:=])(?=([0-9a-f]{64}\S*))", apart, text)
    return textwrap.wrap(text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def _valid(text: str) -> str:
    """File names may carry bytes that are no UTF-8 (PEP 383 surrogates), JSON any surrogate: show them as escapes."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")

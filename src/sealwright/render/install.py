"""What came of an installation, for a person: under the verdict, in the same form."""

from sealwright.render.text import PLAIN, Style, entry


def render_installed(title: str, lines: list[tuple[str, list[str]]], style: Style = PLAIN) -> str:
    """Write a title and labelled lines, ended by a newline."""
    first = f"\x1b[1;32m{title}\x1b[0m" if style.colour else title
    return "\n".join([first, *(line for label, texts in lines for line in entry(label, texts, style))]) + "\n"

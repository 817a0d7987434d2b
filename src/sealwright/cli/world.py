"""What the commands read from the real world: the time, the programs, the terminal."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sealwright.files.digest import Progress, no_progress

if TYPE_CHECKING:
    from sealwright.render.text import Style

_NARROWEST = 40
_LARGE = 64 * 1024 * 1024


def clock() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def find_gpg() -> str | None:
    """Where gpg is, or None."""
    import shutil

    return shutil.which("gpg")


def read_stdin(limit: int, what: str) -> bytes:
    """Read standard input to its end. Raises UsageError if it holds more than `limit` bytes."""
    from sealwright.errors import UsageError

    content = sys.stdin.buffer.read(limit + 1)
    if len(content) > limit:
        raise UsageError(f"standard input holds more than the {limit:,} bytes that {what} may have")
    return content


def style() -> "Style":
    """How standard output shows text: wrapped and with colours if it is a terminal."""
    from sealwright.render.text import PLAIN, Style

    if not sys.stdout.isatty():
        return PLAIN
    import os
    import shutil

    colour = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return Style(colour, max(shutil.get_terminal_size().columns, _NARROWEST))


def show_progress() -> Progress:
    """Show how far large files are, on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        return no_progress
    shown: dict[str, int] = {}

    def show(name: str, done: int, total: int) -> None:
        if total < _LARGE:
            return
        percent = 100 * done // max(total, 1)
        if shown.get(name) != percent:
            from sealwright.render.text import plain

            shown[name] = percent
            click.echo(
                f"\r  reading {plain(name)} {percent:3d} %" + ("\r\x1b[K" if done >= total else ""), nl=False, err=True
            )

    return show

"""What the commands read from the real world: the time, the programs, the terminal."""

import shutil
import sys
from datetime import UTC, datetime

import click

from sealwright.files.digest import Progress, no_progress

_LARGE = 64 * 1024 * 1024


def clock() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def find_gpg() -> str | None:
    """Where gpg is, or None."""
    return shutil.which("gpg")


def colour() -> bool:
    """Whether standard output is a terminal that shows colours."""
    import os

    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


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

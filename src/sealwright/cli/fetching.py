"""How far the files of a release are, on one line of a terminal."""

import sys
import threading
import time

import click

from sealwright.files.digest import Progress, no_progress

_PAUSE = 0.1  # seconds between two lines
_DELAY = 0.5  # what is quicker than that shows nothing
_MEGABYTE = 1024**2


def show_fetching() -> Progress:
    """Show what has arrived of all files together, on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        return no_progress
    lock = threading.Lock()
    files: dict[str, tuple[int, int]] = {}
    shown = False
    next_time = time.monotonic() + _DELAY

    def show(name: str, done: int, total: int) -> None:
        nonlocal shown, next_time
        with lock:
            if not name:  # what is said next begins on an empty line
                click.echo("\r\x1b[K" if shown else "", nl=False, err=True)
                shown = False
                return
            files[name] = done, total
            if time.monotonic() < next_time:
                return
            next_time = time.monotonic() + _PAUSE
            have, whole = (sum(sizes) / _MEGABYTE for sizes in zip(*files.values(), strict=True))
            known = all(total for _, total in files.values())
            text = f"{have:.1f} of {max(have, whole):.1f} MiB" if known else f"{have:.1f} MiB"
            click.echo(f"\r  fetching, file {len(files)}: {text}\x1b[K", nl=False, err=True)
            shown = True

    return show

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
    times = [time.monotonic() + _DELAY]

    def show(name: str, done: int, total: int) -> None:
        with lock:
            files[name] = done, max(total, done)
            if time.monotonic() < times[0]:
                return
            times[0] = time.monotonic() + _PAUSE
            have, whole = (sum(sizes) for sizes in zip(*files.values(), strict=True))
            text = f"fetching, file {len(files)}: {have / _MEGABYTE:.1f} of {whole / _MEGABYTE:.1f} MiB"
            click.echo(f"\r  {text}\x1b[K" + ("\r\x1b[K" if have >= whole else ""), nl=False, err=True)

    return show

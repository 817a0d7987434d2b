"""That a place has not answered yet, on one line of a terminal, until its first file arrives.

Enters: the name of the place, and what shows the files. Leaves: the same, and what ends the waiting. Without a terminal
it shows nothing.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sealwright.files.digest import Progress
from sealwright.render.style import plain

_DELAY = 0.5  # seconds; what is quicker than that shows nothing
_LONGEST = 50  # characters of a name: a line that a terminal wraps cannot be wiped


Watch = tuple[Progress, Callable[[], None]]
"""What shows how far the files are, and what ends the waiting and wipes its line."""


@contextmanager
def watching(place: str, progress: Progress) -> Iterator[Watch]:
    """Show on standard error for how long `place` has not answered, until the first call of the progress or `stop`."""
    if not sys.stderr.isatty():
        yield progress, lambda: None
        return
    lock, ended = threading.Lock(), threading.Event()
    since = time.monotonic()
    shown = False

    def tell() -> None:
        nonlocal shown
        pause = _DELAY
        while not ended.wait(pause):
            with lock:
                if ended.is_set():
                    return
                seconds = f": {time.monotonic() - since:.0f} s" if shown else ""
                print(f"\r  waiting for {plain(place)[:_LONGEST]}{seconds}\x1b[K", end="", file=sys.stderr, flush=True)
                shown, pause = True, 1.0

    def stop() -> None:
        with lock:
            if shown and not ended.is_set():
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            ended.set()

    def show(name: str, done: int, total: int) -> None:
        if not ended.is_set():
            stop()
        progress(name, done, total)

    threading.Thread(target=tell, daemon=True).start()
    try:
        yield show, stop
    finally:
        stop()

"""A few threads at once, for work that frees the interpreter: hashing, and waiting for other processes.

Enters: functions. Leaves: what they return, or the first thing that one of them raised. No thread outlives the call,
whatever happens: what it began to write, or to wipe, is finished. The one exception, `within`, is for work that only
waits for somebody else, and may never end. (concurrent.futures does the same, but importing it
takes 5 ms, which is a good part of a verification.)
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")
_Outcome = TypeVar("_Outcome")

PROCESSORS = os.cpu_count() or 1
_PARALLEL = min(4, PROCESSORS)
_SLICE = 0.2  # seconds in which whoever waits notices that nobody wants the outcome any more


def each_in_parallel(
    work: Callable[[_Item], _Outcome],
    items: Iterable[_Item],
    *,
    threads: int = _PARALLEL,
    stop: Callable[[], None] = lambda: None,
) -> list[_Outcome]:
    """Apply `work` to every item and return the outcomes in order; after the first that fails, none is begun.

    `stop` is called once something has failed or interrupted: it ends what is under way.
    """
    jobs = list(items)
    if len(jobs) < 2:
        return [work(job) for job in jobs]
    outcomes: dict[int, _Outcome] = {}
    errors: list[BaseException] = []
    waiting = iter(list(enumerate(jobs)))
    lock = threading.Lock()

    def take() -> None:
        while not errors:
            with lock:
                number, job = next(waiting, (-1, jobs[0]))
            if number < 0:
                return
            try:
                outcomes[number] = work(job)
            except BaseException as error:  # noqa: BLE001  raised again below, where somebody waits for it
                errors.append(error)
                stop()

    _run([threading.Thread(target=take) for _ in range(min(threads, len(jobs)))], errors, stop)
    if errors:
        raise errors[0]
    return [outcomes[number] for number in range(len(jobs))]


def _run(threads: list[threading.Thread], errors: list[BaseException], stop: Callable[[], None]) -> None:
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException as error:  # an interrupt reaches who starts them and waits: let the others end, too
        errors.append(error)
        stop()
        for thread in threads:
            if thread.ident is not None:  # one that is only now starting sees the error before it takes anything
                thread.join()
        raise


@contextlib.contextmanager
def in_background(work: Callable[[], _Outcome]) -> Iterator[Callable[[], _Outcome]]:
    """Do `work` beside the body; what is yielded waits for it, and returns its outcome or raises its error."""
    outcomes: list[_Outcome] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            outcomes.append(work())
        except BaseException as error:  # noqa: BLE001  raised again by who waits for it
            errors.append(error)

    def result() -> _Outcome:
        thread.join()
        if errors:
            raise errors[0]
        return outcomes[0]

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield result
    finally:
        _wait(thread)


def within(seconds: float, work: Callable[[], _Outcome], stopped: threading.Event | None = None) -> _Outcome:
    """Do `work`, which writes nothing, and give it up after so many seconds, or once `stopped`. Raises TimeoutError.

    A timeout of a socket bounds each wait for a byte, and a look-up of a name none: only this bounds all of them.
    """
    outcomes: list[_Outcome] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            outcomes.append(work())
        except BaseException as error:  # noqa: BLE001  raised again below, if somebody still waits for it
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    end = time.monotonic() + seconds
    while thread.is_alive() and (left := end - time.monotonic()) > 0 and not (stopped and stopped.is_set()):
        thread.join(min(left, _SLICE) if stopped else left)
    if errors:
        raise errors[0]
    if not outcomes:
        raise TimeoutError(f"not done in {seconds:g} seconds")
    return outcomes[0]


def _wait(thread: threading.Thread) -> None:
    try:
        thread.join()
    except KeyboardInterrupt:  # the commands let no second one come
        thread.join()
        raise

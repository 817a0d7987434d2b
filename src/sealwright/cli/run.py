"""How every command starts and ends: errors become a message, a hint and an exit code, never a traceback."""

import gc
import io
import os
import signal
import sys
from collections.abc import Callable

from sealwright.errors import ExitCode, SealwrightError, UndecidedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    import click

_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(command: "click.Command", name: str) -> "NoReturn":
    """Run a command of click's and exit with its code. Results go to standard output, errors to standard error."""
    run_work(lambda: _invoke(command, name))


def run_work(work: Callable[[], object]) -> "NoReturn":
    """Do what a command does and exit with the code that it returns."""
    for number in _INTERRUPTS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup has said otherwise
            signal.signal(number, _interrupt)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # who ignores it is never told that a gpg, a git or a pip has failed
    gc.set_threshold(100_000)  # a short life: at the default, a tenth of it goes into collecting next to nothing
    try:
        _open_streams()
        code = work()
        if not isinstance(code, int):  # a command that says nothing has not said that all is well
            raise TypeError("a command returned no exit code")
        sys.stdout.flush()
    except SealwrightError as error:
        fail(error.message, error.hint)
        code = error.exit_code
    except KeyboardInterrupt:
        fail("interrupted")
        code = ExitCode.INTERRUPTED
    except (BrokenPipeError, SystemExit):  # click's word for it: the reader of a pipe left before the whole answer
        code = ExitCode.UNDECIDED
    except OSError as error:
        fail(f"the answer could not be written: {error.strerror}")
        code = ExitCode.UNDECIDED
    except Exception as error:  # noqa: BLE001  a bug of ours is told as such: never a verdict, and without secrets
        fail(
            f"internal error: {_where(error)}",
            "This is a bug in Sealwright: please report that line. Nothing was decided.",
        )
        code = ExitCode.INTERNAL
    _leave(int(code))


def _invoke(command: "click.Command", name: str) -> object:
    """Let click read the command line, and say in our words what it finds wrong with it."""
    import click

    try:
        return command.main(prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f"{context.command_path} --help shows an example." if context else ""
        epilog = (context.command.epilog if context else "") or ""
        example = epilog.removeprefix("\b\n").strip().replace("Example:\n", "Example: ").replace("\\\n", "")
        if isinstance(error, click.MissingParameter) and example and "\n" not in example:
            hint = " ".join(example.split())  # the whole line to copy, where there is one
        raise UsageError(" ".join(error.format_message().split()), hint) from error
    except click.Abort as error:
        # click tells a Ctrl-C, an end of the input and a no by one exception: it is in its context what it was.
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        if isinstance(error.__context__, EOFError):
            print(file=sys.stderr)  # after the question
            fail(
                "a question was not answered, so nothing more was done",
                "In a script, an option answers it: see --help.",
            )
        else:
            fail("declined, so nothing more was done")
        return ExitCode.INTERRUPTED


def _leave(code: int) -> "NoReturn":
    """End now: all files are closed and all folders removed, and taking the interpreter apart costs 15 ms."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = code or int(ExitCode.UNDECIDED)  # the answer did not arrive
    os._exit(code)


def fail(message: str, hint: str = "") -> None:
    """Write an error and its hint to standard error."""
    from sealwright.cli.world import say

    try:
        say(f"sealwright: error: {message}", sys.stderr)
        if hint:
            say(f"sealwright: hint: {hint}", sys.stderr)
    except OSError:
        pass  # nobody listens: the exit code says it


def _interrupt(number: int, frame: "Any") -> "NoReturn":
    """End once, and let nothing interrupt the wiping of secrets that follows."""
    for each in _INTERRUPTS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _open_streams() -> None:
    """Have both streams, and have them take any name of a file, whatever the locale.

    Raises UndecidedError without a standard output: whoever reads the exit code alone would miss every warning.
    """
    deaf = sys.stdout is None
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  for as long as the process lives
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if deaf:
        raise UndecidedError("standard output is closed, so nothing was done", "Leave it open, or send it somewhere.")


def _where(error: Exception) -> str:
    """Name the type and the place, not the message, which could hold a secret."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {place}"

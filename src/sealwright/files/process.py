"""A child process that somebody else's code may run in: bounded in time, in what it writes, and in what it is told.

Enters: a command and the whole environment it gets. Leaves: its exit status and the end of what it said. It has no
standard input and no terminal. At the end its process group is killed; a process that leaves its group on purpose is
not found again: only a container or a machine of its own contains code that wants to stay.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_KEPT_BYTES = 16 * 1024
_MAX_FILE_BYTES = 4 * 1024**3
_AFTERWARDS = 1.0  # seconds to read what a process that has ended left in the pipe
# Limits are set by the child itself: preexec_fn is not safe beside threads.
_LIMITED = (
    "import os,resource,signal,sys\n"
    "signal.signal(signal.SIGPIPE,signal.SIG_DFL)\n"
    "most=int(sys.argv[1])\n"
    "hard=resource.getrlimit(resource.RLIMIT_FSIZE)[1]\n"
    "most=most if hard==resource.RLIM_INFINITY else min(most,hard)\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE,(most,most))\n"
    "resource.setrlimit(resource.RLIMIT_CORE,(0,0))\n"
    "os.execvpe(sys.argv[2],sys.argv[2:],os.environ)\n"
)


class Ended(NamedTuple):
    """`status` is 0, the exit status, or minus a signal; None if it was ended for taking too long."""

    status: int | None
    said: str


def run_bounded(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    seconds: float,
    *,
    kept: int = _KEPT_BYTES,
    inherited: Sequence[int] = (),
) -> Ended:
    """Run a command in `folder` for at most so many seconds, and keep the last `kept` bytes of what it says.

    It gets the descriptors that are `inherited`, under their own numbers, and no other.

    No file that it writes may be larger than 4 GiB (RLIMIT_FSIZE, POSIX), and its umask is 022. Raises OSError.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _LIMITED, str(_MAX_FILE_BYTES), *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        cwd=folder, env=dict(environment), start_new_session=True, umask=0o022, pass_fds=inherited,
    )  # fmt: skip
    try:
        said = _listen(process, time.monotonic() + seconds, kept)
        status = process.poll()
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()
    return Ended(status, said.decode("utf-8", "replace"))


def _listen(process: "subprocess.Popen[bytes]", until: float, kept: int) -> bytes:
    """Read until the process has ended, whoever else still holds its pipe, or the time is over."""
    said = bytearray()
    with selectors.DefaultSelector() as selector:
        if process.stdout is None:
            return b""
        selector.register(process.stdout, selectors.EVENT_READ)
        descriptor, last = process.stdout.fileno(), False
        while (now := time.monotonic()) < until:
            if not last and process.poll() is not None:
                last, until = True, min(until, now + _AFTERWARDS)
            ready = selector.select(0.05 if not last else 0)
            block = os.read(descriptor, 64 * 1024) if ready else b""
            said += block
            del said[:-kept]
            if ready and not block:  # closed: it has ended, or will
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, until - time.monotonic()))
                break
            if last and not ready:
                break
    return bytes(said)

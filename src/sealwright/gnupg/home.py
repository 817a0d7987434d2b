"""A private GNUPGHOME that exists for one job and leaves nothing behind, also after a crash.

Enters: where gpg is. Leaves: a `Home` to run it in. A home never touches the user's own keyring, agent or
configuration; its agent is ended and its files removed at the end, and a home whose process was killed is
removed by the next one.
"""

import contextlib
import os
import select
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from sealwright.errors import UndecidedError
from sealwright.files.private import base_for, private_folder, remove
from sealwright.model.record import Record

GNUPG_HINT = "Install GnuPG 2.2 or later (Debian: apt install gnupg; macOS: brew install gnupg) and run this again."
_PREFIX = "sealwright-gpg-"
# gpg-agent's socket lives in the home, and a socket's path may have about 100 bytes
# (sun_path, https://man7.org/linux/man-pages/man7/unix.7.html).
_MAX_HOME_PATH = 70
_SECONDS = 60
# The most that a passphrase can be stretched (RFC 9580, 3.7.1.3). Without it, an agent first measures for more than a
# second how much is bearable here.
_AGENT = "s2k-count 65011712\n"


class HalfSaidError(UndecidedError):
    """gpg was killed, or left something out; `said` is what it has said all the same."""

    def __init__(self, said: bytes) -> None:
        """Take what it has said."""
        super().__init__("gpg did not finish what it had to say", "Run it again.")
        self.said = said


class Home(Record):
    """A GNUPGHOME (`folder`) and the gpg that runs in it."""

    program: str
    folder: Path

    def run(
        self, arguments: Sequence[str], *, given: bytes = b"", seconds: float = _SECONDS, folder: Path | None = None,
        whole: bool = False,
    ) -> bytes:  # fmt: skip
        """Run gpg with `given` on its standard input, for at most `seconds`, and return its standard output.

        The exit status is not told: gpg 2.2 exits 0 for what must not count. What it says decides. `whole` is for what
        has no end that could be seen: of a gpg that was killed, what it had not said yet is missing.

        Raises UndecidedError when it cannot be run or does not end.
        """
        with self.start(arguments, given=given, seconds=seconds, folder=folder, whole=whole) as said:
            return said()

    @contextlib.contextmanager
    def start(
        self, arguments: Sequence[str], *, given: bytes = b"", seconds: float = _SECONDS, folder: Path | None = None,
        whole: bool = False,
    ) -> Iterator[Callable[[], bytes]]:  # fmt: skip
        """Let gpg run beside the body; what is yielded waits for its end, and returns and raises as `run` does."""
        command = [
            self.program, "--homedir", str(self.folder), "--no-options", "--no-tty", "--no-autostart",
            "--lock-never", "--no-random-seed-file", "--no-permission-warning", "--display-charset", "utf-8",
            "--trust-model", "always", "--no-auto-check-trustdb", "--no-auto-key-locate", "--no-auto-key-retrieve",
            "--disable-dirmngr", "--weak-digest", "SHA1", "--weak-digest", "RIPEMD160", *arguments,
        ]  # fmt: skip
        stdin = subprocess.PIPE if given else subprocess.DEVNULL
        with contextlib.ExitStack() as open_things:
            try:
                # Not a pipe: gpg flushes each line, which would wake us, or wait for us. stderr is for people.
                output = open_things.enter_context(_output(self.folder))
                process = open_things.enter_context(
                    subprocess.Popen(
                        command, stdin=stdin, stdout=output, stderr=subprocess.DEVNULL, cwd=folder, env=environment()
                    )
                )
            except OSError as error:
                raise UndecidedError(f"gpg cannot be run: {error.strerror}", GNUPG_HINT) from error
            open_things.callback(process.kill)
            deadline = time.monotonic() + seconds
            late = False

            def said() -> bytes:
                nonlocal late
                try:
                    _wait(process, given, deadline - time.monotonic())
                except subprocess.TimeoutExpired:
                    late = True
                    process.kill()
                if late:  # also when it is asked again: what a killed process has said is no answer
                    raise UndecidedError(f"gpg did not finish within {seconds:.0f} seconds")
                output.seek(0)
                if whole and process.returncode:
                    raise HalfSaidError(output.read())
                return output.read()

            yield said


def _output(folder: Path) -> IO[bytes]:
    """An empty file for what gpg says. On a disk that is full, gpg would leave out the rest, and exit with 0."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a kernel that has none
            return open(os.memfd_create("gpg"), "w+b")
    return tempfile.TemporaryFile(dir=folder)


def _wait(process: "subprocess.Popen[bytes]", given: bytes, seconds: float) -> None:
    """Give a process its input and wait for its end. Raises subprocess.TimeoutExpired.

    Popen's own timeout polls, and wakes late; a timer's thread would have to get a turn beside gpg before we go on.
    """
    if process.returncode is not None:
        return
    deadline = time.monotonic() + seconds
    if sys.platform == "linux" and not given:
        # https://man7.org/linux/man-pages/man2/pidfd_open.2.html
        with contextlib.suppress(OSError):  # a kernel that has none
            handle = os.pidfd_open(process.pid)
            try:
                ending = select.poll()
                ending.register(handle, select.POLLIN)
                ending.poll(max(0.0, seconds) * 1000)
            finally:
                os.close(handle)
    process.communicate(given or None, timeout=max(0.0, deadline - time.monotonic()))


def at_time(now: datetime) -> list[str]:
    """The gpg options that make it judge at `now`, so that one run of ours has one time."""
    return ["--faked-system-time", now.astimezone(UTC).strftime("%Y%m%dT%H%M%S!")]


def environment() -> dict[str, str]:
    """The environment of every gpg process: only what it needs, so that nothing in it can steer a verification."""
    kept = ("PATH", "HOME", "SYSTEMROOT", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C", "LANGUAGE": "C"}


def require_gpg(program: str | None) -> str:
    """Return where gpg is, or raise UndecidedError."""
    if not program:
        raise UndecidedError("gpg was not found, so no OpenPGP signature can be made or checked", GNUPG_HINT)
    return program


@contextlib.contextmanager
def private_home(program: str | None) -> Iterator[Home]:
    """Make a fresh GNUPGHOME without a key, and wipe it at the end.

    It lies in memory where the system offers that. Raises UndecidedError when there is no gpg.
    """
    program = require_gpg(program)
    with private_folder(_short_folder(), _PREFIX, _wipe) as folder:
        (folder / "gpg-agent.conf").write_text(_AGENT, encoding="ascii")
        yield Home(program, folder)


def _short_folder() -> Path:
    for candidate in (base_for(0), Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108  mkdtemp makes it safe
        fits = len(os.fsencode(candidate)) + len(_PREFIX) + 9 <= _MAX_HOME_PATH
        if fits and candidate.is_dir() and os.access(candidate, os.W_OK | os.X_OK):
            return candidate
    raise UndecidedError(
        "no folder with a short path is writable for GnuPG", "Set TMPDIR to a short path, such as /tmp."
    )


def _wipe(folder: Path) -> None:
    """End the agent, overwrite the secret keys, remove the folder.

    The folder may be one that somebody planted: only what really lies in it is written to, never through a link.
    """
    with contextlib.suppress(OSError):
        if stat.S_ISSOCK((folder / "S.gpg-agent").lstat().st_mode):
            _end_agent(folder)
    with contextlib.suppress(OSError):
        secrets = os.open(folder / "private-keys-v1.d", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            for name in os.listdir(secrets):
                _overwrite(secrets, name)
        finally:
            os.close(secrets)
    remove(folder)


def _overwrite(folder: int, name: str) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            found = os.fstat(descriptor)
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == os.getuid():
                os.write(descriptor, bytes(found.st_size))
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _end_agent(folder: Path) -> None:
    """Ask the agent of a home to end; it also ends by itself when its home is gone."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            ["gpgconf", "--homedir", str(folder), "--kill", "gpg-agent"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=10, env=environment(), check=False,
        )  # fmt: skip

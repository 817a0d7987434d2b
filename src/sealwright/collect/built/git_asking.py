"""git, asked about a checkout that somebody else may have laid out: nothing runs that the checkout names.

Enters: a folder, a question. Leaves: what git said. Hooks, the file-system monitor and every filter are off, whoever
configured them, and no object is fetched that a partial clone lacks: all of these are programs of the checkout's own
configuration, and who asks may hold signing tokens. `checkout.py` is for a clone of one's own.
"""

import os
import re
import subprocess
from pathlib import Path

from sealwright.errors import UndecidedError, UsageError

_SECONDS = 60
_MOST_BYTES = 64 * 1024 * 1024
_QUIET = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
# An empty list of protocols allows none, whatever protocol.*.allow says; git 2.45 does not even try.
_ALONE = {"GIT_ALLOW_PROTOCOL": "", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "false"}
_FILTER = re.compile(r"filter\.(.*)\.[^.]*", re.DOTALL)
_OFF = ("clean=", "smudge=", "process=", "required=false")


def ask_git(folder: Path, *arguments: str, given: bytes = b"") -> str | None:
    """Ask git, by a command that only reads; None if it says no, or is not there. Bytes that are no UTF-8 survive.

    Raises UndecidedError if it does not answer, and UsageError for a filter that cannot be switched off.
    """
    filters = list_filters(folder) if arguments[0] == "status" else ()
    off = [part for name in filters for setting in _OFF for part in ("-c", f"filter.{name}.{setting}")]
    return _run(folder, [*off, *arguments], given)


def list_filters(folder: Path) -> tuple[str, ...]:
    """Name every filter that any configuration defines, also an included one. Raises as `ask_git` does."""
    keys = (_run(folder, ["config", "--list", "--includes", "--name-only", "-z"], b"") or "").split("\0")
    names = tuple(dict.fromkeys(match[1] for key in keys if (match := _FILTER.fullmatch(key))))
    for name in names:
        if "=" in name:  # git would read -c filter.a=b.clean= as another setting, and the filter would run
            raise UsageError(
                f"git's configuration for {folder.resolve()} has a filter with = in its name: {name!r:.100}",
                "Remove it (git config --show-origin --list): it cannot be switched off, and would run in this job.",
            )
    return names


def _run(folder: Path, arguments: list[str], given: bytes) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *_QUIET, *arguments], input=given, capture_output=True, timeout=_SECONDS,
            env=os.environ | _ALONE, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return None
    except (OSError, subprocess.SubprocessError) as error:
        raise UndecidedError(f"git does not answer: {type(error).__name__}") from error
    if len(done.stdout) > _MOST_BYTES:
        raise UndecidedError(f"git says more than {_MOST_BYTES:,} bytes of {folder.resolve()}")
    return os.fsdecode(done.stdout).removesuffix("\n") if done.returncode == 0 else None

"""What the commands read from the real world: the time, the programs, the terminal."""

import sys
from datetime import UTC, datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from sealwright.files.digest import Progress
    from sealwright.jobs.audit.again import Again
    from sealwright.model.log_entry import Actor
    from sealwright.render.style import Style
    from sealwright.store.log_place import LogPlace

LOG = "Your audit log. [default: audit.jsonl in your state folder, as docs/log.md says]"

_NARROWEST = 40
_on_line: list[str] = []  # what stands on the line of standard error that goes again
_LARGE = 64 * 1024 * 1024


def clock() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def source_date_epoch() -> int | None:
    """The time that SOURCE_DATE_EPOCH gives to what is made, in seconds since 1970, if it is set.

    Raises UsageError if it is no number. https://reproducible-builds.org/specs/source-date-epoch/
    """
    import os
    import re

    from sealwright.errors import UsageError

    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if text and not re.fullmatch(r"[0-9]{1,12}", text):
        raise UsageError("SOURCE_DATE_EPOCH is no number of seconds", "git log -1 --format=%ct prints one.")
    return int(text) if text else None


def find_gpg() -> str | None:
    """Where gpg is, or None."""
    import shutil

    return shutil.which("gpg")


def index_path(given: "Path | str | None") -> "Path | str":
    """Where the index of advisories lies: as it was said, or in the user's own data folder (XDG Base Directory)."""
    import os

    if given is not None:
        return given
    base = os.environ.get("XDG_DATA_HOME", "")
    folder = base if base.startswith("/") else os.path.join(os.path.expanduser("~"), ".local", "share")
    return os.path.join(folder, "sealwright", "advisories.sqlite")


def audit_again(fail_on_new: bool) -> "Again":
    """Against which index a release is audited again when it has verified, and whether what is new decides."""
    from pathlib import Path

    from sealwright.jobs.audit.again import Again

    return Again(Path(index_path(None)), fail_on_new)


def log_place(given: "Path | None") -> "LogPlace":
    """Where the audit log lives: as `--log` says, or the user's configuration, or in their state folder."""
    import os

    from sealwright.store.log_place import locate_log

    return locate_log(given, os.environ)


def data_folder() -> "Path":
    """Where this user's pins are, and what was seen before: in their data folder (docs/trust.md)."""
    import os

    from sealwright.store.user_data import locate_data

    return locate_data(os.environ)


def log_override(given: "Path | None", thing: str, what: str) -> None:
    """Put into the audit log that somebody went on in spite of a warning. Raises UndecidedError and UsageError."""
    _log(given, "override", thing, what)


def log_install(given: "Path | None", thing: str, what: str, outcome: str) -> None:
    """Put into the audit log that a verified release was installed, or was not. Raises as `log_override` does."""
    _log(given, "install", thing, what, outcome)


def _log(given: "Path | None", action: str, thing: str, what: str, outcome: str = "done") -> None:
    from sealwright.model.log_entry import Action, Event
    from sealwright.store.audit_log import append

    append(log_place(given).path, Event(clock(), actor(), Action(action), thing, outcome, detail=(("what", what),)))


def actor() -> "Actor":
    """Who runs this, for the audit log: the user and the host, and the CI job if it says that it is one."""
    import os
    import socket

    from sealwright.model.log_entry import Actor

    ci = ""

    def said(*names: str) -> list[str]:
        return [os.environ.get(name, "?") for name in names]

    if said("GITHUB_ACTIONS") == ["true"]:
        ci = "github {} run {} by {}".format(*said("GITHUB_WORKFLOW_REF", "GITHUB_RUN_ID", "GITHUB_ACTOR"))
    elif said("GITLAB_CI") == ["true"]:
        ci = "gitlab {} job {} by {}".format(*said("CI_PROJECT_PATH", "CI_JOB_ID", "GITLAB_USER_LOGIN"))
    return Actor(_user(), socket.gethostname(), ci)


def _user() -> str:
    """The name of the process's user, or their number where the system has no name for it; never a variable's."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def read_stdin(limit: int, what: str) -> bytes:
    """Read standard input to its end. Raises UsageError if it holds more than `limit` bytes."""
    from sealwright.errors import UsageError

    content = sys.stdin.buffer.read(limit + 1)
    if len(content) > limit:
        raise UsageError(f"standard input holds more than the {limit:,} bytes that {what} may have")
    return content


def style(stream: "TextIO | None" = None) -> "Style":
    """How standard output, or another stream, shows text: wrapped and with colours if it is a terminal."""
    from sealwright.render.style import PLAIN, Style

    if not (stream or sys.stdout).isatty():
        return PLAIN
    import os
    import shutil

    colour = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return Style(colour, max(shutil.get_terminal_size().columns, _NARROWEST))


def say(text: str, stream: "TextIO") -> None:
    """Write a line, made safe to show; on a terminal it breaks between words."""
    from sealwright.render.style import plain, wrapped

    show_line("")
    indent = len(text) - len(text.lstrip()) + 2
    print("\n".join(wrapped(plain(text), style(stream).width, indent)), file=stream, flush=True)


def show_line(text: str) -> None:
    """Put text that is safe to show on the line of standard error that goes again, if that is a terminal; "" wipes it.

    What `say` writes next begins on an empty line, however the work that was shown has ended.
    """
    if (text or _on_line) and sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)
        _on_line[:] = [text] if text else []


def show_progress() -> "Progress":
    """Show how far large files are, on standard error, if that is a terminal."""
    from sealwright.files.digest import no_progress

    if not sys.stderr.isatty():
        return no_progress
    shown: dict[str, int] = {}

    def show(name: str, done: int, total: int) -> None:
        if total < _LARGE:
            return
        percent = 100 * done // max(total, 1)
        if shown.get(name) != percent:
            from sealwright.render.style import plain

            shown[name] = percent
            show_line(f"  reading {plain(name)} {percent:3d} %")
            if done >= total:
                show_line("")

    return show

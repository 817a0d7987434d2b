"""The way into `sealwright`: a plain audit is read here, and every other call by click.

Enters: the command line. Leaves: the process, with its exit code. Plain is `audit`, one target, `--db FILE`, `--format
NAME` and `--json`, each at most once, and nothing that could be meant in another way. Whatever else stands there
(another option, a mistake, --help, completion) goes to sealwright.cli.main untouched. A test holds the two readings
against each other. docs/adr/0010 says what this is for.
"""

import gc
import os
import sys

gc.set_threshold(100_000)  # a short life: at the default, a tenth of it goes into collecting next to nothing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from sealwright.cli.audit_answer import Asking

_COMPLETION = "_SEALWRIGHT_COMPLETE"  # what click's completion scripts set


def read_plain(arguments: "Sequence[str]") -> "Asking | None":
    """Return what a plain call of `audit` says, or None if this is not one."""
    if arguments[:1] != ["audit"] or arguments[1:2] == ["db"]:
        return None
    found: dict[str, str] = {}
    waiting = iter(arguments[1:])
    for word in waiting:
        key, value = ("format", "json") if word == "--json" else ("target", word)
        if word in ("--db", "--format"):
            key, value = word[2:], next(waiting, "")
        if key in found or not value or value.startswith("-"):
            return None
        found[key] = value
    from sealwright.cli.audit_answer import FORMATS, Asking

    if "target" not in found or found.get("format", "text") not in FORMATS:
        return None
    if any("//" in path or "/." in f"/{path}" or path.endswith("/") for path in (found["target"], found.get("db", ""))):
        return None  # pathlib would write it in another way
    return Asking(found["target"], found.get("db"), form=found.get("format", "text"))


def main() -> "NoReturn":
    """Run `sealwright`."""
    asking = None if _COMPLETION in os.environ else read_plain(sys.argv[1:])
    if asking is None:
        from sealwright.cli.main import main as through_click

        through_click()
    from sealwright.cli.audit_answer import answer
    from sealwright.cli.run import run_work

    run_work(lambda: answer(asking))


if __name__ == "__main__":
    main()

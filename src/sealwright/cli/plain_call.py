"""The way into `verify-release`: a plain call is read here, and every other call by click.

Enters: the command line. Leaves: the process, with its exit code. Plain is a release, `--from FOLDER`, `--policy FILE`
and `--json`, each once, in any order, and nothing that could be meant in another way. Whatever else stands there
(another option, a mistake, --help, completion) goes to sealwright.cli.verify_release untouched. A test holds the two
readings against each other. docs/adr/0008 says what this is for.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from sealwright.cli.answer import Asking, answer
from sealwright.cli.run import run_work
from sealwright.model.artifact import is_uploaded

_VALUED = {"--from": "folder", "--policy": "policy"}
_COMPLETION = "_VERIFY_RELEASE_COMPLETE"  # what click's completion scripts set


def read_plain(arguments: Sequence[str]) -> Asking | None:
    """Return what a plain call says, or None if this is not one."""
    found: dict[str, str] = {}
    as_json = False
    waiting = iter(arguments)
    for word in waiting:
        if word == "--json" and not as_json:
            as_json = True
            continue
        key = _VALUED.get(word, "release")
        value = next(waiting, "") if word in _VALUED else word
        if key in found or not value or value.startswith("-"):
            return None
        found[key] = value
    if found.keys() != {"release", "folder", "policy"}:
        return None
    if not all(os.access(found[key], os.R_OK) for key in _VALUED.values()):
        return None  # click says what is wrong with them
    if ":" in found["folder"] or found["folder"] in ("index", "github") or is_uploaded(found["folder"]):
        return None  # a place of another kind
    if is_uploaded(found["release"]):
        return None  # it is a file that is to be verified
    return Asking(found["release"], Path(found["folder"]), Path(found["policy"]), as_json=as_json)


def main() -> NoReturn:
    """Run `verify-release`."""
    asking = None if _COMPLETION in os.environ else read_plain(sys.argv[1:])
    if asking is None:
        from sealwright.cli import verify_release

        verify_release.main()
    run_work(lambda: answer(asking))


if __name__ == "__main__":
    main()

"""The few options of pip that may stand behind `--`, and which Python they are for.

Enters: words. Leaves: `PipOptions`. Whatever could bring in something else than what was verified (`-r`, `--index-url`,
`-e`, `--pre`, another requirement) is on no list here, and neither is any other spelling of what is.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import UsageError

_FLAGS = {
    "--user": "--user",
    "--upgrade": "--upgrade",
    "-U": "--upgrade",
    "--force-reinstall": "--force-reinstall",
    "--no-compile": "--no-compile",
    "--dry-run": "--dry-run",
    "--break-system-packages": "--break-system-packages",
}
_VALUED = {"--target": "--target", "-t": "--target", "--prefix": "--prefix", "--root": "--root", "--python": "--python"}
_WHERE = "Activate the environment that it is for, or name it: -- --python PYTHON"
_HINT = "Behind -- may stand: " + ", ".join(
    [*(flag for flag in _FLAGS if flag != "-U"), *(f"{flag} VALUE" for flag in _VALUED if flag != "-t")]
)


class PipOptions(NamedTuple):
    """What was asked for, with absolute paths; `python` is the interpreter whose pip installs."""

    flags: frozenset[str] = frozenset()
    target: str = ""
    prefix: str = ""
    root: str = ""
    python: str = ""

    @property
    def is_dry(self) -> bool:
        """Whether nothing is to be installed."""
        return "--dry-run" in self.flags

    def words(self) -> list[str]:
        """Return them as pip reads them. What we always say to pip by ourselves is not among them."""
        flags = sorted(self.flags - {"--force-reinstall", "--no-compile"})
        places = {"--target": self.target, "--prefix": self.prefix, "--root": self.root}
        return [*flags, *(word for name, place in places.items() if place for word in (name, place))]


def is_pip_option(word: str) -> bool:
    """Tell whether a word is one of the options that may stand behind `--`."""
    return word in _FLAGS or word in _VALUED


def parse_pip_options(words: tuple[str, ...], environ: Mapping[str, str], own_python: str) -> PipOptions:
    """Read the words behind `--`. Raises UsageError for every word that is not on the list, and for contradictions.

    Without --python it is the Python of the active virtual environment ($VIRTUAL_ENV), or else `own_python`, unless
    that has an environment of its own.
    """
    flags: set[str] = set()
    values: dict[str, str] = {}
    waiting = iter(words)
    for word in waiting:
        if word in _FLAGS:
            flags.add(_FLAGS[word])
        elif word in _VALUED:
            value = next(waiting, "")
            if not value or value.startswith("-") or not value.isprintable():
                raise UsageError(f"{word} needs a value", _HINT)
            if _VALUED[word] in values:
                raise UsageError(f"{word} stands there twice", "Leave one of them out.")
            values[_VALUED[word]] = value
        elif (name := word.partition("=")[0]) in _VALUED:
            raise UsageError(f"{name}=VALUE is not read", f"Write it as two words: {name} VALUE")
        else:
            raise UsageError(f"{word[:80]!r} is no option that may be given to pip here", _HINT)
    given = values.pop("--python", "")
    python = _find_python(given, environ, own_python)
    places: list[str] = [name for name in ("--target", "--prefix", "--root") if name in values]
    if "--user" in flags:
        places.append("--user")
    if len(places) > 1 and set(places) != {"--prefix", "--root"}:
        raise UsageError(f"{' and '.join(places)} contradict each other", "Leave one of them out.")
    if not (given or places or environ.get("VIRTUAL_ENV")) and _is_virtual(python):
        # Whoever installs there decides what every later verification runs, whatever the project.
        raise UsageError("nothing says where to install to, and Sealwright's own environment is not for it", _WHERE)
    absolute = {name.removeprefix("--"): os.path.abspath(value) for name, value in values.items()}
    return PipOptions(frozenset(flags), python=python, **absolute)


def _is_virtual(python: str) -> bool:
    """Tell whether an interpreter is that of a virtual environment (PEP 405)."""
    return os.path.isabs(python) and (Path(python).parent.parent / "pyvenv.cfg").exists()


def _find_python(given: str, environ: Mapping[str, str], own_python: str) -> str:
    """Where the interpreter is. Links are not followed: it is by its path that Python knows its environment.

    A bare name is looked for on the PATH alone: the folder one stands in may be an attacker's.
    """
    if not given and not environ.get("VIRTUAL_ENV"):
        return own_python
    named = given or environ["VIRTUAL_ENV"]
    if given and "/" not in given:
        found = os.path.abspath(shutil.which(given, path=environ.get("PATH")) or "")
    else:
        found = os.path.abspath(Path(named, "bin", "python") if os.path.isdir(named) else named)
    if not os.path.isfile(found) or not os.access(found, os.X_OK):
        what = "--python" if given else "VIRTUAL_ENV"
        raise UsageError(
            f"{what} names {named[:200]}, where there is no Python",
            "Name one with -- --python PYTHON: a path with a / in it, or a name on the PATH.",
        )
    return found

"""What pip makes of a wheel that was verified, and what of a wheel it must not make.

Enters: what the wheel holds (in memory), and where it is to be installed. Leaves: `Expected`, or a refusal. Reads no
file, but asks where links lead.
"""

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import TamperedError, UsageError
from sealwright.files.wheel_content import WheelContent
from sealwright.store.python_environment import Target

_PYTHON = re.compile(r"python[0-9.]*")


class Expected(NamedTuple):
    """What must be there: hex SHA-256 and size by absolute path, and the path of RECORD, which pip writes anew.

    `tops` are the names that the wheel brings into each folder that modules are imported from (without links).
    """

    files: dict[str, tuple[str, int]]
    record: str
    library: str
    tops: dict[str, frozenset[str]]


def expect(content: WheelContent, target: Target) -> Expected:
    """Say what pip makes of this wheel: its files, scripts with their first line, its entry points, its own marks.

    Raises TamperedError for a wheel that has two files for one place, or one in the place of what installs it, and
    UsageError if a link leads one out of the folder that it is for.
    """
    library = target.library(pure=content.pure)
    points = {name for name, _ in (*content.console, *content.gui)}
    files: dict[str, tuple[str, int]] = {}
    for name, digest in content.files.items():
        top, _, rest = name.partition("/")
        if not top.endswith(".data"):
            _add(files, library / name, digest)
            continue
        kind, _, path = rest.partition("/")
        if kind == "scripts" and _stem(path) in points:
            continue  # pip makes its own in its place
        if kind == "scripts" and name in content.rewritten:
            digest = _of(_with_interpreter(content.rewritten[name], target.executable))
        _add(files, Path(target.schemes[kind]) / path, digest)
    for name, script in target.scripts.items():
        _add(files, Path(target.schemes["scripts"]) / name, _of(script))
    _refuse_links(files, str(library), target)
    _refuse_own_tools(files, content, target)
    files[str(library / content.info / "INSTALLER")] = _of(b"pip\n")
    files[str(library / content.info / "REQUESTED")] = _of(b"")
    return Expected(files, str(library / content.info / "RECORD"), str(library), _tops(files, target))


def _tops(files: Iterable[str], target: Target) -> dict[str, frozenset[str]]:
    """Return the first part of the path of each file below what that Python imports from, or will."""
    roots = {os.path.realpath(target.library(pure=pure)) for pure in (True, False)}
    roots |= set(target.paths) - set(target.standard)  # nothing of a wheel lies in those
    places = _without_links(files).values()
    found = {
        root: frozenset(
            place[len(root) + 1 :].partition(os.sep)[0] for place in places if place.startswith(root + os.sep)
        )
        for root in roots
    }
    return {root: names for root, names in found.items() if names}


def _without_links(files: Iterable[str]) -> dict[str, str]:
    """Return where each file lies in truth."""
    split = {path: os.path.split(path) for path in files}
    real = {folder: os.path.realpath(folder) for folder in {folder for folder, _ in split.values()}}
    return {path: os.path.join(real[folder], name) for path, (folder, name) in split.items()}


def _add(files: dict[str, tuple[str, int]], path: Path, digest: tuple[str, int]) -> None:
    """Which of two files pip would leave in one place is nobody's to guess."""
    if str(path) in files:
        raise TamperedError(f"the wheel is not installed: it holds two files for {path}", "Tell the project.")
    files[str(path)] = digest


def _refuse_own_tools(files: dict[str, tuple[str, int]], content: WheelContent, target: Target) -> None:
    """What installs is run again afterwards: a wheel that takes its place would be run, unlike every other."""
    home = os.path.dirname(target.python)
    settings = {os.path.join(folder, "pyvenv.cfg") for folder in (home, target.prefix)}
    own = content.info.removesuffix(".dist-info").rpartition("-")[0].lower()
    libraries = {str(target.library(pure=pure)) + os.sep for pure in (True, False)}
    for path, place in _without_links(files).items():
        python = os.path.dirname(path) == home and _PYTHON.fullmatch(os.path.basename(path))
        tops = [path.removeprefix(root).partition(os.sep)[0] for root in libraries if path.startswith(root)]
        pip = own != "pip" and any(top.partition(".")[0].lower() == "pip" for top in tops)  # a module of that name, too
        if python or path in settings or pip or _is_standard(place, target):
            raise TamperedError(f"the wheel is not installed: it would replace {path}", "Tell the project.")


def _is_standard(place: str, target: Target) -> bool:
    """Whether a file lies among those of Python itself, or is one of the places that it imports from."""
    libraries = tuple(os.path.realpath(target.library(pure=pure)) + os.sep for pure in (True, False))
    own = any(place.startswith(root + os.sep) for root in target.standard) and not place.startswith(libraries)
    return own or place in target.paths


def _refuse_links(files: dict[str, tuple[str, int]], library: str, target: Target) -> None:
    """A virtual environment's lib64 is a link to its lib: by it, one file has two names.

    A link that stays within, and leads to neither modules nor scripts, is the user's own affair.
    """
    roots = sorted(set(target.schemes.values()), key=len, reverse=True)
    for folder in {os.path.dirname(path) for path in files if not path.startswith(library + os.sep)}:
        root = next((root for root in roots if _is_within(folder, root)), "")
        real, place = os.path.realpath(folder), os.path.realpath(root)
        if not root or real == os.path.normpath(f"{place}/{folder[len(root) :]}"):
            continue
        if not _is_within(real, place) or any(
            _is_within(real, os.path.realpath(each)) for each in roots if not _is_within(root, each)
        ):
            hint = "Remove the link if it is no longer needed; or install into a new virtual environment."
            raise UsageError(f"the wheel is not installed: a link leads {folder} elsewhere", hint)


def _is_within(folder: str, root: str) -> bool:
    return f"{folder}/".startswith(f"{root}/")


def _stem(script: str) -> str:
    for ending in (".exe", "-script.py", ".pya"):
        if script.lower().endswith(ending):
            return script[: -len(ending)]
    return script


def _with_interpreter(script: bytes, executable: str) -> bytes:
    return b"#!" + os.fsencode(executable) + b"\n" + script.partition(b"\n")[2]


def _of(content: bytes) -> tuple[str, int]:
    return hashlib.sha256(content).hexdigest(), len(content)

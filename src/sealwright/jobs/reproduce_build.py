"""The build of a reproduction: the project's code, in a child process that knows next to nothing of its surroundings.

Enters: a checkout, a private folder, the environment of the child, what to build with. Leaves: files in the
folder's `out`. What the code does to this user's files, or over the network, nothing here prevents: never where secrets
are.
"""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sealwright.collect.built.checkout import Checkout, clone_commit
from sealwright.errors import UndecidedError
from sealwright.files.module_start import start_module
from sealwright.files.private import remove
from sealwright.files.process import run_bounded
from sealwright.model.artifact import ArtifactKind, ArtifactName

Say = Callable[[str], None]
"""Called with what is being done, for a person."""

_ALWAYS = {
    "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONNOUSERSITE": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1",
}  # fmt: skip


class Recipe(NamedTuple):
    """How to rebuild: from which repository ("": the policy's), which commit ("": the provenance's), and how.

    `epoch` is a SOURCE_DATE_EPOCH other than the commit's time, `seconds` the longest time for the build, `path` the
    PATH of git and the build.
    """

    path: str
    repository: str = ""
    commit: str = ""
    isolated: bool = True
    epoch: int | None = None
    seconds: float = 1800


def prepare_folder(private: Path, recipe: Recipe) -> dict[str, str]:
    """Make the folders of a build, and return the whole environment that git and the build get."""
    for inside in ("home", "tmp", "out"):
        (private / inside).mkdir()
    return _ALWAYS | {"PATH": recipe.path, "HOME": str(private / "home"), "TMPDIR": str(private / "tmp")}


def build_alike(
    checkout: Checkout,
    private: Path,
    names: tuple[ArtifactName, ...],
    backend: str,
    environment: dict[str, str],
    recipe: Recipe,
    say: Say,
) -> tuple[str, list[str]]:
    """Build with the backend that the released wheel names, or else with what the project asks for.

    Return the requirement that was held to, and what to note. `uv build` does not heed the project's own pins.
    """
    kinds = _kinds(names)
    if not backend:
        _build(checkout, private, kinds, environment, recipe)
        return "", []
    constraints = private / "constraints.txt"
    constraints.write_text(f"{backend}\n", encoding="ascii")
    try:
        _build(checkout, private, kinds, environment | {"PIP_CONSTRAINT": str(constraints)}, recipe)
    except UndecidedError as error:
        say(f"it cannot be built with {backend}: building with what the project asks for")
        fresh = private / "again"
        fresh.mkdir()
        environment |= prepare_folder(fresh, recipe)
        again = clone_commit(
            str(checkout.folder), checkout.commit, fresh, environment
        )  # the first build may have left traces
        remove(private / "out")
        (private / "out").mkdir()
        _build(again, private, kinds, environment, recipe)
        return "", [f"the release names {backend}, with which this commit could not be built: {error.message[-300:]}"]
    return backend, []


def _kinds(names: tuple[ArtifactName, ...]) -> list[str]:
    """As it is usually done: the wheel is built from the sdist, if there is to be one."""
    kinds = {name.kind for name in names}
    if kinds >= {ArtifactKind.WHEEL, ArtifactKind.SDIST}:
        return []
    return ["--wheel"] if ArtifactKind.WHEEL in kinds else ["--sdist"]


def _build(checkout: Checkout, private: Path, kinds: list[str], environment: dict[str, str], recipe: Recipe) -> None:
    """https://build.pypa.io/. Nothing in the current folder is taken for `build` itself."""
    how = [] if recipe.isolated else ["--no-isolation"]
    start, where = start_module("build")
    command = [*start, *kinds, *how, "--outdir", str(private / "out"), str(checkout.folder)]
    ended = run_bounded(command, private, environment | where, recipe.seconds)
    if ended.status is None:
        raise UndecidedError(f"the build did not end within {recipe.seconds:.0f} seconds", "Give it longer: --timeout")
    if ended.status != 0:
        alone = "Without isolation, the build backend must be installed beside Sealwright."
        raise UndecidedError(
            f"the commit {checkout.commit} could not be built (status {ended.status}): {_complaint(ended.said)}",
            "See whether python -m build succeeds in a clone of your own." if recipe.isolated else alone,
        )


def _complaint(said: str) -> str:
    """The first errors that a build speaks of, and its last words."""
    lines = [line.strip()[-200:] for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return " / ".join(dict.fromkeys([*errors[:2], *lines[-3:]]))


def remove_all(folder: Path) -> None:
    """Remove a folder in which somebody's build may have taken away the right to, or nested folders without end."""
    with contextlib.suppress(RecursionError):
        for each in _folders(folder):
            with contextlib.suppress(OSError):
                os.chmod(each, stat.S_IRWXU)
        remove(folder)


def _folders(folder: Path) -> Iterator[str]:
    """Every folder below, each before it is entered, so that it can be."""
    yield str(folder)
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _folders(Path(entry.path))

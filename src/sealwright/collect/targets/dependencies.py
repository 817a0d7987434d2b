"""Which kind of target this is, and what depends on what in it.

Enters: a path that a person named, or the folder they stand in. Leaves: `Dependencies`. Executes nothing of the
target.
"""

import os

from sealwright.errors import UsageError
from sealwright.files.reading import describe_mode
from sealwright.model.dependency import Dependencies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_LOCKS = ("pylock.toml", "uv.lock", "requirements.txt")
_HINT = (
    "It audits wheels, sdists, requirements*.txt, pylock.toml, uv.lock, CycloneDX SBOMs in JSON, virtual environments."
)
_UNREAD = {
    "poetry.lock": "poetry.lock is not read here. Export it: poetry export -o requirements.txt",
    "pdm.lock": "pdm.lock is not read here. Export it: pdm export -o requirements.txt",
    "Pipfile.lock": "Pipfile.lock is not read here. Export it: pipenv requirements > requirements.txt",
    "pyproject.toml": "pyproject.toml pins nothing. Lock it (uv lock), or audit the environment it is installed in.",
}


def collect_dependencies(target: "Path | str | None", *, environment: "Path | None" = None) -> Dependencies:
    """Read a target. Without one: the lock of the folder one stands in, or its virtual environment, or `environment`.

    Raises UsageError if it is missing or nothing that is known, UndecidedError if the system refuses to read it.
    """
    if target is None:
        return _collect_project(".", environment)
    target = os.fspath(target)
    if os.path.isdir(target):
        if os.path.isfile(os.path.join(target, "pyvenv.cfg")):
            return _environment(target, ".")
        return _collect_project(target, None)
    if not os.path.exists(target):
        raise UsageError(f"the target {target} does not exist", _HINT)
    if not os.path.isfile(target):
        raise UsageError(f"the target {target} is {describe_mode(os.stat(target).st_mode)}", _HINT)
    return _collect_file(target)


def _collect_file(target: str) -> Dependencies:
    name = os.path.basename(target)
    if name.endswith((".txt", ".in", ".pip", ".reqs")):
        from sealwright.collect.targets.pinned_requirements import collect_requirements

        return collect_requirements(target)
    if name in _UNREAD:
        raise UsageError(f"the target {target} is of no kind that is read here", _UNREAD[name])
    from pathlib import Path

    from sealwright.model.artifact import is_uploaded

    path = Path(target)
    if is_uploaded(name):
        from sealwright.collect.targets.pinned_archive import collect_archive

        return collect_archive(path)
    if name.endswith(".toml"):
        from sealwright.collect.targets.pinned_pylock import collect_pylock

        return collect_pylock(path)
    if name.endswith(".lock"):
        from sealwright.collect.targets.pinned_uv_lock import collect_uv_lock

        return collect_uv_lock(path)
    if name.endswith(".json"):
        from sealwright.collect.targets.pinned_sbom import collect_sbom

        return collect_sbom(path)
    raise UsageError(f"the target {target} is of no kind that is known here", _HINT)


def _collect_project(folder: str, environment: "Path | None") -> Dependencies:
    """The first of a project's locks, else its environment; the others are named, because nobody looked at them."""
    from sealwright.collect.targets.other_locks import collect_other_locks, collect_uncovered, shorten

    inside = "" if folder == "." else folder
    lock = next((name for name in _LOCKS if os.path.isfile(os.path.join(folder, name))), None)
    own = os.path.join(inside, ".venv")
    virtual = str(environment) if environment else None
    virtual = own if os.path.isfile(os.path.join(own, "pyvenv.cfg")) else virtual
    if lock is not None:
        found = _collect_file(os.path.join(inside, lock))
    elif virtual is not None:
        found = _environment(virtual, folder)
    else:
        there, others = os.path.realpath(folder), collect_other_locks(folder, frozenset())
        readable = [name for name in others if name not in _UNREAD]
        unread = (hint for name, hint in _UNREAD.items() if os.path.isfile(os.path.join(folder, name)))
        raise UsageError(
            f"there is nothing to audit in {there}: no {', '.join(_LOCKS)}, no virtual environment in .venv",
            f"Name one of: {shorten(readable)}." if readable else next(unread, _HINT),
        )
    read = frozenset((os.path.realpath(found.target), *found.read))
    others = [os.path.join(inside, name) for name in collect_other_locks(folder, read)]
    uncovered = collect_uncovered(folder, frozenset(entry.name for entry in found.entries))
    others += [os.path.join(inside, each) for each in uncovered]
    others += [virtual] if lock is not None and virtual is not None else []
    return found._replace(notes=(*found.notes, f"not looked at: {shorten(others)}")) if others else found


def _environment(folder: str, project: str) -> Dependencies:
    from pathlib import Path

    from sealwright.collect.targets.pinned_environment import collect_environment

    return collect_environment(Path(folder), Path(project))

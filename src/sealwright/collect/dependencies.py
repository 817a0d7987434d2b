"""Which kind of target this is, and what depends on what in it.

Enters: a path that a person named, or the folder they stand in. Leaves: `Dependencies`. Executes nothing of the
target.
"""

import os
from pathlib import Path

from sealwright.errors import UsageError
from sealwright.files.reading import describe_mode
from sealwright.model.dependency import Dependencies

_LOCKS = ("pylock.toml", "uv.lock", "requirements.txt")
_HINT = (
    "It audits wheels, sdists, requirements*.txt, pylock.toml, uv.lock, CycloneDX SBOMs in JSON, virtual environments."
)


def collect_dependencies(target: Path | None, *, environment: Path | None = None) -> Dependencies:
    """Read a target. Without one: the lock of the folder one stands in, or its virtual environment, or `environment`.

    Raises UsageError if it is missing or nothing that is known, UndecidedError if the system refuses to read it.
    """
    if target is None:
        return _collect_project(Path(), environment)
    if os.path.isdir(target):
        if (target / "pyvenv.cfg").is_file():
            return _environment(target, Path())
        return _collect_project(target, None)
    name = target.name
    if not target.exists():
        raise UsageError(f"the target {target} does not exist", _HINT)
    if not target.is_file():
        raise UsageError(f"the target {target} is {describe_mode(target.stat().st_mode)}", _HINT)
    return _collect_file(target, name)


def _collect_file(target: Path, name: str) -> Dependencies:
    if name.endswith((".whl", ".tar.gz")):
        from sealwright.collect.pinned_archive import collect_archive

        return collect_archive(target)
    if name.endswith(".toml"):
        from sealwright.collect.pinned_pylock import collect_pylock

        return collect_pylock(target)
    if name.endswith(".lock"):
        from sealwright.collect.pinned_uv_lock import collect_uv_lock

        return collect_uv_lock(target)
    if name.endswith(".json"):
        from sealwright.collect.pinned_sbom import collect_sbom

        return collect_sbom(target)
    if name.endswith((".txt", ".in", ".pip", ".reqs")):
        from sealwright.collect.pinned_requirements import collect_requirements

        return collect_requirements(target)
    raise UsageError(f"the target {target} is of no kind that is known here", _HINT)


def _collect_project(folder: Path, environment: Path | None) -> Dependencies:
    """The first of a project's locks, else its environment; the others are named, because nobody looked at them."""
    locks = [name for name in _LOCKS if (folder / name).is_file()]
    virtual = folder / ".venv" if (folder / ".venv" / "pyvenv.cfg").is_file() else environment
    if locks:
        found = _collect_file(folder / locks[0], locks[0])
        others = [str(folder / name) for name in locks[1:]]
        others += [str(virtual)] if virtual else []
        note = f"not looked at: {', '.join(others)}" if others else ""
        return found._replace(notes=(*found.notes, note)) if note else found
    if virtual is not None:
        return _environment(virtual, folder)
    raise UsageError(
        f"there is nothing to audit in {folder.resolve()}: no {', '.join(_LOCKS)}, no virtual environment in .venv",
        _HINT,
    )


def _environment(folder: Path, project: Path) -> Dependencies:
    from sealwright.collect.pinned_environment import collect_environment

    return collect_environment(folder, project)

"""What in a project's folder says what it depends on, beside the one lock that is audited.

Enters: the folder, the files that were read, the names that were found. Leaves: what nobody looked at, as texts. Only
pyproject.toml is read; nothing is run.
"""

import os
from typing import Any

from sealwright.files.reading import read_bounded
from sealwright.model.advisory import normalise

_FOREIGN = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock")
_NESTED = "requirements"
_PYPROJECT = "pyproject.toml"
_MAX_BYTES = 1024 * 1024
_MOST = 50


def collect_other_locks(folder: str, read: "frozenset[str]") -> list[str]:
    """Name the locks and requirements files in a folder, relative to it, but those whose resolved paths were `read`."""
    beside = _list(folder)
    own = ("pylock.toml", *_FOREIGN, "requirements.txt")
    found = [name for name in own if name in beside]
    found += [name for name in beside if name.startswith("pylock.") and name.endswith(".toml") and name not in own]
    found += [name for name in beside if name.startswith("requirements") and name.endswith(".txt") and name not in own]
    nested = _list(os.path.join(folder, _NESTED))
    found += [os.path.join(_NESTED, name) for name in nested if name.endswith(".txt")]
    return [
        name
        for name in found
        if os.path.isfile(path := os.path.join(folder, name)) and os.path.realpath(path) not in read
    ]


def collect_uncovered(folder: str, names: "frozenset[str]") -> str:
    """Say what pyproject.toml requires that is not among `names` (normalised), or that nobody can tell; or nothing."""
    path = os.path.join(folder, _PYPROJECT)
    if not os.path.isfile(path):
        return ""
    import tomllib

    try:
        document = tomllib.loads(read_bounded(path, _MAX_BYTES, follow=True).decode("utf-8"))
        project = document.get("project", {})
        required = _required(project, document.get("dependency-groups", {}))
        own = {normalise(str(project.get("name", "")))}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return f"{_PYPROJECT} (cannot be read)"
    missing = [name for name in dict.fromkeys(map(_name, required)) if name not in names | own]
    return f"{_PYPROJECT} (requires {shorten(missing)})" if missing else ""


def shorten(names: list[str]) -> str:
    """List names; a flood of them is cut, and counted."""
    more = f", and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more


def _required(project: dict[str, Any], groups: dict[str, Any]) -> list[str]:
    """Every requirement that stands there as one (PEP 621, PEP 735); a group that includes another repeats it."""
    lists = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values(), *groups.values()]
    return [each for requirements in lists for each in requirements if isinstance(each, str)]


def _name(requirement: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return normalise(Requirement(requirement).name)
    except InvalidRequirement:
        return requirement[:100]


def _list(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []

"""What in a project's folder says what it depends on, beside the one lock that is audited.

Enters: the folder, the files that were read, the names that were found. Leaves: what nobody looked at, as texts.
Nothing is run.
"""

import contextlib
import os
from typing import Any

from sealwright.files.reading import read_bounded
from sealwright.model.advisory import normalise

_FOREIGN = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock")
_NESTED = "requirements"
_PYPROJECT = "pyproject.toml"
_OLDER, _REQUIRES = ("setup.cfg", "setup.py"), b"install_requires"
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


def collect_uncovered(folder: str, names: "frozenset[str]") -> list[str]:
    """Say what the project declares that is not among `names` (normalised), or that nobody can tell without a build."""
    found = [_in_pyproject(folder, names)]
    for name in _OLDER:
        with contextlib.suppress(OSError):
            if _REQUIRES in read_bounded(os.path.join(folder, name), _MAX_BYTES, follow=True):
                found.append(f"{name} (what it requires is only known when it is built)")
    return [each for each in found if each]


def _in_pyproject(folder: str, names: "frozenset[str]") -> str:
    path = os.path.join(folder, _PYPROJECT)
    if not os.path.isfile(path):
        return ""
    import tomllib

    try:
        document = tomllib.loads(read_bounded(path, _MAX_BYTES, follow=True).decode("utf-8"))
        project, poetry = document.get("project", {}), document.get("tool", {}).get("poetry", {})
        required = _required(project, document.get("dependency-groups", {})) + _of_poetry(poetry)
        own = {normalise(str(project.get("name", ""))), normalise(str(poetry.get("name", "")))}
        dynamic = {"dependencies", "optional-dependencies"}.intersection(project.get("dynamic", []))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return f"{_PYPROJECT} (cannot be read)"
    missing = [name for name in dict.fromkeys(map(_name, required)) if name not in names | own]
    said = [f"requires {shorten(missing)}"] if missing else []
    said += ["some of what it requires is only known when it is built"] if dynamic and not poetry else []
    return f"{_PYPROJECT} ({'; '.join(said)})" if said else ""


def shorten(names: list[str]) -> str:
    """List names; a flood of them is cut, and counted."""
    more = f", and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more


def _required(project: dict[str, Any], groups: dict[str, Any]) -> list[str]:
    """Every requirement that stands there as one (PEP 621, PEP 735); a group that includes another repeats it."""
    lists = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values(), *groups.values()]
    return [each for requirements in lists for each in requirements if isinstance(each, str)]


def _of_poetry(poetry: dict[str, Any]) -> list[str]:
    """The names in Poetry's own tables (https://python-poetry.org/docs/pyproject/#dependencies); Python is none."""
    tables = [poetry.get("dependencies", {}), poetry.get("dev-dependencies", {})]
    tables += [group.get("dependencies", {}) for group in poetry.get("group", {}).values()]
    return [name for table in tables for name in table if normalise(name) != "python"]


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

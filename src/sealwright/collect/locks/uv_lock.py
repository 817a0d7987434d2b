"""uv.lock: the packages that the project needs on this machine.

Enters: a path. Leaves: a `Lock`. Follows the dependencies that the lock states, whose markers are true here; the extras
and groups are those that were asked for. The format is uv's own, and has a version that is checked.
https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sealwright.collect.contents.index import IndexFile
from sealwright.collect.contents.purl import build_purl
from sealwright.collect.contents.references import clean_file_url
from sealwright.collect.locks.lock_entries import MAX_PACKAGES, Lock, LockEntry, read_toml
from sealwright.errors import UsageError

_HINT = "Lock the project again with a current uv: uv lock"
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,200}[a-z0-9])?")
_LOCAL = ("editable", "virtual", "directory", "path")
_MOST_DEPENDENCIES = 200_000


def collect_uv_lock(path: Path, extras: tuple[str, ...], groups: tuple[str, ...], project: str = "") -> Lock:
    """Read the lock; its project is the package that lies beside it, or `project`. Raises UsageError."""
    document = read_toml(path)
    if document.get("version") != 1 or isinstance(document.get("version"), bool):
        raise UsageError(f"{path} is of a version that is not known: {document.get('version')!r}", _HINT)
    listed = document.get("package")
    if not isinstance(listed, list) or not listed or len(listed) > MAX_PACKAGES:
        raise UsageError(f"{path} lists no packages, or more than {MAX_PACKAGES:,}", _HINT)
    try:
        by_name = _fitting(listed)
        root = _find_root(by_name, project)
        _check_asked(root, extras, groups)
        entries = tuple(_entry(table, groups if table is root else ()) for table in by_name.values())
    except _ShapeError as error:
        raise UsageError(f"{path}: {error}", _HINT) from error
    return Lock(entries, str(root["name"]))


class _ShapeError(ValueError):
    """A lock that is not what uv writes; the text says where."""


def _fitting(listed: list[Any]) -> dict[str, dict[str, Any]]:
    """Of each name the one package whose resolution markers are true here (a lock may fork by platform)."""
    found: dict[str, dict[str, Any]] = {}
    for table in listed:
        if not isinstance(table, dict):
            raise _ShapeError("an entry of package is no table")
        name = table.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _ShapeError(f"{str(name)[:80]!r} is no name of a package")
        if not _any_true(_texts(table, "resolution-markers"), name):
            continue
        if name in found:
            raise _ShapeError(
                f"two versions of {name} fit this machine: {found[name].get('version')}, {table.get('version')}"
            )
        found[name] = table
    return found


def _any_true(markers: list[str], name: str) -> bool:
    return not markers or any(_is_true(marker, name) for marker in markers)


def _is_true(text: str, name: str) -> bool:
    from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

    try:
        return bool(Marker(text[:4_000]).evaluate({"extra": ""}))
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, ValueError, RecursionError) as error:
        raise _ShapeError(f"{name} has a marker that cannot be evaluated: {text[:100]}") from error


def _find_root(by_name: dict[str, dict[str, Any]], project: str) -> dict[str, Any]:
    if project in by_name:
        return by_name[project]
    local = [
        table
        for table in by_name.values()
        if _source(table).get("editable") == "." or _source(table).get("virtual") == "."
    ]
    if len(local) != 1 or project:
        raise _ShapeError(f"{project or 'the project itself'} is not in it")
    return local[0]


def _check_asked(root: dict[str, Any], extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    known = (_table(root, "optional-dependencies"), _table(root, "dev-dependencies"))
    for asked, table, what in ((extras, known[0], "extra"), (groups, known[1], "group")):
        for name in asked:
            if name not in table:
                raise _ShapeError(f"{root['name']} has no {what} {name}")


def _entry(table: dict[str, Any], groups: tuple[str, ...]) -> LockEntry:
    name = str(table["name"])
    version = table.get("version", "")
    if not isinstance(version, str) or len(version) > 200:
        raise _ShapeError(f"{name} has a version that is none")
    requires = [_requirement(each, name) for each in _tables(table, "dependencies", name)]
    optional = _table(table, "optional-dependencies")
    for extra in optional:
        requires += [_requirement(each, name, f'extra == "{extra}"') for each in _tables(optional, extra, name)]
    for group in groups:
        requires += [_requirement(each, name) for each in _tables(_table(table, "dev-dependencies"), group, name)]
    source = _source(table)
    if any(kind in source for kind in _LOCAL):
        return LockEntry(name, version, None, (), tuple(requires), build_purl(name, version))
    files = [file for each in _files(table, name) if (file := _file(each))]
    digests = tuple(sorted({file.sha256 for file in files if file.sha256}))
    chosen = _choose(files, name, version, digests)
    if "git" in source:
        url, _, commit = str(source["git"]).partition("#")
        where = clean_file_url(url)
        return LockEntry(
            name,
            version,
            None,
            (),
            tuple(requires),
            build_purl(name, version, vcs_url=f"git+{where}@{commit[:64]}" if where else ""),
        )
    if "url" in source:
        where = clean_file_url(str(source["url"]))
        return LockEntry(name, version, chosen, digests, tuple(requires), build_purl(name, version, download_url=where))
    return LockEntry(name, version, chosen, (chosen.sha256,) if chosen else digests, tuple(requires))


def _requirement(table: dict[str, Any], owner: str, condition: str = "") -> str:
    """Write a dependency of the lock as a requirement (PEP 508)."""
    name, marker = table.get("name"), table.get("marker", "")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(marker, str) or len(marker) > 4_000:
        raise _ShapeError(f"{owner} has a dependency that cannot be read")
    extras = _texts(table, "extra")
    both = [f"({marker})"] if marker else []
    both += [condition] if condition else []
    return f"{name}{'[' + ','.join(extras) + ']' if extras else ''}" + (f" ; {' and '.join(both)}" if both else "")


def _choose(files: list[IndexFile], name: str, version: str, digests: tuple[str, ...]) -> IndexFile | None:
    from packaging.version import InvalidVersion

    from sealwright.collect.contents.index_files import choose_file

    try:
        return choose_file(files, name, version, digests) if version else None
    except InvalidVersion as error:
        raise _ShapeError(f"{name} has a version that is none: {version[:80]}") from error


def _files(table: dict[str, Any], name: str) -> list[dict[str, Any]]:
    sdist = table.get("sdist")
    return [*_tables(table, "wheels", name), *([sdist] if isinstance(sdist, dict) else [])]


def _file(table: dict[str, Any]) -> IndexFile | None:
    url, digest = table.get("url", table.get("path", "")), table.get("hash", "")
    if not isinstance(url, str) or not isinstance(digest, str) or not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        return None
    name = unquote(url.partition("#")[0].rpartition("/")[2])[:255]
    return IndexFile(name, url if "url" in table else "", digest.removeprefix("sha256:"))


def _source(table: dict[str, Any]) -> dict[str, Any]:
    return _table(table, "source")


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise _ShapeError(f"{key} is no table")
    return value


def _tables(table: dict[str, Any], key: str, name: str) -> list[dict[str, Any]]:
    values = table.get(key, [])
    if not isinstance(values, list) or len(values) > _MOST_DEPENDENCIES or not all(isinstance(v, dict) for v in values):
        raise _ShapeError(f"{key} of {name} is no list of tables")
    return values


def _texts(table: dict[str, Any], key: str) -> list[str]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values) or len(values) > 1_000:
        raise _ShapeError(f"{key} is no list of texts")
    return values

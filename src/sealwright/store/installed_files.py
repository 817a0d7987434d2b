"""The files of an installed wheel, held against the wheel that was verified.

Enters: what the wheel holds (in memory), and where it was installed. Leaves: the differences, in words. Nothing that
is installed is run, and no link is followed in place of a file.
"""

import contextlib
import csv
import hashlib
import io
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from sealwright.errors import UndecidedError
from sealwright.files.reading import UnfitFileError, open_regular, read_bounded, reason
from sealwright.store.expected_files import Expected
from sealwright.store.python_environment import Target

_MAX_RECORD_BYTES = 64 * 1024**2
_MAX_ENTRIES = 500_000
_BLOCK = 256 * 1024
_CACHE = "__pycache__"
_CUSTOM = ("sitecustomize", "usercustomize")
_STARTING = (".pth", ".start")  # the second since Python 3.15 (https://peps.python.org/pep-0829/)


def snapshot(expected: Expected, target: Target) -> frozenset[str]:
    """List what lies where the wheel installs: in those folders, and below the wheel's own. Raises UndecidedError."""
    roots = {expected.library, target.schemes["purelib"], target.schemes["platlib"], target.schemes["scripts"]}
    own = {
        str(Path(root, os.path.relpath(path, root).split(os.sep)[0]))
        for root in roots
        for path in (*expected.files, expected.record)
        if path.startswith(root + os.sep)
    }
    found = {path for path in expected.files if os.path.lexists(path)}
    for root in roots:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found.update(os.path.join(root, name) for name in os.listdir(root))
    for folder in own:
        for where, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if name != _CACHE]
            found.update(os.path.join(where, name) for name in (*folders, *names))
            if len(found) > _MAX_ENTRIES:
                raise UndecidedError(f"{folder} holds more than {_MAX_ENTRIES:,} files")
    return frozenset(found)


def linked_folders(expected: Expected) -> list[str]:
    """Return those of the wheel's folders that are links: what lies behind them belongs to somebody else."""
    folders: set[str] = set()
    for path in (*expected.files, expected.record):
        if path.startswith(expected.library + os.sep):
            folders.update(_parents(path, expected))
    return sorted(folder for folder in folders if os.path.islink(folder))


def compare(expected: Expected) -> list[str]:
    """Hold each installed file against the wheel, and return the differences, in words."""
    problems = [f"{folder} is a link" for folder in linked_folders(expected)]
    problems += [f"{path} {what}" for path, digest in expected.files.items() if (what := _difference(path, digest))]
    return problems + _compare_record(expected)


def _difference(path: str, digest: tuple[str, int]) -> str:
    try:
        descriptor = open_regular(Path(path))
    except FileNotFoundError:
        return "is missing"
    except (UnfitFileError, OSError) as error:
        return f"cannot be compared: it is {error}" if isinstance(error, UnfitFileError) else "cannot be read"
    hasher, size = hashlib.sha256(), 0
    with open(descriptor, "rb", buffering=0) as stream:
        while size <= digest[1] and (block := stream.read(_BLOCK)):
            hasher.update(block)
            size += len(block)
    return "" if (hasher.hexdigest(), size) == digest else "is not what the verified wheel holds"


def _compare_record(expected: Expected) -> list[str]:
    """The RECORD that pip wrote may list what belongs to the wheel, and nothing else: `pip uninstall` obeys it."""
    try:
        listed = _recorded(expected)
    except (OSError, UnfitFileError, ValueError, csv.Error):
        return [f"{expected.record} cannot be read"]
    strange = sorted(listed - expected.files.keys() - {expected.record})
    return [f"{expected.record} lists {path}, which the verified wheel does not hold" for path in strange[:5]]


def _recorded(expected: Expected) -> set[str]:
    text = read_bounded(Path(expected.record), _MAX_RECORD_BYTES).decode("utf-8")
    rows = [row[0] for row in csv.reader(io.StringIO(text, newline="")) if row]
    # In a --target, paths still are those of the folder from which pip moved everything: lib/python beside bin.
    moved = {os.path.normpath(f"../../{os.path.relpath(path, expected.library)}"): path for path in expected.files}
    here = {row: os.path.normpath(os.path.join(expected.library, row)) for row in rows}
    return {path if path in expected.files else moved.get(os.path.normpath(row), path) for row, path in here.items()}


def planted(before: frozenset[str], after: frozenset[str], expected: Expected) -> list[str]:
    """Return what is there now, was not before, and does not belong to the wheel."""
    belonging = {*expected.files, expected.record}
    for path in tuple(belonging):
        belonging.update(_parents(path, expected))
    return sorted(path for path in after - before - belonging if os.path.basename(path) != _CACHE)


def _parents(path: str, expected: Expected) -> Iterable[str]:
    while (path := os.path.dirname(path)) not in ("/", expected.library, ""):
        yield path


def forget_bytecode(expected: Expected) -> None:
    """Remove cached bytecode of the wheel's modules: Python would run it in place of the source that was compared."""
    for path in expected.files:
        if path.endswith(".py"):
            folder, stem = os.path.join(os.path.dirname(path), _CACHE), os.path.basename(path)[:-3]
            with contextlib.suppress(OSError):
                for name in os.listdir(folder):
                    cached = os.path.join(folder, name)
                    if name.startswith(stem + ".") and name.endswith(".pyc") and cached not in expected.files:
                        os.unlink(cached)


def remove_installed(
    expected: Expected, before: frozenset[str], after: frozenset[str], *, only_new: bool = False
) -> list[str]:
    """Remove what was installed, and what its RECORD says came with it and was not there before; return what is left.

    `only_new`: of what was installed, too, only what was not there before.
    Only of what is new is RECORD believed: it may be that of another wheel, and name any file of the user's. Nothing is
    removed through a link: what is behind it was there before.
    """
    links = linked_folders(expected)
    listed: set[str] = set()
    with contextlib.suppress(OSError, UnfitFileError, ValueError, csv.Error):
        listed = _recorded(expected)
    new = after - before
    info = os.path.dirname(expected.record) + os.sep
    doomed = {*expected.files, expected.record} | {path for path in new if path in listed or path.startswith(info)}
    doomed = {path for path in doomed if not any(path.startswith(link + os.sep) for link in links)}
    doomed |= new.intersection(links)
    if only_new:
        doomed &= new
    for path in doomed:
        with contextlib.suppress(OSError):
            os.unlink(path)
    forget_bytecode(expected)
    for folder in sorted({parent for path in doomed for parent in _parents(path, expected)}, key=len, reverse=True):
        if folder.startswith(expected.library + os.sep):
            with contextlib.suppress(OSError):
                os.rmdir(os.path.join(folder, _CACHE))
            with contextlib.suppress(OSError):
                os.rmdir(folder)
    return sorted(path for path in doomed if os.path.lexists(path))


def starting(expected: Expected) -> list[str]:
    """Return what of the wheel runs whenever Python starts (https://docs.python.org/3/library/site.html)."""
    tops = {top for names in expected.tops.values() for top in names}
    return sorted(top for top in tops if top.endswith(_STARTING) or top.partition(".")[0] in _CUSTOM)


def other_versions(expected: Expected, project: str) -> list[str]:
    """Return the metadata of other versions of `project` in the same place: their modules are there, too."""
    from packaging.utils import canonicalize_name

    own, found = os.path.basename(os.path.dirname(expected.record)), []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for name in os.listdir(expected.library):
            stem, ending = os.path.splitext(name)
            if ending in (".dist-info", ".egg-info") and name != own:
                found += [name] if canonicalize_name(stem.partition("-")[0]) == project else []
    return sorted(found)


def mend_half_installed(library: Path, project: str) -> list[str]:
    """Remove the metadata of a wheel of `project` that a killed pip left without RECORD; return their names.

    pip refuses to install over them. What another installer left so is not touched. Raises UndecidedError.
    """
    from packaging.utils import canonicalize_name

    mended: list[str] = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for name in os.listdir(library):
            folder = library / name
            stem = name.removesuffix(".dist-info").rpartition("-")[0]
            if not name.endswith(".dist-info") or canonicalize_name(stem) != project or folder.is_symlink():
                continue
            if (folder / "RECORD").exists() or not _is_pips(folder):
                continue
            try:
                shutil.rmtree(folder)
            except OSError as error:
                raise UndecidedError(f"{folder} is half installed, and cannot be removed: {reason(error)}") from error
            mended.append(name)
    return mended


def _is_pips(folder: Path) -> bool:
    try:
        return read_bounded(folder / "INSTALLER", 100).strip() == b"pip"
    except FileNotFoundError:
        return True
    except (OSError, UnfitFileError):
        return False

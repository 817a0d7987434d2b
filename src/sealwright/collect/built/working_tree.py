"""Whether a working tree holds changes or files that are in no commit, told without running a filter.

Enters: a folder in a checkout. Leaves: doubts, in words; none if it is as its commit says. Of files that git would pass
through a filter, only those of Git LFS can be judged without it: the pointer in the commit states the SHA-256. What a
committed .gitignore ignores is not looked at: every build leaves such files, and some pack them.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from sealwright.collect.built.git_asking import ask_git, list_filters
from sealwright.files.digest import digest_descriptor
from sealwright.files.reading import open_regular

_CHANGED = "the checkout has changes that are in no commit"
_ADDED = "the checkout has files that are in no commit"
_UNKNOWN = "git does not say whether the checkout has changes"
_MOST_FILTERED = 1_000
_MOST_NAMED = 3
_IN_TREE = re.compile(r"(?!/).*(?<![^/])\.gitignore", re.DOTALL)  # not ~/.gitignore, as core.excludesFile may say
_MOST_FILE_BYTES = 64 * 1024**3
# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md#the-pointer; one with extensions is of other bytes.
_POINTER = re.compile(r"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize ([0-9]{1,18})")


class _File(NamedTuple):
    """A file whose bytes alone are not what the index says of it; `blob` names what it says."""

    name: str
    blob: str


def find_changes(folder: Path, own: tuple[Path, ...] = ()) -> tuple[str, ...]:
    """Say what of the checkout around `folder`, and of its submodules, is in no commit.

    `own` are the files and folders that the command itself reads and writes, such as dist/: they may be in no commit,
    unless `folder` lies in one. Raises UsageError and UndecidedError as `ask_git` does.
    """
    here = folder.resolve()
    apart = tuple(path for each in own if not here.is_relative_to(path := each.resolve()))
    found: list[str] = []
    seen: set[str] = set()
    waiting = [(folder, "")]
    while waiting:
        place, about = waiting.pop()
        top = ask_git(place, "rev-parse", "--show-toplevel")
        changes, modules = _look(Path(top), apart) if top is not None and top not in seen else ([_UNKNOWN], [])
        seen.add(top or "")
        found += [f"{each}{about}" for each in changes]
        waiting += [(module, f" (in {module})") for module in modules]
    return tuple(found)


def _look(top: Path, apart: tuple[Path, ...]) -> tuple[list[str], list[Path]]:
    """Return what is changed in one working tree, and where its submodules are; each has a configuration of its own."""
    how = ("--porcelain=v2", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=dirty")
    status, index = ask_git(top, "status", *how), ask_git(top, "ls-files", "--stage", "-z")
    hidden = ask_git(top, "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
    if status is None or index is None or hidden is None:
        return [_UNKNOWN], []
    entries = [line.partition("\t") for line in index.split("\0")]
    links = [name for head, _, name in entries if head.startswith("160000 ")]
    lines = [line for line in status.split("\0") if line and not line.startswith("#")]
    added = [line[2:] for line in lines if line.startswith("? ")]
    changed = [_read(line) for line in lines if not line.startswith("? ")]
    files = [file for file in changed if file]
    found = [_CHANGED] if len(files) < len(changed) or len(files) > _MOST_FILTERED else _judge(top, files)
    added += _hidden(top, hidden, {name for _, _, name in entries})
    added += [f"{name}/" for name in links if _is_filled(top / name)]  # git looks into no submodule that is not there
    return found + _say_added(top, added, apart), [top / name for name in links if os.path.lexists(top / name / ".git")]


def _is_filled(submodule: Path) -> bool:
    """Whether files lie where a submodule was not checked out."""
    if os.path.lexists(submodule / ".git"):
        return False  # it has a configuration of its own, and is looked at by itself
    try:
        return bool(os.listdir(submodule))
    except (FileNotFoundError, NotADirectoryError):
        return False  # git status says that it is gone, or a file
    except OSError:
        return True  # nobody can say what lies in there


def _hidden(top: Path, listing: str, committed: set[str]) -> list[str]:
    """Return what is ignored only because a .gitignore that is in no commit says so: it came with what it hides.

    The user's own rules (core.excludesFile, .git/info/exclude) are those of whoever lays out the checkout.
    https://git-scm.com/docs/git-check-ignore#_output: SOURCE, LINE, PATTERN, PATH; no source, if nothing matches.
    """
    if not listing:
        return []
    asked = ("check-ignore", "--verbose", "--non-matching", "-z", "--stdin")
    fields = (ask_git(top, *asked, given=os.fsencode(listing)) or "").split("\0")
    rules = dict(zip(fields[3::4], fields[::4], strict=False))
    paths = [path for path in listing.split("\0") if path]
    return [
        path
        for path in paths
        if not (rule := rules.get(path, "")) or (rule not in committed and _IN_TREE.fullmatch(rule))
    ]


def _say_added(top: Path, names: list[str], apart: tuple[Path, ...]) -> list[str]:
    top = top.resolve()
    left = sorted({name for name in names if not any((top / name).is_relative_to(each) for each in apart)})
    folders = tuple(name for name in left if name.endswith("/"))
    left = [name for name in left if not any(name.startswith(each) and name != each for each in folders)]
    if not left:
        return []
    more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
    return [f"{_ADDED}: {', '.join(left[:_MOST_NAMED])}{more}"]


def _read(line: str) -> _File | None:
    """Read a line `1 XY SUB MH MI MW HH HI PATH`; None for a change of more than a file's content.

    https://git-scm.com/docs/git-status#_changed_tracked_entries
    """
    fields = line.split(" ", 8)
    if len(fields) < 9 or fields[:3] != ["1", ".M", "N..."] or fields[4] != fields[5] or fields[5][:3] != "100":
        return None
    return _File(fields[8], fields[7])


def _judge(top: Path, files: list[_File]) -> list[str]:
    """Judge files by what their filter would have made of them, as far as that can be told without it."""
    if not files:
        return []
    names = "".join(f"{file.name}\0" for file in files)
    attributes = (ask_git(top, "check-attr", "-z", "--stdin", "filter", given=os.fsencode(names)) or "").split("\0")
    through = dict(zip(attributes[::3], attributes[2::3], strict=False))
    known = list_filters(top)
    for file in files:
        name = through.get(file.name)
        if name not in known or (name == "lfs" and not _is_behind(top, file)):
            return [_CHANGED]
    unknown = [file.name for file in files if through[file.name] != "lfs"]
    if not unknown:
        return []
    more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
    return [f"nothing says whether {unknown[0]}{more} is as committed: the filter {through[unknown[0]]!r} is not run"]


def _is_behind(top: Path, file: _File) -> bool:
    """Whether a file is what the Git LFS pointer in the index stands for."""
    pointer = _POINTER.fullmatch(ask_git(top, "cat-file", "blob", file.blob) or "")
    if pointer is None:
        return False
    try:
        descriptor = open_regular(top / file.name)
        try:
            found = digest_descriptor(descriptor, _MOST_FILE_BYTES)
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return False
    return (found.sha256, found.size) == (pointer[1], int(pointer[2]))

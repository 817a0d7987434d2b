"""A fresh clone of a repository, at one commit, as nobody's configuration would have it.

Enters: where the repository is, a full commit id, a private folder. Leaves: a `Checkout`. git runs without the user's
and the system's configuration, hooks, templates, file-system monitor, prompts and submodules, over file, https and ssh
alone; nothing of the repository is executed.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.process import Ended, run_bounded

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MAX_LISTING = 64 * 1024 * 1024
_CLONING, _ASKING = 900.0, 120.0
_SETTINGS = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.autocrlf=false", "core.attributesFile=/dev/null",
    "submodule.recurse=false", "fetch.recurseSubmodules=false", "protocol.ext.allow=never", "gc.auto=0",
    "maintenance.auto=false", "advice.detachedHead=false", "credential.helper=",
)  # fmt: skip
_SCHEMES = ("", "file", "https", "ssh")


class Entry(NamedTuple):
    """A file of the commit: its octal mode, and the name of its content (hex)."""

    mode: str
    blob: str


class Checkout(NamedTuple):
    """A working tree at `commit`; `time` is that of the commit, in seconds since 1970; `submodules` were left out."""

    folder: Path
    commit: str
    time: int
    entries: dict[str, Entry]
    submodules: tuple[str, ...]


def check_source(repository: str) -> str:
    """Return where to clone from: a URL, or an absolute path. Raises UsageError for what is neither, or holds a secret.

    The code of the project sees the URL in its clone.
    """
    try:
        parts = urlsplit(repository)
    except ValueError as error:
        raise UsageError(f"{repository!r} is no repository", "Name a folder, or an https URL.") from error
    if parts.password is not None or (parts.scheme == "https" and parts.username):
        raise UsageError("the URL of the repository holds a secret", "The project's code would see it: clone it first.")
    if parts.scheme not in _SCHEMES or "::" in repository or not repository or not repository.isprintable():
        raise UsageError(f"{repository!r} cannot be cloned from", "Name a folder, or a URL of https, ssh or file.")
    if parts.scheme:
        return repository
    if not Path(repository).is_dir():
        raise UsageError(f"the repository {repository} does not exist", "Name a folder, or an https URL.")
    return str(Path(repository).resolve())


def clone_commit(repository: str, commit: str, private: Path, environment: Mapping[str, str]) -> Checkout:
    """Clone `repository`, as `check_source` returned it, into `private`, and check that commit out.

    Raises UndecidedError if it cannot be had, or is not in that repository.
    """
    if not shutil.which("git", path=environment.get("PATH")):
        raise UndecidedError("git was not found", "Install git, and run this again.")
    folder = private / "source"
    own = dict(environment) | {
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "false", "SSH_ASKPASS": "false",
        "GIT_ALLOW_PROTOCOL": "file:https:ssh",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes", "GIT_ATTR_NOSYSTEM": "1", "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }  # fmt: skip
    git = _Git(private, own)
    # --no-local: through git's own protocol, which rebuilds every object from its content, and follows no link.
    clone = ("clone", "--quiet", "--no-local", "--no-checkout", "--no-recurse-submodules", "--template=")
    git.must(*clone, "--", repository, str(folder), seconds=_CLONING, doing=f"{repository} cannot be cloned")
    inside = _Git(folder, own)
    if inside.ask("cat-file", "-e", f"{commit}^{{commit}}").status != 0:
        inside.ask("fetch", "--quiet", "--no-recurse-submodules", "origin", commit, seconds=_CLONING)
    kind = inside.ask("cat-file", "-t", commit)
    if kind.status != 0 or kind.said.strip() != "commit":
        hint = "Name another repository with --source."
        raise UndecidedError(f"{repository} does not contain the commit {commit}", hint)
    inside.must("checkout", "--quiet", "--detach", "--no-recurse-submodules", commit, doing=f"{commit} is unfit")
    time = inside.must("show", "--no-patch", "--format=%ct", commit, doing=f"{commit} is unfit").strip()
    entries = _list(inside.must("ls-tree", "-r", "-z", "--full-tree", commit, doing=f"{commit} is unfit"))
    modules = tuple(sorted(name for name, entry in entries.items() if entry.mode == "160000"))
    if not time.isdecimal():
        raise UndecidedError(f"the time of {commit} is {time[:80]!r}, which no archive can hold")
    return Checkout(folder, commit, int(time), entries, modules)


class _Git(NamedTuple):
    folder: Path
    environment: Mapping[str, str]

    def ask(self, *arguments: str, seconds: float = _ASKING) -> Ended:
        """Run git here. What it says is kept whole, up to what the listing of a large tree takes."""
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        try:
            return run_bounded(
                ["git", *settings, *arguments], self.folder, self.environment, seconds, kept=_MAX_LISTING + 1
            )
        except OSError as error:
            raise UndecidedError(f"git cannot be run: {error.strerror}") from error

    def must(self, *arguments: str, doing: str, seconds: float = _ASKING) -> str:
        ended = self.ask(*arguments, seconds=seconds)
        if ended.status is None:
            raise UndecidedError(f"{doing}: git did not finish within {seconds:.0f} seconds")
        if ended.status != 0 or len(ended.said) > _MAX_LISTING:
            said = (ended.said.strip().splitlines() or ["it does not say why"])[-1]
            raise UndecidedError(f"{doing}: {said[:300]}", "Name another repository with --source.")
        return ended.said


def _list(listing: str) -> dict[str, Entry]:
    """Read `MODE TYPE BLOB\\tNAME\\0`, https://git-scm.com/docs/git-ls-tree#_output_format."""
    entries = {}
    for line in listing.split("\0"):
        head, _, name = line.partition("\t")
        fields = head.split(" ")
        if name and len(fields) == 3:
            entries[name] = Entry(fields[0], fields[2])
    return entries

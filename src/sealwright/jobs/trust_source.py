"""From where a person wants a project's trust: a folder, a URL, or a Git repository at one commit.

Enters: what they typed. Leaves: a `TrustSource`. A branch or a tag is refused, because it may be another one tomorrow;
git runs as it does for a rebuild, without hooks and configuration (sealwright.collect.built.checkout).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sealwright.collect.built.checkout import COMMIT, check_source, clone_commit
from sealwright.errors import PolicyError, UsageError
from sealwright.files.private import base_for, private_folder
from sealwright.store.trust_source import FolderSource, TrustSource, read_plain_folder, web_source

_GIT = "git+"
_KEYS = "keys"
_MAX_CLONE = 64 * 1024**2  # where it is put: on a disk, as it may be much more
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def find_source(text: str, environment: Mapping[str, str]) -> TrustSource:
    """Return the source that a person named; `environment` is for git. Raises UsageError for what is none."""
    if text.startswith(_GIT):
        return _git_source(text, environment)
    if "://" in text:
        return web_source(text)
    return FolderSource(Path(text), str(Path(text).resolve()))


class GitSource(NamedTuple):
    """A folder of a repository at one commit. The clone is gone afterwards."""

    repository: str
    commit: str
    folder: str
    name: str
    environment: Mapping[str, str]

    def read(self) -> dict[str, bytes]:
        """Return the files of that folder. Raises PolicyError, UsageError and UndecidedError."""
        with private_folder(base_for(_MAX_CLONE), "sealwright-trust-") as private:
            tree = clone_commit(self.repository, self.commit, private, self.environment)
            inside = {name: e.mode for name, e in tree.entries.items() if name.startswith(f"{self.folder}/")}
            if not inside:
                raise UsageError(
                    f"{self.repository} has no folder {self.folder} at {self.commit}",
                    "Name it: git+URL@COMMIT#FOLDER (keys, if nothing is said).",
                )
            for name, mode in inside.items():  # before the disk is read: what git knows as a link never counts
                if mode not in ("100644", "100755"):
                    raise PolicyError(f"{name} is a link or a submodule", "A trust folder holds plain files only.")
            return read_plain_folder(tree.folder / self.folder)


def _git_source(text: str, environment: Mapping[str, str]) -> GitSource:
    url, _, fragment = text.removeprefix(_GIT).partition("#")
    where, at, commit = url.rpartition("@")
    if not at or not COMMIT.fullmatch(commit):
        raise UsageError(
            f"{text[:200]!r} names no commit",
            "Name the full one, of 40 or 64 lower-case hex digits (git rev-parse HEAD): git+URL@COMMIT#FOLDER",
        )
    folder = fragment.removeprefix("subdirectory=").strip("/") or _KEYS
    if not all(_PART.fullmatch(part) for part in folder.split("/")):
        raise UsageError(f"{folder[:200]!r} is no folder of a repository", "For instance: git+URL@COMMIT#keys")
    return GitSource(check_source(where), commit, folder, text, environment)

"""Where a release comes from, as it is written: in a policy, or on the command line.

Enters: text. Leaves: a `PlaceName`, and the interface that every place has. Opens nothing.
"""

import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sealwright.errors import UsageError
from sealwright.files.web_address import check_address, shown
from sealwright.model.artifact import ArtifactKind, ArtifactNameError, parse_artifact_name
from sealwright.model.offer import Listing

if TYPE_CHECKING:
    from packaging.version import Version

_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_HINT = "A place is a folder, dir:PATH, a wheel, an sdist, index, index:URL, github, github:OWNER/REPO or url:URL."


class PlaceKind(Enum):
    """The kinds of place."""

    DIR = "dir"
    FILE = "file"
    INDEX = "index"
    GITHUB = "github"
    URL = "url"


class PlaceName(NamedTuple):
    """One place: `where` is a path, an address or OWNER/REPO; empty for the one that the user's configuration names."""

    kind: PlaceKind
    where: str

    def __str__(self) -> str:
        """Return it as it is written, without a name and a password."""
        if not self.is_remote:
            return self.where
        where = shown(self.where) if "://" in self.where else self.where
        return f"{self.kind.value}:{where}" if where else self.kind.value

    @property
    def is_remote(self) -> bool:
        """Whether it is reached over a network."""
        return self.kind not in (PlaceKind.DIR, PlaceKind.FILE)


class Rules(NamedTuple):
    """What is fetched, and what is allowed: also what is not for this platform, and what was yanked.

    `only`: of all artifacts just what the first place has; the rest of the release was not asked for.
    """

    everything: bool = False
    allow_yanked: bool = False
    only: bool = False


class Place(Protocol):
    """A place that can be asked which files it has of a version; what it answers is untrusted."""

    def list_files(self, version: "Version") -> Listing:
        """Return what it has of that version.

        Raises MissingError if it has nothing of it, and UndecidedError if it does not answer, or not in its language.
        """


def parse_place(text: str) -> PlaceName:
    """Read a place. What has no known prefix is a path: of a file, if it ends as a wheel's or an sdist's name does.

    Raises UsageError.
    """
    kind, colon, where = text.partition(":")
    match kind:
        case "dir" if where:
            return PlaceName(PlaceKind.DIR, where)
        case "index" | "github" if not colon:
            return PlaceName(PlaceKind(kind), "")
        case "index" | "url" if where:
            return PlaceName(PlaceKind(kind), _address(where))
        case "github" if _REPOSITORY.fullmatch(where):
            return PlaceName(PlaceKind.GITHUB, where)
        case "https" | "http":
            return PlaceName(PlaceKind.URL, _address(text))
        case "dir" | "index" | "url" | "github" if colon:
            raise UsageError(f"{text[:200]!r} names no place", _HINT)
    if not text:
        raise UsageError("an empty text names no place", _HINT)
    return PlaceName(PlaceKind.FILE if _names_file(text) else PlaceKind.DIR, text)


def _names_file(path: str) -> bool:
    try:
        return parse_artifact_name(path.rpartition("/")[2]).kind is not ArtifactKind.SBOM
    except ArtifactNameError:
        return False


def _address(url: str) -> str:
    try:
        check_address(url.replace("{version}", "0"))
    except ValueError as error:
        raise UsageError(f"{shown(url)} cannot be a place: {error}", _HINT) from error
    return url

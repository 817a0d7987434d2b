"""A folder of this machine as one of several places, or one file. (A folder alone is taken in by release_folder.)

Enters: a path. Leaves: a `Listing` of plain files; what is none of them is odd, or refused if a person named it.
"""

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.errors import MissingError, UndecidedError, UsageError
from sealwright.files.reading import describe_mode, reason
from sealwright.model.offer import Listing, Offer
from sealwright.model.release import Oddity
from sealwright.store.places.belonging import ODD_NAME, is_plain_name

if TYPE_CHECKING:
    from packaging.version import Version

_MAX_ENTRIES = 10_000


class LocalFile:
    """One artifact, and nothing of what lies beside it."""

    def __init__(self, path: Path) -> None:
        """Take its path."""
        self._path = path

    def list_files(self, version: "Version") -> Listing:
        """Return it, whatever its version. Raises UsageError if it is no file, and UndecidedError."""
        there, size = find_named_file(self._path)
        return Listing(str(self._path), (Offer(self._path.name, path=str(there), size=size),))


def find_named_file(path: Path) -> tuple[Path, int]:
    """Return where a file is that a person named, and its size. Raises UsageError if it is none, and UndecidedError."""
    try:
        there = path.resolve()  # a person named it, so a link leads where they meant
        found = there.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{path} does not exist", "Name the file that you have.") from error
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links in a circle, until Python 3.12
        raise UndecidedError(f"{path} cannot be read: {reason(error)}") from error
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{path} is {describe_mode(found.st_mode)}", "A folder is named with dir:PATH.")
    return there, found.st_size


class LocalFolder:
    """One folder with one release."""

    def __init__(self, folder: Path) -> None:
        """Take its path."""
        self._folder = folder

    def list_files(self, version: "Version") -> Listing:
        """Return its files, of whatever version. Raises UsageError if there is no such folder, and UndecidedError."""
        try:
            names = sorted(os.listdir(self._folder))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UsageError(f"{self._folder} is not a folder", "Name the folder that holds the release.") from error
        except (OSError, ValueError) as error:
            raise UndecidedError(f"{self._folder} cannot be read: {reason(error)}") from error
        if not names:
            raise MissingError(f"{self._folder} is empty")
        if len(names) > _MAX_ENTRIES:
            return Listing(str(self._folder), (), (Oddity(str(self._folder), "a folder of too many entries"),))
        offers: list[Offer] = []
        odd: list[Oddity] = []
        for name in names:
            path = self._folder / name
            try:
                found = path.lstat()
            except OSError as error:
                odd.append(Oddity(name, f"unreadable ({reason(error)})"))
                continue
            if not stat.S_ISREG(found.st_mode):
                odd.append(Oddity(name, describe_mode(found.st_mode)))
            elif not is_plain_name(name):
                shown = os.fsencode(name).decode("utf-8", "backslashreplace")
                odd.append(Oddity(shown, ODD_NAME))
            else:
                offers.append(Offer(name, path=str(path), size=found.st_size))
        return Listing(str(self._folder), tuple(offers), tuple(odd))

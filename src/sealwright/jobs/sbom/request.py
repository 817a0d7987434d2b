"""What is asked for of an SBOM, and the private folder in which it is made.

Enters: what a person asked for. Leaves: the same, as one record for every kind of input. Reads nothing.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import SealwrightError, UndecidedError
from sealwright.files.reading import reason

_PREFIX = "sealwright-sbom-"


class SbomRequest(NamedTuple):
    """What was asked for.

    `extras` and `groups` are those to follow; `project` and `version` name the root where the input does not;
    `artifacts` are the project's own files, whose hashes the root gets. `offline` opens no connection at all;
    `nested` looks into each wheel for the SBOMs that it carries.
    `epoch` is SOURCE_DATE_EPOCH in seconds, if it is set. `variables` are those of the process's environment.
    """

    path: Path
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    project: str = ""
    version: str = ""
    artifacts: tuple[Path, ...] = ()
    author: str = ""
    offline: bool = False
    nested: bool = True
    index_url: str = ""
    epoch: int | None = None
    variables: dict[str, str] | None = None


@contextlib.contextmanager
def work_folder(size: int = 1 << 30) -> Iterator[Path]:
    """A private folder for pip, or for files that are looked into. Raises UndecidedError."""
    from sealwright.files.private import base_for, private_folder

    try:
        with private_folder(base_for(size), _PREFIX) as folder:
            yield folder
    except SealwrightError:
        raise
    except OSError as error:
        raise UndecidedError(f"there is no room to work in: {reason(error)}") from error

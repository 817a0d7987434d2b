"""Running one step of a build, with a signed link that says from what, by which command, and what came of it.

Enters: a name, patterns of files, a command, a signer. Leaves: NAME.KEYID.link, and what the command returned. Its
output goes where it always goes, and is in no link: it could hold a secret.
"""

import glob
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.reading import reason
from sealwright.files.writing import write_whole
from sealwright.model.release import LAYOUT
from sealwright.verify.layout_metadata import is_step_name

if TYPE_CHECKING:
    from securesystemslib.signer import Signer


class Step(NamedTuple):
    """What is to be run. `materials` and `products` are files, folders or glob patterns."""

    name: str
    materials: tuple[str, ...]
    products: tuple[str, ...]
    command: tuple[str, ...]


class Ran(NamedTuple):
    """What came of it. `missing` are the patterns of products that nothing fits."""

    link: Path
    returned: int
    missing: tuple[str, ...]


def run_step(step: Step, signer: "Signer", out: Path) -> Ran:
    """Run a step and write its link into `out` (in-toto specification 4.4), also if the command fails.

    `returned` is the command's own code, 128 + N if signal N ended it. Raises UsageError and UndecidedError.
    """
    if not is_step_name(step.name):
        raise UsageError(f"{step.name!r} is no name for a step", "It becomes a part of a file's name.")
    found, missing = _expand(step.materials)
    if missing:
        raise UsageError(f"there is nothing that {missing[0]} fits", "Name the files that the step starts from.")
    materials = _record(found)
    returned = _run(step.command)
    found, missing = _expand(step.products)
    return Ran(_write_link(step, materials, _record(found), returned, signer, out), returned, missing)


def _expand(patterns: tuple[str, ...]) -> tuple[list[str], tuple[str, ...]]:
    """The paths that patterns stand for now, and the patterns without any: the shell knows no products to come."""
    found: list[str] = []
    missing = []
    for pattern in patterns:
        there = [pattern] if os.path.lexists(pattern) else sorted(glob.glob(pattern, recursive=True))
        found += there
        missing += [] if there else [pattern]
    return list(dict.fromkeys(found)), tuple(missing)


def _record(paths: list[str]) -> dict[str, Any]:
    """Hash files as in-toto does: folders whole, without its own links and what it leaves out by itself."""
    from in_toto import runlib, settings

    try:
        excluded = [*settings.ARTIFACT_EXCLUDE_PATTERNS, LAYOUT]
        found: dict[str, Any] = runlib.record_artifacts_as_dict(paths, exclude_patterns=excluded)
    except Exception as error:  # in-toto does not say what it raises
        raise UndecidedError(f"the files of the step cannot be read: {reason(error)}") from error
    return found


def _run(command: tuple[str, ...]) -> int:
    try:
        returned = subprocess.run(command, check=False).returncode
    except OSError as error:
        raise UsageError(f"{command[0]} cannot be run: {reason(error)}", "No link was written.") from error
    return returned if returned >= 0 else 128 - returned


def _write_link(
    step: Step, materials: dict[str, Any], products: dict[str, Any], returned: int, signer: "Signer", out: Path
) -> Path:
    from in_toto.models.link import FILENAME_FORMAT, Link
    from in_toto.models.metadata import Metablock

    byproducts = {"stdout": "", "stderr": "", "return-value": returned}
    link = Link(
        name=step.name, materials=materials, products=products, command=list(step.command), byproducts=byproducts
    )
    metadata = Metablock(signed=link)
    signature = metadata.create_signature(signer)
    path: Path = out / FILENAME_FORMAT.format(step_name=step.name, keyid=signature.keyid)
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_whole(path, f"{metadata}\n".encode())
    except OSError as error:
        raise UndecidedError(f"{path} cannot be written: {reason(error)}") from error
    return path

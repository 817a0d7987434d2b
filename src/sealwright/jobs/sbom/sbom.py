"""Make an SBOM: from a wheel, a lock file or an environment to the bytes of a CycloneDX document.

Enters: a path, what was asked for, the time and the variables of the environment. Leaves: `Made`. Runs pip for a wheel,
asks the package index unless told not to, and runs no code of what it describes.
"""

from typing import NamedTuple

from sealwright import __version__
from sealwright.attest.sbom import build_cyclonedx
from sealwright.collect.contents.sbom_schema import check_cyclonedx_schema, spdx_identifiers
from sealwright.errors import UndecidedError, UsageError
from sealwright.jobs.sbom.request import SbomRequest
from sealwright.model.component import Inventory, Origin

_WHEEL, _UV_LOCK, _TOML = ".whl", "uv.lock", ".toml"
_HINT = "It reads a wheel, pylock.toml, uv.lock, a requirements file with hashes, or the folder of an environment."


class Made(NamedTuple):
    """The document, what it was made from, and whether it was held against the schema."""

    content: bytes
    inventory: Inventory
    origin: Origin


def build_sbom(asked: SbomRequest, *, embedded: bool = False, validate: bool = True) -> Made:
    """Make the SBOM of a wheel, a lock file or an environment.

    `embedded` leaves out the hashes of the root, for a document that goes into the wheel itself. Raises UsageError for
    an input that is none, UndecidedError if an answer could not be had, or if the result does not fit the schema.
    """
    inventory = collect_inventory(asked)
    origin = Origin("sealwright", __version__, asked.author, _timestamp(asked.epoch))
    content = build_cyclonedx(inventory, origin, identifiers=spdx_identifiers(), embedded=embedded)
    if validate:
        check_document(content)
    return Made(content, inventory, origin)


def check_document(content: bytes) -> None:
    """Hold our own document against the schema. Raises UndecidedError with the first fault."""
    import json

    faults = check_cyclonedx_schema(json.loads(content))
    if faults:
        raise UndecidedError(
            f"the SBOM would not be valid CycloneDX: {faults[0]}",
            "This is a bug in Sealwright: please report that line.",
        )


def collect_inventory(asked: SbomRequest) -> Inventory:
    """Find out what kind of input it is, and read it. Raises UsageError and UndecidedError."""
    name = asked.path.name
    if asked.path.is_dir():
        from sealwright.jobs.sbom.environment import inventory_of_environment

        return inventory_of_environment(asked)
    if name.endswith(_WHEEL):
        from sealwright.jobs.sbom.wheel import inventory_of_wheel

        return inventory_of_wheel(asked)
    if name == _UV_LOCK or name.endswith((_TOML, ".txt", ".in")):
        from sealwright.jobs.sbom.lock import inventory_of_lock

        return inventory_of_lock(asked)
    if not asked.path.exists():
        raise UsageError(f"{asked.path} does not exist", _HINT)
    raise UsageError(f"{asked.path} is nothing to make an SBOM of", _HINT)


def _timestamp(epoch: int | None) -> str:
    from datetime import UTC, datetime

    if epoch is None:
        return ""
    try:
        return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError) as error:
        raise UsageError(
            f"SOURCE_DATE_EPOCH is no time: {epoch}", "Set it to seconds since 1970, such as: git log -1 --format=%ct"
        ) from error

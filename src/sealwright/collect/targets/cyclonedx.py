"""CycloneDX documents in JSON, as far as an audit needs them: components with their purls.

Enters: the path of a BOM. Leaves: plain values of the right type, or a UsageError that names the file.
https://cyclonedx.org/docs/1.6/json/
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sealwright.errors import UsageError
from sealwright.files.reading import read_named
from sealwright.files.strict_json import read_json
from sealwright.model.sbom_components import all_components

_MAX_BYTES = 64 * 1024**2
_MAX_COMMAS = 5_000_000
_HINT = "It reads CycloneDX 1.2 to 1.7 in JSON."


def read_bom(path: Path, what: str) -> dict[str, Any]:
    """Read a CycloneDX document. Raises UsageError, UndecidedError."""
    content = read_named(path, _MAX_BYTES, what)
    try:
        document = read_json(content, _MAX_COMMAS)
    except ValueError as error:
        raise UsageError(f"{what} {path} is not JSON: {error}", _HINT) from error
    if not isinstance(document, dict) or document.get("bomFormat") != "CycloneDX":
        raise UsageError(f"{what} {path} is no CycloneDX document", _HINT)
    if not str(document.get("specVersion")).startswith("1."):
        raise UsageError(f"{what} {path} is of another version than CycloneDX 1.x", _HINT)
    return document


def main_component(document: dict[str, Any]) -> dict[str, Any] | None:
    """The component that the document is about."""
    metadata = document.get("metadata")
    found = metadata.get("component") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else None


def components_of(document: dict[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """Every component, also those within others. Raises UsageError for what is no component."""
    try:
        yield from all_components(document)
    except ValueError as error:
        raise UsageError(f"{path} is damaged: {error}", _HINT) from error

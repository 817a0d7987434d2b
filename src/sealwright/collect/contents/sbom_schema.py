"""CycloneDX's own JSON schemas, and a document held against them.

Enters: a document. Leaves: what is wrong with it, in sentences. The schemas are those that cyclonedx-python-lib brings
along; nothing is ever fetched, whatever a schema or a document refers to.
https://cyclonedx.org/docs/latest/json/
"""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sealwright.errors import UndecidedError
from sealwright.files.reading import read_bounded, reason

_MAX_SCHEMA_BYTES = 4 * 1024 * 1024
_MOST = 20
_VERSION = re.compile(r"1\.[2-9]")
_HINT = "Install Sealwright again: pip install --force-reinstall cyclonedx-python-lib"


def check_cyclonedx_schema(document: dict[str, Any]) -> list[str]:
    """Hold a document against the schema of the version that it states; return at most twenty faults.

    Raises UndecidedError if the schemas or the validator are not there.
    """
    import jsonschema_rs

    version = document.get("specVersion")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        return ["specVersion is none that is known: 1.2 to 1.7"]
    schema = _schema(f"bom-{version}.SNAPSHOT.schema.json")
    if schema is None:
        return [f"specVersion {version} is not known here"]
    try:
        validator = jsonschema_rs.validator_for(schema, retriever=_retrieve, validate_formats=True)
        faults = []
        for error in validator.iter_errors(document):
            where = "/".join(str(part) for part in error.instance_path)
            faults.append(f"{where or 'the document'}: {error.message[:300]}")
            if len(faults) >= _MOST:
                break
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise UndecidedError(f"the CycloneDX schemas cannot be used: {error}", _HINT) from error
    return faults


def spdx_identifiers() -> frozenset[str]:
    """Return the SPDX identifiers that CycloneDX knows. Raises UndecidedError if its schemas are not there."""
    schema = _schema("spdx.SNAPSHOT.schema.json")
    listed = schema.get("enum") if isinstance(schema, dict) else None
    if not listed:
        raise UndecidedError("the CycloneDX schemas list no licences", _HINT)
    return frozenset(listed)


def _retrieve(uri: str) -> Any:
    """Answer a reference of a schema with the file beside it, and with nothing else."""
    name = uri.rpartition("/")[2]
    schema = _schema(name) if re.fullmatch(r"[a-z0-9.-]{1,60}\.SNAPSHOT\.schema\.json", name) else None
    if schema is None:
        raise ValueError(f"the schema refers to {uri}, which is not at hand")
    return schema


def _schema(name: str) -> Any:
    import json

    found = find_spec("cyclonedx")  # found, not imported: only its files are wanted
    if found is None or not found.submodule_search_locations:
        raise UndecidedError("cyclonedx-python-lib is not installed", _HINT)
    folder = Path(found.submodule_search_locations[0]) / "schema" / "_res"
    try:
        return json.loads(read_bounded(folder / name, _MAX_SCHEMA_BYTES))
    except FileNotFoundError:
        if not folder.is_dir():
            raise UndecidedError("the CycloneDX schemas are not installed", _HINT) from None
        return None
    except (OSError, ValueError) as error:
        raise UndecidedError(f"the CycloneDX schema {name} cannot be read: {reason(error)}", _HINT) from error

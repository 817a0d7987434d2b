"""The records of an OSV bulk export: a ZIP, or a folder, of JSON or of the YAML of the Python advisory database.

Enters: a path. Leaves: one `Advisory` or `Skipped` a record, and the digest of what was read. A record that cannot be
used is reported, never passed over. Bounded in the number and the size of records; extracts nothing to the disk.
https://google.github.io/osv.dev/data/#data-dumps
"""

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.distribution import BROKEN
from sealwright.files.reading import UnfitFileError, read_bounded, read_named, reason
from sealwright.files.strict_json import read_json
from sealwright.model.index_facts import Skipped
from sealwright.model.osv_record import Advisory, AdvisoryError, parse_advisory

MAX_EXPORT_BYTES = 1024**3
_MAX_RECORD_BYTES = 16 * 1024**2
_MAX_RECORDS = 1_000_000
_MAX_UNPACKED_BYTES = 8 * 1024**3
_MAX_COMMAS = 2_000_000
_MAX_YAML_BYTES = 1024**2
_SUFFIXES = (".json", ".yaml", ".yml")
_HINT = "It reads an OSV bulk export (PyPI/all.zip), or a folder with .json or .yaml records."

Record = Advisory | Skipped


class Export(NamedTuple):
    """An export that is open: the SHA-256 of its bytes, hex, and its records, which can be read once."""

    sha256: str
    records: Iterator[Record]


def read_export(path: Path) -> Export:
    """Open an export. Raises UsageError if there is none or it is of no known kind, UndecidedError if it breaks off."""
    if os.path.isdir(path):
        names = _names(path)
        return Export(_digest_folder(path, names), _read_folder(path, names))
    content = read_named(path, MAX_EXPORT_BYTES, "the export", _HINT)
    return Export(hashlib.sha256(content).hexdigest(), _read_zip(path, content))


def read_record(name: str, content: bytes) -> Record:
    """Read one record from its file's name and bytes."""
    try:
        document = _read_json(content) if name.lower().endswith(".json") else _read_yaml(content)
        return parse_advisory(document)
    except AdvisoryError as error:
        return Skipped(name, error.id, error.packages, str(error)[:_MAX_PROBLEM])
    except ValueError as error:
        return Skipped(name, "", (), str(error)[:_MAX_PROBLEM])


_MAX_PROBLEM = 200


def _read_zip(path: Path, content: bytes) -> Iterator[Record]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = [member for member in archive.infolist() if _is_record(member.filename)]
    except (*BROKEN, zipfile.BadZipFile) as error:
        raise UsageError(f"the export {path} is not a readable ZIP file: {error}", _HINT) from error
    _check_count(path, len(members), sum(member.file_size for member in members))
    for member in members:
        try:
            with archive.open(member) as stream:
                record = stream.read(_MAX_RECORD_BYTES + 1)
        except (*BROKEN, zipfile.BadZipFile) as error:
            yield Skipped(member.filename, "", (), f"it cannot be unpacked: {error}"[:_MAX_PROBLEM])
            continue
        yield _bounded(member.filename, record)


def _bounded(name: str, content: bytes) -> Record:
    if len(content) > _MAX_RECORD_BYTES:
        return Skipped(name, "", (), f"it is larger than {_MAX_RECORD_BYTES:,} bytes")
    return read_record(name, content)


def _check_count(path: Path, count: int, size: int) -> None:
    if count == 0:
        raise UsageError(f"the export {path} holds no records", _HINT)
    if count > _MAX_RECORDS or size > _MAX_UNPACKED_BYTES:
        raise UsageError(f"the export {path} holds more than {_MAX_RECORDS:,} records or {_MAX_UNPACKED_BYTES:,} bytes")


def _is_record(name: str) -> bool:
    hidden = any(part.startswith(".") and part not in (".", "..") for part in name.split("/"))
    return name.lower().endswith(_SUFFIXES) and not hidden


def _names(folder: Path) -> list[str]:
    """The records in a folder and the folders in it, sorted. A symbolic link to a folder is not followed, but named."""
    names: list[str] = []

    def fail(error: OSError) -> None:
        raise UndecidedError(f"the export {folder} cannot be read: {reason(error)}") from error

    for top, folders, files in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found = [name for name in files if _is_record(name)]
        found += [name for name in folders if os.path.islink(os.path.join(top, name))]
        names += [os.path.relpath(os.path.join(top, name), folder) for name in found]
        if len(names) > _MAX_RECORDS:
            break
    _check_count(folder, len(names), 0)
    return sorted(names)


def _digest_folder(folder: Path, names: list[str]) -> str:
    """One digest for a folder: of the names and the digests of its records, like a SHA256SUMS."""
    lines = hashlib.sha256()
    for name in names:
        found = hashlib.sha256(_read_file(folder, name) or b"").hexdigest()
        lines.update(f"{found}  {name}\n".encode("utf-8", "surrogateescape"))
    return lines.hexdigest()


def _read_file(folder: Path, name: str) -> bytes | None:
    try:
        return read_bounded(folder / name, _MAX_RECORD_BYTES)
    except UnfitFileError:
        return None
    except OSError as error:
        raise UndecidedError(f"{folder / name} cannot be read: {reason(error)}") from error


def _read_folder(folder: Path, names: list[str]) -> Iterator[Record]:
    for name in names:
        content = _read_file(folder, name)
        if content is None:
            yield Skipped(name, "", (), f"it is no regular file of at most {_MAX_RECORD_BYTES:,} bytes")
        else:
            yield read_record(name, content)


def _read_json(content: bytes) -> Any:
    try:
        return read_json(content, _MAX_COMMAS)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from error


def _read_yaml(content: bytes) -> Any:
    """Read YAML in which every scalar is a text: 1.10 stays a version. Aliases, which can grow, are refused.

    So is a name that stands twice in one mapping, as in JSON: all but the last would be lost without a word.
    https://yaml.org/spec/1.2.2/#3213-node-comparison
    """
    import yaml

    if len(content) > _MAX_YAML_BYTES:
        raise ValueError(f"YAML of more than {_MAX_YAML_BYTES:,} bytes")
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        for event in yaml.parse(content, Loader=loader):
            if isinstance(event, yaml.AliasEvent):
                raise AdvisoryError("YAML with an alias")
        return _build(yaml.compose(content, Loader=loader))
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {error}".split("\n", 1)[0]) from error
    except RecursionError as error:
        raise ValueError("YAML that is nested too deeply") from error


def _build(node: Any) -> Any:
    """Turn a node of YAML into texts, lists and dicts."""
    match getattr(node, "id", ""):
        case "mapping":
            pairs = [(str(key.value), _build(value)) for key, value in node.value]
            if len({name for name, _ in pairs}) != len(pairs):
                raise ValueError("YAML with a name that stands twice")
            return dict(pairs)
        case "sequence":
            return [_build(each) for each in node.value]
        case _:
            return getattr(node, "value", None)

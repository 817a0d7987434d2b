"""What a verified wheel consists of: the digest of each file in it, held in memory.

Enters: a path, and the SHA-256 that was verified. Leaves: `WheelContent`. The wheel is copied into a file without a
name while it is hashed, and read from there: whoever exchanges the file at `path` meanwhile is found out, and not read.
"""

import configparser
import csv
import hashlib
import os
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

from sealwright.files.digest import digest_descriptor
from sealwright.files.distribution import BROKEN, MAX_METADATA_BYTES, MetadataError
from sealwright.files.reading import open_regular
from sealwright.files.record import compare_record
from sealwright.files.wheel import dist_info, each_block, open_wheel, read_member
from sealwright.model.artifact import MAX_ARTIFACT_BYTES, ArtifactName

_MAX_SCRIPT_BYTES = 8 * 1024**2
_MAX_ENTRY_POINTS_BYTES = 64 * 1024
_KINDS = ("purelib", "platlib", "headers", "scripts", "data")


class WheelContent(NamedTuple):
    """A wheel: `files` are hex SHA-256 and size by name, without RECORD; `info` is the name of its .dist-info folder.

    `rewritten` are the scripts whose first line an installer replaces (`#!python`), whole. `console` and `gui` are the
    entry points for which it makes scripts, as (name, object).
    """

    info: str
    pure: bool
    files: dict[str, tuple[str, int]]
    rewritten: dict[str, bytes]
    console: tuple[tuple[str, str], ...]
    gui: tuple[tuple[str, str], ...]
    metadata: bytes


def read_content(path: Path, artifact: ArtifactName, sha256: str) -> WheelContent:
    """Read the wheel at `path`, if its bytes are those of `sha256` (hex). Raises MetadataError and OSError."""
    source = open_regular(path)
    with tempfile.TemporaryFile() as copy:
        try:
            found = digest_descriptor(source, MAX_ARTIFACT_BYTES, copy_to=copy.fileno(), name=path.name)
        finally:
            os.close(source)
        if found.sha256 != sha256:
            raise MetadataError("no longer what was verified: another process has exchanged it")
        try:
            with open_wheel(copy) as archive:
                folder = dist_info(archive, artifact)
                compare_record(archive, folder)
                return _read(archive, folder)
        except MetadataError:
            raise
        except (*BROKEN, zipfile.BadZipFile, csv.Error, configparser.Error) as error:
            raise MetadataError(f"not a readable wheel: {error}") from error


def _read(archive: zipfile.ZipFile, info: str) -> WheelContent:
    files: dict[str, tuple[str, int]] = {}
    rewritten: dict[str, bytes] = {}
    for member in archive.infolist():
        name = member.filename
        _refuse_path(name)
        if member.is_dir() or name == f"{info}/RECORD":
            continue
        hasher, size = hashlib.sha256(), 0
        for block in each_block(archive, name):
            hasher.update(block)
            if not size and block.startswith(b"#!python") and ".data/scripts/" in name:
                rewritten[name] = read_member(archive, name, _MAX_SCRIPT_BYTES)
            size += len(block)
        files[name] = hasher.hexdigest(), size
    metadata = read_member(archive, f"{info}/METADATA", MAX_METADATA_BYTES)
    wheel = read_member(archive, f"{info}/WHEEL", _MAX_ENTRY_POINTS_BYTES).decode("utf-8", "replace")
    pure = any(line.replace(" ", "").lower() == "root-is-purelib:true" for line in wheel.splitlines())
    points = f"{info}/entry_points.txt"
    text = read_member(archive, points, _MAX_ENTRY_POINTS_BYTES).decode("utf-8") if points in files else ""
    console, gui = _entry_points(text)
    return WheelContent(info, pure, files, rewritten, console, gui, metadata)


def _refuse_path(name: str) -> None:
    """No member may lead out of where it is installed."""
    parts = name.rstrip("/").split("/")
    if not name.isprintable() or "\\" in name or any(part in ("", ".", "..") for part in parts):
        raise MetadataError(f"it holds a file with a path that leads elsewhere: {name!r:.200}")
    if parts[0].endswith(".data") and not name.endswith("/") and (len(parts) < 3 or parts[1] not in _KINDS):
        raise MetadataError(f"it holds a file for no place that is known: {name!r:.200}")


def _entry_points(text: str) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """https://packaging.python.org/en/latest/specifications/entry-points/#file-format."""
    parser = configparser.ConfigParser(delimiters="=", interpolation=None, strict=True, default_section="\0")
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    parser.read_string(text)
    found: list[tuple[tuple[str, str], ...]] = []
    for section in ("console_scripts", "gui_scripts"):
        pairs = tuple(parser.items(section)) if parser.has_section(section) else ()
        for name, what in pairs:
            if not name or name in (".", "..") or not (name + what).isprintable() or set(name) & set("/\\"):
                raise MetadataError(f"it asks for a script with a name that leads elsewhere: {name!r:.200}")
        found.append(pairs)
    return found[0], found[1]

"""A wheel, opened with care: its one .dist-info folder, and single members of it.

Enters: a path to a ZIP file that may be hostile. Leaves: bytes. Extracts nothing to the disk, and bounds every read.
https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

import io
import posixpath
import struct
import zipfile
from pathlib import Path
from typing import IO

from sealwright.files.distribution import BROKEN, MAX_METADATA_BYTES, MetadataError, SecondDistributionError
from sealwright.model.artifact import ArtifactName
from sealwright.model.ordinary_names import canonical_project

_MAX_DIRECTORY_BYTES = 32 * 1024 * 1024
_INSTALLED = (".dist-info", ".egg-info", ".egg-link", ".egg")  # in any case, as importlib.metadata takes them
_MARKS = (".dist-info", ".egg")  # one of which stands in every name that ends so
_SHOWN = 200


def read_wheel_metadata(path: Path, artifact: ArtifactName) -> bytes:
    """Return METADATA of the wheel at `path`. Raises MetadataError."""
    try:
        with path.open("rb") as stream, open_wheel(stream) as archive:
            return read_member(archive, dist_info(archive, artifact) + "/METADATA", MAX_METADATA_BYTES)
    except MetadataError:
        raise
    except (*BROKEN, zipfile.BadZipFile) as error:
        raise MetadataError(f"not a readable wheel: {error}") from error


def open_wheel(stream: IO[bytes]) -> zipfile.ZipFile:
    """Open a ZIP after a look at its end record, so that a huge directory is never loaded (APPNOTE 4.3.16)."""
    stream.seek(0, io.SEEK_END)
    stream.seek(max(0, stream.tell() - 65_557))
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise MetadataError("not a ZIP file")
    entries, size = struct.unpack_from("<HL", tail, at + 10)
    if entries == 0xFFFF or size > _MAX_DIRECTORY_BYTES:
        raise MetadataError("a ZIP file with too many entries")
    stream.seek(0)
    archive = zipfile.ZipFile(stream)
    names = archive.namelist()
    if len(set(names)) != len(names):
        raise MetadataError("a ZIP file that holds one name twice")
    return archive


def dist_info(archive: zipfile.ZipFile, artifact: ArtifactName) -> str:
    """Return the one .dist-info folder, which must be that of the file's project and version.

    Nothing else may make a second distribution where it is installed. Raises MetadataError.
    """
    from packaging.version import Version

    folders = {folder for name in archive.namelist() if (folder := name.split("/", 1)[0]).endswith(".dist-info")}
    if not folders:
        raise MetadataError("it has 0 .dist-info folders instead of one")
    if len(folders) > 1:
        names = ", ".join(sorted(folders))[:_SHOWN]
        raise SecondDistributionError(
            f"it has {len(folders)} .dist-info folders instead of one, a second distribution: {names}"
        )
    folder = folders.pop()
    if second := sorted(_distributions(archive) - {folder}):
        raise SecondDistributionError(f"it brings a second distribution: {second[0][:_SHOWN]}")
    name, _, version = folder.removesuffix(".dist-info").rpartition("-")
    if canonical_project(name, validate=False) != artifact.project or Version(version) != artifact.version:
        raise MetadataError(f"its metadata stands in {folder}")
    return folder


def _distributions(archive: zipfile.ZipFile) -> set[str]:
    """Where, once it is installed, the metadata of a distribution lies: beside its modules, wherever .data puts it.

    https://packaging.python.org/en/latest/specifications/binary-distribution-format/#the-data-directory
    """
    found: set[str] = set()
    for name in archive.namelist():
        lower = name.lower()
        if not any(mark in lower for mark in _MARKS):
            continue
        path = posixpath.normpath(name.replace("\\", "/"))
        parts = path.split("/")
        last = 1
        if parts[0].lower().endswith(".data"):  # what the scheme `data` puts beside modules lies somewhere below
            last = len(parts) if parts[1:2] == ["data"] else 3
        ends = [number for number, part in enumerate(parts[:last], 1) if part.lower().endswith(_INSTALLED)]
        if ends:  # a name with detours is unpacked over another one
            found.add("/".join(parts[: ends[0]]) if path == name.rstrip("/") else name)
    return found


def read_member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Read a member of at most `limit` bytes. Raises MetadataError, and what zipfile raises (BROKEN)."""
    with archive.open(name) as member:
        content = member.read(limit + 1)
    if len(content) > limit:
        raise MetadataError(f"{name} is larger than {limit:,} bytes")
    return content

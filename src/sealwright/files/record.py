"""A wheel's RECORD, held against what the wheel contains.

Enters: a path to a wheel that may be hostile. Leaves: nothing, or a MetadataError. Extracts nothing to the disk.
https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
"""

import base64
import csv
import hashlib
import io
import zipfile
from pathlib import Path

from sealwright.files.distribution import BROKEN, MAX_UNPACKED_BYTES, MetadataError
from sealwright.files.wheel import dist_info, each_block, open_wheel, read_member
from sealwright.model.artifact import ArtifactName

_MAX_RECORD_BYTES = 32 * 1024 * 1024
_RECORD_HASHES = ("sha256", "sha384", "sha512")


def check_record(path: Path, artifact: ArtifactName) -> None:
    """Compare a wheel's RECORD with its contents, both ways. Raises MetadataError."""
    try:
        with path.open("rb") as stream, open_wheel(stream) as archive:
            compare_record(archive, dist_info(archive, artifact))
    except MetadataError:
        raise
    except (*BROKEN, zipfile.BadZipFile, csv.Error) as error:
        raise MetadataError(f"not a readable wheel: {error}") from error


def compare_record(archive: zipfile.ZipFile, folder: str) -> None:
    """Compare the RECORD in `folder` of an open wheel with its contents. Raises MetadataError and what BROKEN lists."""
    record = f"{folder}/RECORD"
    exempt = {record, f"{record}.jws", f"{record}.p7s"}
    rows = list(csv.reader(io.StringIO(read_member(archive, record, _MAX_RECORD_BYTES).decode("utf-8"), newline="")))
    listed = {row[0]: row for row in rows if len(row) == 3}
    if len(listed) != len(rows):
        raise MetadataError("its RECORD has a line that is a duplicate or has not three fields")
    stored = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    if sum(info.file_size for info in stored.values()) > MAX_UNPACKED_BYTES:
        raise MetadataError(f"it unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")
    for name in sorted(set(listed) ^ set(stored)):
        if name in listed or name not in exempt:
            raise MetadataError(
                f"{name} is " + ("listed in RECORD but not there" if name in listed else "not listed in RECORD")
            )
    for name in sorted(set(stored) - exempt):
        _compare_member(archive, name, listed[name])


def _compare_member(archive: zipfile.ZipFile, name: str, row: list[str]) -> None:
    algorithm, _, expected = row[1].partition("=")
    if algorithm not in _RECORD_HASHES:
        raise MetadataError(f"RECORD has no sha256 or stronger digest of {name}")
    hasher, size = hashlib.new(algorithm), 0
    for block in each_block(archive, name):
        hasher.update(block)
        size += len(block)
    if base64.urlsafe_b64encode(hasher.digest()).rstrip(b"=").decode() != expected or row[2] not in ("", str(size)):
        raise MetadataError(f"{name} is not what RECORD says")

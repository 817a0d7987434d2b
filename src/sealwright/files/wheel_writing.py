"""A wheel with one member more, and everything else as it was.

Enters: a wheel that was checked, a member's name and bytes. Leaves: a new wheel whose RECORD lists it. The same input
gives the same bytes: order, times and modes are kept, and the new member gets the time of RECORD.
https://packaging.python.org/en/latest/specifications/binary-distribution-format/
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
_MODE = 0o100644 << 16
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")


def add_member(source: Path, artifact: ArtifactName, place: str, content: bytes, target: Path) -> None:
    """Write `target`: the wheel `source` with `content` at `place` in its .dist-info, replacing what is there.

    Raises MetadataError for a wheel that is broken, too large, or signed inside; OSError if it cannot be written.
    """
    try:
        with source.open("rb") as stream, open_wheel(stream) as old:
            folder = dist_info(old, artifact)
            name, record = f"{folder}/{place}", f"{folder}/RECORD"
            if any(f"{folder}/{signature}" in old.namelist() for signature in _SIGNATURES):
                raise MetadataError("it has a signature inside, which would no longer fit")
            if sum(info.file_size for info in old.infolist()) > MAX_UNPACKED_BYTES:
                raise MetadataError(f"it unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")
            listing = _record(read_member(old, record, _MAX_RECORD_BYTES), name, record, content)
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
                _copy(old, new, {name: content, record: listing})
    except MetadataError:
        raise
    except (*BROKEN, zipfile.BadZipFile, csv.Error) as error:
        raise MetadataError(f"not a readable wheel: {error}") from error


def _copy(old: zipfile.ZipFile, new: zipfile.ZipFile, given: dict[str, bytes]) -> None:
    """Copy member by member; RECORD comes last, after the new member, as the specification recommends."""
    name, record = given
    for info in old.infolist():
        if info.filename not in given:
            _copy_member(old, new, info)
    made = zipfile.ZipInfo(name, old.getinfo(record).date_time)
    made.external_attr, made.create_system, made.compress_type = _MODE, 3, zipfile.ZIP_DEFLATED
    new.writestr(made, given[name])
    new.writestr(_like(old.getinfo(record)), given[record])


def _copy_member(old: zipfile.ZipFile, new: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    copy = _like(info)
    copy.file_size = info.file_size
    with new.open(copy, "w") as writer:
        for block in each_block(old, info.filename):
            writer.write(block)


def _like(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """A fresh entry with the name, time, mode and method of another one, without where that one stands."""
    copy = zipfile.ZipInfo(info.filename, info.date_time)
    copy.external_attr, copy.create_system = info.external_attr, info.create_system
    known = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    copy.compress_type = info.compress_type if known else zipfile.ZIP_DEFLATED
    return copy


def _record(old: bytes, name: str, record: str, content: bytes) -> bytes:
    """Write RECORD anew: the rows as they were, the new one before RECORD's own."""
    rows = [row for row in csv.reader(io.StringIO(old.decode("utf-8"), newline="")) if row]
    kept = [row for row in rows if row[0] not in (name, record)]
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator="\n").writerows(
        [*kept, [name, f"sha256={digest}", str(len(content))], [record, "", ""]]
    )
    return target.getvalue().encode()

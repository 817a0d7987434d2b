"""What a wheel says inside of where it may be installed: the tags and the build number in its WHEEL file.

Enters: a path to a wheel that may be hostile. Leaves: `WheelTags`. Extracts nothing to the disk.
https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-contents
"""

import zipfile
from pathlib import Path

from sealwright.files.distribution import BROKEN, MetadataError
from sealwright.files.wheel import dist_info, open_wheel, read_member
from sealwright.model.artifact import MAX_TAGS, ArtifactName, count_tags
from sealwright.model.record import Record

_MAX_WHEEL_BYTES = 256 * 1024


class WheelTags(Record):
    """The tags, as they are written (`py2.py3-none-any` may be one), and the build number; empty if there is none."""

    tags: tuple[str, ...]
    build: str


def read_wheel_tags(path: Path, artifact: ArtifactName) -> WheelTags:
    """Read Tag and Build of the wheel at `path`. Raises MetadataError."""
    try:
        with path.open("rb") as stream, open_wheel(stream) as archive:
            content = read_member(archive, dist_info(archive, artifact) + "/WHEEL", _MAX_WHEEL_BYTES)
    except MetadataError:
        raise
    except (*BROKEN, zipfile.BadZipFile) as error:
        raise MetadataError(f"not a readable wheel: {error}") from error
    return _parse(content)


def _parse(content: bytes) -> WheelTags:
    tags: list[str] = []
    builds: list[str] = []
    for line in content.decode("utf-8", "replace").replace("\r\n", "\n").split("\n"):
        key, _, value = line.partition(":")
        {"tag": tags, "build": builds}.get(key.strip().lower(), []).append(value.strip())
    if any(tag.count("-") != 2 for tag in tags):
        raise MetadataError("its WHEEL file has a tag that is none")
    if sum(count_tags(tag) for tag in tags) > MAX_TAGS:
        raise MetadataError(f"its WHEEL file has more than {MAX_TAGS} tags")
    if len(builds) > 1:
        raise MetadataError("its WHEEL file has two build numbers")
    return WheelTags(tuple(tags), "".join(builds))

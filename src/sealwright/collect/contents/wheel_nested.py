"""The SBOMs that a wheel carries inside (PEP 770, https://peps.python.org/pep-0770/).

Enters: a path to a wheel that may be hostile. Leaves: links to them, with their digests. Extracts nothing to the disk.
"""

import zipfile
from pathlib import Path

from sealwright.collect.contents.environment import build_nested
from sealwright.files.distribution import BROKEN, MetadataError
from sealwright.files.wheel import dist_info, open_wheel, read_member
from sealwright.model.artifact import ArtifactName
from sealwright.model.component import Reference

OWN_NAME = "sealwright.cdx.json"
_MAX_NESTED_BYTES = 32 * 1024 * 1024
_MOST = 20


def nested_in_wheel(path: Path, artifact: ArtifactName) -> tuple[Reference, ...]:
    """Link every SBOM in .dist-info/sboms/ but the one that `sealwright sbom embed` wrote. Raises MetadataError."""
    try:
        with path.open("rb") as stream, open_wheel(stream) as archive:
            folder = f"{dist_info(archive, artifact)}/sboms/"
            names = [name for name in archive.namelist() if name.startswith(folder) and not name.endswith("/")]
            names = sorted(name for name in names if name != folder + OWN_NAME)[:_MOST]
            return tuple(build_nested(name, read_member(archive, name, _MAX_NESTED_BYTES)) for name in names)
    except MetadataError:
        raise
    except (*BROKEN, zipfile.BadZipFile) as error:
        raise MetadataError(f"not a readable wheel: {error}") from error

"""What is released: file names, and what they say about project and version.

Enters: file names. Leaves: `ArtifactName`. Never opens a file; what the file itself says is read by
sealwright.files.metadata and compared with this.
"""

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from packaging.version import Version

SBOM_SUFFIX = ".cdx.json"
MAX_ARTIFACT_BYTES = 4 * 1024**3
MAX_ARTIFACTS = 2_000
MAX_SBOM_BYTES = 2_900_000  # so that a statement with it fits into a Sigstore bundle, in base64
_MAX_NAME = 255
MAX_TAGS = 500  # packaging makes every combination of a wheel's tags: a name of 200 letters can mean a million

# What pip, or a person, could take for something to install or to trust. One that no SHA256SUMS lists
# is an attack: pip's --find-links picks up a planted pkg-1.2.3.zip beside the real sdist.
_LOOKS_RELEASED = (
    ".whl", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.z", ".tlz", ".tar.lz",
    ".tar.lzma", ".tar.zst", ".zip", ".egg", ".exe", ".msi", ".pyz", SBOM_SUFFIX, ".spdx.json",
)  # fmt: skip
_PAGES = ("htm", "shtm")
_EVIDENCE = (".asc", ".sigstore.json", ".intoto.jsonl", ".publish.attestation", ".provenance")


class ArtifactKind(Enum):
    """The kinds of file that a release consists of."""

    WHEEL = "wheel"
    SDIST = "sdist"
    SBOM = "sbom"


class ArtifactName(NamedTuple):
    """A file name of a release, taken apart.

    `project` is normalised (PEP 503); `version` is compared by `==` and printed in its canonical form.
    """

    file: str
    kind: ArtifactKind
    project: str
    version: "Version"


class ArtifactNameError(ValueError):
    """A file name that is no name of a wheel, an sdist or an SBOM."""


def looks_released(file: str) -> bool:
    """Tell whether a name could be taken for a released file, or for a page of links to some, whatever its spelling.

    pip follows the links of any HTML page in a --find-links folder, to another host and in spite of --no-index.
    """
    name = file.casefold()
    page = any(part.startswith(_PAGES) for part in name.split(".")[1:]) and not name.endswith(_EVIDENCE)
    return page or name.endswith(_LOOKS_RELEASED)


def parse_artifact_name(file: str) -> ArtifactName:
    """Take a file name apart.

    Wheels: https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-name-convention
    Sdists: PEP 625, https://packaging.python.org/en/latest/specifications/source-distribution-format/
    SBOMs: NAME-VERSION.cdx.json.
    Raises ArtifactNameError for every other name.
    """
    from packaging.utils import (
        InvalidSdistFilename,
        InvalidWheelFilename,
        canonicalize_name,
        parse_sdist_filename,
        parse_wheel_filename,
    )
    from packaging.version import InvalidVersion, Version

    if not file.isascii() or not file.isprintable() or "/" in file or "\\" in file or file.startswith("-"):
        raise ArtifactNameError("not a plain file name")
    if len(file) > _MAX_NAME or count_tags(file) > MAX_TAGS:
        raise ArtifactNameError("too long, or with too many tags")
    try:
        if file.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(file)
            return ArtifactName(file, ArtifactKind.WHEEL, name, version)
        if file.endswith(".tar.gz"):
            name, version = parse_sdist_filename(file)
            return ArtifactName(file, ArtifactKind.SDIST, name, version)
        if file.endswith(SBOM_SUFFIX):
            stem, dash, text = file.removesuffix(SBOM_SUFFIX).rpartition("-")
            if not dash or not stem:
                raise ArtifactNameError("an SBOM is called NAME-VERSION.cdx.json")
            return ArtifactName(file, ArtifactKind.SBOM, canonicalize_name(stem, validate=True), Version(text))
    except (InvalidSdistFilename, InvalidWheelFilename, InvalidVersion, ValueError) as error:
        raise ArtifactNameError(str(error)) from error
    raise ArtifactNameError("neither a wheel (.whl) nor an sdist (.tar.gz) nor an SBOM (.cdx.json)")


def is_uploaded(file: str) -> bool:
    """Tell whether a file is of a kind that a package index takes: a wheel or an sdist, and no SBOM."""
    return file.endswith((".whl", ".tar.gz"))


def count_tags(file: str) -> int:
    """Return how many tags a wheel's name, or a compressed set of tags, stands for (PEP 425)."""
    count = 1
    for part in file.removesuffix(".whl").split("-")[-3:]:
        count *= part.count(".") + 1
    return count

"""Which files of a project belong to one version, by their names, and which of them are for this platform.

Enters: names that others made up. Leaves: yes or no. Names are compared normalised (PEP 503), versions by `Version ==`
(PEP 440); a wheel fits as pip decides it, by its tags (PEP 425). Opens nothing.
"""

from functools import cache
from typing import TYPE_CHECKING

from sealwright.model.artifact import ArtifactKind, ArtifactNameError, parse_artifact_name

if TYPE_CHECKING:
    from packaging.version import Version

ODD_NAME = "a file with a name that is not plain"
_LONGEST = 255
# What pip takes for a wheel or an sdist, and what other installers take: PEP 625 allows only the second.
_ARCHIVES = (
    ".whl", ".tar.gz", ".zip", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.lz", ".tlz", ".tar.lzma",
    ".tar.zst", ".egg", ".exe", ".msi",
)  # fmt: skip


def is_plain_name(name: str) -> bool:
    """Tell whether a file may be written under that name: no path, no option, nothing that a terminal obeys."""
    return name.isprintable() and 0 < len(name) <= _LONGEST and not set(name) & set("/\\") and name[0] not in "-."


def version_of(name: str, project: str) -> "Version | None":
    """The version that an installer would read in a file's name, if it is one of that (normalised) project."""
    try:
        found = parse_artifact_name(name)
    except ArtifactNameError:
        return _version_of_archive(name, project)
    return found.version if found.project == project else None


def _version_of_archive(name: str, project: str) -> "Version | None":
    """As pip does: at each dash, what stands before may be the project, and what stands behind its version."""
    from packaging.utils import canonicalize_name
    from packaging.version import InvalidVersion, Version

    suffix = next((suffix for suffix in sorted(_ARCHIVES, key=len, reverse=True) if name.lower().endswith(suffix)), "")
    if not suffix or len(name) > _LONGEST:
        return None
    stem = name[: -len(suffix)]
    for place in [number for number, letter in enumerate(stem) if letter == "-"]:
        if canonicalize_name(stem[:place]) != project:
            continue
        # Others have more behind it: sampleproject-1.0-py3-none-any.whl, sampleproject-1.0.win32.exe. pip takes more
        # for a wheel's name than the specification: sample__project-1.0_1-py3-none-any.whl is that of 1.0.post1.
        rest = stem[place + 1 :]
        for text in (rest, rest.partition("-")[0].replace("_", "-"), rest.partition(".win")[0]):
            try:
                return Version(text)
            except (InvalidVersion, ValueError):
                continue
    return None


def is_fetched(name: str, *, everything: bool) -> str:
    """Why a released file is not fetched, in words; empty if it is."""
    try:
        found = parse_artifact_name(name)
    except ArtifactNameError:
        return "no wheel, sdist or SBOM"
    if found.kind is ArtifactKind.WHEEL and not everything and not fits(name):
        return "for another platform or Python; --all fetches it, too"
    return ""


def fits(wheel: str) -> bool:
    """Tell whether a wheel can be installed by this Python on this machine. Its name must be one that can be parsed."""
    from packaging.utils import parse_wheel_filename

    here = _tags()
    return any(str(tag) in here for tag in parse_wheel_filename(wheel)[3])


@cache
def _tags() -> frozenset[str]:
    from packaging.tags import sys_tags

    return frozenset(str(tag) for tag in sys_tags())

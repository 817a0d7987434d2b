"""Where the files of an artifact come from that are not in what it was made from, and which tool made it.

Enters: the members of archives, and the files of a commit. Leaves: an `Extra` for each such file, which says how it is
explained; the name of a tool as the archive states it, which anybody could have written there.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.files.distribution import MetadataError
from sealwright.files.members import read_texts
from sealwright.model.artifact import ArtifactKind
from sealwright.model.reproduction import Extra, Member, Origin, Packing

if TYPE_CHECKING:
    from sealwright.collect.built.checkout import Entry

_GENERATOR = re.compile(r"^Generator:[ \t]*([^\r\n]{1,200})$", re.MULTILINE)
_METADATA_VERSION = re.compile(r"^Metadata-Version:[ \t]*([0-9.]{1,20})\r?$", re.MULTILINE)
_SPELLED = re.compile(r"(?:([A-Za-z][A-Za-z0-9_.-]*) )?\(?v?([0-9][0-9A-Za-z.+!-]*)\)?")
_DEEPEST = 32
# Backends by what they call themselves in WHEEL. What is not listed is not asked of an index.
_BACKENDS = {
    "hatchling": "hatchling", "setuptools": "setuptools", "flit": "flit_core", "flit_core": "flit_core",
    "poetry-core": "poetry-core",
    "pdm-backend": "pdm-backend", "uv": "uv_build", "maturin": "maturin", "scikit-build-core": "scikit-build-core",
    "meson": "meson-python",
}  # fmt: skip


def tool_of(path: Path, kind: ArtifactKind, packing: Packing) -> str:
    """Return the Generator of a wheel's WHEEL, or what an sdist shows of its maker; empty if it shows nothing.

    https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-contents
    """
    names = [member.name for member in packing.members]
    if kind is ArtifactKind.WHEEL:
        wanted = [name for name in names if name.endswith(".dist-info/WHEEL") and name.count("/") == 1]
    else:
        wanted = [name for name in names if name.endswith("/PKG-INFO") and name.count("/") == 1]
    try:
        texts = read_texts(path, kind, wanted)
    except MetadataError:
        return ""
    text = next((content.decode("utf-8", "replace") for content in texts.values()), "")
    if kind is ArtifactKind.WHEEL:
        generators = _GENERATOR.findall(text)
        return ", ".join(generator.strip() for generator in generators[:3])
    version = _METADATA_VERSION.search(text)
    said = [f"PKG-INFO of metadata version {version[1]}"] if version else []
    said += ["with an .egg-info, as setuptools writes it"] * any(".egg-info/" in name for name in names)
    return " ".join(said)


def requirement_of(tool: str) -> str:
    """Return the requirement `NAME==VERSION` that builds with the same tool, or "" if it is none that is known."""
    match = _SPELLED.fullmatch(tool)
    name = _BACKENDS.get((match[1] or "").lower(), "") if match else ""
    return f"{name}=={match[2]}" if match and name else ""


def explain_sdist(artifact: str, released: Packing, rebuilt: Packing, entries: "dict[str, Entry]") -> tuple[Extra, ...]:
    """Explain every file of an sdist that is not in the commit, or not like that."""
    again = {member.name: member for member in rebuilt.members}
    found = []
    for member in released.members:
        name = member.name.partition("/")[2]
        entry = entries.get(name)
        if member.kind == "folder" or (entry and entry.blob in member.blobs):
            continue
        written = name == "PKG-INFO" or (name == "setup.cfg" and not entry) or ".egg-info/" in f"/{name}"
        found.append(Extra(artifact, name, "the commit", _origin(member, again, written=written, there=bool(entry))))
    return tuple(found)


def explain_wheel(
    artifact: str, released: Packing, rebuilt: Packing, sdist: Packing | None, entries: "dict[str, Entry]"
) -> tuple[Extra, ...]:
    """Explain every file of a wheel that is not in the sdist, or, if the release has none, in the commit."""
    source = "the sdist" if sdist else "the commit"
    again = {member.name: member for member in rebuilt.members}
    if sdist:
        known = {(member.name.rpartition("/")[2], member.sha256) for member in sdist.members}
        names = _endings(member.name.partition("/")[2] for member in sdist.members)
    else:
        known = {(name.rpartition("/")[2], entry.blob) for name, entry in entries.items()}
        names = _endings(entries)
    found = []
    for member in released.members:
        last = member.name.rpartition("/")[2]
        digests = (member.sha256,) if sdist else member.blobs
        if member.kind == "folder" or any((last, digest) in known for digest in digests):
            continue
        written = ".dist-info/" in member.name
        there = not written and member.name in names
        found.append(Extra(artifact, member.name, source, _origin(member, again, written=written, there=there)))
    return tuple(found)


def _endings(names: Iterable[str]) -> set[str]:
    """Every path, and what is left of it below each of its folders: a wheel's files lie in src/, or elsewhere."""
    found = set()
    for name in names:
        parts = name.split("/")
        found |= {"/".join(parts[at:]) for at in range(min(len(parts), _DEEPEST))}
    return found


def _origin(member: Member, again: dict[str, Member], *, written: bool, there: bool) -> Origin:
    """What nobody makes again is unexplained, whatever its name."""
    made = again.get(member.name)
    if made is None or (not written and (made.kind, made.sha256) != (member.kind, member.sha256)):
        return Origin.UNEXPLAINED
    if written:
        return Origin.METADATA
    return Origin.CHANGED if there else Origin.BUILD

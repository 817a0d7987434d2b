"""A release as it was found: the files of one folder, read once.

Enters: nothing. Leaves: `Release`, made by sealwright.store.release_folder and judged by sealwright.verify.
The folder itself is not read again: what is judged are private copies, and bytes in memory.
"""

import re
from functools import cached_property
from pathlib import PurePath

from sealwright.model.artifact import ArtifactNameError, parse_artifact_name
from sealwright.model.record import Record

CHECKSUMS = "SHA256SUMS"
OPENPGP_SUFFIX = ".asc"
SIGSTORE_SUFFIX = ".sigstore.json"
ATTESTATIONS_SUFFIX = ".intoto.jsonl"
PUBLISH_SUFFIX = ".publish.attestation"
PROVENANCE_SUFFIX = ".provenance"
LAYOUT = "root.layout"
LINK_SUFFIX = ".link"
MAX_LAYOUT_BYTES = 1024**2
MAX_LINK_BYTES = 2 * 1024**2
MAX_BUNDLES = 99
MAX_BUNDLE_BYTES = 4 * 1024 * 1024
MAX_ATTESTATIONS_BYTES = 16 * 1024 * 1024
_BUNDLE = re.compile(r"(.+?)(?:\.([2-9]|[1-9][0-9]))?\.sigstore\.json", re.DOTALL)


class ReleaseFile(Record):
    """A regular file that was read once. `size` in bytes, `sha256` as 64 lower-case hex digits.

    An artifact has a private copy at `path`, evidence has its `content`; SHA256SUMS, which is read and signed, both.
    """

    name: str
    size: int
    sha256: str
    path: PurePath = PurePath()
    content: bytes = b""


class Oddity(Record):
    """An entry that is not read: `what` says why, in words that complete "is …"."""

    name: str
    what: str


class Left(Record):
    """A file that a place offers and that was not fetched: `why` says the reason."""

    name: str
    why: str


class Disagreement(Record):
    """What a place says of a file, or has under its name, and what the file is; in words."""

    name: str
    place: str
    expected: str
    got: str


class Yanked(Record):
    """A file that its index calls back, and the reason that it gives, which may be empty (PEP 592)."""

    name: str
    reason: str


class Fetched(Record):
    """How a release was fetched: what only the job that fetched it knows, and no release can say of itself.

    `places` are where bytes and evidence come from, and what was compared; `left` was not asked for, and `elsewhere`
    are files that only a place has from which no artifacts come; `compared` and `alone` are the artifacts whose bytes
    are the same in another place, and that it does not have; `empty` the places that have no such release; `metadata`
    the digests that an index states of the metadata inside wheels, by name; `addresses` where anybody who is no more
    than told the address gets an artifact, by name; `withdrawn` the content of each withdrawn.json, by its place.
    `only`: just the artifacts that are here were asked for, whatever else the release has.
    """

    places: tuple[str, ...]
    left: tuple[Left, ...] = ()
    elsewhere: tuple[str, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    yanked: tuple[Yanked, ...] = ()
    allow_yanked: bool = False
    compared: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    addresses: tuple[tuple[str, str], ...] = ()
    withdrawn: tuple[tuple[str, bytes], ...] = ()
    only: bool = False


class _Folder(Record):
    folder: str
    files: tuple[ReleaseFile, ...]
    oddities: tuple[Oddity, ...] = ()
    uncovered: tuple[str, ...] = ()
    fetched: Fetched | None = None


class Release(_Folder):  # a class of its own, because a named tuple has no place for what it computes
    """A release's content: what was read, what is refused, what was left alone; and how it was `fetched`, if it was."""

    def is_left(self, name: str) -> bool:
        """Tell whether a file belongs to the release, and was deliberately not fetched."""
        return name in self._left or (self.is_part and self.file(name) is None)

    @property
    def is_part(self) -> bool:
        """Whether only the artifacts that are here were asked for."""
        return self.fetched is not None and self.fetched.only

    @cached_property
    def _left(self) -> frozenset[str]:
        return frozenset(left.name for left in self.fetched.left) if self.fetched else frozenset()

    def file(self, name: str) -> ReleaseFile | None:
        """Return the file of that exact name, or None."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, ReleaseFile]:
        return {file.name: file for file in self.files}


def is_openpgp_evidence(name: str) -> bool:
    """Tell whether a name is that of a detached OpenPGP signature."""
    return name.endswith(OPENPGP_SUFFIX)


def bundle_name(artifact: str, number: int = 1) -> str:
    """Return the name of an artifact's Nth Sigstore bundle: each further signer has a file of their own."""
    return f"{artifact}{SIGSTORE_SUFFIX}" if number == 1 else f"{artifact}.{number}{SIGSTORE_SUFFIX}"


def bundle_target(name: str) -> str | None:
    """Return the name of what a Sigstore bundle of that name signs, or None if it is no bundle's name."""
    match = _BUNDLE.fullmatch(name) if name.endswith(SIGSTORE_SUFFIX) else None
    return match[1] if match else None


def attestations_name(artifacts: tuple[str, ...]) -> str:
    """Return the name of the file of attestations about these artifacts: NAME-VERSION.intoto.jsonl (PEP 625).

    Empty if no artifact has the name of one.
    """
    for artifact in artifacts:
        try:
            name = parse_artifact_name(artifact)
        except ArtifactNameError:
            continue
        return f"{name.project.replace('-', '_')}-{name.version}{ATTESTATIONS_SUFFIX}"
    return ""


def publish_names(artifact: str) -> tuple[str, str]:
    """Return the names of an artifact's PEP 740 attestation, and of the provenance object that an index serves."""
    return artifact + PUBLISH_SUFFIX, artifact + PROVENANCE_SUFFIX


def publish_target(name: str) -> str | None:
    """Return the name of what a PEP 740 file of that name is about, or None if it is no such file's name."""
    for suffix in (PUBLISH_SUFFIX, PROVENANCE_SUFFIX):
        if name.endswith(suffix) and name != suffix:
            return name.removesuffix(suffix)
    return None


def is_attestations(name: str) -> bool:
    """Tell whether a name is that of a file of attestations."""
    return name.endswith(ATTESTATIONS_SUFFIX)


def is_layout_evidence(name: str) -> bool:
    """Tell whether a name is that of an in-toto layout, or of the link of one of its steps."""
    return name == LAYOUT or name.endswith(LINK_SUFFIX)

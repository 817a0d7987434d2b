"""What the parts of a sealing share: with what it signs, and what is being sealed.

Enters: nothing. Leaves: `Means`, which a caller fills, and `Task`, which every maker of evidence is given.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sealwright.errors import UndecidedError
from sealwright.files.digest import digest_bytes
from sealwright.jobs.verify.release import Clock
from sealwright.model.buildfacts import BuildFacts
from sealwright.model.policy import CHECKSUMS_FILE
from sealwright.model.release import CHECKSUMS, Release
from sealwright.sign.identity import Identity
from sealwright.sign.openpgp import OpenPGPSigner
from sealwright.sign.patience import PATIENCE, Patience
from sealwright.sign.sigstore import Services
from sealwright.store.trust_folder import TrustFolder
from sealwright.verify.checksums import ChecksumLine, render_checksums

if TYPE_CHECKING:
    from packaging.version import Version

OpenSigner = Callable[[], AbstractContextManager[OpenPGPSigner]]


class Announcement(NamedTuple):
    """What is about to enter a public log that never forgets: who signs, with which instance, and what."""

    identity: str
    oidc_issuer: str
    instance: str
    subjects: tuple[str, ...]


class SigstoreMeans(NamedTuple):
    """How to sign with Sigstore; each function is called only if something is to be signed.

    `identity` returns None if there is none, and asks for the services only to have a person log in; `renew` gets
    another token for the same identity, or None. `confirm` shows what is about to be published and raises if it is
    refused. `attestations` is where PEP 740 attestations go. `build` collects the facts of the build, given the tag
    that it should be of and the identity that signs; `allow` holds "doubts" if what speaks against the build may stand
    in the provenance. `show` is told how many are made.
    """

    services: Callable[[], Services]
    identity: Callable[[Callable[[], Services]], Identity | None]
    renew: Callable[[], Identity | None]
    confirm: Callable[[Announcement], None]
    attestations: Path | None = None
    build: Callable[[str, str], BuildFacts] | None = None
    allow: frozenset[str] = frozenset()
    show: Callable[[int, int], None] = lambda done, total: None
    patience: Patience = PATIENCE


class Means(NamedTuple):
    """With what a run signs; `left` are the ids of the kinds of evidence that are left to other signers.

    `layout` is the folder with the layout and the links that the build has made.
    """

    open_openpgp: OpenSigner | None
    sigstore: SigstoreMeans
    left: frozenset[str] = frozenset()
    layout: Path | None = None


class Task(NamedTuple):
    """What is being sealed: the release folder, the artifacts with their digests, the version, the policy.

    `left` are the kinds of evidence that are left to other signers, `sbom` the content of the SBOM among the artifacts,
    `audit` that of a finished audit, empty if none was given.
    """

    out: Path
    lines: tuple[ChecksumLine, ...]
    version: "Version"
    trust: TrustFolder
    clock: Clock
    openpgp: OpenPGPSigner | None
    sigstore: SigstoreMeans
    left: frozenset[str] = frozenset()
    sbom: bytes = b""
    layout: Path | None = None
    audit: bytes = b""

    @property
    def artifacts(self) -> tuple[str, ...]:
        """The names of the artifacts."""
        return tuple(line.name for line in self.lines)


class Made(NamedTuple):
    """What a maker did: the files it wrote, and the signers whose evidence is there now because of it."""

    written: tuple[str, ...] = ()
    signers: frozenset[str] = frozenset()


def refuse_other_bytes(task: Task, release: Release) -> None:
    """What is signed are the bytes that were collected, whoever writes into the release folder meanwhile."""
    expected = {line.name: line.sha256 for line in task.lines}
    if task.trust.policy.publishes(CHECKSUMS_FILE):
        expected[CHECKSUMS] = digest_bytes(render_checksums(task.lines))
    for name, sha256 in expected.items():
        file = release.file(name)
        if file is None or file.sha256 != sha256:
            raise UndecidedError(
                f"{task.out / name} changed while it was sealed", "Find out who writes there, then seal again."
            )

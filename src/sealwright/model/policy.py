"""The trust policy: what a release must prove, and who may vouch for it.

Enters: nothing. Leaves: the dataclasses that sealwright.model.policy_toml fills. An unset field never means
"unchecked": what is not required is written in the policy as false or 0. docs/policy.md is its manual.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from sealwright.model.publisher import Publisher
from sealwright.model.record import Record

if TYPE_CHECKING:
    from packaging.version import Version

PLACEHOLDER = "{version}"

# The evidence that a project may publish with a release, besides the attestations and the layout of [require].
CHECKSUMS_FILE = "checksums"
CHECKSUMS_SIGNATURE = "checksums-signature"
ARTIFACT_SIGNATURES = "artifact-signatures"
SIGSTORE_BUNDLES = "sigstore-bundles"
PUBLISH_ATTESTATIONS = "publish-attestations"
PUBLISHABLE = (CHECKSUMS_FILE, CHECKSUMS_SIGNATURE, ARTIFACT_SIGNATURES, SIGSTORE_BUNDLES, PUBLISH_ATTESTATIONS)


class Template(Record):
    """A text in which `{version}` stands for the version of the release; nothing else in it is a pattern."""

    text: str

    def expand(self, version: str) -> str:
        """Return the text for that version, in the spelling of the artifact's metadata."""
        return self.text.replace(PLACEHOLDER, version)


class OpenPGPKey(Record):
    """An OpenPGP primary key: 40 or 64 upper-case hex digits.

    `until_version`: a key that its owner revoked as superseded or retired counts for versions up to this one.
    """

    fingerprint: str
    until_version: "Version | None" = None


class Claim(Record):
    """A claim that a signing certificate must make: a key of sealwright.model.claims, and its exact value."""

    key: str
    value: Template


class SigstoreIdentity(Record):
    """An identity with its oidc issuer, never one without the other, and the claims that must stand beside them."""

    identity: Template
    oidc_issuer: str
    claims: tuple[Claim, ...] = ()

    def claim(self, key: str) -> Template | None:
        """Return the value that a claim must have, or None if the policy does not ask for it."""
        return next((claim.value for claim in self.claims if claim.key == key), None)


class Signer(Record):
    """One person or workflow, who counts once however many keys and identities they hold.

    `publisher` is whom a user accepted on first use. No policy file can list one: its ref is left open.
    """

    name: str
    openpgp: tuple[OpenPGPKey, ...] = ()
    sigstore: tuple[SigstoreIdentity, ...] = ()
    publisher: Publisher | None = None


class AttestationRequirement(Record):
    """A predicate that must stand exactly once for a signer among those named."""

    signers: tuple[str, ...]
    level: int = 0
    builder: Template | None = None
    max_age_days: int = 0


class Requirements(Record):
    """The `[require]` table. `signers`, `openpgp` and `sigstore` are numbers of distinct signers."""

    signers: int
    openpgp: int
    sigstore: int
    release: AttestationRequirement | None
    provenance: AttestationRequirement | None
    sbom: AttestationRequirement | None
    audit: AttestationRequirement | None
    layout: bool


class Places(Record):
    """Where a release lives: `index`, `github:OWNER/REPO`, or a URL."""

    artifacts: str
    evidence: str


class Policy(Record):
    """A whole policy. `project` is normalised (PEP 503), `expires` is in UTC.

    `evidence` are those of PUBLISHABLE that the project says it publishes; None if it does not say, which asks for all
    that `require` can count.
    """

    project: str
    repository: str
    version: int
    expires: datetime
    sigstore_root: str
    places: Places
    tag: Template
    require: Requirements
    signers: tuple[Signer, ...]
    evidence: tuple[str, ...] | None = None

    def publishes(self, evidence: str) -> bool:
        """Tell whether one of PUBLISHABLE must be there: missing, it has been taken away."""
        if self.evidence is not None:
            return evidence in self.evidence
        signed = evidence in (CHECKSUMS_SIGNATURE, ARTIFACT_SIGNATURES) and self.require.openpgp > 0
        bundled = evidence == SIGSTORE_BUNDLES and self.require.sigstore > 0
        return evidence == CHECKSUMS_FILE or signed or bundled

    def signer_of_key(self, fingerprint: str) -> Signer | None:
        """Return the signer who holds the OpenPGP key with that primary fingerprint (upper-case hex)."""
        for signer in self.signers:
            if any(key.fingerprint == fingerprint for key in signer.openpgp):
                return signer
        return None

    def openpgp_keys(self) -> tuple[OpenPGPKey, ...]:
        """Return every OpenPGP key of every signer."""
        return tuple(key for signer in self.signers for key in signer.openpgp)

    def key_to_name(self) -> str:
        """Return what stands for a key in a command to copy: the listed one that still signs, if there is just one."""
        signing = [key.fingerprint for key in self.openpgp_keys() if key.until_version is None]
        return signing[0] if len(signing) == 1 else "FINGERPRINT"

    def sigstore_identities(self) -> tuple[SigstoreIdentity, ...]:
        """Return every Sigstore identity of every signer."""
        return tuple(identity for signer in self.signers for identity in signer.sigstore)

    @property
    def is_first_use(self) -> bool:
        """Whether no project wrote it: it was made of what a user accepted on first use. A policy begins at 1."""
        return self.version == 0

    def publisher(self) -> Publisher | None:
        """Return whom a user accepted on first use, if that is what this policy was made of."""
        return next((signer.publisher for signer in self.signers if signer.publisher), None)

"""The kinds of evidence, as data: which a policy requires, and in which files they stand.

Enters: a policy and the names of artifacts. Leaves: names of files. Sealing makes what this table names and
verifying demands it, so the two can never disagree about what must be there.
"""

from collections.abc import Callable

from sealwright.model.artifact import is_uploaded
from sealwright.model.policy import (
    ARTIFACT_SIGNATURES,
    CHECKSUMS_FILE,
    CHECKSUMS_SIGNATURE,
    PUBLISH_ATTESTATIONS,
    SIGSTORE_BUNDLES,
    Policy,
)
from sealwright.model.record import Record
from sealwright.model.release import CHECKSUMS, LAYOUT, OPENPGP_SUFFIX, attestations_name, bundle_name, publish_names

OPENPGP, SIGSTORE, PUBLISH = "openpgp", "sigstore", "publish"
# In which files a kind of evidence would stand, and what it means for a user that a project does not publish it.
LACKING = {
    CHECKSUMS_FILE: (("SHA256SUMS",), "nothing lists the files of the release: one that is missing is not noticed"),
    CHECKSUMS_SIGNATURE: (("SHA256SUMS.asc",), "the list of the files is not signed with OpenPGP"),
    ARTIFACT_SIGNATURES: (("FILE.asc",), "the files are not signed with OpenPGP, each by itself"),
    SIGSTORE_BUNDLES: (("FILE.sigstore.json",), "the files are not signed with Sigstore, each by itself"),
    PUBLISH_ATTESTATIONS: (
        ("FILE.provenance", "FILE.publish.attestation"),
        "nothing says who gave the files to the index",
    ),
}


class EvidenceKind(Record):
    """One kind: whether a policy requires it, and the files it stands in for a set of artifacts.

    Of several names for one file, any will do.
    """

    id: str
    required_by: Callable[[Policy], bool]
    files: Callable[[Policy, tuple[str, ...]], tuple[tuple[str, ...], ...]]


def signed_targets(policy: Policy, artifacts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the files that each have an OpenPGP signature beside them, as the policy says."""
    listing = (CHECKSUMS,) if policy.publishes(CHECKSUMS_SIGNATURE) else ()
    return (*listing, *(artifacts if policy.publishes(ARTIFACT_SIGNATURES) else ()))


def uploaded(artifacts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the artifacts that an index has, and so the attestations of."""
    return tuple(name for name in artifacts if is_uploaded(name))


def _signatures(policy: Policy, artifacts: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple((name + OPENPGP_SUFFIX,) for name in signed_targets(policy, artifacts))


def _attested(policy: Policy, artifacts: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return ((attestations_name(artifacts),),)


EVIDENCE_KINDS: tuple[EvidenceKind, ...] = (
    EvidenceKind(
        "checksums", lambda policy: policy.publishes(CHECKSUMS_FILE), lambda policy, artifacts: ((CHECKSUMS,),)
    ),
    EvidenceKind(
        OPENPGP,
        lambda policy: policy.publishes(CHECKSUMS_SIGNATURE) or policy.publishes(ARTIFACT_SIGNATURES),
        _signatures,
    ),
    EvidenceKind(
        SIGSTORE,
        lambda policy: policy.publishes(SIGSTORE_BUNDLES),
        lambda policy, artifacts: tuple((bundle_name(name),) for name in artifacts),
    ),
    EvidenceKind(
        PUBLISH,
        lambda policy: policy.publishes(PUBLISH_ATTESTATIONS),
        lambda policy, artifacts: tuple(publish_names(name) for name in uploaded(artifacts)),
    ),
    EvidenceKind("release", lambda policy: policy.require.release is not None, _attested),
    EvidenceKind("provenance", lambda policy: policy.require.provenance is not None, _attested),
    EvidenceKind("sbom", lambda policy: policy.require.sbom is not None, _attested),
    EvidenceKind("audit", lambda policy: policy.require.audit is not None, _attested),
    EvidenceKind("layout", lambda policy: policy.require.layout, lambda policy, artifacts: ((LAYOUT,),)),
)


def required_kinds(policy: Policy) -> tuple[EvidenceKind, ...]:
    """Return the kinds that the policy requires, in the order in which they are made and checked."""
    return tuple(kind for kind in EVIDENCE_KINDS if kind.required_by(policy))

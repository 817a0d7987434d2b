"""The kinds of evidence, as data: which a policy requires, and in which files they stand.

Enters: a policy and the names of artifacts. Leaves: names of files. Sealing makes what this table names and
verifying demands it, so the two can never disagree about what must be there.
"""

from collections.abc import Callable
from typing import NamedTuple

from sealwright.model.policy import Policy
from sealwright.model.release import CHECKSUMS, LAYOUT, OPENPGP_SUFFIX, attestations_name, bundle_name

OPENPGP, SIGSTORE = "openpgp", "sigstore"


class EvidenceKind(NamedTuple):
    """One kind: whether a policy requires it, and the files it stands in for a set of artifacts."""

    id: str
    required_by: Callable[[Policy], bool]
    files: Callable[[tuple[str, ...]], tuple[str, ...]]


def _signed(artifacts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name + OPENPGP_SUFFIX for name in (CHECKSUMS, *artifacts))


def _attested(artifacts: tuple[str, ...]) -> tuple[str, ...]:
    return (attestations_name(artifacts),)


EVIDENCE_KINDS: tuple[EvidenceKind, ...] = (
    EvidenceKind("checksums", lambda policy: True, lambda artifacts: (CHECKSUMS,)),
    EvidenceKind(OPENPGP, lambda policy: policy.require.openpgp > 0, _signed),
    EvidenceKind(
        SIGSTORE,
        lambda policy: policy.require.sigstore > 0,
        lambda artifacts: tuple(bundle_name(name) for name in artifacts),
    ),
    EvidenceKind("release", lambda policy: policy.require.release is not None, _attested),
    EvidenceKind("provenance", lambda policy: policy.require.provenance is not None, _attested),
    EvidenceKind("sbom", lambda policy: policy.require.sbom is not None, _attested),
    EvidenceKind("audit", lambda policy: policy.require.audit is not None, _attested),
    EvidenceKind("layout", lambda policy: policy.require.layout, lambda artifacts: (LAYOUT,)),
)


def required_kinds(policy: Policy) -> tuple[EvidenceKind, ...]:
    """Return the kinds that the policy requires, in the order in which they are made and checked."""
    return tuple(kind for kind in EVIDENCE_KINDS if kind.required_by(policy))

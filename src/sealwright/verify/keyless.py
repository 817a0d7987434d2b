"""All that is signed with Sigstore in a release: bundles over files, and attestations about all of them.

Enters: a `Release`, a `Policy`, a trusted root. Leaves: checks, who signed what, and the names of the files that were
judged. Only imported where a policy lists a Sigstore identity: what stands behind it takes half a second to load.
"""

from typing import TYPE_CHECKING, NamedTuple

from sealwright.model.policy import PUBLISH_ATTESTATIONS, SIGSTORE_BUNDLES, Policy
from sealwright.model.release import Release, attestations_name
from sealwright.model.trusted_root import TrustedRootFile
from sealwright.model.verdict import Check, Signed
from sealwright.verify.attestations import check_attestations
from sealwright.verify.sigstore import bundles_of, check_sigstore, check_sigstore_evidence

if TYPE_CHECKING:
    from packaging.version import Version


class KeylessFindings(NamedTuple):
    """The checks, the signatures that count, and which files were judged."""

    checks: tuple[Check, ...] = ()
    signed: tuple[Signed, ...] = ()
    judged: frozenset[str] = frozenset()


def check_keyless(
    release: Release, artifacts: tuple[str, ...], policy: Policy, version: "Version | None", root: TrustedRootFile
) -> KeylessFindings:
    """Judge every bundle and every attestation with `root` and nothing else. Raises UsageError if it is none."""
    bundles = check_sigstore(release, artifacts, policy, version, root)
    checks = list(bundles.checks)
    if policy.publishes(SIGSTORE_BUNDLES):
        checks += check_sigstore_evidence(artifacts, bundles, release)
    attestations = check_attestations(release, artifacts, policy, version, root)
    judged = {file.name for file, _ in bundles_of(release, artifacts)}
    if release.file(name := attestations_name(artifacts)):
        judged.add(name)
    signed = bundles.signed + attestations.signed
    checks += attestations.checks
    if policy.publishes(PUBLISH_ATTESTATIONS):
        from sealwright.verify.publish_attestation import check_published

        published = check_published(release, artifacts, policy, version, root)
        checks += published.checks
        signed += published.signed
        judged |= published.judged
    return KeylessFindings(tuple(checks), signed, frozenset(judged))

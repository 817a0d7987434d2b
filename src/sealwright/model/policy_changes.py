"""What a new policy changes, in words; what makes a release easier to pass comes first and is marked as weaker.

Enters: two policies. Leaves: `Change`s. What cannot be compared, such as another root of trust, counts as weaker:
a person has to look at it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sealwright.model.policy import PUBLISHABLE, AttestationRequirement, OpenPGPKey, Policy, Signer, SigstoreIdentity

_ATTESTATIONS = ("release", "provenance", "sbom", "audit")


class Change(NamedTuple):
    """One difference, as a person would say it."""

    words: str
    weaker: bool = False


def compare_policies(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Return how `new` differs from `old`, what is weaker first."""
    changes = [*_thresholds(old, new), *_attestations(old, new), *_signers(old, new), *_others(old, new)]
    return tuple(sorted(changes, key=lambda change: not change.weaker))


def _thresholds(old: Policy, new: Policy) -> Iterator[Change]:
    for key, what in (("signers", "threshold"), ("openpgp", "OpenPGP threshold"), ("sigstore", "Sigstore threshold")):
        before, after = getattr(old.require, key), getattr(new.require, key)
        if before != after:
            verb = "lowered" if after < before else "raised"
            yield Change(f"{what} {verb} from {before} to {after}", after < before)
    if old.require.layout != new.require.layout:
        dropped = old.require.layout
        yield Change(f"a layout of the build is {'no longer' if dropped else 'now'} required", dropped)


def _attestations(old: Policy, new: Policy) -> Iterator[Change]:
    for key in _ATTESTATIONS:
        before: AttestationRequirement | None = getattr(old.require, key)
        after: AttestationRequirement | None = getattr(new.require, key)
        if before and after:
            yield from _attestation(key, before, after)
        elif before or after:
            yield Change(f"a {key} attestation is {'no longer' if before else 'now'} required", before is not None)


def _attestation(key: str, before: AttestationRequirement, after: AttestationRequirement) -> Iterator[Change]:
    for name in after.signers:
        if name not in before.signers:
            yield Change(f"{name} may now make the {key} attestation", True)
    for name in before.signers:
        if name not in after.signers:
            yield Change(f"{name} may no longer make the {key} attestation")
    if before.level != after.level:
        verb = "lowered" if after.level < before.level else "raised"
        yield Change(f"{key} level {verb} from {before.level} to {after.level}", after.level < before.level)
    if before.builder != after.builder:
        builder = after.builder.text if after.builder else "any"
        yield Change(f"builder of the {key} changed to {builder}", True)
    if before.max_age_days != after.max_age_days:
        later = after.max_age_days > before.max_age_days
        yield Change(f"{key} may be {after.max_age_days} days old, before {before.max_age_days}", later)


def _signers(old: Policy, new: Policy) -> Iterator[Change]:
    before, after = {s.name: s for s in old.signers}, {s.name: s for s in new.signers}
    for name, signer in after.items():
        if name not in before:
            yield Change(f"signer added: {name} ({_means(signer)})")
    for name, signer in before.items():
        if name not in after:
            yield Change(f"signer removed: {name} ({_means(signer)})")
        else:
            yield from _keys(name, signer, after[name])
            yield from _identities(name, signer, after[name])


def _keys(name: str, old: Signer, new: Signer) -> Iterator[Change]:
    before, after = {k.fingerprint: k for k in old.openpgp}, {k.fingerprint: k for k in new.openpgp}
    yield from (Change(f"key added for {name}: OpenPGP {key}") for key in after if key not in before)
    yield from (Change(f"key removed from {name}: OpenPGP {key}") for key in before if key not in after)
    for fingerprint in before.keys() & after.keys():
        was, now = before[fingerprint].until_version, after[fingerprint].until_version
        if was != now:
            longer = was is not None and (now is None or now > was)
            yield Change(f"key of {name} counts {_until(after[fingerprint])}: OpenPGP {fingerprint}", longer)


def _until(key: OpenPGPKey) -> str:
    return f"until version {key.until_version}" if key.until_version else "for every version"


def _identities(name: str, old: Signer, new: Signer) -> Iterator[Change]:
    before = {(i.identity.text, i.oidc_issuer): i for i in old.sigstore}
    after = {(i.identity.text, i.oidc_issuer): i for i in new.sigstore}
    for who, entry in after.items():
        if who not in before:
            yield Change(f"identity added for {name}: {say_identity(entry)}")
        elif set(before[who].claims) - set(entry.claims):
            yield Change(f"identity of {name} need no longer show all that it had to: {say_identity(entry)}", True)
        elif before[who] != entry:
            yield Change(f"identity of {name} must show more: {say_identity(entry)}")
    for who, entry in before.items():
        if who not in after:
            yield Change(f"identity removed from {name}: {say_identity(entry)}")


def _others(old: Policy, new: Policy) -> Iterator[Change]:
    if old.sigstore_root != new.sigstore_root:
        yield Change(f"root of trust of Sigstore changed from {old.sigstore_root} to {new.sigstore_root}", True)
    for evidence in PUBLISHABLE:
        if (needed := old.publishes(evidence)) != new.publishes(evidence):
            yield Change(f"{evidence} must {'no longer' if needed else 'now'} be there, or it was taken away", needed)
    for what, before, after in (
        ("repository", old.repository, new.repository),
        ("place of the artifacts", old.places.artifacts, new.places.artifacts),
        ("place of the evidence", old.places.evidence, new.places.evidence),
        ("tag", old.tag.text, new.tag.text),
        ("end", f"{old.expires:%Y-%m-%d}", f"{new.expires:%Y-%m-%d}"),
    ):
        if before != after:
            yield Change(f"{what} changed from {before} to {after}")


def _means(signer: Signer) -> str:
    keys = [f"OpenPGP {key.fingerprint}" for key in signer.openpgp]
    return "; ".join(keys + [f"Sigstore {say_identity(identity)}" for identity in signer.sigstore])


def say_identity(identity: SigstoreIdentity) -> str:
    """Name a Sigstore identity with its oidc issuer, never one without the other."""
    return f"{identity.identity.text}, as {identity.oidc_issuer} says"

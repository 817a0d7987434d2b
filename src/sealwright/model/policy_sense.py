"""What a policy may not be although each of its keys is well formed: to count somebody twice, or to be met by nothing.

Enters: the parts of a policy. Leaves: nothing, or a PolicyError. A mistake is told now, and not at the release.
"""

from sealwright.errors import PolicyError
from sealwright.model.policy import (
    ARTIFACT_SIGNATURES,
    CHECKSUMS_FILE,
    CHECKSUMS_SIGNATURE,
    PUBLISH_ATTESTATIONS,
    SIGSTORE_BUNDLES,
    AttestationRequirement,
    Requirements,
    Signer,
)

ATTESTATIONS = ("release", "provenance", "sbom", "audit")


def refuse_double_counting(signers: tuple[Signer, ...]) -> None:
    """One key, identity or name under two signers would let one person count twice."""
    seen: dict[object, str] = {}
    for signer in signers:
        marks: list[object] = [signer.name.casefold()]
        marks += [key.fingerprint for key in signer.openpgp]
        marks += [(entry.identity.text, entry.oidc_issuer) for entry in signer.sigstore]
        for mark in marks:
            if mark in seen:
                what = (
                    mark if isinstance(mark, str) else " from ".join(map(str, mark)) if isinstance(mark, tuple) else ""
                )
                raise PolicyError(
                    f"{what} is listed twice, for {seen[mark]} and for {signer.name}",
                    "A signer counts once: list each name, key and identity once.",
                )
            seen[mark] = signer.name


_MORE = {
    "signers": "`sealwright keys add FILE --signer NAME` lists another signer",
    "openpgp": "`sealwright keys add FILE --signer NAME` lists another signer's key",
    "sigstore": "list another signer's identity under [[signer.sigstore]]",
}
"""What makes more signers able to sign, for each threshold."""


def refuse_unreachable(require: Requirements, signers: tuple[Signer, ...]) -> None:
    """A threshold that nobody can meet is a mistake to be told now, not at the release."""
    if not signers:
        raise PolicyError(
            "the policy lists no signer, so no release can ever be trusted",
            "If it is yours: `sealwright keys new` makes a key and lists it, `sealwright keys add` lists one that is "
            "there; or list a workflow under [[signer.sigstore]].",
        )
    able = {
        "signers": len(signers),
        "openpgp": sum(1 for signer in signers if signer.openpgp),
        "sigstore": sum(1 for signer in signers if signer.sigstore),
    }
    for key, there in able.items():
        asked = getattr(require, key)
        if asked > there:
            raise PolicyError(
                f"require.{key} asks for {asked}, but only {there} of the listed signers could",
                f"If the policy is yours: {_MORE[key]}, or ask for fewer under [require].",
            )
    if require.layout and not able["openpgp"]:
        raise PolicyError(
            "require.layout asks for a layout, but no signer is listed who could sign one",
            "Layouts are signed with OpenPGP: list a [[signer.openpgp]].",
        )
    keyless = {signer.name for signer in signers if signer.sigstore}
    for key in ATTESTATIONS:
        requirement: AttestationRequirement | None = getattr(require, key)
        for name in requirement.signers if requirement else ():
            if name not in keyless:
                raise PolicyError(
                    f"require.{key}.signers names {name}, who is no signer with a Sigstore identity",
                    "Attestations are signed with Sigstore: list a [[signer.sigstore]] for that name.",
                )


def refuse_unfit_evidence(evidence: tuple[str, ...], require: Requirements, signers: tuple[Signer, ...]) -> None:
    """What is published must be enough for the thresholds, and be something that a listed signer could have made."""
    signed = [name for name in (CHECKSUMS_SIGNATURE, ARTIFACT_SIGNATURES) if name in evidence]
    keyless = [name for name in (SIGSTORE_BUNDLES, PUBLISH_ATTESTATIONS) if name in evidence]
    listed = CHECKSUMS_FILE in evidence
    covering = [name for name in signed if name == ARTIFACT_SIGNATURES or listed]
    if CHECKSUMS_SIGNATURE in signed and not listed:
        raise PolicyError(
            f"release.evidence names {CHECKSUMS_SIGNATURE} without {CHECKSUMS_FILE}, which it signs",
            f"Add {CHECKSUMS_FILE!r} to the list.",
        )
    for names, possible, what in (
        (signed, any(signer.openpgp for signer in signers), "an OpenPGP key"),
        (keyless, any(signer.sigstore for signer in signers), "a Sigstore identity"),
    ):
        if names and not possible:
            raise PolicyError(f"release.evidence names {names[0]}, and no signer has {what}")
    if require.openpgp and not covering:
        raise PolicyError(
            "require.openpgp asks for OpenPGP signers, and release.evidence names nothing that they sign",
            f"Add {ARTIFACT_SIGNATURES!r}, or {CHECKSUMS_FILE!r} and {CHECKSUMS_SIGNATURE!r}.",
        )
    if require.sigstore and not keyless and require.release is None:
        raise PolicyError(
            "require.sigstore asks for Sigstore signers, and release.evidence names nothing that they sign",
            f"Add {SIGSTORE_BUNDLES!r} or {PUBLISH_ATTESTATIONS!r}, or require a release attestation.",
        )
    if require.sigstore > 1 and keyless == [PUBLISH_ATTESTATIONS] and require.release is None:
        raise PolicyError(
            f"require.sigstore asks for {require.sigstore} signers, and {PUBLISH_ATTESTATIONS} have one: the publisher",
            f"Add {SIGSTORE_BUNDLES!r}, or lower require.sigstore.",
        )
    by_key, by_identity = bool(covering), bool(keyless) or require.release is not None
    able = sum(1 for one in signers if (one.openpgp and by_key) or (one.sigstore and by_identity))
    if require.signers > able:
        raise PolicyError(
            f"require.signers asks for {require.signers}, and only {able} sign something that release.evidence names"
        )

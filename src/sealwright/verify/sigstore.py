"""The Sigstore bundles of a release, held against the policy.

Enters: a `Release`, a `Policy`, a trusted root. Leaves: checks, and who signed which file. sigstore-python judges
each bundle (sealwright.verify.bundle); which identity counts for whom is decided here. Opens no connection.
"""

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from sealwright.errors import ExitCode
from sealwright.model.claims import CLAIMS, ClaimKind
from sealwright.model.evidence import SIGSTORE
from sealwright.model.policy import Policy, SigstoreIdentity, Template
from sealwright.model.release import Release, ReleaseFile, bundle_name, bundle_target
from sealwright.model.trusted_root import TrustedRootFile
from sealwright.model.verdict import Check, Outcome, Signed
from sealwright.verify.bundle import BadEvidenceError, open_verifier, read_bundle, verify_signature, words_of
from sealwright.verify.publisher import ThePublisher

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from packaging.version import Version
    from sigstore.verify import Verifier
    from sigstore.verify.policy import VerificationPolicy

_CLAUSE = "docs/policy.md#sigstore"
_EXPECTED = "a signature of these bytes by an identity of the policy"
_MOST_BUNDLES = 5_000
_MOST_PROBLEMS = 5


class SigstoreFindings(NamedTuple):
    """The checks, and the signatures that count."""

    checks: tuple[Check, ...]
    signed: tuple[Signed, ...]


class Entry(NamedTuple):
    """One identity of the policy for this version: whose it is, and what the certificate must say."""

    signer: str
    identity: str
    issuer: str
    who: "VerificationPolicy"
    claims: "tuple[VerificationPolicy, ...]"


def check_sigstore(
    release: Release, artifacts: tuple[str, ...], policy: Policy, version: "Version | None", root: TrustedRootFile
) -> SigstoreFindings:
    """Judge every Sigstore bundle over `artifacts` that the release holds, with `root` and nothing else.

    Without a `version` no identity can be expanded, so nothing counts. Raises UsageError if `root` is no trusted root.
    """
    bundles = bundles_of(release, artifacts)
    if not bundles:
        return SigstoreFindings((), ())
    if len(bundles) > _MOST_BUNDLES:
        got = f"{len(bundles):,} bundles; none was judged"
        return SigstoreFindings((_reported(release.folder, got),), ())
    verifier = open_verifier(root)
    entries = expand_identities(policy, str(version)) if version is not None else ()
    checks: list[Check] = []
    signed: list[Signed] = []
    for file, target in bundles:
        try:
            entry = _judge(verifier, file.content, target.sha256, entries)
        except BadEvidenceError as error:
            checks.append(_reported(file.name, str(error)))
            continue
        got = f"{entry.signer} ({entry.identity}, as {entry.issuer} says)"
        checks.append(Check("sigstore.signature", file.name, Outcome.PASS, _EXPECTED, got, _CLAUSE, ExitCode.DONE))
        signed.append(Signed(target.name, entry.signer, SIGSTORE, entry.identity))
    return SigstoreFindings(tuple(checks), tuple(signed))


def check_sigstore_evidence(artifacts: tuple[str, ...], findings: SigstoreFindings, release: Release) -> list[Check]:
    """Each artifact must have a bundle that counts, if the policy requires Sigstore."""
    counted = Counter(entry.target for entry in findings.signed)
    problems: dict[str, list[str]] = {}
    for check in findings.checks:
        if check.outcome is Outcome.FAIL:
            problems.setdefault(bundle_target(check.subject) or "", []).append(check.got)
    checks = []
    for name in artifacts:
        if release.file(bundle_name(name)) is None or release.file(name) is None:
            continue  # evidence.present says so
        wrong = "; ".join(problems.get(name, [])[:_MOST_PROBLEMS]) or "nothing that could be judged"
        outcome, got = (Outcome.PASS, f"{counted[name]} that count") if counted[name] else (Outcome.FAIL, wrong)
        subject = bundle_name(name)
        checks.append(Check("sigstore.evidence", subject, outcome, _EXPECTED, got, _CLAUSE, ExitCode.UNTRUSTED))
    return checks


def bundles_of(release: Release, artifacts: tuple[str, ...]) -> list[tuple[ReleaseFile, ReleaseFile]]:
    """Return each bundle over one of `artifacts` that the release holds, with what it should have signed."""
    found = []
    for file in release.files:
        target = bundle_target(file.name)
        artifact = release.file(target) if target in artifacts else None
        if artifact:
            found.append((file, artifact))
    return found


def _judge(verifier: "Verifier", content: bytes, sha256: str, entries: tuple[Entry, ...]) -> Entry:
    """Return whose signature of the artifact it is. Raises BadEvidenceError if it is none that counts."""
    listed = Listed(entries)
    verify_signature(verifier, read_bundle(content), sha256, listed)
    if listed.found is None:  # the library must have asked: a certificate that nobody asked about proves nothing
        raise BadEvidenceError("the certificate was not held against the policy")
    return listed.found


class Listed:
    """A sigstore policy: any one identity of the trust policy with all of its claims, remembered as `found`.

    The first that fits counts, so that one certificate never counts for two signers.
    """

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        """Take the identities that may have signed."""
        self._entries = entries
        self.found: Entry | None = None

    def verify(self, cert: "Certificate") -> None:
        """Raise sigstore's VerificationError unless the certificate is that of a listed identity."""
        from sigstore.errors import VerificationError

        wrong = f"by {_claimed(cert)}, which the policy does not list"
        for entry in self._entries:
            if other := objection(entry.who, cert):
                wrong = other if isinstance(entry.who, ThePublisher) else wrong
                continue
            objections = [text for claim in entry.claims if (text := objection(claim, cert))]
            if not objections:
                self.found = entry._replace(identity=_at_its_ref(entry))
                return
            wrong = f"by {entry.identity}, but {'; '.join(objections)}"
        raise VerificationError(wrong)


def _at_its_ref(entry: Entry) -> str:
    """The identity that has signed: of a publisher that was accepted on first use, with the ref of this release."""
    return entry.who.identity if isinstance(entry.who, ThePublisher) else entry.identity


def objection(policy: "VerificationPolicy", cert: "Certificate") -> str:
    """What one of the library's policies holds against a certificate; empty if nothing."""
    try:
        policy.verify(cert)
    except Exception as error:  # noqa: BLE001  a damaged extension makes the library throw more than it says
        return words_of(error)
    return ""


def _claimed(cert: "Certificate") -> str:
    """Name whose certificate it is, by its own account and its authority's."""
    from cryptography.x509 import ObjectIdentifier, RFC822Name, SubjectAlternativeName, UniformResourceIdentifier
    from cryptography.x509.extensions import ExtensionNotFound

    from sealwright.model.claims import FULCIO

    try:
        names = cert.extensions.get_extension_for_class(SubjectAlternativeName).value
        who = [*names.get_values_for_type(UniformResourceIdentifier), *names.get_values_for_type(RFC822Name)]
        issuer = cert.extensions.get_extension_for_oid(ObjectIdentifier(f"{FULCIO}1")).value.value  # type: ignore[attr-defined]
        return f"{', '.join(who)[:300]} (as {issuer.decode('utf-8', 'replace')[:300]} says)"
    except (ExtensionNotFound, ValueError, AttributeError):
        return "a certificate without an identity"


def expand_identities(policy: Policy, version: str) -> tuple[Entry, ...]:
    """Return every identity of the policy for one version, with its claims as policies of sigstore-python.

    An identity that two signers share in this version, in two spellings, is that of the first: it must not count twice.
    """
    entries = tuple(
        Entry(
            signer.name,
            identity.identity.expand(version),
            identity.oidc_issuer,
            _who(identity, version),
            tuple(claim_policy(kind, value.expand(version)) for kind, value in _asked(identity)),
        )
        for signer in policy.signers
        for identity in signer.sigstore
    ) + tuple(
        Entry(signer.name, signer.publisher.identity, signer.publisher.issuer, ThePublisher(signer.publisher), ())
        for signer in policy.signers
        if signer.publisher
    )
    holder: dict[tuple[str, str], str] = {}
    return tuple(e for e in entries if holder.setdefault((e.identity, e.issuer), e.signer) == e.signer)


def _who(identity: SigstoreIdentity, version: str) -> "VerificationPolicy":
    """Identity and oidc issuer, exactly, in a certificate that says nothing else about either."""
    from sigstore.verify.policy import AllOf, Identity

    expected = identity.identity.expand(version)
    return AllOf([Identity(identity=expected, issuer=identity.oidc_issuer), _Unambiguous(identity.oidc_issuer)])


class _Unambiguous:
    """A sigstore policy: one identity, as Fulcio's certificates have, and no second issuer beside the expected one.

    The library's Identity() takes any one of several names, and reads the older of the two issuer extensions alone.
    """

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def verify(self, cert: "Certificate") -> None:
        """Raise sigstore's VerificationError if the certificate could be read in two ways."""
        from cryptography.x509 import SubjectAlternativeName
        from sigstore.errors import VerificationError
        from sigstore.verify.policy import OIDCIssuerV2

        if len(list(cert.extensions.get_extension_for_class(SubjectAlternativeName).value)) != 1:
            raise VerificationError("a certificate with several identities")
        if any(extension.oid == OIDCIssuerV2.oid for extension in cert.extensions):
            OIDCIssuerV2(self._issuer).verify(cert)


def _asked(identity: SigstoreIdentity) -> list[tuple[ClaimKind, Template]]:
    kinds = {kind.key: kind for kind in CLAIMS}
    return [(kinds[claim.key], claim.value) for claim in identity.claims]


def claim_policy(kind: ClaimKind, value: str) -> "VerificationPolicy":
    """Return sigstore-python's policy for one claim; the class is called as Fulcio calls the extension."""
    from sigstore.verify import policy

    name = kind.name if kind.name.startswith("GitHub") else f"OIDC{kind.name}"
    found: VerificationPolicy = getattr(policy, name)(value)
    return found


def _reported(subject: str, got: str) -> Check:
    return Check("sigstore.signature", subject, Outcome.FAIL, _EXPECTED, got, _CLAUSE, ExitCode.DONE)

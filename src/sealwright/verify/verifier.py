"""The verification of a release: every check, in order, and the verdict they add up to.

Enters: a `Release` (private copies, hashed once), a `Policy` from elsewhere, the time. Leaves: a `Verdict`.
The policy says what must be there, never the release: deleting a file only ever removes a pass.
The rules this file keeps are in docs/threat-model.md.
"""

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sealwright.errors import ExitCode
from sealwright.files.threads import in_background
from sealwright.gnupg.home import GNUPG_HINT
from sealwright.model.artifact import ArtifactName, ArtifactNameError, looks_released, parse_artifact_name
from sealwright.model.evidence import required_kinds
from sealwright.model.policy import Policy
from sealwright.model.release import (
    CHECKSUMS,
    LAYOUT,
    OPENPGP_SUFFIX,
    Release,
    attestations_name,
    bundle_target,
    is_attestations,
    is_layout_evidence,
    is_openpgp_evidence,
)
from sealwright.model.trusted_root import RootInUse, TrustedRootFile, describe_root
from sealwright.model.verdict import Check, JudgedArtifact, Outcome, PolicyInUse, Signed, Verdict
from sealwright.verify.checksums import ChecksumLine, check_checksums
from sealwright.verify.metadata import check_metadata
from sealwright.verify.openpgp import check_evidence, check_openpgp
from sealwright.verify.thresholds import check_thresholds, coverage_of, vouching_of

if TYPE_CHECKING:
    from packaging.version import Version

_PLAIN_FILE = "a plain file, of a size and number that a release has"
_POLICY, _FORMATS = "docs/policy.md", "docs/formats.md"


class Trust(NamedTuple):
    """Where trust comes from: the policy, which one it is, the key files it names (by fingerprint), the Sigstore root.

    Without a `root`, no Sigstore evidence is judged; a policy that lists a Sigstore identity must come with one.
    """

    policy: Policy
    in_use: PolicyInUse
    keys: dict[str, bytes]
    root: TrustedRootFile | None = None


def verify(release: Release, trust: Trust, wanted: "Version | None", now: datetime, gpg: str | None) -> Verdict:
    """Judge a release at the time `now` (UTC); `wanted` is the version that was asked for, if any.

    Raises PolicyError and UndecidedError; what is wrong with the release itself is a failed check.
    """
    policy = trust.policy
    # 1. A policy that is past its time trusts nobody (an old one may list a key that was stolen since).
    checks = [_check_expiry(policy, now)]
    # 2. Nothing but plain files: a link or a FIFO could show each reader something else.
    checks += [
        _fail("release.entry", o.name, _PLAIN_FILE, o.what, _FORMATS, ExitCode.TAMPERED) for o in release.oddities
    ]
    # 3. The set of files and their bytes are those of SHA256SUMS; nothing added, deleted, renamed, changed.
    found, lines = check_checksums(release)
    checks += found
    # 4. One project, one version, and those that were asked for.
    names, found = _read_names(release, lines)
    checks += found
    version = _one_version(names)
    checks += _check_identity(names, policy, wanted, version)
    # 5. What the policy requires is there. Missing evidence fails: whoever deletes a signature must not gain by it.
    artifacts = tuple(name.file for name in names)
    checks += _check_present(release, policy, artifacts)
    # 6. Every signature, one by one: by GnuPG with the policy's keys alone, by sigstore-python with one root alone.
    signed, found, judged = _judge_signatures(release, artifacts, trust, version, now, gpg)
    checks += found
    # 7. The thresholds count distinct signers of the policy, each of whom covers every artifact.
    coverage = coverage_of(policy, release, lines, artifacts, signed)
    checks += check_thresholds(policy, release, coverage, artifacts, has_gpg=gpg is not None)
    # 8. Only what a listed signer vouched for is opened: project, version and their spelling inside the file.
    vouched = {name for entry in coverage for name in entry.artifacts}
    for name in names:
        file = release.file(name.file)
        if file and version is not None and name.file in vouched:
            checks.append(check_metadata(file, name, policy.project, version))
    # 9. The build, step by step, from source to these very artifacts, as the maintainers laid it out.
    if policy.require.layout:
        checks += _judge_layout(release, _judged(release, names), trust, version, now, gpg)
    # 10. What nobody looked at is named.
    checks += _not_checked(release, artifacts, judged | _laid_out(release, policy))
    return Verdict(
        project=policy.project,
        version=str(version or wanted or ""),
        folder=release.folder,
        policy=trust.in_use,
        artifacts=_judged(release, names),
        signers=vouching_of(coverage, artifacts),
        signers_required=policy.require.signers,
        checks=tuple(checks),
        root=_root_in_use(judged, trust.root, now),
    )


def _root_in_use(judged: frozenset[str], root: TrustedRootFile | None, now: datetime) -> RootInUse | None:
    """The trusted root, if it judged something; a rehearsal's in any case, so that no verdict hides what it is."""
    described = describe_root(root, now) if root else None
    return described if described and (described.sandbox or judged) else None


def _check_expiry(policy: Policy, now: datetime) -> Check:
    expected = "a policy that has not expired"
    if now < policy.expires:
        return _pass(
            "policy.expiry", "policy", expected, f"good until {policy.expires:%Y-%m-%d}", _POLICY, ExitCode.STALE
        )
    hint = "Get the project's current policy from where you got this one."
    got = f"it expired on {policy.expires:%Y-%m-%d}"
    return _fail("policy.expiry", "policy", expected, got, _POLICY, ExitCode.STALE, hint)


def _read_names(release: Release, lines: tuple[ChecksumLine, ...]) -> tuple[tuple[ArtifactName, ...], list[Check]]:
    """Take apart the name of everything that is, or claims to be, an artifact: on the disk, or in SHA256SUMS."""
    names, checks = [], []
    for file in sorted({line.name for line in lines} | {f.name for f in release.files if looks_released(f.name)}):
        try:
            names.append(parse_artifact_name(file))
        except ArtifactNameError as error:
            checks.append(
                _fail(
                    "release.name",
                    file,
                    "the name of a wheel, an sdist or an SBOM",
                    str(error),
                    _FORMATS,
                    ExitCode.TAMPERED,
                )
            )
    if not names:
        hint = "The folder should hold a wheel or an sdist, as sealwright seal writes them."
        checks.append(
            _fail(
                "release.artifacts", release.folder, "at least one artifact", "none", _FORMATS, ExitCode.MISSING, hint
            )
        )
    return tuple(names), checks


def _one_version(names: tuple[ArtifactName, ...]) -> "Version | None":
    """The one version of all names; two spellings of it (1.0 and 1.0.0) are two."""
    versions = {str(name.version): name.version for name in names}
    return next(iter(versions.values())) if len(versions) == 1 else None


def _check_identity(
    names: tuple[ArtifactName, ...], policy: Policy, wanted: "Version | None", version: "Version | None"
) -> list[Check]:
    """The names agree with the policy's project, with each other, and with the version that was asked for."""
    checks = [
        _fail("release.project", name.file, policy.project, name.project, _POLICY, ExitCode.TAMPERED)
        for name in names
        if name.project != policy.project
    ]
    if names and version is None:
        got = ", ".join(sorted({str(name.version) for name in names}))
        checks.append(_fail("release.version", "artifacts", "one version", got, _POLICY, ExitCode.TAMPERED))
    if wanted is not None and version is not None:
        # Version == Version, never a specifier: `==1.0` would contain 1.0+evil.
        made = _pass if version == wanted else _fail
        expected, got = f"version {wanted}, as asked for", f"this is version {version}"
        hint = "Ask for the version you mean, or fetch that one."
        checks.append(made("release.version", "artifacts", expected, got, _POLICY, ExitCode.TAMPERED, hint))
    return checks


def _check_present(release: Release, policy: Policy, artifacts: tuple[str, ...]) -> list[Check]:
    unfit = {oddity.name for oddity in release.oddities}  # release.entry says what is wrong with those
    hint = "Fetch the whole release again; if it is not there either, do not trust it."
    checks = []
    for kind in required_kinds(policy):
        expected = f"a file that the policy requires ({kind.id})"
        for name in kind.files(artifacts):
            if release.file(name) is not None:
                checks.append(_pass("evidence.present", name, expected, "there", _POLICY, ExitCode.MISSING))
            elif name not in unfit:
                checks.append(_fail("evidence.present", name, expected, "missing", _POLICY, ExitCode.MISSING, hint))
    return checks


def _judge_signatures(
    release: Release, artifacts: tuple[str, ...], trust: Trust, version: "Version | None", now: datetime,
    gpg: str | None,
) -> tuple[tuple[Signed, ...], list[Check], frozenset[str]]:  # fmt: skip
    """Judge both kinds of signature at the same time: gpg in processes of its own, sigstore-python here.

    A policy without a Sigstore identity never has sigstore-python loaded; bundles that are there are then not checked.
    Return also the names of the files that were judged with the trusted root.
    """
    targets = (CHECKSUMS, *artifacts)
    if trust.root is None:
        return *_judge_openpgp(release, targets, trust, version, now, gpg), frozenset()
    from sealwright.verify.keyless import check_keyless

    with in_background(lambda: _judge_openpgp(release, targets, trust, version, now, gpg)) as openpgp:
        keyless = check_keyless(release, artifacts, trust.policy, version, trust.root)
        by_key, checks = openpgp()
    return by_key + keyless.signed, [*checks, *keyless.checks], keyless.judged


def _judge_openpgp(
    release: Release, targets: tuple[str, ...], trust: Trust, version: "Version | None", now: datetime, gpg: str | None
) -> tuple[tuple[Signed, ...], list[Check]]:
    """Without gpg nothing is decided about signatures; the thresholds then say what that costs."""
    policy = trust.policy
    if gpg is None:
        expected, got = "GnuPG to check signatures with", "not found"
        code, unknown = ExitCode.UNDECIDED, Outcome.UNDECIDED
        check = Check("openpgp.available", "gpg", unknown, expected, got, _POLICY, code, GNUPG_HINT)
        return (), [check] if policy.require.openpgp else []
    findings = check_openpgp(release, targets, policy, trust.keys, version, now, gpg)
    checks = list(findings.checks)
    if policy.require.openpgp:
        checks += check_evidence(targets, findings, release)
    return findings.signed, checks


def _judge_layout(
    release: Release, artifacts: tuple[JudgedArtifact, ...], trust: Trust, version: "Version | None", now: datetime,
    gpg: str | None,
) -> tuple[Check, ...]:  # fmt: skip
    layout = release.file(LAYOUT)
    if layout is None:
        return ()  # evidence.present, or release.entry, says so
    from sealwright.verify.layout import LayoutEvidence, check_layout

    links = {f.name: f.content for f in release.files if is_layout_evidence(f.name) and f.name != LAYOUT}
    return check_layout(LayoutEvidence(layout.content, links), artifacts, trust.policy, trust.keys, version, now, gpg)


def _laid_out(release: Release, policy: Policy) -> frozenset[str]:
    """The layout and its links, if they were judged."""
    there = policy.require.layout and release.file(LAYOUT) is not None
    return frozenset(file.name for file in release.files if there and is_layout_evidence(file.name))


def _not_checked(release: Release, artifacts: tuple[str, ...], others: frozenset[str]) -> list[Check]:
    """Name what nobody looked at, so that nobody believes it was."""
    judged = {CHECKSUMS, *artifacts, *(name + OPENPGP_SUFFIX for name in (CHECKSUMS, *artifacts)), *others}
    checks = []
    for name in sorted([file.name for file in release.files] + list(release.uncovered)):
        if name not in judged and not looks_released(name):
            expected, got = _why_not_checked(name, artifacts)
            checks.append(Check("release.uncovered", name, Outcome.NOT_CHECKED, expected, got, _FORMATS, ExitCode.DONE))
    return checks


def _why_not_checked(name: str, artifacts: tuple[str, ...]) -> tuple[str, str]:
    if bundle_target(name) in artifacts:
        return "evidence", "a Sigstore bundle, and the policy lists no Sigstore identity"
    if is_layout_evidence(name):
        return "evidence", "of a build's steps, and the policy requires no layout"
    if name == attestations_name(artifacts):
        return "evidence", "attestations, and the policy lists no Sigstore identity"
    if is_openpgp_evidence(name) or bundle_target(name) or is_attestations(name):
        return "evidence", "evidence of nothing that is released here"
    return "covered", "neither an artifact nor evidence; covered by no signature"


def _judged(release: Release, names: tuple[ArtifactName, ...]) -> tuple[JudgedArtifact, ...]:
    there = ((name, release.file(name.file)) for name in names)
    return tuple(JudgedArtifact(name.file, name.kind.value, file.sha256, file.size) for name, file in there if file)


def _pass(check_id: str, subject: str, expected: str, got: str, clause: str, costs: ExitCode, hint: str = "") -> Check:
    return Check(check_id, subject, Outcome.PASS, expected, got, clause, costs)


def _fail(check_id: str, subject: str, expected: str, got: str, clause: str, costs: ExitCode, hint: str = "") -> Check:
    return Check(check_id, subject, Outcome.FAIL, expected, got, clause, costs, hint)

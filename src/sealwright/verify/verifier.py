"""The verification of a release: every check, in order, and the verdict they add up to.

Enters: a `Release` (private copies, hashed once), a `Policy` from elsewhere, the time. Leaves: a `Verdict`.
The policy says what must be there, never the release: deleting a file only ever removes a pass.
The rules this file keeps are in docs/threat-model.md.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING

from sealwright.errors import ExitCode
from sealwright.gnupg.home import GNUPG_HINT
from sealwright.model.artifact import ArtifactName, looks_released
from sealwright.model.evidence import OPENPGP, required_kinds, signed_targets
from sealwright.model.policy import Policy
from sealwright.model.release import CHECKSUMS, LAYOUT, Release, is_layout_evidence
from sealwright.model.trust import Trust
from sealwright.model.trusted_root import RootInUse, TrustedRootFile, describe_root
from sealwright.model.verdict import Check, JudgedArtifact, Outcome, Signed, Verdict
from sealwright.model.withdrawal import WITHDRAWN
from sealwright.verify.checksums import check_checksums
from sealwright.verify.identity import check_identity, one_version, read_names
from sealwright.verify.openpgp import OpenPGPFindings, Weigh, check_evidence, judge_openpgp
from sealwright.verify.policy_keys import Bench, prepare_gpg
from sealwright.verify.presence import check_present, name_lacking, name_not_checked
from sealwright.verify.thresholds import Coverage, check_thresholds, coverage_of, vouching_of

if TYPE_CHECKING:
    from packaging.version import Version

    from sealwright.verify.withdrawn import WithdrawnFindings

_PLAIN_FILE = "a plain file, of a size and number that a release has"
_POLICY, _FORMATS = "docs/policy.md", "docs/formats.md"


def verify(release: Release, trust: Trust, wanted: "Version | None", now: datetime, gpg: str | None) -> Verdict:
    """Judge a release at the time `now` (UTC); `wanted` is the version that was asked for, if any.

    Raises PolicyError and UndecidedError; what is wrong with the release itself is a failed check.
    """
    with prepare_gpg(trust, now, gpg) as bench:
        return verify_with(bench, release, trust, lambda: wanted, now)


def verify_with(
    bench: Bench | None, release: Release, trust: Trust, wanted: Callable[[], "Version | None"], now: datetime
) -> Verdict:
    """Do what `verify` does, with what `prepare_gpg` has prepared for the same policy and time.

    `wanted` is asked when gpg is at work: to make a `Version`, packaging has to be loaded.
    """
    # Of names that are not taken apart yet: any of them could turn out to be an artifact's.
    targets = (CHECKSUMS, *sorted(file.name for file in release.files if looks_released(file.name)))
    with judge_openpgp(release, targets, bench) if bench else nullcontext(_nothing) as weigh:
        return _verify(release, trust, wanted(), now, bench.home.program if bench else None, weigh)


def _nothing(targets: tuple[str, ...], version: "Version | None") -> OpenPGPFindings:
    return OpenPGPFindings((), ())


def _verify(
    release: Release, trust: Trust, wanted: "Version | None", now: datetime, gpg: str | None, weigh: Weigh
) -> Verdict:
    """Make every check, while gpg judges; `weigh` waits for what it says."""
    policy = trust.policy
    # 1. A policy that is past its time trusts nobody (an old one may list a key that was stolen since).
    checks = [_check_expiry(policy, now)]
    # 2. Nothing but plain files: a link or a FIFO could show each reader something else.
    checks += [
        Check("release.entry", o.name, Outcome.FAIL, _PLAIN_FILE, o.what, _FORMATS, ExitCode.TAMPERED)
        for o in release.oddities
    ]
    # Where it was fetched from: what places say and send agrees, and nothing was called back.
    checks += _check_places(release)
    # 3. The set of files and their bytes are those of SHA256SUMS; nothing added, deleted, renamed, changed.
    found, lines = check_checksums(release)
    checks += found
    # 4. One project, one version, and those that were asked for.
    names, found = read_names(release, lines)
    checks += found
    version = one_version(names)
    checks += check_identity(names, policy, wanted, version)
    # 5. What the policy requires is there. Missing evidence fails: whoever deletes a signature must not gain by it.
    artifacts = tuple(name.file for name in names if not release.is_left(name.file))
    checks += check_present(release, policy, artifacts)
    # 6. Every signature, one by one: by GnuPG with the policy's keys alone, by sigstore-python with one root alone.
    by_identity, of_keyless, judged = _judge_keyless(release, artifacts, trust, version)
    early = weigh((CHECKSUMS,), version).signed  # what it vouches for can be opened (8) while gpg judges the rest
    inside = _look_inside(release, names, policy, version, coverage_of(policy, release, lines, artifacts, early))
    by_key, of_keys = _judge_openpgp(release, artifacts, policy, version, gpg, weigh)
    signed = by_key + by_identity
    checks += [*of_keys, *of_keyless]
    # 7. The thresholds count distinct signers of the policy, each of whom covers every artifact.
    coverage = coverage_of(policy, release, lines, artifacts, signed)
    checks += check_thresholds(policy, release, coverage, artifacts, has_gpg=gpg is not None)
    # 8. Only what a listed signer vouched for is opened: project, version and their spelling inside the file.
    inside |= _look_inside(release, [n for n in names if n.file not in inside], policy, version, coverage)
    checks += [inside[name] for name in artifacts if name in inside]
    checks += _look_at_names(release, names, policy, version, coverage)
    # 9. The build, step by step, from source to these very artifacts, as the maintainers laid it out.
    if policy.require.layout:
        checks += _judge_layout(release, _judged(release, names), trust, version, now, gpg)
    # 10. What nobody looked at is named.
    checks += name_lacking(release, policy, artifacts)
    checks += name_not_checked(release, artifacts, policy, judged | _laid_out(release, policy) | {WITHDRAWN})
    # 11. What the project itself has called back; nobody can take that back by leaving a file out.
    withdrawn = _judge_withdrawn(release, trust, version or wanted, now, gpg)
    checks += withdrawn.checks if withdrawn else ()
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
        places=release.fetched.places if release.fetched else (),
        withdrawals=withdrawn.found if withdrawn else (),
    )


def _root_in_use(judged: frozenset[str], root: TrustedRootFile | None, now: datetime) -> RootInUse | None:
    """The trusted root, if it judged something; a rehearsal's in any case, so that no verdict hides what it is."""
    described = describe_root(root, now) if root else None
    return described if described and (described.sandbox or judged) else None


def _check_expiry(policy: Policy, now: datetime) -> Check:
    expired = now >= policy.expires
    outcome, said = (Outcome.FAIL, "it expired on") if expired else (Outcome.PASS, "good until")
    hint = "Get the project's current policy from where you got this one." if expired else ""
    got, expected = f"{said} {policy.expires:%Y-%m-%d}", "a policy that has not expired"
    return Check("policy.expiry", "policy", outcome, expected, got, _POLICY, ExitCode.STALE, hint)


def _check_places(release: Release) -> list[Check]:
    if release.fetched is None:
        return []
    from sealwright.verify.places import check_places

    return check_places(release)


def _judge_keyless(
    release: Release, artifacts: tuple[str, ...], trust: Trust, version: "Version | None"
) -> tuple[tuple[Signed, ...], tuple[Check, ...], frozenset[str]]:
    """Judge what is signed with Sigstore. Return also the names of the files that were judged with the trusted root.

    A policy without a Sigstore identity never has sigstore-python loaded; bundles that are there are then not checked.
    """
    if trust.root is None:
        return (), (), frozenset()
    from sealwright.verify.keyless import check_keyless

    found = check_keyless(release, artifacts, trust.policy, version, trust.root)
    return found.signed, found.checks, found.judged


def _judge_openpgp(
    release: Release, artifacts: tuple[str, ...], policy: Policy, version: "Version | None", gpg: str | None,
    weigh: Weigh,
) -> tuple[tuple[Signed, ...], list[Check]]:  # fmt: skip
    """Without gpg nothing is decided about signatures; the thresholds then say what that costs."""
    if gpg is None:
        expected, got = "GnuPG to check signatures with", "not found"
        code, unknown = ExitCode.UNDECIDED, Outcome.UNDECIDED
        check = Check("openpgp.available", "gpg", unknown, expected, got, _POLICY, code, GNUPG_HINT)
        return (), [check] if _asks_for_openpgp(policy) else []
    targets = (CHECKSUMS, *artifacts)
    findings = weigh(targets, version)
    checks = list(findings.checks)
    checks += check_evidence(signed_targets(policy, targets[1:]), findings, release)
    return findings.signed, checks


def _look_inside(
    release: Release, names: Iterable[ArtifactName], policy: Policy, version: "Version | None",
    coverage: tuple[Coverage, ...],
) -> dict[str, Check]:  # fmt: skip
    """Check, by name, what the artifacts that a listed signer vouched for say inside that they are."""
    from sealwright.verify.metadata import check_metadata  # it loads zipfile; gpg is at work meanwhile

    vouched = {name for entry in coverage for name in entry.artifacts}
    there = [(name, release.file(name.file)) for name in names if name.file in vouched]
    return {
        name.file: check_metadata(file, name, policy.project, version)
        for name, file in there
        if file and version is not None
    }


def _look_at_names(
    release: Release, names: Iterable[ArtifactName], policy: Policy, version: "Version | None",
    coverage: tuple[Coverage, ...],
) -> list[Check]:  # fmt: skip
    """Check what is said of artifacts elsewhere than inside them: what an index states of the metadata, and names.

    A wheel's name says where it is installed, an SBOM's of what it is; a signature of bytes alone binds neither.
    """
    from sealwright.verify.metadata import check_name

    vouched = {name for entry in coverage for name in entry.artifacts}
    checks: list[Check] = []
    for name in names:
        file = release.file(name.file)
        if file is None or name.file not in vouched:
            continue
        if release.fetched:
            from sealwright.verify.places import check_stated_metadata

            checks += check_stated_metadata(release, file, name)
        if sum(name.file in entry.named for entry in coverage) < policy.require.signers:
            checks += check_name(file, name, policy.project, version)
    return checks


def _asks_for_openpgp(policy: Policy) -> bool:
    return any(kind.id == OPENPGP for kind in required_kinds(policy))


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


def _judge_withdrawn(
    release: Release, trust: Trust, version: "Version | None", now: datetime, gpg: str | None
) -> "WithdrawnFindings | None":
    """Judge what is said to be called back: beside the policy, in each place of the release, and found before."""
    offered = [("beside the policy", trust.withdrawn)] if trust.withdrawn else []
    if release.fetched:
        offered += [(f"of {place}", content) for place, content in release.fetched.withdrawn]
    elif beside := release.file(WITHDRAWN):
        offered += [("in the release", beside.content)]
    if not trust.remembered and not offered:
        return None
    from sealwright.verify.withdrawn import WithdrawalJudge, check_withdrawn

    judge = WithdrawalJudge(trust.policy, trust.keys, trust.root, now, gpg)
    return check_withdrawn(offered, judge, trust.remembered, version)


def _laid_out(release: Release, policy: Policy) -> frozenset[str]:
    """The layout and its links, if they were judged."""
    there = policy.require.layout and release.file(LAYOUT) is not None
    return frozenset(file.name for file in release.files if there and is_layout_evidence(file.name))


def _judged(release: Release, names: tuple[ArtifactName, ...]) -> tuple[JudgedArtifact, ...]:
    there = ((name, release.file(name.file)) for name in names)
    return tuple(JudgedArtifact(name.file, name.kind.value, file.sha256, file.size) for name, file in there if file)

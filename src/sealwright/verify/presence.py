"""What must be there and what is; what a project does not publish, and what nobody looked at.

Enters: a `Release`, a `Policy`. Leaves: checks. Opens nothing.
"""

from sealwright.errors import ExitCode
from sealwright.model.artifact import looks_released
from sealwright.model.evidence import LACKING, PUBLISH, required_kinds
from sealwright.model.policy import CHECKSUMS_FILE, CHECKSUMS_SIGNATURE, PUBLISH_ATTESTATIONS, Policy
from sealwright.model.release import (
    CHECKSUMS,
    OPENPGP_SUFFIX,
    Release,
    attestations_name,
    bundle_target,
    is_attestations,
    is_layout_evidence,
    is_openpgp_evidence,
    publish_target,
)
from sealwright.model.verdict import COVERED, UNCOVERED, Check, Outcome

_POLICY, _FORMATS = "docs/policy.md", "docs/formats.md"


def check_present(release: Release, policy: Policy, artifacts: tuple[str, ...]) -> list[Check]:
    """Each file that the policy requires is there: of several names for it, under any one."""
    unfit = {oddity.name for oddity in release.oddities}  # release.entry says what is wrong with those
    checks = []
    for kind in required_kinds(policy):
        for names in kind.files(policy, artifacts):
            there = [name for name in names if release.file(name) is not None]
            if there or not unfit.intersection(names):
                checks.append(
                    _presence(kind.id, names[0], there, of_index=kind.id != PUBLISH and _is_of_index(release))
                )
    return checks


def _is_of_index(release: Release) -> bool:
    """Tell whether only indexes were asked for it; one file that somebody has is no place to ask."""
    places = release.fetched.places[release.is_part :] if release.fetched else ()
    return bool(places) and all(place.partition(":")[0] == "index" for place in places)


def _presence(kind: str, name: str, there: list[str], *, of_index: bool) -> Check:
    expected, costs = f"a file that the policy requires ({kind})", ExitCode.MISSING
    if there:
        return Check("evidence.present", there[0], Outcome.PASS, expected, "there", _POLICY, costs)
    hint = "Fetch the whole release again; if it is not there either, do not trust it."
    if of_index:
        hint = (
            "No index takes it: ask the project where its evidence lies, and name that with --evidence-from or --from."
        )
    return Check("evidence.present", name, Outcome.FAIL, expected, "missing", _POLICY, costs, hint)


def name_lacking(release: Release, policy: Policy, artifacts: tuple[str, ...]) -> list[Check]:
    """Name what a project says that it does not publish, so that nobody believes it was checked."""
    if policy.evidence is None:
        return []
    checks = []
    for evidence, (subjects, without) in LACKING.items():
        if evidence == CHECKSUMS_SIGNATURE and not policy.publishes(CHECKSUMS_FILE):
            continue  # of what is not there
        there = [
            name.replace("FILE", artifact) for name in subjects for artifact in (artifacts if "FILE" in name else ("",))
        ]
        if not policy.publishes(evidence) and not any(release.file(name) for name in there):
            expected = "evidence that the project does not publish, as its policy says"
            unknown = Outcome.NOT_CHECKED
            checks.append(Check("evidence.lacking", subjects[0], unknown, expected, without, _POLICY, ExitCode.DONE))
    return checks


def name_not_checked(
    release: Release, artifacts: tuple[str, ...], policy: Policy, others: frozenset[str]
) -> list[Check]:
    """Name what nobody looked at, so that nobody believes it was."""
    judged = {CHECKSUMS, *artifacts, *(name + OPENPGP_SUFFIX for name in (CHECKSUMS, *artifacts)), *others}
    checks = []
    for name in sorted([file.name for file in release.files] + list(release.uncovered)):
        if name not in judged and not looks_released(name):
            expected, got = _why_not_checked(name, artifacts, policy)
            checks.append(Check(UNCOVERED, name, Outcome.NOT_CHECKED, expected, got, _FORMATS, ExitCode.DONE))
    return checks


def _why_not_checked(name: str, artifacts: tuple[str, ...], policy: Policy) -> tuple[str, str]:
    if bundle_target(name) in artifacts:
        return "evidence", "a Sigstore bundle, and the policy lists no Sigstore identity"
    if is_layout_evidence(name):
        return "evidence", "of a build's steps, and the policy requires no layout"
    if name == attestations_name(artifacts):
        return "evidence", "attestations, and the policy lists no Sigstore identity"
    if publish_target(name) in artifacts and not policy.publishes(PUBLISH_ATTESTATIONS):
        return "evidence", "for the index; the policy does not say that it is published with the release"
    if publish_target(name) or is_openpgp_evidence(name) or bundle_target(name) or is_attestations(name):
        return "evidence", "evidence of nothing that is released here"
    return COVERED, "neither an artifact nor evidence; covered by no signature"

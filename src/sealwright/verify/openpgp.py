"""The OpenPGP evidence of a release, held against the policy.

Enters: a `Release`, a `Policy`, and the public keys that the policy names. Leaves: checks, and who signed which
file. GnuPG judges each signature (signature_status); what counts for whom is decided here.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sealwright.errors import ExitCode
from sealwright.gnupg.listing import UNUSABLE, Key
from sealwright.model.evidence import OPENPGP
from sealwright.model.policy import OpenPGPKey, Policy, Signer
from sealwright.model.record import Record
from sealwright.model.release import CHECKSUMS, OPENPGP_SUFFIX, Release, ReleaseFile
from sealwright.model.verdict import Check, Outcome, Signed
from sealwright.verify.armor import Malformed, SignaturePacket, split_signatures
from sealwright.verify.policy_keys import Bench, open_bench
from sealwright.verify.signature_status import EXPIRED, Finding, Request, start_judging

if TYPE_CHECKING:
    from packaging.version import Version

_CLAUSE = "docs/policy.md#openpgp"
_EXPECTED = "a signature of these bytes by a key of the policy"
_EXTEND = (
    "Once the project extends the key (sealwright keys extend), it counts again: ask for its present trust folder."
)
_CLOCK_SKEW = timedelta(minutes=5)
_RSA, _DSA, _ELLIPTIC = (1, 3), (17,), (19, 22, 27, 28)
_MIN_BITS = 2048
_MOST_SIGNATURES = 5_000
_MOST_PROBLEMS = 5


class OpenPGPFindings(Record):
    """The checks, and the signatures that count."""

    checks: tuple[Check, ...]
    signed: tuple[Signed, ...]


class _Candidate(Record):
    subject: str
    target: ReleaseFile
    content: SignaturePacket | Malformed


Weigh = Callable[[tuple[str, ...], "Version | None"], OpenPGPFindings]
"""Waits until gpg has judged the signatures of these targets, and weighs them by the policy for this version.

Raises PolicyError if a key file is not what the policy says it is, and UndecidedError if gpg cannot be run.
"""


@contextlib.contextmanager
def judge_openpgp(release: Release, targets: tuple[str, ...], bench: Bench) -> Iterator[Weigh]:
    """Let gpg judge every signature over `targets` that the release holds, beside the body. Raises as `Weigh` does.

    The signatures of SHA256SUMS have a process of their own, so that what they say of all artifacts is known while
    the others are judged.
    """
    candidates: list[_Candidate] = []
    for name in targets:
        candidates += _candidates(release, name)
        if len(candidates) > _MOST_SIGNATURES:
            too_many = _reported(release.folder, f"more than {_MOST_SIGNATURES:,} signatures; none was judged")
            yield lambda targets, version: OpenPGPFindings((too_many,), ())  # noqa: B023  the loop ends here
            return
    known = bench.filled()
    packets = [c for c in candidates if isinstance(c.content, SignaturePacket)]
    sums = [c for c in packets if c.target.name == CHECKSUMS]
    others = [c for c in packets if c.target.name != CHECKSUMS]
    with (  # in the order in which they are waited for
        _start_judging(bench, sums) as of_sums,
        _start_judging(bench, others) as of_others,
    ):

        def weigh(targets: tuple[str, ...], version: "Version | None") -> OpenPGPFindings:
            keys_there = known()  # first: no answer counts before the key files are what the policy says
            wanted = frozenset(targets)
            asked = [c for c in candidates if c.target.name in wanted]
            checks = [_malformed(c.subject, c.content) for c in asked if isinstance(c.content, Malformed)]
            signed: list[Signed] = []
            for candidate, finding in of_sums() + (of_others() if wanted - {CHECKSUMS} else []):
                if candidate.target.name in wanted:
                    check, counted = _weigh(candidate, finding, bench.policy, keys_there, version, bench.now)
                    checks.append(check)
                    signed += [counted] if counted else []
            return OpenPGPFindings(tuple(checks), tuple(signed))

        yield weigh


def check_openpgp(
    release: Release, targets: tuple[str, ...], policy: Policy, keys: dict[str, bytes], version: "Version | None",
    now: datetime, gpg: str,
) -> OpenPGPFindings:  # fmt: skip
    """Judge every signature over `targets` that the release holds, and weigh it. Raises as `Weigh` does."""
    with open_bench(policy, keys, now, gpg) as bench, judge_openpgp(release, targets, bench) as weigh:
        return weigh(targets, version)


@contextlib.contextmanager
def _start_judging(
    bench: Bench, candidates: list[_Candidate]
) -> Iterator[Callable[[], list[tuple[_Candidate, Finding]]]]:
    packets = [(c.content.packet, c.target.path) for c in candidates if isinstance(c.content, SignaturePacket)]
    if not packets:
        yield list
        return
    with start_judging(bench.home, [Request(*each) for each in packets], bench.now) as findings:
        yield lambda: list(zip(candidates, findings(), strict=True))  # each candidate here is a packet


def check_evidence(targets: tuple[str, ...], findings: OpenPGPFindings, release: Release) -> list[Check]:
    """Each signature file that the policy requires must hold a signature that counts."""
    checks = []
    counted = Counter(entry.target for entry in findings.signed)
    problems: dict[str, list[Check]] = {}
    for check in findings.checks:
        problems.setdefault(check.subject.split(" #")[0], []).append(check)
    for name in targets:
        file = name + OPENPGP_SUFFIX
        if release.file(file) is None or release.file(name) is None:
            continue  # evidence.present says so
        good = counted[name]
        found = problems.get(file, [])[:_MOST_PROBLEMS]
        wrong = "; ".join(check.got for check in found)
        got = f"{good} that count" if good else wrong or "nothing that could be judged"
        hint = "" if good else next((check.hint for check in found if check.hint), "")
        outcome = Outcome.PASS if good else Outcome.FAIL
        checks.append(Check("openpgp.evidence", file, outcome, _EXPECTED, got, _CLAUSE, ExitCode.UNTRUSTED, hint))
    return checks


def _candidates(release: Release, name: str) -> list[_Candidate]:
    target, file = release.file(name), release.file(name + OPENPGP_SUFFIX)
    if target is None or file is None:
        return []
    contents = split_signatures(file.content)
    if len(contents) == 1:
        return [_Candidate(file.name, target, contents[0])]
    return [_Candidate(f"{file.name} #{number}", target, content) for number, content in enumerate(contents, 1)]


def _malformed(subject: str, content: Malformed) -> Check:
    return _reported(subject, content.reason, "Only armored detached signatures count (gpg --armor --detach-sign).")


def _weigh(
    candidate: _Candidate,
    finding: Finding,
    policy: Policy,
    known: dict[str, Key],
    version: "Version | None",
    now: datetime,
) -> tuple[Check, Signed | None]:
    """Decide whether a signature counts, and for whom."""
    signer, problem = signer_behind(finding, policy, known, version, now)
    if signer is None:
        return _reported(candidate.subject, problem, _EXTEND if finding.problem == EXPIRED else ""), None
    got = f"{signer.name} ({finding.primary})"
    check = Check("openpgp.signature", candidate.subject, Outcome.PASS, _EXPECTED, got, _CLAUSE, ExitCode.DONE)
    return check, Signed(candidate.target.name, signer.name, OPENPGP, finding.primary)


def signer_behind(
    finding: Finding, policy: Policy, known: dict[str, Key], version: "Version | None", now: datetime
) -> tuple[Signer | None, str]:
    """Return for whom a signature that gpg has judged counts, or None and what speaks against it.

    `known` are the keys that `import_keys` returned.
    """
    signer = policy.signer_of_key(finding.primary) if finding.primary else None
    problem = finding.problem or _objection(finding, policy, known, version, now)
    if problem or signer is None:
        return None, (problem or "by a key that the policy does not list") + _claim(finding, policy, known)
    return signer, ""


def _claim(finding: Finding, policy: Policy, known: dict[str, Key]) -> str:
    """Say whose the signature claims to be; where only a key id is claimed, among the keys of the policy."""
    keys = [key for fingerprint, key in known.items() if finding.claimed and fingerprint.endswith(finding.claimed)]
    signer = policy.signer_of_key(keys[0].primary) if len(keys) == 1 else None
    if signer:
        return f" (claims to be {signer.name}, {keys[0].primary})"
    return f" (claims to be {finding.claimed})" if finding.claimed else ""


def _reported(subject: str, got: str, hint: str = "") -> Check:
    return Check("openpgp.signature", subject, Outcome.FAIL, _EXPECTED, got, _CLAUSE, ExitCode.DONE, hint)


def _objection(
    finding: Finding, policy: Policy, known: dict[str, Key], version: "Version | None", now: datetime
) -> str:
    """What the policy holds against a signature that gpg finds right; empty if nothing."""
    signing, primary = known.get(finding.signing), known.get(finding.primary)
    if signing is None or primary is None or signing.primary != primary.fingerprint:
        return "by a key that is not in the trust folder"
    if finding.made is None or finding.made > now + _CLOCK_SKEW:
        return "made in the future, by its own account"
    for key in (primary, signing):  # a weak primary key could have certified anybody's subkey
        if weak := weakness(key):
            return weak
    entry = next(key for key in policy.openpgp_keys() if key.fingerprint == primary.fingerprint)
    if finding.revoked and (grave := _grave_revocation(entry, primary, signing)):
        return grave
    if not finding.revoked and any(key.revocations or key.usable in UNUSABLE for key in (primary, signing)):
        return "the key is revoked, expired or invalid"
    if entry.until_version is not None and (version is None or version > entry.until_version):
        return f"the key counts only until version {entry.until_version}"
    return ""


def weakness(key: Key) -> str:
    """Say why no signature by a key of that kind counts; empty if its kind is strong enough."""
    if key.algorithm in _ELLIPTIC:
        return ""
    if key.algorithm in _RSA + _DSA:
        return "" if key.bits >= _MIN_BITS else f"a key of {key.bits} bits is too weak; {_MIN_BITS} are required"
    return f"a key of algorithm {key.algorithm} does not count"


def _grave_revocation(entry: OpenPGPKey, primary: Key, signing: Key) -> str:
    """Only a key that was superseded or retired, and has an until-version, is still worth something."""
    revoked = [key for key in (primary, signing) if key.revocations]
    if not revoked or not all(key.gently_revoked for key in revoked):
        reasons = sorted({reason.name.lower().replace("_", " ") for key in revoked for reason in key.revocations})
        return f"the key was revoked ({', '.join(reasons) or 'reason unknown'})"
    if entry.until_version is None:
        return "the key was revoked as superseded or retired, and the policy gives it no until-version"
    return ""

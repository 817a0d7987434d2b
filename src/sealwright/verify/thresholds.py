"""Who covers what, and whether that is enough: the checks without which no verdict passes.

Enters: the signatures that count, whatever kind they are. Leaves: coverage, and one check for each threshold. A signer
counts once, with all of their keys and identities together.
"""

from typing import NamedTuple

from sealwright.errors import ExitCode
from sealwright.model.evidence import OPENPGP, SIGSTORE
from sealwright.model.policy import Policy
from sealwright.model.release import CHECKSUMS, Release
from sealwright.model.verdict import (
    OPENPGP_THRESHOLD,
    SIGNERS_THRESHOLD,
    SIGSTORE_THRESHOLD,
    Check,
    Outcome,
    Signed,
    Vouching,
)
from sealwright.verify.checksums import ChecksumLine

_POLICY = "docs/policy.md"
_KINDS = (OPENPGP, SIGSTORE)


class Coverage(NamedTuple):
    """Which artifacts one signer covers: by all that they signed, and by each kind of signature alone.

    `named` are those of which they signed the name, too: a signature of bytes alone does not say what they are called.
    """

    signer: str
    artifacts: frozenset[str]
    by_kind: dict[str, frozenset[str]]
    fingerprints: tuple[str, ...]
    identities: tuple[str, ...]
    named: frozenset[str] = frozenset()


def coverage_of(
    policy: Policy,
    release: Release,
    lines: tuple[ChecksumLine, ...],
    artifacts: tuple[str, ...],
    signed: tuple[Signed, ...],
) -> tuple[Coverage, ...]:
    """A signer covers an artifact by a signature of its bytes, or of a SHA256SUMS that lists its name and digest."""
    files = {name: release.file(name) for name in artifacts}
    listed = {line.name for line in lines if (file := files.get(line.name)) and file.sha256 == line.sha256}
    found = []
    for signer in policy.signers:
        own = [entry for entry in signed if entry.signer == signer.name]
        by_kind = {}
        for kind in _KINDS:
            targets = {entry.target for entry in own if entry.kind == kind}
            covered = {name for name in targets if files.get(name)}
            by_kind[kind] = frozenset(covered | listed if CHECKSUMS in targets else covered)
        keys, identities = (tuple(sorted({e.by for e in own if e.kind == kind})) for kind in _KINDS)
        everything = frozenset().union(*by_kind.values())
        named = {entry.target for entry in own if entry.named and files.get(entry.target)}
        named |= listed if any(entry.target == CHECKSUMS for entry in own) else set()
        found.append(Coverage(signer.name, everything, by_kind, keys, identities, frozenset(named)))
    return tuple(found)


def check_thresholds(
    policy: Policy, release: Release, coverage: tuple[Coverage, ...], artifacts: tuple[str, ...], *, has_gpg: bool
) -> list[Check]:
    """Count the signers who cover every artifact, and those of each kind that the policy asks for.

    A threshold that is missed is undecided only if those who could not be judged would be enough to meet it.
    """
    everything = frozenset(artifacts)
    unjudged = set() if has_gpg else {signer.name for signer in policy.signers if signer.openpgp}
    rows = [(SIGNERS_THRESHOLD, "signers", policy.require.signers, {c.signer: c.artifacts for c in coverage}, unjudged)]
    for check_id, kind, words, required, unknown in (
        (OPENPGP_THRESHOLD, OPENPGP, "OpenPGP signers", policy.require.openpgp, unjudged),
        (SIGSTORE_THRESHOLD, SIGSTORE, "Sigstore signers", policy.require.sigstore, set[str]()),
    ):
        if required:
            rows.append((check_id, words, required, {c.signer: c.by_kind[kind] for c in coverage}, unknown))
    return [
        _threshold(check_id, words, required, [s for s, a in covers.items() if everything and a == everything], unknown)
        for check_id, words, required, covers, unknown in rows
    ]


def _threshold(check_id: str, words: str, required: int, counted: list[str], unjudged: set[str]) -> Check:
    got = f"{len(counted)} of {required} {words}" + (f": {', '.join(counted)}" if counted else "")
    met, possible = len(counted) >= required, len(unjudged | set(counted)) >= required
    outcome = Outcome.PASS if met else Outcome.UNDECIDED if possible else Outcome.FAIL
    hint = "" if met else "A signer of the policy counts whose valid signatures cover every artifact."
    expected = f"{required} or more different {words.replace('signers', 'signers of the policy')}"
    return Check(check_id, "artifacts", outcome, expected, got, _POLICY, ExitCode.UNTRUSTED, hint)


def vouching_of(coverage: tuple[Coverage, ...], artifacts: tuple[str, ...]) -> tuple[Vouching, ...]:
    """Return what each signer did, for the verdict."""
    everything = frozenset(artifacts)
    return tuple(
        Vouching(
            entry.signer,
            bool(everything) and entry.artifacts == everything,
            len(entry.artifacts),
            entry.fingerprints,
            entry.identities,
        )
        for entry in coverage
    )

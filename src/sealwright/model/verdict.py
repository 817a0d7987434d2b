"""The verdict: all checks together, and the one exit code they end with.

Enters: checks. Leaves: `Verdict`. The result is derived from the checks here and nowhere else, and it can
only be a pass if the check that counts the signers passed: no checks, or none of that kind, never pass.
"""

from datetime import datetime
from enum import Enum

from sealwright.errors import ExitCode, gravest
from sealwright.model.record import Record
from sealwright.model.trusted_root import RootInUse
from sealwright.model.withdrawal import Withdrawal

YANKED = "release.yanked"
SIGNERS_THRESHOLD = "signers.threshold"
OPENPGP_THRESHOLD = "openpgp.threshold"
SIGSTORE_THRESHOLD = "sigstore.threshold"
TODAY = "audit.today"
UNCOVERED = "release.uncovered"
COVERED = "covered"  # what UNCOVERED expects of a file that is neither an artifact nor evidence


class Outcome(Enum):
    """What came of one check."""

    PASS = "pass"  # noqa: S105  no password
    FAIL = "fail"
    NOT_CHECKED = "not-checked"
    UNDECIDED = "undecided"


class Result(Enum):
    """What came of all of them."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    UNDECIDED = "UNDECIDED"


def result_of(code: ExitCode) -> Result:
    """Return what an exit code says: PASSED is 0 and nothing else."""
    match code:
        case ExitCode.DONE:
            return Result.PASSED
        case ExitCode.UNDECIDED:
            return Result.UNDECIDED
        case _:
            return Result.FAILED


class Use(Enum):
    """What the command that prints a verdict can do with a release that has passed."""

    NONE = "none"
    OFFERED = "offered"  # it installs with --install
    FOLLOWS = "follows"  # it installs next, or does whatever else it was asked for
    OWN = "own"  # it is the project's own command: who would be asked is the one who asks


class Check(Record):
    """One test of one piece of evidence.

    `costs` is the exit code that a failure ends with. DONE means that the failure is reported but does not
    decide: one bad signature beside a good one is named, and what it may cost is decided by the checks that
    count (`openpgp.evidence`, the thresholds).
    """

    id: str
    subject: str
    outcome: Outcome
    expected: str
    got: str
    clause: str
    costs: ExitCode
    hint: str = ""


class PinInUse(Record):
    """The pin that a policy came from: its kind, since when (UTC), where it came from, and its age in whole days."""

    kind: str
    since: datetime
    source: str
    days: int

    @property
    def first_use(self) -> bool:
        """Whether nobody vouched for it: the publisher was accepted on first use."""
        return self.kind == "first-use"


class PolicyInUse(Record):
    """Which policy judged. `fingerprint` is the SHA-256 of its trust folder, hex; without a `pin` a person named it."""

    path: str
    version: int
    fingerprint: str
    expires: datetime
    pin: PinInUse | None = None


class JudgedArtifact(Record):
    """An artifact of the release: `size` in bytes, `sha256` in hex."""

    name: str
    kind: str
    sha256: str
    size: int


class Signed(Record):
    """One signature that counts: who signed which file, with which kind of key.

    `kind` is the id of a row of sealwright.model.evidence; `by` the fingerprint of an OpenPGP primary key, or
    an identity and the oidc issuer that vouches for it. `named` says that the name of the target was signed as well,
    and not its bytes alone.
    """

    target: str
    signer: str
    kind: str
    by: str
    named: bool = False


class Vouching(Record):
    """What one signer of the policy did for this release.

    `by` lists the fingerprints of their OpenPGP primary keys, `identities` their Sigstore identities.
    """

    name: str
    counted: bool
    covers: int
    by: tuple[str, ...]
    identities: tuple[str, ...] = ()


class Verdict(Record):
    """All checks of one release against one policy. `places`: where it was fetched from, if it was.

    `withdrawals` are those that a signer of the policy has signed, of whatever version, to be remembered.
    """

    project: str
    version: str
    folder: str
    policy: PolicyInUse
    artifacts: tuple[JudgedArtifact, ...]
    signers: tuple[Vouching, ...]
    signers_required: int
    checks: tuple[Check, ...]
    root: RootInUse | None = None
    warnings: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """The gravest code of the failed and undecided checks; never DONE unless the signers were counted."""
        codes = {check.costs for check in self._with(Outcome.FAIL)}
        codes |= {ExitCode.UNDECIDED for _ in self.undecided()}
        code = gravest(codes)
        if code is ExitCode.DONE and not self._signers_counted:
            return ExitCode.UNDECIDED
        return code

    @property
    def _signers_counted(self) -> bool:
        passed = [check.id for check in self._with(Outcome.PASS) if check.id == SIGNERS_THRESHOLD]
        return len(passed) == 1 and bool(self.artifacts) and any(signer.counted for signer in self.signers)

    @property
    def sandbox(self) -> bool:
        """Whether a rehearsal's Sigstore was trusted, which anybody can run: it proves nothing outside of that."""
        return self.root is not None and self.root.sandbox

    @property
    def result(self) -> Result:
        """PASSED only with exit code 0."""
        return result_of(self.exit_code)

    def failed(self) -> tuple[Check, ...]:
        """The checks that decide against the release, in the order in which they were made."""
        return tuple(check for check in self._with(Outcome.FAIL) if check.costs is not ExitCode.DONE)

    def reported(self) -> tuple[Check, ...]:
        """The failed checks that do not decide."""
        return tuple(check for check in self._with(Outcome.FAIL) if check.costs is ExitCode.DONE)

    def undecided(self) -> tuple[Check, ...]:
        """The checks that could not be made although the policy asks for them."""
        return self._with(Outcome.UNDECIDED)

    def not_checked(self) -> tuple[Check, ...]:
        """What nobody looked at."""
        return self._with(Outcome.NOT_CHECKED)

    def _with(self, outcome: Outcome) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.outcome is outcome)

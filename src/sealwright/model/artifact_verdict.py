"""The verdict on one file and one bundle: the plumbing beneath a release's verdict, without a policy.

Enters: checks. Leaves: `ArtifactVerdict`. It passes only if the signature was checked and nothing failed.
"""

from typing import NamedTuple

from sealwright.errors import ExitCode, gravest
from sealwright.model.trusted_root import RootInUse
from sealwright.model.verdict import Check, Outcome, Result, result_of

SIGNATURE = "sigstore.signature"


class ArtifactVerdict(NamedTuple):
    """What came of one bundle. `sha256` in hex; `root` says which trusted root judged."""

    file: str
    sha256: str
    identity: str
    oidc_issuer: str
    root: RootInUse
    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> ExitCode:
        """The gravest code of the failed checks; never DONE unless the signature passed."""
        code = gravest({check.costs for check in self.checks if check.outcome is Outcome.FAIL})
        signed = any(check.id == SIGNATURE and check.outcome is Outcome.PASS for check in self.checks)
        return ExitCode.UNDECIDED if code is ExitCode.DONE and not signed else code

    @property
    def result(self) -> Result:
        """PASSED only with exit code 0."""
        return result_of(self.exit_code)

"""The audit attestation of a sealing: a finished audit of this release, made in the build job.

Enters: a task with the JSON of `sealwright audit`. Leaves: the statement to sign. Resolves, looks up and downloads
nothing. An audit that found something, that looked past something, or that is too old is not sealed: whoever installs
would be refused by it anyway. What the project has decided to live with is set aside in the audit, where it has a
reason and an end (docs/audit.md#ignores).
"""

from sealwright.attest.vulnerabilities import build_audit_statement
from sealwright.collect.advisories.audit_result import read_audit
from sealwright.errors import ExitCode, SealwrightError, StaleError, UnauditedError, UsageError, VulnerableError
from sealwright.jobs.seal.task import Task
from sealwright.model.artifact import SBOM_SUFFIX
from sealwright.model.statement import Statement, Subject
from sealwright.model.version_order import read_order
from sealwright.verify.audit import SignedAt, judge_audit

_HINT = "Audit this release in the build job, with --json, and name the result with --audit."
_HINTS = {
    ExitCode.VULNERABLE: "Upgrade, or ignore it with a reason and an end (docs/audit.md), audit again, then seal.",
    ExitCode.UNAUDITED: "Audit the SBOM of this release, in which each dependency has one version.",
    ExitCode.STALE: "Audit again: sealwright audit db update, then sealwright audit.",
}
_ERRORS: dict[ExitCode, type[SealwrightError]] = {
    ExitCode.VULNERABLE: VulnerableError,
    ExitCode.UNAUDITED: UnauditedError,
    ExitCode.STALE: StaleError,
}


def audit_statement(task: Task, subjects: tuple[Subject, ...]) -> Statement:
    """Build the statement, and judge it as a verification will.

    Raises UsageError for an audit that is missing or of something else, VulnerableError, UnauditedError or StaleError
    for one that is nothing to seal.
    """
    policy = task.trust.policy
    requirement = policy.require.audit
    if not task.audit or requirement is None:
        raise UsageError(
            "the policy requires an audit, and there is none",
            "Add --audit FILE: sealwright audit SBOM --json > FILE makes one.",
        )
    finished = read_audit(task.audit, "that --audit names")
    product = finished.result.product
    if product is None or (product.name, read_order(product.version)) != (
        policy.project,
        read_order(str(task.version)),
    ):
        of = f"{product.name} {product.version}".strip() if product else "nobody knows what"
        raise UsageError(
            f"the audit is of {of}, not of {policy.project} {task.version}",
            "Audit the SBOM of this release, or say what a lock is of: --product NAME==VERSION.",
        )
    statement = build_audit_statement(finished.result, finished.result.now, finished.finished, subjects)
    now = task.clock()
    sboms = tuple(task.sbom for line in task.lines if line.name.endswith(SBOM_SUFFIX))
    judged = judge_audit(statement, SignedAt(now, now), requirement.max_age_days, sboms)
    if judged.problem:
        refuse = _ERRORS.get(judged.costs, UsageError)
        raise refuse(f"the audit is nothing to seal: {judged.problem}", _HINTS.get(judged.costs, _HINT))
    return statement

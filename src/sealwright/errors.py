"""What can go wrong, and the exit code it ends with.

Enters: nothing. Leaves: `ExitCode` and the exceptions that carry one.
An exception means "could not be decided" or "was asked for wrongly"; bad evidence is never an
exception but a failed check (sealwright.model.verdict).
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The process exit codes, as documented in docs/exit-codes.md."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    UNDECIDED = 3
    TAMPERED = 10
    UNTRUSTED = 11
    MISSING = 12
    WITHDRAWN = 13
    STALE = 14
    VULNERABLE = 20
    UNAUDITED = 21
    DUE = 30
    OVERDUE = 31
    ANOMALY = 40
    INTERRUPTED = 130


_GRAVEST_FIRST = (
    ExitCode.TAMPERED,
    ExitCode.UNTRUSTED,
    ExitCode.MISSING,
    ExitCode.WITHDRAWN,
    ExitCode.VULNERABLE,
    ExitCode.UNAUDITED,
    ExitCode.STALE,
    ExitCode.ANOMALY,
    ExitCode.UNDECIDED,
    ExitCode.OVERDUE,
    ExitCode.DUE,
)


def gravest(codes: set[ExitCode]) -> ExitCode:
    """Return the one code that several codes of one run end with; DONE for none.

    Codes outside the order (usage, internal, interrupted) are never the result of a check.
    """
    for code in _GRAVEST_FIRST:
        if code in codes:
            return code
    if codes - {ExitCode.DONE}:
        raise ValueError(f"not the outcome of a check: {sorted(codes)}")
    return ExitCode.DONE


class SealwrightError(Exception):
    """An end of the run that is not a verdict: what happened, and what to do next."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str, hint: str = "") -> None:
        """Take one line that says what happened and to which file, and one that says what to do."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SealwrightError):
    """The call, the configuration or the policy file is wrong; found before work begins."""

    exit_code = ExitCode.USAGE


class PolicyError(UsageError):
    """A policy, or a key file beside it, cannot be used."""


class UndecidedError(SealwrightError):
    """Nothing could be decided: a missing tool, an unreadable store, a full disk."""

    exit_code = ExitCode.UNDECIDED


class TamperedError(SealwrightError):
    """What is there is not what it should be: a trust folder, a policy of a known version, what was installed."""

    exit_code = ExitCode.TAMPERED


class StaleError(SealwrightError):
    """The policy has expired or is older than one that was seen, or an audit is too old to be sealed."""

    exit_code = ExitCode.STALE


class MissingError(SealwrightError):
    """Whoever was asked has answered, and what was asked for is not there: nothing is left to judge."""

    exit_code = ExitCode.MISSING


class VulnerableError(SealwrightError):
    """Something is known against a dependency of what was to be sealed."""

    exit_code = ExitCode.VULNERABLE


class UnauditedError(SealwrightError):
    """A dependency of what was to be sealed was not audited."""

    exit_code = ExitCode.UNAUDITED

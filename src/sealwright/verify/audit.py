"""An audit attestation, held against the release that it is of.

Enters: a statement whose signature and subjects are right, when it was verifiably signed, and the SBOMs that are
released. Leaves: what is wrong with it, and the exit code that costs. The time of the scan is held against the verified
time of the release and never against now, so that a good release does not rot (docs/policy.md#audit-attestations).
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sealwright.errors import ExitCode, gravest
from sealwright.files.strict_json import read_json
from sealwright.model.attested_audit import AttestedAudit, AttestedDependency, read_attested_audit
from sealwright.model.audit import Coverage
from sealwright.model.index_facts import describe_age
from sealwright.model.sbom_components import all_components, read_component
from sealwright.model.statement import MAX_STATEMENT_COMMAS, Statement
from sealwright.verify.judged import Judged

CLOCKS_DIFFER = timedelta(minutes=10)
"""How far the clock of a build may be ahead of that of a timestamp."""
_MOST_NAMED = 3


class SignedAt(NamedTuple):
    """When the attestation was signed, at the earliest, and when the release was, at the latest; both verified, UTC."""

    attestation: datetime
    release: datetime


def judge_audit(statement: Statement, signed: SignedAt, max_age_days: int, released: tuple[bytes, ...]) -> Judged:
    """Hold an audit against the verified times, its own findings, and the SBOMs that are `released` beside it.

    https://github.com/in-toto/attestation/blob/main/spec/predicates/vulns_02.md
    """
    try:
        audit = read_attested_audit(statement.predicate)
    except ValueError as error:
        return Judged(str(error))
    problems = [
        *_lies(audit, signed),
        *_findings(audit),
        *_left_out(audit, released),
        *_age(audit, signed, max_age_days),
    ]
    if problems:
        code = gravest({code for code, _ in problems})
        return Judged("; ".join(text for _, text in problems), costs=code)
    return Judged("", _shown(audit))


def _lies(audit: AttestedAudit, signed: SignedAt) -> list[tuple[ExitCode, str]]:
    """A scan cannot have ended after what was said of it was signed."""
    if audit.finished <= signed.attestation + CLOCKS_DIFFER:
        return []
    return [
        (ExitCode.TAMPERED, f"its scan ended {_when(audit.finished)}, and it was signed {_when(signed.attestation)}")
    ]


def _findings(audit: AttestedAudit) -> list[tuple[ExitCode, str]]:
    problems = []
    if vulnerable := audit.of(Coverage.VULNERABLE):
        problems.append((ExitCode.VULNERABLE, f"it says that {_names(vulnerable)} {_are(vulnerable)} vulnerable"))
    if unaudited := audit.of(Coverage.NOT_AUDITED):
        problems.append((ExitCode.UNAUDITED, f"it says that {_names(unaudited)} {_were(unaudited)} not audited"))
    if not audit.dependencies:
        problems.append((ExitCode.UNAUDITED, "it looked at no dependencies"))
    if audit.code is ExitCode.STALE:
        problems.append((ExitCode.STALE, "it says that its advisories were too old"))
    return problems


def _left_out(audit: AttestedAudit, released: tuple[bytes, ...]) -> list[tuple[ExitCode, str]]:
    """Whatever a released SBOM lists was looked at: else a vulnerable dependency is only left out of the audit.

    What nobody can audit was not, whatever else has its name and version in what was audited instead.
    """
    looked_at = {(entry.name, entry.version): entry.coverage for entry in audit.dependencies}
    missing: list[AttestedDependency] = []
    problems: list[tuple[ExitCode, str]] = []
    for content in released:
        try:
            document = read_json(content, MAX_STATEMENT_COMMAS)
            listed = [read_component(each, "") for each in all_components(document)] if document else []
        except (ValueError, AttributeError):
            return [(ExitCode.UNAUDITED, "the SBOM that is released cannot be read")]
        for entry in listed:
            found = looked_at.get((entry.name, entry.version))
            if found is None:
                missing.append(AttestedDependency(entry.name, entry.version, Coverage.NOT_AUDITED))
            elif entry.problem and found is not Coverage.NOT_AUDITED and len(problems) < _MOST_NAMED:
                said = f"{entry.name} {entry.version}".strip()[:80]
                text = f"it calls {said} audited, of which the released SBOM says: {entry.problem[:200]}"
                problems.append((ExitCode.UNAUDITED, text))
    if missing:
        text = f"it did not look at {_names(tuple(missing))} of the released SBOM"
        problems.append((ExitCode.UNAUDITED, text))
    return problems


def _age(audit: AttestedAudit, signed: SignedAt, max_age_days: int) -> list[tuple[ExitCode, str]]:
    if audit.started >= signed.release - timedelta(days=max_age_days):
        return []
    days = f"{max_age_days} day{'' if max_age_days == 1 else 's'}"
    return [(ExitCode.STALE, f"it was made {_when(audit.started)}, more than {days} before {_when(signed.release)}")]


def _shown(audit: AttestedAudit) -> str:
    database = audit.database
    number, ignored = len(audit.dependencies), len(audit.of(Coverage.IGNORED))
    what = f"{number} dependenc{'y' if number == 1 else 'ies'} audited {_when(audit.started)}"
    what += f", {ignored} with findings that the project ignores" if ignored else ", nothing known against them"
    age = describe_age(max(audit.started - database.updated, timedelta(0)))
    return f"{what}; advisories {age} then, of {database.uri} {database.version}".rstrip()


def _names(entries: tuple[AttestedDependency, ...]) -> str:
    names = ", ".join(f"{entry.name} {entry.version}".strip()[:80] for entry in entries[:_MOST_NAMED])
    return names + (f" and {len(entries) - _MOST_NAMED} more" if len(entries) > _MOST_NAMED else "")


def _are(entries: tuple[AttestedDependency, ...]) -> str:
    return "is" if len(entries) == 1 else "are"


def _were(entries: tuple[AttestedDependency, ...]) -> str:
    return "was" if len(entries) == 1 else "were"


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"

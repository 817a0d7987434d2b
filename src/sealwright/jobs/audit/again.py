"""What is known today against the dependencies of a release that has verified.

Enters: a release, the verdict on it, the local index of advisories. Leaves: the verdict with one more check. A release
does not rot: that something was found since it was sealed is reported and decides nothing, unless the user asks for
that. Opens no connection; without an index, or without a list of dependencies that somebody vouched for, nothing of it
is even imported.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealwright.errors import ExitCode, SealwrightError, UsageError, gravest
from sealwright.model.record import Record
from sealwright.model.verdict import TODAY, Check, Outcome, Verdict

if TYPE_CHECKING:
    from sealwright.model.audit import AuditResult
    from sealwright.model.dependency import Dependency
    from sealwright.model.release import Release

_CLAUSE = "docs/verify-a-release.md#what-is-known-today"
_EXPECTED = "nothing known today that was not when it was sealed"
_HINT = "Look for a newer release, or ask the project whether this one is affected."
_MOST_NAMED = 5


class Again(Record):
    """Against the index at which place to audit again, and whether what is new decides."""

    place: Path
    fail_on_new: bool = False


class _Attested(Record):
    """Which file lists the dependencies, what they are, and the audits that were attested: none for a bare SBOM."""

    subject: str
    dependencies: "tuple[Dependency, ...]"
    predicates: tuple[dict[str, Any], ...] = ()


def refuse_without_index(again: Again | None) -> None:
    """Who wants to be told of what is new needs something to tell it by. Raises UsageError."""
    if again and again.fail_on_new and not again.place.exists():
        raise UsageError(
            f"--fail-on-new was given, and there is no advisory index at {again.place}",
            "Make it with: sealwright audit db update",
        )


def add_audit(release: "Release", verdict: Verdict, again: Again | None, now: datetime) -> Verdict:
    """Audit again at `now` (UTC) what a release depends on, if it has verified and there is an index."""
    if again is None or verdict.exit_code is not ExitCode.DONE or not again.place.exists():
        return verdict
    try:
        attested = _attested(release, verdict)
        if attested is None:
            return _with(verdict, _left_open(again, "the release", "nothing lists its dependencies"))
        return _with(verdict, _compare(attested, again, now))
    except SealwrightError as error:
        return _with(verdict, _left_open(again, str(again.place), error.message))


def _attested(release: "Release", verdict: Verdict) -> _Attested | None:
    """The dependencies that an audit attestation lists which has passed, or else the SBOM of the release."""
    from sealwright.model.artifact import MAX_SBOM_BYTES, ArtifactKind

    passed = {c.subject for c in verdict.checks if c.id == "attestation.audit" and c.outcome is Outcome.PASS}
    lines = sorted(subject for subject in passed if " line " in subject)
    if lines:
        return _from_audits(release, lines)
    for artifact in verdict.artifacts:
        file = release.file(artifact.name) if artifact.kind == ArtifactKind.SBOM.value else None
        if file:
            from sealwright.files.reading import read_bounded
            from sealwright.files.strict_json import read_json
            from sealwright.model.sbom_components import all_components, read_component
            from sealwright.model.statement import MAX_STATEMENT_COMMAS

            try:
                document = read_json(
                    file.content or read_bounded(Path(file.path), MAX_SBOM_BYTES), MAX_STATEMENT_COMMAS
                )
                found = tuple(read_component(each, file.name) for each in all_components(document))
            except (ValueError, AttributeError, OSError) as error:
                raise UsageError(f"{file.name} cannot be read: {error}") from error
            return _Attested(file.name, found)
    return None


def _from_audits(release: "Release", lines: list[str]) -> _Attested:
    from sealwright.model.attested_audit import read_attested_audit
    from sealwright.model.dependency import Dependency
    from sealwright.verify.attestations import verified_predicate

    predicates = tuple(verified_predicate(release, line) for line in lines)
    entries = [entry for predicate in predicates for entry in read_attested_audit(predicate).dependencies]
    subject = lines[0].rpartition(" line ")[0]
    return _Attested(subject, tuple(Dependency(e.name, e.version, subject) for e in dict.fromkeys(entries)), predicates)


def _compare(attested: _Attested, again: Again, now: datetime) -> Check:
    from sealwright.jobs.audit.audit import Rules, audit
    from sealwright.model.audit_comparison import find_new
    from sealwright.model.dependency import Dependencies
    from sealwright.store.advisory_index import open_index

    dependencies = Dependencies("attestation", attested.subject, attested.dependencies)
    today = audit(dependencies, open_index(again.place), Rules(), now=now)
    worse = [
        (ExitCode.VULNERABLE, f"{new.dependency.name} {new.dependency.version}: {new.finding.ids[0]}")
        for new in find_new(attested.predicates, today)
    ]
    worse += [
        (ExitCode.UNAUDITED, f"{entry.dependency.name} {entry.dependency.version}".strip() + f": {entry.reasons[0]}")
        for entry in today.audited
        if entry.reasons
    ]
    against = _against(today, now)
    if not worse:
        number = len(today.audited)
        got = f"nothing new against {number} dependenc{'y' if number == 1 else 'ies'}; {against}"
        return Check(TODAY, attested.subject, Outcome.PASS, _EXPECTED, got, _CLAUSE, ExitCode.DONE)
    named = "; ".join(text for _, text in worse[:_MOST_NAMED])
    more = f"; and {len(worse) - _MOST_NAMED} more" if len(worse) > _MOST_NAMED else ""
    costs = gravest({code for code, _ in worse}) if again.fail_on_new else ExitCode.DONE
    return Check(TODAY, attested.subject, Outcome.FAIL, _EXPECTED, f"{named}{more}; {against}", _CLAUSE, costs, _HINT)


def _against(today: "AuditResult", now: datetime) -> str:
    from sealwright.model.index_facts import describe_age

    facts = today.facts
    return f"by advisories {describe_age(facts.age(now))} (sha256:{facts.sha256[:12]}…)" if facts else ""


def _left_open(again: Again, subject: str, why: str) -> Check:
    outcome = Outcome.UNDECIDED if again.fail_on_new else Outcome.NOT_CHECKED
    return Check(TODAY, subject, outcome, _EXPECTED, why, _CLAUSE, ExitCode.UNDECIDED, _HINT)


def _with(verdict: Verdict, check: Check) -> Verdict:
    return verdict._replace(checks=(*verdict.checks, check))

"""What an audit attestation says, read from its predicate without believing in its shape.

Enters: a vulns/v0.2 predicate, from whoever signed it. Leaves: `AttestedAudit`, or a ValueError for one that is
incomplete or contradicts itself: a list of findings that was emptied must not look like an audit that found nothing.
https://github.com/in-toto/attestation/blob/main/spec/predicates/vulns_02.md
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sealwright.errors import ExitCode
from sealwright.model.advisory import MALICIOUS, normalise
from sealwright.model.audit import Coverage
from sealwright.model.index_facts import read_time

MAX_ATTESTED = 100_000
_LONGEST = 300


class Database(NamedTuple):
    """What the dependencies were held against: `version` is its digest or empty, `updated` how new it was (UTC)."""

    uri: str
    version: str
    updated: datetime


class AttestedDependency(NamedTuple):
    """One dependency that was looked at, or was not; `name` is normalised (PEP 503)."""

    name: str
    version: str
    coverage: Coverage


class AttestedFinding(NamedTuple):
    """One finding: of which dependency, all its ids, and whether the project has set it aside."""

    name: str
    version: str
    ids: tuple[str, ...]
    ignored: bool

    @property
    def counts(self) -> bool:
        """Whether it makes its dependency vulnerable: nothing sets aside what was made to harm."""
        return not self.ignored or any(each.startswith(MALICIOUS) for each in self.ids)


class AttestedAudit(NamedTuple):
    """A whole audit as it was attested; `code` is the exit code it states, which agrees with the rest of it."""

    started: datetime
    finished: datetime
    database: Database
    dependencies: tuple[AttestedDependency, ...]
    findings: tuple[AttestedFinding, ...]
    code: ExitCode

    def of(self, coverage: Coverage) -> tuple[AttestedDependency, ...]:
        """The dependencies of which this became."""
        return tuple(entry for entry in self.dependencies if entry.coverage is coverage)


def read_attested_audit(predicate: Mapping[str, Any]) -> AttestedAudit:
    """Read a predicate as `sealwright.attest.vulnerabilities` builds it. Raises ValueError.

    A predicate of another scanner, which does not say what was looked at, is refused: its empty list proves nothing.
    """
    scanner, metadata = _table(predicate, "scanner"), _table(predicate, "metadata")
    for key in ("uri", "version"):
        _text(scanner, key, "scanner")
    started, finished = (_moment(metadata, key) for key in ("scanStartedOn", "scanFinishedOn"))
    if finished < started:
        raise ValueError("its scan ended before it began")
    findings = tuple(_finding(entry) for entry in _tables(scanner, "result"))
    said = _table(predicate, "sealwright")
    dependencies = tuple(_dependency(entry) for entry in _tables(said, "dependencies"))
    audit = AttestedAudit(started, finished, _database(scanner), dependencies, findings, _code(said))
    _refuse_contradictions(audit, said)
    return audit


def _refuse_contradictions(audit: AttestedAudit, said: Mapping[str, Any]) -> None:
    """Hold the summary, the dependencies and the findings against each other: each says the same once more."""
    counts = {coverage.value: len(audit.of(coverage)) for coverage in Coverage}
    if said.get("counts") != counts:
        raise ValueError("its counts are not those of the dependencies it lists")
    found = {(f.name, f.version): False for f in audit.findings}
    for finding in audit.findings:
        found[finding.name, finding.version] |= finding.counts
    for name, version in found.keys() - {(d.name, d.version) for d in audit.dependencies}:
        raise ValueError(f"it found something in {name} {version}, which it does not list")
    for name, version, coverage in audit.dependencies:
        counted = found.get((name, version))
        if (coverage is Coverage.VULNERABLE) != bool(counted):
            raise ValueError(f"it calls {name} {version} {coverage.value}, and its findings say otherwise")
        if counted is None and coverage is Coverage.IGNORED:
            raise ValueError(f"it ignores something in {name} {version}, and does not say what")
        if counted is not None and coverage is Coverage.CLEAN:
            raise ValueError(f"it calls {name} {version} clean, and its findings say otherwise")
    if bool(said.get("notAudited")) and not (counts["not-audited"] or counts["vulnerable"]):
        raise ValueError("it names what was not audited, and its counts do not")
    derived = _derive(counts)
    if audit.code is not derived and not (derived is ExitCode.DONE and audit.code is ExitCode.STALE):
        raise ValueError(f"its exit code is {int(audit.code)}, and its findings make {int(derived)}")


def _derive(counts: Mapping[str, int]) -> ExitCode:
    if counts["vulnerable"]:
        return ExitCode.VULNERABLE
    return ExitCode.UNAUDITED if counts["not-audited"] or not sum(counts.values()) else ExitCode.DONE


def _code(said: Mapping[str, Any]) -> ExitCode:
    code = said.get("exitCode")
    known = {int(each): each for each in (ExitCode.DONE, ExitCode.STALE, ExitCode.VULNERABLE, ExitCode.UNAUDITED)}
    if type(code) is not int or code not in known:
        raise ValueError("it does not say how the audit ended")
    return known[code]


def _database(scanner: Mapping[str, Any]) -> Database:
    database = _table(scanner, "db")
    version = database.get("version", "")
    if not isinstance(version, str):
        raise ValueError("the version of its database is no text")  # noqa: TRY004  JSON is wrong, not an argument
    return Database(_text(database, "uri", "database"), version[:_LONGEST], _moment(database, "lastUpdate"))


def _dependency(entry: Mapping[str, Any]) -> AttestedDependency:
    name, version, coverage = (entry.get(key) for key in ("name", "version", "coverage"))
    if not isinstance(name, str) or not isinstance(version, str) or not name:
        raise ValueError("it lists a dependency without a name")
    try:
        return AttestedDependency(normalise(name[:_LONGEST]), version[:_LONGEST], Coverage(coverage))
    except ValueError:
        raise ValueError(f"it does not say what became of {name[:_LONGEST]}") from None


def _finding(entry: Mapping[str, Any]) -> AttestedFinding:
    annotations = [pair for each in _tables(entry, "annotations") for pair in each.items()]
    about = [value for key, value in annotations if key == "dependency"]
    if len(about) != 1 or not isinstance(about[0], str):
        raise ValueError("it has a finding that does not say of which dependency it is")
    name, _, version = about[0].partition(" ")
    ids = (_text(entry, "id", "finding"), *(str(value) for key, value in annotations if key == "alias"))
    ignored = any(key == "ignored" and value for key, value in annotations)
    return AttestedFinding(
        normalise(name[:_LONGEST]), version[:_LONGEST], tuple(each[:_LONGEST] for each in ids), ignored
    )


def _table(parent: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = parent.get(key)
    if not isinstance(value, dict):
        raise ValueError(f"it has no {key}")  # noqa: TRY004  as above
    return value


def _tables(parent: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    values = parent.get(key)
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise ValueError(f"its {key} is no list of objects")
    if len(values) > MAX_ATTESTED:
        raise ValueError(f"its {key} has more than {MAX_ATTESTED:,} entries")
    return values


def _text(parent: Mapping[str, Any], key: str, what: str) -> str:
    value = parent.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"its {what} has no {key}")
    return value[:_LONGEST]


def _moment(parent: Mapping[str, Any], key: str) -> datetime:
    text = parent.get(key)
    moment = read_time(text) if isinstance(text, str) and len(text) <= _LONGEST else None
    if moment is None:
        raise ValueError(f"its {key} is no time in UTC")
    return moment

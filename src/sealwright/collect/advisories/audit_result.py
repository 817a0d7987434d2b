"""A finished audit, as `sealwright audit --json` wrote it in the build job.

Enters: bytes. Leaves: an `AuditResult`, or a UsageError. Nothing in it is looked up again: who seals it vouches for
the job that made it. What the file says of its own outcome must be what its dependencies add up to.
docs/audit.schema.json
"""

from datetime import datetime
from typing import Any, NamedTuple

from sealwright.errors import UsageError
from sealwright.files.strict_json import read_json
from sealwright.model.advisory import normalise
from sealwright.model.audit import Audited, AuditResult, Coverage, Finding
from sealwright.model.dependency import Dependency, Product
from sealwright.model.index_facts import IndexFacts, read_time
from sealwright.model.severity import Score

MAX_AUDIT_BYTES = 64 * 1024**2
_MAX_COMMAS = 5_000_000
_HINT = "Make it in the build job: sealwright audit pkg-1.2.3.cdx.json --json > audit.json"


class FinishedAudit(NamedTuple):
    """The result, and when it ended (UTC)."""

    result: AuditResult
    finished: datetime


def read_audit(content: bytes, source: str) -> FinishedAudit:
    """Read an audit result of schema 1; `source` names it in messages. Raises UsageError."""
    try:
        document = read_json(content, _MAX_COMMAS)
        if not isinstance(document, dict) or document.get("schema") != 1:
            raise ValueError("it is no JSON of schema 1 that sealwright audit wrote")
        return _read(document)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        why = str(error) if type(error) is ValueError else f"it is incomplete ({type(error).__name__})"
        raise UsageError(f"the audit {source} cannot be used: {why}", _HINT) from error


def _read(document: dict[str, Any]) -> FinishedAudit:
    index, service = document["index"], _text(document["service"])
    began, ended = (_moment(document[key]) for key in ("time", "finished"))
    project = normalise(_text(document["project"]))
    result = AuditResult(
        _text(document["kind"]),
        _text(document["target"]),
        Product(project, _text(document["version"])) if project else None,
        tuple(_audited(entry) for entry in document["dependencies"]),
        began,
        None if index is None else _facts(index),
        service,
        _text(document["stale"]),
    )
    counts = {coverage.value: len(result.of(coverage)) for coverage in Coverage}
    if document["counts"] != counts or document["exitCode"] != int(result.exit_code):
        raise ValueError("its exit code or its counts are not what its dependencies add up to")
    for entry, stated in zip(result.audited, document["dependencies"], strict=True):
        if entry.coverage.value != stated["coverage"]:
            raise ValueError(f"it calls {entry.dependency.name} {stated['coverage']}, which it is not")
    return FinishedAudit(result, ended)


def _facts(index: dict[str, Any]) -> IndexFacts:
    source, source_sha256, sha256, newest, current = (
        _text(index[key]) for key in ("source", "sourceSha256", "sha256", "newest", "current")
    )
    if read_time(current) is None:
        raise ValueError("its index does not say how new it is")
    return IndexFacts(source, source_sha256, sha256, 0, 0, 0, newest, current, "", (), 0)


def _audited(entry: dict[str, Any]) -> Audited:
    dependency = Dependency(_text(entry["name"]), _text(entry["version"]), _text(entry["file"]))
    reasons = tuple(_text(why) for why in entry["notAudited"])
    return Audited(dependency, tuple(_finding(each) for each in entry["findings"]), reasons, _text(entry["fix"]))


def _finding(entry: dict[str, Any]) -> Finding:
    ids, severity = tuple(_text(each) for each in entry["ids"]), entry["severity"]
    if not ids or not all(ids):
        raise ValueError("it has a finding without an id")
    score = None
    if severity is not None:
        score = Score(float(severity["score"]), _text(severity["word"]), _text(severity["vector"]))
    finding = Finding(ids, _text(entry["summary"]), score, _text(entry["fixed"]), ignored=_text(entry["ignored"]))
    return finding._replace(ignored="") if finding.malicious else finding  # nothing sets aside what is made to harm


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("it holds something else where a text should be")  # noqa: TRY004  JSON is wrong
    return value


def _moment(value: object) -> datetime:
    moment = read_time(_text(value))
    if moment is None:
        raise ValueError("it does not say when the audit was made")
    return moment

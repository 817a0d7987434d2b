"""Whatever form the result of an audit has, it says against what it was held, how old that is, and what was not seen."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.advisories import NOW, affected, make_index, record

from sealwright.cli.audit_answer import FORMATS
from sealwright.collect.contents.sbom_schema import check_cyclonedx_schema
from sealwright.jobs.audit.audit import Rules, audit
from sealwright.model.audit import AuditResult, Ignore
from sealwright.model.dependency import Dependencies, Dependency
from sealwright.render.audit import render_audit
from sealwright.render.audit_cyclonedx import render_audit_cyclonedx
from sealwright.render.audit_json import render_audit_json
from sealwright.render.audit_markdown import render_audit_markdown
from sealwright.render.audit_sarif import render_audit_sarif
from sealwright.render.style import Style
from sealwright.store.advisory_index import open_index

RECORDS = (record(1, affected("bad", versions=["1.0"])), record(2, affected("ugly", events=[{"introduced": "x"}])))
PINS = (("good", "1.0"), ("bad", "1.0"), ("bad", "2.0"), ("ugly", "1.0"))
EXPIRED = Ignore("PYSEC-2020-1", "bad", "a reason", "Ann", datetime(2020, 1, 1, tzinfo=UTC))
RENDER: dict[str, Callable[[AuditResult], str]] = {
    "text": render_audit,
    "json": render_audit_json,
    "markdown": render_audit_markdown,
    "sarif": render_audit_sarif,
    "cyclonedx": render_audit_cyclonedx,
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> AuditResult:
    """Nine days old, one record skipped; vulnerable, stale, not audited in full, with an ignore that has expired."""
    entries = tuple(Dependency(name, version, "r.txt", line) for line, (name, version) in enumerate(PINS, 1))
    index = make_index(tmp_path_factory.mktemp("index"), *RECORDS, b"{not json")
    rules = Rules((EXPIRED,), max_age=timedelta(days=7))
    return audit(Dependencies("requirements", "r.txt", entries), open_index(index), rules, now=NOW + timedelta(days=6))


def properties(entries: list[dict[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in entries:
        found.setdefault(each["name"].removeprefix("sealwright:audit:"), []).append(each["value"])
    return found


def from_text(text: str) -> dict[str, Any]:
    (sha256,) = re.findall(r"sha256:([0-9a-f]{64})", text.replace("\\", ""))
    counts = {name: int(number) for number, name in re.findall(r"(\d+) (clean|vulnerable|not audited)\b", text)}
    return {
        "sha256": sha256,
        "newest": re.findall(r"newest of (\S+);", text.replace("\\", "")),
        "days": re.findall(r"the index is (\d+) days old\n", text.replace("\\", "")),
        "skipped": re.findall(r"(\d+) advisory of the index could not be read", text),
        "counts": counts,
    }


def from_document(index: dict[str, Any], counts: dict[str, int]) -> dict[str, Any]:
    return {
        "sha256": index["sha256"],
        "newest": [index["newest"][:10]],
        "days": [str(int(index["ageSeconds"]) // 86400)],
        "skipped": [str(index["skipped"])],
        "counts": {name.replace("-", " "): int(count) for name, count in counts.items() if int(count)},
    }


def from_json(text: str) -> dict[str, Any]:
    document = json.loads(text)
    return from_document(document["index"], document["counts"])


def from_sarif(text: str) -> dict[str, Any]:
    said = json.loads(text)["runs"][0]["properties"]
    return from_document(said["index"], said["counts"])


def from_cyclonedx(text: str) -> dict[str, Any]:
    said = {name: values[0] for name, values in properties(json.loads(text)["metadata"]["properties"]).items()}
    index = {name.removeprefix("index:"): value for name, value in said.items() if name.startswith("index:")}
    counts = {name.removeprefix("count:"): int(value) for name, value in said.items() if name.startswith("count:")}
    return from_document(index, counts)


READ = {
    "text": from_text, "json": from_json, "markdown": from_text, "sarif": from_sarif, "cyclonedx": from_cyclonedx,
}  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_states_digest_age_and_what_was_skipped(result: AuditResult, form: str) -> None:
    assert result.facts
    assert READ[form](RENDER[form](result)) == {
        "sha256": result.facts.sha256,
        "newest": ["2025-12-30"],
        "days": ["9"],
        "skipped": ["1"],
        "counts": {"clean": 2, "vulnerable": 1, "not audited": 1},
    }


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_says_what_else_the_text_says(result: AuditResult, form: str) -> None:
    """The record that was skipped, the age that is too great, and the ignore that no longer counts, by name."""
    text = RENDER[form](result).replace("\\", "")
    for said in ("record-2.json", "--db-max-age allows at most 7 days", "PYSEC-2020-1", "Ann"):
        assert said in text, said


def test_a_summary_that_does_not_fit_beside_the_ids_has_lines_of_its_own(tmp_path: Path) -> None:
    said = "It never ends, " * 12
    records = (
        record(1, affected("bad", versions=["1.0"]), summary=said, aliases=["CVE-2020-28493"]),
        record(2, affected("bad", versions=["1.0"]), summary="It is short."),
    )
    entries = Dependencies("requirements", "r.txt", (Dependency("bad", "1.0", "r.txt", 1),))
    found = audit(entries, open_index(make_index(tmp_path, *records)), Rules(), now=NOW)
    assert f" (CVE-2020-28493): {said.strip()}\n" in render_audit(found)
    lines = render_audit(found, Style(width=80)).splitlines()
    at = lines.index(" " * 17 + "PYSEC-2020-1 (CVE-2020-28493)")
    assert lines[at + 1] == " " * 19 + ("It never ends, " * 4).strip()
    assert lines[at + 2] == " " * 19 + "It never ends, " * 4 + "…"
    assert lines[at + 3] == " " * 17 + "PYSEC-2020-2: It is short."
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_names_the_service(result: AuditResult, form: str) -> None:
    """Online there may be no index to state; what was asked, and when, is stated."""
    service = "https://osv.example.org/v1/query"
    text = RENDER[form](result._replace(facts=None, stale="", service=service)).replace("\\", "")
    assert service in text
    assert "2026-01-08" in text


def test_cyclonedx_is_what_its_schema_says(result: AuditResult) -> None:
    assert check_cyclonedx_schema(json.loads(render_audit_cyclonedx(result))) == []

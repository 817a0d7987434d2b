"""The index answers what the advisories themselves say of a version, however quickly it does.

It does not look into the advisories about a version that is later than all that they speak of: here are the versions
for which that would be wrong.
"""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.advisories import affected, make_index, record
from support.fuzz import examples
from support.osv_entries import ENTRIES, VERSIONS

from sealwright.jobs.audit.audit import Rules, look_up
from sealwright.model.advisory import concerns
from sealwright.model.audit import Audited
from sealwright.model.dependency import Dependency
from sealwright.model.osv_record import parse_advisory
from sealwright.model.version_order import read_order
from sealwright.store.advisory_index import AdvisoryIndex, open_index

FIXED = affected(events=[{"introduced": "1.0"}, {"fixed": "2.0"}])


def ask(index: AdvisoryIndex, version: str) -> Audited:
    return look_up(Dependency("pkg", version, "r.txt"), index, Rules())


def spoken_of(entry: dict[str, Any]) -> set[str]:
    """Every version that stands in it."""
    events = [event for each in entry.get("ranges", ()) for event in each["events"]]
    return {*entry.get("versions", ()), *(text for event in events for text in event.values())} - {"*", "0"}


@examples(250)
@given(st.lists(ENTRIES, min_size=1, max_size=4), st.lists(VERSIONS, max_size=3))
def test_it_finds_what_the_advisories_say(entries: list[dict[str, Any]], others: list[str]) -> None:
    records = [record(number, entry) for number, entry in enumerate(entries, 1)]
    said = {each["id"]: parse_advisory(each).affected[0] for each in records}
    with tempfile.TemporaryDirectory() as folder:
        index = open_index(make_index(Path(folder), *records))
    versions = set(others).union(*map(spoken_of, entries))
    near = {f"{version.partition('+')[0]}{end}" for version in versions for end in ("", "+cpu", ".0", ".1")}
    for version in sorted(each for each in versions | near if read_order(each)):
        found = ask(index, version)
        answers = {name: concerns(about, version) for name, about in said.items()}
        assert {name for finding in found.findings for name in finding.ids} == {
            name for name, answer in answers.items() if answer
        }, version
        unclear = {name for name, answer in answers.items() if answer is None}
        assert {reason.split()[0] for reason in found.reasons} == unclear, version


@pytest.mark.parametrize(
    ("version", "entry"),
    [
        ("3.0", affected(events=[{"introduced": "1.0"}])),
        ("3.0", affected(events=[{"introduced": "1.0"}, {"fixed": "2.0"}, {"introduced": "2.5"}])),
        ("2.0", affected(events=[{"introduced": "1.0"}, {"last_affected": "2.0"}])),
        ("2.0.0", affected(events=[{"introduced": "1.0"}, {"last_affected": "2.0"}])),
        ("2.0+cpu", affected(events=[{"introduced": "1.0"}, {"last_affected": "2.0"}])),
        ("3.0", affected(events=[{"introduced": "1.0"}, {"fixed": "2.0"}], versions=["3.0"])),
        ("3.0+cpu", affected(events=[{"introduced": "1.0"}, {"fixed": "2.0"}], versions=["3"])),
        ("10.0", affected(events=[{"introduced": "1.0"}, {"fixed": "2.0"}, {"introduced": "9.0"}, {"fixed": "11.0"}])),
        ("1!0.1", affected(events=[{"introduced": "1.0"}, {"fixed": "1!1.0"}])),
        ("2024-beta", affected(events=[{"introduced": "1.0"}, {"fixed": "2.0"}], versions=["2024-beta"])),
        ("2024-final-b", affected(events=[{"introduced": "1.0"}, {"fixed": "2.0"}], versions=["2024-final-b"])),
    ],
)
def test_versions_late_in_the_order_are_found(tmp_path: Path, version: str, entry: dict[str, Any]) -> None:
    for number, records in enumerate(([entry], [FIXED, entry], [entry, FIXED])):
        index = open_index(make_index(tmp_path / str(number), *[record(n, e) for n, e in enumerate(records, 1)]))
        assert ask(index, version).findings, records


@pytest.mark.parametrize("beside", [[], [record(1, FIXED)]])
def test_what_cannot_be_evaluated_is_about_every_version(tmp_path: Path, beside: list[dict[str, Any]]) -> None:
    unclear = record(2, affected(ranges=[{"type": "ECOSYSTEM", "events": [{"introduced": "banana"}]}]))
    broken = record(3, affected()) | {"schema_version": "7"}
    for number, more in enumerate((unclear, broken)):
        index = open_index(make_index(tmp_path / str(number), *beside, more, record(9, affected("other"))))
        assert ask(index, "99.0").reasons
        assert not ask(index, "99.0").findings


def test_what_is_later_than_all_was_never_heard_of(tmp_path: Path) -> None:
    """So says the answer, except of a version that an advisory names, and of projects that none is about any more."""
    withdrawn = record(2, affected("called-back", versions=["1.0"]), withdrawn="2025-01-01T00:00:00Z")
    index = open_index(make_index(tmp_path, record(1, FIXED), withdrawn))
    assert [ask(index, version).version_unheard for version in ("1.0", "1.5", "2.0", "2", "2.0+cpu", "2.0.1", "99")] == [
        False, False, False, False, False, True, True,
    ]  # fmt: skip
    assert look_up(Dependency("called-back", "5.0", "r.txt"), index, Rules()).unheard == ""
    assert look_up(Dependency("nobody", "5.0", "r.txt"), index, Rules()).unheard == "no advisory names this project"

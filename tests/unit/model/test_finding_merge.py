"""Findings and fixes are what a naive reading says, and many advisories or spans take no square of the time."""

import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.advisories import NOW, affected, make_index, record
from support.fuzz import examples

from sealwright.jobs.audit.audit import Rules, audit
from sealwright.model.advisory import Affected, concerns
from sealwright.model.dependency import Dependencies, Dependency
from sealwright.model.finding_merge import Concerning, find_fix, fixes_of, lowest_after, merge
from sealwright.model.version_order import read_order
from sealwright.model.version_spans import Cover, Span, contains
from sealwright.store.advisory_index import open_index

VERSIONS = st.sampled_from(["0.9", "1", "1.0", "1.1", "1.1a1", "1.1+cpu", "1.2", "1.10", "2", "2.dev1", "weird one"])
SPANS = st.builds(Span, st.one_of(VERSIONS, st.just("")), st.one_of(VERSIONS, st.just("")), st.booleans())
AFFECTED = st.builds(
    Affected, st.just("pkg"), st.lists(SPANS, max_size=4).map(tuple), st.lists(VERSIONS, max_size=2).map(tuple),
    st.sampled_from([(), (), (), ("odd",)]), st.lists(VERSIONS, max_size=1).map(tuple),
)  # fmt: skip


@examples(1000)
@given(st.lists(SPANS, max_size=6), VERSIONS)
def test_a_cover_contains_what_one_of_its_spans_does(spans: list[Span], version: str) -> None:
    order = read_order(version)
    if order is not None:
        assert Cover(spans).contains(order) == any(contains(span, order) for span in spans)


@examples(1000)
@given(VERSIONS, st.lists(AFFECTED, max_size=4))
def test_no_advisory_is_about_what_mends(version: str, entries: list[Affected]) -> None:
    fixes = [fix for each in entries for fix in fixes_of(each)]
    expected = lowest_after(version, fixes, lambda text: all(concerns(each, text) is False for each in entries))
    assert find_fix(version, entries, fixes) == expected


@examples(500)
@given(st.lists(st.lists(st.sampled_from("ABCDEFGHIJ"), min_size=1, max_size=3), min_size=1, max_size=8))
def test_aliases_join_what_they_connect(ids: list[list[str]]) -> None:
    found = [Concerning(first, tuple(rest), "", None, "", ()) for first, *rest in ids]
    groups: list[set[str]] = []
    for names in ids:
        shared = [group for group in groups if group & set(names)]
        groups = [group for group in groups if group not in shared] + [set(names).union(*shared)]
    assert sorted(sorted(finding.ids) for finding in merge(found, "1")) == sorted(map(sorted, groups))


def measure(folder: Any, *records: Any) -> float:
    """Seconds of work for an import and an audit."""
    start = time.thread_time()
    dependencies = Dependencies("requirements", "r.txt", (Dependency("bad", "1.2", "r.txt"),))
    result = audit(dependencies, open_index(make_index(folder, *records)), Rules(), now=NOW)
    assert result.exit_code == 20
    return time.thread_time() - start


def test_many_spans_versions_and_records(tmp_path: Any) -> None:
    """Each took a minute and more: the square of its number."""
    spans = [{"type": "ECOSYSTEM", "events": [{"introduced": f"{n}.0"}, {"fixed": f"{n}.5"}]} for n in range(1, 10_000)]
    always = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}
    versions = [f"{number}.7" for number in range(10_000)]
    assert measure(tmp_path / "spans", record(1, affected("bad", ranges=[*spans, always]))) < 15
    assert measure(tmp_path / "versions", record(1, affected("bad", versions=versions, ranges=spans))) < 15
    entries = [affected("bad", ranges=[each]) for each in (*spans, always)]
    assert measure(tmp_path / "entries", record(1, *entries)) < 15
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": f"{n}"}]} for n in range(2, 10_000)]
    records = [record(number, affected("bad", ranges=[each])) for number, each in enumerate(ranges)]
    assert measure(tmp_path / "records", *records) < 15

"""Every advisory of the shared export, each version that it lists, and what is known of each odd one."""

import pytest
from support.advisories import import_shared, is_vulnerable, shared_records

from sealwright.jobs.audit.audit import Rules, look_up
from sealwright.model.advisory import concerns, normalise
from sealwright.model.dependency import Dependency
from sealwright.store.advisory_index import AdvisoryIndex, open_index


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> AdvisoryIndex:
    path, facts = import_shared(tmp_path_factory.mktemp("index"))
    assert (facts.records, facts.withdrawn, facts.skipped_count) == (2661, 10, 0)
    return open_index(path)


def find(index: AdvisoryIndex, name: str, version: str) -> set[str]:
    """The ids of everything that an audit of one version finds."""
    found = look_up(Dependency(name, version, "r.txt"), index, Rules())
    return {number for finding in found.findings for number in finding.ids}


def test_every_listed_version_is_found(index: AdvisoryIndex) -> None:
    """About 139,000 triples of package, version and advisory: none is missed."""
    listed: dict[tuple[str, str], set[str]] = {}
    withdrawn: set[str] = set()
    count = 0
    for document in shared_records():
        if document.get("withdrawn"):
            withdrawn.add(document["id"])
            continue
        for entry in document["affected"]:
            for version in entry.get("versions", []):
                count += 1
                listed.setdefault((normalise(entry["package"]["name"]), version), set()).add(document["id"])
    found = {pin: find(index, *pin) for pin in listed}
    assert not [(pin, ids - found[pin]) for pin, ids in listed.items() if not ids <= found[pin]]
    assert not withdrawn & set().union(*found.values())
    assert count > 139_000


def test_ranges_are_what_a_naive_reading_says(index: AdvisoryIndex) -> None:
    """Over every version that stands anywhere in a package's records, also outside of the ranges."""
    by_package: dict[str, list[dict]] = {}
    for document in shared_records():
        if not document.get("withdrawn"):
            entry = document["affected"][0]
            by_package.setdefault(normalise(entry["package"]["name"]), []).append(entry | {"id": document["id"]})
    differences, unclear = [], {}
    for name, entries in by_package.items():
        known = {index.advisory(number).id: affected for number, affected in index.entries(name)}
        versions = {version for entry in entries for version in entry.get("versions", [])}
        unclear |= {number: affected.unclear[0] for number, affected in known.items() if affected.unclear}
        for version in sorted(versions)[:: max(1, len(versions) // 20)]:
            ids = find(index, name, version)
            for entry in entries:
                found = concerns(known[entry["id"]], version)
                assert bool(found) == (entry["id"] in ids)
                if found is not None and found != is_vulnerable(version, entry):
                    differences.append((name, version, entry["id"]))
    assert not differences
    assert unclear == {
        "PYSEC-2019-125": "fixed '2019-09-12' is not a version of PEP 440",
        "PYSEC-2021-371": "fixed '0.2.0-n653' is not a version of PEP 440",
    }

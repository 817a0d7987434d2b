"""OSV records as they are, and as they should not be."""

from typing import Any

import pytest
from support.advisories import affected, record

from sealwright.model.advisory import concerns
from sealwright.model.osv_record import AdvisoryError, parse_advisory
from sealwright.model.severity import Severity, score


def test_explicit_versions_and_several_entries() -> None:
    other = {"package": {"ecosystem": "npm", "name": "pkg"}, "versions": ["9"]}
    advisory = parse_advisory(record(1, affected(versions=["1.0", "weird one"]), affected("P_k.G"), other))
    first, second = advisory.affected
    assert (first.package, second.package) == ("pkg", "p-k-g")
    assert concerns(first, "1.0.0") is True
    assert concerns(first, "weird one") is True
    assert concerns(first, "9") is False
    assert concerns(first, "another weird one") is None
    assert concerns(second, "1") is None  # it says nothing, so nothing is known


@pytest.mark.parametrize(
    "spoilt",
    [
        {"schema_version": "2.0.0"},
        {"schema_version": 1},
        {"withdrawn": "yes"},
        {"affected": [affected() | {"versions": "1.0"}]},
        {"affected": [affected(versions=[1.0])]},
        {"aliases": "CVE-1"},
        {"affected": [affected(), {"package": "pkg"}]},
        {"affected": [affected(ranges={"a": 1})]},
    ],
)
def test_a_broken_record_still_names_its_packages(spoilt: dict[str, Any]) -> None:
    with pytest.raises(AdvisoryError) as caught:
        parse_advisory(record() | spoilt)
    assert (caught.value.id, caught.value.packages) == ("PYSEC-2020-1", ("pkg",))


@pytest.mark.parametrize(
    "nothing", [None, [], "text", {}, {"id": "X-1"}, {"id": "\x1b[2J"}, record() | {"affected": []}]
)
def test_what_is_no_record(nothing: Any) -> None:
    with pytest.raises(AdvisoryError):
        parse_advisory(nothing)


@pytest.mark.parametrize("ecosystem", ["PyPI", "pypi", "PYPI", "PyPI ", " pypi:x", "PyPI:https://example.org/simple"])
def test_pypi_in_every_spelling_is_ours(ecosystem: str) -> None:
    package = {"ecosystem": ecosystem, "name": "P_k.G"}
    (found,) = parse_advisory(record(1, {"package": package, "versions": ["1.0"]})).affected
    assert (found.package, concerns(found, "1.0")) == ("p-k-g", True)


@pytest.mark.parametrize("name", ["P_k.G ", "\tP_k.G\n", "\u00a0P_k.G"])
def test_spaces_around_a_name_hide_nothing(name: str) -> None:
    (found,) = parse_advisory(record(1, affected(name, versions=["1.0"]))).affected
    assert (found.package, concerns(found, "1.0")) == ("p-k-g", True)
    with pytest.raises(AdvisoryError) as caught:
        parse_advisory(record(1, affected(name, versions=[1.0])))
    assert caught.value.packages == ("p-k-g",)


@pytest.mark.parametrize(
    "package",
    [{"name": "P_k.G"}, {"ecosystem": "", "name": "P_k.G"}, {"ecosystem": None, "name": "P_k.G"}, {"ecosystem": 1, "name": "P_k.G"}],
)  # fmt: skip
def test_an_entry_of_no_ecosystem_may_be_ours(package: dict[str, Any]) -> None:
    with pytest.raises(AdvisoryError) as caught:
        parse_advisory(record(1, {"package": package, "versions": ["1.0"]}))
    assert caught.value.packages == ("p-k-g",)


def test_a_purl_without_an_ecosystem_is_not_passed_over() -> None:
    with pytest.raises(AdvisoryError):
        parse_advisory(record(1, {"package": {"purl": "pkg:pypi/pkg"}, "versions": ["1.0"]}))


def test_semver_alone_says_nothing_about_versions() -> None:
    semver = [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}]
    assert concerns(parse_advisory(record(1, affected(ranges=semver))).affected[0], "1.0") is None


def test_git_alone_says_nothing_about_versions() -> None:
    git = [{"type": "GIT", "repo": "https://example.org", "events": [{"introduced": "0"}]}]
    assert concerns(parse_advisory(record(1, affected(ranges=git))).affected[0], "1.0") is None
    listed = parse_advisory(record(1, affected(ranges=git, versions=["1.0"]))).affected[0]
    assert (concerns(listed, "1.0"), concerns(listed, "2.0")) == (True, False)


@pytest.mark.parametrize(
    ("kind", "vector", "expected"),
    [
        ("CVSS_V2", "AV:N/AC:L/Au:N/C:P/I:P/A:P", (7.5, "high")),
        ("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", (9.8, "critical")),
        ("CVSS_V4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", (9.3, "critical")),
        ("CVSS_V3", "CVSS:3.1/AV:N", None),
        ("CVSS_V3", "garbage", None),
        ("CVSS_V9", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", None),
    ],
)
def test_scores(kind: str, vector: str, expected: tuple[float, str] | None) -> None:
    found = score((Severity(kind, vector),))
    assert (found[:2] if found else None) == expected


def test_the_newest_cvss_counts() -> None:
    vectors = ("AV:N/AC:L/Au:N/C:P/I:P/A:P", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
    found = score((Severity("CVSS_V2", vectors[0]), Severity("CVSS_V3", vectors[1])))
    assert found is not None
    assert found.vector == vectors[1]


def test_a_semver_range_beside_versions_or_another_range_is_not_passed_over() -> None:
    """Beside a range no versions need be listed: whatever only such a range is about would be clean."""
    semver = {"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}
    ecosystem = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0.5"}]}
    for entry in (affected(versions=["1.0"], ranges=[semver]), affected(ranges=[semver, ecosystem])):
        (found,) = parse_advisory(record(1, entry)).affected
        assert concerns(found, "1.5") is None

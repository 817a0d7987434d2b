"""Ordinary names are read as packaging reads them; others are left to packaging."""

import packaging.utils
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from support.fuzz import examples

from sealwright.model.ordinary_names import canonical_project, is_ordinary_version, split_ordinary

NAMES = st.text("aZ09-_.é\n ", max_size=6)
VERSIONS = st.sampled_from(["1", "1.0", "1.0rc1", "1.0.post1", "1.0.dev2", "1.0rc1.post2.dev3", "01.0"]) | st.text(
    "10.rcdevpost+!-", max_size=8
)
TAGS = st.sampled_from(
    ["py3", "py2.py3", "none", "any", "manylinux_2_17_x86_64.manylinux2014_x86_64", "cp311"]
) | st.text("ap3._-é", max_size=4)


def packaging_says(file: str) -> tuple[str, Version] | None:
    try:
        if file.endswith(".whl"):
            return packaging.utils.parse_wheel_filename(file)[:2]
        return packaging.utils.parse_sdist_filename(file)
    except ValueError:
        return None


def held_against_packaging(file: str) -> None:
    found = split_ordinary(file)
    if found:
        assert (found[0], Version(found[1])) == packaging_says(file)


@examples(500)
@given(NAMES, VERSIONS, st.sampled_from(["", "-1", "-7b", "-", "-x"]), TAGS, TAGS, TAGS)
def test_wheels(name: str, version: str, build: str, python: str, abi: str, platform: str) -> None:
    held_against_packaging(f"{name}-{version}{build}-{python}-{abi}-{platform}.whl")


@examples(500)
@given(NAMES, VERSIONS)
def test_sdists(name: str, version: str) -> None:
    held_against_packaging(f"{name}-{version}.tar.gz")


@examples(500)
@given(NAMES | st.text(max_size=5))
def test_names_of_projects(name: str) -> None:
    try:
        expected = packaging.utils.canonicalize_name(name, validate=True)
    except ValueError:
        with pytest.raises(ValueError, match="name"):
            canonical_project(name)
    else:
        assert canonical_project(name) == expected
    assert canonical_project(name, validate=False) == packaging.utils.canonicalize_name(name)


@examples(500)
@given(VERSIONS | st.text(max_size=6))
def test_versions(text: str) -> None:
    if is_ordinary_version(text):
        Version(text)


@pytest.mark.parametrize(
    "file",
    [
        "a_b-1.0-py3-none-any.whl", "a_b-1.0rc1-3-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "A.b_c-1.0.post1.tar.gz", "a-1.0.dev1.tar.gz",
    ],
)  # fmt: skip
def test_what_most_releases_hold_is_ordinary(file: str) -> None:
    assert split_ordinary(file)


def test_more_digits_than_a_number_takes_are_not_ordinary() -> None:
    assert not is_ordinary_version("1" * 5000)

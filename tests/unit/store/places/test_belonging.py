"""Which files belong to a version: what an installer would read in a name, and nothing that only looks like it."""

import pytest
from packaging.version import Version

from sealwright.store.places.belonging import is_fetched, is_plain_name, version_of


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("sample_project-1.0-py3-none-any.whl", "1.0"), ("Sample.Project-1.0.tar.gz", "1.0"), ("sample-project-1.0.tar.gz", "1.0"),
        ("sample-project-1.0.zip", "1.0"), ("sample-project-1.0.tar.bz2", "1.0"), ("sample-project-1.0.TGZ", "1.0"),
        ("sample_project-1.0-py3.11.egg", "1.0"), ("sample-project-1.0.win-amd64.exe", "1.0"), ("sample_project-1.0.cdx.json", "1.0"),
        ("sample-project-extra-1.0.tar.gz", None), ("sample-1.0.tar.gz", None), ("other_sample_project-1.0-py3-none-any.whl", None),
        ("sample-project-1.0", None), ("sample-project-.tar.gz", None), ("sample-project-latest.zip", None),
        ("x" * 300 + "-1.0.zip", None), ("sample_project-1.0-" + "py3." * 200 + "py3-none-any.whl", None), ("", None),
        ("sample__project-1.0-py3-none-any.whl", "1.0"), ("sample_project-1.0_1-py3-none-any.whl", "1.0.post1"),
        ("sample_project-1.0-py3.py\u017f-none-any.whl", "1.0"), ("other__project-1.0-py3-none-any.whl", None),
        ("sample_project-1.0-py3" + ".p" * 9 + "-none" + ".n" * 9 + "-any" + ".a" * 9 + ".whl", "1.0"),
    ],
)  # fmt: skip
def test_the_version_in_a_name(name: str, version: str | None) -> None:
    assert version_of(name, "sample-project") == (Version(version) if version else None)


@pytest.mark.parametrize("name", ["..", "../x", "x/y", "x\\y", "-x", ".x", "x\n", "\u202ex", "", "x" * 256, "x\0"])
def test_names_that_are_not_plain(name: str) -> None:
    assert not is_plain_name(name)


def test_only_wheels_are_for_a_platform() -> None:
    for name in ("a-1.0.tar.gz", "a-1.0-py3-none-any.whl", "a-1.0.cdx.json"):
        assert not is_fetched(name, everything=False)
    foreign = "a-1.0-cp39-cp39-win_amd64.whl"
    assert is_fetched(foreign, everything=False)
    assert not is_fetched(foreign, everything=True)
    assert is_fetched("a-1.0.zip", everything=True)

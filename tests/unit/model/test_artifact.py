"""Names of artifacts: what is one, what could be taken for one, and names made to cost."""

import time

import pytest

from sealwright.model.artifact import ArtifactKind, ArtifactNameError, looks_released, parse_artifact_name


@pytest.mark.parametrize(
    ("name", "kind", "version"),
    [
        ("a_b-1.0-py3-none-any.whl", ArtifactKind.WHEEL, "1.0"),
        ("a_b-1.0-3-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", ArtifactKind.WHEEL, "1.0"),
        ("a_b-1.0+local.1.tar.gz", ArtifactKind.SDIST, "1.0+local.1"),
        ("a_b-1!2.0rc1.tar.gz", ArtifactKind.SDIST, "1!2.0rc1"),
        ("a_b-1.0.cdx.json", ArtifactKind.SBOM, "1.0"),
    ],
)
def test_names_of_artifacts(name: str, kind: ArtifactKind, version: str) -> None:
    found = parse_artifact_name(name)
    assert (found.kind, found.project, str(found.version)) == (kind, "a-b", version)


@pytest.mark.parametrize(
    "name",
    [
        "", "a.whl", "a-1.0.whl", "a-x-py3-none-any.whl", "a.tar.gz", "a-1.0.zip", "-1.0.tar.gz", "1.0.cdx.json", "../a-1.0.tar.gz",
        "a-1.0.tar.gz\n", "ä-1.0.tar.gz", "a-1.0.TAR.GZ", "a-1.0\\b.tar.gz", "a-" + "1" * 300 + ".tar.gz", "SHA256SUMS", "a-1.0.tar.gz.asc",
    ],
)  # fmt: skip
def test_names_of_nothing(name: str) -> None:
    with pytest.raises(ArtifactNameError):
        parse_artifact_name(name)


def test_a_name_that_stands_for_a_million_tags() -> None:
    """packaging makes every combination of the three tag sets."""
    parts = [".".join(f"{letter}{n}" for n in range(20)) for letter in "cde"]
    start = time.thread_time()
    for _ in range(1000):
        with pytest.raises(ArtifactNameError, match="too many tags"):
            parse_artifact_name(f"p-1.0-{'-'.join(parts)}.whl")
    assert time.thread_time() - start < 1


@pytest.mark.parametrize(
    "name",
    [
        "a.whl",
        "A.WHL",
        "a.tar.gz",
        "a.zip",
        "a.Tgz",
        "a.egg",
        "a.exe",
        "a.cdx.json",
        "a.spdx.json",
        "index.html",
        "page.HTM",
        "x.shtml",
        "x.html.gz",
        "x.txt.html.Z",
    ],
)
def test_what_pip_or_a_person_could_take_for_a_release(name: str) -> None:
    assert looks_released(name)


@pytest.mark.parametrize(
    "name",
    ["README.md", "SHA256SUMS", "a.whl.asc", "a.tar.gz.sigstore.json", "htmlfile", "notes.txt", "index.html.asc"],
)
def test_what_nobody_takes_for_one(name: str) -> None:
    assert not looks_released(name)

"""Locks, SBOMs, archives and environments: what is in them, and what of it cannot be audited."""

import importlib.metadata
import io
import json
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sealwright.collect.targets.dependencies import collect_dependencies
from sealwright.errors import UsageError
from sealwright.model.dependency import Dependencies
from sealwright.sandbox.project import build_sdist, build_wheel

PYLOCK = """
lock-version = "1.0"
created-by = "a test"
[[packages]]
name = "Flask"
version = "0.5"
marker = "python_version < '3'"
sdist = { url = "https://example.org/Flask-0.5.tar.gz", hashes = { sha256 = "00" } }
[[packages]]
name = "vcs"
version = "1.0"
[packages.vcs]
type = "git"
url = "https://example.org/x"
commit-id = "abc"
[[packages]]
name = "folder"
directory = { path = "." }
[[packages]]
name = "archive"
version = "1.0"
archive = { url = "https://example.org/x.whl", hashes = { sha256 = "00" } }
[[packages]]
name = "none"
sdist = { url = "https://example.org/none-1.tar.gz" }
[[packages]]
version = "1.0"
"""
UV = """
version = 1
requires-python = ">=3.11"
manifest = { members = ["me", "member"] }
package = [
    { name = "me", version = "0.1", source = { editable = "." } },
    { name = "member", version = "0.2", source = { virtual = "packages/member" } },
    { name = "other", version = "0.2", source = { editable = "../other" } },
    { name = "flask", version = "0.5", source = { registry = "https://example.org/simple" } },
    { name = "git", version = "1.0", source = { git = "https://example.org/x?rev=1#abc" } },
    { name = "unknown", version = "1.0" },
]
"""


def collect(path: Path, content: str) -> Dependencies:
    path.write_text(content)
    return collect_dependencies(path)


def say(found: Dependencies) -> list[tuple[str, str, str]]:
    return [(each.name, each.version, each.problem.partition(":")[0]) for each in found.entries]


def test_pylock(tmp_path: Path) -> None:
    found = collect(tmp_path / "pylock.toml", PYLOCK)
    assert say(found) == [
        ("flask", "0.5", ""),
        ("vcs", "1.0", "it comes from a repository"),
        ("folder", "", "it comes from a folder"),
        ("archive", "1.0", "it comes from a URL"),
        ("none", "", "the lock states no version"),
        ("None", "", "an entry of the lock without a usable name"),
    ]
    assert found.entries[0].marker == "python_version < '3'"


def own(**directory: Any) -> str:
    stated = ", ".join(f"{key} = {json.dumps(value)}" for key, value in directory.items())
    return f'lock-version = "1.0"\n[[packages]]\nname = "Me.Too"\ndirectory = {{ {stated} }}\n'


@pytest.mark.parametrize("name", ["me-too", "Me_Too"])
@pytest.mark.parametrize(
    "directory", [{"path": "."}, {"path": ".", "editable": True}, {"path": ".", "editable": False}]
)
def test_a_pylock_of_the_project_itself(tmp_path: Path, name: str, directory: dict[str, Any]) -> None:
    """`uv export` and `pip lock -e .` list it: what they lock for is no dependency, as in a uv.lock."""
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
    found = collect(
        tmp_path / "pylock.toml", own(**directory) + '[[packages]]\nname = "vcs"\nversion = "1"\nvcs = {}\n'
    )
    assert say(found) == [("vcs", "1", "it comes from a repository")]
    assert found.product == ("me-too", "")
    assert found.notes == ("me-too is this project's own, not a dependency",)
    alone = collect(tmp_path / "pylock.toml", own(**directory))
    assert alone.entries == (), "and a lock of nothing else has no dependencies, which is no answer"


ELSE = ['[project]\nname = "other"', "[project]", "[tool.x]", "project = 1", "[project]\nname = 1", "[", "", None]


@pytest.mark.parametrize("content", ELSE)
def test_a_folder_of_a_pylock_that_no_pyproject_calls_so_is_a_dependency(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "pyproject.toml").write_text(content)
    found = collect(tmp_path / "pylock.toml", own(path="."))
    assert say(found) == [("me-too", "", "it comes from a folder")]
    assert (found.product, found.notes) == (None, ())


@pytest.mark.parametrize(
    "directory",
    [
        {"path": ".."}, {"path": "sub"}, {"path": "./.."}, {"path": ". "}, {"path": ""}, {"path": 1}, {"editable": True},
        {"path": ".", "subdirectory": "vendored"}, {"path": ".", "subdirectory": 1},
    ],
)  # fmt: skip
def test_another_folder_of_a_pylock_is_a_dependency(tmp_path: Path, directory: dict[str, Any]) -> None:
    """Also where it is called like the project, as a copy of it from elsewhere would be."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "me-too"\n')
    assert say(collect(tmp_path / "pylock.toml", own(**directory))) == [("me-too", "", "it comes from a folder")]


@pytest.mark.parametrize(
    "more", ['version = "1.0"\nsdist = { url = "https://example.org/me_too-1.0.tar.gz" }', "vcs = {}"]
)
def test_a_package_of_two_sources_is_not_the_project_itself(tmp_path: Path, more: str) -> None:
    """The standard allows one; an installer may take the other."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "me-too"\n')
    assert [name for name, _, _ in say(collect(tmp_path / "pylock.toml", own(path=".") + more))] == ["me-too"]


@pytest.mark.parametrize("name", ["", 1, "-", None])
@pytest.mark.parametrize("project", [None, '[project]\nname = ""\n', '[project]\nname = "-"\n'])
def test_what_has_no_name_is_not_the_project_that_has_none(tmp_path: Path, name: object, project: str | None) -> None:
    """Nothing said on both sides is no match: an entry without a name was not audited."""
    if project is not None:
        (tmp_path / "pyproject.toml").write_text(project)
    stated = "" if name is None else f"name = {json.dumps(name)}\n"
    found = collect(
        tmp_path / "pylock.toml", f'lock-version = "1.0"\n[[packages]]\n{stated}directory = {{ path = "." }}\n'
    )
    assert [each.problem for each in found.entries] == ["an entry of the lock without a usable name"]
    assert found.product is None


def test_uv_lock(tmp_path: Path) -> None:
    found = collect(tmp_path / "uv.lock", UV)
    assert say(found) == [
        ("other", "0.2", "an editable install"),
        ("flask", "0.5", ""),
        ("git", "1.0", "it comes from a repository"),
        ("unknown", "1.0", "the lock does not say where it comes from"),
    ]
    assert found.product == ("me", "0.1")
    assert found.notes == tuple(f"{name} is this project's own, not a dependency" for name in ("me", "member"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pylock.toml", "lock-version = '2.0'"), ("pylock.toml", "x = "), ("pylock.toml", "lock-version='1.0'\npackages=1"),
        ("pylock.toml", "lock-version='1.0'\npackages=[1]"), ("uv.lock", "version = 2"), ("uv.lock", "version=1\npackage=[1]"),
        ("uv.lock", "version=1\n[manifest]\nmembers=1"),
        ("uv.lock", 'version=1\n[[package]]\nname="a"\nversion="1.0"\ndependencies="b"'),
        ("uv.lock", 'version=1\n[[package]]\nname="a"\nversion="1.0"\noptional-dependencies="b"'),
        ("pylock.toml", "a=" + "[" * 5000), ("x.json", "{}"), ("x.json", "["), ("x.json", '{"bomFormat": "CycloneDX"}'),
        ("x.json", '{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [1]}'),
        ("x.json", "[" * 100_000), ("x.json", '{"bomFormat":"CycloneDX","bomFormat":"CycloneDX","specVersion":"1.6"}'),
    ],
)  # fmt: skip
def test_broken_files_are_refused(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(UsageError, match=name):
        collect(tmp_path / name, content)


OTHER_FILES = [
    ("good-1.0-py3-none-any.whl", ""),
    ("Good-1.0.0-py3-none-any.whl", ""),
    ("good-1.0%2Bcpu-py3-none-any.whl?x=y#z", ""),
    ("good-1.0.tar.gz", ""),
    ("evil-1.0-py3-none-any.whl", "one of its files is evil-1.0-py3-none-any.whl"),
    ("good-0.9-py3-none-any.whl", "one of its files is good-0.9-py3-none-any.whl"),
    ("good-evil-1.0.tar.gz", "one of its files is good-evil-1.0.tar.gz"),
    ("good.whl", "one of its files is good.whl"),
    ("evil-0.1.tar.xz", "one of its files is evil-0.1.tar.xz"),
    ("-" * 100_000 + ".tar.gz", "one of its files is " + "-" * 200),
]


@pytest.mark.parametrize(("file", "problem"), OTHER_FILES)
def test_a_file_of_something_else_in_a_lock(tmp_path: Path, file: str, problem: str) -> None:
    """Advisories are asked about the name; what is installed is the file."""
    kind = "sdist" if ".tar" in file else "wheels"
    there = f'{{ url = "https://example.org/{file}" }}'
    files = f"{kind} = {there if kind == 'sdist' else f'[{there}]'}"
    start = 'name = "good"\nversion = "1.0"\n' + files
    pylock = collect(tmp_path / "pylock.toml", f'lock-version = "1.0"\n[[packages]]\n{start}')
    source = 'source = { registry = "https://example.org/simple" }'
    uv = collect(tmp_path / "uv.lock", f"version = 1\n[[package]]\n{start}\n{source}")
    assert say(pylock) == say(uv) == [("good", "1.0", problem)]


def test_sbom(tmp_path: Path) -> None:
    components: list[Any] = [
        {
            "name": "Flask",
            "version": "0.5",
            "purl": "pkg:pypi/Flask@0.5",
            "components": [{"name": "x", "purl": "pkg:pypi/x@1"}],
        },
        {"name": "zlib", "version": "1.0", "purl": "pkg:generic/zlib@1.0"},
        {"name": "plain", "version": "1.0"},
        {"name": "flask", "version": "0.6", "purl": "pkg:pypi/flask@0.5"},
        {"name": "loose", "purl": "pkg:pypi/loose"},
        {"name": "torch", "version": "1.0+cpu", "purl": "pkg:pypi/torch@1.0%2Bcpu"},
        {"name": "fork", "version": "1", "purl": "pkg:pypi/fork@1?vcs_url=git%2Bhttps://example.org/fork@abc"},
        {"name": "file", "version": "1", "purl": "pkg:pypi/file@1?download_url=https://example.org/file.whl"},
        {"name": "evil", "version": "1", "purl": "pkg:pypi/good@1"},
        {"name": "Zope_.Event", "group": "zope", "version": "1", "purl": "pkg:pypi/zope-event@1"},
        {"name": "index", "version": "1", "purl": "pkg:pypi/index@1?repository_url=https://example.org/simple"},
    ]
    inside = [{"name": "vendored", "version": "1", "purl": "pkg:pypi/vendored@1"}]
    main = {"name": "Me", "version": "3", "purl": "pkg:pypi/me@3", "components": inside}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"component": main},
        "components": components,
    }
    found = collect(tmp_path / "pkg.cdx.json", json.dumps(document))
    assert say(found) == [
        ("flask", "0.5", ""),
        ("zlib", "1.0", "its purl pkg"),
        ("plain", "1.0", "it has no purl"),
        ("flask", "0.6", "its version is not the one of its purl, 0.5"),
        ("loose", "", "its purl states no version"),
        ("torch", "1.0+cpu", ""),
        ("fork", "1", "it comes from elsewhere than an index"),
        ("file", "1", "it comes from elsewhere than an index"),
        ("good", "1", "its name evil is not the one of its purl"),
        ("zope-event", "1", ""),
        ("index", "1", ""),
        ("x", "1", ""),
        ("vendored", "1", ""),
    ]
    assert found.product == ("me", "3")


@pytest.mark.parametrize(
    ("main", "product"),
    [
        ({"name": "Me", "version": "3"}, ("me", "3")),
        ({"name": "Me"}, ("me", "")),
        ({"name": "x", "purl": "pkg:pypi/Me@3"}, ("me", "3")),
        ({"name": "me", "version": "3", "purl": "pkg:npm/me@3"}, None),
        ({"name": "me", "version": "3", "purl": "pkg:oci/me@sha256%3A00"}, None),
        ({"name": "me", "version": "3", "purl": 5}, None),
        ({"name": "example.org/me", "version": "3"}, None),
        ({"name": "\ud800", "version": "3"}, None),
        ({"name": "me", "version": "\ud800"}, ("me", "")),
        ({"name": "me", "version": 3}, ("me", "")),
    ],
)
def test_what_an_sbom_is_of(tmp_path: Path, main: dict[str, Any], product: tuple[str, str] | None) -> None:
    """What is no project of PyPI must not be taken for the one of that name, for which a VEX statement may be meant."""
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": main}, "components": []}
    assert collect(tmp_path / "x.json", json.dumps(document)).product == product


def test_a_component_with_a_range_of_versions(tmp_path: Path) -> None:
    component = {"name": "good", "isExternal": True, "versionRange": "vers:pypi/<3", "purl": "pkg:pypi/good@99"}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.7", "components": [component]}
    found = collect(tmp_path / "x.json", json.dumps(document))
    assert say(found) == [("good", "99", "it states a range of versions, not the one that is there")]


INCOMPLETE: list[tuple[dict[str, Any], str]] = [
    ({"dependencies": [{"ref": "me", "dependsOn": ["a", "b"]}, {"ref": "b"}, {"ref": "s", "dependsOn": ["t"]}]}, ""),
    ({"dependencies": [{"ref": "gone"}]}, "none of its components, so it is not complete: gone"),
    ({"dependencies": [{"ref": each, "dependsOn": ["a"]} for each in "vwxyz"]}, "not complete: v, w, x and 2 more"),
    ({"dependencies": [{"ref": 5}]}, "not complete: nothing"),
    ({"compositions": [{"aggregate": "complete"}, {"aggregate": "unknown"}]}, ""),
    ({"compositions": [{"aggregate": "incomplete", "assemblies": ["me"]}]}, "says that it is not complete: incomplete"),
    (
        {"vulnerabilities": [{"id": "CVE-2020-1"}]},
        "itself names vulnerabilities, which --vex reads and nothing else: CVE",
    ),
    (
        {"externalReferences": [{"type": "bom", "url": "urn:cdx:1/1"}]},
        "others, whose components are not audited: urn:cdx",
    ),
    (
        {"metadata": {"component": {"bom-ref": "me", "externalReferences": [{"type": "bom", "url": "x"}] * 2}}},
        "audited: x",
    ),
    ({"externalReferences": [{"type": "website", "url": "https://example.org"}, 5], "vulnerabilities": []}, ""),
    ({"compositions": [{"aggregate": "incomplete_third_party_only"}]}, "complete: incomplete_third_party_only"),
]


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ([{"name": "x"}, {"name": "sealwright:installed:editable", "value": "true"}], "an editable install"),
        ([{"name": "sealwright:installed:local", "value": "true"}], "installed from a folder or a file"),
        ([{"name": "sealwright:installed:local", "value": "false"}], ""),
        ([1, {"name": [], "value": {}}], ""), ({}, ""), (None, ""),
    ],
)  # fmt: skip
def test_what_an_sbom_says_was_installed_from_a_folder(tmp_path: Path, properties: Any, problem: str) -> None:
    """Its purl is that of a release: the address of a folder is nobody's business."""
    component = {"name": "a", "version": "1", "purl": "pkg:pypi/a@1", "properties": properties}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component]}
    assert say(collect(tmp_path / "x.json", json.dumps(document))) == [("a", "1", problem)]


@pytest.mark.parametrize(("more", "note"), INCOMPLETE)
def test_an_sbom_that_is_not_complete(tmp_path: Path, more: dict[str, Any], note: str) -> None:
    found = collect(tmp_path / "x.json", json.dumps(nested_bom() | more))
    assert len(found.entries) == 2
    assert len(found.notes) == bool(note)
    assert note in "".join(found.notes)


@pytest.mark.parametrize(
    ("graph", "unlisted"),
    [
        ([{"ref": "me", "dependsOn": ["a", "gone"]}, {"ref": "gone"}], ["gone"]),
        ([{"ref": "a", "provides": ["gone"]}], ["gone"]),
        ([{"ref": "a", "dependsOn": [5]}], ["nothing"]),
        (
            [{"ref": "a", "dependsOn": [f"x{each}" for each in range(1002)]}],
            [f"x{n}" for n in range(1000)] + ["2 more"],
        ),
    ],
)
def test_what_an_sbom_depends_on_and_does_not_list(tmp_path: Path, graph: list[Any], unlisted: list[str]) -> None:
    """It was named and nobody looked at it: as in a uv.lock, it is not audited."""
    found = collect(tmp_path / "x.json", json.dumps(nested_bom() | {"dependencies": graph}))
    assert [entry.name for entry in found.entries[2:]] == unlisted
    assert {entry.problem for entry in found.entries[2:]} == {
        "a component depends on it, and the SBOM does not list it"
    }
    assert found.notes == ()


def test_an_sbom_of_many_components(tmp_path: Path) -> None:
    """Its graph takes as long as it is, and no more."""
    refs = [f"pkg:pypi/part-{number}@1.0" for number in range(20_000)]
    parts = [{"name": ref.split("/")[1].split("@")[0], "version": "1.0", "purl": ref, "bom-ref": ref} for ref in refs]
    graph = [{"ref": ref, "dependsOn": [after]} for ref, after in zip(refs, refs[1:] + refs[:1], strict=True)]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": parts, "dependencies": graph}
    start = time.process_time()
    found = collect(tmp_path / "pkg.cdx.json", json.dumps(document))
    assert time.process_time() - start < 4
    assert len(found.entries) == len(refs)


def nested_bom() -> dict[str, Any]:
    inner = {"bom-ref": "b", "name": "b", "version": "1", "purl": "pkg:pypi/b@1"}
    outer = {"bom-ref": "a", "name": "a", "version": "1", "purl": "pkg:pypi/a@1", "components": [inner]}
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": {"bom-ref": "me", "name": "me"}},
        "components": [outer], "services": [{"bom-ref": "s", "services": [{"bom-ref": "t"}]}],
    }  # fmt: skip


def test_archives(tmp_path: Path) -> None:
    for build in (build_wheel, build_sdist):
        found = collect_dependencies(build(tmp_path, "tiny-project", "1.2.3"))
        assert say(found) == [("tiny-project", "1.2.3", "")]
        assert found.product == ("tiny-project", "1.2.3")
    (tmp_path / "broken-1.0-py3-none-any.whl").write_bytes(b"PK")
    with pytest.raises(UsageError, match="broken"):
        collect_dependencies(tmp_path / "broken-1.0-py3-none-any.whl")


def write_sdist(folder: Path, fields: str, project: str | None = None, called: str = "pyproject.toml") -> Path:
    path = folder / "tiny-1.0.tar.gz"
    contents = {"PKG-INFO": f"{fields}Name: tiny\nVersion: 1.0\n"} | ({} if project is None else {called: project})
    with tarfile.open(path, "w:gz") as archive:
        for name, text in contents.items():
            entry = tarfile.TarInfo(f"tiny-1.0/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ("Metadata-Version: 2.2\n", True),
        ("Metadata-Version: 2.4\nDynamic: Classifier\nDynamic: License-File\n", True),
        ("Metadata-Version: 2.10\n", True),
        ("Metadata-Version: 2.4\nDynamic: Requires-Dist\n", False),
        ("Metadata-Version: 2.4\nDynamic: Classifier\nDynamic:  requires-dist \n", False),
        ("Metadata-Version: 2.1\n", False),
        ("Metadata-Version: 1.0\n", False),
        ("Metadata-Version: two\n", False),
        ("", False),
    ],
)
def test_an_sdist_whose_dependencies_only_its_build_knows(tmp_path: Path, fields: str, known: bool) -> None:
    """PEP 643: before metadata 2.2, or where a field is dynamic, what is missing in it may come when it is built."""
    found = say(collect_dependencies(write_sdist(tmp_path, fields)))
    assert found[0] == ("tiny", "1.0", "")
    assert [each[2] for each in found[1:]] == ([] if known else ["they are only known once it is built"])


STATIC = "Metadata-Version: 2.4\nRequires-Dist: good>=1,<2\nRequires-Dist: Odd_One==1.0 ; extra == 'x'\n"


@pytest.mark.parametrize(
    ("project", "more"),
    [
        ("", []), ("[tool.x]\n", []), ("[project]\nname = 'tiny'\n", []),
        ("[project]\ndependencies = ['Good <2, >=1']\noptional-dependencies = {x = ['odd.one == 1.0'], y = ['tiny[x]']}\n", []),
        ("[project]\ndependencies = ['good>=1', 'good>=1']\n", [("good", "", "not pinned to one version, but to >=1")]),
        ("[project]\ndependencies = ['good==1.5', 'evil==1.0; os_name == \"x\"']\n", [("good", "1.5", ""), ("evil", "1.0", "")]),
        ("[project]\noptional-dependencies = {x = ['odd-one==0.9']}\n", [("odd-one", "0.9", "")]),
        ("[project]\ndependencies = ['good @ https://example.org/good-1.0.tar.gz']\n", [("good", "", "a URL")]),
        ("[project]\noptional-dependencies = {x = ['odd-one==v1'], y = ['Odd_One==1.0.0']}\n", []),
        ("[project]\ndependencies = ['odd-one~=1.0', 'odd-one==1.0-1']\n",
         [("odd-one", "", "not pinned to one version, but to ~=1.0"), ("odd-one", "1.0-1", "")]),
        (f"[project]\ndependencies = ['good=={'9' * 5000}']\n", [("good", "9" * 5000, "")]),
        ("[project]\ndependencies = ['))']\n", [("))", "", "not a requirement (PEP 508)")]),
        ("[project]\ndependencies = 'evil==1.0'\n", [("its dependencies", "", "its pyproject.toml cannot be read")]),
        ("project = 1\n", [("its dependencies", "", "its pyproject.toml cannot be read")]),
        ("[project]\noptional-dependencies = ['x']\n", [("its dependencies", "", "its pyproject.toml cannot be read")]),
        ("[", [("its dependencies", "", "its pyproject.toml cannot be read")]),
    ],
)  # fmt: skip
def test_an_sdist_that_requires_more_than_it_states(tmp_path: Path, project: str, more: Any) -> None:
    """What stands in its pyproject.toml is what a build takes, and uv takes it without one."""
    found = say(collect_dependencies(write_sdist(tmp_path, STATIC, project)))
    assert found[:3] == [("tiny", "1.0", ""), ("good", "", found[1][2]), ("odd-one", "1.0", "")]
    assert found[3:] == more


def test_another_pyproject_toml_in_an_sdist(tmp_path: Path) -> None:
    text = "[project]\ndependencies = ['evil==1.0']\n"
    assert len(collect_dependencies(write_sdist(tmp_path, STATIC, text, "PyProject.toml")).entries) == 4
    assert len(collect_dependencies(write_sdist(tmp_path, STATIC, text, "tests/pyproject.toml")).entries) == 3


@pytest.mark.parametrize("build", [build_wheel, build_sdist])
def test_an_archive_that_is_another_version_inside(tmp_path: Path, build: Any) -> None:
    """Whoever reads its name would install the one, and the advisories would be asked about the other."""
    with pytest.raises(UsageError, match=r"states the version 9\.0 inside"):
        collect_dependencies(build(tmp_path, "tiny", "1.0", inside="9.0"))
    assert say(collect_dependencies(build(tmp_path, "tiny", "1.0", inside="1.0.0"))) == [("tiny", "1.0.0", "")]


def test_the_requirements_of_a_wheel(tmp_path: Path) -> None:
    """Also those of an extra, and those in the form of before PEP 508: nobody knows which a user asks for."""
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    requires = [
        "Bad_One==1.0; extra == 'x'",
        "old (==2.0)",
        "loose>=1",
        "u @ https://example.org/u-1.0.tar.gz",
        "))",
        "e[f]==3",
    ]
    lines = "".join(f"Requires-Dist: {each}\n" for each in requires)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n{lines}")
    assert say(collect_dependencies(wheel)) == [
        ("tiny", "1.0", ""), ("bad-one", "1.0", ""), ("old", "2.0", ""), ("loose", "", "not pinned to one version, but to >=1"),
        ("u", "", "a URL"), ("))", "", "not a requirement (PEP 508)"), ("e", "3", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "named",
    ["dependencies = {}", "[package.optional-dependencies]\nextra = {}", "[package.dev-dependencies]\ngroup = {}"],
)
def test_a_uv_lock_that_lacks_a_package(tmp_path: Path, named: str) -> None:
    """As a merge of two branches can leave it: uv refuses it, or resolves it anew and installs what is missing."""
    start = 'version = 1\n[[package]]\nname = "Good"\nversion = "1.0"\nsource = { registry = "https://example.org/simple" }\n'
    found = collect(tmp_path / "uv.lock", start + named.format('[{ name = "good" }, { name = "Evil" }]'))
    assert say(found) == [("good", "1.0", ""), ("evil", "", "a package depends on it, and the lock does not list it")]


def test_a_uv_lock_of_a_project_without_a_name(tmp_path: Path) -> None:
    found = collect(tmp_path / "uv.lock", 'version = 1\n[[package]]\nname = ""\nsource = { virtual = "." }\n')
    assert say(found) == [("", "", "an entry of the lock without a usable name")]
    assert found.product is None


def test_the_project_of_a_uv_lock_without_a_name_is_no_product(tmp_path: Path) -> None:
    path = tmp_path / "uv.lock"
    path.write_text('version = 1\n[[package]]\nversion = "1.0"\nsource = { editable = "." }\n')
    found = collect_dependencies(path)
    assert say(found) == [("None", "", "an entry of the lock without a usable name")]
    assert found.product is None


def test_a_uv_lock_that_forks(tmp_path: Path) -> None:
    """Both versions are for somebody, whatever the markers say on this machine."""
    source = 'source = { registry = "https://example.org/simple" }\n'
    start = f'[[package]]\nname = "bad"\n{source}'
    found = collect(
        tmp_path / "uv.lock",
        f"version = 1\n{start}version = '1.0'\nresolution-markers = [\"sys_platform == 'win32'\"]\n"
        f"{start}version = '2.0'\nresolution-markers = [\"sys_platform != 'win32'\"]\n",
    )
    assert say(found) == [("bad", "1.0", ""), ("bad", "2.0", "")]


@pytest.mark.parametrize(
    ("purl", "entry"),
    [
        ("pkg:pypi/B%61d_One@1.0", ("bad-one", "1.0", "")),
        ("pkg:PyPI/bad@1.0#sub/path", ("bad", "1.0", "")),
        ("pkg:pypi/bad@1.0%2Bcpu?file_name=bad.whl", ("bad", "1.0+cpu", "")),
        ("pkg:pypi/bad@1.0?download_url=https%3A%2F%2Fexample.org%2Fx.whl", ("bad", "1.0", "it comes from elsewhere than an index")),
        ("pkg:pypi/space/bad@1.0", ("x", "", "its purl pkg")),
        ("pkg:pypi/%00@1.0", ("x", "", "its purl pkg")),
        ("pypi/bad@1.0", ("x", "", "its purl pypi/bad@1.0 is not one of PyPI")),
    ],
)  # fmt: skip
def test_purls(tmp_path: Path, purl: str, entry: tuple[str, str, str]) -> None:
    component = {"type": "library", "name": entry[0], "purl": purl}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": [{"name": "y", "components": [component]}],
    }
    assert say(collect(tmp_path / "x.json", json.dumps(document)))[-1] == entry


ALONE = "home = /usr/bin\ninclude-system-site-packages = false\n"


def install(site: Path, name: str, version: str, direct: Any = None) -> None:
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: text\n")
    if direct is not None:
        (folder / "direct_url.json").write_text(direct if isinstance(direct, str) else json.dumps(direct))


def test_environment(tmp_path: Path) -> None:
    """Read, not run: its interpreter would leave a trace, and so would its .pth files."""
    folder, trace = tmp_path / "venv", tmp_path / "trace"
    site = folder / "lib" / "python3.11" / "site-packages"
    install(site, "Flask", "0.5")
    install(site, "me", "0.1", {"url": tmp_path.as_uri(), "dir_info": {"editable": True}})
    install(site, "other", "0.1", {"url": "file:///elsewhere", "dir_info": {"editable": True}})
    install(site, "git", "0.1", {"url": "https://example.org", "vcs_info": {"vcs": "git"}})
    install(site, "wheel-file", "0.1", {"url": "file:///x.whl", "archive_info": {}})
    install(site, "odd", "0.1", "[")
    (site / "broken-1.0.dist-info").mkdir()
    (site / "old.egg-link").write_text("/somewhere")
    (site / "evil.pth").write_text(f"import pathlib; pathlib.Path({str(trace)!r}).touch()\n")
    (folder / "pyvenv.cfg").write_text("include-system-site-packages = TRUE\n")
    (folder / "bin").mkdir()
    (folder / "bin" / "python").write_text(f"#!/bin/sh\ntouch {trace}\n")
    (folder / "bin" / "python").chmod(0o755)
    (folder / "lib64").symlink_to("lib")
    from sealwright.collect.targets.pinned_environment import collect_environment

    found = collect_environment(folder, tmp_path)
    assert say(found) == [
        ("flask", "0.5", ""),
        ("broken-1.0", "", "its metadata cannot be read"),
        ("git", "0.1", "installed from a repository"),
        ("odd", "0.1", "its direct_url.json cannot be read"),
        ("old", "", "installed in an old way that has no metadata here"),
        ("other", "0.1", "an editable install"),
        ("wheel-file", "0.1", "installed from a URL or a file"),
        ("the system's packages", "", "the environment also sees these"),
    ]
    assert (found.product, trace.exists()) == (("me", "0.1"), False)


@pytest.mark.parametrize(
    ("config", "alone"),
    [
        ("", False), ("home = /usr/bin\n", False), ("include-system-site-packages\n", False), (ALONE, True),
        ("Include-System-Site-Packages=FALSE\r", True), (ALONE + "include-system-site-packages = true", False),
        ("x\x0cinclude-system-site-packages = false\n", False),
    ],
)  # fmt: skip
def test_whether_an_environment_sees_the_system(tmp_path: Path, config: str, alone: bool) -> None:
    """https://docs.python.org/3/library/site.html: Python takes a pyvenv.cfg that does not say so for one that does."""
    install(tmp_path / "lib" / "python3.11" / "site-packages", "flask", "0.5")
    (tmp_path / "pyvenv.cfg").write_text(config, newline="")
    system = [] if alone else [("the system's packages", "", "the environment also sees these")]
    assert say(collect_dependencies(tmp_path)) == [("flask", "0.5", ""), *system]


@pytest.mark.parametrize(
    ("stem", "same"),
    [
        ("Good.Name-1.0", True), ("good_name-1.0.0", True), ("~ood_name-1.0", True), ("good_name-0.9", False),
        ("evil-1.0", False), ("good_name", False), ("good-name-1.0", True),
    ],
)  # fmt: skip
def test_a_distribution_whose_folder_is_called_otherwise(tmp_path: Path, stem: str, same: bool) -> None:
    """pip and uv go by the name of the folder, importlib.metadata by what is in it: nobody knows what is installed."""
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    install(site, "good-name", "1.0")
    (site / "good-name-1.0.dist-info").rename(site / f"{stem}.dist-info")
    (tmp_path / "pyvenv.cfg").write_text(ALONE)
    problem = "" if same else "its folder is called like another project or version, which pip or uv takes it for"
    assert say(collect_dependencies(tmp_path)) == [("good-name", "1.0", problem)]


@pytest.mark.parametrize(
    ("stem", "same"),
    [
        ("Good.Name-1.0-py3.11", True), ("good_name-1.0.0-py3.11-linux-x86_64", True), ("good_name-1.0", True),
        ("good_name", True), ("Good-Name", True), ("~ood_name", True), ("good_name-0.9", False),
        ("evil-1.0-py3.11", False), ("evil", False), ("good_name-py3.11", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_folder", [True, False])
def test_an_old_distribution_that_is_called_otherwise(tmp_path: Path, stem: str, same: bool, is_folder: bool) -> None:
    """uv goes by the name of what setuptools and distutils have written, pip by what is in it."""
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    place = site / f"{stem}.egg-info" / "PKG-INFO" if is_folder else site / f"{stem}.egg-info"
    place.parent.mkdir(parents=True)
    place.write_text("Metadata-Version: 1.0\nName: good-name\nVersion: 1.0\n")
    (tmp_path / "pyvenv.cfg").write_text(ALONE)
    problem = "" if same else "its folder is called like another project or version, which pip or uv takes it for"
    assert say(collect_dependencies(tmp_path)) == [("good-name", "1.0", problem)]


@pytest.mark.parametrize("stem", ["good_name.egg-info-1.0", "good_name-py3.egg-info-1.0", "good_name.EGG-INFO-9"])
def test_a_dist_info_that_is_called_like_an_egg_info_first(tmp_path: Path, stem: str) -> None:
    """It is called like another project, whatever stands in the middle of its name."""
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    install(site, "good-name", "1.0")
    (site / "good-name-1.0.dist-info").rename(site / f"{stem}.dist-info")
    (tmp_path / "pyvenv.cfg").write_text(ALONE)
    assert [problem.partition(",")[0] for _, _, problem in say(collect_dependencies(tmp_path))] == [
        "its folder is called like another project or version"
    ]


@pytest.mark.parametrize(
    ("version", "stem"), [("1.0+cpu", "good_name-1.0_cpu"), ("1.0+ubuntu.1", "good_name-1.0_ubuntu.1"), ("1.0-1", "good_name-1.0_1")]
)  # fmt: skip
def test_a_version_that_an_older_tool_has_escaped(tmp_path: Path, version: str, stem: str) -> None:
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    install(site, "good-name", version)
    (site / f"good-name-{version}.dist-info").rename(site / f"{stem}.dist-info")
    (tmp_path / "pyvenv.cfg").write_text(ALONE)
    assert say(collect_dependencies(tmp_path)) == [("good-name", version, "")]


def test_a_second_pyvenv_cfg(tmp_path: Path) -> None:
    """Beside its interpreter Python looks first."""
    install(tmp_path / "lib" / "python3.11" / "site-packages", "flask", "0.5")
    (tmp_path / "pyvenv.cfg").write_text(ALONE)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pyvenv.cfg").write_text("include-system-site-packages = true\n")
    assert say(collect_dependencies(tmp_path))[1:] == [
        ("pyvenv.cfg", "", "Python reads it before the environment's own")
    ]


def test_what_else_counts_as_installed(tmp_path: Path) -> None:
    """importlib.metadata takes a suffix in any case, and two versions side by side are two."""
    site = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    install(site, "bad", "1.0")
    install(site, "bad", "1.3")
    install(site, "shouted", "1.0")
    (site / "shouted-1.0.dist-info").rename(site / "shouted-1.0.DIST-INFO")
    (site / "OLD.Egg-Link").write_text("/somewhere")
    (tmp_path / "venv" / "pyvenv.cfg").write_text(ALONE)
    assert sorted(say(collect_dependencies(tmp_path / "venv"))) == [
        ("OLD", "", "installed in an old way that has no metadata here"),
        ("bad", "1.0", ""),
        ("bad", "1.3", ""),
        ("shouted", "1.0", ""),
    ]
    there = {each.metadata["Name"] for each in importlib.metadata.distributions(path=[str(site)])}
    assert there == {"bad", "shouted"}


def test_what_a_pth_file_adds_to_an_environment(tmp_path: Path) -> None:
    """Python imports from the folders that .pth files name as from site-packages, so what lies there is installed."""
    site, added = tmp_path / "venv" / "lib" / "python3.11" / "site-packages", tmp_path / "added"
    own = tmp_path / "project" / "src"
    install(site, "flask", "0.5")
    install(site, "me", "0.1", {"url": (tmp_path / "project").as_uri(), "dir_info": {"editable": True}})
    install(added, "hidden", "1.0")
    install(own, "me", "0.1")
    (site / "a.pth").write_text(f"# x\nimport nothing\n\n{added}\n{tmp_path / 'missing'}\n.\n{added}\n")
    (site / "b.pth").write_text(f"../../../../added\n{own}\n")
    (tmp_path / "venv" / "pyvenv.cfg").write_text(ALONE)
    from sealwright.collect.targets.pinned_environment import collect_environment

    found = collect_environment(tmp_path / "venv", tmp_path / "project")
    assert say(found) == [("flask", "0.5", ""), ("hidden", "1.0", "")]
    (site / "c.pth").write_text("x" * 100_000)
    assert ("c.pth", "", "it cannot be read") in say(collect_environment(tmp_path / "venv", tmp_path / "project"))


def test_what_else_python_takes_from_a_pth_file(tmp_path: Path) -> None:
    """Also a ZIP file and an egg, behind a byte order mark, and a path with a character that only str.splitlines splits."""
    site = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    install(site, "flask", "0.5")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("bad-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: bad\nVersion: 1.0\n")
    (tmp_path / "bad-1.0.egg" / "EGG-INFO").mkdir(parents=True)
    install(tmp_path / "form\x0cfeed", "fed", "1.0")
    install(tmp_path / "marked", "marked", "1.0")
    (site / "a.pth").write_text(f"{tmp_path}/packed.zip\n{tmp_path}/bad-1.0.egg\r{tmp_path}/form\x0cfeed\r\n")
    (site / "b.pth").write_text(f"\ufeff{tmp_path}/marked\n")
    (tmp_path / "venv" / "pyvenv.cfg").write_text("include-system-site-packages\x0c= true\n")
    assert sorted(say(collect_dependencies(tmp_path / "venv"))) == [
        ("bad-1.0.egg", "", "a ZIP file or an egg on the path"),
        ("fed", "1.0", ""),
        ("flask", "0.5", ""),
        ("marked", "1.0", ""),
        ("packed.zip", "", "a ZIP file or an egg on the path"),
        ("the system's packages", "", "the environment also sees these"),
    ]


@pytest.mark.parametrize(
    "place", ["lib/python3/dist-packages", "lib/python3.11/dist-packages", "local/lib/python3.11/dist-packages"]
)
def test_where_the_python_of_debian_looks_besides(tmp_path: Path, place: str) -> None:
    """Its site.getsitepackages has these in a virtual environment, too, and reads the .pth files there."""
    install(tmp_path / "lib" / "python3.11" / "site-packages", "flask", "0.5")
    install(tmp_path / place, "bad", "1.0")
    install(tmp_path / "added", "more", "1.0")
    (tmp_path / place / "a.pth").write_text(f"{tmp_path}/added\n")
    (tmp_path / "pyvenv.cfg").write_text(ALONE)
    assert sorted(say(collect_dependencies(tmp_path))) == [
        ("bad", "1.0", ""),
        ("flask", "0.5", ""),
        ("more", "1.0", ""),
    ]


def test_what_a_pth_file_adds_by_way_of_a_link(tmp_path: Path) -> None:
    """To Python, link/.. is where the link lies (site.makepath), not where it leads."""
    site = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    install(site, "flask", "0.5")
    install(site / "hidden", "hidden", "1.0")
    (tmp_path / "far" / "deep").mkdir(parents=True)
    (site / "link").symlink_to(tmp_path / "far" / "deep")
    (site / "a.pth").write_text("link/../hidden\n")
    (tmp_path / "venv" / "pyvenv.cfg").write_text(ALONE)
    assert say(collect_dependencies(tmp_path / "venv")) == [("flask", "0.5", ""), ("hidden", "1.0", "")]


def test_a_real_environment(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="nothing to audit"):
        collect_dependencies(tmp_path / "empty")
    site = next((tmp_path / ".venv").glob("lib/*/site-packages"))
    install(site, "flask", "0.5")
    assert (
        say(collect_dependencies(tmp_path)) == say(collect_dependencies(tmp_path / ".venv")) == [("flask", "0.5", "")]
    )


def test_the_first_lock_of_a_project_counts_and_the_others_are_named(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(PYLOCK)
    (tmp_path / "uv.lock").write_text(UV)
    found = collect_dependencies(tmp_path)
    assert found.kind == "pylock"
    assert found.notes == (f"not looked at: {tmp_path / 'uv.lock'}",)


def test_what_a_pth_file_adds_to_an_environment_that_is_named_by_way_of_a_link(tmp_path: Path) -> None:
    """Where the user's own words lead through a link, the environment is where they lead, and so is what it adds."""
    there = tmp_path / "far" / "venv"
    install(there / "lib" / "python3.11" / "site-packages", "flask", "0.5")
    install(there / "hidden", "hidden", "1.0")
    (there / "lib" / "python3.11" / "site-packages" / "a.pth").write_text("../../../hidden\n")
    (there / "pyvenv.cfg").write_text(ALONE)
    (tmp_path / "far" / "deep").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "deep")
    named = tmp_path / "link" / ".." / "venv"
    found = collect_dependencies(named)
    assert (say(found), found.target) == ([("flask", "0.5", ""), ("hidden", "1.0", "")], str(named))

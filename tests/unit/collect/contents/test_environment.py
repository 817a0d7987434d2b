"""Environments as folders: what is installed is read, nothing of it runs, and what is broken is refused by name."""

import json
import os
from pathlib import Path

import pytest
from support.packages import NESTED, install, metadata

from sealwright.collect.contents.environment import collect_environment
from sealwright.errors import SealwrightError, UndecidedError, UsageError
from sealwright.jobs.sbom.environment import inventory_of_environment
from sealwright.jobs.sbom.request import SbomRequest
from sealwright.model.sbom_components import EDITABLE, LOCAL

COMMIT = "a" * 40


def test_what_is_installed(tmp_path: Path) -> None:
    install(tmp_path, "b-lib", "2.0", "License-Expression: MIT")
    install(tmp_path, "A.Lib", requires=["b-lib"])
    (tmp_path / "lib/python3.11/site-packages/evil.pth").write_text("import os; os.abort()")
    (tmp_path / "lib64").symlink_to("lib")
    found = collect_environment(tmp_path)
    assert [(p.name, p.version, p.purl) for p in found.packages] == [
        ("a-lib", "1.0", "pkg:pypi/a-lib@1.0"), ("b-lib", "2.0", "pkg:pypi/b-lib@2.0"),
    ]  # fmt: skip
    assert found.environment["python_version"] == "3.11"
    assert collect_environment(tmp_path / "lib/python3.11/site-packages").packages == found.packages


@pytest.mark.parametrize("place", ["lib/python3", "lib/python3.11", "local/lib/python3.11"])
def test_where_the_python_of_debian_looks_besides(tmp_path: Path, place: str) -> None:
    """Its site.getsitepackages has these in a virtual environment, too."""
    install(tmp_path, "a-lib")
    install(tmp_path / "other", "b-lib")
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (tmp_path / "other/lib/python3.11/site-packages").rename(tmp_path / place / "dist-packages")
    found = collect_environment(tmp_path)
    assert [package.name for package in found.packages] == ["a-lib", "b-lib"]
    assert found.environment["python_version"] == "3.11"


def test_where_it_came_from(tmp_path: Path) -> None:
    digest = "b" * 64
    for name, stated in {
        "vcs": {"url": "https://u:secret@x.org/r.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
        "archive": {"url": "https://x.org/a.whl?token=secret", "archive_info": {"hashes": {"sha256": digest}}},
        "folder": {"url": "file:///somebody/secret", "dir_info": {"editable": True}},
        "local": {"url": "file:///somebody/secret", "dir_info": {}},
        "wheel": {"url": "file:///somebody/secret/w.whl", "archive_info": {}},
        "repository": {"url": "file:///somebody/secret", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
        "old": {"url": "https://x.org/o.whl", "archive_info": {"hash": f"sha256={digest}"}},
    }.items():
        install(tmp_path, name, direct_url__json=json.dumps(stated))
    by_name = {package.name: package for package in collect_environment(tmp_path).packages}
    assert by_name["vcs"].purl == f"pkg:pypi/vcs@1.0?vcs_url=git%2Bhttps://x.org/r.git%40{COMMIT}"
    assert by_name["archive"].purl == "pkg:pypi/archive@1.0?download_url=https://x.org/a.whl"
    assert by_name["archive"].hashes == by_name["old"].hashes == (digest,)
    assert by_name["folder"].properties == (EDITABLE,)
    assert {by_name[name].properties for name in ("local", "wheel", "repository")} == {(LOCAL,)}
    assert not any(by_name[name].properties for name in ("vcs", "archive", "old"))
    assert "secret" not in repr(by_name)


def test_sboms_inside(tmp_path: Path) -> None:
    info = install(tmp_path, "native")
    (info / "sboms").mkdir()
    (info / "sboms" / "auditwheel.cdx.json").write_text(json.dumps(NESTED))
    (info / "sboms" / "od d.json").write_bytes(b"[" * 100_000)
    (info / "sboms" / "two.json").write_text(json.dumps([NESTED, NESTED]))
    (info / "sboms" / "words.json").write_text(json.dumps({"description": json.dumps(NESTED)}))
    nested = collect_environment(tmp_path).packages[0].nested
    assert nested[0].url == f"urn:cdx:{NESTED['serialNumber'].removeprefix('urn:uuid:')}/1"
    assert nested[1].url == "native-1.0.dist-info/sboms/od_d.json"
    assert [reference.url.rpartition("/")[2] for reference in nested[2:]] == ["two.json", "words.json"], "no guessing"
    assert all(len(reference.sha256) == 64 for reference in nested)


@pytest.mark.parametrize(
    ("called", "version", "needs", "good"),
    [
        ("c_lib", "1.0", ["a-lib"], True), ("c_lib-1.0", "1.0", [], True), ("C_Lib", "1.0", ["a-lib"], True),
        ("c_lib", "2.0", ["a-lib"], False), ("c_lib", "1.0", ["b-lib"], False),
    ],
)  # fmt: skip
def test_what_a_build_has_left_beside_a_package(
    tmp_path: Path, called: str, version: str, needs: list[str], good: bool
) -> None:
    """Debian ships cryptography.egg-info beside its .dist-info. One that says anything else is another package."""
    site = install(tmp_path, "c-lib", "1.0", requires=["a-lib"]).parent
    (site / f"{called}.egg-info").mkdir()
    (site / f"{called}.egg-info" / "PKG-INFO").write_text(metadata("c-lib", version, requires=needs))
    if good:
        (found,) = collect_environment(tmp_path).packages
        assert (found.name, found.version) == ("c-lib", "1.0")
    else:
        with pytest.raises(UsageError, match="c-lib twice"):
            collect_environment(tmp_path)


@pytest.mark.parametrize("suffix", [".DIST-INFO", ".Dist-Info"])
def test_what_is_installed_under_capitals_is_found(tmp_path: Path, suffix: str) -> None:
    """importlib.metadata finds it, too."""
    info = install(tmp_path, "good", "1.0")
    info.rename(info.with_suffix(suffix))
    (info.parent / "Old.EGG-LINK").write_text("/somewhere")
    found = collect_environment(tmp_path)
    assert ([package.name for package in found.packages], len(found.unknown)) == (["good"], 1)


def test_what_is_installed_in_an_old_way_is_not_known(tmp_path: Path) -> None:
    site = install(tmp_path, "good").parent
    (site / "Old.Project.egg-link").write_text("/somewhere\n.")
    (site / "packed-1.0-py3.11.egg").write_bytes(b"PK")
    assert collect_environment(tmp_path).unknown == (
        "Old.Project.egg-link, which is installed in an old way",
        "packed-1.0-py3.11.egg, which is installed in an old way",
    )
    made = inventory_of_environment(SbomRequest(tmp_path, offline=True))
    assert made.unknown == collect_environment(tmp_path).unknown


def broken(tmp_path: Path, what: str) -> None:
    info = install(tmp_path, "good")
    if what == "twice":
        install(tmp_path, "Good", "2.0")
    elif what == "no metadata":
        (info / "METADATA").unlink()
    elif what == "huge metadata":
        with (info / "METADATA").open("ab") as stream:
            stream.truncate(100 * 1024**2)
    elif what == "metadata is a link":
        (info / "METADATA").unlink()
        (info / "METADATA").symlink_to("/etc/passwd")
    elif what == "metadata is a fifo":
        (info / "METADATA").unlink()
        os.mkfifo(info / "METADATA")
    elif what == "direct url is odd":
        (info / "direct_url.json").write_text("[1]")
    elif what == "direct url says it twice":
        (info / "direct_url.json").write_text('{"url": "https://a.b/c", "url": "https://d.e/f"}')
    elif what == "a fifo among the sboms":
        (info / "sboms").mkdir()
        os.mkfifo(info / "sboms" / "x.json")
    elif what == "two pythons":
        (tmp_path / "lib/python3.12/site-packages").mkdir(parents=True)
    elif what == "nothing":
        for path in sorted(info.iterdir()):
            path.unlink()
        info.rmdir()


@pytest.mark.parametrize(
    ("what", "kind", "words"),
    [
        ("twice", UsageError, "twice: 2.0 and 1.0"),
        ("no metadata", UndecidedError, "good-1.0.dist-info: it has no METADATA"),
        ("huge metadata", UndecidedError, "larger than"),
        ("metadata is a link", UndecidedError, "a symbolic link"),
        ("metadata is a fifo", UndecidedError, "a FIFO"),
        ("direct url is odd", UndecidedError, "direct_url.json"),
        ("direct url says it twice", UndecidedError, "stands twice"),
        ("a fifo among the sboms", UndecidedError, "sboms cannot be read"),
        ("two pythons", UsageError, "several Pythons"),
        ("nothing", UsageError, "no installed packages"),
    ],
)
def test_broken_environments(tmp_path: Path, what: str, kind: type[SealwrightError], words: str) -> None:
    broken(tmp_path, what)
    with pytest.raises(kind, match=words):
        collect_environment(tmp_path)


def test_no_environment(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no installed packages"):
        collect_environment(tmp_path)

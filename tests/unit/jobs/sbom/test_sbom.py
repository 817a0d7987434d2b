"""From real wheels, locks and environments to documents, against an index on loopback; and what is refused."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from support.packages import NESTED, LoopbackIndex, edges, install, loopback_index, sha256, wheel
from support.user_site import UserSite
from support.web import Answer, serving

from sealwright.collect.contents.closure import read_report
from sealwright.errors import UndecidedError, UsageError
from sealwright.files.record import check_record
from sealwright.jobs.sbom.embed import embed_sbom
from sealwright.jobs.sbom.request import SbomRequest
from sealwright.jobs.sbom.sbom import Made, build_sbom
from sealwright.model.artifact import parse_artifact_name

APP = "seal-tiny-app"
LINES = ("License-Expression: MIT", "Author-email: Ann <ann@example.org>", "Project-URL: Source, https://example.org/r")


class World:
    """A wheel with a closure of four, a package that only an extra needs, and one that only another platform needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        requires = [
            "seal-tiny-lib[fast]", "seal-tiny-tool ; extra == 'dev'", "seal-tiny-win ; sys_platform == 'win32'",
        ]  # fmt: skip
        self.app = wheel(folder / "dist", APP, "1.0", *LINES, "Provides-Extra: dev", requires=requires)
        more = {"{info}/sboms/native.cdx.json": json.dumps(NESTED).encode()}
        self.wheels = [
            wheel(folder / "index", "seal-tiny-lib", "1.1", *LINES, "Provides-Extra: fast", "Provides-Extra: slow",
                  requires=["seal-tiny-speed ; extra == 'fast'", "seal-tiny-win ; extra == 'slow'", "seal-tiny-cycle"]),
            wheel(folder / "index", "seal-tiny-speed", "1.0", *LINES, more=more),
            wheel(folder / "index", "seal-tiny-cycle", "1.0", *LINES, requires=["seal-tiny-lib"]),
            wheel(folder / "index", "seal-tiny-tool", "1.0", *LINES),
            wheel(folder / "index", "seal-tiny-win", "1.0", *LINES),
        ]  # fmt: skip

    def make(self, index: LoopbackIndex, path: Path | None = None, **more: Any) -> Made:
        asked = SbomRequest(path or self.app, index_url=index.url, variables=dict(os.environ), author="Ann")
        return build_sbom(asked._replace(epoch=1_700_000_000, **more))


@pytest.fixture
def tiny(tmp_path: Path) -> World:
    return World(tmp_path)


def names(document: dict[str, Any]) -> set[str]:
    return {component["name"].removeprefix("seal-tiny-") for component in document["components"]}


GRAPH = {
    (APP, "seal-tiny-lib"), ("seal-tiny-lib", "seal-tiny-speed"), ("seal-tiny-lib", "seal-tiny-cycle"),
    ("seal-tiny-cycle", "seal-tiny-lib"),
}  # fmt: skip


def test_a_wheel(tiny: World) -> None:
    with loopback_index(*tiny.wheels) as index:
        made = tiny.make(index)
        assert tiny.make(index).content == made.content, "the same input and answers give the same bytes"
        plain = json.loads(tiny.make(index, nested=False).content)
    document = json.loads(made.content)
    assert names(document) == {"lib", "speed", "cycle"}
    assert edges(document) == GRAPH
    root = document["metadata"]["component"]
    assert [root["purl"], root["hashes"][0]["content"]] == [f"pkg:pypi/{APP}@1.0", sha256(tiny.app)]
    by_name = {c["name"]: c for c in document["components"]}
    for path in tiny.wheels[:3]:
        component = by_name[path.name.split("-")[0].replace("_", "-")]
        assert component["hashes"] == [{"alg": "SHA-256", "content": sha256(path)}]
        assert component["licenses"][0]["license"]["id"] == "MIT"
        assert component["supplier"]["name"] == "Ann"
        assert {"vcs", "distribution"} <= {reference["type"] for reference in component["externalReferences"]}
    nested = [r for r in by_name["seal-tiny-speed"]["externalReferences"] if r["type"] == "bom"]
    assert nested[0]["url"].startswith("urn:cdx:")
    assert '"bom"' not in json.dumps(plain)
    assert by_name["seal-tiny-lib"]["properties"][0] == {"name": "cdx:python:package:required-extra", "value": "fast"}
    assert made.inventory.unknown == ()


def test_a_pip_that_a_user_has_for_himself(tiny: World, tmp_path: Path) -> None:
    """`pip install --user sealwright` for a Python without a pip of its own, as Debian's is."""
    user = UserSite(tmp_path / "home")
    with loopback_index(*tiny.wheels) as index:
        done = user.run("sbom", str(tiny.app), "--index-url", index.url)
    assert done.returncode == 0, done.stderr
    assert names(json.loads(done.stdout)) == {"lib", "speed", "cycle"}
    assert any(" -m pip " in looked for looked in user.looked()), user.looked()


def test_extras(tiny: World) -> None:
    with loopback_index(*tiny.wheels) as index:
        document = json.loads(tiny.make(index, extras=("dev",)).content)
    assert edges(document) == GRAPH | {(APP, "seal-tiny-tool")}


def test_no_code_of_a_dependency_runs(tiny: World) -> None:
    """An sdist alone cannot be had without running it, so that it is refused, with a way out."""
    sdist = tiny.folder / "index" / "seal_tiny_lib-1.1.tar.gz"
    sdist.write_bytes(b"whatever it is, nobody looks into it")
    with (
        loopback_index(sdist, *tiny.wheels[1:]) as index,
        pytest.raises(UndecidedError, match="no closure of wheels") as caught,
    ):
        tiny.make(index)
    assert "bring the result" in caught.value.hint


def test_the_caller_s_pip_settings_do_not_count(tiny: World) -> None:
    with loopback_index(*tiny.wheels) as index:
        variables = dict(os.environ) | {
            "PIP_INDEX_URL": "http://127.0.0.1:9/",
            "PIP_NO_BINARY": ":all:",
            "PYTHONPATH": "/x",
        }
        assert names(json.loads(tiny.make(index, variables=variables).content)) == {"lib", "speed", "cycle"}


def test_a_wheel_that_changed_on_the_index(tiny: World) -> None:
    with loopback_index(*tiny.wheels, sidecars=False) as index:
        name = f"/files/{tiny.wheels[1].name}"
        index.pages[name] = ("application/zip", index.pages[name][1] + b"\0")
        with pytest.raises(UndecidedError):
            tiny.make(index)


@pytest.mark.parametrize("spoil", ["cut", "renamed", "other inside", "record", "no wheel", "missing"])
def test_wheels_that_are_none(tiny: World, spoil: str) -> None:
    path = tiny.app
    if spoil == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    elif spoil == "renamed":
        path = path.rename(path.with_name("seal_tiny_app-2.0-py3-none-any.whl"))
    elif spoil == "other inside":
        path = wheel(tiny.folder, "other").rename(path)
    elif spoil == "record":
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("planted.py", "")
    elif spoil == "no wheel":
        path = path.rename(path.with_name("x.whl"))
    else:
        path.unlink()
    with loopback_index() as index, pytest.raises(UsageError):
        tiny.make(index, path)
    with loopback_index() as index:
        assert index.asked == []


@pytest.mark.parametrize(
    ("place", "size"), [("{info}/RECORD", 40), ("{info}/METADATA", 100), ("{info}/sboms/x.json", 100)]
)
def test_bombs_inside_a_wheel(tmp_path: Path, place: str, size: int) -> None:
    """A few kilobytes that unpack to more than anybody needs: refused within the bounds, by name."""
    path = wheel(tmp_path, "p", more={"x": b""})
    content = b"\0" * (size * 1024**2)
    with zipfile.ZipFile(path) as old:
        members = {info.filename: old.read(info) for info in old.infolist()}
    name = place.replace("{info}", "p-1.0.dist-info")
    members[name] = content
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    if not name.endswith("RECORD"):
        record = "p-1.0.dist-info/RECORD"
        rows = [row for row in members[record].decode().splitlines() if not row.startswith(name)]
        members[record] = "\n".join([*rows, f"{name},sha256={digest},{len(content)}"]).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for member, data in members.items():
            new.writestr(member, data)
    assert path.stat().st_size < 1024**2
    with pytest.raises(UsageError, match="larger than"):
        build_sbom(SbomRequest(path, index_url="http://127.0.0.1:9/"))


def requirements(tiny: World, *more: str) -> Path:
    lines = [
        f"{p.name.split('-')[0].replace('_', '-')}=={p.name.split('-')[1]} --hash=sha256:{sha256(p)}\n"
        for p in tiny.wheels[:3]
    ]
    path = tiny.folder / "requirements.txt"
    path.write_text("".join([*lines, *more]))
    return path


def test_a_requirements_file(tiny: World) -> None:
    lock = requirements(tiny)
    with loopback_index(*tiny.wheels) as index:
        made = tiny.make(index, lock, artifacts=(tiny.app,))
        asked = len(index.asked)
        offline = tiny.make(index, lock, offline=True, project="x", version="1.0")
        assert len(index.asked) == asked, "offline asks nothing"
    document = json.loads(made.content)
    assert names(document) == {"lib", "speed", "cycle"}
    assert document["metadata"]["component"]["name"] == APP, "the artifact says who it is"
    assert document["metadata"]["component"]["licenses"], "and under which licence"
    # Extras that a file of pins does not say are not followed: the edge to what they brought in hangs on the root.
    assert (APP, "seal-tiny-speed") in edges(document)
    less = json.loads(offline.content)
    assert {c["hashes"][0]["content"] for c in less["components"]} == {sha256(path) for path in tiny.wheels[:3]}
    assert "what these 3 need" in offline.inventory.unknown[0]
    assert less["compositions"][0]["aggregate"] == "incomplete"


def test_an_index_that_lies_or_fails(tiny: World) -> None:
    lock = requirements(tiny)
    good = {}
    with loopback_index(*tiny.wheels) as index:
        good |= index.pages
        lib = "/simple/seal-tiny-lib/"
        sidecar = f"/files/{tiny.wheels[0].name}.metadata"
        for page, content, words in (
            (lib, b"<html>", "cannot be read"),
            (lib, b"[]", "lists no files"),
            (lib, b'{"files": 7}', "lists no files"),
            (lib, b"[" * 100_000, "cannot be read"),
            (sidecar, b"Name: evil\nVersion: 1.1\n", "says inside that it is evil"),
            (sidecar, b"", "cannot be read"),
            (sidecar, b"Name: seal-tiny-lib\nVersion: 1.1\n" + b"x" * 5 * 1024**2, "larger than"),
        ):
            index.pages[page] = ("text/plain", content)
            with pytest.raises(UndecidedError, match=words):
                tiny.make(index, lock, nested=False)
            index.pages.update(good)
        index.pages.pop(lib)
        assert "lib" in names(json.loads(tiny.make(index, lock).content)), "a lock knows what the index does not"
    with pytest.raises(UndecidedError, match="did not answer") as caught:
        build_sbom(SbomRequest(lock, index_url="http://127.0.0.1:9/simple/", variables={"PIP_RETRIES": "0"}))
    assert "--offline" in caught.value.hint


@pytest.mark.parametrize("target", ["http://192.0.2.1/", "http://169.254.169.254/latest/", "file:///etc/hostname"])
def test_an_index_that_leads_where_nobody_should_go(tiny: World, target: str) -> None:
    """Neither a redirection nor an address in a listing is gone to, be it only to look."""
    lock = requirements(tiny)
    with serving() as web:
        web["/simple/seal-tiny-lib/"] = Answer(status=302, headers={"Location": target})
        asked = SbomRequest(lock, index_url=f"{web.url}/simple/", variables={})
        with pytest.raises(UndecidedError, match="leads to where nobody should go"):
            build_sbom(asked)
        hashes = {"sha256": sha256(tiny.wheels[0])}
        files = [{"filename": tiny.wheels[0].name, "url": f"{target}x.whl", "hashes": hashes}]
        web["/simple/seal-tiny-lib/"] = json.dumps({"files": files}).encode()
        for path in tiny.wheels[1:]:
            web[f"/simple/{path.name.split('-')[0].replace('_', '-')}/"] = b'{"files": []}'
        document = json.loads(build_sbom(asked).content)
        assert target not in str(document)


def test_an_environment(tiny: World) -> None:
    environment = tiny.folder / "venv"
    for path in tiny.wheels[:3]:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(environment / "lib" / "python3.11" / "site-packages")
    install(environment, APP, requires=["seal-tiny-lib[fast]", "not-there"])
    with loopback_index(*tiny.wheels, sidecars=False) as index:
        made = tiny.make(index, environment, project=APP)
        (environment / "lib/python3.11/site-packages/seal_tiny_speed-1.0.dist-info/METADATA").write_text(
            "Metadata-Version: 2.4\nName: seal-tiny-speed\nVersion: 1.0\nAuthor: Mallory\n"
        )
        spoilt = json.loads(tiny.make(index, environment, project=APP).content)
    document = json.loads(made.content)
    assert edges(document) == GRAPH
    hashes = {c["name"]: c["hashes"][0]["content"] for c in document["components"] if "hashes" in c}
    assert hashes["seal-tiny-lib"] == sha256(tiny.wheels[0])
    assert made.inventory.unknown == (f"{APP} needs not-there, which is not there",)
    assert [c["name"] for c in spoilt["components"] if "hashes" not in c] == ["seal-tiny-speed"], "it is not that wheel"


def test_an_environment_without_a_project(tmp_path: Path) -> None:
    for name, requires in {"a": ["b"], "b": ["a"], "c": ["b[x]"], "d": []}.items():
        install(tmp_path, name, requires=requires)
    document = json.loads(build_sbom(SbomRequest(tmp_path, offline=True)).content)
    assert edges(document) - {("a", "b"), ("b", "a"), ("c", "b")} == {
        ("unnamed-environment", "c"),
        ("unnamed-environment", "d"),
    }
    assert document["metadata"]["lifecycles"] == [{"phase": "operations"}]


def test_requests_that_contradict_themselves(tiny: World, tmp_path: Path) -> None:
    install(tmp_path / "venv", "a")
    for asked, words in (
        (SbomRequest(tiny.app, offline=True), "cannot be resolved offline"),
        (SbomRequest(tiny.app, groups=("x",)), "no dependency groups"),
        (SbomRequest(tiny.app, project="other"), "is not other"),
        (SbomRequest(tmp_path / "venv", offline=True, project="a", version="9"), "has a 1.0, not 9"),
        (SbomRequest(tmp_path / "venv", offline=True, extras=("x",)), "no project whose extras"),
        (SbomRequest(tmp_path / "venv", offline=True, project="x", artifacts=(tiny.app,)), "no artifact of x"),
        (SbomRequest(tmp_path / "nowhere"), "does not exist"),
        (SbomRequest(tiny.wheels[0].parent / "x.zip"), "does not exist"),
        (SbomRequest(tmp_path / "venv", offline=True, epoch=10**17), "no time"),
    ):
        with pytest.raises(UsageError, match=words):
            build_sbom(asked)


@pytest.mark.parametrize(
    "report",
    [
        b"", b"[]", b'{"version": "2"}', b'{"version": "1", "install": [7], "environment": {}}',
        b'{"version": "1", "install": [{"download_info": {"url": "x"}, "metadata": {"name": "a", "version": "1"}}], "environment": {}}',
        b'{"version": "1", "version": "1"}', b"[" * 50_000,
    ],
)  # fmt: skip
def test_reports_that_are_none(report: bytes) -> None:
    with pytest.raises(UndecidedError, match="cannot be read"):
        read_report(report, "x.whl")


def embed(tiny: World, index: LoopbackIndex, **more: Any) -> Path:
    asked = SbomRequest(tiny.app, index_url=index.url, variables=dict(os.environ))
    return embed_sbom(asked, finished=more.get("finished"), output=more.get("output")).path


def test_embedding(tiny: World) -> None:
    """pip installs what comes out, and `pip check` is content; a second time nothing changes."""
    before = {info.filename: info.CRC for info in zipfile.ZipFile(tiny.app).infolist()}
    with loopback_index(*tiny.wheels) as index:
        path = embed(tiny, index)
        first = path.read_bytes()
        assert embed(tiny, index).read_bytes() == first
    check_record(path, parse_artifact_name(path.name))
    with zipfile.ZipFile(path) as archive:
        inside = archive.read("seal_tiny_app-1.0.dist-info/sboms/sealwright.cdx.json")
        after = {info.filename: info.CRC for info in archive.infolist()}
        assert archive.namelist()[-1].endswith("RECORD")
    assert {name for name in before if before[name] != after[name]} == {"seal_tiny_app-1.0.dist-info/RECORD"}
    assert "hashes" not in json.loads(inside)["metadata"]["component"]
    target = tiny.folder / "target"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True, timeout=120)
    run = [sys.executable, "-m", "pip", "--python", str(target), "--isolated", "--disable-pip-version-check"]
    offline = ["install", "--quiet", "--no-index", "--find-links", str(tiny.folder / "index"), str(path)]
    subprocess.run([*run, *offline], check=True, capture_output=True, timeout=120)
    assert subprocess.run([*run, "check"], check=True, capture_output=True, timeout=300).returncode == 0
    assert list(target.glob("lib/*/site-packages/seal_tiny_app-1.0.dist-info/sboms/sealwright.cdx.json"))
    environment = json.loads(build_sbom(SbomRequest(target, offline=True, project=APP)).content)
    assert '"bom"' in json.dumps(environment["metadata"]["component"])


def test_embedding_what_was_made_before(tiny: World) -> None:
    with loopback_index(*tiny.wheels) as index:
        finished = tiny.folder / "x.cdx.json"
        finished.write_bytes(tiny.make(index).content)
        out = tiny.folder / "out"
        out.mkdir()
        before = tiny.app.read_bytes()
        embed(tiny, index, finished=finished, output=out / tiny.app.name)
        assert tiny.app.read_bytes() == before
        for content, words in ((b"{}", "no SBOM"), (b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": "x"}', "not valid"),
                               (b'{"spdxVersion": "SPDX-2.3"}', "not CycloneDX")):  # fmt: skip
            finished.write_bytes(content)
            with pytest.raises(UsageError, match=words):
                embed(tiny, index, finished=finished)
        with pytest.raises(UsageError, match="another name"):
            embed(tiny, index, output=out / "other.whl")
    assert tiny.app.read_bytes() == before


def test_wheels_that_get_no_sbom(tiny: World) -> None:
    finished = tiny.folder / "x.cdx.json"
    install(tiny.folder / "venv", "a")
    finished.write_bytes(build_sbom(SbomRequest(tiny.folder / "venv", offline=True)).content)
    signed = wheel(tiny.folder / "signed", "p")
    with zipfile.ZipFile(signed, "a") as archive:
        archive.writestr("p-1.0.dist-info/RECORD.jws", "{}")
    broken = wheel(tiny.folder / "broken", "p")
    broken.write_bytes(broken.read_bytes()[:-30])
    for path in (signed, broken):
        before = path.read_bytes()
        with pytest.raises(UsageError):
            embed_sbom(SbomRequest(path), finished=finished, output=None)
        assert path.read_bytes() == before
        assert [p.name for p in path.parent.iterdir()] == [path.name], "nothing half-written is left"

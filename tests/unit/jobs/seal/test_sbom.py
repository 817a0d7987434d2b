"""`seal --sbom LOCK`: the SBOM of a lock, made where nothing is resolved, and the same bytes each time."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from support.keyless import POLICY, Run, keyless_world
from support.packages import sha256, wheel
from support.world import SDIST, WHEEL, World

from sealwright.errors import UsageError
from sealwright.model.verdict import Result
from sealwright.sandbox.sigstore import Sigstore

SBOM = "tiny_project-1.2.3.cdx.json"
REQUIRING = POLICY.replace("sbom = false", 'sbom = { signers = ["workflow"] }')
A = "a" * 64
PYLOCK = f"""lock-version = "1.0"
created-by = "test"
[[packages]]
name = "six"
version = "1.16.0"
wheels = [{{name = "six-1.16.0-py3-none-any.whl", url = "https://example.org/six-1.16.0-py3-none-any.whl", hashes = {{sha256 = "{A}"}}}}]
"""
UV_LOCK = f"""version = 1
[[package]]
name = "tiny-project"
version = "1.2.3"
source = {{ editable = "." }}
dependencies = [{{ name = "six" }}]
[[package]]
name = "six"
version = "1.16.0"
source = {{ registry = "https://example.org/simple" }}
wheels = [{{ url = "https://example.org/six-1.16.0-py3-none-any.whl", hash = "sha256:{A}" }}]
"""
LOCKS = {
    "pylock.toml": PYLOCK,
    "uv.lock": UV_LOCK,
    "requirements.txt": f"six==1.16.0 --hash=sha256:{A}\n",
}


@pytest.fixture
def world(tmp_path: Path, sigstore: Sigstore) -> World:
    made = keyless_world(tmp_path / "world", sigstore)
    made.policy.write_text(REQUIRING)
    return made


def released(world: World) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((world.release / SBOM).read_text())
    return document


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_becomes_the_sbom_that_is_attested(
    world: World, sigstore: Sigstore, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    lock = world.folder / name
    lock.write_text(LOCKS[name])
    asked: list[str] = []
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *more, **k: asked.append(str(host)) or real(host, *more, **k)
    )
    sealed = Run(world, sigstore, sbom=lock).seal()
    assert sealed.verdict.result is Result.PASSED
    assert set(asked) <= {"127.0.0.1"}, "of the sandbox alone"
    root = released(world)["metadata"]["component"]
    assert (root["name"], root["version"]) == ("tiny-project", "1.2.3")
    hashes = {entry["content"] for entry in root["hashes"]}
    assert hashes == {sha256(world.dist / WHEEL), sha256(world.dist / SDIST)}
    assert [(c["name"], c["hashes"]) for c in released(world)["components"]] == [
        ("six", [{"alg": "SHA-256", "content": A}])
    ]
    before = {path.name: path.read_bytes() for path in world.release.iterdir()}
    again = Run(world, sigstore, claims=None, sbom=lock).seal()
    assert (again.written, again.verdict.result) == ((), Result.PASSED)
    assert {path.name: path.read_bytes() for path in world.release.iterdir()} == before
    assert not list(world.dist.glob("*.json")), "dist/ stays as it is"


def test_a_lock_that_has_changed_since_is_another_release(world: World, sigstore: Sigstore) -> None:
    lock = world.folder / "requirements.txt"
    lock.write_text(LOCKS["requirements.txt"])
    Run(world, sigstore, sbom=lock).seal()
    lock.write_text(LOCKS["requirements.txt"].replace("1.16.0", "1.17.0"))
    with pytest.raises(UsageError, match="differs from the"):
        Run(world, sigstore, sbom=lock).seal()


def test_what_a_lock_leaves_open_is_said(world: World, sigstore: Sigstore) -> None:
    lock = world.folder / "requirements.txt"
    lock.write_text(LOCKS["requirements.txt"])
    sealed = Run(world, sigstore, sbom=lock).seal()
    assert "six" in sealed.unknown[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [("requirements.txt", "six\n"), ("requirements.txt", "-r other.txt\n"), ("uv.lock", "version = 9"), ("pylock.toml", "x")],
)  # fmt: skip
def test_what_is_no_lock_is_refused_before_anything_is_signed(
    world: World, sigstore: Sigstore, name: str, content: str
) -> None:
    (world.folder / name).write_text(content)
    with pytest.raises(UsageError):
        Run(world, sigstore, sbom=world.folder / name).seal()
    assert not sigstore.requests
    assert not world.release.exists()


def test_a_lock_of_another_project(world: World, sigstore: Sigstore) -> None:
    lock = world.folder / "uv.lock"
    lock.write_text(UV_LOCK.replace("tiny-project", "other"))
    with pytest.raises(UsageError):
        Run(world, sigstore, sbom=lock).seal()
    assert not sigstore.requests


@pytest.mark.parametrize("name", ["pylock.toml", "requirements.txt", "uv.lock"])
@pytest.mark.parametrize(
    ("requires", "said"),
    [
        ("flask>=1", "does not have flask"),
        ("six>=1.17", "has six 1.16.0"),
        ("six>=1.16", ""),
        ("flask; python_version < '3'", ""),
        ("flask; extra == 'web'", ""),
    ],
)
def test_a_lock_without_what_the_artifacts_require(
    world: World, sigstore: Sigstore, name: str, requires: str, said: str
) -> None:
    """Else the list of another project, which names no project itself, would be signed as the one of this."""
    wheel(world.dist, "tiny-project", "1.2.3", requires=[requires])
    (world.folder / name).write_text(LOCKS[name])
    if not said:
        assert Run(world, sigstore, sbom=world.folder / name).seal().verdict.result is Result.PASSED
        return
    with pytest.raises(UsageError, match=said):
        Run(world, sigstore, sbom=world.folder / name).seal()
    assert not sigstore.requests


@pytest.mark.parametrize(
    ("root", "said"),
    [
        ({"name": "other", "version": "1.2.3"}, "of other 1.2.3"),
        ({"name": "tiny-project", "version": "1.2.2"}, "of tiny-project 1.2.2"),
        ({}, "of nothing"),
        (None, "no CycloneDX"),
        ({"name": "Tiny_Project", "version": "1.2.3"}, ""),
    ],
)
def test_a_finished_sbom_of_something_else(
    world: World, sigstore: Sigstore, root: dict[str, str] | None, said: str
) -> None:
    """It is renamed to this release and signed, whether or not the policy asks for an attestation of it."""
    world.policy.write_text(POLICY)
    sbom = world.folder / "any.json"
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": root}}
    sbom.write_text(json.dumps(document if root is not None else {"spdxVersion": "SPDX-2.3"}))
    if not said:
        assert Run(world, sigstore, sbom=sbom).seal().verdict.result is Result.PASSED
        return
    with pytest.raises(UsageError, match=said):
        Run(world, sigstore, sbom=sbom).seal()
    assert not sigstore.requests
    assert not world.release.exists()

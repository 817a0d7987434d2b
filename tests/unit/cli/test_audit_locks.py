"""`sealwright audit` of locks whose files say less than an installer needs to be held to them."""

import subprocess
from pathlib import Path

import pytest
from support.advisories import affected, make_index, record
from support.packages import sha256
from support.world import run

from sealwright.sandbox.project import build_wheel

WHEEL, OTHER = "good-1.0-py3-none-any.whl", "good-1.0-1evil-py3-none-any.whl"
UNHASHED = "one of its files has no hash"


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("db"), record(1, affected("bad", versions=["1.0"])))


def audit(folder: Path, db: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run("sealwright", "audit", *arguments, "--db", str(db), cwd=folder)


def write_uv(folder: Path, *packages: str) -> str:
    source = 'source = { registry = "https://x.example/simple" }'
    entries = [f'[[package]]\nname = "good"\nversion = "1.0"\n{source}\n{each}\n' for each in packages]
    (folder / "uv.lock").write_text("version = 1\n" + "".join(entries))
    return "uv.lock"


def write_pylock(folder: Path, *packages: str) -> str:
    entries = [f'[[packages]]\nname = "good"\nversion = "1.0"\n{each}\n' for each in packages]
    (folder / "pylock.toml").write_text('lock-version = "1.0"\n' + "".join(entries))
    return "pylock.toml"


def wheels(*files: tuple[str, str]) -> str:
    tables = [f'{{ url = "https://x.example/{name}"{", " + more if more else ""} }}' for name, more in files]
    return f"wheels = [{', '.join(tables)}]"


NO_HASH = ["", 'hash = ""', "hash = 5", 'hash = "sha256:"', 'hash = "md5:00"']
NO_HASHES = ["", "hashes = {}", "hashes = 5", "hashes = { sha256 = 5 }", 'hashes = { md5 = "00" }']


@pytest.mark.parametrize("kind", ["uv.lock", "pylock.toml"])
@pytest.mark.parametrize("number", range(len(NO_HASH)))
@pytest.mark.parametrize("apart", [False, True])
def test_a_file_without_a_hash_beside_one_that_has_one(
    tmp_path: Path, db: Path, kind: str, number: int, apart: bool
) -> None:
    """`uv sync --frozen` installs it, whatever is in it."""
    (tmp_path / "files").mkdir()
    digest = sha256(build_wheel(tmp_path / "files", "good", "1.0"))
    uv = kind == "uv.lock"
    hashed = (WHEEL, f'hash = "sha256:{digest}"' if uv else f'hashes = {{ sha256 = "{digest}" }}')
    gap = (OTHER, NO_HASH[number] if uv else NO_HASHES[number])
    packages = [wheels(hashed), wheels(gap)] if apart else [wheels(hashed, gap)]
    write = write_uv if uv else write_pylock
    for listed in (packages, packages[::-1]):
        name = write(tmp_path, *listed)
        done = audit(tmp_path, db, name, "--files", "files")
        assert (done.returncode, UNHASHED in done.stdout) == (21, True), done.stdout + done.stderr
        done = audit(tmp_path, db, name)
        assert (done.returncode, "without a hash" in done.stdout) == (0, True), done.stdout + done.stderr
    done = audit(tmp_path, db, write(tmp_path, wheels(hashed)), "--files", "files")
    assert (done.returncode, "without a hash" in done.stdout) == (0, False), done.stdout + done.stderr


NO_FILES = [
    ("", "it lists no file"),
    ("wheels = []", "it lists no file"),
    ('wheels = "x"', "what it lists as its files"),
    ('wheels = ["x"]', "what it lists as its files"),
    ('sdist = "x"', "what it lists as its files"),
    ('wheels = "x"\nsdist = { url = "https://x.example/good-1.0.tar.gz" }', "what it lists as its files"),
    ("wheels = [{}]", "one of its files has no name of a wheel or an sdist"),
    ('wheels = [{ url = "https://x.example/evil-1.0-py3-none-any.WHL" }]', "one of its files has no name of"),
]


@pytest.mark.parametrize(("files", "said"), NO_FILES)
def test_a_package_of_which_nobody_knows_what_is_installed(tmp_path: Path, db: Path, files: str, said: str) -> None:
    done = audit(tmp_path, db, write_pylock(tmp_path, files))
    assert (done.returncode, said in done.stdout) == (21, True), done.stdout + done.stderr
    done = audit(tmp_path, db, write_uv(tmp_path, files))  # uv leaves the files out where it installs none here
    assert done.returncode == (0 if said == "it lists no file" else 21), done.stdout + done.stderr

"""`sealwright audit --files index`: hashes that are pinned, against those that a package index lists for the version."""

import json
import subprocess
import time
from pathlib import Path

import pytest
from support.advisories import affected, make_index, record
from support.packages import sha256
from support.world import run

from sealwright.jobs.audit.audit import distinct
from sealwright.model.dependency import Dependency
from sealwright.sandbox.faults import NOT_JSON, Answer, Break, Delay, Endpoint, Fault, Lie, redirect
from sealwright.sandbox.places import Places
from sealwright.sandbox.project import build_sdist, build_wheel

ONCE = {"PIP_RETRIES": "0", "PIP_TIMEOUT": "60", "PIP_KEYRING_PROVIDER": "disabled", "PIP_CONFIG_FILE": "/dev/null"}
NONE = "0" * 64
JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("db"), record(1, affected("bad", versions=["1.0"])))


@pytest.fixture
def digests(places: Places, tmp_path: Path) -> dict[str, str]:
    """good 1.0 as a wheel and an sdist, good 1.1 as a wheel, on the index."""
    folder = tmp_path / "dist"
    folder.mkdir()
    files = [build_wheel(folder, "good", "1.0"), build_sdist(folder, "good", "1.0"), build_wheel(folder, "good", "1.1")]
    places.index.publish(*files)
    return dict(zip(("wheel", "sdist", "other"), map(sha256, files), strict=True))


def audit(
    folder: Path, db: Path, where: str, target: str = "r.txt", *more: str, **env: str
) -> "subprocess.CompletedProcess[str]":
    return run("sealwright", "audit", target, "--db", str(db), "--files", where, *more, cwd=folder, env=ONCE | env)


CASES = [
    ("the wheel's", "good==1.0", ["wheel"], 0, "AUDITED"),
    ("both", "Good==1.0.0", ["wheel", "sdist"], 0, "AUDITED"),
    ("no hash, nothing to compare", "good==1.0", [], 0, "AUDITED"),
    ("of no file", "good==1.0", [NONE], 21, "no file of this version"),
    ("one right of two: pip takes what either is of", "good==1.0", ["wheel", NONE], 21, "no file of this version"),
    ("of another version's file", "good==1.0", ["other"], 21, "no file of this version"),
    ("of another version's file, beside its own", "good==1.0", ["wheel", "other"], 21, "no file of this version"),
    ("a version that the index has no file of", "good==9.0", ["wheel"], 21, "holds no file of this version"),
    ("a project that the index has never heard of", "unheard==1.0", ["wheel"], 21, "holds no file of this version"),
    ("SHA-512 alone", "good==1.0", ["sha512:" + NONE * 2], 21, "no SHA-256"),
    ("SHA-512 beside the right one", "good==1.0", ["wheel", "sha512:" + NONE * 2], 21, "no SHA-256"),
    ("MD5", "good==1.0", ["md5:" + "0" * 32], 21, "no sha256"),
    ("vulnerable goes before", "bad==1.0", [NONE], 20, "holds no file of this version"),
]


@pytest.mark.parametrize("page", ["json", "html"])
@pytest.mark.parametrize(
    ("pin", "hashes", "code", "said"), [each[1:] for each in CASES], ids=[each[0] for each in CASES]
)
def test_hashes(
    tmp_path: Path, db: Path, places: Places, digests: dict[str, str], page: str, pin: str, hashes: list[str], code: int,
    said: str,
) -> None:  # fmt: skip
    if page == "html":
        links = "".join(
            f'<a href="/f/good-{name}#sha256={digests[key]}">x</a>'
            for key, name in (
                ("wheel", "1.0-py3-none-any.whl"),
                ("sdist", "1.0.tar.gz"),
                ("other", "1.1-py3-none-any.whl"),
            )
        )
        for_good = Answer(200, f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), content_type="text/html")
        if "good" in pin.lower():
            places.faults.add(Endpoint.INDEX_LISTING, for_good)
    found = [digests.get(each, each) for each in hashes]
    words = [f"--hash={each if ':' in each else f'sha256:{each}'}" for each in found]
    (tmp_path / "r.txt").write_text(" ".join([pin, *words]) + "\n")
    done = audit(tmp_path, db, f"index:{places.index.url}")
    assert (done.returncode, said in done.stdout) == (code, True), done.stdout + done.stderr
    assert "not compared" not in done.stdout
    if said == "no file of this version" and pin == "good==1.0":  # both sides are shown
        assert digests["sdist"][:12] in done.stdout
        assert (NONE[:12] if NONE in hashes else digests["other"][:12]) in done.stdout
    if not hashes:
        assert places.requests[Endpoint.INDEX_LISTING] == 0


@pytest.mark.parametrize(("kept", "code"), [("wheel", 0), (NONE, 21), ("other", 21)])
def test_locks(tmp_path: Path, db: Path, places: Places, digests: dict[str, str], kept: str, code: int) -> None:
    digest = digests.get(kept, kept)
    named = 'name = "good"\nversion = "1.0"\n'
    file = 'url = "https://x.example/good-1.0-py3-none-any.whl"'
    (tmp_path / "pylock.toml").write_text(
        f'lock-version = "1.0"\n[[packages]]\n{named}wheels = [{{ {file}, hashes = {{ sha256 = "{digest}" }} }}]\n'
    )
    source = 'source = { registry = "https://x.example/simple" }\n'
    (tmp_path / "uv.lock").write_text(
        f'version = 1\n[[package]]\n{named}{source}wheels = [{{ {file}, hash = "sha256:{digest}" }}]\n'
    )
    for name in ("pylock.toml", "uv.lock"):
        done = audit(tmp_path, db, f"index:{places.index.url}", name)
        assert done.returncode == code, name + done.stdout + done.stderr


def page(**hashes: str) -> Answer:
    files = [{"filename": "good-1.0.tar.gz", "url": "/f/good-1.0.tar.gz", "hashes": hashes}]
    document = {"meta": {"api-version": "1.0"}, "name": "good", "files": files}
    return Answer(200, json.dumps(document).encode(), content_type=JSON)


FAULTS: list[tuple[str, Fault, int, str]] = [
    ("no hashes", page(), 21, "states no SHA-256"),
    ("MD5 alone", page(md5="0" * 32), 21, "states no SHA-256"),
    ("a SHA-256 that is none", page(sha256="abc"), 21, "states no SHA-256"),
    ("other hashes", Lie.OTHER_HASH, 21, "no file of this version"),
    ("each file with two hashes", Lie.TWICE, 3, "two things"),
    ("no files", Answer(200, b'{"files": []}', content_type=JSON), 3, ""),
    ("null", Answer(200, b"null", content_type=JSON), 3, ""),
    ("an empty body", Answer(200, b"", content_type=JSON), 3, ""),
    ("a login page", NOT_JSON, 3, ""),
    ("another major version", Answer(200, b'{"meta": {"api-version": "2.0"}, "files": []}', content_type=JSON), 3, ""),
    ("an image", Answer(200, b"x", content_type="image/png"), 3, ""),
    ("403", Answer(403), 3, "403"),
    ("429", Answer(429), 3, "429"),
    ("500", Answer(500), 3, "500"),
    ("404", Answer(404), 21, "holds no file of this version"),
    ("a redirect to a file", redirect("file:///etc/hostname"), 3, ""),
    ("a redirect loop", redirect("/simple/good/"), 3, ""),
    ("nothing", Break.DROPPED, 3, ""),
    ("half", Break.TRUNCATED, 3, ""),
    ("no end", Break.ENDLESS, 3, ""),
    ("a bomb", Break.GZIP_BOMB, 3, ""),
    ("late", Delay(4), 3, "in time"),
]


@pytest.mark.parametrize(("fault", "code", "said"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS])
def test_faults_of_the_index(
    tmp_path: Path, db: Path, places: Places, digests: dict[str, str], fault: Fault, code: int, said: str
) -> None:
    places.faults.add(Endpoint.INDEX_LISTING, fault)
    (tmp_path / "r.txt").write_text(f"good==1.0 --hash=sha256:{digests['wheel']}\n")
    seconds = {"PIP_TIMEOUT": "2"} if isinstance(fault, Delay) else {}
    done = audit(tmp_path, db, f"index:{places.index.url}", **seconds)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr


def test_the_index_that_pip_knows(tmp_path: Path, db: Path, places: Places, digests: dict[str, str]) -> None:
    for digest, code in ((digests["wheel"], 0), (NONE, 21)):
        (tmp_path / "r.txt").write_text(f"good==1.0 --hash=sha256:{digest}\n")
        done = run(
            "sealwright", "audit", "r.txt", "--db", str(db), "--files", "index", cwd=tmp_path,
            env=ONCE | {"PIP_INDEX_URL": places.index.url},
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr


def test_addresses_that_are_not_taken(tmp_path: Path, db: Path) -> None:
    (tmp_path / "r.txt").write_text("good==1.0\n")
    for where in ("index:http://example.org/simple", "index:file:///tmp", "index:nothing"):
        done = audit(tmp_path, db, where)
        assert done.returncode == 2, where + done.stderr


def test_an_index_that_refuses_connections(tmp_path: Path, db: Path) -> None:
    (tmp_path / "r.txt").write_text(f"good==1.0 --hash=sha256:{NONE}\n")
    done = audit(tmp_path, db, "index:http://127.0.0.1:9/simple")
    assert (done.returncode, "--files index:URL" in done.stderr, "--from" in done.stderr) == (3, True, False)


def test_a_password_is_not_shown(tmp_path: Path, db: Path, places: Places, digests: dict[str, str]) -> None:
    places.index.require_login("ann", "s3cret")
    (tmp_path / "r.txt").write_text(f"good==1.0 --hash=sha256:{NONE}\n")
    done = audit(tmp_path, db, f"index:{places.index.url.replace('//', '//ann:s3cret@')}", "r.txt", "--json")
    assert (done.returncode, "s3cret" in done.stdout + done.stderr) == (21, False), done.stderr


def test_a_hash_behind_a_line_without_one_is_compared(tmp_path: Path, db: Path, places: Places) -> None:
    (tmp_path / "r.txt").write_text(f"good==1.0\ngood==1.0 --hash=sha256:{NONE}\n")
    done = audit(tmp_path, db, f"index:{places.index.url}")
    assert done.returncode == 21, done.stdout
    assert "no file of this version" in " ".join(done.stdout.split())


SEVERAL = [
    (("wheel", "wheel sdist"), 21, 0),
    (("wheel sdist", "wheel"), 21, 0),
    (("wheel", "wheel sdist", "sdist"), 21, 21),
    (("none sdist", "sdist"), 0, 21),
    (("none sdist", "sdist", ""), 0, 21),
    (("", "none sdist", "sdist"), 0, 21),
    (("sdist", "none sdist", "none sdist"), 0, 21),
    (("wheel none", "none sdist"), 21, 21),
    (("wheel sdist", "", "sdist"), 0, 0),
]


@pytest.mark.parametrize(("lines", "in_folder", "in_index"), SEVERAL, ids=[" + ".join(each[0]) for each in SEVERAL])
def test_several_lines_pin_one_version(
    tmp_path: Path,
    db: Path,
    places: Places,
    digests: dict[str, str],
    lines: tuple[str, ...],
    in_folder: int,
    in_index: int,
) -> None:
    """pip takes what every line allows; the folder has the sdist alone, the index the wheel, too."""
    (tmp_path / "dist" / "good-1.0-py3-none-any.whl").unlink()
    known = digests | {"none": NONE}
    pins = [" ".join(f"--hash=sha256:{known[name]}" for name in line.split()) for line in lines]
    (tmp_path / "r.txt").write_text("".join(f"good==1.0 {pin}\n" for pin in pins))
    assert audit(tmp_path, db, "dist").returncode == in_folder
    assert audit(tmp_path, db, f"index:{places.index.url}").returncode == in_index


def test_two_lines_of_many_hashes_are_held_against_each_other_at_once() -> None:
    hashes = tuple(f"sha256:{number:064x}" for number in range(30_000))
    entry = Dependency("good", "1.0", "r.txt", 1, hashes=hashes)
    began = time.process_time()
    (kept,) = distinct((entry, entry._replace(line=2, hashes=hashes[:0:-1])))
    assert time.process_time() - began < 2
    assert (kept.hashes, kept.hashes_of_some) == (hashes[1:], hashes[:1])

"""Each fault of each endpoint, met by `verify-release --install --require-file --kit`: its code, and nothing done.

What the command does after its command line was read runs in this process, for a user who has pinned the project and
verified it before. All that is theirs lies in one folder, which is compared with what it was.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.fetching import REPO, environment, own_temporary
from support.installing import Environment
from support.keyless import REQUIRING, WORKFLOW, Run, keyless_world
from support.pinning import judge, pin
from support.web import Answer as Page
from support.web import WebServer, serving
from support.world import PROJECT, VERSION, WHEEL

from sealwright.cli.afterwards import read_afterwards
from sealwright.cli.answer import Asking, answer
from sealwright.errors import SealwrightError
from sealwright.files.web_answer import Patience
from sealwright.jobs.verify.fetch import Source
from sealwright.sandbox.faults import Fault
from sealwright.sandbox.places import (
    NOT_JSON,
    Answer,
    Break,
    Delay,
    Endpoint,
    Lie,
    Places,
    Trickle,
    publisher_of,
    redirect,
    running_places,
    secondary_limit,
)
from sealwright.sandbox.sigstore import Sigstore

# The code for each fault (a row) of each endpoint (a column); a dash where there is nothing to be done wrong: an answer
# without a body, a listing that is not read, a blank line behind JSON.
CODES = """
                index                       github                                  web
                listing  file  provenance   release  assets  asset  download  file  sums  rest
500             3        3     3            3        3       3      3         3     3     3
503             3        3     3            3        3       3      3         3     3     3
401             3        3     3            3        3       3      3         3     3     3
403             3        3     3            3        3       3      3         3     3     3
limited         -        -     -            3        3       3      -         -     -     -
404             12       12    12           12       3       12     12        12    12    12
429             3        3     3            3        3       3      3         3     3     3
late            3        3     3            3        3       3      3         3     3     3
drips           3        3     3            3        3       -      -         3     3     3
no-answer       3        3     3            3        3       3      3         3     3     3
truncated       3        3     3            3        3       -      -         3     3     3
shorter         -        10    11           -        -       -      -         10    10    10
longer          -        10    -            -        -       -      -         10    10    10
other-size      10       -     -            -        10      -      -         -     -     -
other-bytes     -        10    11           -        -       -      -         10    10    10
other-hash      10       -     -            -        10      -      -         -     -     -
path-names      10       -     -            -        10      -      -         -     -     -
at-a-file       3        -     -            -        3       -      -         -     -     -
twice           10       -     -            -        10      -      -         -     -     -
to-a-file       3        3     3            3        3       3      3         3     3     3
to-a-network    3        3     3            3        3       3      3         3     3     3
to-this-cloud   3        3     3            3        3       3      3         3     3     3
to-ftp          3        3     3            3        3       3      3         3     3     3
to-a-stranger   10       10    11           3        3       10     10        10    3     10
bomb            3        3     3            3        3       -      -         3     3     3
endless         3        10    10           3        3       -      -         10    3     3
html            3        10    11           3        3       10     10        10    3     10
changed         -        10    11           -        -       -      -         10    10    10
broken-changed  -        10    -            -        -       -      -         -     -     -
"""
FAULTS: dict[str, Fault] = {
    "500": Answer(500), "503": Answer(503), "401": Answer(401), "403": Answer(403), "404": Answer(404),
    "limited": secondary_limit(600), "429": Answer(429, retry_after=9999), "late": Delay(5), "drips": Trickle(0.3),
    "no-answer": Break.DROPPED, "truncated": Break.TRUNCATED, "bomb": Break.GZIP_BOMB, "endless": Break.ENDLESS,
    "shorter": Lie.SHORTER, "longer": Lie.LONGER, "other-size": Lie.OTHER_SIZE, "other-bytes": Lie.OTHER_BYTES,
    "other-hash": Lie.OTHER_HASH, "path-names": Lie.PATH_NAMES, "at-a-file": Lie.FILE_ADDRESSES, "twice": Lie.TWICE,
    "to-a-file": redirect("file:///etc/hostname"), "to-a-network": redirect("http://192.0.2.1/"),
    "to-this-cloud": redirect("http://169.254.169.254/latest/"), "to-ftp": redirect("ftp://127.0.0.1/x"),
    "html": NOT_JSON, "changed": Lie.CHANGED, "broken-changed": Lie.CHANGED,
}  # fmt: skip
COLUMNS = {
    "listing": Endpoint.INDEX_LISTING, "file": Endpoint.INDEX_FILE, "provenance": Endpoint.INDEX_PROVENANCE,
    "release": Endpoint.GITHUB_RELEASE, "assets": Endpoint.GITHUB_ASSETS, "asset": Endpoint.GITHUB_ASSET,
    "download": Endpoint.GITHUB_DOWNLOAD, "github-file": Endpoint.GITHUB_FILE,
    "sums": Endpoint.WEB_FILE, "rest": Endpoint.WEB_FILE,
}  # fmt: skip
CELLS = [
    (row.split()[0], column, int(code))
    for row in CODES.splitlines()[3:]
    for column, code in zip(COLUMNS, row.split()[1:], strict=True)
    if code != "-"
]
PATIENT = Patience(attempts=2, connect=20, stall=20, pause=0.01, longest=1, least=60, slowest=10**6)
HASTY = PATIENT._replace(connect=1, stall=0.2, least=0.4, slowest=10**10)


class Published(NamedTuple):
    """A release in every place, a user's home after they verified it once, and an environment to install into."""

    places: Places
    stranger: WebServer
    home: Path
    environment: Environment


@pytest.fixture(scope="module")
def published(running_all_along: Sigstore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """One release for all: its evidence is for the index and for the release page, and the policy wants it all."""
    running_all_along.faults.clear()
    folder = tmp_path_factory.mktemp("published")
    attestations, home = folder / "attestations", folder / "home"
    world = keyless_world(folder / "world", running_all_along)
    evidence = 'evidence = ["checksums", "sigstore-bundles", "publish-attestations"]'
    world.policy.write_text(REQUIRING.replace("[release]\n", f"[release]\n{evidence}\n"))
    attestations.mkdir()
    Run(world, running_all_along, attestations=attestations).seal()
    data = home / "data" / "sealwright"
    pin(world.policy.parent, data)
    assert judge(world, data, pinned=True).exit_code == 0
    with running_places() as places, serving("127.0.0.2") as stranger:
        places.publish(
            world.release, project=PROJECT, version=VERSION, repository=REPO,
            attestations=attestations, publisher=publisher_of(WORKFLOW),
        )  # fmt: skip
        places.github.remove(REPO, f"v{VERSION}", *(path.name for path in attestations.iterdir()))
        places.github.limit = 10**6
        entry = {"filename": WHEEL, "url": f"{stranger.url}/", "hashes": {}}
        listing = {"meta": {"api-version": "1.1"}, "name": PROJECT, "files": [entry]}
        kind = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
        stranger["/"] = Page(json.dumps(listing).encode(), headers=kind)
        yield Published(places, stranger, home, Environment(folder / "environment"))


@pytest.fixture
def user(published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that is a user's: what is remembered, their home, where they work, and where private folders are made."""
    published.places.faults.clear()
    shutil.copytree(published.home, tmp_path / "user")
    folder = tmp_path / "user"
    (folder / "work").mkdir()
    own_temporary(folder / "temporary", monkeypatch)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(folder / "work")
    return folder


def holds(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes, and every folder."""
    paths = [path for path in folder.rglob("*") if not path.is_symlink()]
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in paths}


def install(published: Published, user: Path, column: str, patience: Patience = PATIENT) -> int:
    """Run `verify-release --install --require-file --kit` where that endpoint is asked, and return its code."""
    places = published.places
    token = {"GITHUB_TOKEN": places.github.token} if column == "asset" else {}
    where: dict[str, Any] = {"artifacts": "index", "evidence": f"github:{REPO}"}
    if COLUMNS[column] is Endpoint.WEB_FILE:
        where = {"artifacts": f"url:{places.web.url}/{PROJECT}/{{version}}/"}
    source = Source(environ=environment(places, user, **token), patience=patience, **where)
    pip = ("--python", published.environment.python, "--target", "packages")
    asked = read_afterwards(True, pip, None, False, Path("requirements.txt"), Path("kit"))
    try:
        return answer(Asking(f"{PROJECT}=={VERSION}", source, afterwards=asked))
    except SealwrightError as error:
        return int(error.exit_code) if error.hint else pytest.fail("an error without a hint")


@pytest.mark.parametrize("column", ["file", "rest"])
def test_without_a_fault_everything_is_done(published: Published, user: Path, column: str) -> None:
    """So that the next test can fail."""
    before = holds(user)
    assert install(published, user, column) == 0
    assert set(published.places.requests) <= set(COLUMNS.values()), "an endpoint without a column"
    assert COLUMNS[column] in published.places.requests
    new = holds(user).keys() - before.keys()
    assert {"work/packages/tiny_project.py", "work/requirements.txt", f"work/kit/release/{WHEEL}"} <= new
    assert not list((user / "temporary").iterdir())


@pytest.mark.parametrize(("fault", "column", "code"), CELLS)
def test_nothing_is_installed_and_nothing_left(
    published: Published, user: Path, capsys: pytest.CaptureFixture[str], fault: str, column: str, code: int
) -> None:
    faults, endpoint = published.places.faults, COLUMNS[column]
    if fault == "broken-changed":  # both files break off, and what comes then is the rest of another
        faults.add(endpoint, Break.TRUNCATED, times=2)
    ordered = FAULTS.get(fault) or redirect(f"{published.stranger.url}/")
    faults.add(endpoint, ordered, skip={"broken-changed": 2}.get(fault, int(column == "rest")))
    mine, environment = holds(user), holds(published.environment.folder)
    ends_by_time = fault in ("late", "drips") or (fault, column) == ("endless", "rest")
    assert install(published, user, column, HASTY if ends_by_time else PATIENT) == code
    assert (
        published.places.requests[endpoint] or ends_by_time
    )  # on a busy machine, something before it may be late, too
    assert holds(user) == mine
    assert holds(published.environment.folder) == environment
    said = capsys.readouterr().out
    assert said.startswith("NOT VERIFIED" if said else "")
    assert "INSTALLED" not in said
    log = [
        json.loads(line) for path in user.with_name("state").rglob("*.jsonl") for line in path.read_text().splitlines()
    ]
    assert [line["action"] for line in log] == ["verification-failed"] * bool(said)

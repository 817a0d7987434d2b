"""A release is fetched from places that may be anything but honest; and nothing is left behind (`judge` looks)."""

from pathlib import Path

import pytest
from support.fetching import REPO, environment, judge, own_temporary, publish
from support.forge import Forge
from support.publishing import Attested
from support.publishing import publish as publish_attested
from support.world import PROJECT, SDIST, SUMS, VERSION, WHEEL, World, build

from sealwright.model.verdict import Outcome
from sealwright.sandbox.faults import Fault
from sealwright.sandbox.places import (
    NOT_JSON,
    Answer,
    Break,
    Endpoint,
    Lie,
    Places,
)
from sealwright.sandbox.project import build_wheel
from sealwright.store.places.place import Rules

GITHUB = f"github:{REPO}"
BOTH = {"artifacts": "index", "evidence": GITHUB}
FOREIGN = "tiny_project-1.2.3-cp39-cp39-win_amd64.whl"


@pytest.fixture(autouse=True)
def _own_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_temporary(tmp_path / "private", monkeypatch)


@pytest.fixture
def published(world: World, places: Places) -> World:
    publish(world, places)
    return world


def web(places: Places) -> str:
    return f"url:{places.web.url}/{PROJECT}/{{version}}/"


def test_bytes_from_the_index_and_evidence_from_the_release_page(published: World, places: Places) -> None:
    answer = judge(published, places, **BOTH)
    assert answer.code == 0, answer
    assert answer.verdict
    assert answer.verdict.folder == f"index and {GITHUB}"
    # One page of the index, one release and its one page of assets; every file once.
    asked = places.requests
    assert (asked[Endpoint.INDEX_LISTING], asked[Endpoint.INDEX_FILE]) == (1, 2)
    assert (asked[Endpoint.GITHUB_RELEASE], asked[Endpoint.GITHUB_ASSETS], asked[Endpoint.GITHUB_FILE]) == (1, 1, 4)


def test_every_place_alone(published: World, places: Places) -> None:
    for place in (GITHUB, web(places), "release", str(published.release)):
        folder = place if ":" in place or place.startswith("/") else str(published.folder / place)
        answer = judge(published, places, artifacts=folder)
        assert answer.code == 0, (place, answer)


def test_the_policy_says_where_to_look(published: World, places: Places) -> None:
    published.edit_policy('evidence = "index"', f'evidence = "{GITHUB}"')
    assert judge(published, places).code == 0
    # --from index leaves the evidence where the policy says; any other place serves both.
    assert judge(published, places, artifacts="index").code == 0
    places.github.clear()
    assert judge(published, places, artifacts=web(places)).code == 0


def test_an_index_alone_has_no_sums_and_that_is_said(published: World, places: Places) -> None:
    answer = judge(published, places)
    assert answer.code in (11, 12)
    assert ("evidence.present", SUMS) in answer.failed()
    assert answer.verdict
    (missing,) = [check for check in answer.verdict.failed() if check.subject == SUMS]
    assert "No index takes it" in missing.hint
    assert "--evidence-from" in missing.hint


def test_an_index_that_speaks_html(published: World, places: Places) -> None:
    page = "".join(
        f'<a href="{places.index.host}/nowhere/{name}">{name}</a>'
        for name in ("other-1.0.tar.gz", "tiny_project-9.zip")
    )
    places.faults.add(Endpoint.INDEX_LISTING, Answer(200, page.encode(), content_type="text/html"), times=1)
    assert judge(published, places, **BOTH).code == 12  # it has other versions, and not this one


@pytest.mark.parametrize("spelling", ["1.2.3", "1.2.3.0", "v1.2.3"])
def test_versions_are_compared_as_versions(published: World, places: Places, spelling: str) -> None:
    assert judge(published, places, asked=f"Tiny.Project=={spelling}", **BOTH).code == 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (f"{PROJECT}==9.9", "no release 9.9"),
        (f"{PROJECT}==1.2.3+local", "no release"),
        (f"{PROJECT}==1.2", "no release"),
    ],
)
def test_a_release_that_is_not_there(published: World, places: Places, asked: str, said: str) -> None:
    answer = judge(published, places, asked=asked, **BOTH)
    assert answer.code == 12
    assert said in answer.said()
    assert "1.2.3" in answer.said()


def test_a_place_that_has_nothing(published: World, places: Places) -> None:
    for place in ("index", GITHUB, web(places)):
        assert judge(published, places, artifacts=place).code != 3
    places.clear()
    for place in ("index", GITHUB, web(places), f"index:{places.index.host}/elsewhere"):
        assert judge(published, places, artifacts=place).code == 12, place


def test_evidence_that_is_nowhere_is_named(published: World, places: Places) -> None:
    places.github.clear()
    answer = judge(published, places, **BOTH)
    assert answer.code == 11
    assert answer.verdict
    assert [c.subject for c in answer.verdict.not_checked() if c.id == "places.evidence"] == [GITHUB]


# Faults that last are in tests/unit/cli/test_faults.py, with what they must not install.
INDEX = [Endpoint.INDEX_LISTING, Endpoint.INDEX_FILE]
PAGE = [Endpoint.GITHUB_RELEASE, Endpoint.GITHUB_ASSETS, Endpoint.GITHUB_DOWNLOAD, Endpoint.GITHUB_FILE]
LEADING = Endpoint.GITHUB_DOWNLOAD  # it leads elsewhere, and has no body to spoil


def where(places: Places, endpoint: Endpoint) -> dict[str, str]:
    """The places to name, so that this endpoint is asked."""
    return {"artifacts": web(places)} if endpoint is Endpoint.WEB_FILE else BOTH


@pytest.mark.parametrize(
    ("endpoint", "fault"),
    [
        (endpoint, fault)
        for endpoint in (*INDEX, *PAGE, Endpoint.WEB_FILE)
        for fault in (Answer(500), Answer(429, retry_after=0), Break.DROPPED, Break.TRUNCATED)
        if endpoint is not LEADING or fault is not Break.TRUNCATED
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_fault_that_passes_costs_nothing(published: World, places: Places, endpoint: Endpoint, fault: Fault) -> None:
    places.faults.add(endpoint, fault, times=1)
    assert judge(published, places, **where(places, endpoint)).code == 0


@pytest.mark.parametrize("fault", [Break.TRUNCATED, Lie.NO_RANGES, Lie.OTHER_RANGE, Lie.CHANGED])
def test_a_download_that_broke_off_is_finished(published: World, places: Places, fault: Break | Lie) -> None:
    """The second request answers honestly, ignores the range, sends another, or another file: never a wrong half."""
    places.faults.add(Endpoint.INDEX_FILE, Break.TRUNCATED, times=2)
    if fault is not Break.TRUNCATED:
        places.faults.add(Endpoint.INDEX_FILE, fault, skip=2)
    answer = judge(published, places, **BOTH)
    assert answer.code == (0 if fault in (Break.TRUNCATED, Lie.NO_RANGES) else 10)


def test_a_web_folder_that_lists_nothing(published: World, places: Places) -> None:
    """What SHA256SUMS names, and its evidence, is asked for by name."""
    places.faults.add(Endpoint.WEB_FILE, Answer(403), times=1, skip=1)
    assert judge(published, places, artifacts=web(places)).code == 0


def test_the_rate_limit_says_when_to_try_again(published: World, places: Places) -> None:
    places.github.limit = 0
    answer = judge(published, places, **BOTH)
    assert answer.code == 3
    assert "UTC" in answer.said()
    assert "GITHUB_TOKEN" in answer.said()
    token = environment(places, published.folder, GITHUB_TOKEN=places.github.token)
    assert judge(published, places, environ=token, **BOTH).code == 0


def test_a_private_repository_and_its_token(world: World, places: Places) -> None:
    """The files lie on a host that refuses every request with a token: it is never sent on (the sandbox sees to that)."""
    paths = sorted(world.release.iterdir())
    places.github.publish(REPO, f"v{VERSION}", *paths, private=True)
    assert judge(world, places, artifacts=GITHUB).code == 12
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        given = environment(places, world.folder, **{name: places.github.token})
        assert judge(world, places, artifacts=GITHUB, environ=given).code == 0
    wrong = judge(world, places, artifacts=GITHUB, environ=environment(places, world.folder, GITHUB_TOKEN="nonsense"))
    assert wrong.code == 3
    assert "token" in wrong.said()


def test_more_assets_than_a_page(published: World, places: Places, tmp_path: Path) -> None:
    for number in range(120):
        (tmp_path / f"note-{number}.txt").write_text("x")
    places.github.publish(REPO, f"v{VERSION}", *sorted(tmp_path.glob("note-*")))
    assert judge(published, places, artifacts=GITHUB).code == 0
    assert places.requests[Endpoint.GITHUB_ASSETS] == 2


@pytest.mark.parametrize(
    "name", ["tiny_project-1.2.3-py2-none-any.whl", "tiny-project-1.2.3.zip", "index.html", "evil-1.0.tar.gz"]
)
def test_a_release_page_with_an_evil_asset(published: World, places: Places, tmp_path: Path, name: str) -> None:
    """It is served and in no SHA256SUMS: refused, also where the bytes come from the index."""
    (tmp_path / name).write_bytes(b"evil")
    places.github.publish(REPO, f"v{VERSION}", tmp_path / name)
    for source in ({"artifacts": GITHUB}, BOTH, {"artifacts": str(published.release), "also": GITHUB}):
        answer = judge(published, places, **source)
        assert answer.code == 10, source
        assert ("checksums.listed", name) in answer.failed()


def test_a_wheel_that_the_index_alone_has(published: World, places: Places, tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, PROJECT, VERSION).rename(tmp_path / "tiny_project-1.2.3-2-py3-none-any.whl")
    places.index.publish(wheel)
    answer = judge(published, places, **BOTH)
    assert answer.code == 10
    assert ("checksums.listed", wheel.name) in answer.failed()


def test_an_older_wheel_under_the_new_name(published: World, places: Places, tmp_path: Path) -> None:
    older = build_wheel(tmp_path, PROJECT, "1.2.2").rename(tmp_path / WHEEL)
    places.index.publish(older, replace=True)
    answer = judge(published, places, **BOTH)
    assert answer.code == 10
    assert ("checksums.match", WHEEL) in answer.failed()


def test_a_file_that_was_taken_away(published: World, places: Places) -> None:
    places.index.remove(SDIST)
    answer = judge(published, places, **BOTH)
    assert answer.code == 10
    assert ("checksums.match", SDIST) in answer.failed()


@pytest.fixture
def many(unsealed: World, keys: Forge, places: Places) -> World:
    """A release that has a wheel for another platform as well."""
    (unsealed.folder / "other").mkdir()
    made = build_wheel(unsealed.folder / "other", PROJECT, VERSION)
    made.rename(unsealed.dist / FOREIGN)
    assert unsealed.seal(keys, keys.alice).returncode == 0
    publish(unsealed, places)
    return unsealed


def test_what_is_for_another_platform_is_listed_and_not_fetched(many: World, places: Places) -> None:
    answer = judge(many, places, **BOTH)
    assert answer.code == 0, answer
    assert answer.verdict
    assert FOREIGN not in {artifact.name for artifact in answer.verdict.artifacts}
    left = {check.subject: check for check in answer.verdict.not_checked() if check.id == "release.not-fetched"}
    assert "--all" in left[FOREIGN].got
    assert places.requests[Endpoint.INDEX_FILE] == 2


def test_all_fetches_it(many: World, places: Places) -> None:
    answer = judge(many, places, rules=Rules(everything=True), **BOTH)
    assert answer.code == 0
    assert answer.verdict
    assert FOREIGN in {artifact.name for artifact in answer.verdict.artifacts}


def test_what_is_not_fetched_must_be_listed_all_the_same(many: World, places: Places, tmp_path: Path) -> None:
    """A wheel for another platform that is in no SHA256SUMS was added by somebody."""
    evil = build_wheel(tmp_path, PROJECT, VERSION).rename(tmp_path / FOREIGN.replace("cp39", "cp38"))
    places.index.publish(evil)
    answer = judge(many, places, **BOTH)
    assert answer.code == 10
    assert ("checksums.listed", evil.name) in answer.failed()


def test_a_release_for_others_alone(many: World, places: Places) -> None:
    places.index.remove(WHEEL)
    places.index.remove(SDIST)
    answer = judge(many, places, **BOTH)
    assert answer.code == 12
    assert "--all" in answer.said()


def test_a_folder_never_leaves_anything_out(many: World, places: Places) -> None:
    """Only the job that fetched may say that a file was left: one that is missing from a folder is an attack."""
    (many.release / FOREIGN).unlink()
    answer = judge(many, places, artifacts=str(many.release))
    assert answer.code == 10
    assert ("checksums.match", FOREIGN) in answer.failed()


def test_yanked(published: World, places: Places) -> None:
    places.index.yank(PROJECT, VERSION, "it eats files\x1b[2J")
    answer = judge(published, places, **BOTH)
    assert answer.code == 13
    assert answer.verdict
    assert "it eats files" in next(check.got for check in answer.verdict.failed())
    allowed = judge(published, places, rules=Rules(allow_yanked=True), **BOTH)
    assert allowed.code == 0
    assert allowed.verdict
    assert {check.id for check in allowed.verdict.reported()} == {"release.yanked"}


def test_two_places_with_the_same_bytes(published: World, places: Places) -> None:
    for also in (GITHUB, web(places), f"dir:{published.release}"):
        answer = judge(published, places, also=also, **BOTH)
        assert answer.code == 0, answer
        assert answer.verdict
        same = [c for c in answer.verdict.checks if c.id == "places.same" and c.outcome is Outcome.PASS]
        assert {check.subject for check in same} == {WHEEL, SDIST}


def test_two_places_with_different_bytes(published: World, places: Places, tmp_path: Path) -> None:
    other = build(tmp_path / "again", VERSION) / WHEEL
    other.write_bytes(other.read_bytes() + b"\0")
    places.github.remove(REPO, f"v{VERSION}", WHEEL)
    places.github.publish(REPO, f"v{VERSION}", other)
    answer = judge(published, places, also=GITHUB, artifacts="index", evidence=web(places))
    assert answer.code == 10
    assert ("places.agree", WHEEL) in answer.failed()


def test_a_place_to_compare_with_that_lacks_a_file(published: World, places: Places) -> None:
    places.github.remove(REPO, f"v{VERSION}", WHEEL)
    answer = judge(published, places, also=GITHUB, artifacts="index", evidence=web(places))
    assert (answer.code, answer.failed()) == (12, {("places.same", WHEEL)})
    places.github.clear()
    answer = judge(published, places, also=GITHUB, artifacts="index", evidence=web(places))
    assert (answer.code, answer.failed()) == (12, {("places.same", WHEEL), ("places.same", SDIST)})


@pytest.mark.parametrize("stated", [{}, {"core-metadata": None}], ids=["by its name", "by its older name"])
def test_metadata_that_only_the_index_has(published: World, places: Places, stated: dict[str, None]) -> None:
    """The index states another digest of the metadata than the wheel has: pip would resolve by that."""
    import json

    import requests

    page = requests.get(
        f"{places.index.url}{PROJECT}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}, timeout=60
    )
    document = page.json()
    for entry in document["files"]:
        if entry.get("core-metadata"):
            entry["core-metadata"] = entry["dist-info-metadata"] = {"sha256": "0" * 64}
            entry |= stated
    lie = Answer(200, json.dumps(document).encode(), content_type="application/vnd.pypi.simple.v1+json")
    places.faults.add(Endpoint.INDEX_LISTING, lie)
    answer = judge(published, places, **BOTH)
    assert (answer.code, answer.failed()) == (10, {("places.metadata", WHEEL)})


def test_an_index_that_asks_for_a_login(published: World, places: Places) -> None:
    places.index.require_login("me", "secret")
    assert judge(published, places, **BOTH).code == 3
    url = places.index.url.replace("//", "//me:secret@")
    answer = judge(published, places, artifacts=f"index:{url}", evidence=GITHUB)
    assert answer.code == 0
    assert "secret" not in str(answer)
    (published.folder / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (published.folder / ".netrc").chmod(0o600)
    assert judge(published, places, **BOTH).code == 0


def test_offline_reaches_nothing(published: World, places: Places) -> None:
    for source in (BOTH, {"artifacts": str(published.release), "also": "index"}, {}):
        answer = judge(published, places, offline=True, **source)
        assert answer.code == 2
        assert "--offline" in answer.said()
    assert not places.requests
    assert judge(published, places, offline=True, artifacts=str(published.release)).code == 0


@pytest.mark.parametrize(
    "place",
    [
        "index:http://example.org/simple",
        "url:ftp://x",
        "github:o",
        "github:o/r/s",
        "index:",
        "url:file:///etc",
        "github:../x",
        "",
    ],
)
def test_places_that_are_none(published: World, places: Places, place: str) -> None:
    answer = judge(published, places, artifacts=place)
    assert answer.code == 2
    assert not places.requests


def test_a_policy_in_the_folder_that_it_should_judge(published: World, places: Places) -> None:
    answer = judge(published, places, artifacts=str(published.folder), evidence=GITHUB)
    assert answer.code == 2
    assert "lies inside" in answer.said()


def test_an_interrupt_leaves_nothing(published: World, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    from sealwright.files.web import Web

    def interrupted(*arguments: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Web, "download", interrupted)
    with pytest.raises(KeyboardInterrupt):  # and `judge` looks for what is left
        judge(published, places, **BOTH)


@pytest.fixture
def indexed(attested: Attested, places: Places, tmp_path: Path) -> World:
    """A project that publishes to an index and nowhere else: what vouches for it is PEP 740 provenance."""
    made = attested.copy(tmp_path / "world")
    publish_attested(places, made)
    places.github.clear()
    places.web.clear()
    made.world.edit_policy('tag = "v{version}"\n', 'tag = "v{version}"\nevidence = ["publish-attestations"]\n')
    return made.world


def test_an_index_and_its_provenance_alone(indexed: World, places: Places) -> None:
    answer = judge(indexed, places)
    assert answer.code == 0, answer
    assert places.requests[Endpoint.INDEX_PROVENANCE] == 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [(Answer(404), 11), (NOT_JSON, 11), (Lie.OTHER_BYTES, 11), (Lie.SHORTER, 11), (Answer(200, b"{}"), 11)],
    ids=lambda value: str(value)[:60],
)
def test_provenance_that_is_none(indexed: World, places: Places, fault: Fault, code: int) -> None:
    """Where nothing else vouches; what lasts is in tests/unit/cli/test_faults.py."""
    places.faults.add(Endpoint.INDEX_PROVENANCE, fault)
    assert judge(indexed, places).code == code


def test_provenance_of_another_file(indexed: World, places: Places) -> None:
    import requests

    other = requests.get(f"{places.index.host}/integrity/{PROJECT}/{VERSION}/{SDIST}/provenance", timeout=60)
    assert other.ok
    places.index.publish_provenance(WHEEL, other.content)
    assert judge(indexed, places).code == 11

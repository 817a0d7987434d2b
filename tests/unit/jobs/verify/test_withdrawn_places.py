"""A release comes from several places, and its project has called it back in one of them: the others do not hide that."""

from pathlib import Path

import pytest
from support.fetching import REPO, Answered, judge, own_temporary, publish
from support.forge import Forge
from support.world import PROJECT, VERSION, World

from sealwright.model.verdict import Outcome
from sealwright.model.withdrawal import SignedWithdrawal, Withdrawal, render_withdrawals
from sealwright.sandbox.places import Places

PLACES = ("artifacts", "evidence", "also")
TAG = f"v{VERSION}"
HUGE = b" " * (1024**2 + 1)


@pytest.fixture(autouse=True)
def _own_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_temporary(tmp_path / "private", monkeypatch)


def withdrawal(keys: Forge, version: str = VERSION) -> bytes:
    text = Withdrawal(PROJECT, version, "it deletes files", "", "", "2026-01-02").to_bytes()
    return render_withdrawals([SignedWithdrawal(text.decode(), openpgp=(keys.sign(keys.bob, text).decode(),))])


def put(world: World, places: Places, role: str, content: bytes) -> None:
    """Lay a withdrawn.json into the place that has that role in `judged`."""
    path = world.folder / "also" / "withdrawn.json"
    if role == "artifacts":
        places.web.put(f"{PROJECT}/{VERSION}/withdrawn.json", content)
    elif role == "also":
        path.write_bytes(content)
    else:
        aside = world.folder / "withdrawn.json"
        aside.write_bytes(content)
        places.github.publish(REPO, TAG, aside)


@pytest.fixture
def published(world: World, places: Places) -> World:
    publish(world, places)
    (world.folder / "also").mkdir()
    for path in world.release.iterdir():
        (world.folder / "also" / path.name).write_bytes(path.read_bytes())
    return world


def judged(world: World, places: Places) -> Answered:
    web = f"url:{places.web.url}/{PROJECT}/{{version}}/"
    return judge(world, places, artifacts=web, evidence=f"github:{REPO}", also=str(world.folder / "also"))


@pytest.mark.parametrize("others", ["none", "empty", "garbage", "of another version"])
@pytest.mark.parametrize("role", PLACES)
def test_one_place_has_it(published: World, places: Places, keys: Forge, role: str, others: str) -> None:
    contents = {"empty": render_withdrawals([]), "garbage": b"\xff{", "of another version": withdrawal(keys, "1.2.2")}
    for other in PLACES:
        if other == role:
            put(published, places, role, withdrawal(keys))
        elif others in contents:
            put(published, places, other, contents[others])
    answer = judged(published, places)
    assert answer.code == 13, answer
    assert answer.verdict
    assert {check.id for check in answer.verdict.failed()} == {"release.withdrawn"}
    assert {each.version for each in answer.verdict.withdrawals} >= {VERSION}


def test_the_place_is_named(published: World, places: Places, keys: Forge) -> None:
    put(published, places, "evidence", withdrawal(keys))
    put(published, places, "also", b"{}")
    answer = judged(published, places)
    assert answer.verdict
    found = {check.subject: check.outcome for check in answer.verdict.checks if check.id == "withdrawal.signature"}
    where = published.folder / "also"
    assert found == {f"withdrawn.json of github:{REPO} #1": Outcome.PASS, f"withdrawn.json of {where}": Outcome.FAIL}


@pytest.mark.parametrize("role", PLACES)
def test_one_that_is_too_large_is_no_release(published: World, places: Places, keys: Forge, role: str) -> None:
    put(published, places, role, HUGE)
    answer = judged(published, places)
    assert (answer.code, answer.failed()) == (10, {("release.entry", "withdrawn.json")})


def test_what_calls_nothing_back_costs_nothing(published: World, places: Places, keys: Forge) -> None:
    for role, content in zip(PLACES, (render_withdrawals([]), b"\xff{", withdrawal(keys, "1.2.2")), strict=True):
        put(published, places, role, content)
    assert judged(published, places).code == 0


def test_two_places_of_one_name_are_two(published: World, places: Places, keys: Forge) -> None:
    """A trailing slash, or another password, makes two places that are shown alike."""
    put(published, places, "artifacts", withdrawal(keys))
    web = f"url:{places.web.url}/{PROJECT}/{{version}}/"
    answer = judge(published, places, artifacts=web, evidence=web.replace("//", "//me:x@"), also=f"github:{REPO}")
    assert answer.code == 13, answer


def test_a_web_folder_with_nothing_else(published: World, places: Places, keys: Forge) -> None:
    """A project whose evidence lies on an index has no SHA256SUMS to lay beside it."""
    places.web.clear()
    put(published, places, "artifacts", withdrawal(keys))
    web = f"url:{places.web.url}/{PROJECT}/{{version}}/"
    answer = judge(published, places, artifacts="index", evidence=f"github:{REPO}", also=web)
    assert ("release.withdrawn", VERSION) in answer.failed()
    alone = judge(published, places, artifacts=web)
    assert alone.code == 12
    assert "no wheel and no sdist" in alone.said()

"""A client of GitHub's REST API finds its way: pages, tokens, limits, the redirect to another host."""

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from support.publishing import REPO, TAG, Attested, publish
from support.world import SDIST, WHEEL

from sealwright.sandbox.places import Endpoint, Lie, Places, primary_limit, secondary_limit


@pytest.fixture
def published(places: Places, attested: Attested) -> Places:
    publish(places, attested)
    return places


def get(places: Places, path: str, token: str = "", **headers: str) -> requests.Response:
    said = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(f"{places.github.api}/repos/{path}", headers=said | headers, timeout=60, allow_redirects=False)


def test_a_release_by_its_tag(published: Places, attested: Attested) -> None:
    page = get(published, f"{REPO}/releases/tags/{TAG}").json()
    assert (page["tag_name"], page["draft"], page["prerelease"]) == (TAG, False, False)
    assert {asset["name"] for asset in page["assets"]} == {path.name for path in attested.world.release.iterdir()}
    for asset in page["assets"]:
        held = (attested.world.release / asset["name"]).read_bytes()
        assert (asset["size"], asset["digest"]) == (len(held), f"sha256:{hashlib.sha256(held).hexdigest()}")
        assert requests.get(asset["browser_download_url"], timeout=60).content == held
    assert get(published, f"{REPO}/releases/latest").json()["id"] == page["id"]
    assert get(published, f"{REPO}/releases/tags/v9").status_code == 404
    assert get(published, "o/unknown/releases").json()["message"] == "Not Found"


def test_an_asset_by_the_api_is_elsewhere_and_wants_no_token(published: Places, attested: Attested) -> None:
    asset = get(published, f"{REPO}/releases/tags/{TAG}").json()["assets"][0]
    path = asset["url"].partition("/repos/")[2]
    assert get(published, path).json()["name"] == asset["name"]
    sent = get(published, path, published.github.token, Accept="application/octet-stream")
    assert sent.status_code == 302
    there = sent.headers["Location"]
    assert urlsplit(there).netloc != urlsplit(published.github.api).netloc
    assert requests.get(there, timeout=60).content == (attested.world.release / asset["name"]).read_bytes()
    token = {"Authorization": f"Bearer {published.github.token}"}
    assert requests.get(there, headers=token, timeout=60).status_code == 400
    assert requests.get(there.partition("?")[0], timeout=60).status_code == 403


def test_pages_are_linked(published: Places, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    for number in range(4):
        published.github.publish(REPO, f"v2.{number}", tmp_path / "a.txt")
    tags, url = [], f"{published.github.api}/repos/{REPO}/releases?per_page=2"
    while url:
        answer = requests.get(url, timeout=60)
        tags += [page["tag_name"] for page in answer.json()]
        url = answer.links.get("next", {}).get("url", "")
        assert ("next" in answer.links) == ("last" in answer.links)
    assert tags == ["v2.3", "v2.2", "v2.1", "v2.0", TAG]
    page = get(published, f"{REPO}/releases/tags/{TAG}").json()
    assets = get(published, f"{REPO}/releases/{page['id']}/assets?per_page=1")
    assert len(assets.json()) == 1
    assert "page=2" in assets.links["next"]["url"]


def test_drafts_and_private_repositories_want_the_token(published: Places, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    published.github.publish("o/secret", "v1", tmp_path / "a.txt", private=True)
    published.github.publish(REPO, "v9", tmp_path / "a.txt", draft=True)
    token = published.github.token
    assert get(published, "o/secret/releases/tags/v1").status_code == 404
    assert get(published, "o/secret/releases/tags/v1", token).status_code == 200
    assert get(published, "o/secret/releases/tags/v1", "ghp_wrong").status_code == 401
    assert [page["tag_name"] for page in get(published, f"{REPO}/releases").json()] == [TAG]
    assert [page["tag_name"] for page in get(published, f"{REPO}/releases", token).json()] == ["v9", TAG]


def test_limits_are_counted_and_stated(published: Places) -> None:
    published.github.limit = 2
    first = get(published, f"{REPO}/releases")
    assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("2", "1")
    get(published, f"{REPO}/releases")
    third = get(published, f"{REPO}/releases")
    assert (third.status_code, third.headers["x-ratelimit-remaining"]) == (403, "0")
    assert int(third.headers["x-ratelimit-reset"]) > 0
    assert get(published, f"{REPO}/releases", published.github.token).status_code == 200


def test_limits_come_on_demand(published: Places) -> None:
    from datetime import UTC, datetime

    published.faults.add(Endpoint.GITHUB_RELEASES, primary_limit(datetime.now(UTC)), times=1)
    published.faults.add(Endpoint.GITHUB_RELEASES, secondary_limit(7), skip=1)
    first, second = get(published, f"{REPO}/releases"), get(published, f"{REPO}/releases")
    assert (first.status_code, first.headers["x-ratelimit-remaining"]) == (403, "0")
    assert (second.status_code, second.headers["retry-after"]) == (429, "7")


def test_a_listing_lies_as_ordered(published: Places, attested: Attested) -> None:
    published.faults.add(Endpoint.GITHUB_RELEASE, Lie.OTHER_HASH)
    for asset in get(published, f"{REPO}/releases/tags/{TAG}").json()["assets"]:
        held = (attested.world.release / asset["name"]).read_bytes()
        assert asset["digest"] != f"sha256:{hashlib.sha256(held).hexdigest()}"


def test_a_name_is_given_once(published: Places, attested: Attested) -> None:
    with pytest.raises(ValueError, match="there already"):
        published.github.publish(REPO, TAG, attested.world.release / WHEEL)
    published.github.remove(REPO, TAG, WHEEL)
    names = [asset["name"] for asset in get(published, f"{REPO}/releases/tags/{TAG}").json()["assets"]]
    assert WHEEL not in names
    assert SDIST in names

"""Each place fails as it is told to, at each of its endpoints; and the web folder is one."""

import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import urllib3
from support.publishing import REPO, TAG, Attested, publish
from support.world import PROJECT, SUMS, VERSION, WHEEL

from sealwright.sandbox.places import (
    NOT_JSON,
    Answer,
    Break,
    Delay,
    Endpoint,
    Lie,
    Places,
    Trickle,
    redirect,
)

URLS: dict[Endpoint, Callable[[Places], str]] = {
    Endpoint.INDEX_LISTING: lambda places: f"{places.index.url}{PROJECT}/",
    Endpoint.GITHUB_RELEASE: lambda places: f"{places.github.api}/repos/{REPO}/releases/tags/{TAG}",
    Endpoint.GITHUB_DOWNLOAD: lambda places: f"{places.github.web}/{REPO}/releases/download/{TAG}/{WHEEL}",
    Endpoint.WEB_FILE: lambda places: f"{places.web.url}/{PROJECT}/{VERSION}/{WHEEL}",
}


@pytest.fixture
def published(places: Places, attested: Attested) -> Places:
    publish(places, attested)
    return places


def test_the_web_folder_serves_files_and_lists_them(published: Places, attested: Attested, tmp_path: Path) -> None:
    base = f"{published.web.url}/{PROJECT}/{VERSION}/"
    assert requests.get(base + SUMS, timeout=60).content == (attested.world.release / SUMS).read_bytes()
    assert f'<a href="{WHEEL}">{WHEEL}</a>' in requests.get(base, timeout=60).text
    (tmp_path / "policy.toml").write_text("schema = 1\n")
    assert published.web.publish("trust/keys", tmp_path) == f"{published.web.url}/trust/keys/"
    assert requests.get(f"{published.web.url}/trust/keys/policy.toml", timeout=60).text == "schema = 1\n"
    published.web.remove(f"{PROJECT}/{VERSION}")
    assert requests.get(base, timeout=60).status_code == 404


@pytest.mark.parametrize("endpoint", URLS)
@pytest.mark.parametrize(
    ("fault", "status"),
    [(Answer(503), 503), (Answer(404, b"gone"), 404), (Answer(429, retry_after=3), 429), (NOT_JSON, 200)],
)
def test_other_answers(published: Places, endpoint: Endpoint, fault: Answer, status: int) -> None:
    published.faults.add(endpoint, fault, times=1)
    answer = requests.get(URLS[endpoint](published), timeout=60)
    assert (answer.status_code, answer.content) == (status, fault.body)
    assert answer.headers.get("Retry-After") == (None if fault.retry_after is None else "3")
    assert requests.get(URLS[endpoint](published), timeout=60).status_code == 200


@pytest.mark.parametrize("endpoint", URLS)
def test_redirects_to_anywhere(published: Places, endpoint: Endpoint) -> None:
    for to in ("file:///etc/hostname", published.web.url.replace("127.0.0.1", "localhost") + "/elsewhere"):
        published.faults.clear()
        published.faults.add(endpoint, redirect(to))
        answer = requests.get(URLS[endpoint](published), timeout=60, allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (302, to)


@pytest.mark.parametrize("endpoint", [Endpoint.INDEX_LISTING, Endpoint.GITHUB_RELEASE, Endpoint.WEB_FILE])
def test_truncated(published: Places, endpoint: Endpoint) -> None:
    published.faults.add(endpoint, Break.TRUNCATED)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(URLS[endpoint](published), timeout=60)


@pytest.mark.parametrize("endpoint", [Endpoint.INDEX_LISTING, Endpoint.WEB_FILE])
def test_a_gzip_bomb_is_small_on_the_wire(published: Places, endpoint: Endpoint) -> None:
    published.faults.add(endpoint, Break.GZIP_BOMB)
    raw = urllib3.request("GET", URLS[endpoint](published), preload_content=False, decode_content=False)
    packed = raw.read()
    assert len(packed) < 2 * 1024 * 1024
    member = zlib.decompressobj(31)
    assert len(member.decompress(packed)) == 16 * 1024 * 1024
    assert len(packed) // (len(packed) - len(member.unused_data)) == 64  # so many more of the same
    with requests.get(URLS[endpoint](published), timeout=60, stream=True) as answer:
        read = 0
        for chunk in answer.iter_content(65536):
            read += len(chunk)
            if read > 40 * 1024 * 1024:  # more than one member: clients do unpack it
                break
        assert read > 40 * 1024 * 1024


def test_endless(published: Places) -> None:
    published.faults.add(Endpoint.WEB_FILE, Break.ENDLESS)
    with requests.get(URLS[Endpoint.WEB_FILE](published), timeout=60, stream=True) as answer:
        assert "Content-Length" not in answer.headers
        assert sum(len(chunk) for chunk, _ in zip(answer.iter_content(65536), range(100), strict=False)) > 1024 * 1024


def test_slow_at_the_start_or_all_along(published: Places) -> None:
    url = URLS[Endpoint.WEB_FILE](published)
    published.faults.add(Endpoint.WEB_FILE, Delay(0.3), times=1)
    begun = time.monotonic()
    requests.get(url, timeout=60)
    assert time.monotonic() - begun >= 0.3
    published.faults.add(Endpoint.WEB_FILE, Trickle(0.05, 400))
    begun = time.monotonic()
    answer = requests.get(url, timeout=60)
    assert time.monotonic() - begun >= 0.05 * len(answer.content) / 400


@pytest.mark.parametrize("lie", [Lie.NO_RANGES, Lie.OTHER_RANGE])
def test_ranges_are_ignored_or_wrong(published: Places, attested: Attested, lie: Lie) -> None:
    held = (attested.world.release / WHEEL).read_bytes()
    published.faults.add(Endpoint.WEB_FILE, lie)
    answer = requests.get(URLS[Endpoint.WEB_FILE](published), headers={"Range": "bytes=10-"}, timeout=60)
    assert (answer.status_code, answer.content) == (
        (200, held) if lie is Lie.NO_RANGES else (206, held[11:] + b" ")
    )  # fmt: skip


def test_the_places_listen_on_loopback_alone(published: Places) -> None:
    for url in (published.index.host, published.github.api, published.github.web, published.web.url):
        assert url.startswith("http://127.0.0.1:")

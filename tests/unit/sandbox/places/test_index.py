"""Real clients agree with the index: pip takes files from it, pypi-attestations reads what it serves."""

import email.utils
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from packaging.version import Version
from pypi_attestations import Provenance
from support.publishing import SIMPLE_JSON, Attested, publish, tampered
from support.world import PROJECT, SDIST, VERSION, WHEEL, build

from sealwright.sandbox.places import Endpoint, GitLabPublisher, Lie, Places, build_provenance

HTML = "application/vnd.pypi.simple.v1+html"


@pytest.fixture
def published(places: Places, attested: Attested) -> Places:
    publish(places, attested)
    return places


def listing(places: Places, accept: str = SIMPLE_JSON, **options: object) -> requests.Response:
    return requests.get(f"{places.index.url}{PROJECT}/", headers={"Accept": accept}, timeout=60, **options)  # type: ignore[arg-type]  # each test knows what it takes


def entry(places: Places, name: str) -> dict[str, object]:
    return next(file for file in listing(places).json()["files"] if file["filename"] == name)


def pip(places: Places, folder: Path, *more: str, index: str = "") -> "subprocess.CompletedProcess[str]":
    env = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    command = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--no-cache-dir", "download"]
    command += ["--no-deps", "--retries", "0", "--index-url", index or places.index.url, "--dest", str(folder), *more]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)


def test_pip_downloads_what_was_published(published: Places, attested: Attested, tmp_path: Path) -> None:
    done = pip(published, tmp_path, f"{PROJECT}=={VERSION}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / WHEEL).read_bytes() == (attested.world.release / WHEEL).read_bytes()
    assert published.requests[Endpoint.INDEX_METADATA] == 1  # pip trusts and uses PEP 658


def test_pip_logs_in(published: Places, tmp_path: Path) -> None:
    published.index.require_login("reader", "canary-password")
    assert pip(published, tmp_path, PROJECT, "--no-input").returncode != 0
    parts = urlsplit(published.index.url)
    done = pip(published, tmp_path, PROJECT, index=f"http://reader:canary-password@{parts.netloc}{parts.path}")
    assert done.returncode == 0, done.stderr


def test_pip_passes_over_a_yanked_release_unless_it_is_named(published: Places, tmp_path: Path) -> None:
    build(tmp_path / "newer", "2.0")
    published.index.publish(*(tmp_path / "newer").iterdir())
    published.index.yank(PROJECT, "2.0", 'it "eats" <files>')
    assert pip(published, tmp_path, PROJECT).returncode == 0
    assert [path.name for path in tmp_path.glob("*.whl")] == [WHEEL]
    named = pip(published, tmp_path, f"{PROJECT}==2.0")
    assert 'it "eats" <files>' in named.stdout + named.stderr


@pytest.mark.parametrize("lie", [Lie.OTHER_BYTES, Lie.OTHER_HASH, Lie.LONGER, Lie.SHORTER])
def test_pip_refuses_what_is_false(published: Places, tmp_path: Path, lie: Lie) -> None:
    at = Endpoint.INDEX_LISTING if lie is Lie.OTHER_HASH else Endpoint.INDEX_FILE
    published.faults.add(at, lie)
    done = pip(published, tmp_path, PROJECT)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not list(tmp_path.iterdir())


def test_json_says_what_the_peps_ask_for(published: Places, attested: Attested) -> None:
    answer = listing(published)
    content = answer.json()
    assert answer.headers["Content-Type"] == SIMPLE_JSON
    assert content["meta"]["api-version"] == "1.4"
    assert content["name"] == PROJECT
    assert content["versions"] == [VERSION]
    assert {file["filename"] for file in content["files"]} == {WHEEL, SDIST}
    for file in content["files"]:
        held = (attested.world.release / file["filename"]).read_bytes()
        assert file["hashes"] == {"sha256": hashlib.sha256(held).hexdigest()}
        assert file["size"] == len(held)
        assert file["yanked"] is False
        assert requests.get(file["url"], timeout=60).content == held
    wheel, sdist = entry(published, WHEEL), entry(published, SDIST)
    stated = requests.get(f"{wheel['url']}.metadata", timeout=60)
    assert wheel["core-metadata"] == {"sha256": hashlib.sha256(stated.content).hexdigest()}
    assert stated.text.startswith("Metadata-Version: ")
    assert sdist["core-metadata"] is False
    assert requests.get(f"{sdist['url']}.metadata", timeout=60).status_code == 404


def test_html_says_the_same(published: Places) -> None:
    published.index.yank(PROJECT, VERSION, "broken & <gone>")
    page = listing(published, HTML)
    assert page.headers["Content-Type"] == HTML
    wheel = entry(published, WHEEL)
    assert wheel["yanked"] == "broken & <gone>"
    assert f'href="{wheel["url"]}#sha256={wheel["hashes"]["sha256"]}"' in page.text  # type: ignore[index]
    assert f'data-provenance="{wheel["provenance"]}"' in page.text
    assert f'data-core-metadata="sha256={wheel["core-metadata"]["sha256"]}"' in page.text  # type: ignore[index]
    assert 'data-yanked="broken &amp; &lt;gone&gt;"' in page.text
    published.index.unyank(PROJECT, VERSION)
    assert "data-yanked" not in listing(published, HTML).text


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/html; charset=UTF-8"),
        ("*/*", "text/html; charset=UTF-8"),
        (f"{SIMPLE_JSON}, {HTML}; q=0.1, text/html; q=0.01", SIMPLE_JSON),
        (f"{SIMPLE_JSON};q=0.1, {HTML};q=0.2", HTML),
        ("image/png", "text/html; charset=UTF-8"),
    ],
)
def test_the_format_is_negotiated(published: Places, accept: str, kind: str) -> None:
    assert listing(published, accept).headers["Content-Type"] == kind


def test_other_spellings_lead_to_the_project(published: Places) -> None:
    answer = requests.get(f"{published.index.url}Tiny_Project", timeout=60)
    assert answer.url == f"{published.index.url}{PROJECT}/"
    assert requests.get(f"{published.index.url}unknown/", timeout=60).status_code == 404
    listed = requests.get(published.index.url, headers={"Accept": SIMPLE_JSON}, timeout=60).json()
    assert [each["name"] for each in listed["projects"]] == [PROJECT]


def test_unchanged_pages_are_not_sent_again(published: Places) -> None:
    tag = listing(published).headers["ETag"]
    headers = {"Accept": SIMPLE_JSON, "If-None-Match": tag}
    again = requests.get(f"{published.index.url}{PROJECT}/", headers=headers, timeout=60)
    assert (again.status_code, again.content) == (304, b"")
    published.index.yank(PROJECT, VERSION)
    assert requests.get(f"{published.index.url}{PROJECT}/", headers=headers, timeout=60).status_code == 200


def test_status_of_a_project(published: Places) -> None:
    published.index.mark(PROJECT, "archived", "no longer maintained")
    assert listing(published).json()["project-status"] == {"status": "archived", "reason": "no longer maintained"}
    assert '<meta name="pypi:project-status" content="archived">' in listing(published, HTML).text


class TestProvenance:
    def test_pypi_attestations_reads_and_finds_the_publisher(self, published: Places, attested: Attested) -> None:
        answer = requests.get(str(entry(published, WHEEL)["provenance"]), timeout=60)
        assert answer.headers["Content-Type"] == "application/vnd.pypi.integrity.v1+json"
        provenance = Provenance.model_validate_json(answer.content)
        (bundle,) = provenance.attestation_bundles
        assert bundle.publisher.model_dump() == {
            "kind": "GitHub", "repository": "o/r", "workflow": "release.yml", "environment": None,
        }  # fmt: skip
        (attestation,) = bundle.attestations
        bundle.publisher._as_policy().verify(attestation.to_bundle().signing_certificate)
        held = hashlib.sha256((attested.world.release / WHEEL).read_bytes()).hexdigest()
        assert attestation.statement["subject"] == [{"name": WHEEL, "digest": {"sha256": held}}]

    @pytest.mark.parametrize(
        ("path", "status", "said"),
        [
            (f"tiny_project/{VERSION}/{WHEEL}", 200, None),
            (f"{PROJECT}/9.9/{WHEEL}", 404, "Not Found"),
            (f"other/{VERSION}/{WHEEL}", 404, "Not Found"),
            (f"{PROJECT}/{VERSION}/{SDIST}", 404, f"No provenance available for {SDIST}"),
        ],
    )
    def test_by_consistent_names_alone(self, published: Places, path: str, status: int, said: str | None) -> None:
        published.index.publish_provenance(SDIST, None)
        assert entry(published, SDIST)["provenance"] is None
        answer = requests.get(f"{published.index.host}/integrity/{path}/provenance", timeout=60)
        assert answer.status_code == status
        assert said is None or answer.json() == {"message": said}

    def test_in_json_alone(self, published: Places) -> None:
        answer = requests.get(str(entry(published, WHEEL)["provenance"]), headers={"Accept": "text/html"}, timeout=60)
        assert answer.status_code == 406

    def test_any_other_publisher_can_be_claimed(self, published: Places, attested: Attested) -> None:
        claimed = build_provenance((GitLabPublisher("group/sub/project"), [attested.attestation(WHEEL)]))
        published.index.publish_provenance(WHEEL, claimed)
        content = requests.get(str(entry(published, WHEEL)["provenance"]), timeout=60).json()
        assert content["attestation_bundles"][0]["publisher"] == {
            "kind": "GitLab", "repository": "group/sub/project", "workflow_filepath": ".gitlab-ci.yml",
            "environment": None,
        }  # fmt: skip
        emptied = tampered(claimed, lambda content: content["attestation_bundles"].clear())
        published.index.publish_provenance(WHEEL, emptied)
        served = requests.get(str(entry(published, WHEEL)["provenance"]), timeout=60).json()
        assert served == {"version": 1, "attestation_bundles": []}


class TestFiles:
    def test_are_resumed_while_they_are_the_same(self, published: Places, attested: Attested) -> None:
        url, held = str(entry(published, WHEEL)["url"]), (attested.world.release / WHEEL).read_bytes()
        first = requests.head(url, timeout=60)
        assert (first.content, first.headers["Content-Length"]) == (b"", str(len(held)))
        assert email.utils.parsedate_to_datetime(first.headers["Last-Modified"])
        part = {"Range": "bytes=100-", "If-Range": first.headers["ETag"]}
        resumed = requests.get(url, headers=part, timeout=60)
        assert (resumed.status_code, resumed.content) == (206, held[100:])
        assert resumed.headers["Content-Range"] == f"bytes 100-{len(held) - 1}/{len(held)}"
        assert requests.get(url, headers={"Range": "bytes=2-4"}, timeout=60).content == held[2:5]
        assert requests.get(url, headers={"Range": "bytes=-5"}, timeout=60).content == held[-5:]
        assert requests.get(url, headers={"Range": f"bytes={len(held)}-"}, timeout=60).status_code == 416
        published.faults.add(Endpoint.INDEX_FILE, Lie.CHANGED)
        changed = requests.get(url, headers=part, timeout=60)
        assert (changed.status_code, len(changed.content)) == (200, len(held))

    def test_are_not_replaced(self, published: Places, tmp_path: Path) -> None:
        (tmp_path / WHEEL).write_bytes(b"other")
        with pytest.raises(ValueError, match="there already"):
            published.index.publish(tmp_path / WHEEL)
        published.index.publish(tmp_path / WHEEL, replace=True)
        assert entry(published, WHEEL)["size"] == 5

    def test_are_in_the_order_of_their_versions(self, published: Places, tmp_path: Path) -> None:
        for version in ("1.10", "1.9"):
            published.index.publish(*build(tmp_path / version, version).iterdir())
        versions = listing(published).json()["versions"]
        assert versions == sorted(versions, key=Version) == [VERSION, "1.9", "1.10"]


@pytest.mark.parametrize(
    ("lie", "wrong"),
    [
        (Lie.OTHER_SIZE, lambda file: file["size"] + 1),
        (Lie.PATH_NAMES, lambda file: file["filename"].startswith("../")),
        (Lie.FILE_ADDRESSES, lambda file: file["url"] == "file:///etc/hostname"),
    ],
)
def test_listings_lie_as_ordered(published: Places, lie: Lie, wrong: object) -> None:
    published.faults.add(Endpoint.INDEX_LISTING, lie)
    assert all(wrong(file) for file in listing(published).json()["files"])  # type: ignore[operator]


def test_a_listing_names_files_twice(published: Places) -> None:
    published.faults.add(Endpoint.INDEX_LISTING, Lie.TWICE)
    files = listing(published).json()["files"]
    assert len({json.dumps(file["hashes"]) for file in files if file["filename"] == WHEEL}) == 2

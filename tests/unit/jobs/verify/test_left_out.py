"""What is offered and not fetched: nobody may hide behind it, neither a bad file nor one that is not there."""

import json
from pathlib import Path

import pytest
import requests
from support.fetching import REPO, judge, own_temporary, publish
from support.forge import Forge
from support.publishing import SIMPLE_JSON, Attested
from support.publishing import publish as publish_attested
from support.world import PROJECT, SDIST, VERSION, WHEEL, World

from sealwright.sandbox.places import Answer, Endpoint, Places
from sealwright.sandbox.project import build_wheel

BOTH = {"artifacts": "index", "evidence": f"github:{REPO}"}
FOREIGN = "tiny_project-1.2.3-cp39-cp39-win_amd64.whl"


@pytest.fixture(autouse=True)
def _own_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_temporary(tmp_path / "private", monkeypatch)


def add_foreign(world: World) -> None:
    (world.folder / "other").mkdir()
    build_wheel(world.folder / "other", PROJECT, VERSION).rename(world.dist / FOREIGN)


def test_an_sbom_alone_is_no_release(unsealed: World, keys: Forge, places: Places) -> None:
    """Nothing here is for this machine: that an SBOM verifies says nothing about what could be installed."""
    add_foreign(unsealed)
    for name in (WHEEL, SDIST):
        (unsealed.dist / name).unlink()
    sbom = unsealed.dist / "tiny_project-1.2.3.cdx.json"
    sbom.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6"}))
    done = unsealed.seal(keys, keys.alice)
    assert done.returncode == 0, done.stderr
    publish(unsealed, places)
    answer = judge(unsealed, places, **BOTH)
    assert answer.code == 12, answer
    assert "--all" in answer.said()


MANY_TAGS = "-".join(f"{tag}{f'.{tag}' * 9}" for tag in ("py3", "none", "any"))


@pytest.mark.parametrize(
    "name",
    [
        "tiny-project-1.2.3.zip",
        "tiny_project-1.2.3.egg",
        "Tiny_Project-1.2.3.TAR.GZ",
        "tiny__project-1.2.3-py3-none-any.whl",
        f"tiny_project-1.2.3-9-{MANY_TAGS}.whl",
    ],
)
def test_a_file_that_installers_take_and_nobody_can_vouch_for(
    attested: Attested, places: Places, tmp_path: Path, name: str
) -> None:
    """Where no SHA256SUMS is published, too: in a folder the same file is refused."""
    made = attested.copy(tmp_path / "world")
    publish_attested(places, made)
    made.world.edit_policy('tag = "v{version}"\n', 'tag = "v{version}"\nevidence = ["publish-attestations"]\n')
    assert judge(made.world, places).code == 0
    url = f"{places.index.url}{PROJECT}/"
    document = requests.get(url, headers={"Accept": SIMPLE_JSON}, timeout=60).json()
    document["files"].append({"filename": name, "url": f"/files/{name}", "hashes": {}})
    lie = Answer(200, json.dumps(document).encode(), content_type=SIMPLE_JSON)
    places.faults.add(Endpoint.INDEX_LISTING, lie)
    answer = judge(made.world, places)
    assert answer.code == 10, answer
    assert ("release.name", name) in answer.failed()


@pytest.mark.parametrize("kind", ["JSON", "HTML"])
def test_a_file_whose_address_is_that_of_a_wheel(world: World, places: Places, kind: str) -> None:
    """pip calls a file by the last part of its address, and could take this one for a wheel of the version."""
    publish(world, places)
    assert judge(world, places, **BOTH).code == 0
    url, hidden = f"{places.index.url}{PROJECT}/", FOREIGN
    if kind == "JSON":
        document = requests.get(url, headers={"Accept": SIMPLE_JSON}, timeout=60).json()
        document["files"].append({"filename": "readme.txt", "url": f"/files/{hidden}", "hashes": {}})
        lie = Answer(200, json.dumps(document).encode(), content_type=SIMPLE_JSON)
    else:
        page = requests.get(url, headers={"Accept": "text/html"}, timeout=60).text
        page = page.replace("</body>", f'<a href="/files/{hidden}/.">readme</a></body>')
        assert hidden in page
        lie = Answer(200, page.encode(), content_type="text/html")
    places.faults.add(Endpoint.INDEX_LISTING, lie)
    answer = judge(world, places, **BOTH)
    assert ("checksums.listed", hidden) in answer.failed(), answer


def test_a_web_folder_that_lists_nothing_is_asked_what_was_withdrawn(world: World, places: Places) -> None:
    (world.release / "withdrawn.json").write_text("{}")
    publish(world, places)
    places.faults.add(Endpoint.WEB_FILE, Answer(403), times=1, skip=1)
    answer = judge(world, places, artifacts=f"url:{places.web.url}/{PROJECT}/{{version}}/")
    assert answer.verdict
    assert "withdrawal.signature" in {check.id for check in answer.verdict.reported()}

"""The network as the user's pip reaches it: certificates, a proxy, a client's certificate and the keyring, each at work."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.fetching import PATIENT, REPO, Answered, command, environment, judge, own_temporary, publish
from support.tls import HOST, Authority, make_authority, relaying
from support.web import WebServer, serving
from support.world import World

from sealwright.sandbox.places import Endpoint, Places

TESTS = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _own_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_temporary(tmp_path / "private", monkeypatch)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture
def web(authority: Authority, world: World) -> Iterator[WebServer]:
    with serving(tls=authority.context()) as started:
        yield lay_out(started, world)


def lay_out(web: WebServer, world: World) -> WebServer:
    for path in world.release.iterdir():
        web[f"/{path.name}"] = path.read_bytes()
    return web


def ask(world: World, places: Places, url: str, **said: str) -> Answered:
    environ = environment(places, world.folder, **said)
    return judge(world, places, artifacts=f"url:{url}/", patience=PATIENT._replace(attempts=1), environ=environ)


def test_certificates(world: World, places: Places, web: WebServer, authority: Authority, tmp_path: Path) -> None:
    refused = ask(world, places, web.url)
    assert refused.code == 3
    assert "certificate" in refused.said()
    other = make_authority(tmp_path / "other")
    assert ask(world, places, web.url, PIP_CERT=str(other.certificate)).code == 3
    assert not web.requests
    for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        assert ask(world, places, web.url, **{name: str(authority.certificate)}).code == 0, name
    (tmp_path / "pip.conf").write_text(f"[global]\ncert = {authority.certificate}\n")
    assert ask(world, places, web.url, PIP_CONFIG_FILE=str(tmp_path / "pip.conf")).code == 0


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "PIP_PROXY"])
def test_a_proxy(world: World, places: Places, web: WebServer, authority: Authority, name: str) -> None:
    said = {"PIP_CERT": str(authority.certificate)}
    with relaying(urlsplit(web.url).port or 0) as relay:
        # This machine is reached straight, whatever the proxy; a name goes through it, and is resolved there.
        assert ask(world, places, web.url, **said, **{name: relay.url}).code == 0
        assert not relay.asked
        with_password = relay.url.replace("//", "//me:canary@")
        answer = ask(world, places, f"https://{HOST}", **said, **{name: with_password})
        assert answer.code == 0, answer
        assert set(relay.asked) == {(f"{HOST}:443", "Basic bWU6Y2FuYXJ5")}
        assert not [request for request in web.requests if "proxy-authorization" in request.headers]
        # The certificate is that of the host, and is checked through a proxy, too.
        assert ask(world, places, f"https://{HOST}", **{name: relay.url}).code == 3
        assert ask(world, places, "https://other.example", **said, **{name: relay.url}).code == 3


def test_a_certificate_of_the_client(world: World, places: Places, authority: Authority) -> None:
    said = {"PIP_CERT": str(authority.certificate)}
    with serving(tls=authority.context(clients=True)) as web:
        lay_out(web, world)
        assert ask(world, places, web.url, **said).code == 3
        assert not web.requests
        assert ask(world, places, web.url, **said, PIP_CLIENT_CERT=str(authority.both)).code == 0


def test_the_keyring_is_asked_once_the_index_asks(world: World, places: Places, tmp_path: Path) -> None:
    """In a process of its own, with a keyring of its own; the index is the one that pip is configured with."""
    publish(world, places)
    places.index.require_login("me", "canary")
    kept = tmp_path / "keyring"
    env = {
        "PIP_INDEX_URL": places.index.url.replace("//", "//me@"), "PIP_RETRIES": "0", "PYTHONPATH": str(TESTS),
        "PYTHON_KEYRING_BACKEND": "support.file_keyring.FileKeyring", "TEST_KEYRING": str(kept),
    }  # fmt: skip
    source = ("--from", "index", "--evidence-from", f"github:{REPO}")
    codes = []
    for service, password in (("none", "canary"), (places.index.url, "wrong-canary"), (places.index.url, "canary")):
        kept.write_text(json.dumps({f"{service} me": password}))
        done = command(world, places, *source, env=env)
        assert "canary" not in done.stdout + done.stderr
        codes.append(done.returncode)
    assert codes == [3, 3, 0]
    asked = places.requests[Endpoint.INDEX_LISTING]
    assert asked == 1 + 2 + 2, "without a password first, then with what the keyring has"
    assert command(world, places, *source, env=env | {"PIP_KEYRING_PROVIDER": "disabled"}).returncode == 3

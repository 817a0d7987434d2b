"""`sealwright tokens rotate` with GitHub's answer: a stand-in on loopback, which may also lie, redirect, or be away."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import click
import pytest
from click.testing import Result
from support.loopback import Quiet, running
from support.tokens import ADD, Memory, token

from sealwright.errors import SealwrightError, UndecidedError, UsageError
from sealwright.jobs.tokens.github import ask_github, parse_expiry
from sealwright.store.log_reading import read_entries
from sealwright.store.token_register import read_register, set_key

Call = Callable[..., Result]
OLD, NEW = "github_pat_old0123456789abcdefABCDEF", "github_pat_new0123456789abcdefABCDEF"
PLACE, PENDING = ("sealwright", "token:hub"), ("sealwright", "token:hub:new")
GITHUB = ["--service", "github", "--scope", "issues of o/r", "--owner", "me", "--purpose", "reminders"]


@contextmanager
def github(
    status: int = 200, expires: str = "", body: bytes = b"{}", location: str = ""
) -> Iterator[tuple[str, list[str]]]:
    seen: list[str] = []

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(f"{self.path} {self.headers['Authorization']}")
            self.send_response(status)
            if expires:
                self.send_header("github-authentication-token-expiration", expires)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with running(Handler) as address:
        yield f"http://{address}", seen


@pytest.fixture
def hub(memory: Memory, call: Call) -> Call:
    assert call("add", "hub", *GITHUB, secret=OLD).return_value == 0
    return call


def register(folder: Path) -> Path:
    return folder / ".sealwright/tokens.toml"


def refused(result: Result) -> str:
    assert isinstance(result.exception, SealwrightError), result.output + repr(result.exception)
    return f"{result.exception.message} {result.exception.hint}"


def test_github_says_that_it_works_and_until_when(tmp_path: Path, memory: Memory, hub: Call) -> None:
    with github(expires="2027-03-31 22:43:54 UTC") as (api, seen):
        done = hub("rotate", "hub", "--github-api", api, secret=NEW)
    assert done.return_value == 0, repr(done.exception)
    assert seen == [f"/user Bearer {NEW}"]
    assert memory.kept == {PLACE: NEW}
    (listed,) = read_register(register(tmp_path))
    assert f"{listed.expires:%Y-%m-%d}" == "2027-03-31"
    assert listed.rotated is not None
    with github() as (api, _):
        assert hub("rotate", "hub", "--github-api", api, secret=OLD).return_value == 0
    assert read_register(register(tmp_path))[0].expires is None, "the new one never expires"
    everything = (tmp_path / "state/sealwright/audit.jsonl").read_text() + register(tmp_path).read_text() + done.output
    assert OLD not in everything
    assert NEW not in everything
    actions = [entry["action"] for entry in read_entries(tmp_path / "state/sealwright/audit.jsonl")]
    assert actions == ["token", "rotate", "rotate"]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (
            "github-secret:me/toylib/PYPI_TOKEN",
            "Then put it into the secret PYPI_TOKEN of me/toylib (Settings > Secrets",
        ),
        ("env:PYPI_TOKEN", "Then put it where PYPI_TOKEN is set"),
        ("external", "Then put it where the old one is"),
    ],
)
def test_a_secret_that_lives_elsewhere_is_said_to_go_there(memory: Memory, call: Call, where: str, said: str) -> None:
    assert call("add", "ci", *ADD, "--where", where).return_value == 0
    lines = call("rotate", "ci", secret="n\n").output.splitlines()
    assert lines[0].startswith("On pypi.org:")
    assert lines[1].startswith(said)
    assert lines[2].startswith("Does the new secret work?")


def test_a_secret_that_github_refuses_is_not_kept(memory: Memory, hub: Call) -> None:
    with github(401) as (api, _):
        said = refused(hub("rotate", "hub", "--yes", "--github-api", api, secret=NEW))
    assert "GitHub refuses the new secret" in said
    assert memory.kept == {PLACE: OLD}
    with github() as (api, _):
        assert hub("rotate", "hub", "--github-api", api, secret=NEW).return_value == 0, "another one is asked for"
    assert memory.kept == {PLACE: NEW}


def test_a_github_that_does_not_answer_leaves_it_to_the_person(memory: Memory, hub: Call) -> None:
    for answer in ({"status": 500}, {"status": 302, "location": "http://127.0.0.1:9/"}, {"expires": "soon"}):
        with github(**answer) as (api, seen):  # type: ignore[arg-type]
            stopped = hub("rotate", "hub", "--github-api", api, secret=NEW)  # the question finds the end of the input
        assert isinstance(stopped.exception, click.Abort), answer
        assert len(seen) == 1, "a redirection is not followed"
        assert memory.kept == {PLACE: OLD, PENDING: NEW}
    assert "say yourself" in hub("rotate", "hub", "--github-api", "http://127.0.0.1:9", "--yes").output
    assert memory.kept == {PLACE: NEW}


def test_whoever_says_no_is_asked_for_another_one(memory: Memory, hub: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click, "confirm", lambda *_, **__: False)
    assert "not kept" in refused(hub("rotate", "hub", "--github-api", "http://127.0.0.1:9", secret=NEW))
    assert memory.kept == {PLACE: OLD}


@pytest.mark.parametrize(
    "api",
    ["http://example.org", "ftp://x", "file:///etc/passwd", "https://", "x", "http://[", "http://127.0.0.1.evil.org"],
)
def test_a_secret_is_not_sent_in_clear(memory: Memory, hub: Call, api: str) -> None:
    assert "https://" in refused(hub("rotate", "hub", "--github-api", api, secret=NEW)) or api == "http://["
    assert memory.kept == {PLACE: OLD}


def test_a_netrc_does_not_speak_for_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """requests would send the password of the .netrc in place of the token, and the wrong one would be found good."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with github() as (api, seen):
        ask_github(NEW, api)
    assert seen == [f"/user Bearer {NEW}"]


def test_what_github_says_is_bounded() -> None:
    with github(body=b"x" * 3_000_000) as (api, _), pytest.raises(UndecidedError):
        ask_github(NEW, api)
    with pytest.raises(UsageError):
        ask_github("a\r\nX: y", "http://127.0.0.1:9")


def test_the_date_in_its_forms() -> None:
    assert parse_expiry("2024-02-29 23:00:00 UTC") == datetime(2024, 2, 29, 23, tzinfo=UTC)
    assert parse_expiry("2027-03-31 00:30:00 +0900") == datetime(2027, 3, 30, 15, 30, tzinfo=UTC)
    assert parse_expiry("2027-03-31 00:30:00 -0700") == datetime(2027, 3, 31, 7, 30, tzinfo=UTC)
    assert parse_expiry("") is None
    for wrong in ("2027-02-29 00:00:00 UTC", "never", "0001-01-01 00:00:00 +1400", "9" * 100_000):
        with pytest.raises(UndecidedError):
            parse_expiry(wrong)


def test_the_expiry_of_a_new_pypi_token_is_read_from_it(tmp_path: Path, memory: Memory, call: Call) -> None:
    until = int(datetime(2030, 2, 28, tzinfo=UTC).timestamp())
    call("add", "release", *ADD, secret=token(project_names=["pkg"]))
    new = token(project_names=["pkg"], not_before=1, not_after=until)
    assert call("rotate", "release", "--yes", secret=new).return_value == 0
    assert f"{read_register(register(tmp_path))[0].expires:%Y-%m-%d}" == "2030-02-28"
    wide = token(project_names=["pkg", "other"])
    assert "release is for pkg" in refused(call("rotate", "release", "--yes", secret=wide))
    assert memory.kept == {("sealwright", "token:release"): new}


def test_a_date_that_a_person_gives(tmp_path: Path, memory: Memory, call: Call) -> None:
    call("add", "lab", *GITHUB[:0], "--service", "gitlab", *GITHUB[2:], secret=OLD)
    set_key(register(tmp_path), "lab", "expires", date(2026, 1, 1))
    assert call("rotate", "lab", "--yes", "--expires", "2028-02-29", secret=NEW).return_value == 0
    assert f"{read_register(register(tmp_path))[0].expires:%Y-%m-%d}" == "2028-02-29"

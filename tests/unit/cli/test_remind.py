"""`sealwright remind` as a process: exit codes, formats, and messages that really arrive."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import icalendar
import jsonschema_rs
import pytest
import yaml
from support.forge import Forge
from support.loopback import Quiet, running
from support.world import World, run

from sealwright.store.log_reading import read_entries

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "remind.schema.json").read_text())
PASSWORD = "canary-5d1f-password"


def register(folder: Path, **days: int) -> Path:
    """A register whose tokens must be rotated in so many days, each called by its name."""
    text = "schema = 1\n"
    for name, left in days.items():
        created = datetime.now(UTC) + timedelta(days=left - 90, hours=12)
        text += (
            f'\n[[token]]\nname = "{name}"\nservice = "pypi"\nscope = "project:pkg"\nowner = "me"\npurpose = "upload"\n'
        )
        text += f'where = "external"\ncreated = {created:%Y-%m-%dT%H:%M:%SZ}\n'
    path = folder / ".sealwright" / "tokens.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def remind(folder: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return run(
        "sealwright",
        "remind",
        "--log",
        "audit.jsonl",
        *arguments,
        cwd=folder,
        env={"GITHUB_TOKEN": "", "GH_TOKEN": ""} | env,
    )


@pytest.mark.parametrize(
    ("days", "arguments", "code"),
    [
        ({"a": 60}, (), 0),
        ({"a": 60}, ("--within", "90d"), 30),
        ({"a": 60}, ("--within", "P3M"), 30),
        ({"a": 20, "b": 60}, (), 30),
        ({"a": 20, "b": -1}, (), 31),
        ({"a": 60}, ("--within", "soon"), 2),
        ({"a": 60}, ("--tokens", "nowhere.toml"), 2),
        ({"a": 60}, ("--policy", "nowhere.toml"), 2),
    ],
)
def test_exit_codes(tmp_path: Path, days: dict[str, int], arguments: tuple[str, ...], code: int) -> None:
    register(tmp_path, **days)
    done = remind(tmp_path, *arguments)
    assert done.returncode == code, done.stdout + done.stderr


def test_an_empty_register_is_said_to_be_empty(tmp_path: Path) -> None:
    done = remind(tmp_path)
    assert (done.returncode, "nothing to watch here" in done.stderr) == (2, True), "it is the wrong folder"
    register(tmp_path)
    done = remind(tmp_path)
    assert (done.returncode, done.stdout.startswith("EMPTY")) == (0, True)
    found = json.loads(remind(tmp_path, "--format", "json").stdout)
    assert found["empty"] is True
    assert ".sealwright/tokens.toml" in found["sources"]
    assert "keys/policy.toml" in found["absent"]


@pytest.mark.parametrize("content", [b"schema = 1\n[[token]]\n", b"\xff", b"schema = 1\n[[token", b""])
def test_a_register_that_cannot_be_read_is_2(tmp_path: Path, content: bytes) -> None:
    register(tmp_path).write_bytes(content)
    assert remind(tmp_path).returncode == 2


def test_policy_keys_ignores_and_checkpoint(unsealed: World, keys: Forge) -> None:
    soon = keys.key("Soon", expires="10d")
    keys.add_subkey(soon, "ed25519", "sign", "5d")
    unsealed.edit_policy(keys.bob, soon)
    (unsealed.policy.parent / f"{soon}.asc").write_bytes(keys.public(soon))
    audit = unsealed.folder / ".sealwright" / "audit.toml"
    audit.parent.mkdir()
    ignore = '[[ignore]]\nid = "PYSEC-1"\npackage = "pkg"\nreason = "no"\nowner = "carol"\nexpires = 2020-02-29\n'
    audit.write_text("schema = 1\n" + ignore)
    done = remind(unsealed.folder, "--format", "json")
    assert done.returncode == 31, done.stderr
    document = json.loads(done.stdout)
    jsonschema_rs.validator_for(SCHEMA).validate(document)
    found = {(entry["kind"], entry["owner"], entry["state"]) for entry in document["deadlines"]}
    assert found == {
        ("policy", "alice, bob", "later"),
        ("OpenPGP key", "alice", "later"),
        ("OpenPGP key", "bob", "due"),
        ("OpenPGP subkey", "bob", "due"),
        ("audit ignore", "carol", "overdue"),
    }
    audit.write_text("schema = 1\n" + ignore.replace("expires", "until"))
    assert remind(unsealed.folder).returncode == 2
    audit.unlink()
    (unsealed.folder / "audit.jsonl.checkpoint").write_text("nothing\n")
    assert remind(unsealed.folder).returncode == 2


def test_what_is_not_there_is_named_if_the_policy_asks_for_it(unsealed: World) -> None:
    def absent() -> list[str]:
        lines = remind(unsealed.folder).stdout.splitlines()
        return [line.partition("not there: ")[2] for line in lines if "not there: " in line]

    registers = [".sealwright/tokens.toml", ".sealwright/keys.toml"]
    assert absent() == registers
    document = json.loads(remind(unsealed.folder, "--format", "json").stdout)
    assert document["absent"] == [registers[0], ".sealwright/audit.toml", registers[1], "layout/root.layout"]
    for option in ("--layout", "--audit"):
        named = remind(unsealed.folder, option, "nowhere")
        assert (named.returncode, "nowhere" in named.stderr) == (2, True), "what is named must be there"
    unsealed.edit_policy("layout = false", "layout = true")
    assert absent() == [*registers, "layout/root.layout"]
    (unsealed.folder / ".sealwright").mkdir()
    (unsealed.folder / registers[0]).write_text("schema = 1\n")
    unsealed.policy.rename(unsealed.folder / "moved")
    assert absent() == ["keys/policy.toml", registers[1], "layout/root.layout"], "nothing says that it is not asked for"


def test_a_subkey_that_was_replaced_has_no_deadline(unsealed: World, keys: Forge) -> None:
    rolled = keys.key("Rolled", usage="cert", expires="2y")
    keys.add_subkey(rolled, "ed25519", "sign", "5d")
    keys.add_subkey(rolled, "ed25519", "sign", "1y")
    unsealed.edit_policy(keys.bob, rolled)
    (unsealed.policy.parent / f"{rolled}.asc").write_bytes(keys.public(rolled))
    document = json.loads(remind(unsealed.folder, "--format", "json").stdout)
    assert [entry["state"] for entry in document["deadlines"] if entry["kind"] == "OpenPGP subkey"] == ["later"]
    revoked = keys.revoke(rolled, 1)
    (unsealed.policy.parent / f"{rolled}.asc").write_bytes(revoked)
    document = json.loads(remind(unsealed.folder, "--format", "json").stdout)
    assert not [entry for entry in document["deadlines"] if rolled in entry["source"]]


def calendar(folder: Path) -> dict[str, Any]:
    done = remind(folder, "--format", "ics")
    raw = done.stdout.encode()
    assert all(len(line) <= 75 for line in raw.replace(b"\r", b"").split(b"\n"))
    parsed = icalendar.Calendar.from_ical(raw)
    return {str(event["UID"]): event for event in parsed.walk("VEVENT")}


def test_the_calendar_updates_and_does_not_double(tmp_path: Path) -> None:
    path = register(tmp_path, a=20, b=60)
    path.write_text(
        path.read_text().replace(
            '"me"', '"Zoë; the, one\\\\two and a very long name, so that the line must be folded somewhere"'
        )
    )
    first = calendar(tmp_path)
    assert len(first) == 2
    register(tmp_path, a=200, b=60)
    second = calendar(tmp_path)
    assert set(first) == set(second)
    moved = [uid for uid in first if first[uid]["DTSTART"].dt != second[uid]["DTSTART"].dt]
    assert len(moved) >= 1
    for event in first.values():
        assert len(event.walk("VALARM")) == 3
        assert "Zoë; the, one\\two" in str(event["SUMMARY"])
        assert event["DTSTAMP"].dt.tzinfo is not None
        assert "DTEND" not in event, "RFC 5545, 3.8.2.2: it would have to be later than DTSTART"
        assert event.end == event.start == event["DTSTART"].dt


def test_markdown_has_no_effect(tmp_path: Path) -> None:
    path = register(tmp_path, a=1)
    path.write_text(path.read_text().replace('"me"', '"@everyone | <img src=x> [x](https://example.org)"'))
    shown = remind(tmp_path, "--format", "markdown").stdout
    assert "@everyone" not in shown
    assert "<img" not in shown
    assert "[x](" not in shown
    assert shown.splitlines()[-1].replace("\\|", "").count("|") == 7


def test_commands_in_markdown_can_be_copied(unsealed: World, keys: Forge) -> None:
    (unsealed.folder / "audit.jsonl").touch()
    shown = remind(unsealed.folder, "--format", "markdown").stdout
    assert f"| `sealwright keys extend {keys.alice}` |" in shown
    assert "never signed: `sealwright log checkpoint --openpgp-key FINGERPRINT`" in shown, "two keys are listed"
    assert "\\-\\-" not in shown


@contextmanager
def http_server(answer: Any) -> Iterator[tuple[str, list[tuple[str, str, dict[str, str], bytes]]]]:
    """A server on loopback; `answer(method, path, body)` returns a status and a document."""
    seen: list[tuple[str, str, dict[str, str], bytes]] = []

    class Handler(Quiet, BaseHTTPRequestHandler):
        def handle_all(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.append((self.command, self.path, dict(self.headers), body))
            status, document = answer(self.command, self.path, body)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if status in (301, 302, 307):
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = handle_all  # noqa: N815  http.server asks for these names

    with running(Handler) as address:
        yield address, seen


def test_mail_really_arrives(tmp_path: Path) -> None:
    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Message

    arrived: list[Any] = []

    class Keep(Message):
        def handle_message(self, message: Any) -> None:
            arrived.append(message_from_bytes(bytes(message), policy=policy.default))

    class AtThatPort(Controller):
        """It would listen at a port that it is told, which another process may have taken meanwhile."""

        def _create_server(self) -> Any:
            return self.loop.create_server(self._factory_invoker, sock=listening)

    register(tmp_path, release=3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        server = AtThatPort(Keep(), hostname="127.0.0.1", port=port, ready_timeout=60)
        server.start()
        try:
            url = f"mailto://127.0.0.1:{port}/?from=sealwright@example.org&to=me@example.org&mode=insecure"
            done = remind(tmp_path, "--notify", "env:MAIL_URL", MAIL_URL=url)
        finally:
            server.stop()
    assert done.returncode == 30, done.stdout + done.stderr
    assert len(arrived) == 1
    assert arrived[0]["Subject"] == "Sealwright: 0 overdue, 1 due, 0 later"
    text = arrived[0].get_body(("plain", "html")).get_content()
    assert "token rotation release" in text
    (entry,) = read_entries(tmp_path / "audit.jsonl")
    assert (entry["action"], entry["detail"]) == ("remind", {"sent": "sent by mailto"})


def test_a_webhook_gets_json(tmp_path: Path) -> None:
    register(tmp_path, release=-3)
    with http_server(lambda *_: (200, {})) as (address, seen):
        done = remind(tmp_path, "--notify", f"json://{address}/hook")
        register(tmp_path, release=80)
        quiet = remind(tmp_path, "--notify", f"json://{address}/hook")
    assert (done.returncode, quiet.returncode) == (31, 0)
    assert len(seen) == 1, "nothing is sent when nothing is due"
    document = json.loads(seen[0][3])
    assert "1 overdue" in document["title"]
    assert "token rotation release" in document["message"]


def test_a_message_that_is_not_sent_is_3_and_the_list_is_printed(tmp_path: Path) -> None:
    register(tmp_path, release=-3)
    with http_server(lambda *_: (500, {})) as (address, _):
        done = remind(tmp_path, "--format", "json", "--notify", "env:HOOK", HOOK=f"json://me:{PASSWORD}@{address}/")
    assert done.returncode == 3
    document = json.loads(done.stdout)
    jsonschema_rs.validator_for(SCHEMA).validate(document)
    assert document["deadlines"][0]["state"] == "overdue"
    assert document["exitCode"] == 3
    assert document["unsent"] == ["json://…: the service did not take it"]
    assert "not sent" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr + (tmp_path / "audit.jsonl").read_text()


@pytest.mark.parametrize("url", ["env:NOT_SET", "nonsense", f"nonsense://me:{PASSWORD}@x", "mailto://"])
def test_what_is_no_url_is_found_before(tmp_path: Path, url: str) -> None:
    register(tmp_path, release=-3)
    done = remind(tmp_path, "--notify", url)
    assert done.returncode == 2
    assert done.stdout == ""
    assert PASSWORD not in done.stderr


class GitHubStandIn:
    """Issues of one repository, as far as the API's documentation says what it does with them."""

    def __init__(self) -> None:
        self.issues: list[dict[str, Any]] = [{"number": 1, "title": "a bug", "state": "open", "labels": [], "body": ""}]
        self.keeps_labels = True

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        assert path.startswith("/api/v3/repos/o/r/issues"), path
        asked = json.loads(body) if body else {}
        if method == "GET":
            assert "labels=sealwright-remind" in path
            return 200, [
                i for i in self.issues if i["state"] == "open" and {"name": "sealwright-remind"} in i["labels"]
            ]
        if method == "POST":
            labels = [{"name": label} for label in asked.pop("labels")] if self.keeps_labels else []
            self.issues.append(asked | {"number": len(self.issues) + 1, "state": "open", "labels": labels})
            return 201, self.issues[-1]
        self.issues[int(path.rpartition("/")[2]) - 1].update(asked)
        return 200, {}


def test_one_issue_is_opened_updated_and_closed(tmp_path: Path) -> None:
    github = GitHubStandIn()
    with http_server(github.answer) as (address, seen):

        def keep(**days: int) -> "subprocess.CompletedProcess[str]":
            register(tmp_path, **days)
            api = f"http://{address}/api/v3"
            return remind(tmp_path, "--github-issue", "o/r", "--github-api", api, GITHUB_TOKEN=PASSWORD)

        assert "there is no issue to close" in keep(a=80).stderr
        opened = keep(a=5)
        assert (opened.returncode, "opened issue 2" in opened.stderr) == (30, True), opened.stderr
        assert "says so already" in keep(a=5).stderr
        assert "updated issue 2" in keep(a=5, b=-1).stderr
        assert "overdue" in github.issues[1]["body"]
        assert "updated issue 2" in keep().stderr, "an empty register closes nothing"
        closed = keep(a=80, b=80)
        assert (closed.returncode, "closed issue 2" in closed.stderr) == (0, True)
        assert github.issues[1]["state"] == "closed"
        assert "opened issue 3" in keep(a=1).stderr
        github.keeps_labels = False
        github.issues.pop()
        assert keep(a=1).returncode == 3
    assert github.issues[0] == {"number": 1, "title": "a bug", "state": "open", "labels": [], "body": ""}
    assert all(headers["Authorization"] == f"Bearer {PASSWORD}" for _, _, headers, _ in seen)
    assert PASSWORD not in (tmp_path / "audit.jsonl").read_text()


def test_no_run_of_the_ready_made_job_closes_what_another_has_opened(tmp_path: Path) -> None:
    """What is due in two months is opened by the quarterly run, and the weekly ones leave it open."""
    job = yaml.safe_load((Path(__file__).parents[3] / "docs" / "ci" / "remind.github.yml").read_text())
    script = job["jobs"]["remind"]["steps"][-1]["run"]
    schedules = [each["cron"] for each in job[True]["schedule"]]  # YAML 1.1 takes the key `on` for a truth value
    register(tmp_path, a=60)
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "sealwright").symlink_to(Path(sys.executable).parent / "sealwright")
    github, codes = GitHubStandIn(), []
    with http_server(github.answer) as (address, _):
        for schedule in (*schedules, *schedules):
            env = {"GITHUB_TOKEN": PASSWORD, "GITHUB_API_URL": f"http://{address}/api/v3", "GITHUB_REPOSITORY": "o/r"}
            env |= {
                "SCHEDULE": schedule,
                "RUNNER_TEMP": str(tmp_path),
                "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            }
            env |= {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
            command = ["bash", "-e", "-c", script]
            codes.append(
                subprocess.run(command, cwd=tmp_path, env=os.environ | env, timeout=300, check=False).returncode
            )
            assert [issue["state"] for issue in github.issues] == ["open", "open"], schedule
    assert codes == [0] * 4


@pytest.mark.parametrize("status", [401, 403, 404, 422, 500, 302])
def test_a_github_that_refuses_is_3(tmp_path: Path, status: int) -> None:
    register(tmp_path, a=1)
    with http_server(lambda *_: (status, {"message": PASSWORD})) as (address, seen):
        done = remind(tmp_path, "--github-issue", "o/r", "--github-api", f"http://{address}", GITHUB_TOKEN=PASSWORD)
    assert done.returncode == 3
    assert "1 due" in done.stdout
    assert ("leads elsewhere" if status == 302 else f"answered with {status}") in done.stderr
    assert len(seen) == 1, "a redirection is not followed"
    assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments", [("o", "https://x"), ("o/r", "http://example.org"), ("o/../r", "https://x"), ("o/r?x", "https://x")]
)
def test_a_token_is_not_sent_anywhere_else(tmp_path: Path, arguments: tuple[str, str]) -> None:
    register(tmp_path, a=1)
    done = remind(tmp_path, "--github-issue", arguments[0], "--github-api", arguments[1], GITHUB_TOKEN=PASSWORD)
    assert done.returncode == 2
    assert "sealwright: hint: " in done.stderr
    assert remind(tmp_path, "--github-issue", "o/r").returncode == 2, "no token"

"""`sealwright tokens`: the register, the keyring (in memory, and a real one on a D-Bus of its own), minted tokens."""

import os
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import keyring
import pypitoken
import pytest
from click.testing import Result
from support.terminal import on_terminal
from support.tokens import ADD, KEY, Memory, token

from sealwright.errors import SealwrightError, UndecidedError, UsageError
from sealwright.jobs.tokens.pypi import mint, read_restrictions
from sealwright.store.log_reading import read_entries
from sealwright.store.token_register import add_token, read_register, set_key

Call = Callable[..., Result]


def refused(result: Result) -> str:
    assert isinstance(result.exception, SealwrightError), result.output + repr(result.exception)
    return f"{result.exception.message} {result.exception.hint}"


def files_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_token_is_registered_shown_and_revoked(tmp_path: Path, memory: Memory, call: Call) -> None:
    secret = token(project_names=["pkg"])
    done = call("add", "release", *ADD, secret=secret + "\n")
    assert done.return_value == 0, repr(done.exception)
    assert memory.kept == {("sealwright", "token:release"): secret}
    (listed,) = read_register(tmp_path / ".sealwright/tokens.toml")
    assert (listed.name, listed.where, listed.owner) == ("release", "keyring:sealwright/token:release", "me")
    assert "release  pypi  project:pkg  rotate by" in call("list").output
    shown = call("show", "release").output
    assert "may do     upload: pkg" in shown
    assert "lists a token release already" in refused(call("add", "release", *ADD, secret=secret))
    gone = call("revoke", "release")
    assert "delete it at its service" in gone.output
    assert memory.kept == {}
    assert read_register(tmp_path / ".sealwright/tokens.toml")[0].revoked is not None
    everything = files_of(tmp_path) + (done.output + shown + gone.output).encode()
    assert secret.encode() not in everything
    assert secret[20:60].encode() not in everything
    log = tmp_path / "state/sealwright/audit.jsonl"
    assert [(e["object"]["name"], e["outcome"]) for e in read_entries(log)] == [
        ("release", "added"),
        ("release", "revoked"),
    ]


def test_a_user_wide_token_is_refused_unless_accepted(tmp_path: Path, memory: Memory, call: Call) -> None:
    said = refused(call("add", "wide", *ADD, secret=token()))
    assert "WHATEVER ITS USER MAY DO" in said
    assert "--accept" in said
    assert memory.kept == {}
    assert not (tmp_path / ".sealwright").exists()
    assert call("add", "wide", *ADD, "--accept", "the first upload of a new project", secret=token()).return_value == 0
    assert read_register(tmp_path / ".sealwright/tokens.toml")[0].accepted == "the first upload of a new project"


@pytest.mark.parametrize(
    "secret", ["", "pypi-", "hello", "pypi-AAAA", "pypi-" + "A" * 9000, "ghp_canary0123456789abcdef", "a\nb"]
)
def test_what_is_no_token(tmp_path: Path, memory: Memory, call: Call, secret: str) -> None:
    said = refused(call("add", "x", *ADD, secret=secret))
    assert len(secret) < 6 or secret not in said
    assert memory.kept == {}
    assert not (tmp_path / ".sealwright").exists()


def test_a_register_that_cannot_take_it_leaves_no_secret(tmp_path: Path, memory: Memory, call: Call) -> None:
    refused(call("add", "x", *ADD, "--rotate-every", "often", secret=token(project_names=["pkg"])))
    assert memory.kept == {}


def test_a_place_that_is_none_is_said_to_be_the_options(tmp_path: Path, memory: Memory, call: Call) -> None:
    """Not a line of the register, which has no such line."""
    for wrong in ("github-secret:sampleproject", "keyring:x", "vault", ""):
        said = refused(call("add", "x", *ADD, "--where", wrong, secret=token(project_names=["pkg"])))
        assert "--where must be keyring:SERVICE/USER, github-secret:OWNER/REPO/NAME" in said
        assert "tokens.toml" not in said
    assert memory.kept == {}
    assert not (tmp_path / ".sealwright").exists()


def test_the_list_shows_what_comes_first(memory: Memory, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `remind` does: a token that expires before it is to be rotated is due when it expires."""
    now, kept = datetime.now(UTC), ["--where", "external"]
    monkeypatch.setattr("sealwright.cli.tokens.clock", lambda: now)  # no midnight comes meanwhile
    today = now.date()
    soon, later = today + timedelta(days=5), today + timedelta(days=300)
    for name, day in (("soon", soon), ("later", later), ("gone", today)):
        assert call("add", name, *ADD, *kept, "--expires", f"{day}").return_value == 0
    said = call("list").output.splitlines()
    assert f"soon  pypi  project:pkg  expires {soon}  (me)" in said
    assert f"later  pypi  project:pkg  rotate by {today + timedelta(days=90)}  (me)" in said
    assert f"gone  pypi  project:pkg  EXPIRED {today}  (me)" in said


def test_a_day_that_is_none_is_told_with_one_that_is(tmp_path: Path, memory: Memory, call: Call) -> None:
    secret = token(project_names=["pkg"])
    for wrong in ("2026-13-01", "01.02.2027", "soon", "\x1b[2J", ""):
        for command in (["add", "x", *ADD], ["rotate", "x"]):
            said = refused(call(*command, "--expires", wrong, secret=secret))
            assert "is not a date For instance 2027-03-31." in said
            assert "\x1b" not in said
    assert "--expires DATE" in call("add", "--help").output
    assert call("add", "x", *ADD, "--expires", "2027-03-31", secret=secret).return_value == 0
    assert read_register(tmp_path / ".sealwright/tokens.toml")[0].expires == datetime(2027, 3, 31, tzinfo=UTC)


def test_a_headless_machine_gets_three_ways_out(call: Call) -> None:
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    try:
        said = refused(call("add", "x", *ADD, secret=token(project_names=["pkg"])))
    finally:
        keyring.set_keyring(before)
    for way in ("gnome-keyring", "PYTHON_KEYRING_BACKEND", "github-secret:"):
        assert way in said


def test_a_machine_without_a_keyring_is_told_before_a_secret_is_asked_for(tmp_path: Path) -> None:
    """A token that was pasted for nothing is one more place where it was."""
    env = {
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }  # fmt: skip
    code, screen = on_terminal(["sealwright.cli.start", "tokens", "add", "x", *ADD], tmp_path, env, {})
    assert (code, "no keyring" in screen, "Secret of" in screen) == (3, True, False), screen
    entry = {"name": "x", "where": "keyring:sealwright/token:x", "created": datetime(2026, 1, 1, tzinfo=UTC).date()}
    entry |= {"service": "pypi", "scope": "project:pkg", "owner": "me", "purpose": "upload"}
    add_token(tmp_path / ".sealwright/tokens.toml", entry)
    code, screen = on_terminal(["sealwright.cli.start", "tokens", "rotate", "x"], tmp_path, env, {})
    assert (code, "no keyring" in screen, "Secret of" in screen) == (3, True, False), screen


def test_a_secret_that_lives_elsewhere_is_not_asked_for(tmp_path: Path, memory: Memory, call: Call) -> None:
    assert call("add", "ci", *ADD, "--where", "github-secret:o/r/PYPI").return_value == 0
    assert memory.kept == {}
    said = refused(call("mint", "ci", "--project", "pkg", "--", "true"))
    assert "nothing can be minted" in said
    assert "sealwright tokens add NAME --service pypi, without --where" in said


def test_restrictions_are_read_and_unknown_ones_counted() -> None:
    import pymacaroons

    made = pymacaroons.Macaroon(location="pypi.org", identifier="x", key=KEY, version=pymacaroons.MACAROON_V2)
    for caveat in ('[1, ["a", "b"]]', '[1, ["b", "c"]]', "[99, 1]", "nonsense", "[0, 2000000000, 1000000000]"):
        made.add_first_party_caveat(caveat)
    found = read_restrictions("pypi-" + made.serialize(), "pypi")
    assert (found.projects, found.unknown, found.narrow) == (("b",), 2, True)
    assert found.expires == datetime.fromtimestamp(2000000000, UTC)
    assert "2 restrictions that are not known here" in found.describe()
    with pytest.raises(UsageError, match="another service"):
        read_restrictions("pypi-" + made.serialize(), "testpypi")


def test_a_minted_token_can_do_that_alone() -> None:
    """Judged by pypitoken with the macaroon's own key, as the index would."""
    now = datetime.now(UTC)
    minted = pypitoken.Token.load(mint(token(), "pkg", now, timedelta(minutes=15)))
    minted.check(key=KEY, project_name="pkg", now=int(now.timestamp()))
    for project, later in (("other", 0), ("pkg", 16 * 60), ("pkg", -120)):
        with pytest.raises(pypitoken.ValidationError):
            minted.check(key=KEY, project_name=project, now=int(now.timestamp()) + later)
    with pytest.raises(pypitoken.ValidationError):
        minted.check(key="another key", project_name="pkg", now=int(now.timestamp()))
    for lifetime in (timedelta(0), timedelta(days=2)):
        with pytest.raises(UsageError):
            mint(token(), "pkg", now, lifetime)


CHILD = """
import os, sys, time
open(sys.argv[1], "w").write(os.environ["TWINE_PASSWORD"])
assert os.environ["TWINE_USERNAME"] == "__token__"
time.sleep(0.5)
until = time.monotonic() + 60
while not os.path.exists(sys.argv[2]) and time.monotonic() < until:
    time.sleep(0.05)
"""


def test_a_minted_token_is_in_its_childs_environment_and_nowhere_else(
    tmp_path: Path, memory: Memory, call: Call
) -> None:
    secret = token(project_names=["pkg"])
    call("add", "release", *ADD, secret=secret)
    kept = Path(f"/dev/shm/minted-{os.getpid()}") if os.path.isdir("/dev/shm") else tmp_path.parent / "minted"
    seen, found = tmp_path.with_name(tmp_path.name + "-seen"), set[str]()
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            needles = [secret.encode()] + ([kept.read_bytes()] if kept.exists() and kept.stat().st_size else [])
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        content = (process / name).read_bytes()
                    except OSError:
                        continue
                    if any(needle in content for needle in needles):
                        found.add(name)
            if found:  # the child has lived long enough
                seen.touch()

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        done = call(
            "mint", "release", "--project", "Pkg", "--expires", "15m", "--", sys.executable, "-c", CHILD, str(kept), str(seen),
        )  # fmt: skip
        minted = kept.read_text()
    finally:
        stop.set()
        watching.join()
        kept.unlink(missing_ok=True)
    assert done.return_value == 0, repr(done.exception)
    assert found == {"environ"}, "the child's, and no argument of any process"
    assert minted != secret
    pypitoken.Token.load(minted).check(key=KEY, project_name="pkg", now=int(datetime.now(UTC).timestamp()))
    assert "TWINE_PASSWORD" not in os.environ
    everything = files_of(tmp_path) + done.output.encode()
    assert minted.encode() not in everything
    assert minted[-43:].encode() not in everything
    entry = list(read_entries(tmp_path / "state/sealwright/audit.jsonl"))[-1]
    assert (entry["action"], entry["detail"]["project"], entry["detail"]["expires"]) == ("mint", "pkg", "15m")


@pytest.mark.parametrize(
    "arguments",
    [("--expires", "15"), ("--expires", "25h"), ("--expires", "0m"), ("--variable", "A=B"), ("--project", "../x")],
)
def test_mints_that_are_refused(memory: Memory, call: Call, arguments: tuple[str, ...]) -> None:
    call("add", "release", *ADD, secret=token(project_names=["pkg"]))
    refused(call("mint", "release", "--project", "pkg", *arguments, "--", "true"))


def test_a_command_that_fails_is_3(memory: Memory, call: Call) -> None:
    call("add", "release", *ADD, secret=token(project_names=["pkg"]))
    assert call("mint", "release", "--project", "pkg", "--", "false").return_value == 3
    refused(call("mint", "release", "--project", "pkg", "--", "/no/such/program"))
    call("revoke", "release")
    assert "revoked" in refused(call("mint", "release", "--project", "pkg", "--", "true"))


def entry(name: str) -> dict[str, object]:
    texts = {"name": name, "service": "other", "scope": "x", "owner": "me", "purpose": "x", "where": "external"}
    return texts | {"created": datetime(2026, 1, 1, tzinfo=UTC).date()}


def test_comments_and_order_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    add_token(path, entry("b"))  # type: ignore[arg-type]
    text = "# ours\n" + path.read_text().replace('owner = "me"', 'owner    = "me"   # since March')
    path.write_text(text)
    add_token(path, entry("a"))  # type: ignore[arg-type]
    assert path.read_text().startswith(text.rstrip("\n"))
    set_key(path, "b", "rotated", datetime(2026, 3, 31, tzinfo=UTC).date())
    changed = path.read_text()
    assert 'owner    = "me"   # since March' in changed
    assert changed.startswith("# ours\n")
    assert [found["name"] for found in tomllib.loads(changed)["token"]] == ["b", "a"]
    assert f"{read_register(path)[0].rotated:%Y-%m-%d}" == "2026-03-31"
    before = path.read_bytes()
    for key, value in (("owner", ""), ("colour", "red")):
        with pytest.raises(UsageError):
            set_key(path, "b", key, value)
    assert path.read_bytes() == before


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    threads = [threading.Thread(target=add_token, args=(path, entry(f"t{number}"))) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {found.name for found in read_register(path)} == {f"t{number}" for number in range(16)}


KEYRING_TEST = """
from sealwright.store.secrets import delete_secret, read_secret, write_secret
import click
import keyring
assert "SecretService" in type(keyring.get_keyring()).__module__ + str(keyring.get_keyring()), keyring.get_keyring()
assert read_secret("sealwright", "token:x") is None
write_secret("sealwright", "token:x", "first")
assert read_secret("sealwright", "token:x") == "first"
write_secret("sealwright", "token:x", "second")
assert read_secret("sealwright", "token:x") == "second"
assert delete_secret("sealwright", "token:x")
assert not delete_secret("sealwright", "token:x")
print("all of it")
"""


def test_a_real_keyring_stores_reads_rotates_and_deletes(tmp_path: Path) -> None:
    if not shutil.which("gnome-keyring-daemon") or not shutil.which("dbus-run-session"):
        pytest.skip("gnome-keyring and dbus are not on this machine")
    script = tmp_path / "session"
    script.write_text(
        'set -e; printf unlock | gnome-keyring-daemon --unlock --components=secrets >/dev/null\n"$1" -c "$2"\n'
    )
    env = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PATH": os.environ["PATH"]}
    command_line = ["dbus-run-session", "--", "sh", str(script), sys.executable, KEYRING_TEST]
    done = subprocess.run(command_line, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all of it" in done.stdout


def test_a_keyring_that_forgets_is_no_keyring(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    from sealwright.store.secrets import write_secret

    monkeypatch.setattr(memory, "get_password", lambda *_: None)
    with pytest.raises(UndecidedError):
        write_secret("sealwright", "x", "canary")


def test_a_rotation_keeps_the_old_secret_until_the_new_one_is_confirmed(
    tmp_path: Path, memory: Memory, call: Call
) -> None:
    old, new = token(project_names=["pkg"]), token(project_names=["pkg"], not_before=1, not_after=4_000_000_000)
    call("add", "release", *ADD, secret=old)
    place = ("sealwright", "token:release")
    stopped = call("rotate", "release", secret=new)  # the question finds the end of the input
    assert stopped.exception is not None
    assert memory.kept == {place: old, ("sealwright", "token:release:new"): new}
    register = tmp_path / ".sealwright/tokens.toml"
    assert read_register(register)[0].rotated is None
    resumed = call("rotate", "release", "--yes")
    assert resumed.return_value == 0, repr(resumed.exception)
    assert "from where the last run was interrupted" in resumed.output
    assert "delete the old one at its service" in resumed.output
    assert memory.kept == {place: new}
    assert read_register(register)[0].rotated is not None
    assert "that is the old secret" in refused(call("rotate", "release", "--yes", secret=new))
    assert "WHATEVER" in refused(call("rotate", "release", "--yes", secret=token()))
    assert memory.kept == {place: new}
    assert new.encode() not in files_of(tmp_path)


@pytest.mark.parametrize("fails_at", range(1, 5))
def test_a_rotation_interrupted_anywhere_is_finished_by_the_next(
    memory: Memory, call: Call, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    """The keyring and the register are changed in four steps: after each, the power fails."""
    from sealwright.jobs.tokens import tokens

    old, new = token(project_names=["pkg"]), token(project_names=["pkg"], not_before=1, not_after=4_000_000_000)
    call("add", "release", *ADD, secret=old)
    steps = 0

    def failing(real: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object) -> object:
            nonlocal steps
            steps += 1
            if steps == fails_at:
                raise KeyboardInterrupt
            return real(*arguments)

        return step

    with monkeypatch.context() as patched:
        for name in ("write_secret", "set_keys", "delete_secret"):
            patched.setattr(tokens, name, failing(getattr(tokens, name)))
        assert isinstance(call("rotate", "release", "--yes", secret=new).exception, click.Abort)
    assert memory.kept["sealwright", "token:release"] in (old, new)
    assert call("rotate", "release", "--yes", secret=new).return_value == 0
    assert memory.kept == {("sealwright", "token:release"): new}


def test_check_finds_what_is_wrong(tmp_path: Path, memory: Memory, call: Call) -> None:
    assert "lists" not in call("list").output
    narrow = token(project_names=["pkg"])
    call("add", "good", *ADD, secret=narrow)
    assert (call("check").return_value, call("check").output) == (0, "good: upload: pkg\nnothing is wrong\n")
    call("add", "twin", *ADD, secret=narrow)
    call("add", "wide", *ADD, secret=token(project_names=["pkg", "other"]))
    call("add", "lost", *ADD, secret=narrow)
    del memory.kept["sealwright", "token:lost"]
    done = call("check")
    assert done.return_value == 30
    for said in (
        "twin has the same secret as good",
        "wide is for pkg, and may upload: pkg, other",
        "lost has no secret",
    ):
        assert said in done.output
    register = tmp_path / ".sealwright/tokens.toml"
    set_key(register, "good", "expires", datetime(2020, 2, 29, tzinfo=UTC).date())
    done = call("check")
    assert (done.return_value, "good expired on 2020-02-29" in done.output) == (31, True)

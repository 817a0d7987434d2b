"""An attacker's logs: links, pipes, endless lines, locks that are held, two logs for one, and what is no text."""

import fcntl
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealwright.errors import UndecidedError, UsageError
from sealwright.model.log_entry import MAX_EVENT_BYTES, Action, Actor, Event, build_line, without_secrets
from sealwright.store import audit_log
from sealwright.store.audit_log import append, append_all, refuse_unwritable
from sealwright.store.log_reading import find_last, read_entries, verify_chain

NOW = datetime(2026, 3, 31, tzinfo=UTC)


def event(name: str = "pkg", action: Action = Action.SEAL, actor: Actor | None = None) -> Event:
    return Event(NOW, actor or Actor("me", "here"), action, name)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    append_all(tmp_path / "log", tuple(event(f"pkg {number}") for number in range(3)))
    return tmp_path / "log"


def test_links_pipes_folders_and_devices(tmp_path: Path, log: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(log)
    (tmp_path / "dangling").symlink_to(tmp_path / "new")
    before = log.read_bytes()
    for name, said in (
        ("fifo", "a FIFO"), ("link", "a symbolic link"), ("dangling", "a symbolic link"), (".", "a directory"), ("/dev/null", "a character device"),
    ):  # fmt: skip
        for write in (lambda path: append(path, event()), refuse_unwritable):
            with pytest.raises(UndecidedError, match=said):
                write(tmp_path / name)
    assert log.read_bytes() == before
    assert not (tmp_path / "new").exists()
    for name in ("fifo", ".", "/dev/zero"):
        with pytest.raises(UsageError):
            verify_chain(tmp_path / name)
        with pytest.raises(UsageError):
            list(read_entries(tmp_path / name))


def test_a_line_of_a_gigabyte_is_not_read_into_memory(tmp_path: Path, log: Path) -> None:
    """It costs no disk: a hole in a file is read as zeros."""
    with log.open("r+b") as stream:
        stream.truncate(1 << 30)
    code = (
        "import re, sys; from pathlib import Path; from datetime import UTC, datetime\n"
        "from sealwright.errors import UndecidedError\n"
        "from sealwright.model.log_entry import Action, Actor, Event\n"
        "from sealwright.store.audit_log import append\n"
        "from sealwright.store.log_reading import find_last, read_entries, verify_chain\n"
        "log = Path(sys.argv[1])\n"
        "assert 'longer than' in verify_chain(log).problem\n"
        "assert find_last(log, 'seal', 'pkg 1') is None\n"
        "for attempt in (lambda: append(log, Event(datetime.now(UTC), Actor('', ''), Action.SEAL, 'x')), lambda: list(read_entries(log))):\n"
        "    try:\n        attempt()\n"
        "    except UndecidedError:\n        continue\n"
        "    raise AssertionError('taken')\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    )
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code, log], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 80_000
    assert time.monotonic() - start < 60
    assert log.stat().st_size == 1 << 30


def test_a_lock_that_is_held_is_waited_for_and_not_for_ever(log: Path) -> None:
    with log.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(UndecidedError, match="another process has held it"):
            append_all(log, (event(),), patience=0.2)
        with pytest.raises(UndecidedError, match="another process has held it"):
            refuse_unwritable(log, patience=0.1)
        threading.Timer(0.3, fcntl.flock, (held, fcntl.LOCK_UN)).start()
        append_all(log, (event("late"),), patience=30)
    assert verify_chain(log).lines == 4


def test_a_dead_process_holds_no_lock(log: Path) -> None:
    code = "import fcntl, os, sys, time; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, log], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(UndecidedError):
            append_all(log, (event(),), patience=0.1)
        holder.kill()
    append_all(log, (event(),), patience=1)
    assert verify_chain(log).lines == 4


def test_events_that_are_written_together_stay_together_or_are_not_there(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writers = [
        threading.Thread(target=append_all, args=(log, tuple(event(f"{w} {n}") for n in range(20)))) for w in range(6)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    names = [entry["object"]["name"].split()[0] for entry in read_entries(log)][3:]
    assert [names[at : at + 20] for at in range(0, 120, 20)] == [[name] * 20 for name in names[::20]]
    before = log.read_bytes()

    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(audit_log.os, "fsync", fail)
    with pytest.raises(UndecidedError, match="Input/output error"):
        append_all(log, (event("a"), event("b")))
    assert log.read_bytes() == before


def test_a_repair_on_a_full_disk_loses_nothing_of_what_was_torn(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write_bytes(log.read_bytes()[:-30])
    before = log.read_bytes()

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(audit_log.os, "fsync", fail)
        with pytest.raises(UndecidedError, match="No space left"):
            append(log, event())
    assert log.read_bytes() == before
    append(log, event())
    assert [entry["action"] for entry in read_entries(log)] == ["seal", "seal", "repair", "seal"]


@pytest.mark.parametrize(
    "text",
    ["a\nb\r\n\x00\x1b[2J\u202e\u2028", "\udcff\ud800", "x" * 1_000_000, "://" + ":" * 500_000, "eyJ" * 300_000, '"}\n{"sha256":"' + "0" * 64, "-----BEGIN " + "A " * 400_000],
)  # fmt: skip
def test_hostile_texts_are_one_line_that_holds(log: Path, text: str) -> None:
    start = time.monotonic()
    hostile = Event(NOW, Actor(text, text, text), Action.SEAL, text, text, ((text, "ab" * 32),), ((text, text),))
    append(log, hostile)
    assert time.monotonic() - start < 20
    assert log.read_bytes().count(b"\n") == 4
    assert verify_chain(log).problem == ""
    assert len(log.read_bytes().splitlines()[3]) < MAX_EVENT_BYTES
    assert len(list(read_entries(log))) == 4


def test_a_secret_at_the_edge_of_what_is_searched() -> None:
    """What is cut off in the middle of a secret must not leave its first half."""
    secret = "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDA"
    for before in range(4080, 4100):
        assert "pypi-Ag" not in without_secrets("x " * (before // 2) + secret)
    assert without_secrets("ghp_" + "a" * 5000) == ""
    line = build_line(event("y " * 495 + secret), "0" * 64)[0]
    assert b"pypi-Ag" not in line


def test_names_of_tokens_are_no_secrets() -> None:
    for name in ("pypi-upload-for-sampleproject", "testpypi-upload-from-ci-2026", "github-issues-of-the-project"):
        assert without_secrets(name) == name
    for secret in ("pypi-AgEIcHlwaS5vcmcCJDAw", "pypi-eyJhIjoiYiJ9AAAAAAAA"):
        assert secret[:12] not in without_secrets(secret)


def test_the_last_entry_of_a_kind(log: Path) -> None:
    assert find_last(log, "policy", "pkg") is None
    append(log, event("pkg", Action.POLICY))
    append(log, event("other", Action.POLICY))
    append(log, event('x","action":"policy","object":{"name":"pkg"', Action.SEAL))
    found = find_last(log, "policy", "pkg")
    assert found is not None
    assert (found["action"], found["object"]["name"]) == ("policy", "pkg")
    assert find_last(log, "policy", "pkg", detail="version") is None
    append(log, event("pkg", Action.POLICY)._replace(detail=(("version", "2"),)))
    append(log, event("pkg", Action.POLICY))
    log.write_bytes(log.read_bytes() + b'{"action":"policy","object":{"name":"pkg","sha256":{}},"detail":"version"}\n')
    last = find_last(log, "policy", "pkg", detail="version")
    assert last is not None
    assert last["detail"] == {"version": "2"}, "whatever stands behind it and says nothing of a version"
    log.write_bytes(b'{"action":"policy","object":5}\n{"action":"policy"' + b"[" * 60_000 + b"\n")
    assert find_last(log, "policy", "pkg") is None


def test_two_logs_exchanged_are_told_apart_by_their_first_lines(tmp_path: Path) -> None:
    """Each holds by itself; a checkpoint names the first line, so that of another log does not fit (test_log.py)."""
    one, other = tmp_path / "one", tmp_path / "other"
    append(one, event("a"))
    append(other, event("b"))
    assert verify_chain(one).first != verify_chain(other).first
    other.write_bytes(one.read_bytes() + other.read_bytes())
    assert "is the first line of a log, and stands in the middle of one" in verify_chain(other).problem

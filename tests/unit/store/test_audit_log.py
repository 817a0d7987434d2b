"""The audit log under attack: torn, changed, cut, reordered; and eight writers, killed at random."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from support.fuzz import NIGHTLY

from sealwright.errors import UndecidedError, UsageError
from sealwright.model.log_entry import (
    HASHED_FROM,
    MAX_EVENT_BYTES,
    NO_LINE,
    Action,
    Actor,
    Event,
    build_line,
    without_secrets,
)
from sealwright.store.audit_log import append
from sealwright.store.log_place import locate_log
from sealwright.store.log_reading import read_entries, verify_chain

NOW = datetime(2026, 3, 31, 12, 0, 0, 123456, tzinfo=UTC)
ACTOR = Actor("me", "here")
WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sealwright.model.log_entry import Action, Actor, Event
from sealwright.store.audit_log import append
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(count):
    event = Event(datetime.now(UTC), Actor("me", "here"), Action.SEAL, f"{name} {number}")
    append(path, event)
    print(number, flush=True)
"""


def event(name: str = "pkg 1.2.3", **more: object) -> Event:
    return Event(NOW, ACTOR, Action.SEAL, name)._replace(**more)


def a_log(path: Path, lines: int = 5) -> Path:
    for number in range(lines):
        append(path, event(f"pkg {number}", digests=(("pkg.whl", "ab" * 32),)))
    return path


def test_a_line_says_who_did_what_and_is_tied_to_the_one_before(tmp_path: Path) -> None:
    log = a_log(tmp_path / "sub" / "log", 2)
    first, second = (json.loads(line) for line in log.read_text().splitlines())
    assert first["previous"] == NO_LINE
    assert second["previous"] == first["sha256"]
    assert first["time"] == "2026-03-31T12:00:00.123456Z"
    assert first["actor"] == {"user": "me", "host": "here", "ci": ""}
    assert first["object"] == {"name": "pkg 0", "sha256": {"pkg.whl": "ab" * 32}}
    assert (first["action"], first["outcome"]) == ("seal", "done")
    assert log.stat().st_mode & 0o777 == 0o600
    chain = verify_chain(log)
    assert (chain.lines, chain.problem, chain.torn, chain.head) == (2, "", 0, second["sha256"])
    assert [entry["line"] for entry in read_entries(log)] == [1, 2]


def test_every_single_byte_change_is_found(tmp_path: Path) -> None:
    log = a_log(tmp_path / "log", 3)
    good = log.read_bytes()
    with log.open("r+b", buffering=0) as stream:
        for at, byte in enumerate(good):
            for other in (byte ^ 1, byte ^ 0x20, byte ^ 0x80, 0, 10):
                os.pwrite(stream.fileno(), bytes([other]), at)
                chain = verify_chain(log)
                assert other == byte or chain.problem or chain.torn, f"byte {at} made {other}"
            os.pwrite(stream.fileno(), bytes([byte]), at)
    assert log.read_bytes() == good
    spoiled = tmp_path / "spoiled"
    for at in range(0, len(good), 1 if NIGHTLY else 7):
        spoiled.write_bytes(good[:at] + good[at + 1 :])
        chain = verify_chain(spoiled)
        assert chain.problem or chain.torn, f"byte {at} removed"
        spoiled.write_bytes(good[:at] + b"\n" + good[at:])
        assert verify_chain(spoiled).problem, f"byte {at} inserted"


def test_lines_removed_inserted_reordered_and_doubled_are_found(tmp_path: Path) -> None:
    log = a_log(tmp_path / "log")
    lines = log.read_bytes().splitlines(keepends=True)
    alien, _ = build_line(event("alien"), json.loads(lines[1])["sha256"])
    for what, changed, at in (
        ("the first removed", lines[1:], 1),
        ("a middle one removed", lines[:2] + lines[3:], 3),
        ("two exchanged", [lines[0], lines[2], lines[1], *lines[3:]], 2),
        ("one doubled", [*lines[:2], lines[1], *lines[2:]], 3),
        ("one inserted that fits", [*lines[:2], alien, *lines[2:]], 4),
        ("one replaced that fits", [*lines[:2], alien, *lines[3:]], 4),
        ("another log after it", [*lines, *lines], 6),
        ("no log at all", [b"#!/bin/sh\n"], 1),
    ):
        log.write_bytes(b"".join(changed))
        problem = verify_chain(log).problem
        assert problem.startswith(f"line {at} is "), (what, problem)


def test_a_cut_tail_is_not_found_by_the_chain_alone(tmp_path: Path) -> None:
    log = a_log(tmp_path / "log")
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:3]))
    assert verify_chain(log).problem == ""  # this is what checkpoints are for


@pytest.mark.parametrize("kept", [1, 5, 11, 100, -2, -1])
def test_a_torn_last_line_is_repaired_and_said_so(tmp_path: Path, kept: int) -> None:
    log = a_log(tmp_path / "log", 3)
    whole = log.read_bytes()
    torn = whole.splitlines(keepends=True)[2][:kept]
    log.write_bytes(b"".join(whole.splitlines(keepends=True)[:2]) + torn)
    assert verify_chain(log).torn == len(torn)
    assert append(log, event("after")).repaired == len(torn)
    assert verify_chain(log)[3:5] == ("", 0)
    entries = list(read_entries(log))
    if kept == -1:  # only the newline was missing: the line stands
        assert [entry["object"]["name"] for entry in entries] == ["pkg 0", "pkg 1", "pkg 2", "after"]
    else:
        import base64

        assert [entry["action"] for entry in entries] == ["seal", "seal", "repair", "seal"]
        assert base64.b64decode(entries[2]["detail"]["base64"]) == torn
    append(log, event("again"))
    assert verify_chain(log).problem == ""


def test_a_log_whose_only_line_is_torn(tmp_path: Path) -> None:
    log = a_log(tmp_path / "log", 1)
    log.write_bytes(log.read_bytes()[:40])
    append(log, event())
    assert [entry["action"] for entry in read_entries(log)] == ["repair", "seal"]
    assert verify_chain(log).problem == ""


def test_what_is_no_log_is_not_written_to(tmp_path: Path) -> None:
    other = tmp_path / "authorized_keys"
    for content in (b"ssh-ed25519 AAAA me@here\n", b"ssh-ed25519 AAAA me@here", b"\n", b"x" * 200_000):
        other.write_bytes(content)
        with pytest.raises(UndecidedError):
            append(other, event())
        assert other.read_bytes() == content
    link = tmp_path / "link"
    link.symlink_to(a_log(tmp_path / "log"))
    with pytest.raises(UndecidedError):
        append(link, event())
    os.mkfifo(tmp_path / "fifo")
    for strange in ("fifo", "."):
        with pytest.raises(UndecidedError):
            append(tmp_path / strange, event())


def test_a_changed_last_line_is_not_appended_to(tmp_path: Path) -> None:
    log = a_log(tmp_path / "log")
    log.write_bytes(log.read_bytes().replace(b"pkg 4", b"pkg 9"))
    with pytest.raises(UndecidedError, match="SHA-256 does not agree"):
        append(log, event())


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    """The kernel takes part of a line, then refuses, as a full disk does."""
    log = a_log(tmp_path / "log", 1)
    size = log.stat().st_size
    code = WRITER.replace("import sys\n", f"import resource, signal, sys\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
                          f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size + 100}, {size + 100}))\n", 1)  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code, log, "x", "1"], capture_output=True, text=True, check=False)
    assert "UndecidedError" in done.stderr
    assert done.stdout == ""
    assert log.stat().st_size == size
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_eight_processes_killed_at_random_lose_nothing_they_acknowledged(tmp_path: Path) -> None:
    log, count = tmp_path / "log", 1000
    chance = random.Random(None if NIGHTLY else 6)
    acknowledged: set[str] = set()
    lock = threading.Lock()

    def write(name: str) -> None:
        """One of eight: started again after each kill, until it has written its thousand lines."""
        written = life = 0
        while written < count:
            life += 1
            command = [sys.executable, "-c", WRITER, str(log), f"{name}.{life}", str(count - written)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                until = chance.randint(1, 600)
                assert process.stdout
                for line in process.stdout:
                    with lock:
                        acknowledged.add(f"{name}.{life} {int(line)}")
                    written += 1
                    if int(line) == until:
                        time.sleep(chance.uniform(0, 0.003))
                        process.send_signal(signal.SIGKILL)
                        break

    writers = [threading.Thread(target=write, args=(f"w{number}",)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    append(log, event("the end"))  # repairs what the last kill left
    chain = verify_chain(log)
    assert (chain.problem, chain.torn) == ("", 0)
    assert len(acknowledged) >= 8 * count
    there = [entry["object"]["name"] for entry in read_entries(log) if entry["action"] == "seal"]
    assert len(there) == len(set(there))
    assert acknowledged <= set(there)
    assert chain.lines >= 8 * count


def test_threads_of_one_process_write_at_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    threads = [threading.Thread(target=a_log, args=(log, 50)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify_chain(log)[:1] == (400,)
    assert verify_chain(log).problem == ""


def test_a_log_that_is_moved_away_gets_a_new_one(tmp_path: Path) -> None:
    """Whoever waits for the lock of a log that was rotated meanwhile writes into the new one."""
    import fcntl

    log = a_log(tmp_path / "log", 1)
    held = os.open(log, os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    waiting = threading.Thread(target=append, args=(log, event("late")))
    waiting.start()
    log.rename(tmp_path / "old")
    os.close(held)
    waiting.join()
    assert verify_chain(tmp_path / "old").lines == 1
    assert [entry["object"]["name"] for entry in read_entries(log)] == ["late"]


def test_a_million_lines_verify_in_bounded_memory(tmp_path: Path) -> None:
    log, previous, lines = tmp_path / "log", NO_LINE, 1_000_000
    line, _ = build_line(event(), NO_LINE)
    before, after = line[HASHED_FROM:-1].split(NO_LINE.encode())
    with log.open("wb") as stream:  # by hand: the encoder of JSON would take a minute
        for _ in range(lines):
            rest = b"%s%s%s" % (before, previous.encode(), after)
            previous = sha256(rest).hexdigest()
            stream.write(b'{"sha256":"%s%s\n' % (previous.encode(), rest))
    with log.open("rb") as stream:
        assert stream.readline() == line
    code = (
        "import re, sys; from pathlib import Path; from sealwright.store.log_reading import verify_chain\n"
        "chain = verify_chain(Path(sys.argv[1])); assert not chain.problem\n"
        "print(chain.lines, re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    )
    done = subprocess.run([sys.executable, "-c", code, log], capture_output=True, text=True, check=True)
    log.unlink()
    found, memory = map(int, done.stdout.split())
    assert found == lines
    assert memory < 50_000, f"{memory} KiB"


@pytest.mark.parametrize("content", [b"x" * 5_000_000, b"\n" * 1_000_000, b"{" * 2_000_000 + b"\n", b"\0" * 100])
def test_hostile_files_are_no_log(tmp_path: Path, content: bytes) -> None:
    log = tmp_path / "log"
    log.write_bytes(content)
    assert verify_chain(log).problem or verify_chain(log).torn
    if b"\n" in content or len(content) > 100_000:
        with pytest.raises(UndecidedError):
            list(read_entries(log))


def test_a_clock_that_goes_backwards_is_counted_and_breaks_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for minutes in (0, 5, 3, 4, -9, 10):
        append(log, event(time=NOW + timedelta(minutes=minutes)))
    chain = verify_chain(log)
    assert (chain.problem, chain.backwards) == ("", 2)


def test_a_time_without_a_zone_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        append(tmp_path / "log", event(time=NOW.replace(tzinfo=None)))


SECRETS = (
    "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDA", "ghp_0123456789abcdefABCDEF0123456789abcd", "glpat-0123456789abcdefABCD",
    "github_pat_0123456789abcdefABCDEF", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlIYEZ",
)  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_do_not_enter(tmp_path: Path, secret: str) -> None:
    log = tmp_path / "log"
    append(log, event(f"x {secret} y", outcome=secret, detail=(("error", "z" * 980 + secret),)))
    content = log.read_text()
    assert secret[:14] not in content
    assert secret[-14:] not in content
    assert content.count("a secret was taken out") >= 2


def test_a_password_in_a_url_does_not_enter() -> None:
    assert "hunter2" not in without_secrets("mailto://me:hunter2@mail.example.org/x")
    assert "example.org" in without_secrets("mailto://me:hunter2@mail.example.org/x")


def test_an_event_that_is_too_large_keeps_what_it_is_about(tmp_path: Path) -> None:
    log = tmp_path / "log"
    append(log, event("big", detail=tuple((str(n), "\U0001f600" * 900) for n in range(20))))
    assert log.stat().st_size < MAX_EVENT_BYTES
    (entry,) = read_entries(log)
    assert entry["object"]["name"] == "big"
    assert "left out" in entry["detail"]


def test_where_the_log_lives(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert locate_log(None, home).path == tmp_path / ".local/state/sealwright/audit.jsonl"
    state = home | {"XDG_STATE_HOME": str(tmp_path / "state")}
    assert locate_log(None, state).path == tmp_path / "state/sealwright/audit.jsonl"
    assert (
        locate_log(None, home | {"XDG_STATE_HOME": "relative"}).path == tmp_path / ".local/state/sealwright/audit.jsonl"
    )
    assert locate_log(Path("mine"), state) == (Path("mine"), "--log")
    configuration = tmp_path / ".config/sealwright/config.toml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text('log = "elsewhere.jsonl"\n')
    assert locate_log(None, state) == (configuration.parent / "elsewhere.jsonl", str(configuration))
    for wrong in ("log = 5", "logs = 'x'", "log", "log = ''"):
        configuration.write_text(wrong)
        with pytest.raises(UsageError):
            locate_log(None, state)
    with pytest.raises(UsageError, match="nor HOME"):
        locate_log(None, {})

"""Deadlines and the audit log: `python tests/bench/bench.py --only remind` (or log-append, log-verify).

The peers are the least that could do: importing click, a bare write and fsync, SHA-256 line by line.
"""

import contextlib
import sys
from datetime import UTC, datetime, timedelta
from statistics import median

from harness import BIN, Row, World, same

from sealwright.errors import ExitCode
from sealwright.model.log_entry import NO_LINE, Action, Actor, Event, build_line

# Each prints: nanoseconds inside, and what it came to.
APPEND = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from sealwright.model.log_entry import Action, Actor, Event
from sealwright.store.audit_log import append
path, count = Path(sys.argv[1]), int(sys.argv[2])
path.unlink(missing_ok=True)
event = Event(datetime(2026, 1, 1, tzinfo=UTC), Actor("me", "here"), Action.SEAL, "pkg 1.0")
start = time.perf_counter_ns()
for _ in range(count):
    append(path, event)
print(time.perf_counter_ns() - start, path.read_bytes().count(b"\\n"))
"""
WRITE = """
import os, sys, time
count, line = int(sys.argv[2]), sys.argv[3].encode() + b"\\n"
with open(sys.argv[1], "wb", buffering=0) as stream:
    start = time.perf_counter_ns()
    for _ in range(count):
        stream.write(line)
        os.fsync(stream.fileno())
    spent = time.perf_counter_ns() - start
print(spent, open(sys.argv[1], "rb").read().count(b"\\n"))
"""
VERIFY = """
import sys, time
from pathlib import Path
from sealwright.store.log_reading import verify_chain
start = time.perf_counter_ns()
chain = verify_chain(Path(sys.argv[1]))
assert not chain.problem
print(time.perf_counter_ns() - start, chain.lines)
"""
HASH = """
import hashlib, sys, time
start, count = time.perf_counter_ns(), 0
with open(sys.argv[1], "rb") as stream:
    for line in stream:
        hashlib.sha256(line).hexdigest()
        count += 1
print(time.perf_counter_ns() - start, count)
"""


def bench_remind(world: World) -> list[Row]:
    count = 100 if world.quick else 1000
    folder = world.folder / ".sealwright"
    folder.mkdir()
    created = datetime.now(UTC)
    lines = ["schema = 1"]
    for number in range(count // 2):  # each has two deadlines: its rotation, and its expiry
        lines += ["", "[[token]]", f'name = "token-{number}"', 'service = "pypi"', f'scope = "project:pkg-{number}"']
        lines += ['owner = "release manager"', 'purpose = "upload"', f'where = "keyring:sealwright/token:{number}"']
        lines += [f"created = {created:%Y-%m-%d}", f"expires = {created + timedelta(days=100 + number):%Y-%m-%d}"]
    (folder / "tokens.toml").write_text("\n".join(lines) + "\n")
    ours = [f"{BIN}/sealwright", "remind"]
    with contextlib.chdir(world.folder):  # not where this project's own keys/ are
        (mine, texts), (peer, _) = world.interleave(31, ours, [sys.executable, "-c", "import click"])
        longer = world.run(*ours, "--within", "1y")
    same({text.split("\n")[0] for text in texts}, {f"nothing is due; {count} later"}, "the answer of sealwright remind")
    same(longer.returncode, int(ExitCode.DUE), "the exit code with a longer horizon")
    return [Row(f"{count} deadlines: `sealwright remind` / `python -c 'import click'`", mine, peer, 2.5)]


def inside(outputs: list[str]) -> tuple[float, set[int]]:
    """The median of the milliseconds that processes measured inside, and the numbers they came to."""
    spent, found = zip(*(map(int, text.split()) for text in outputs), strict=True)
    return median(spent) / 1e6, set(found)


def bench_append(world: World) -> list[Row]:
    count = 100 if world.quick else 1000
    event = Event(datetime(2026, 1, 1, tzinfo=UTC), Actor("me", "here"), Action.SEAL, "pkg 1.0")
    line = build_line(event, NO_LINE)[0].decode().rstrip()
    ours = [sys.executable, "-c", APPEND, f"{world.folder}/log", str(count)]
    peer = [sys.executable, "-c", WRITE, f"{world.folder}/bare", str(count), line]
    (_, mine), (_, theirs) = world.interleave(5, ours, peer)
    (spent, found), (bare, written) = inside(mine), inside(theirs)
    same(found, written, "the number of lines")
    what = f"audit log, {count} lines on the disk one by one, inside the process: `append` / bare `write` and `fsync`"
    return [Row(what, spent, bare, 0.5, at_least=True)]


def bench_log_verify(world: World) -> list[Row]:
    count, previous = 20_000 if world.quick else 1_000_000, NO_LINE
    event = Event(
        datetime(2026, 1, 1, tzinfo=UTC), Actor("me", "here"), Action.SEAL, "pkg 1.0", digests=(("pkg.whl", "ab" * 32),)
    )
    with (world.folder / "log").open("wb") as stream:
        for _ in range(count):
            line, previous = build_line(event, previous)
            stream.write(line)
    commands = [[sys.executable, "-c", code, f"{world.folder}/log"] for code in (VERIFY, HASH)]
    (_, mine), (_, theirs) = world.interleave(5, *commands)
    (spent, found), (bare, hashed) = inside(mine), inside(theirs)
    same(found, hashed, "the number of lines")
    what = f"audit log of {count:,} lines, inside the process: `verify` / SHA-256 line by line"
    return [Row(what, spent, bare, 0.5, at_least=True)]


BENCHMARKS = {"remind": bench_remind, "log-append": bench_append, "log-verify": bench_log_verify}

"""An import that dies at each of its steps in turn: the old index stays, whole, or the new one is there, whole."""

import json
import subprocess
import sys
from typing import Any

import pytest
from support.advisories import affected, make_index, record, write_export

OLD, NEW = 1, 40
RECORDS = [record(number, affected(f"pkg-{number}", versions=["1.0"])) for number in range(1, NEW + 1)]

# Each import is a child of its own that has loaded everything before: it dies at one thing that it asks of the system.
# One more dies by the system's hand, in the middle of writing. Afterwards, each is run again to its end.
PROGRAM = """
import json, os, resource, shutil, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from sealwright.jobs.audit.db import import_index
from sealwright.store.advisory_index import open_index

STEPS = ("open", "os.mkdir", "os.listdir", "os.remove", "os.rename", "fcntl.flock")
folder, old, export = map(Path, sys.argv[1:])
index = folder / "index.sqlite"

def run(prepare):
    child = os.fork()
    if not child:
        prepare()
        import_index(export, index, now=datetime(2026, 1, 2, tzinfo=UTC))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def die_at(number, said):
    passed = 0
    def watch(event, arguments):
        nonlocal passed
        if event in STEPS:
            passed += 1
            if passed == number:
                os.write(said, event.encode())
                os.kill(os.getpid(), signal.SIGKILL)
    return lambda: sys.addaudithook(watch)

def die_while_writing():
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

def left():
    return [(path.name, path.stat().st_size) for path in folder.iterdir() if path.name.endswith(".part")]

def attempt(prepare, step):
    shutil.copy(old, index)
    code = run(prepare)
    seen = {"step": step, "code": code, "records": open_index(index).facts.records, "left": left()}
    seen["again"] = run(lambda: None)
    seen["records again"] = open_index(index).facts.records
    return seen | {"left again": left(), "names": sorted(path.name for path in folder.iterdir())}

run(lambda: None)  # what is loaded only when it is needed, is loaded here
index.unlink()
import_index(export, index, now=datetime(2026, 1, 2, tzinfo=UTC))
found = [attempt(die_while_writing, "write")]
while found[-1]["code"]:
    reading, writing = os.pipe()
    seen = attempt(die_at(len(found), writing), "")
    os.close(writing)
    found.append(seen | {"step": os.read(reading, 100).decode()})
    os.close(reading)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def attempts(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What there was after each death; the last attempt died at no step, because it has no more."""
    beside, folder = tmp_path_factory.mktemp("old"), tmp_path_factory.mktemp("killed")
    old, export = make_index(beside, *RECORDS[:OLD]), write_export(beside / "new.zip", *RECORDS)
    command = [sys.executable, "-c", PROGRAM, str(folder), str(old), str(export)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_it_dies_at_every_step(attempts: list[dict[str, Any]]) -> None:
    """Otherwise what follows would show nothing."""
    *killed, last = attempts
    assert (last["code"], last["records"], last["step"]) == (0, NEW, "")
    assert [each["code"] for each in killed] == [-25, *[-9] * (len(killed) - 1)]
    assert {each["step"] for each in killed} >= {"write", "open", "os.rename", "fcntl.flock"}
    assert {each["records"] for each in killed} == {OLD, NEW}


def test_the_old_index_or_the_new_one_is_whole(attempts: list[dict[str, Any]]) -> None:
    """Each was opened, which compares its digest; the new one is there only from the step after its renaming."""
    steps = [each["step"] for each in attempts[1:]]
    renamed = 1 + steps.index("os.rename")
    assert [each["records"] for each in attempts] == [OLD] * (renamed + 1) + [NEW] * (len(attempts) - renamed - 1)


def test_some_left_a_part_and_the_next_run_removes_it(attempts: list[dict[str, Any]]) -> None:
    sizes = [size for each in attempts for _, size in each["left"]]
    assert {0, 4096} < set(sizes)  # nothing of it, a part of it, and all of it
    for each in attempts:
        assert (each["again"], each["records again"], each["left again"]) == (0, NEW, []), each
        assert each["names"] == ["index.sqlite", "index.sqlite.lock"]

"""A child process is bounded in time, output and file size, and gets nothing that it was not given."""

import subprocess
import sys
import time
from pathlib import Path

from sealwright.files.process import run_bounded


def python(folder: Path, code: str, seconds: float = 60, **more: int) -> tuple[int | None, str]:
    return run_bounded([sys.executable, "-c", code], folder, {"PATH": "/usr/bin:/bin"}, seconds, **more)


def test_status_output_environment_and_standard_input(tmp_path: Path) -> None:
    code = "import os, sys; print(sorted(os.environ), os.getcwd(), sys.stdin.read() == ''); sys.exit(7)"
    status, said = python(tmp_path, code)
    assert status == 7
    assert "PATH" in said
    assert "HOME" not in said
    assert said.endswith(f"{tmp_path} True\n")


def test_only_the_end_is_kept(tmp_path: Path) -> None:
    assert python(tmp_path, "print('x' * 10**7); print('end')", kept=100) == (0, "x" * 95 + "\nend\n")


def test_time(tmp_path: Path) -> None:
    started = time.monotonic()
    assert python(tmp_path, "import time; print('began', flush=True); time.sleep(600)", 5) == (None, "began\n")
    assert time.monotonic() - started < 60


def test_children_are_ended_with_it(tmp_path: Path) -> None:
    """Its child would sleep for ten minutes; it is gone at once, or soon (a zombie is: somebody has yet to ask for it)."""
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid)"
    status, said = python(tmp_path, code)
    assert status == 0
    until = time.monotonic() + 60
    while is_running(int(said)):
        assert time.monotonic() < until, "the child was left running"
        time.sleep(0.01)


def is_running(process: int) -> bool:
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return bool(listed.stdout.strip()) and not listed.stdout.startswith("Z")


def test_no_file_grows_without_end(tmp_path: Path) -> None:
    status, said = python(tmp_path, "f = open('f', 'wb'); f.truncate(5 * 1024**3)")
    assert status != 0
    assert "File too large" in said


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    assert run_bounded(["no-such-program"], tmp_path, {"PATH": "/nowhere"}, 20).status == 1

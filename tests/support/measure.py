"""What a command costs: seconds of work, and memory at its peak."""

import subprocess
import sys
from pathlib import Path

# A second of work, gpg's included, and two by the clock, without the time for which the machine was busy with others.
SECONDS, KILOBYTES = 1.0, 200_000

# A small process in between: the kernel counts the memory of whoever forked into a child's peak.
_MEASURE = """
import os, resource, subprocess, sys, time
start = time.monotonic()
asked = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
sys.stdout.buffer.write(asked.stdout.read())
os.waitid(os.P_PID, asked.pid, os.WEXITED | os.WNOWAIT)  # what the kernel knows of it is still there
waited = time.monotonic() - start
if os.path.exists(f"/proc/{asked.pid}/schedstat"):  # nanoseconds with a processor, and ready for one that was busy
    with open(f"/proc/{asked.pid}/schedstat") as known:
        waited -= int(known.read().split()[1]) / 1e9
asked.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(max(used.ru_utime + used.ru_stime, waited / 2), used.ru_maxrss, file=sys.stderr)
sys.exit(asked.returncode)
"""


def measure(module: list[str], cwd: Path) -> tuple[int, str, float, int]:
    """Run a module with its arguments and return its exit code, all it printed, its seconds and its peak memory in kB.

    The seconds are those of work, or half of those by the clock where that is more: waiting counts, too, but for its
    turn on a busy machine.
    """
    command = [sys.executable, "-I", "-S", "-c", _MEASURE, sys.executable, "-m", *module]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    seconds, memory = done.stderr.split()
    return done.returncode, done.stdout, float(seconds), int(memory)

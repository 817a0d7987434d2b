"""What a command costs: seconds of work, and memory at its peak."""

import subprocess
import sys
from pathlib import Path

# A second of work, gpg's included, and two by the clock, because the machine may be busy with other tests.
SECONDS, KILOBYTES = 1.0, 200_000

# A small process in between: the kernel counts the memory of whoever forked into a child's peak.
_MEASURE = """
import resource, subprocess, sys, time
start = time.monotonic()
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
sys.stdout.buffer.write(done.stdout)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
waited = (time.monotonic() - start) / 2
print(max(used.ru_utime + used.ru_stime, waited), used.ru_maxrss, file=sys.stderr)
sys.exit(done.returncode)
"""


def measure(module: list[str], cwd: Path) -> tuple[int, str, float, int]:
    """Run a module with its arguments and return its exit code, all it printed, its seconds and its peak memory in kB.

    The seconds are those of work, or half of those by the clock where that is more: waiting counts, too.
    """
    command = [sys.executable, "-I", "-S", "-c", _MEASURE, sys.executable, "-m", *module]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=10, check=False)
    seconds, memory = done.stderr.split()
    return done.returncode, done.stdout, float(seconds), int(memory)

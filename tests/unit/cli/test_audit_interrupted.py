"""An audit by a service that answers byte by byte can be interrupted at any time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.advisories import affected, record
from support.osv_server import running_osv


@pytest.mark.parametrize("fault", ["drip", "hang"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_at_once(tmp_path: Path, fault: str, number: signal.Signals) -> None:
    (tmp_path / "r.txt").write_text("".join(f"bad{each}==1.0\n" for each in range(20)))
    command = [sys.executable, "-m", "sealwright.cli.main", "audit", "r.txt", "--service", "osv", "--osv-url"]
    with running_osv((record(1, affected("bad", versions=["1.0"])),)) as service:
        service.faults |= {f"bad{each}": fault for each in range(20)}
        with subprocess.Popen(
            [*command, service.url], cwd=tmp_path, env=os.environ | {"HOME": str(tmp_path)}, stdout=-1, stderr=-1,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a test runner may ignore it
        ) as process:  # fmt: skip
            while len(service.queries) < 9 and process.poll() is None:  # the probe, and as many as are asked at once
                time.sleep(0.01)
            start = time.monotonic()
            process.send_signal(number)
            _, said = process.communicate(timeout=300)
            assert time.monotonic() - start < 12, "fifteen seconds without a byte"
    assert (process.returncode, said.strip()) == (130, b"sealwright: error: interrupted")

"""The same findings as pip-audit, over 500 real requirements and the shared advisories."""

import json
import os
import subprocess
import sys
from pathlib import Path

from support.advisories import NOW, REQUIREMENTS, import_shared, shared, shared_records
from support.osv_server import running_osv

from sealwright.collect.targets.pinned_requirements import collect_requirements
from sealwright.jobs.audit.audit import Rules, audit
from sealwright.model.audit import Coverage
from sealwright.store.advisory_index import open_index

# (package, version, advisory) of which the peer is wrong, and why. None so far.
PEER_IS_WRONG: dict[tuple[str, str, str], str] = {}


def test_the_same_findings(tmp_path: Path) -> None:
    requirements = shared(REQUIREMENTS)
    index, _ = import_shared(tmp_path)
    result = audit(collect_requirements(requirements), open_index(index), Rules(), now=NOW)
    assert not result.of(Coverage.NOT_AUDITED)
    ours = {
        (entry.dependency.name, entry.dependency.version, name)
        for entry in result.audited
        for finding in entry.findings
        for name in finding.ids
        if name.startswith("PYSEC-")
    }
    with running_osv(shared_records()) as service:
        command = [
            sys.executable, "-m", "pip_audit", "-r", str(requirements), "--no-deps", "--disable-pip", "-f", "json",
            "-s", "osv", "--osv-url", service.url, "--progress-spinner", "off", "--cache-dir", str(tmp_path / "cache"),
        ]  # fmt: skip
        done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    entries = json.loads(done.stdout)["dependencies"]
    assert len(entries) == len(result.audited) == 500
    theirs = {(entry["name"], entry["version"], found["id"]) for entry in entries for found in entry["vulns"]}
    assert ours ^ theirs == set(PEER_IS_WRONG)
    assert len(ours) > 60

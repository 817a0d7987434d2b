"""Well-known projects, fetched by name from the package index that this machine's pip is configured with."""

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.forge import Forge

from sealwright.files.web import Web
from sealwright.files.web_address import check_address
from sealwright.files.web_answer import Patience
from sealwright.files.web_route import WebSettings
from sealwright.sandbox.keys import write_trust_folder
from sealwright.store.places.credentials import OriginCredentials
from sealwright.store.places.pip_settings import read_pip_settings
from sealwright.store.places.simple_page import ACCEPT, MAX_PAGE_BYTES, Link, read_simple_page

PROJECTS = [("sampleproject", "4.0.0"), ("packaging", "24.2"), ("certifi", "2024.7.4"), ("six", "1.16.0")]


def links_of(project: str) -> tuple[Link, ...]:
    """The project's page, or a skip with the reason why there is no index to ask."""
    pip = read_pip_settings(os.environ)
    try:
        parts = check_address(pip.index_url)
        socket.create_connection((parts.hostname or "", parts.port or 443), 20).close()
    except (ValueError, OSError) as error:
        pytest.skip(f"no package index can be reached: {error}")
    said = OriginCredentials(keyring=pip.keyring)
    url = said.add_address(pip.index_url, os.environ)
    with Web(WebSettings(certificates=pip.certificates), said, Patience(stall=60, connect=60)) as web:
        return read_simple_page(web.read(f"{url.rstrip('/')}/{project}/", MAX_PAGE_BYTES, accept=ACCEPT))


@pytest.mark.network
@pytest.mark.parametrize(("project", "version"), PROJECTS)
def test_a_real_project(keys: Forge, tmp_path: Path, project: str, version: str) -> None:
    """It is fetched as its page says, and what it lacks to be verified by a policy of ours is named."""
    links = links_of(project)
    expires = datetime.now(UTC) + timedelta(days=3)
    write_trust_folder(
        tmp_path / "keys", project, {"alice": keys.alice}, {keys.alice: keys.public(keys.alice)}, expires
    )
    done = subprocess.run(
        [
            sys.executable, "-m", "sealwright.cli.verify_release", f"{project}=={version}", "--all", "--json",
            "--policy", str(tmp_path / "keys" / "policy.toml"), "--from", "index", "--evidence-from", "index",
        ],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 11, done.stderr
    verdict = json.loads(done.stdout)
    there = {link.name: link for link in links if f"-{version}-" in link.name or f"-{version}.tar.gz" in link.name}
    assert {artifact["name"] for artifact in verdict["artifacts"]} == set(there)
    assert len(there) == 2
    for artifact in verdict["artifacts"]:
        assert artifact["sha256"] == there[artifact["name"]].sha256
        assert there[artifact["name"]].size in (None, artifact["size"])
    failed = {check["id"] for check in verdict["checks"] if check["outcome"] == "fail"}
    assert not failed & {"places.agree", "places.metadata", "release.yanked", "release.entry"}
    assert {"evidence.present", "signers.threshold"} <= failed


@pytest.mark.network
def test_a_release_that_the_real_index_has_not(keys: Forge, tmp_path: Path) -> None:
    links_of("sampleproject")
    expires = datetime.now(UTC) + timedelta(days=3)
    write_trust_folder(
        tmp_path / "keys", "sampleproject", {"a": keys.alice}, {keys.alice: keys.public(keys.alice)}, expires
    )
    done = subprocess.run(
        [
            sys.executable, "-m", "sealwright.cli.verify_release", "sampleproject==99.0", "--from", "index",
            "--policy", str(tmp_path / "keys" / "policy.toml"),
        ],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (12, "")
    assert "4.0.0" in done.stderr


@pytest.mark.network
@pytest.mark.parametrize(("project", "version"), [*PROJECTS, ("pypi-attestations", "0.0.28")])
def test_a_real_project_on_first_use(tmp_path: Path, project: str, version: str) -> None:
    """As far as this index offers evidence: with PEP 740 the publisher is shown, and nobody accepts them; without, 12."""
    there = [link for link in links_of(project) if f"-{version}-" in link.name or f"-{version}.tar.gz" in link.name]
    done = subprocess.run(
        [sys.executable, "-m", "sealwright.cli.verify_release", f"{project}=={version}", "--first-use", "--all"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.stdout == ""
    if any(link.provenance for link in there):
        assert done.returncode == 2, done.stderr
        assert "repository        https://" in done.stderr
        assert "nobody is here to accept this publisher, so nothing was pinned" in done.stderr
    else:
        assert done.returncode == 12, done.stderr
        assert f"{project} {version} has no attestation (PEP 740) there: nothing says who published it" in done.stderr


@pytest.mark.network
def test_a_real_publisher_is_accepted_and_kept(evidence: Path, tmp_path: Path) -> None:
    """A real sdist with its real attestation of the public Sigstore; judged with the production root."""
    name = "pypi_attestations-0.0.19.tar.gz"
    (tmp_path / "got").mkdir()
    for each in (name, f"{name}.publish.attestation"):
        (tmp_path / "got" / each).write_bytes((evidence / each).read_bytes())

    def verify(*more: str) -> "subprocess.CompletedProcess[str]":
        asked = ["pypi-attestations==0.0.19", "--from", "got", *more]
        command = [sys.executable, "-m", "sealwright.cli.verify_release", *asked]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL
        )

    shown = verify("--first-use")
    assert shown.returncode == 2, shown.stderr
    workflow = "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml"
    assert f"  workflow          {workflow}\n  this release      {workflow}@refs/tags/v0.0.19\n" in shown.stderr
    assert "root of Sigstore  production" in shown.stderr
    digits = next(line.split()[1] for line in shown.stderr.splitlines() if line.startswith("  fingerprint "))
    assert verify("--first-use", "--fingerprint", digits).returncode == 0
    again = verify()
    assert again.returncode == 0, again.stdout + again.stderr
    assert "trust on first use, since today" in again.stdout
    assert "sandbox" not in again.stdout

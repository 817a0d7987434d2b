"""Real evidence of the public Sigstore, fetched by the name of the package that ships it."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

FILE = "pypi_attestations-0.0.19.tar.gz"


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the real sdist of pypi-attestations 0.0.19 and a bundle made of its attestation."""
    from pypi_attestations import Attestation

    folder = tmp_path_factory.mktemp("evidence")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-binary",
        "pypi-attestations",
        "-d",
        str(folder),
        "pypi-attestations==0.0.30",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    if done.returncode:
        pytest.skip(f"no package index can be reached: {done.stderr.strip().splitlines()[-1]}")
    assets = folder / "assets"
    assets.mkdir()
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        for member in archive:
            if "/test/assets/" in member.name and member.isreg():
                content = archive.extractfile(member)
                assert content
                (assets / Path(member.name).name).write_bytes(content.read())
    attestation = Attestation.model_validate_json((assets / f"{FILE}.publish.attestation").read_bytes())
    (assets / "bundle.json").write_text(attestation.to_bundle().to_json())
    return assets

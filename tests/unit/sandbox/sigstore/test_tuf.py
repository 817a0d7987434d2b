"""Clients that begin with the sandbox's root.json find the rest over TUF."""

import json
from pathlib import Path

import pytest
import requests
from sigstore.models import ClientTrustConfig
from support.sigstore import Client
from tuf.api.exceptions import RepositoryError
from tuf.ngclient import Updater, UpdaterConfig

from sealwright.sandbox.sigstore import Endpoint, Sigstore, running_sigstore


def update(sigstore: Sigstore, folder: Path, root: bytes) -> Updater:
    for name in ("metadata", "targets"):
        (folder / name).mkdir()
    updater = Updater(
        metadata_dir=str(folder / "metadata"),
        metadata_base_url=sigstore.urls.tuf,
        target_dir=str(folder / "targets"),
        target_base_url=f"{sigstore.urls.tuf}/targets/",
        config=UpdaterConfig(),
        bootstrap=root,
    )
    updater.refresh()
    return updater


@pytest.mark.parametrize("name", ["trusted_root.json", "signing_config.v0.2.json"])
def test_a_tuf_client_gets_the_targets(sigstore: Sigstore, tmp_path: Path, name: str) -> None:
    sigstore.write_tuf_root(tmp_path / "root.json")
    updater = update(sigstore, tmp_path, (tmp_path / "root.json").read_bytes())
    target = updater.get_targetinfo(name)
    assert target
    content = json.loads(Path(updater.download_target(target)).read_text())
    config = sigstore.trust_config(rekor=1, timestamps=True)
    assert content == config["trustedRoot" if name == "trusted_root.json" else "signingConfig"]
    assert sigstore.requests[Endpoint.TUF] >= 4


def test_the_root_of_another_sandbox_trusts_nothing_here(sigstore: Sigstore, tmp_path: Path) -> None:
    with running_sigstore() as other:
        root = other.tuf_root
    with pytest.raises(RepositoryError):
        update(sigstore, tmp_path, root)


def test_sigstore_python_begins_with_tuf(sigstore: Sigstore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    sigstore.write_tuf_root(tmp_path / "root.json")
    config = ClientTrustConfig.from_tuf(sigstore.urls.tuf, bootstrap_root=tmp_path / "root.json")
    signing = Client(sigstore, config)
    signing.verify(signing.sign())


def test_what_is_not_in_the_repository(sigstore: Sigstore) -> None:
    for path in ("2.root.json", "targets/trusted_root.json", "../secret", ""):
        assert requests.get(f"{sigstore.urls.tuf}/{path}", timeout=30).status_code == 404

"""Fixtures: keys and a Sigstore once a session, and a sealed release that each test may spoil a copy of."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.forge import Forge, forge
from support.publishing import Attested, attested_world
from support.world import GPG, World, make_world

from sealwright.sandbox.places import Places, running_places
from sealwright.sandbox.sigstore import Sigstore, running_sigstore

# The tests start hundreds of processes of ours: let them share their bytecode, whatever the caller's settings are.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# A shell has what it starts in the background ignore interrupts, and nohup hang-ups: so would every process of a test.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own: pins and what was seen must not reach from one test into another."""
    folder = tmp_path.with_name(tmp_path.name + "-data")
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    return folder / "sealwright"


@pytest.fixture(scope="session", autouse=True)
def _no_log_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever a test runs, here or in a process, has an audit log and a configuration of the tests' own.

    They lie with all else that pytest makes and removes: of a run that is killed, too, nothing stays for good.
    """
    folder = tmp_path_factory.mktemp("user")
    before = {name: os.environ.get(name) for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    os.environ |= {name: f"{folder}/{name}" for name in before}
    yield
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def keys() -> Iterator[Forge]:
    assert GPG, "the tests need GnuPG: apt install gnupg"
    with forge(GPG) as made:
        yield made


@pytest.fixture(scope="session")
def _sealed(keys: Forge, tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = make_world(tmp_path_factory.mktemp("template"), keys)
    done = world.seal(keys, keys.alice)
    assert done.returncode == 0, done.stdout + done.stderr
    return world.folder


@pytest.fixture
def world(_sealed: Path, tmp_path: Path) -> World:
    """A release of tiny-project 1.2.3 that Alice has sealed; the policy lists Alice and Bob and asks for one."""
    shutil.copytree(_sealed, tmp_path / "world")
    return World(tmp_path / "world")


@pytest.fixture
def unsealed(keys: Forge, tmp_path: Path) -> World:
    """The same project before it was sealed."""
    return make_world(tmp_path / "world", keys)


@pytest.fixture(scope="session")
def running_all_along() -> Iterator[Sigstore]:
    with running_sigstore() as started:
        yield started


@pytest.fixture
def sigstore(running_all_along: Sigstore) -> Sigstore:
    """The sandbox's Sigstore, in order and with its requests counted from zero."""
    running_all_along.faults.clear()
    return running_all_along


@pytest.fixture(scope="session")
def _places_all_along() -> Iterator[Places]:
    with running_places() as started:
        yield started


@pytest.fixture
def places(_places_all_along: Places) -> Places:
    """The sandbox's index, release pages and web folder, empty and in order."""
    _places_all_along.clear()
    return _places_all_along


@pytest.fixture(scope="session")
def attested(running_all_along: Sigstore, tmp_path_factory: pytest.TempPathFactory) -> Attested:
    """tiny-project 1.2.3, sealed by a workflow, with PEP 740 attestations. Shared: change a copy (`attested.copy`)."""
    running_all_along.faults.clear()
    return attested_world(tmp_path_factory.mktemp("attested") / "world", running_all_along)

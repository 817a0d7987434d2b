"""A canary passphrase and a canary secret key: in no output, log, exception, argv, environment, or file left behind."""

import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.forge import Forge
from support.watch import Watch
from support.world import World

CANARY = "canary-7f3a91c4-passphrase"


@pytest.fixture(scope="module")
def secret(keys: Forge) -> tuple[str, bytes]:
    from sealwright.sandbox.keys import export_secret, make_key

    fingerprint = make_key(keys.home, "Canary", passphrase=CANARY)
    return fingerprint, export_secret(keys.home, fingerprint, CANARY)


def list_canary(world: World, keys: Forge, fingerprint: str) -> None:
    (world.policy.parent / f"{fingerprint}.asc").write_bytes(keys.public(fingerprint))
    entry = f'\n[[signer]]\nname = "canary"\n[[signer.openpgp]]\nfingerprint = "{fingerprint}"\n'
    world.policy.write_text(world.policy.read_text() + entry)


def seal_watched(world: World, armored: bytes, passphrase: str, needles: list[bytes]) -> tuple[int, bytes, Watch]:
    read, write = os.pipe()
    os.write(write, passphrase.encode() + b"\n")
    os.close(write)
    command = [
        sys.executable,
        "-m",
        "sealwright.cli.main",
        "seal",
        "dist",
        "--openpgp-key-file",
        "-",
        "--passphrase-fd",
        str(read),
    ]
    watch = Watch(needles)
    watch.start()
    try:
        done = subprocess.run(
            command, cwd=world.folder, input=armored, stdout=-1, stderr=-2, pass_fds=[read], timeout=300, check=False,
            env=os.environ | {"TMPDIR": str(world.folder / "tmp"), "PYTHONDEVMODE": "1", "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
    finally:
        watch.stop.set()
        watch.join()
        os.close(read)
    return done.returncode, done.stdout, watch


def needles_of(armored: bytes) -> list[bytes]:
    """The passphrase, and lines from the middle of the key."""
    lines = [line for line in armored.split(b"\n") if re.fullmatch(rb"[A-Za-z0-9+/]{60,}", line)]
    assert lines
    return [CANARY.encode(), *lines]


@pytest.mark.parametrize("right", [True, False])
def test_the_canary_is_nowhere(unsealed: World, keys: Forge, secret: tuple[str, bytes], right: bool) -> None:
    fingerprint, armored = secret
    list_canary(unsealed, keys, fingerprint)
    (unsealed.folder / "tmp").mkdir()
    homes = set(Path("/dev/shm").glob("sealwright-*"))
    needles = needles_of(armored)
    passphrase = CANARY if right else CANARY + "-wrong"
    code, printed, watch = seal_watched(unsealed, armored, passphrase, needles)
    assert code == (0 if right else 2), printed.decode()
    assert len(watch.seen) > 0, "the watch saw gpg run"
    assert watch.found == set()
    assert not any(needle in printed for needle in needles)
    for path in unsealed.folder.rglob("*"):
        if path.is_file():
            assert not any(needle in path.read_bytes() for needle in needles), path
    assert not list((unsealed.folder / "tmp").rglob("*")), "nothing is left behind"
    mine = {
        home for home in set(Path("/dev/shm").glob("sealwright-*")) - homes if (home / f"{fingerprint}.asc").exists()
    }
    assert mine == set()


def test_the_log_of_the_library_stays_silent(
    keys: Forge, secret: tuple[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    """python-gnupg logs the keys it imports at DEBUG."""
    from sealwright.sign.openpgp import signer_from_file

    with caplog.at_level(logging.DEBUG), signer_from_file("gpg", secret[1], lambda _: CANARY) as signer:
        assert signer.fingerprint == secret[0]
        assert CANARY not in repr(signer)
    assert not any(needle.decode() in caplog.text for needle in needles_of(secret[1]))
    assert not any(record.name == "gnupg" for record in caplog.records)


def test_an_agent_is_ended_and_its_home_wiped(keys: Forge, secret: tuple[str, bytes]) -> None:
    from sealwright.sign.openpgp import signer_from_file

    with signer_from_file("gpg", secret[1], lambda _: CANARY) as signer:
        home = Path(str(signer._gpg.gnupghome))
        assert (home / "S.gpg-agent").exists()
        assert len(os.fsencode(home)) < 70
    assert not home.exists()
    until = time.monotonic() + 60  # it was told to end, has said so, and is gone a moment later
    while (running := subprocess.run(["pgrep", "-f", str(home)], capture_output=True, check=False)).returncode == 0:
        assert time.monotonic() < until, running.stdout
        time.sleep(0.02)
    assert running.returncode == 1

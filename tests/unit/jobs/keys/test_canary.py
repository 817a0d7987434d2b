"""A canary passphrase and its secret key, through every command of `sealwright keys` that meets them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from support.forge import Forge, be_quick
from support.watch import Watch
from support.world import World

from sealwright.gnupg.home import private_home
from sealwright.gnupg.keyring import Keyring

CANARY = "canary-4b1d77e0-passphrase"


def test_the_canary_is_nowhere(unsealed: World, keys: Forge, tmp_path: Path) -> None:
    """In no output, no log, no argv, no environment, and in no file but the backup and the keyring; nothing is left."""
    place, backup = unsealed.folder, tmp_path / "backup"
    (tmp_path / "tmp").mkdir()
    before = set(Path("/dev/shm").glob("sealwright-*"))
    with private_home("gpg") as home:
        be_quick(home.folder)
        environment = os.environ | {
            "GNUPGHOME": str(home.folder), "HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "state"),
            "TMPDIR": str(tmp_path / "tmp"), "PYTHONDEVMODE": "1", "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        watch = Watch([CANARY.encode()])
        watch.start()
        printed = b""

        def run(*arguments: str, passphrase: str = CANARY, code: int = 0) -> bytes:
            nonlocal printed
            reading, writing = os.pipe()
            os.write(writing, passphrase.encode() + b"\n")
            os.close(writing)
            command = [sys.executable, "-m", "sealwright.cli.main", "keys", *arguments, "--passphrase-fd", str(reading)]
            done = subprocess.run(
                command, cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=-1, stderr=-2,
                pass_fds=[reading], timeout=200, check=False,
            )  # fmt: skip
            os.close(reading)
            assert done.returncode == code, done.stdout.decode()
            printed += done.stdout
            return done.stdout

        try:
            key = (
                run("new", "--signer", "canary", "--user-id", "Canary <c@x.invalid>", "--backup", str(backup))
                .split()[1]
                .decode()
            )
            armored = (backup / f"{key}.secret.asc").read_bytes()
            watch.needles += needles_of(armored)
            run("extend", key, "--expires", "2y", passphrase=CANARY + "-wrong", code=2)
            shutil.copy(backup / f"{key}.secret.asc", tmp_path / "key.asc")
            run("rotate", key, "--expires", "2y", "--key-file", str(tmp_path / "key.asc"))
            run("export", key, "--secret-subkey", str(tmp_path / "ci.asc"))
            subkey = ["--subkey", Keyring("gpg", home.folder).public_keys(key)[1].fingerprint, "--yes"]
            run("revoke", key, "--reason", "retired", "--until-version", "1.0", *subkey)
            run("revoke", key, "--reason", "compromised", *subkey)
            run("revoke", key, "--reason", "compromised", "--yes")
        finally:
            watch.stop.set()
            watch.join()
        mine = set(Path("/dev/shm").glob("sealwright-*")) - before - {home.folder}
    assert len(watch.seen) > 0, "the watch saw gpg run"
    assert watch.found == set()
    assert not any(needle in printed for needle in watch.needles)
    meant = {backup / f"{key}.secret.asc", tmp_path / "key.asc", tmp_path / "ci.asc"}
    for path in tmp_path.rglob("*"):
        if path.is_file() and path not in meant:
            assert not any(needle in path.read_bytes() for needle in watch.needles), path
    assert not any(CANARY.encode() in path.read_bytes() for path in meant)
    assert all(path.stat().st_mode & 0o077 == 0 for path in meant)
    assert not list((tmp_path / "tmp").rglob("*")), "nothing is left behind"
    names = [name for folder in mine for _, _, files in os.walk(folder) for name in files]  # other tests remove theirs
    assert not [name for name in names if name.startswith(f"{key}.")]


def needles_of(armored: bytes) -> list[bytes]:
    """The second line of the armor: the end of the primary key's public part, and the beginning of its secret one."""
    return [armored.split(b"\n\n")[1].split(b"\n")[1]]

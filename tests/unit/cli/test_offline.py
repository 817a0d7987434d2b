"""verify-release opens no socket: proved in an empty network namespace, or with every socket refused."""

import shutil
import subprocess
import sys
from pathlib import Path

from support.keyless import Run, keyless_world
from support.world import PROJECT, VERSION, World

from sealwright.sandbox.sigstore import Sigstore

_NAMESPACE = ["unshare", "-rn"]
# Where no namespace can be made: any socket ends the process, but a local one, and the one that urllib3 binds to ::1 and
# closes when it is imported, to see whether there is IPv6.
_NO_SOCKETS = """
import runpy, sys
def refuse(event, arguments):
    made = event == "socket.__new__" and arguments[1] in (1, 10)
    looked = event == "socket.bind" and arguments[1] == ("::1", 0)
    if event.startswith("socket.") and not made and not looked:
        raise SystemExit(f"a socket was used: {event} {arguments[1:]}")
sys.addaudithook(refuse)
sys.argv[0] = "verify-release"
runpy.run_module("sealwright.cli.verify_release", run_name="__main__")
"""


def test_offline_uses_no_network_for_openpgp(world: World) -> None:
    no_network(world)


def test_offline_uses_no_network_for_sigstore(tmp_path: Path, sigstore: Sigstore) -> None:
    keyless = keyless_world(tmp_path / "world", sigstore)
    Run(keyless, sigstore).seal()
    no_network(keyless)


def no_network(world: World) -> None:
    arguments = [f"{PROJECT}=={VERSION}", "--from", "release", "--policy", "keys/policy.toml", "--offline"]
    possible = (
        shutil.which("unshare")
        and subprocess.run([*_NAMESPACE, "true"], check=False, capture_output=True).returncode == 0
    )
    prefix = _NAMESPACE if possible else []
    if possible:
        ping = "import socket; socket.create_connection(('192.0.2.1', 9), 1)"
        assert (
            b"unreachable"
            in subprocess.run([*prefix, sys.executable, "-c", ping], check=False, capture_output=True).stderr
        )
    for program in (["-m", "sealwright.cli.verify_release"], ["-c", _NO_SOCKETS]):
        done = subprocess.run(
            [*prefix, sys.executable, *program, *arguments],
            cwd=world.folder,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.startswith("VERIFIED")


def test_openpgp_verification_imports_no_heavy_library(world: World) -> None:
    code = (
        "import sys; from sealwright.cli.verify_release import command\n"
        f"command(['{PROJECT}=={VERSION}', '--from', 'release', '--policy', 'keys/policy.toml'], standalone_mode=False)\n"
        "heavy = {'sigstore', 'cryptography', 'cyclonedx', 'requests', 'pip_audit', 'in_toto', 'tuf', 'gnupg', 'keyring'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=world.folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

"""verify-release opens no socket: proved in an empty network namespace, or with every socket refused."""

import shutil
import subprocess
import sys

from support.world import PROJECT, VERSION, World

_NAMESPACE = ["unshare", "-rn"]
# Where no namespace can be made: any socket() but a local one ends the process.
_NO_SOCKETS = """
import runpy, sys
def refuse(event, arguments):
    if event.startswith("socket.") and event != "socket.__new__" or event == "socket.__new__" and arguments[1] != 1:
        raise SystemExit(f"a socket was used: {event}")
sys.addaudithook(refuse)
sys.argv[0] = "verify-release"
runpy.run_module("sealwright.cli.verify_release", run_name="__main__")
"""


def test_offline_uses_no_network(world: World) -> None:
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

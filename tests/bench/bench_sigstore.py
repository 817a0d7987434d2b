"""How long Sigstore takes, against sigstore-python's own command: `python tests/bench/bench.py --only sigstore-verify`.

Both sides sign with, and trust, the sandbox's Sigstore on loopback, in one run. What is compared is said in
docs/benchmarks.md, which `bench.py --write` writes.
"""

import shutil
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness import BIN, Row, World, same

from sealwright.errors import ExitCode
from sealwright.gnupg.home import private_home
from sealwright.sandbox.keys import export_public, export_secret, make_key, write_trust_folder
from sealwright.sandbox.project import build_wheel
from sealwright.sandbox.sigstore import Delay, Endpoint, GitHubClaims, Sigstore, running_sigstore

PROJECT, VERSION, LATENCY = "bench", "1.0", 0.1
WORKFLOW = GitHubClaims(repository="o/r", ref=f"refs/tags/v{VERSION}")
CONFIG = "sigstore.json"
REQUESTS = (Endpoint.CERTIFICATE, Endpoint.TIMESTAMP, Endpoint.ENTRY_V1)


def build_project(folder: Path, count: int, sigstore: Sigstore, *, openpgp: bool) -> None:
    """Build `count` wheels, and a policy that asks for the workflow's Sigstore signature, and the maintainer's if `openpgp`."""
    (folder / "dist").mkdir()
    for number in range(count):
        build_wheel(folder / "dist", PROJECT, VERSION, number=str(number) if number else "")
    signers, keys = {}, {}
    if openpgp:
        with private_home(shutil.which("gpg")) as home:
            fingerprint = make_key(home, "Maintainer")
            signers, keys = {"maintainer": fingerprint}, {fingerprint: export_public(home, fingerprint)}
            (folder / "secret").write_bytes(export_secret(home, fingerprint))
    listed = {
        "identity": WORKFLOW.identity,
        "oidc-issuer": WORKFLOW.issuer,
        "source-repository": "https://github.com/o/r",
    }
    write_trust_folder(
        folder / "keys", PROJECT, signers, keys, datetime.now(UTC) + timedelta(days=1), threshold=len(signers),
        identities={"workflow": listed}, root=sigstore.trusted_root_json(),
    )  # fmt: skip
    sigstore.write_trust_config(folder / CONFIG)


def seal_command(folder: Path, sigstore: Sigstore, program: str, *more: str) -> list[str]:
    (folder / "token").write_text(sigstore.github_token(WORKFLOW))
    where = [
        "--out",
        f"{folder}/release",
        "--policy",
        f"{folder}/keys/policy.toml",
        "--trust-config",
        f"{folder}/{CONFIG}",
    ]
    return [program, "seal", f"{folder}/dist", *where, "--identity-token", f"{folder}/token", "--yes", *more]


def bench_verify(world: World) -> list[Row]:
    count, folder = 3 if world.quick else 20, world.folder
    with running_sigstore() as sigstore:
        build_project(folder, count, sigstore, openpgp=True)
        seal = seal_command(folder, sigstore, f"{BIN}/sealwright", "--openpgp-key-file", f"{folder}/secret")
        same(world.run(*seal).returncode, 0, "the exit code of sealwright seal")
    shutil.copytree(folder / "release", folder / "flipped")
    wheel = next((folder / "flipped").glob("*.whl"))
    wheel.write_bytes(wheel.read_bytes()[:-1] + bytes([wheel.read_bytes()[-1] ^ 1]))

    def ours(name: str) -> list[str]:
        return [
            f"{BIN}/verify-release",
            VERSION,
            "--from",
            f"{folder}/{name}",
            "--policy",
            f"{folder}/keys/policy.toml",
        ]

    def theirs(name: str) -> list[str]:
        who = f"--cert-identity {WORKFLOW.identity} --cert-oidc-issuer {WORKFLOW.issuer}"
        one = f'{BIN}/sigstore --trust-config {folder}/{CONFIG} verify identity --bundle "$f.sigstore.json" {who} "$f"'
        return ["bash", "-c", f"for f in {folder}/{name}/*.whl; do {one} || exit 1; done"]

    for name, code in (("release", ExitCode.DONE), ("flipped", ExitCode.TAMPERED)):
        same(world.run(*ours(name)).returncode, int(code), f"verify-release's answer to {name}")
        same(world.run(*theirs(name)).returncode == 0, code is ExitCode.DONE, f"whether sigstore accepts {name}")
    importing = [sys.executable, "-c", "import sigstore.verify"]
    (mine, _), (loop, _) = world.interleave(3, ours("release"), theirs("release"))
    (again, _), (peer, _) = world.interleave(15, ours("release"), importing)
    what = f"release of {count} artifacts, OpenPGP and Sigstore: `verify-release`"
    return [
        Row(f"{what} / {count} runs of `sigstore verify identity` (Sigstore only)", mine, loop, 20.0, at_least=True),
        Row(f"{what} / `python -c 'import sigstore.verify'`", again, peer, 1.4),
    ]


def bench_seal(world: World) -> list[Row]:
    count, folder = 3 if world.quick else 20, world.folder
    with running_sigstore() as sigstore:
        build_project(folder, count, sigstore, openpgp=False)
        for endpoint in REQUESTS:
            sigstore.faults.add(endpoint, Delay(LATENCY))
        signed = folder / "signed"
        one = f'{BIN}/sigstore --trust-config {folder}/{CONFIG} sign --identity-token "$(cat {folder}/token)"'
        loop = f'for f in {folder}/dist/*.whl; do {one} --overwrite --output-directory {signed} "$f" || exit 1; done'
        signed.mkdir()
        ours, theirs = [], []
        for number in range(2 if world.quick else 4):
            shutil.rmtree(folder / "release", ignore_errors=True)
            before = sigstore.requests[Endpoint.CERTIFICATE]
            mine = timed(world, seal_command(folder, sigstore, f"{BIN}/sealwright"))
            same(sigstore.requests[Endpoint.CERTIFICATE] - before, 1, "the number of certificates")
            peer = timed(world, ["bash", "-c", loop])
            if number:  # the first round does not count
                ours.append(mine)
                theirs.append(peer)
        made = [len(list(place.glob("*.sigstore.json"))) for place in (folder / "release", signed)]
        same(made, [count, count], "the number of bundles")
    middle = len(ours) // 2
    what = f"sealing {count} artifacts at {LATENCY * 1000:.0f} ms a request: `sealwright seal` / {count} runs of `sigstore sign`"
    return [Row(what, sorted(ours)[middle], sorted(theirs)[middle], 10.0, at_least=True)]


def timed(world: World, command: list[str]) -> float:
    """Run a command that must succeed, and return its wall time in ms."""
    start = time.perf_counter()
    done = world.run(*command)
    same(done.returncode, 0, f"the exit code of {Path(command[0]).name} ({done.stderr.strip()[-300:]})")
    return 1000 * (time.perf_counter() - start)


BENCHMARKS = {"sigstore-verify": bench_verify, "sigstore-seal": bench_seal}

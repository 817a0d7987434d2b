"""The benchmarks of docs/benchmarks.md: each a ratio to a peer in the same run.

Enters: the sealwright beside this interpreter, and gpg, openssl, sha256sum, bash on the PATH; random files and a
throw-away key made here. Leaves: a Markdown table on standard output (and docs/benchmarks.md with --write), exit
code 1 if sealwright and a peer disagree. Never fails for a time: it measures, it does not test.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sealwright.errors import ExitCode
from sealwright.gnupg.home import private_home
from sealwright.sandbox.keys import export_public, export_secret, make_key, run_gpg, write_trust_folder
from sealwright.sandbox.project import build_wheel

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
MIB = 1024 * 1024
PROJECT, VERSION = "bench", "1.0"

# Both hash as sealwright does; standard output is: nanoseconds inside, peak memory in KiB, digests.
HASH = """
import os, resource, sys, time
from sealwright.files.digest import digest_descriptor, each_in_parallel
def digest(path):
    source = os.open(path, os.O_RDONLY)
    try:
        return digest_descriptor(source, 1 << 40).sha256
    finally:
        os.close(source)
how, *paths = sys.argv[1:]
start = time.perf_counter_ns()
found = each_in_parallel(digest, paths) if how == "parallel" else [digest(path) for path in paths]
took = time.perf_counter_ns() - start
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, *found)
"""

# The same questions that sealwright asks of each signature, one gpg process a file. bash reads the status lines
# itself; gpg gets the options that spare it time (no agent, no trust database, no locks), as in sealwright.
STRICT = """
set -euo pipefail
release=$1 key=$2 fingerprint=$3
home=$(mktemp -d -p "$4" bench-XXXXXXXX)
trap 'rm -rf "$home"' EXIT
gpg=(gpg --homedir "$home" --no-options --batch --no-tty --no-autostart --lock-never --no-random-seed-file
     --no-permission-warning --trust-model always --no-auto-check-trustdb --no-auto-key-locate
     --no-auto-key-retrieve --disable-dirmngr --weak-digest SHA1 --weak-digest RIPEMD160)
judge() {
    local mark word f1 f2 f3 f4 f5 f6 f7 f8 class primary rest good=0 valid=0
    while read -r mark word f1 f2 f3 f4 f5 f6 f7 f8 class primary rest; do
        [[ $mark == '[GNUPG:]' ]] || continue
        case $word in
        GOODSIG) good=$((good + 1)) ;;
        VALIDSIG)
            valid=$((valid + 1))
            [[ $class == 00 && $primary == "$fingerprint" && $f8 =~ ^(8|9|10|12|14)$ ]] || return 1 ;;
        EXPSIG | EXPKEYSIG | REVKEYSIG | BADSIG | ERRSIG) return 1 ;;
        esac
    done < <("${gpg[@]}" --status-fd 1 --verify "$1.asc" "$1" 2>&3)
    [[ $good == 1 && $valid == 1 ]]
}
exec 3>/dev/null
"${gpg[@]}" --quiet --import "$key" 2>&3
cd "$release"
sha256sum --check --strict --quiet SHA256SUMS >&3 2>&3
for file in SHA256SUMS *.whl; do
    judge "$file"
done
"""

# Weaker: gpg exits 0 for expired and revoked keys, for any key of the keyring, and for weak digests.
PLAIN = """
set -euo pipefail
home=$(mktemp -d -p "$4" bench-XXXXXXXX)
trap 'rm -rf "$home"' EXIT
gpg --homedir "$home" --no-options --batch --no-autostart --quiet --import "$2" 2>/dev/null
cd "$1"
sha256sum --check --strict --quiet SHA256SUMS >/dev/null 2>&1
for file in SHA256SUMS *.whl; do
    gpg --homedir "$home" --no-options --batch --no-autostart --verify "$file.asc" "$file" 2>/dev/null
done
"""


class DifferenceError(Exception):
    """Sealwright and a peer did not come to the same answer: no time of this run counts."""


@dataclass(frozen=True)
class Row:
    """One line of the table; `bound` is what the ratio must not exceed, or must reach if `at_least`."""

    name: str
    ours: float
    peer: float
    bound: float | None = None
    at_least: bool = False
    unit: str = "ms"

    def cells(self) -> list[str]:
        """Return the cells of the row; a ratio that must be large is peer/ours, every other is ours/peer."""
        ratio = self.peer / self.ours if self.at_least else self.ours / self.peer
        if self.bound is None:
            bound, holds = "none", "-"
        else:
            bound = f"{'≥' if self.at_least else '≤'} {self.bound:g} ×"
            holds = "yes" if (ratio >= self.bound if self.at_least else ratio <= self.bound) else "no"
        return [
            self.name,
            f"{self.ours:.0f} {self.unit}",
            f"{self.peer:.0f} {self.unit}",
            f"{ratio:.2f} ×",
            bound,
            holds,
        ]


@dataclass(frozen=True)
class World:
    """Where this run works, how large, and the environment of every measured process."""

    folder: Path
    quick: bool
    environment: dict[str, str]

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, whatever its exit code."""
        return subprocess.run(
            command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )


@dataclass
class Series:
    """The runs of one side: whole-process seconds and what was printed."""

    command: list[str]
    seconds: list[float] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)

    @property
    def ms(self) -> float:
        """The median in milliseconds."""
        return 1000 * statistics.median(self.seconds)


def interleave(world: World, rounds: int, *commands: list[str]) -> list[Series]:
    """Run A B A B ..., after one round that counts for nothing; every run must exit 0."""
    found = [Series(command) for command in commands]
    for number in range(-1, 3 if world.quick else rounds):
        for series in found:
            start = time.perf_counter()
            done = world.run(*series.command)
            took = time.perf_counter() - start
            same(done.returncode, 0, f"the exit code of {Path(series.command[0]).name}")
            if number >= 0:
                series.seconds.append(took)
                series.outputs.append(done.stdout)
    return found


def same(ours: object, expected: object, what: str) -> None:
    """Raise DifferenceError unless both are equal."""
    if ours != expected:
        raise DifferenceError(f"{what} is {ours}, not {expected}")


def script(name: str) -> str:
    """A console script of the environment this script runs in."""
    return str(Path(sys.executable).parent / name)


def bench_help(world: World) -> list[Row]:
    peer = [sys.executable, "-c", "import click"]
    rows = []
    for name in ("sealwright", "verify-release"):
        ours, theirs = interleave(world, 31, [script(name), "--help"], peer)
        same({text.startswith("Usage: " + name) for text in ours.outputs}, {True}, f"{name} --help")
        rows.append(Row(f"`{name} --help` / `python -c 'import click'`", ours.ms, theirs.ms, 1.6))
    return rows


def write_random(path: Path, size: int) -> str:
    """Write a file of random bytes in small pieces (a large parent would show in its child's peak memory)."""
    with path.open("wb") as stream:
        for _ in range(size // MIB):
            stream.write(os.urandom(MIB))
    return str(path)


def bench_hash(world: World) -> list[Row]:
    size = 64 if world.quick else 1024
    file = write_random(world.folder / "large", size * MIB)
    ours, peer = interleave(
        world, 9, [sys.executable, "-c", HASH, "serial", file], ["openssl", "dgst", "-sha256", file]
    )
    found = [text.split() for text in ours.outputs]
    same({fields[2] for fields in found}, {text.split()[-1] for text in peer.outputs}, "the digest")
    inside = statistics.median(int(fields[0]) for fields in found) / 1e6
    memory = max(int(fields[1]) for fields in found) * 1024 / 1e6
    what = f"SHA-256 of {size} MiB"
    return [
        Row(f"{what}: `digest_descriptor` inside its process / whole process of `openssl dgst`", inside, peer.ms, 1.0),
        Row(f"{what}: whole process of Python / whole process of `openssl dgst`", ours.ms, peer.ms),
        Row(f"{what}: peak memory of that Python / 64 MB", memory, 64, 1.0, unit="MB"),
    ]


def bench_parallel(world: World) -> list[Row]:
    size = 16 if world.quick else 256
    files = [write_random(world.folder / f"part-{number}", size * MIB) for number in range(4)]
    command = [sys.executable, "-c", HASH]
    ours, peer = interleave(world, 9, [*command, "parallel", *files], [*command, "serial", *files])
    digests = [{tuple(text.split()[2:]) for text in series.outputs} for series in (ours, peer)]
    same(digests[0], digests[1], "the set of digests")
    return [Row(f"four files of {size} MiB: `each_in_parallel` / one thread", ours.ms, peer.ms, 1.6, at_least=True)]


@dataclass(frozen=True)
class Sealed:
    """A sealed release and two spoiled copies of it; whom to trust; where a peer may make its GNUPGHOME."""

    good: Path
    flipped: Path
    unlisted: Path
    policy: Path
    key: Path
    fingerprint: str
    base: str

    def ours(self, release: Path) -> list[str]:
        return [script("verify-release"), f"{PROJECT}=={VERSION}", "--from", str(release), "--policy", str(self.policy)]

    def peer(self, release: Path, text: str) -> list[str]:
        return ["bash", "-c", text, "bench", str(release), str(self.key), self.fingerprint, self.base]


def seal_release(world: World, count: int) -> Sealed:
    """Seal `count` wheels of one project and version, and spoil two copies."""
    folder = world.folder
    (folder / "dist").mkdir()
    wheel = build_wheel(folder / "dist", PROJECT, VERSION)
    for number in range(1, count):  # a build tag is the only part of the name that RECORD and METADATA do not bind
        shutil.copy(wheel, folder / "dist" / f"{PROJECT}-{VERSION}-{number}-py3-none-any.whl")
    fingerprint, public, secret = new_key("Maintainer")
    policy = write_trust_folder(
        folder / "keys",
        PROJECT,
        {"the maintainer": fingerprint},
        {fingerprint: public},
        datetime.now(UTC) + timedelta(1),
    )
    (folder / "secret").write_bytes(secret)
    good, flipped, unlisted = (folder / name for name in ("good", "flipped", "unlisted"))
    arguments = ["--out", str(good), "--policy", str(policy), "--openpgp-key-file", str(folder / "secret")]
    done = world.run(script("sealwright"), "seal", str(folder / "dist"), *arguments)
    same(done.returncode, 0, f"the exit code of sealwright seal ({done.stderr.strip()})")
    shutil.copytree(good, flipped)
    shutil.copytree(good, unlisted)
    content = bytearray((flipped / wheel.name).read_bytes())
    content[len(content) // 2] ^= 1
    (flipped / wheel.name).write_bytes(content)
    sign_unlisted(unlisted / wheel.name)
    memory = Path("/dev/shm")  # where sealwright has its own GNUPGHOME, too
    base = memory if os.access(memory, os.W_OK) else folder
    return Sealed(good, flipped, unlisted, policy, policy.parent / f"{fingerprint}.asc", fingerprint, str(base))


def new_key(name: str) -> tuple[str, bytes, bytes]:
    """Make a throw-away Ed25519 key: fingerprint, public and secret key."""
    with private_home(shutil.which("gpg")) as home:
        fingerprint = make_key(home, name)
        return fingerprint, export_public(home, fingerprint), export_secret(home, fingerprint)


def sign_unlisted(artifact: Path) -> None:
    """Replace the signature of an artifact by one that a stranger made."""
    with private_home(shutil.which("gpg")) as home:
        make_key(home, "Mallory")
        signature = run_gpg(home, "--armor", "--detach-sign", "--output", "-", str(artifact))
    artifact.with_name(artifact.name + ".asc").write_bytes(signature)


def bench_verify(world: World) -> list[Row]:
    count = 10 if world.quick else 100
    sealed = seal_release(world, count)
    answers = ((sealed.good, ExitCode.DONE), (sealed.flipped, ExitCode.TAMPERED), (sealed.unlisted, ExitCode.UNTRUSTED))
    for release, code in answers:
        same(world.run(*sealed.ours(release)).returncode, int(code), f"verify-release's answer to {release.name}")
        for text in (STRICT, PLAIN):
            accepted = world.run(*sealed.peer(release, text)).returncode == 0
            same(accepted, code == ExitCode.DONE, f"whether the gpg loop accepts {release.name}")
    ours, strict, plain = interleave(
        world, 15, sealed.ours(sealed.good), sealed.peer(sealed.good, STRICT), sealed.peer(sealed.good, PLAIN)
    )
    what = f"release of {count} artifacts: `verify-release` /"
    return [
        Row(f"{what} loop of `gpg --verify` at equal strictness", ours.ms, strict.ms, 5.0, at_least=True),
        Row(f"{what} loop of `gpg --verify`, exit code only (weaker)", ours.ms, plain.ms, at_least=True),
    ]


BENCHMARKS: dict[str, Callable[[World], list[Row]]] = {
    "help": bench_help,
    "hash": bench_hash,
    "parallel": bench_parallel,
    "verify": bench_verify,
}

METHOD = """\
# Benchmarks

Absolute times belong to one machine; the ratios are what is promised. This page is written by

    python tests/bench/bench.py --write

{table}

Measured with {versions}.

Sealwright and its peer run in turns (A B A B ...) in one run of the script, after one round that does not count.
Each number is the median, and each is the wall time of a whole process unless the row says "inside". Files are in the
page cache, bytecode is compiled. Before a time counts, the answers are compared: digests must be equal, and
`verify-release` and every gpg loop must accept the good release and refuse one with a flipped bit in an artifact and
one with a signature by an unlisted key.

- Hashing is timed twice, because `openssl` starts in a few milliseconds and Python does not: inside the Python
  process around `digest_descriptor` alone (this is what the bound is for), and as a whole process, which has no bound.
- The artifacts of the release are tiny, so what is compared is the cost of a signature, not of hashing. The strict
  loop makes a fresh GNUPGHOME with the policy's key alone, runs `sha256sum -c --strict`, and reads the status lines of
  one `gpg --verify` a file in bash itself: exactly one GOODSIG and one VALIDSIG, the expected primary fingerprint,
  class 00, SHA-256 or stronger, and no other judgement. It has the gpg options that save time, as `verify-release`
  has. `verify-release` does more than the loop (it copies the release, opens every wheel, reads the policy) and uses
  every processor; the loop, as loops do, uses one.
- The weaker loop takes gpg's exit code as the answer and so accepts expired and revoked keys. It is slower than the
  strict one because gpg keeps a trust database and locks when it is not told otherwise.
- Peak memory is what the kernel counted for the Python process that hashed the large file.
"""


def render_table(rows: list[Row]) -> str:
    head = ["what / peer", "sealwright", "peer", "ratio", "bound", "holds"]
    lines = [head, ["---", "---:", "---:", "---:", "---", "---"], *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def versions(world: World) -> str:
    """What was measured, without the machine's name."""
    gpg = world.run("gpg", "--version").stdout.split("\n")[0]
    openssl = " ".join(world.run("openssl", "version").stdout.split()[:2])
    return f"Python {platform.python_version()}, {gpg}, {openssl}, {os.cpu_count()} processors"


def measure(names: list[str], quick: bool) -> tuple[list[Row], str]:
    """Run benchmarks, each in a folder that is gone afterwards. Raises DifferenceError."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as top:
        # Bytecode is kept here: an installed package has it, an editable one need not, and src stays clean.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment |= {"PYTHONPYCACHEPREFIX": f"{top}/bytecode", "LC_ALL": "C.UTF-8"}
        for name in names:
            print(f"measuring {name} ...", file=sys.stderr)
            world = World(Path(top, name), quick, environment)
            world.folder.mkdir()
            rows += BENCHMARKS[name](world)
            shutil.rmtree(world.folder)
        return rows, versions(world)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes and three rounds: shows that it runs")
    parser.add_argument("--only", choices=BENCHMARKS, metavar="NAME", help=f"one of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md, too (a full run only)")
    asked = parser.parse_args()
    if asked.write and (asked.quick or asked.only):
        parser.error("--write wants a full run")
    try:
        rows, what = measure([asked.only] if asked.only else list(BENCHMARKS), asked.quick)
    except DifferenceError as error:
        print(f"different answers, so nothing was measured: {error}", file=sys.stderr)
        return 1
    print(render_table(rows))
    if asked.write:
        PAGE.write_text(METHOD.format(table=render_table(rows), versions=what), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

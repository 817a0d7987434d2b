"""The benchmarks of docs/benchmarks.md: each a ratio to a peer in the same run.

Enters: the sealwright beside this interpreter; gpg, openssl, sha256sum and bash on the PATH. Leaves: a Markdown table
(with --write also docs/benchmarks.md), exit code 1 if sealwright and a peer disagree. Never fails for a time.
"""

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bench_attestations
import bench_deadlines
import bench_sigstore
from harness import BIN, DifferenceError, Row, World, same

from sealwright.errors import ExitCode
from sealwright.gnupg.home import private_home
from sealwright.sandbox.keys import export_public, export_secret, make_key, run_gpg, write_trust_folder
from sealwright.sandbox.project import build_wheel

VERSIONS = (("gpg", "--version"), ("openssl", "version"))
PROJECT, VERSION = "bench", "1.0"

# Prints: nanoseconds inside, peak memory in KiB, digests.
HASH = """
import resource, sys, time
from sealwright.files.digest import digest_descriptor
from sealwright.files.threads import each_in_parallel
def digest(path):
    with open(path, "rb", buffering=0) as source:
        return digest_descriptor(source.fileno(), 1 << 40).sha256
how, *paths = sys.argv[1:]
start = time.perf_counter_ns()
found = each_in_parallel(digest, paths) if how == "parallel" else [digest(path) for path in paths]
print(time.perf_counter_ns() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, *found)
"""

# One gpg process a file, with the options that spare gpg time, as sealwright gives them. "strict" asks what sealwright
# asks of a signature and reads the status lines in bash itself; "plain" believes the exit code: 0 for a revoked key.
LOOP = """
set -euo pipefail
how=$1 release=$2 key=$3 fingerprint=$4
home=$(mktemp -d -p "$5" bench-XXXXXXXX)
trap 'rm -rf "$home"' EXIT
gpg=(gpg --homedir "$home" --no-options --batch --no-tty --no-autostart --lock-never --no-random-seed-file
     --no-permission-warning --trust-model always --no-auto-check-trustdb --no-auto-key-locate
     --no-auto-key-retrieve --disable-dirmngr --weak-digest SHA1 --weak-digest RIPEMD160)
strict() {
    local mark word f1 f2 f3 f4 f5 f6 f7 digest class primary rest good=0 valid=0
    while read -r mark word f1 f2 f3 f4 f5 f6 f7 digest class primary rest; do
        [[ $mark == '[GNUPG:]' ]] || continue
        case $word in
        GOODSIG) good=$((good + 1)) ;;
        VALIDSIG) valid=$((valid + 1))
            [[ $class == 00 && $primary == "$fingerprint" && $digest =~ ^(8|9|10|12|14)$ ]] || return 1 ;;
        EXPSIG | EXPKEYSIG | REVKEYSIG | BADSIG | ERRSIG) return 1 ;;
        esac
    done < <("${gpg[@]}" --status-fd 1 --verify "$1.asc" "$1" 2>/dev/null)
    [[ $good == 1 && $valid == 1 ]]
}
plain() { "${gpg[@]}" --verify "$1.asc" "$1" 2>/dev/null; }
full() {  # what a file says inside that it is, too, as verify-release asks
    strict "$1" || return 1
    [[ $1 == *.whl ]] || return 0
    local key value name='' version=''
    while IFS=': ' read -r key value; do
        case $key in Name) name=$value ;; Version) version=$value ;; '') break ;; esac
    done < <(unzip -p "$1" '*.dist-info/METADATA')
    [[ $name == bench && $version == 1.0 ]]
}
"${gpg[@]}" --quiet --import "$key"
cd "$release"
sha256sum --check --strict --quiet SHA256SUMS
for file in SHA256SUMS *.whl; do "$how" "$file"; done
"""


LOOPS = {
    "full": "that also reads Name and Version inside each wheel, as `verify-release` does",
    "strict": "that reads gpg's status lines (weaker)",
    "plain": "that believes the exit code (much weaker)",
}


def bench_help(world: World) -> list[Row]:
    rows = []
    for name in ("sealwright", "verify-release"):
        commands = [f"{BIN}/{name}", "--help"], [sys.executable, "-c", "import click"]
        (ours, texts), (peer, _) = world.interleave(31, *commands)
        same({text.startswith("Usage: " + name) for text in texts}, {True}, f"{name} --help")
        rows.append(Row(f"`{name} --help` / `python -c 'import click'`", ours, peer, 1.6))
    return rows


def write_random(path: Path, size: int) -> str:
    """Write `size` random MiB, one by one: the memory of a large parent would be counted as its child's peak."""
    with path.open("wb") as stream:
        stream.writelines(os.urandom(1024 * 1024) for _ in range(size))
    return str(path)


def bench_hash(world: World) -> list[Row]:
    size = 64 if world.quick else 1024
    file = write_random(world.folder / "large", size)
    commands = [sys.executable, "-c", HASH, "serial", file], ["openssl", "dgst", "-sha256", file]
    (ours, texts), (peer, peer_texts) = world.interleave(9, *commands)
    times, peaks, digests = zip(*(text.split() for text in texts), strict=True)
    same(set(digests), {text.split()[-1] for text in peer_texts}, "the set of digests")
    inside, memory = statistics.median(map(int, times)) / 1e6, max(map(int, peaks)) * 1024 / 1e6
    what = f"SHA-256 of {size} MiB"
    return [
        Row(f"{what}: `digest_descriptor`, inside its process / `openssl dgst -sha256`", inside, peer, 1.0),
        Row(f"{what}: Python process around it / `openssl dgst -sha256`", ours, peer),
        Row(f"{what}: peak memory of that Python process / 64 MB", memory, 64, 1.0, unit="MB"),
    ]


def bench_parallel(world: World) -> list[Row]:
    size = 16 if world.quick else 256
    files = [write_random(world.folder / f"part-{number}", size) for number in range(4)]
    commands = [[sys.executable, "-c", HASH, how, *files] for how in ("parallel", "serial")]
    (ours, texts), (peer, peer_texts) = world.interleave(9, *commands)
    digests, peer_digests = ({tuple(text.split()[2:]) for text in found} for found in (texts, peer_texts))
    same(digests, peer_digests, "the set of digests")
    return [Row(f"four files of {size} MiB: `each_in_parallel` / one thread", ours, peer, 1.6, at_least=True)]


def seal_release(world: World, count: int) -> str:
    """Seal `count` wheels into good/, spoil copies of it as flipped/ and unlisted/; return the key's fingerprint."""
    folder = world.folder
    (folder / "dist").mkdir()
    wheel = build_wheel(folder / "dist", PROJECT, VERSION)
    for number in range(1, count):  # neither RECORD nor METADATA binds a build tag, so that copies are valid wheels
        shutil.copy(wheel, folder / "dist" / f"{PROJECT}-{VERSION}-{number}-py3-none-any.whl")
    with private_home(shutil.which("gpg")) as home:
        fingerprint = make_key(home, "Maintainer")
        public = {fingerprint: export_public(home, fingerprint)}
        (folder / "secret").write_bytes(export_secret(home, fingerprint))
    expires = datetime.now(UTC) + timedelta(days=1)
    write_trust_folder(folder / "keys", PROJECT, {"the maintainer": fingerprint}, public, expires)
    arguments = ["--policy", f"{folder}/keys/policy.toml", "--openpgp-key-file", f"{folder}/secret"]
    done = world.run(f"{BIN}/sealwright", "seal", f"{folder}/dist", "--out", f"{folder}/good", *arguments)
    same(done.returncode, 0, f"the exit code of sealwright seal ({done.stderr.strip()})")
    same(len(list((folder / "good").glob("*.asc"))), count + 1, "the number of signatures")
    spoil(folder, wheel.name)
    return fingerprint


def spoil(folder: Path, wheel: str) -> None:
    """Flip one bit of one artifact in flipped/, and let a stranger sign one artifact in unlisted/."""
    for name in ("flipped", "unlisted"):
        shutil.copytree(folder / "good", folder / name)
    content = bytearray((folder / "flipped" / wheel).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "flipped" / wheel).write_bytes(content)
    with private_home(shutil.which("gpg")) as home:
        make_key(home, "Mallory")
        signature = run_gpg(home, "--armor", "--detach-sign", "--output", "-", str(folder / "unlisted" / wheel))
    (folder / "unlisted" / f"{wheel}.asc").write_bytes(signature)


def bench_verify(world: World, count: int = 100, rounds: int = 15) -> list[Row]:
    count = 10 if world.quick else count
    fingerprint = seal_release(world, count)
    keys = world.folder / "keys"
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else str(world.folder)  # as sealwright chooses

    def ours(name: str) -> list[str]:
        asked = [f"{PROJECT}=={VERSION}", "--from", f"{world.folder}/{name}", "--policy", f"{keys}/policy.toml"]
        return [f"{BIN}/verify-release", *asked]

    def loop(how: str, name: str) -> list[str]:
        asked = [how, f"{world.folder}/{name}", f"{keys}/{fingerprint}.asc", fingerprint, base]
        return ["bash", "-c", LOOP, "loop", *asked]

    loops = [how for how in LOOPS if how != "full" or shutil.which("unzip")]
    for name, code in (("good", ExitCode.DONE), ("flipped", ExitCode.TAMPERED), ("unlisted", ExitCode.UNTRUSTED)):
        same(world.run(*ours(name)).returncode, int(code), f"verify-release's answer to the {name} release")
        for how in loops:
            accepted = world.run(*loop(how, name)).returncode == 0
            same(accepted, code is ExitCode.DONE, f"whether the {how} gpg loop accepts the {name} release")
    (mine, _), *peers = world.interleave(rounds, ours("good"), *(loop(how, "good") for how in loops))
    what = f"release of {count} artifacts: `verify-release` / loop of `gpg --verify`"
    return [
        Row(f"{what} {LOOPS[how]}", mine, peer, 5.0 if how == "full" else None, at_least=True)
        for how, (peer, _) in zip(loops, peers, strict=True)
    ]


def bench_large(world: World) -> list[Row]:
    return bench_verify(world, 1000, 3)


BENCHMARKS = {
    "help": bench_help,
    "hash": bench_hash,
    "parallel": bench_parallel,
    "verify": bench_verify,
    "large": bench_large,
    **bench_sigstore.BENCHMARKS,
    **bench_attestations.BENCHMARKS,
    **bench_deadlines.BENCHMARKS,
}
HEAD = "| what / peer | sealwright | peer | ratio | bound | holds |\n| --- | ---: | ---: | ---: | --- | --- |"
TEXT = """\
# Benchmarks

Written by `python tests/bench/bench.py --write`, with {versions}.

{table}

Absolute times belong to one machine. A time is the median wall time of a whole process unless the row says otherwise.
Sealwright and its peer take turns (A B A B ...) in one run, after a round that does not count, with files in the page
cache and bytecode compiled. A ratio is sealwright/peer, but peer/sealwright for a "≥" bound and for the gpg loops.
Before a time counts, the answers are compared: digests are equal; `verify-release` and the loops accept the good
release, and refuse one with a flipped bit in an artifact and one with a signature by an unlisted key.

- Hashing is timed twice: around `digest_descriptor` inside its process, which is what the bound is for, and as a whole
  process, which adds the start of Python.
- How 100 artifacts compare depends on the machine: the same code took 4.98 to 5.2 x on others, and 4.4 to 4.5 x on this one,
  where Python takes a quarter longer and gpg hardly does.
- The artifacts are tiny, so the cost of a signature is compared, not that of hashing. The loops make a fresh GNUPGHOME
  with the policy's key, run `sha256sum --check --strict`, and give gpg the options that save it time. The strict one
  reads gpg's status lines in bash: exactly one GOODSIG and one VALIDSIG, the policy's primary fingerprint, class 00,
  SHA-256 or stronger, no other judgement. The full one reads METADATA with unzip besides: of the three it refuses most
  nearly what `verify-release` refuses, which also copies the release and judges the policy. `verify-release` runs gpg on
  every processor, the loops on one.
- The bound of 5 x is for equal strictness, so for the loop that checks as much; the two others check less, and what they
  show is shown without a bound. With GnuPG as the only judge there is a floor: Python's start with the libraries that any
  such program needs (pathlib, typing, tomllib, hashlib, subprocess, tempfile, datetime, zipfile, packaging.version), and
  then gpg, both processors at work on the 101 signatures. Where that takes 34 ms and 27 ms, twelve runs gave
  5.0 to 6.0 x; on a slower machine, on which it took 83 ms and 67 ms and an Ed25519 signature 1 ms instead of 0.45, the
  ratio was 2.2 to 3.6. For 1000 artifacts Python's start weighs less ([ADR 0008](adr/0008-what-a-small-verification-spends.md)).
- The audit log's append does what the bare loop does, and besides takes a lock, reads how the log ends, and chains.
- Sigstore: both sides trust the sandbox's Sigstore on loopback. `verify-release` judges OpenPGP and Sigstore of the
  release, one run of `sigstore verify identity` a file judges Sigstore alone; both refuse a flipped bit. Sealing asks for
  one certificate, a timestamp and a log entry a file, each request 100 ms late; every run of `sigstore sign` asks for all
  three.
- The attestation: Sealwright hashes the files on every processor, judges the one statement by the policy and binds every
  file to it; the peer hashes with `hashlib.file_digest`, verifies the envelope with sigstore-python, and compares. Both
  refuse a flipped bit of a file, and one of the signature. `verify-release` judges a private copy, because files could
  change meanwhile: writing it costs about as much as hashing it.
- Where the half second of `import sigstore.verify` goes (`python -X importtime`): rekor_types 210 ms of 510 (it builds the
  models of eleven kinds of log entry, of which two are used), requests 95, cryptography.x509 50, pydantic 37, tuf 26. A
  policy without a Sigstore identity never imports it. With one, gpg's processes run meanwhile, pydantic loads no plugins
  (12 ms), and the collector of garbage is told to wait (20 ms). The rest are the bodies of the libraries' modules: to leave
  them out, something else would have to stand in their place under the library's own verification code.
- Run it on an idle machine: another busy process takes away what a second thread wins.
"""


Benchmarks = dict[str, Callable[[World], list[Row]]]


def measure(benchmarks: Benchmarks, quick: bool) -> tuple[list[Row], str]:
    """Run benchmarks, each in a folder that is gone afterwards; return also what it was. Raises DifferenceError."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as top:
        # Bytecode is kept there: an installed package has it, an editable one need not, and src/ stays clean.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment |= {"PYTHONPYCACHEPREFIX": f"{top}/bytecode", "LC_ALL": "C.UTF-8", "XDG_STATE_HOME": f"{top}/state"}
        for name, run in benchmarks.items():
            print(f"measuring {name}, load {os.getloadavg()[0]:.1f} ...", file=sys.stderr)
            own = {"XDG_DATA_HOME": f"{top}/{name}/data"}  # what is seen of one project is nobody else's
            world = World(Path(top, name), quick, environment | own)
            world.folder.mkdir()
            rows += run(world)
        gpg, openssl = (world.run(*asked).stdout.split("\n")[0] for asked in VERSIONS)
    return (
        rows,
        f"Python {platform.python_version()}, {gpg}, {' '.join(openssl.split()[:2])}, {os.cpu_count()} processors",
    )


def main(benchmarks: Benchmarks, text: str, page: str) -> None:
    """Run what the command line asks for, and print or write the page of the docs that `text` makes."""
    parser = argparse.ArgumentParser(description=text.splitlines()[0].strip("# "))
    parser.add_argument("--quick", action="store_true", help="small sizes, one round: shows that it runs")
    parser.add_argument("--only", choices=benchmarks, metavar="NAME", help=f"one of: {', '.join(benchmarks)}")
    parser.add_argument("--write", action="store_true", help=f"write docs/{page}, too (a full run only)")
    asked = parser.parse_args()
    if asked.write and (asked.quick or asked.only):
        parser.error("--write wants a full run")
    try:
        chosen = {asked.only: benchmarks[asked.only]} if asked.only else benchmarks
        rows, versions = measure(chosen, asked.quick)
    except DifferenceError as error:
        sys.exit(f"different answers, so no time counts: {error}")
    table = "\n".join([HEAD, *(row.render() for row in rows)])
    print(table)
    if asked.write:
        written = text.format(table=table, versions=versions)
        Path(__file__).resolve().parents[2].joinpath("docs", page).write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main(BENCHMARKS, TEXT, "benchmarks.md")

"""The benchmarks of docs/benchmarks-places.md: what fetching costs besides the network, and a verdict from a name.

Enters: the verify-release beside this interpreter, the sandbox's places on loopback. Leaves: a Markdown table (with
--write also the page), exit code 1 if two sides disagree. Never fails for a time.
"""

import contextlib
import dataclasses
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import BIN, Row, World, main, same
from bench_sigstore import PROJECT, VERSION, WORKFLOW, build_project, seal_command

from sealwright.sandbox.places import Delay, Endpoint, Places, running_places
from sealwright.sandbox.project import build_sdist, build_wheel
from sealwright.sandbox.sigstore import running_sigstore

REPO, LATENCY = "o/r", 0.05
GIGABIT = 125_000_000  # bytes a second
PACES = ((GIGABIT, "at 1 Gbit/s", 1.1), (5 * GIGABIT, "at 5 Gbit/s", 1.1), (0, "as fast as loopback goes", None))

# Serves one file at so many bytes a second (0: as fast as it goes), from a process of its own.
SERVE = """
import http.server, os, sys, time
path, rate = sys.argv[1], int(sys.argv[2])
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        with open(path, "rb") as file:
            size, sent, start = os.fstat(file.fileno()).st_size, 0, time.perf_counter()
            self.send_response(200); self.send_header("Content-Length", str(size)); self.end_headers(); self.wfile.flush()
            while sent < size:
                sent += os.sendfile(self.connection.fileno(), file.fileno(), sent, min(262144, size - sent))
                if rate:
                    time.sleep(max(0, sent / rate - (time.perf_counter() - start)))
    def log_message(self, *arguments): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""
# Prints: milliseconds with hashing and without, by turns, and of hashing alone.
DOWNLOAD = """
import hashlib, os, sys, time
from sealwright.files import web, web_answer as module
from sealwright.files.web_route import WebSettings
from sealwright.store.places.credentials import OriginCredentials
class Nothing:
    def sha256(self): return self
    def update(self, block): pass
    def hexdigest(self): return ""
url, path, rounds, expected = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
real = module.hashlib
times = {True: [], False: []}
with web.Web(WebSettings(), OriginCredentials()) as opened:
    for number in range(2 * rounds + 2):
        hashing = number % 2 == 0
        module.hashlib = real if hashing else Nothing()
        target = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        start = time.perf_counter()
        found = opened.download(url, target, 2**32)
        if number > 1: times[hashing].append(time.perf_counter() - start)
        assert not hashing or found.sha256 == expected
        os.close(target)
content = open(path, "rb").read()
alone = []
for number in range(rounds):
    start = time.perf_counter()
    real.sha256(content)
    alone.append(time.perf_counter() - start)
for found in (times[True], times[False], alone): print(1000 * sorted(found)[rounds // 2])
"""
ONE = """
import os, sys
from sealwright.files.web import Web
from sealwright.files.web_route import WebSettings
from sealwright.store.places.credentials import OriginCredentials
with Web(WebSettings(), OriginCredentials()) as web:
    web.download(sys.argv[1], os.open(sys.argv[2], os.O_RDWR | os.O_CREAT | os.O_TRUNC), 2**32)
"""
# Prints: milliseconds to fetch a release, each time anew.
FETCH = """
import os, sys, time
from pathlib import Path
from packaging.version import Version
from sealwright.jobs.verify.fetch import Source, fetch_release
from sealwright.store.places.place import Rules
from sealwright.store.trust_folder import read_trust_folder
trust = read_trust_folder(Path(sys.argv[1]), None)
for number in range(int(sys.argv[3]) + 1):
    start = time.perf_counter()
    with fetch_release(Source("index", "index", None, Rules(), os.environ), trust, Version(sys.argv[2])) as release:
        count = len(release.files)
    if number: print(1000 * (time.perf_counter() - start), count)
"""


def reaching(world: World, places: Places) -> World:
    """The world of a user who has the sandbox's places and nothing of this machine's configuration."""
    kept = {name: value for name, value in world.environment.items() if not name.startswith("PIP_")}
    said = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": places.index.url, "GITHUB_API_URL": places.github.api}
    said |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_CACHE_DIR": "1", "HOME": str(world.folder)}
    return dataclasses.replace(world, environment=kept | said)


@contextlib.contextmanager
def serving(path: Path, rate: int) -> Iterator[tuple[str, int]]:
    """Serve one file; yield its address and the server's process."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(path), str(rate)], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}/", server.pid
        finally:
            server.kill()


def processor_time(process: int) -> float:
    """Milliseconds that a process has computed, in Linux's ticks of ten."""
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return 1000 * (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def bench_hashing(world: World) -> list[Row]:
    """One large file: with hashing and without, at the pace of networks and as fast as loopback goes; and curl."""
    import hashlib

    size, rounds = (32, 3) if world.quick else (256, 7)
    file, target = world.folder / "file", world.folder / "target"
    file.write_bytes(os.urandom(size * 1024**2))
    expected = hashlib.sha256(file.read_bytes()).hexdigest()
    rows = []
    for rate, words, bound in PACES:
        with serving(file, rate) as (url, server):
            done = world.run(sys.executable, "-c", DOWNLOAD, url, str(target), str(rounds), expected)
            same(done.returncode, 0, f"the exit code of a download ({done.stderr[-300:]})")
            hashed, bare, alone = map(float, done.stdout.split())
            what = f"{size} MiB {words}: fetched and hashed"
            rows.append(Row(f"{what} / the same without hashing", hashed, bare, bound))
            if not rate:
                each = processor_time(server) / (2 * rounds + 2)
                rows.append(Row(f"{what} / SHA-256 alone, of memory", hashed, alone))
                rows.append(Row(f"{what} / what the server computes meanwhile", hashed, each))
                ours = [sys.executable, "-c", ONE, url, str(target)]
                theirs = ["curl", "-s", "-o", str(world.folder / "other"), url]
                (mine, _), (curl, _) = world.interleave(rounds, ours, theirs)
                for written in (target, world.folder / "other"):
                    same(hashlib.sha256(written.read_bytes()).hexdigest(), expected, f"what {written.name} holds")
                rows.append(Row(f"{what} / fetched by `curl`, which hashes nothing; whole processes", mine, curl, 1.1))
    return rows


def bench_latency(world: World) -> list[Row]:
    """Ten files and one, each request 50 ms late."""
    write_policy(world.folder)
    medians = []
    with running_places() as places:
        for number, count in enumerate((1, 10)):
            folder = world.folder / str(count)
            folder.mkdir()
            wheel = build_wheel(folder, PROJECT, f"{number + 1}.0")
            for build in range(1, count):
                shutil.copy(wheel, wheel.with_name(wheel.name.replace("-py3", f"-{build}-py3")))
            places.index.publish(*sorted(folder.iterdir()))
        for endpoint in (Endpoint.INDEX_LISTING, Endpoint.INDEX_FILE):
            places.faults.add(endpoint, Delay(LATENCY))
        for number, count in enumerate((1, 10)):
            done = reaching(world, places).run(
                sys.executable, "-c", FETCH, str(world.folder / "keys" / "policy.toml"), f"{number + 1}.0", "5"
            )
            same(done.returncode, 0, f"the exit code of fetching ({done.stderr[-300:]})")
            lines = [line.split() for line in done.stdout.splitlines()]
            same({int(line[1]) for line in lines}, {count}, "the number of files")
            medians.append(statistics.median(float(line[0]) for line in lines))
    return [
        Row(f"ten files, {LATENCY * 1000:.0f} ms a request, inside the process / one file", medians[1], medians[0], 3.0)
    ]


def write_policy(folder: Path) -> None:
    with running_sigstore() as sigstore:
        build_project(folder, 1, sigstore, openpgp=True)


def bench_verdict(world: World) -> list[Row]:
    """From a name to a verdict: a wheel and an sdist from the index, their evidence from the release page."""
    folder = world.folder
    with running_sigstore() as sigstore, running_places() as places:
        build_project(folder, 1, sigstore, openpgp=True)
        build_sdist(folder / "dist", PROJECT, VERSION)
        seal = seal_command(folder, sigstore, f"{BIN}/sealwright", "--openpgp-key-file", f"{folder}/secret")
        same(world.run(*seal).returncode, 0, "the exit code of sealwright seal")
        places.publish(folder / "release", project=PROJECT, version=VERSION, repository=REPO)
        user = reaching(world, places)
        ours = [
            f"{BIN}/verify-release", f"{PROJECT}=={VERSION}", "--from", "index", "--evidence-from", f"github:{REPO}",
            "--policy", f"{folder}/keys/policy.toml",
        ]  # fmt: skip
        importing = [sys.executable, "-c", "import sigstore.verify"]
        (mine, said), (peer, _) = user.interleave(15, ours, importing)
        same(
            {text.split("\n")[0] for text in said}, {f"VERIFIED (in a sandbox)  {PROJECT} {VERSION}"}, "the first line"
        )
        (again, _), (loop, _) = user.interleave(3, ours, ["bash", "-euc", by_hand(folder, places)])
    what = "a wheel and an sdist by name, OpenPGP and Sigstore: `verify-release`"
    peers = "`pip download` of the wheel, then `sigstore verify identity` and `gpg --verify` for each file"
    return [
        Row(f"{what} / `python -c 'import sigstore.verify'`", mine, peer, 1.5),
        Row(f"{what} / {peers}", again, loop, 3.0, at_least=True),
    ]


def by_hand(folder: Path, places: Places) -> str:
    """What a careful person would type; evidence and sdist lie on the disk already, which favours them."""
    who = f"--cert-identity {WORKFLOW.identity} --cert-oidc-issuer {WORKFLOW.issuer}"
    return f"""
        rm -rf {folder}/byhand && mkdir -p {folder}/byhand/home && cp {folder}/release/* {folder}/byhand
        rm {folder}/byhand/*.whl && cd {folder}/byhand && chmod 700 home
        {sys.executable} -m pip download -q --no-deps -d . --only-binary :all: {PROJECT}=={VERSION} -i {places.index.url}
        gpg --homedir home -q --import {folder}/keys/*.asc
        for f in *.whl *.tar.gz; do
            {BIN}/sigstore --trust-config {folder}/sigstore.json verify identity --bundle $f.sigstore.json {who} $f
            gpg --homedir home -q --verify $f.asc $f
        done
        gpgconf --homedir home --kill all
    """


TEXT = """\
# Benchmarks of fetching

Written by `python tests/bench/bench_places.py --write`, with {versions}.

{table}

Absolute times belong to one machine. A time is the median wall time of a whole process unless the row says otherwise; the
sides take turns, after a round that does not count. Every place is on loopback. Before a time counts, digests and answers are compared.

- Hashing: up to the pace at which it holds, the system receives while SHA-256 runs, and it costs next to nothing. Loopback
  delivers faster than SHA-256 computes, so there no arrangement could keep within 1.1 x of the same without hashing. The
  server's own part is small, as it copies nothing (`sendfile`). curl reads in smaller pieces, and hashes nothing.
- To hash in a second thread, while the next piece is read and written, was measured on the same two processors when nothing
  else ran on them, medians of 11: 279 ms as it is, 249 ms with a thread for each piece of 1 MiB, 212 ms with one thread for
  all, 106 ms without hashing. It is left out: it would serve this machine's own servers alone. From anywhere else files
  come through TLS, in records of 16 KiB, and a thread costs more than hashing one of those does.
- By hand: pip fetches one wheel; the sdist and all evidence lie on the disk already, for free.
"""

if __name__ == "__main__":
    main({"hashing": bench_hashing, "latency": bench_latency, "verdict": bench_verdict}, TEXT, "benchmarks-places.md")

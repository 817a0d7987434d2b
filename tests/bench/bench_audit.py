"""The benchmarks of docs/benchmarks-audit.md: the audit as a whole process, and its index.

Enters: the sealwright beside this interpreter, ../shared/data. Leaves: a Markdown table (with --write also the page),
exit code 1 if sealwright and pip-audit disagree. Never fails for a time.
"""

import copy
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import BIN, Row, World, main, same
from support.advisories import EXPORT, REQUIREMENTS, SHARED, shared_records
from support.osv_server import running_osv

# Prints: milliseconds to open the index, microseconds for one look-up, how many advisories were found.
LOOK_UP = """
import sys, time
from pathlib import Path
from sealwright.collect.targets.pinned_requirements import collect_requirements
from sealwright.jobs.audit.audit import Rules, look_up
from sealwright.store.advisory_index import open_index
start = time.perf_counter()
index = open_index(Path(sys.argv[1]))
opened = time.perf_counter()
entries = collect_requirements(Path(sys.argv[2])).entries
look_up(entries[0], index, Rules())
began = time.perf_counter()
found = sum(len(look_up(entry, index, Rules()).findings) for entry in entries)
print(1000 * (opened - start), 1e6 * (time.perf_counter() - began) / len(entries), found)
"""
Triples = set[tuple[str, str, str]]


def need(world: World) -> tuple[Path, Path]:
    """The export, and the requirements: fewer of them if it must be quick."""
    lines = (SHARED / REQUIREMENTS).read_text().splitlines(keepends=True)
    requirements = world.folder / "requirements.txt"
    requirements.write_text("".join(lines[:60] if world.quick else lines))
    return SHARED / EXPORT, requirements


def import_into(world: World, export: Path, name: str = "index.sqlite") -> list[str]:
    return [f"{BIN}/sealwright", "audit", "db", "import", str(export), "--db", str(world.folder / name)]


def our_triples(text: str) -> Triples:
    entries = json.loads(text)["dependencies"]
    return {(e["name"], e["version"], i) for e in entries for f in e["findings"] for i in f["ids"] if "PYSEC" in i}


def their_triples(text: str) -> Triples:
    return {(e["name"], e["version"], found["id"]) for e in json.loads(text)["dependencies"] for found in e["vulns"]}


def bench_process(world: World) -> list[Row]:
    """The whole process against pip-audit with a service that answers at once, and one that takes 20 ms."""
    export, requirements = need(world)
    same(world.run(*import_into(world, export)).returncode, 0, "the exit code of the import")
    ours = [f"{BIN}/sealwright", "audit", str(requirements), "--db", str(world.folder / "index.sqlite")]
    count = len(requirements.read_text().splitlines())
    found = our_triples(world.run(*ours, "--json").stdout)
    rows = []
    for delay, rounds, bound in ((0.0, 9, 30.0), (0.02, 3, 200.0)):
        with running_osv(shared_records(), delay) as service:
            peer = [
                sys.executable, "-m", "pip_audit", "-r", str(requirements), "--no-deps", "--disable-pip", "-f", "json",
                "-s", "osv", "--osv-url", service.url, "--progress-spinner", "off",
                "--cache-dir", str(world.folder / "cache"),
            ]  # fmt: skip
            (mine, _), (theirs, texts) = world.interleave(rounds, ours, peer, codes=(20, 1))
            same(found, their_triples(texts[0]), "the set of findings")
        what = f"{count} pinned requirements: `sealwright audit` / pip-audit, loopback OSV"
        said = f"with {delay * 1000:.0f} ms a request" if delay else "without latency"
        rows.append(Row(f"{what} {said}", mine, theirs, bound, at_least=True))
    (mine, _), (click, _) = world.interleave(31, ours, [sys.executable, "-c", "import click"], codes=(20, 0))
    rows.append(Row(f"{count} pinned requirements: `sealwright audit` / `python -c 'import click'`", mine, click, 2.5))
    return rows


def generate(factor: int) -> Iterator[dict[str, Any]]:
    """The shared records, and copies of them about other packages."""
    for document in shared_records():
        yield document
        for number in range(1, factor):
            made = copy.deepcopy(document)
            made["id"] += f"-{number}"
            made["aliases"] = [f"{alias}-{number}" for alias in made.get("aliases", [])]
            for entry in made["affected"]:
                entry["package"]["name"] += f"-x{number}"
            yield made


def bench_index(world: World) -> list[Row]:
    """Importing, and how it grows; looking up, and that it does not."""
    export, requirements = need(world)
    factor = 2 if world.quick else 10
    larger = world.folder / "larger.zip"
    with zipfile.ZipFile(larger, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for document in generate(factor):
            archive.writestr(f"{document['id']}.json", json.dumps(document))
    commands = import_into(world, export), import_into(world, larger, "larger.sqlite")
    (once, _), (more, _) = world.interleave(3, *commands)
    sizes = [(world.folder / name).stat().st_size for name in ("index.sqlite", "larger.sqlite")]
    looking = [
        [sys.executable, "-c", LOOK_UP, str(world.folder / name), str(requirements)]
        for name in ("index.sqlite", "larger.sqlite")
    ]
    (_, few), (_, many) = world.interleave(9, *looking)
    small, large = ([min(float(text.split()[column]) for text in texts) for column in (0, 1)] for texts in (few, many))
    same({text.split()[2] for text in many}, {text.split()[2] for text in few}, "the number of findings")
    what = f"{factor} x the records"
    return [
        Row("import of 2,661 records / 3 s", once, 3000, 1.0),
        Row(f"import of {what} / {factor} x the time", more, factor * once, 1.1),
        Row(f"index of {what} / {factor} x the size", sizes[1] / 1000, factor * sizes[0] / 1000, 1.1, unit="kB"),
        Row(f"look-up of one requirement in {what} / in the records", large[1], small[1], 1.25, unit="µs"),
        Row(f"opening and hashing the index of {what} / of the records", large[0], small[0]),
    ]


TEXT = """\
# Benchmarks of the audit

Written by `python tests/bench/bench_audit.py --write`, with {versions}.

{table}

Absolute times belong to one machine. A time is the median wall time of a whole process, but opening and looking up are the
least of several inside one. The programs take turns, after a round that does not count. Before a time counts, the sets of
package, version and advisory are compared: they are equal. The OSV service runs on loopback and makes each answer once.

- Starting Python takes a third of the process; a second third goes into loading the standard library (enum, datetime, hashlib with
  OpenSSL, sqlite3) and the modules of the audit; the last into reading, hashing, looking up and printing. So the whole is about as long as
  `python -c 'import click'`. pip-audit waits 500 times 20 ms whatever the machine, so the ratio to that row falls where the
  machine is slow or shared. Without latency both sides are processor time alone: eight of eleven runs gave 32.7 to 35.6 x, and three, in
  which everything took longer, 26.1 to 29.4 x. With a Python that is built with optimisations (that of Debian) it is 26.0 x, as pip-audit
  gains more by it.
- Opening the index grows with its size, because its digest is checked each time, 2 to 3 ms a megabyte here; a
  look-up reads rows by their key, and of most versions one: where everything ends that is said of the project.
"""

if __name__ == "__main__":
    if not SHARED.exists():
        print("not measured: ../shared/data is not there")
        sys.exit(0)
    main({"process": bench_process, "index": bench_index}, TEXT, "benchmarks-audit.md")

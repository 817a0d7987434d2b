"""The index survives: it is whole or it is refused, whatever happens while it is written, or to it afterwards."""

import os
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from support.advisories import NOW, affected, make_index, record, write_export
from support.world import run

from sealwright.errors import UndecidedError, UsageError
from sealwright.jobs.audit.db import import_index
from sealwright.model.advisory import concerns
from sealwright.store.advisory_index import open_index, read_facts

RECORDS = [record(number, affected(f"pkg-{number}", versions=["1.0"])) for number in range(1, 400)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("whole"), *RECORDS)


def import_in_a_process(folder: Path, export: Path, **options: object) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "sealwright.cli.main", "audit", "db", "import", str(export), "--db"]
    return subprocess.Popen(
        [*command, str(folder / "index.sqlite")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options
    )  # type: ignore[call-overload]


def test_it_is_a_plain_sqlite_file(whole: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(f"file:{whole}?mode=ro", uri=True)
    assert connection.execute("SELECT count(DISTINCT package) FROM affected").fetchone() == (399,)
    connection.close()


def test_the_same_records_make_the_same_tables(tmp_path: Path, whole: Path) -> None:
    other = make_index(tmp_path, *random.Random(7).sample(RECORDS, len(RECORDS)))
    assert read_facts(other)[0].sha256 == read_facts(whole)[0].sha256


def test_every_flipped_bit_is_noticed(tmp_path: Path, whole: Path) -> None:
    content, chosen = whole.read_bytes(), random.Random(7)
    places = {0, 1, 18, 100, len(content) - 1, len(content) - 70, len(content) - 120, len(content) - 300}
    spoilt = tmp_path / "index.sqlite"
    seal = {(place, bit) for place in range(len(content) - 110, len(content)) for bit in range(8)}
    for place, bit in seal | {
        (place, chosen.randrange(8)) for place in places | {chosen.randrange(len(content)) for _ in range(200)}
    }:
        flipped = bytearray(content)
        flipped[place] ^= 1 << bit
        spoilt.write_bytes(flipped)
        with pytest.raises(UndecidedError):
            open_index(spoilt)


def test_every_cut_is_noticed(tmp_path: Path, whole: Path) -> None:
    content = whole.read_bytes()
    spoilt = tmp_path / "index.sqlite"
    lengths = {0, 1, 50, 512, 4096, len(content) // 2, *range(len(content) - 200, len(content), 7)}
    for length in lengths:
        spoilt.write_bytes(content[:length])
        with pytest.raises(UndecidedError):
            open_index(spoilt)
    spoilt.write_bytes(content + b"\n")
    with pytest.raises(UndecidedError):
        open_index(spoilt)


def test_a_spoilt_index_is_never_clean(tmp_path: Path, whole: Path) -> None:
    content = bytearray(whole.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "index.sqlite").write_bytes(content)
    (tmp_path / "r.txt").write_text("pkg-1==1.0\n")
    done = run("sealwright", "audit", "r.txt", "--db", "index.sqlite", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "is damaged" in done.stderr


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file(tmp_path: Path, make: object) -> None:
    with pytest.raises(UsageError):
        open_index(tmp_path / "nothing")
    make(tmp_path / "index.sqlite")  # type: ignore[operator]
    with pytest.raises(UsageError):
        open_index(tmp_path / "index.sqlite")


def test_two_imports_at_once(tmp_path: Path) -> None:
    exports = [write_export(tmp_path / f"{number}.zip", *RECORDS[: 100 * number]) for number in (1, 2, 3)]
    processes = [import_in_a_process(tmp_path, export) for export in exports]
    for process in processes:
        assert process.communicate()[1] == b""
        assert process.returncode == 0
    assert open_index(tmp_path / "index.sqlite").facts.records in (100, 200, 300)


def test_a_full_disk(tmp_path: Path) -> None:
    index = make_index(tmp_path, RECORDS[0])
    export = write_export(tmp_path / "new.zip", *RECORDS)

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    process = import_in_a_process(tmp_path, export, preexec_fn=little_room)
    said = process.communicate()[1].decode()
    assert process.returncode == 3
    assert "cannot be written" in said
    assert open_index(index).facts.records == 1


def test_one_malformed_advisory_among_many(tmp_path: Path) -> None:
    """It is skipped and named; where it still says whom it is about, that package is not audited."""
    broken = record(9999, affected("pkg-5")) | {"schema_version": "7"}
    index = make_index(tmp_path, *RECORDS, b"{not json", broken)
    facts = read_facts(index)[0]
    assert (facts.records, facts.skipped_count) == (399, 2)
    assert {each.file for each in facts.skipped} == {"record-399.json", "PYSEC-2020-9999.json"}
    for name, code in (("pkg-7==2.0", 0), ("pkg-5==2.0", 21), ("pkg-5==1.0", 20)):
        (tmp_path / "r.txt").write_text(name)
        done = run("sealwright", "audit", "r.txt", "--db", "index.sqlite", cwd=tmp_path)
        assert done.returncode == code, done.stdout
        assert "2 advisories of the index could not be read" in done.stdout


def test_of_two_records_with_one_id_the_later_counts(tmp_path: Path) -> None:
    newer = record(1, affected("pkg-1", versions=["2.0"])) | {"modified": "2025-12-31T00:00:00Z"}
    index = open_index(make_index(tmp_path, RECORDS[0], newer))
    (entry,) = index.entries("pkg-1")
    assert concerns(entry.affected, "2.0")
    assert not concerns(entry.affected, "1.0")  # the record that was changed last counts


def test_age(tmp_path: Path) -> None:
    future = record(1) | {"modified": "2999-01-01T00:00:00Z"}
    facts = read_facts(make_index(tmp_path, future))[0]
    assert facts.current == facts.newest == "2026-01-02T03:04:05Z"  # no record can make an index young
    assert facts.age(NOW) is not None


def test_yaml_of_the_python_advisory_database(tmp_path: Path) -> None:
    vulns = tmp_path / "vulns" / "pkg"
    vulns.mkdir(parents=True)
    (vulns / "PYSEC-2020-1.yaml").write_text(
        "id: PYSEC-2020-1\nmodified: 2021-01-01T00:00:00.5Z\ndetails: text\naffected:\n- package:\n    name: pkg\n"
        "    ecosystem: PyPI\n  ranges:\n  - type: ECOSYSTEM\n    events:\n    - introduced: '0'\n    - fixed: 1.10\n"
        "  versions:\n  - 1.9\n  - 1.0\n"
    )
    bomb = "a: &a [x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [*{a},*{a},*{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    (vulns / "PYSEC-2020-2.yaml").write_text(bomb)
    facts = import_index(tmp_path / "vulns", tmp_path / "index.sqlite", now=NOW)
    assert (facts.records, facts.skipped[0].problem) == (1, "YAML with an alias")
    (entry,) = open_index(tmp_path / "index.sqlite").entries("pkg")
    assert [concerns(entry.affected, version) for version in ("1.1", "1.9", "1.10")] == [True, True, False]


def test_a_name_that_stands_twice_in_yaml_hides_nothing(tmp_path: Path) -> None:
    """YAML forbids it (1.2.2, 3.2.1.3), and its library keeps the last one: the first would be lost without a word."""
    vulns = tmp_path / "vulns"
    vulns.mkdir()
    for number, more in ((1, ""), (2, "affected:\n- package: {name: other, ecosystem: PyPI}\n  versions: ['1.0']\n")):
        (vulns / f"PYSEC-2020-{number}.yaml").write_text(
            f"id: PYSEC-2020-{number}\nmodified: 2021-01-01T00:00:00Z\naffected:\n- package: {{name: pkg, ecosystem: PyPI}}"
            f"\n  versions: ['{number}.0']\n{more}"
        )
    facts = import_index(vulns, tmp_path / "index.sqlite", now=NOW)
    assert (facts.records, facts.skipped[0].problem) == (1, "YAML with a name that stands twice")


def test_an_export_that_is_none(tmp_path: Path) -> None:
    index = make_index(tmp_path, RECORDS[0])
    for name, content in (("text.zip", b"text"), ("empty.zip", b""), ("none.zip", b"PK\x05\x06" + bytes(18))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError):
            import_index(tmp_path / name, index, now=NOW)
    nothing = {"package": {"ecosystem": "npm", "name": "x"}}
    with pytest.raises(UsageError, match="no advisory about a package of PyPI"):
        import_index(write_export(tmp_path / "npm.zip", record(1, nothing)), index, now=NOW)
    assert open_index(index).facts.records == 1

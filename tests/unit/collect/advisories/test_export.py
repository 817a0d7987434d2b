"""What stands in an export is in the index, or is named as skipped; and when a withdrawal counts."""

import json
import os
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from support.advisories import NOW, affected, make_index, record
from support.world import run

from sealwright.jobs.audit.db import import_index
from sealwright.store.advisory_index import open_index

BAD = record(1, affected("bad", versions=["1.0"]))


def write_folder(folder: Path, *records: "dict[str, object]") -> Path:
    folder.mkdir()
    for each in records:
        (folder / f"{each['id']}.json").write_text(json.dumps(each))
    return folder


@pytest.mark.parametrize(
    "name", ["./PYSEC-2020-1.json", "PYSEC-2020-1.JSON", "a/./PYSEC-2020-1.json", "../a/PYSEC-2020-1.json"]
)
def test_a_record_in_a_zip_in_whatever_spelling(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr(name, json.dumps(BAD))
        archive.writestr("PYSEC-2020-2.json", json.dumps(record(2, affected("other", versions=["1.0"]))))
    assert import_index(tmp_path / "all.zip", tmp_path / "index.sqlite", now=NOW).records == 2
    (tmp_path / "r.txt").write_text("bad==1.0\n")
    assert run("sealwright", "audit", "r.txt", "--db", "index.sqlite", cwd=tmp_path).returncode == 20


def test_what_an_export_folder_leads_to_elsewhere_is_named(tmp_path: Path) -> None:
    elsewhere = write_folder(tmp_path / "elsewhere", BAD)
    export = write_folder(tmp_path / "export", record(2, affected("other", versions=["1.0"])))
    os.symlink(elsewhere, export / "2020")
    os.symlink(elsewhere, export / ".git")
    (export / "deep").mkdir()
    os.symlink("../nowhere", export / "deep" / "gone.json")
    facts = import_index(export, tmp_path / "index.sqlite", now=NOW)
    assert facts.records == 1
    assert {each.file for each in facts.skipped} == {"2020", "deep/gone.json"}
    (tmp_path / "r.txt").write_text("bad==1.0\n")
    done = run("sealwright", "audit", "r.txt", "--db", "index.sqlite", cwd=tmp_path)
    assert "2 advisories of the index could not be read" in done.stdout


YESTERDAY, TOMORROW = (f"{NOW + timedelta(days=days):%Y-%m-%dT%H:%M:%S.5Z}" for days in (-1, 1))


@pytest.mark.parametrize(
    ("withdrawn", "code"),
    [
        (None, 20), (YESTERDAY, 0), (TOMORROW, 20), ("2099-01-01T00:00:00Z", 20), ("", 21), ("yes", 21),
        ("2021-99-99T00:00:00Z", 21), ("2021-01-01", 21), (True, 21), ({}, 21), (1, 21),
    ],
)  # fmt: skip
def test_a_withdrawal_counts_from_its_time_on(tmp_path: Path, withdrawn: object, code: int) -> None:
    other = record(2, affected("other", versions=["1.0"]))
    facts = open_index(make_index(tmp_path, BAD | {"withdrawn": withdrawn}, other)).facts
    assert facts.withdrawn == (code == 0)
    (tmp_path / "r.txt").write_text("bad==1.0\n")
    assert run("sealwright", "audit", "r.txt", "--db", "index.sqlite", cwd=tmp_path).returncode == code

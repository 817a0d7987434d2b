"""Advisories for the tests: made on the spot, the shared ones, and a naive reading of how OSV says to evaluate them."""

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from packaging.version import InvalidVersion, Version

from sealwright.jobs.audit.db import import_index
from sealwright.model.index_facts import IndexFacts

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
EXPORT, REQUIREMENTS = "osv-pypi-2024-10.zip", "requirements-500.txt"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def shared(name: str) -> Path:
    """A file of the data that lies beside the project; the test is skipped where it does not."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"../shared/data/{name} is not there")
    return path


def shared_records() -> Iterator[dict[str, Any]]:
    with zipfile.ZipFile(shared(EXPORT)) as archive:
        for name in archive.namelist():
            yield json.loads(archive.read(name))


def affected(name: str = "pkg", *, versions: Any = (), events: Any = (), **more: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"package": {"ecosystem": "PyPI", "name": name}}
    if versions:
        entry["versions"] = list(versions)
    if events:
        entry["ranges"] = [{"type": "ECOSYSTEM", "events": list(events)}]
    return entry | more


def record(number: int | str = 1, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    name = f"PYSEC-2020-{number}" if isinstance(number, int) else number
    document = {"id": name, "modified": "2025-12-30T00:00:00Z", "summary": f"what {name} says"}
    return document | {"affected": list(entries) or [affected(versions=["1.0"])]} | more


def write_export(path: Path, *records: Any) -> Path:
    """An export like PyPI/all.zip; a record that is bytes stands in it as it is."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, each in enumerate(records):
            name = f"{each['id']}.json" if isinstance(each, dict) and "id" in each else f"record-{number}.json"
            name = f"again-{number}/{name}" if name in archive.namelist() else name
            archive.writestr(name, each if isinstance(each, bytes) else json.dumps(each))
    return path


def make_index(folder: Path, *records: Any, now: datetime = NOW) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    import_index(write_export(folder / "export.zip", *records), folder / "index.sqlite", now=now)
    return folder / "index.sqlite"


def import_shared(folder: Path) -> tuple[Path, IndexFacts]:
    return folder / "index.sqlite", import_index(shared(EXPORT), folder / "index.sqlite", now=NOW)


def is_vulnerable(version: str, entry: dict[str, Any]) -> bool:
    """https://ossf.github.io/osv-schema/#evaluation, line by line and without a thought for speed."""
    if version in entry.get("versions", []):
        return True
    try:
        wanted = Version(version)
    except InvalidVersion:
        return False
    for listed in entry.get("versions", []):
        try:
            if Version(listed) == wanted:
                return True
        except InvalidVersion:
            continue
    return any(_included(wanted, each["events"]) for each in entry.get("ranges", []) if each["type"] == "ECOSYSTEM")


def _included(version: Version, events: list[dict[str, str]]) -> bool:
    limits = [event["limit"] for event in events if "limit" in event]
    if limits and not any(limit == "*" or version < Version(limit) for limit in limits):
        return False
    vulnerable = False
    order = {"fixed": 0, "introduced": 1, "last_affected": 2}

    def key(event: dict[str, str]) -> tuple[bool, Version, int]:
        kind, text = next(iter(event.items()))
        first = (kind, text) == ("introduced", "0")
        return not first, Version("0" if first else text), order[kind]

    try:
        ordered = sorted((event for event in events if "limit" not in event), key=key)
    except InvalidVersion:
        return False
    for event in ordered:
        kind, text = next(iter(event.items()))
        if kind == "introduced":
            vulnerable = vulnerable or text == "0" or version >= Version(text)
        elif (kind == "fixed" and version >= Version(text)) or (kind == "last_affected" and version > Version(text)):
            vulnerable = False
    return vulnerable

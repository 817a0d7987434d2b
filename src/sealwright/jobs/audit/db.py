"""The local index of advisories: imported, updated, and what it is.

Enters: an export, the path of the index, the time. Leaves: a new index in place of the old one, or the old one
untouched.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sealwright.collect.advisories.export import read_export
from sealwright.collect.advisories.export_download import Known, fetch_export
from sealwright.errors import UndecidedError, UsageError
from sealwright.model.index_facts import IndexFacts, Skipped, write_time
from sealwright.model.osv_record import Advisory
from sealwright.store.advisory_index import read_image
from sealwright.store.advisory_index_writing import IndexSource, build_tables, replace_index, write_index

if TYPE_CHECKING:
    from requests import Session

BULK_EXPORT = "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip"


def import_index(export: Path, index: Path, *, now: datetime, source: IndexSource | None = None) -> IndexFacts:
    """Read an export into a new index and swap it in. `source` says where a downloaded export comes from.

    Raises UsageError if the export holds nothing of use, UndecidedError if something cannot be read or written.
    """
    opened = read_export(export)
    skipped: list[Skipped] = []
    advisories: list[Advisory] = []
    for record in opened.records:
        if isinstance(record, Skipped):
            skipped.append(record)
        else:
            advisories.append(record)
    if not any(advisory.affected for advisory in advisories):
        raise UsageError(
            f"the export {export} holds no advisory about a package of PyPI", "The index that was there is untouched."
        )
    skipped.sort()
    tables = build_tables(advisories, skipped, write_time(now))
    given = source or IndexSource(str(export.resolve()), opened.sha256)
    return write_index(index, tables, tuple(skipped), given._replace(sha256=opened.sha256), write_time(now))


class Updated(NamedTuple):
    """The index as it is now, and whether anything in it has changed."""

    facts: IndexFacts
    changed: bool


def update_index(url: str, index: Path, session: "Session", *, clock: Callable[[], datetime]) -> Updated:
    """Fetch an export if it has changed since it was last fetched from there, and import it.

    An index that is missing or damaged is made anew. Raises UndecidedError, and UsageError for an export of no use.
    """
    facts, image = _present(index)
    same = facts is not None and facts.source == url
    known = Known(facts.etag, facts.last_modified) if facts and same else Known()
    asked = clock()
    with fetch_export(url, index.with_name(index.name + ".download"), session, known) as fetched:
        if fetched is not None:
            source = IndexSource(url, "", write_time(asked), fetched.known.etag, fetched.known.last_modified)
            return Updated(import_index(fetched.path, index, now=clock(), source=source), True)
    if facts is None or not same:
        raise UndecidedError(f"{url} says that nothing has changed, although there is nothing to compare with")
    confirmed = facts._replace(current=write_time(asked))
    replace_index(index, image, confirmed)
    return Updated(confirmed, False)


def _present(index: Path) -> tuple[IndexFacts | None, bytes]:
    try:
        return read_image(index)
    except (UsageError, UndecidedError):
        return None, b""

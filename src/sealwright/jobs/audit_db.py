"""The local index of advisories: imported, updated, and what it is.

Enters: an export, the path of the index, the time. Leaves: a new index in place of the old one, or the old one
untouched.
"""

from datetime import datetime
from pathlib import Path

from sealwright.collect.advisories import read_export
from sealwright.errors import UsageError
from sealwright.model.index_facts import IndexFacts, Skipped, write_time
from sealwright.model.osv_record import Advisory
from sealwright.store.advisory_index_writing import IndexSource, build_tables, write_index


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
    tables = build_tables(advisories, skipped)
    given = source or IndexSource(str(export.resolve()), opened.sha256)
    return write_index(index, tables, tuple(skipped), given._replace(sha256=opened.sha256), write_time(now))

"""An advisory in the OSV format, read with care.

Enters: JSON that was parsed, from whoever wrote it. Leaves: `Advisory`, or an AdvisoryError that still names the
packages it may be about. What cannot be evaluated is kept as unclear. https://ossf.github.io/osv-schema/
"""

import re
from typing import Any, NamedTuple

from sealwright.model.advisory import Affected, is_name, normalise
from sealwright.model.index_facts import read_time
from sealwright.model.severity import Severity
from sealwright.model.version_spans import Span, SpansError, read_spans

ECOSYSTEM = "PyPI"
_MAX_SUMMARY, _MAX_EXCERPT = 200, 120
_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:_-]{0,98}[A-Za-z0-9])?", re.ASCII)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z", re.ASCII)


class AdvisoryError(ValueError):
    """A record that cannot be used; `id` and `packages` are what could still be read of it."""

    def __init__(self, problem: str, id: str = "", packages: tuple[str, ...] = ()) -> None:  # noqa: A002  OSV's word
        """Take what is wrong, and whom the record may be about."""
        super().__init__(problem)
        self.id = id
        self.packages = packages


class Advisory(NamedTuple):
    """One OSV record; times are RFC 3339 in UTC, without fractions of a second, or empty.

    From the time `withdrawn` on, it counts no more. https://ossf.github.io/osv-schema/#withdrawn-field
    """

    id: str
    aliases: tuple[str, ...]
    summary: str
    published: str
    modified: str
    withdrawn: str
    severities: tuple[Severity, ...]
    affected: tuple[Affected, ...]

    def is_withdrawn(self, now: str) -> bool:
        """Tell whether it was withdrawn by a time (RFC 3339 in UTC)."""
        return "" < self.withdrawn <= now


def is_advisory_id(text: str) -> bool:
    """Tell whether a text can be the id of a record. https://ossf.github.io/osv-schema/#id-modified-fields"""
    return _ID.fullmatch(text) is not None


def parse_advisory(document: object) -> Advisory:
    """Read one OSV record (schema 1.x; without a schema_version it is 1.0.0). Raises AdvisoryError.

    Packages of other ecosystems are left out. https://ossf.github.io/osv-schema/#schema_version-field
    """
    if not isinstance(document, dict):
        raise AdvisoryError("it is no JSON object")
    name = _identity(document)
    packages = _packages(document.get("affected"))
    try:
        schema = document.get("schema_version", "1.0.0")
        if not isinstance(schema, str) or not schema.startswith("1."):
            raise ValueError(f"its schema version is {str(schema)[:20]!r}, not 1.x")
        entries = document.get("affected")
        if not isinstance(entries, list) or not entries:
            raise ValueError("it does not say what is affected")
        withdrawn = document.get("withdrawn")
        if withdrawn is not None and read_time(_time(withdrawn)) is None:
            raise ValueError("its time of withdrawal is no time")
        return Advisory(
            name,
            tuple(dict.fromkeys(text for text in _texts(document.get("aliases"), "aliases") if _ID.fullmatch(text))),
            _summary(document),
            _time(document.get("published")),
            _time(document.get("modified")),
            _time(withdrawn),
            _severities(document),
            tuple(found for entry in entries if (found := _affected(entry)) is not None),
        )
    except ValueError as error:
        raise AdvisoryError(str(error), name, packages) from error


def _identity(document: dict[str, Any]) -> str:
    name = document.get("id")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise AdvisoryError("it has no usable id", packages=_packages(document.get("affected")))
    return name


def _packages(entries: object) -> tuple[str, ...]:
    """The packages that a record names, however broken the rest of it is."""
    names: dict[str, None] = {}
    for entry in entries if isinstance(entries, list) else []:
        package = entry.get("package") if isinstance(entry, dict) else None
        if isinstance(package, dict) and _is_ours(package) and isinstance(name := package.get("name"), str):
            names[normalise(name.strip())] = None
    return tuple(names)


def _is_ours(package: dict[str, Any]) -> bool:
    """PyPI, or PyPI with a suffix, in whatever case (https://ossf.github.io/osv-schema/#affectedpackage-field).

    What says no ecosystem at all may be ours: it is not passed over.
    """
    ecosystem = package.get("ecosystem")
    if not isinstance(ecosystem, str) or not ecosystem:
        return True
    return ecosystem.split(":", 1)[0].strip().lower() == ECOSYSTEM.lower()


def _affected(entry: object) -> Affected | None:
    package = entry.get("package") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(package, dict):
        raise AdvisoryError("an entry of affected names no package")
    if not _is_ours(package):
        return None
    if not isinstance(package.get("ecosystem"), str) or not package["ecosystem"]:
        raise ValueError("an entry of affected does not say of which ecosystem it is")
    name = package.get("name")
    if not isinstance(name, str) or not is_name(name := name.strip()):
        raise ValueError("an entry of affected has no usable name")
    versions = tuple(dict.fromkeys(_texts(entry.get("versions"), "versions")))
    spans: list[Span] = []
    unclear: list[str] = []
    ranges = entry.get("ranges") or []
    if not isinstance(ranges, list):
        raise AdvisoryError("ranges are no list")
    evaluated = 0
    for found in ranges:
        kind = found.get("type") if isinstance(found, dict) else None
        if kind == "GIT":
            continue  # about commits: then the versions must be listed
        try:
            if kind == "SEMVER":  # beside which no versions need be listed
                raise SpansError("a range of type SEMVER, an order that PyPI does not have")
            if kind != "ECOSYSTEM":
                raise SpansError("a range of an unknown type")
            spans += read_spans(found.get("events"))
            evaluated += 1
        except SpansError as error:
            unclear.append(str(error))
    if not versions and not evaluated and not unclear:
        unclear.append("it lists no versions, and no range of versions")
    return Affected(normalise(name), tuple(dict.fromkeys(spans)), versions, tuple(unclear))


def _texts(value: object, what: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"{what} are no list of texts")
    return value


def _time(value: object) -> str:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    return found[1] + "Z" if found else ""


def _summary(document: dict[str, Any]) -> str:
    """One line; of the details as much as a summary should have. https://ossf.github.io/osv-schema/#summary-details-fields"""
    for key, longest in (("summary", _MAX_SUMMARY), ("details", _MAX_EXCERPT)):
        text = document.get(key)
        if isinstance(text, str) and text.strip():
            line = " ".join(text[: 4 * _MAX_SUMMARY].split())
            return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
    return ""


def _severities(document: dict[str, Any]) -> tuple[Severity, ...]:
    """The vectors of the record and of its affected entries. A vector that is odd costs no finding: it is left out."""
    found: list[Severity] = []
    for holder in [document, *document["affected"]]:
        listed = holder.get("severity") if isinstance(holder, dict) else None
        for entry in listed if isinstance(listed, list) else []:
            if isinstance(entry, dict):
                kind, vector = entry.get("type"), entry.get("score")
                if isinstance(kind, str) and isinstance(vector, str) and len(vector) <= _MAX_SUMMARY:
                    found.append(Severity(kind, vector))
    return tuple(dict.fromkeys(found))

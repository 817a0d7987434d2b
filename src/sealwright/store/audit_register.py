"""The register of findings that a project lives with for a while: .sealwright/audit.toml.

Enters: the path of the register. Leaves: `Ignore`s. Every field is required, an unknown one is refused: a typo must
not turn a reviewed exception into an open one. Whether an ignore is still in force is judged by who applies it, not
here.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sealwright.errors import UsageError
from sealwright.files.reading import read_named
from sealwright.model.advisory import is_name, normalise
from sealwright.model.audit import Ignore

PLACE = Path(".sealwright/audit.toml")
_MAX_BYTES = 256 * 1024
_MAX_IGNORES = 1_000
_FIELDS = ("id", "package", "reason", "owner", "expires")
_EXAMPLE = "docs/audit.md shows one: schema = 1, then [[ignore]] with id, package, reason, owner and expires."


def read_ignores(path: Path, *, required: bool) -> tuple[Ignore, ...]:
    """Read the register. A missing one holds nothing, unless it is `required`. Raises UsageError, UndecidedError."""
    if not required and not path.exists() and not path.is_symlink():
        return ()
    content = read_named(path, _MAX_BYTES, "the register of ignores", _EXAMPLE)
    import tomllib

    try:
        document = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML: {error}", _EXAMPLE) from error
    return _parse(document, path)


def _parse(document: dict[str, Any], path: Path) -> tuple[Ignore, ...]:
    for key in document:
        if key not in ("schema", "ignore"):
            raise UsageError(f"{path}: {key!r} is not a key of the register", _EXAMPLE)
    if document.get("schema") != 1 or isinstance(document.get("schema"), bool):
        raise UsageError(f"{path}: schema must be 1", _EXAMPLE)
    entries = document.get("ignore", [])
    if not isinstance(entries, list) or len(entries) > _MAX_IGNORES:
        raise UsageError(f"{path}: ignores are written [[ignore]], at most {_MAX_IGNORES}", _EXAMPLE)
    ignores = tuple(_ignore(entry, f"{path}: ignore {number}") for number, entry in enumerate(entries, 1))
    seen: set[tuple[str, str]] = set()
    for ignore in ignores:
        if (ignore.id, ignore.package) in seen:
            raise UsageError(f"{path}: {ignore.id} of {ignore.package} stands twice", "Keep one of them.")
        seen.add((ignore.id, ignore.package))
    return ignores


def _ignore(entry: object, where: str) -> Ignore:
    if not isinstance(entry, dict):
        raise UsageError(f"{where} is no table", _EXAMPLE)
    for key in _FIELDS:
        if key not in entry:
            raise UsageError(f"{where} has no {key}", _EXAMPLE)
    for key in entry:
        if key not in _FIELDS:
            raise UsageError(f"{where}: {key!r} is not a key of an ignore", _EXAMPLE)
    texts = {key: entry[key] for key in _FIELDS[:-1]}
    for key, value in texts.items():
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise UsageError(f"{where}: {key} must be a printable text", _EXAMPLE)
    if not is_name(texts["package"]):
        raise UsageError(f"{where}: {texts['package']!r} is no name of a package", _EXAMPLE)
    if texts["id"].startswith("MAL-"):
        raise UsageError(f"{where}: {texts['id']} says that the package was made to harm", "Remove the package.")
    package = normalise(texts["package"])
    return Ignore(texts["id"].strip(), package, texts["reason"], texts["owner"], _expiry(entry["expires"], where))


def _expiry(value: object, where: str) -> datetime:
    """A time with its zone, or a day, which ends the ignore as it begins in UTC."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise UsageError(
                f"{where}: expires must be a day, or a time with its zone (2027-03-31T00:00:00Z)", _EXAMPLE
            )
        try:
            return value.astimezone(UTC)
        except OverflowError as error:
            raise UsageError(f"{where}: expires is no time that UTC has", _EXAMPLE) from error
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise UsageError(f"{where}: expires must be a day (2027-03-31), without quotes", _EXAMPLE)

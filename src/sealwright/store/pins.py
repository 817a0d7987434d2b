"""Pins: what a user has accepted as trust, one file a project, in their own data folder.

Enters: the data folder, a pin. Leaves: the same pin, later. A file that is not exactly what was written is an error.
Whoever replaces a pin says which one they saw: between the question and the answer another process may have come.
"""

import base64
import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import digest_bytes
from sealwright.files.reading import reason
from sealwright.model.pin import Pin, PinKind
from sealwright.store.first_use import publisher_of_pin, root_of_pin, trust_first
from sealwright.store.trust_folder import TrustFolder, trust_from_files
from sealwright.store.trust_sums import render_sums
from sealwright.store.user_data import locked_folder, read_record, write_record

_SUFFIX = ".json"
_MEND = "sealwright trust unpin {0} removes it; then pin the project again, and compare the fingerprint."


def pin_path(data: Path, project: str) -> Path:
    """Return where the pin of a project lies; `project` is normalised (PEP 503), so it holds no slash."""
    return data / "pins" / (project + _SUFFIX)


def list_pins(data: Path) -> tuple[str, ...]:
    """Return the projects that are pinned, sorted. Raises UndecidedError if that cannot be read."""
    try:
        names = os.listdir(data / "pins")
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise UndecidedError(f"the pins in {data} cannot be read: {reason(error)}") from error
    return tuple(sorted(n.removesuffix(_SUFFIX) for n in names if n.endswith(_SUFFIX) and not n.startswith(".")))


def read_pin(data: Path, project: str) -> Pin | None:
    """Return the pin of a project, or None. Raises UndecidedError for one that was changed."""
    path, mend = pin_path(data, project), _MEND.format(project)
    document = read_record(path, "the pin", mend)
    if document is None:
        return None
    try:
        pin = _parse(document)
        if pin.project != project:
            raise ValueError(f"that of {pin.project[:80]!r}")
        if pin.kind is PinKind.FIRST_USE:
            publisher_of_pin(pin)
        elif digest_bytes(render_sums(pin.files)) != pin.fingerprint:
            raise ValueError("not what Sealwright wrote: its files do not have its fingerprint")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        words = str(error) if type(error) is ValueError else "no pin that this version can read"
        raise UndecidedError(f"the pin {path} is {words}", mend) from error
    return pin


def trust_of(data: Path, pin: Pin) -> TrustFolder:
    """Return what a pin trusts: its trust folder, or, of a first use, the publisher as one."""
    path = pin_path(data, pin.project)
    if pin.kind is PinKind.POLICY:
        return trust_from_files(path, pin.files)
    return trust_first(path, pin.project, publisher_of_pin(pin), root_of_pin(pin), pin.files)


def write_pin(data: Path, pin: Pin, instead_of: Pin | None) -> bool:
    """Keep a pin in the place of the one that was seen, or of none; tell whether anything was written.

    Raises UsageError if another pin is there by now, and UndecidedError if it cannot be written.
    """
    path = pin_path(data, pin.project)
    try:
        with locked_folder(path.parent):
            there = read_pin(data, pin.project)
            if there is not None and _same(there, pin):
                return False
            if there != instead_of:
                raise UsageError(
                    f"{pin.project} was pinned by another process meanwhile",
                    f"sealwright trust show {pin.project} shows what is pinned now.",
                )
            write_record(path, _document(pin))
    except OSError as error:
        raise UndecidedError(f"the pin {path} cannot be written: {reason(error)}", "Nothing was pinned.") from error
    return True


def _same(one: Pin, other: Pin) -> bool:
    """Whether two pins trust the same, since whenever and from wherever."""
    if one.kind is other.kind is PinKind.FIRST_USE:
        return (one.publisher, one.files) == (other.publisher, other.files)
    return one.kind is other.kind and one.fingerprint == other.fingerprint


def remove_pin(data: Path, project: str) -> bool:
    """Forget a pin, whatever is in its file, and tell whether there was one. Raises UndecidedError."""
    path = pin_path(data, project)
    if not os.path.lexists(path):
        return False
    try:
        with locked_folder(path.parent), contextlib.suppress(FileNotFoundError):
            path.unlink()
            return True
    except OSError as error:
        raise UndecidedError(f"the pin {path} cannot be removed: {reason(error)}") from error
    return False


def _document(pin: Pin) -> dict[str, Any]:
    return {
        "project": pin.project,
        "kind": pin.kind.value,
        "since": pin.since.astimezone(UTC).isoformat(timespec="seconds"),
        "source": pin.source,
        "fingerprint": pin.fingerprint,
        "files": {name: base64.b64encode(content).decode("ascii") for name, content in pin.files.items()},
        "publisher": [list(pair) for pair in pin.publisher],
    }


def _parse(document: dict[str, Any]) -> Pin:
    since = datetime.fromisoformat(document["since"])
    if since.tzinfo is None or not all(isinstance(document[key], str) for key in ("project", "source", "fingerprint")):
        raise ValueError("no pin that this version can read")
    files = {name: base64.b64decode(content, validate=True) for name, content in document["files"].items()}
    publisher = tuple((str(name), str(value)) for name, value in document["publisher"])
    kind = PinKind(document["kind"])
    return Pin(document["project"], kind, since, document["source"], document["fingerprint"], files, publisher)

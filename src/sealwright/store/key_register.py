"""The register of keys, edited: .sealwright/keys.toml, with its comments and its order kept. Holds no secret.

Enters: a fingerprint and values to set. Leaves: a file that is whole, and that the parser takes. One writer at a time.
"""

import fcntl
import os
from datetime import date
from pathlib import Path

from sealwright.errors import UndecidedError
from sealwright.files.reading import read_named, reason
from sealwright.files.writing import write_whole
from sealwright.model.key_register import MAX_KEY_REGISTER_BYTES, KeyRecord, parse_key_register

_NEW = "# Where the revocation certificates of the keys lie; no secret (docs/keys.md of Sealwright).\nschema = 1\n"


def read_key_register(path: Path) -> tuple[KeyRecord, ...]:
    """Read the register; there are no records where there is no file. Raises UsageError and UndecidedError."""
    if not os.path.lexists(path):
        return ()
    return parse_key_register(read_named(path, MAX_KEY_REGISTER_BYTES, "the register of keys"), str(path))


def set_key_record(path: Path, fingerprint: str, new: dict[str, str | date], values: dict[str, date]) -> bool:
    """Set values of a key's record, which is begun with `new` if it is not there; without `new`, it is left out then.

    Tells whether the register was changed. Raises UsageError and UndecidedError.
    """
    import tomlkit

    try:
        if not new and not os.path.lexists(path):
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            there = os.path.lexists(path)
            content = read_named(path, MAX_KEY_REGISTER_BYTES, "the register of keys") if there else _NEW.encode()
            parse_key_register(content, str(path))
            document = tomlkit.parse(content.decode("utf-8"))
            entries = [entry for entry in document.get("key", []) if entry.get("fingerprint") == fingerprint]
            for entry in entries:
                entry.update(values)
            text = tomlkit.dumps(document)
            if not entries and new:
                record = tomlkit.document()
                for key, value in ({"fingerprint": fingerprint} | new | values).items():
                    record.add(key, value)
                text = text.rstrip("\n") + "\n\n[[key]]\n" + tomlkit.dumps(record)
            changed = text.encode("utf-8")
            parse_key_register(changed, str(path))
            if changed != content or (new and not there):
                write_whole(path, changed)
            return changed != content
        finally:
            os.close(folder)
    except OSError as error:
        raise UndecidedError(f"{path} cannot be written: {reason(error)}") from error

"""The register of tokens, edited: .sealwright/tokens.toml, with its comments and its order kept.

Enters: tokens, and keys to set. Leaves: a file that is whole, and that the parser takes. Holds no secret. One writer at
a time: the folder is locked from the reading to the writing.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.reading import read_named, reason
from sealwright.files.writing import write_whole
from sealwright.model.token import MAX_REGISTER_BYTES, Token, parse_register

if TYPE_CHECKING:
    from datetime import date

_NEW = "# Who may do what until when; no secret (docs/tokens.md of Sealwright).\nschema = 1\n"


def read_register(path: Path) -> tuple[Token, ...]:
    """Read the register. Raises UsageError if it is missing or wrong, UndecidedError if it cannot be read."""
    hint = "sealwright tokens add begins one."
    return parse_register(read_named(path, MAX_REGISTER_BYTES, "the register", hint), str(path))


def find_token(path: Path, name: str) -> Token:
    """Return the token of that name. Raises what `read_register` raises, and UsageError if there is none."""
    for token in read_register(path):
        if token.name == name:
            return token
    raise UsageError(f"{path} lists no token {name}", "sealwright tokens list shows those that it lists.")


def add_token(path: Path, values: "dict[str, str | date]") -> None:
    """Append a token, given its keys as the file writes them. Raises UsageError, UndecidedError."""
    import tomlkit

    with _edited(path) as text:
        entry = tomlkit.document()
        for key, value in values.items():
            entry.add(key, value)
        text[0] = text[0].rstrip("\n") + "\n\n[[token]]\n" + tomlkit.dumps(entry)


def set_key(path: Path, name: str, key: str, value: "str | date") -> None:
    """Set one key of one token, and leave everything else as it is. Raises UsageError, UndecidedError."""
    set_keys(path, name, {key: value})


def set_keys(path: Path, name: str, values: Mapping[str, "str | date | None"]) -> None:
    """Set keys of one token, or remove them where the value is None. Raises UsageError, UndecidedError."""
    import tomlkit

    with _edited(path) as text:
        document = tomlkit.parse(text[0])
        entries = [entry for entry in document.get("token", []) if entry.get("name") == name]
        if len(entries) != 1:
            raise UsageError(f"{path} lists no token {name}", "sealwright tokens list shows those that it lists.")
        for key, value in values.items():
            if value is not None:
                entries[0][key] = value
            elif key in entries[0]:
                del entries[0][key]
        text[0] = tomlkit.dumps(document)


@contextlib.contextmanager
def _edited(path: Path) -> Iterator[list[str]]:
    """Hold the register for one writer; what the body leaves in the list is written if the parser takes it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UndecidedError(f"{path.parent} cannot be written: {reason(error)}") from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        there = os.path.lexists(path)
        content = read_named(path, MAX_REGISTER_BYTES, "the register") if there else _NEW.encode()
        parse_register(content, str(path))  # one that is wrong is mended by its owner, not by us
        text = [content.decode("utf-8")]
        yield text
        changed = text[0].encode("utf-8")
        parse_register(changed, str(path))
        if changed != content:
            write_whole(path, changed)
    except OSError as error:
        raise UndecidedError(f"{path} cannot be written: {reason(error)}") from error
    finally:
        os.close(folder)

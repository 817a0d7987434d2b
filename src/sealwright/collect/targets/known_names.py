"""The names, and perhaps the versions, that are known to exist.

Enters: a file that a person named: `name` or `name==version`, one a line. Leaves: `KnownNames`.
"""

from pathlib import Path

from sealwright.errors import UsageError
from sealwright.files.reading import read_named
from sealwright.model.advisory import is_name, normalise
from sealwright.model.known_names import KnownNames

_MAX_BYTES = 512 * 1024**2
_HINT = "One name a line, or name==version; # begins a comment."


def read_known_names(path: Path) -> KnownNames:
    """Read the file. A name with versions exists in these only. Raises UsageError, UndecidedError."""
    content = read_named(path, _MAX_BYTES, "the file of known names", _HINT)
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8", _HINT) from error
    versions: dict[str, set[str]] = {}
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if text:
            name, equals, version = (part.strip() for part in text.partition("=="))
            if not is_name(name) or (equals and not version):
                raise UsageError(f"{path}, line {number}: {text[:80]!r} is no name", _HINT)
            versions.setdefault(normalise(name), set()).update([version] if version else [])
    if not versions:
        raise UsageError(f"{path} holds no names", _HINT)
    return KnownNames(str(path), {name: frozenset(found) for name, found in versions.items()})

"""Package URLs of type pypi.

Enters: a text. Leaves: its project and version. A purl of another type, or with a namespace, is none.
https://github.com/package-url/purl-spec/blob/main/types-doc/pypi-definition.md
"""

from typing import NamedTuple
from urllib.parse import unquote

from sealwright.model.advisory import is_name, normalise

_MAX = 1_000


class PypiPurl(NamedTuple):
    """`name` is normalised (PEP 503), `version` empty if none is given. `narrowed`: it has qualifiers or a subpath."""

    name: str
    version: str
    narrowed: bool


def read_pypi_purl(text: object) -> PypiPurl | None:
    """Read a purl, or return None if it names no project of PyPI."""
    if not isinstance(text, str) or len(text) > _MAX or text[:4].lower() != "pkg:":
        return None
    rest = text[4:].lstrip("/")
    path, hash_mark, _ = rest.partition("#")
    path, question, _ = path.partition("?")
    kind, _, path = path.partition("/")
    name, _, version = path.partition("@")
    name, version = unquote(name), unquote(version)
    if kind.lower() != "pypi" or not is_name(name):
        return None
    return PypiPurl(normalise(name), version, bool(hash_mark or question))


def write_pypi_purl(name: str, version: str) -> str:
    """Write the purl of a normalised name and a version, which may be empty."""
    from urllib.parse import quote

    return f"pkg:pypi/{name}" + (f"@{quote(version, safe='.-_~!*')}" if version else "")

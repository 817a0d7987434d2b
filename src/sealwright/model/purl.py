"""Package URLs of type pypi.

Enters: a text. Leaves: its project and version. A purl of another type, or with a namespace, is none.
https://github.com/package-url/purl-spec/blob/main/types-doc/pypi-definition.md
"""

from typing import NamedTuple

from sealwright.model.advisory import is_name, normalise

_MAX = 1_000


class PypiPurl(NamedTuple):
    """`name` is normalised (PEP 503), `version` empty if none is given. `narrowed`: it has qualifiers or a subpath.

    `elsewhere`: it says that it was fetched from a repository or an address, and is no file of an index.
    """

    name: str
    version: str
    narrowed: bool
    elsewhere: bool = False


def read_pypi_purl(text: object) -> PypiPurl | None:
    """Read a purl, or return None if it names no project of PyPI."""
    from packageurl import PackageURL

    if not isinstance(text, str) or len(text) > _MAX:
        return None
    try:
        purl = PackageURL.from_string(text)
    except ValueError:
        return None
    if purl.type != "pypi" or purl.namespace or not is_name(purl.name):
        return None
    elsewhere = any(key in purl.qualifiers for key in ("vcs_url", "download_url"))
    return PypiPurl(normalise(purl.name), purl.version or "", bool(purl.qualifiers or purl.subpath), elsewhere)


def write_pypi_purl(name: str, version: str) -> str:
    """Write the purl of a normalised name and a version, which may be empty."""
    from packageurl import PackageURL

    return PackageURL("pypi", name=name, version=version or None).to_string()

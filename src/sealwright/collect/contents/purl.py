"""Package URLs of Python packages.

Enters: a normalised name, a version, perhaps where it comes from if that is no index. Leaves: text.
https://github.com/package-url/purl-spec/blob/main/types-doc/pypi-definition.md
"""

from urllib.parse import quote


def build_purl(name: str, version: str = "", *, vcs_url: str = "", download_url: str = "") -> str:
    """Return pkg:pypi/NAME@VERSION, with a qualifier for a repository or a file that is on no index."""
    purl = f"pkg:pypi/{quote(name, safe='')}"
    if version:
        purl += f"@{quote(version, safe='')}"
    if vcs_url:
        return f"{purl}?vcs_url={quote(vcs_url, safe=':/')}"
    return f"{purl}?download_url={quote(download_url, safe=':/')}" if download_url else purl

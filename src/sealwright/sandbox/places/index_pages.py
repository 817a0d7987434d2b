"""The pages of a package index, as PyPI writes them. Pure.

Enters: files, as they are and as they are to be listed. Leaves: JSON (PEP 691) and HTML (PEP 503), which say the same.
"""

import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from typing import Any, NamedTuple

from packaging.version import Version

from sealwright.sandbox.places.serving import Listed, digest

JSON = "application/vnd.pypi.simple.v1+json"
_API = "1.4"


class Uploaded(NamedTuple):
    """A file of the index. `yanked` is None, or the reason, which may be empty."""

    name: str
    project: str
    version: str
    content: bytes
    metadata: bytes | None
    requires_python: str | None
    uploaded: datetime
    yanked: str | None = None
    provenance: bytes | None = None

    @property
    def path(self) -> str:
        """Where the file is: by its digest, so that nothing else is ever there."""
        name = hashlib.blake2b(self.content, digest_size=32).hexdigest()
        return f"/packages/{name[:2]}/{name[2:4]}/{name[4:]}/{self.name}"


Entry = tuple[Listed, Uploaded, str | None]


def normalize(project: str) -> str:
    """Normalise a project's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", project).lower()


def requires_python(metadata: bytes) -> str | None:
    """Return what a file asks of Python."""
    return BytesHeaderParser().parsebytes(metadata).get("Requires-Python")


def render_projects_json(serials: Mapping[str, int], serial: int) -> str:
    """Render the list of all projects."""
    listed = [{"name": name, "_last-serial": serials[name]} for name in sorted(serials)]
    return json.dumps({"meta": {"_last-serial": serial, "api-version": _API}, "projects": listed})


def render_projects_html(serials: Mapping[str, int]) -> str:
    """Render the list of all projects."""
    return _page("Simple index", "", [f'<a href="/simple/{name}/">{name}</a>' for name in sorted(serials)])


def render_json(project: str, entries: Sequence[Entry], status: Mapping[str, str], serial: int) -> str:
    """Render the files of a project."""
    versions = sorted({file.version for _, file, _ in entries}, key=Version)
    return json.dumps(
        {
            "meta": {"_last-serial": serial, "api-version": _API},
            "name": project,
            "project-status": status,
            "versions": versions,
            "alternate-locations": [],
            "files": [_describe(*entry) for entry in entries],
        }
    )


def _describe(listed: Listed, file: Uploaded, provenance: str | None) -> dict[str, Any]:
    metadata = {"sha256": digest(file.metadata)} if file.metadata is not None else False
    return {
        "filename": listed.name,
        "url": listed.url,
        "hashes": {"sha256": listed.sha256},
        "requires-python": file.requires_python,
        "size": listed.size,
        "upload-time": file.uploaded.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "yanked": file.yanked is not None and (file.yanked or True),
        "data-dist-info-metadata": metadata,
        "core-metadata": metadata,
        "provenance": provenance,
    }


def render_html(project: str, entries: Sequence[Entry], status: Mapping[str, str]) -> str:
    """Render the files of a project."""
    return _page(f"Links for {project}", _status(status), [_link(*entry) for entry in entries])


def _status(status: Mapping[str, str]) -> str:
    reason = status.get("reason")
    more = f'\n    <meta name="pypi:project-status-reason" content="{html.escape(reason)}">' if reason else ""
    return f'\n    <meta name="pypi:project-status" content="{html.escape(status["status"])}">{more}'


def _link(listed: Listed, file: Uploaded, provenance: str | None) -> str:
    attributes = {"href": f"{listed.url}#sha256={listed.sha256}"}
    if file.requires_python:
        attributes["data-requires-python"] = file.requires_python
    if file.yanked is not None:
        attributes["data-yanked"] = file.yanked
    if file.metadata is not None:
        attributes["data-dist-info-metadata"] = attributes["data-core-metadata"] = f"sha256={digest(file.metadata)}"
    if provenance is not None:
        attributes["data-provenance"] = provenance
    said = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<a {said}>{html.escape(listed.name)}</a><br />"


def _page(title: str, more: str, links: Sequence[str]) -> str:
    body = "\n    ".join(links)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n  <head>\n'
        f'    <meta name="pypi:repository-version" content="{_API}">{more}\n    <title>{title}</title>\n'
        f"  </head>\n  <body>\n    <h1>{title}</h1>\n    {body}\n  </body>\n</html>\n"
    )

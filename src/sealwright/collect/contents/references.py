"""Addresses and words from metadata, made fit to be shown and to be followed.

Enters: texts that anybody wrote. Leaves: texts without control characters, web addresses without credentials, and
for each label of a Project-URL the type of CycloneDX's external references that it means.
https://packaging.python.org/en/latest/specifications/well-known-project-urls/
"""

import re

from sealwright.model.component import Reference

_MOST_REFERENCES = 50
_WEB = re.compile(
    r"(https?)://(?:[^/?#@\s]*@)?([A-Za-z0-9.\-\[\]:]{1,260})([/?#][!-;=?-\[\]_a-z~\u00a1-\uffef]{0,1900})?"
)
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,10}")
_KINDS = {
    "website": ("homepage", "home", "website"),
    "vcs": ("source", "sourcecode", "repository", "repo", "code", "git", "github", "gitlab", "scm", "sources"),
    "documentation": ("documentation", "docs", "doc", "manual", "userguide"),
    "release-notes": ("changelog", "changes", "releasenotes", "whatsnew", "history", "news", "release", "releases"),
    "issue-tracker": ("issues", "issue", "bugs", "bugtracker", "bugreports", "issuetracker", "tracker", "bugreport"),
    "distribution": ("download", "downloads"),
    "chat": ("chat", "discord", "slack", "gitter"),
    "mailing-list": ("mailinglist",),
}
_BY_LABEL = {label: kind for kind, labels in _KINDS.items() for label in labels}


def clean(text: str, longest: int) -> str:
    """Return one line of printable text; what UTF-8 cannot carry becomes a question mark."""
    line = " ".join(text[: longest * 4].encode("utf-8", "replace").decode().split())[:longest]
    return line if line.isprintable() else "".join(c for c in line if c.isprintable())


def clean_url(text: str) -> str:
    """Return a web address without user name and password, or nothing if it is none (RFC 3986, RFC 3987)."""
    match = _WEB.fullmatch(text.strip())
    return f"{match[1]}://{match[2]}{match[3] or ''}" if match else ""


def clean_email(text: str) -> str:
    """Return a mail address, or nothing if it is none."""
    return text if _EMAIL.fullmatch(text) else ""


def clean_file_url(text: str) -> str:
    """Return the address of a file without credentials, query and fragment, any of which can hold a secret."""
    return re.sub(r"[?#].*", "", clean_url(text))


def collect_references(home: str, download: str, project_urls: tuple[str, ...]) -> tuple[Reference, ...]:
    """Read Home-page, Download-URL and Project-URL; each address once for each meaning, sorted."""
    found: dict[tuple[str, str], Reference] = {}
    stated = [("website", home, "Home-page"), ("distribution", download, "Download-URL")]
    for text in project_urls[:_MOST_REFERENCES]:
        label, _, url = text.partition(",")
        key = "".join(c for c in label[:100].lower() if c.isalnum())
        stated.append((_BY_LABEL.get(key, "other"), url, f"Project-URL: {clean(label, 100)}"))
    for kind, text, comment in stated:
        url = clean_url(text)
        if url:
            found.setdefault((kind, url), Reference(kind, url, comment))
    return tuple(sorted(found.values()))

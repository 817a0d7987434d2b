"""in-toto statements: what is said of which files.

Enters: nothing. Leaves: `Statement`, its types, and its bytes. Verifies and signs nothing.
https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

import json
import string
from typing import Any, NamedTuple

STATEMENT = "https://in-toto.io/Statement/v1"
RELEASE = "https://in-toto.io/attestation/release/v0.1"
PROVENANCE = "https://slsa.dev/provenance/v1"
SBOM = "https://cyclonedx.org/bom"
MAX_STATEMENT_COMMAS = 1_000_000  # an SBOM has many
AUDIT = "https://in-toto.io/attestation/vulns/v0.2"
GITHUB_BUILD = "https://actions.github.io/buildtypes/workflow/v1"
_GITLAB_BUILD = ("https://gitlab.com/gitlab-org/gitlab-runner/-/blob/", "/PROVENANCE.md")
LOCAL_BUILD = "urn:sealwright:build:local:v1"
LOCAL_BUILDER = "urn:sealwright:builder:local"
_VERSION_CHARACTERS = frozenset(string.ascii_letters + string.digits + ".~+-")
_LONGEST_VERSION = 64


def gitlab_build(version: str) -> str:
    """Return GitLab's build type, which names the version of its runner (its PROVENANCE.md says so)."""
    return f"v{version}".join(_GITLAB_BUILD)


def is_gitlab_build(kind: object) -> bool:
    """Tell whether a build type is GitLab's, of whatever version of its runner."""
    start, end = _GITLAB_BUILD
    if not isinstance(kind, str) or not kind.startswith(start) or not kind.endswith(end):
        return False
    version = kind[len(start) : -len(end)]
    return 0 < len(version) <= _LONGEST_VERSION and set(version) <= _VERSION_CHARACTERS


class Subject(NamedTuple):
    """A file that a statement is about: its name, and its SHA-256 as 64 lower-case hex digits."""

    name: str
    sha256: str


class Statement(NamedTuple):
    """What is said: about which files, of which type, and the predicate of that type as JSON."""

    subjects: tuple[Subject, ...]
    kind: str
    predicate: dict[str, Any]


def release_predicate(project: str, version: str, tag: str) -> dict[str, str]:
    """Return the predicate of a release attestation: a package URL, and the tag, for which the type has no field.

    https://github.com/in-toto/attestation/blob/main/spec/predicates/release.md
    https://github.com/package-url/purl-spec/blob/main/types-doc/pypi-definition.md
    """
    quoted = version.replace("!", "%21").replace(
        "+", "%2B"
    )  # of what a version may hold (PEP 440), a purl quotes these
    return {"purl": f"pkg:pypi/{project}@{quoted}", "tag": tag}


def render_statement(statement: Statement) -> bytes:
    """Write a statement as JSON (ASCII, names sorted, no space), so that the same statement is the same bytes."""
    document = {
        "_type": STATEMENT,
        "subject": [{"name": s.name, "digest": {"sha256": s.sha256}} for s in statement.subjects],
        "predicateType": statement.kind,
        "predicate": statement.predicate,
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")

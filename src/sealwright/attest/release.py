"""The release attestation: which files make up this version of this project, and its tag.

Enters: names. Leaves: a statement. It binds every file name to its digest and to the version, so that a renamed, a
missing or a foreign file shows, even if each signature is good.
https://github.com/in-toto/attestation/blob/main/spec/predicates/release.md
"""

from sealwright.model.statement import RELEASE, Statement, Subject, release_predicate


def build_release(project: str, version: str, tag: str, subjects: tuple[Subject, ...]) -> Statement:
    """Return the statement that these files, and no others, are that version; `project` is normalised (PEP 503)."""
    return Statement(subjects, RELEASE, release_predicate(project, version, tag))

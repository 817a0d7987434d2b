"""A publisher, as a signing certificate names one: a workflow of one repository, at whatever ref it ran.

Enters: claims of a certificate. Leaves: `Publisher`, in words and as pairs that a pin keeps. Which certificate is
believed is decided elsewhere (sealwright.verify.publisher).
"""

import re
from collections.abc import Iterable

from sealwright.model.record import Record

_REF = re.compile(r"refs/[!-~]+|[0-9a-f]{40}|[0-9a-f]{64}")
_MOST = 1000


class Publisher(Record):
    """Who published, without the ref, which is another one in each release.

    `workflow` is the file that was started (Build Config URI), `identity` the one that signed: the same, but for a
    reusable workflow. The ids protect from a name that was given up and taken by somebody else.
    """

    issuer: str
    repository: str
    repository_id: str
    owner_id: str
    workflow: str
    identity: str


_WORDS = {
    "issuer": "oidc issuer",
    "repository": "repository",
    "repository_id": "repository id",
    "owner_id": "owner id",
    "workflow": "workflow",
    "identity": "signing workflow",
}


def split_ref(uri: str, source_ref: str) -> tuple[str, str]:
    """Return a workflow's URI without its ref, and the ref; `source_ref` is the ref that the certificate states.

    Raises ValueError if it could be cut in two ways: a file that is called a.yml@b must not be taken for a.yml.
    """
    path, at, ref = uri.partition("@")
    if not at or not path or not _REF.fullmatch(ref) or ("@" in ref and ref != source_ref):
        raise ValueError(f"{uri[:200]} is no workflow at one ref")
    return path, ref


def checked(publisher: Publisher) -> Publisher:
    """Return a publisher that can be told from every other. Raises ValueError if something of it is missing."""
    for name, value in publisher._asdict().items():
        if not value or len(value) > _MOST or not (value.isascii() and value.isprintable()):  # no look-alikes
            raise ValueError(f"no {_WORDS[name]} that can be used")
    if not publisher.workflow.startswith(f"{publisher.repository}/"):
        raise ValueError(f"a workflow outside of its repository: {publisher.workflow[:200]}")
    return publisher


def to_pairs(publisher: Publisher) -> tuple[tuple[str, str], ...]:
    """Return the pairs that a pin keeps."""
    return tuple(publisher._asdict().items())


def from_pairs(pairs: Iterable[tuple[str, str]]) -> Publisher:
    """Return the publisher that a pin keeps. Raises ValueError if it is none."""
    said = list(pairs)
    found = dict(said)
    if found.keys() != set(Publisher._fields) or len(said) != len(found):
        raise ValueError("no publisher that this version can read")
    return checked(Publisher(**found))


def say(publisher: Publisher) -> str:
    """Say in one line who it is."""
    numbers = f"repository id {publisher.repository_id}, owner id {publisher.owner_id}"
    by = f", signing as {publisher.identity}" if publisher.identity != publisher.workflow else ""
    return f"{publisher.workflow} ({numbers}){by}, as {publisher.issuer} says"


def describe(publisher: Publisher) -> tuple[tuple[str, str], ...]:
    """Return each part of it with its name; the signing workflow only if it is another one."""
    said = tuple((_WORDS[name], value) for name, value in to_pairs(publisher))
    return said if publisher.identity != publisher.workflow else said[:-1]


def differences(old: Publisher, new: Publisher) -> tuple[str, ...]:
    """Name in what two publishers differ; the signing workflow only where it is not the one that was started."""
    both = old.identity == old.workflow and new.identity == new.workflow
    names = [name for name in Publisher._fields if getattr(old, name) != getattr(new, name)]
    return tuple(_WORDS[name] for name in names if not (both and name == "identity"))

"""A trust folder, changed: one key file and the policy, each written whole, and SHA256SUMS after them if it is there.

Enters: the policy's path, a public key, and what the policy should say of it. Leaves: the files. One writer at a time;
what was written before an interruption is found as it is, and only the rest is written by the next run.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import PolicyError, UndecidedError
from sealwright.files.reading import read_named, reason
from sealwright.files.writing import remove_unfinished, write_whole
from sealwright.model.policy import Policy
from sealwright.model.policy_toml import MAX_POLICY_BYTES, parse_draft
from sealwright.store.draft_sums import disagreeing, write_draft_sums
from sealwright.store.policy_editing import raise_version
from sealwright.store.trust_folder import read_beside, read_key
from sealwright.store.trust_sums import SUMS

_NO_POLICY = "sealwright init writes one to start with."


class Draft(NamedTuple):
    """A trust folder that is being made: its policy may still lack signers. `keys` are by fingerprint.

    `missing` are keys that the policy names and whose file is not there, `stale` the files that do not agree with
    SHA256SUMS.
    """

    path: Path
    content: bytes
    policy: Policy
    keys: dict[str, bytes]
    missing: frozenset[str]
    stale: frozenset[str]

    @property
    def folder(self) -> Path:
        """The trust folder."""
        return self.path.resolve().parent


class Published(NamedTuple):
    """What was written (names), the version of the policy now, and what did not agree with SHA256SUMS before."""

    written: tuple[str, ...]
    version: int
    stale: tuple[str, ...] = ()


def read_draft(path: Path, about: str = "") -> Draft:
    """Read the folder of a policy. SHA256SUMS may be wrong only about the policy and the key that this is `about`.

    That is what an interrupted change leaves behind. Raises PolicyError and UsageError.
    """
    content = read_named(path, MAX_POLICY_BYTES, "the policy", _NO_POLICY)
    try:
        policy = parse_draft(content)
    except PolicyError as error:
        raise PolicyError(f"{path}: {error.message}", error.hint) from error
    folder = path.resolve().parent
    there = {k.fingerprint for k in policy.openpgp_keys() if os.path.lexists(folder / f"{k.fingerprint}.asc")}
    missing = {key.fingerprint for key in policy.openpgp_keys()} - there
    if unknown := missing - {about}:
        read_key(folder, min(unknown))  # raises, and says what to do
    name = path.resolve().name
    stale = disagreeing(folder, name)
    if stale - {name, f"{about}.asc"}:
        raise PolicyError(
            f"{folder / SUMS} does not agree with {', '.join(sorted(stale))}",
            "Somebody changed the trust folder: look at what (git diff), then write SHA256SUMS anew.",
        )
    keys = {fingerprint: read_key(folder, fingerprint) for fingerprint in sorted(there)}
    return Draft(path, content, policy, keys, frozenset(missing), frozenset(stale))


def publish(
    path: Path, fingerprint: str, public: bytes, edit: Callable[[bytes], bytes] = lambda content: content
) -> Published:
    """Write a public key beside the policy, which `edit` may change; nothing is written if nothing changes.

    A new key's file is written before the policy names it, and a changed one after the policy's version was raised:
    whoever reads in between is refused, or sees the state before. Raises PolicyError and UndecidedError.
    """
    name, policy = f"{fingerprint}.asc", path.resolve().name
    with _locked(path) as folder:
        draft = read_draft(path, fingerprint)
        there = read_beside(folder, name) if os.path.lexists(folder / name) else None
        content = edit(draft.content)
        if content == draft.content and there != public:
            content = raise_version(content)
        changes = {policy: content} if content != draft.content else {}
        if draft.policy.signer_of_key(fingerprint) is None and there != public:
            changes = {name: public} | changes
        elif there != public:
            changes |= {name: public}
        for file, written in changes.items():
            write_whole(folder / file, written)
        if (changes or draft.stale) and os.path.lexists(folder / SUMS):
            write_draft_sums(folder, policy)
        return Published(tuple(changes), parse_draft(content).version, tuple(sorted(draft.stale)))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[Path]:
    folder = path.resolve().parent
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            remove_unfinished(folder)
            yield folder
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UndecidedError(f"{folder} cannot be written: {reason(error)}") from error

"""The trust folder: a policy and the files beside it, read once, with one fingerprint for all of them.

Enters: the path of a policy that a person named. Leaves: the policy's bytes, the key files, the fingerprint.
Never looks anywhere else: not in parent folders, not in the release. The fingerprint is the SHA-256 of the
folder's SHA256SUMS, which is computed here whether or not the file is there, and must agree if it is.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from sealwright.errors import PolicyError, UndecidedError
from sealwright.files.digest import digest_bytes
from sealwright.files.reading import UnfitFileError, read_bounded, read_named, reason
from sealwright.gnupg.key_file import OutsideError, read_key_file
from sealwright.gnupg.packets import PacketError
from sealwright.model.policy import Policy
from sealwright.model.policy_toml import MAX_POLICY_BYTES, parse_policy
from sealwright.model.record import Record
from sealwright.model.withdrawal import WITHDRAWN
from sealwright.store.trust_sums import SUMS, TELLING, render_sums

POLICY_FILE = "policy.toml"
MAX_TRUST_FILE_BYTES = 4 * 1024**2
OTHER_FILES = ("trusted_root.json", WITHDRAWN, "README.md")
_NO_POLICY = (
    "A policy says who may vouch for a release. Get it from the project, over another channel than the release, "
    "and name it with --policy."
)


class TrustFolder(Record):
    """A policy with the public keys it names (by fingerprint) and the fingerprint of the whole folder, in hex.

    `others` are the other files that belong to it, by name: the trusted root that the policy names is one.
    `substance` is a fingerprint of what judges alone (policy, keys, roots): a README or a withdrawal leaves it.
    `content` are the bytes of the policy.
    """

    path: Path
    policy: Policy
    keys: dict[str, bytes]
    others: dict[str, bytes]
    fingerprint: str
    substance: str = ""
    content: bytes = b""


def read_trust_folder(path: Path, release: Path | None, hint: str = _NO_POLICY) -> TrustFolder:
    """Read the policy at `path`, which is to judge `release` (None: one of no folder), and the files that belong to it.

    Raises PolicyError for anything missing, unreadable or contradictory, UsageError if there is no policy.
    """
    if release is not None:
        refuse_inside(path, release)
    if os.path.isfile(path / POLICY_FILE):
        raise PolicyError(f"the policy {path} is a folder", f"Did you mean {path / POLICY_FILE}?")
    content = read_named(path, MAX_POLICY_BYTES, "the policy", hint)
    try:
        policy = parse_policy(content)
    except PolicyError as error:
        raise PolicyError(f"{path}: {error.message}", error.hint) from error
    folder = path.resolve().parent
    keys = {key.fingerprint: read_key(folder, key.fingerprint) for key in policy.openpgp_keys()}
    named = _named_root(policy)
    others = {n: read_beside(folder, n) for n in sorted({*OTHER_FILES, *named}) if os.path.lexists(folder / n)}
    if missing := named - others.keys():
        raise PolicyError(f"{path}: sigstore-root names {missing.pop()}, which is not beside it")
    trust, listing = _assemble(path, path.name, content, policy, keys, others)
    if os.path.lexists(folder / SUMS):
        _refuse_other_sums(folder / SUMS, read_beside(folder, SUMS), listing)
    return trust


def trust_from_files(path: Path, files: Mapping[str, bytes]) -> TrustFolder:
    """Make a trust folder of files that were read elsewhere; `path` is what to call it.

    It must hold exactly what a trust folder holds. Raises PolicyError for a file too many or too few, a secret key, or
    a SHA256SUMS that does not agree.
    """
    if POLICY_FILE not in files:
        raise PolicyError(f"{path} holds no {POLICY_FILE}, so it is no trust folder", "Name the folder that holds it.")
    try:
        policy = parse_policy(files[POLICY_FILE])
    except PolicyError as error:
        raise PolicyError(f"{path}: {error.message}", error.hint) from error
    wanted = {f"{key.fingerprint}.asc": key.fingerprint for key in policy.openpgp_keys()}
    named = _named_root(policy)
    if missing := sorted((wanted.keys() | named) - files.keys()):
        raise PolicyError(f"{path} lacks {missing[0]}, which its policy names", "Get the whole trust folder again.")
    if extra := sorted(files.keys() - wanted.keys() - named - {POLICY_FILE, SUMS, *OTHER_FILES}):
        raise PolicyError(
            f"{path} holds {extra[0]}, which belongs to no trust folder",
            "A trust folder holds the policy, the keys that it names, and nothing else that counts: ask the project.",
        )
    for name in wanted:
        _refuse_unfit_key(path / name, files[name])
    keys = {fingerprint: files[name] for name, fingerprint in wanted.items()}
    others = {name: content for name, content in files.items() if name in named | set(OTHER_FILES)}
    trust, listing = _assemble(path, POLICY_FILE, files[POLICY_FILE], policy, keys, others)
    if SUMS in files:
        _refuse_other_sums(path / SUMS, files[SUMS], listing)
    return trust


def _named_root(policy: Policy) -> set[str]:
    return {policy.sigstore_root} if policy.sigstore_root.endswith(".json") else set()


def _assemble(
    path: Path, name: str, content: bytes, policy: Policy, keys: dict[str, bytes], others: dict[str, bytes]
) -> tuple[TrustFolder, bytes]:
    """Return the trust folder, and the SHA256SUMS that it must have."""
    by_file = {f"{fingerprint}.asc": key for fingerprint, key in keys.items()}
    listing = render_sums({name: content} | by_file | others)
    telling = {name: content for name, content in others.items() if name in TELLING}
    judging = {name: content for name, content in others.items() if name not in telling}
    substance = digest_bytes(render_sums({POLICY_FILE: content} | by_file | judging))
    return TrustFolder(path, policy, keys, others, digest_bytes(listing), substance, content), listing


def _refuse_other_sums(path: Path, said: bytes, listing: bytes) -> None:
    if said != listing:
        raise PolicyError(
            f"{path} does not agree with the files beside it",
            "Somebody changed the trust folder. If you did: raise the policy's version, then `sealwright trust sums`.",
        )


def refuse_inside(policy: Path, release: Path) -> None:
    """Refuse a policy that lies in the release it should judge, or beside a file: who made the one made the other."""
    try:
        folder = release.resolve()
        inside = policy.resolve().is_relative_to(folder)
    except (OSError, RuntimeError, ValueError) as error:
        raise UndecidedError(f"{policy} cannot be resolved: {error}", "Name the file itself.") from error
    if inside:
        raise PolicyError(
            f"the policy {policy} lies inside the release folder {folder}",
            "A release cannot vouch for itself. Keep its policy elsewhere, or pin it: sealwright trust pin FOLDER.",
        )


def read_key(folder: Path, fingerprint: str) -> bytes:
    """Read the public key file of a key that the policy names. Raises PolicyError."""
    name = f"{fingerprint}.asc"
    if not os.path.lexists(folder / name):
        raise PolicyError(
            f"the policy names the key {fingerprint}, but {folder / name} is not there",
            "A trust folder is policy.toml with every key file that it names: get the whole folder. If it is yours: "
            f"sealwright keys export {fingerprint} > {folder / name}",
        )
    content = read_beside(folder, name)
    _refuse_unfit_key(folder / name, content)
    return content


def _refuse_unfit_key(path: Path, content: bytes) -> None:
    """Refuse a secret key, and whatever gpg would pass over: it could be the key's revocation, in another encoding."""
    if b"PRIVATE KEY BLOCK" in content:
        raise PolicyError(
            f"{path} holds a SECRET key",
            "Take it out of the folder and out of the history, and treat the key as stolen.",
        )
    try:
        read_key_file(content)
    except OutsideError as error:
        raise PolicyError(
            f"{path} holds {error}, which gpg passes over",
            "Leave nothing but the key there: gpg --armor --export FINGERPRINT > that file.",
        ) from error
    except PacketError as error:
        raise PolicyError(
            f"gpg could not take in all of {path}: {error}",
            "It may be a revocation. Export the key again: gpg --armor --export FINGERPRINT > that file.",
        ) from error


def read_beside(folder: Path, name: str) -> bytes:
    """Read a file of the trust folder. Raises PolicyError."""
    try:
        return read_bounded(folder / name, MAX_TRUST_FILE_BYTES)
    except UnfitFileError as error:
        raise PolicyError(f"{folder / name} is {error}") from error
    except OSError as error:
        raise PolicyError(f"{folder / name} cannot be read: {reason(error)}") from error

"""The trust folder: a policy and the files beside it, read once, with one fingerprint for all of them.

Enters: the path of a policy that a person named. Leaves: the policy's bytes, the key files, the fingerprint.
Never looks anywhere else: not in parent folders, not in the release. The fingerprint is the SHA-256 of the
folder's SHA256SUMS, which is computed here whether or not the file is there, and must agree if it is.
"""

import os
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import PolicyError, UndecidedError
from sealwright.files.digest import digest_bytes
from sealwright.files.reading import UnfitFileError, read_bounded, read_named, reason
from sealwright.model.policy import Policy
from sealwright.model.policy_toml import MAX_POLICY_BYTES, parse_policy

SUMS = "SHA256SUMS"
_MAX_KEY_BYTES = 4 * 1024**2
OTHER_FILES = ("trusted_root.json", "withdrawn.json", "README.md")
_NO_POLICY = (
    "A policy says who may vouch for a release. Get it from the project, over another channel than the release, "
    "and name it with --policy."
)


class TrustFolder(NamedTuple):
    """A policy with the public keys it names (by fingerprint) and the fingerprint of the whole folder, in hex.

    `others` are the other files that belong to it, by name: the trusted root that the policy names is one.
    """

    path: Path
    policy: Policy
    keys: dict[str, bytes]
    others: dict[str, bytes]
    fingerprint: str


def read_trust_folder(path: Path, release: Path, hint: str = _NO_POLICY) -> TrustFolder:
    """Read the policy at `path`, which is to judge `release`, and the files beside it that belong to it.

    Raises PolicyError for anything missing, unreadable or contradictory, UsageError if there is no policy.
    """
    refuse_inside(path, release)
    content = read_named(path, MAX_POLICY_BYTES, "the policy", hint)
    try:
        policy = parse_policy(content)
    except PolicyError as error:
        raise PolicyError(f"{path}: {error.message}", error.hint) from error
    folder = path.resolve().parent
    keys = {key.fingerprint: read_key(folder, key.fingerprint) for key in policy.openpgp_keys()}
    sums = {path.name: digest_bytes(content)} | {f"{name}.asc": digest_bytes(key) for name, key in keys.items()}
    named = {policy.sigstore_root} if policy.sigstore_root.endswith(".json") else set()
    others = {n: read_beside(folder, n) for n in sorted({*OTHER_FILES, *named}) if os.path.lexists(folder / n)}
    if missing := named - others.keys():
        raise PolicyError(f"{path}: sigstore-root names {missing.pop()}, which is not beside it")
    sums |= {name: digest_bytes(content) for name, content in others.items()}
    listing = render_listing(sums)
    if os.path.lexists(folder / SUMS) and read_beside(folder, SUMS) != listing:
        raise PolicyError(
            f"{folder / SUMS} does not agree with the files beside it",
            "Somebody changed the trust folder, or its SHA256SUMS is out of date.",
        )
    return TrustFolder(path, policy, keys, others, digest_bytes(listing))


def render_listing(digests: dict[str, str]) -> bytes:
    """Write what SHA256SUMS of a trust folder says, given the SHA-256 (hex) of each of its files."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def refuse_inside(policy: Path, release: Path) -> None:
    """Refuse a policy that lies in the release it should judge: whoever made the one made the other."""
    try:
        inside = policy.resolve().is_relative_to(release.resolve())
    except (OSError, RuntimeError, ValueError) as error:
        raise UndecidedError(f"{policy} cannot be resolved: {error}", "Name the file itself.") from error
    if inside:
        raise PolicyError(
            f"the policy {policy} lies inside the release {release}", "A release cannot vouch for itself. " + _NO_POLICY
        )


def read_key(folder: Path, fingerprint: str) -> bytes:
    """Read the public key file of a key that the policy names. Raises PolicyError."""
    name = f"{fingerprint}.asc"
    if not os.path.lexists(folder / name):
        raise PolicyError(
            f"the policy names the key {fingerprint}, but {folder / name} is not there",
            f"Put the public key beside the policy: gpg --armor --export {fingerprint} > {folder / name}",
        )
    content = read_beside(folder, name)
    if b"PRIVATE KEY BLOCK" in content:
        raise PolicyError(
            f"{folder / name} holds a SECRET key",
            "Take it out of the folder and out of the history, and treat the key as stolen.",
        )
    return content


def read_beside(folder: Path, name: str) -> bytes:
    """Read a file of the trust folder. Raises PolicyError."""
    try:
        return read_bounded(folder / name, _MAX_KEY_BYTES)
    except UnfitFileError as error:
        raise PolicyError(f"{folder / name} is {error}") from error
    except OSError as error:
        raise PolicyError(f"{folder / name} cannot be read: {reason(error)}") from error

"""The SHA256SUMS of a trust folder, made anew from the files that belong to it.

Enters: the folder, and the name of the policy in it. Leaves: its bytes, written only when asked. The policy may be one
whose signers are still being listed.
"""

import os
from pathlib import Path

from sealwright.errors import PolicyError, UndecidedError
from sealwright.files.digest import digest_bytes
from sealwright.files.reading import reason
from sealwright.files.writing import write_whole
from sealwright.model.policy_toml import parse_draft
from sealwright.store.trust_folder import OTHER_FILES, SUMS, read_beside, read_key, render_listing


def render_sums(folder: Path, policy: str = "policy.toml") -> bytes:
    """Return what the folder's SHA256SUMS should say. Raises PolicyError for what is missing or wrong."""
    return render_listing(_digests(folder, policy))


def write_sums(folder: Path, policy: str = "policy.toml") -> bytes:
    """Write the folder's SHA256SUMS and return it. Raises PolicyError and UndecidedError."""
    content = render_sums(folder, policy)
    try:
        if not os.path.lexists(folder / SUMS) or read_beside(folder, SUMS) != content:
            write_whole(folder / SUMS, content)
    except OSError as error:
        raise UndecidedError(f"{folder / SUMS} cannot be written: {reason(error)}") from error
    return content


def disagreeing(folder: Path, policy: str = "policy.toml") -> set[str]:
    """Name the files about which an existing SHA256SUMS is not right; none if there is no such file."""
    if not os.path.lexists(folder / SUMS):
        return set()
    try:
        text = read_beside(folder, SUMS).decode("ascii")
    except UnicodeDecodeError as error:
        raise PolicyError(f"{folder / SUMS} is not ASCII") from error
    there = set(text.splitlines())
    right = set(render_listing(_digests(folder, policy, strict=False)).decode().splitlines())
    return {line.partition("  ")[2] for line in there ^ right}


def _digests(folder: Path, name: str, *, strict: bool = True) -> dict[str, str]:
    content = read_beside(folder, name)
    policy = parse_draft(content)
    digests = {name: digest_bytes(content)}
    for key in policy.openpgp_keys():
        file = f"{key.fingerprint}.asc"
        if strict or os.path.lexists(folder / file):
            digests[file] = digest_bytes(read_key(folder, key.fingerprint))
    named = {policy.sigstore_root} if policy.sigstore_root.endswith(".json") else set()
    for other in {*OTHER_FILES, *named}:
        if os.path.lexists(folder / other):
            digests[other] = digest_bytes(read_beside(folder, other))
    return digests

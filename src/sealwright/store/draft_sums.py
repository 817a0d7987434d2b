"""The SHA256SUMS of a trust folder that is being made: its policy may be one whose signers are still being listed.

Enters: the folder, and the name of the policy in it. Leaves: the listing, written only when asked.
"""

import os
from pathlib import Path

from sealwright.errors import PolicyError, UndecidedError
from sealwright.files.reading import reason
from sealwright.files.writing import write_whole
from sealwright.model.policy_toml import parse_draft
from sealwright.store.trust_folder import OTHER_FILES, read_beside, read_key
from sealwright.store.trust_sums import SUMS, render_sums


def render_draft_sums(folder: Path, policy: str = "policy.toml") -> bytes:
    """Return what the folder's SHA256SUMS should say. Raises PolicyError for what is missing or wrong."""
    return render_sums(_files(folder, policy))


def write_draft_sums(folder: Path, policy: str = "policy.toml") -> None:
    """Write the folder's SHA256SUMS. Raises PolicyError and UndecidedError."""
    content = render_draft_sums(folder, policy)
    try:
        if not os.path.lexists(folder / SUMS) or read_beside(folder, SUMS) != content:
            write_whole(folder / SUMS, content)
    except OSError as error:
        raise UndecidedError(f"{folder / SUMS} cannot be written: {reason(error)}") from error


def disagreeing(folder: Path, policy: str = "policy.toml") -> set[str]:
    """Name the files about which an existing SHA256SUMS is not right; none if there is no such file."""
    if not os.path.lexists(folder / SUMS):
        return set()
    try:
        text = read_beside(folder, SUMS).decode("ascii")
    except UnicodeDecodeError as error:
        raise PolicyError(f"{folder / SUMS} is not ASCII") from error
    there = set(text.splitlines())
    right = set(render_sums(_files(folder, policy, strict=False)).decode().splitlines())
    return {line.partition("  ")[2] for line in there ^ right}


def _files(folder: Path, name: str, *, strict: bool = True) -> dict[str, bytes]:
    content = read_beside(folder, name)
    policy = parse_draft(content)
    files = {name: content}
    for key in policy.openpgp_keys():
        file = f"{key.fingerprint}.asc"
        if strict or os.path.lexists(folder / file):
            files[file] = read_key(folder, key.fingerprint)
    named = {policy.sigstore_root} if policy.sigstore_root.endswith(".json") else set()
    for other in {*OTHER_FILES, *named}:
        if os.path.lexists(folder / other):
            files[other] = read_beside(folder, other)
    return files

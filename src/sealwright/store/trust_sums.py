"""The SHA256SUMS of a trust folder, whose own SHA-256 is the fingerprint of the whole folder.

Enters: files by name, or a folder. Leaves: the listing, written or read. The grammar is that of a release
(docs/formats.md#sha256sums): 64 lower-case hex digits, two spaces, a name, a newline; sorted by name, nothing else.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from sealwright.errors import PolicyError, UndecidedError
from sealwright.files.digest import digest_bytes
from sealwright.files.reading import read_bounded, reason
from sealwright.model.withdrawal import WITHDRAWN

SUMS = "SHA256SUMS"
TELLING = ("README.md", WITHDRAWN)
"""Files of a trust folder that judge nobody: one is for people, the other is signed by itself."""

MAX_SUMS_BYTES = 256 * 1024
MAX_FILES = 1_100  # as many keys as a policy may list, and what lies beside them
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})", re.ASCII)


def render_sums(files: Mapping[str, bytes]) -> bytes:
    """Return the SHA256SUMS of files by name; a SHA256SUMS among them is left out."""
    return "".join(f"{digest_bytes(files[name])}  {name}\n" for name in sorted(files) if name != SUMS).encode()


def parse_sums(content: bytes) -> dict[str, str]:
    """Return the hex SHA-256 of each listed name. Raises ValueError for whatever is not exactly such a listing."""
    if len(content) > MAX_SUMS_BYTES:
        raise ValueError(f"larger than {MAX_SUMS_BYTES:,} bytes")
    text = content.decode("ascii", "replace")
    if not text.isascii():
        raise ValueError("no ASCII text")
    if not text.endswith("\n"):
        raise ValueError("no list that ends with a newline")
    found: dict[str, str] = {}
    for number, line in enumerate(text[:-1].split("\n"), 1):
        match = _LINE.fullmatch(line)
        if not match or match[2] == SUMS:
            raise ValueError(f"no list of digests (line {number})")
        found[match[2]] = match[1]
    if list(found) != sorted(found) or len(found) != text.count("\n") or len(found) > MAX_FILES:
        raise ValueError("a list that is not sorted, too long, or names a file twice")
    return found


def find_unraised(folder: Path) -> tuple[str, ...]:
    """Name the listed files that judge and are others now, if the policy is still the listed one: so is its version.

    Nothing if there is no listing, or none that can be read. Raises PolicyError as `write_sums` does.
    """
    from sealwright.store.trust_source import read_plain_folder

    files = read_plain_folder(folder)
    try:
        listed = parse_sums(files.get(SUMS, b""))
    except ValueError:
        return ()
    there = {name: digest_bytes(content) for name, content in files.items() if name not in (SUMS, *TELLING)}
    other = tuple(sorted(name for name, digest in there.items() if listed.get(name) != digest))
    return () if "policy.toml" in other else other


def write_sums(folder: Path) -> str:
    """Write the SHA256SUMS of the trust folder at `folder`, and return the folder's fingerprint (hex SHA-256).

    Raises PolicyError if what is there is no trust folder, down to a file that does not belong to one.
    """
    from sealwright.files.writing import write_whole
    from sealwright.store.trust_folder import trust_from_files
    from sealwright.store.trust_source import read_plain_folder

    files = {name: content for name, content in read_plain_folder(folder).items() if name != SUMS}
    trust = trust_from_files(folder, files)
    listing = render_sums(files)
    if digest_bytes(listing) != trust.fingerprint:
        raise PolicyError(f"{folder} holds a file that its fingerprint would not cover")
    path = folder / SUMS
    try:
        write_whole(path, listing)
    except OSError as error:
        raise UndecidedError(f"{path} cannot be written: {reason(error)}") from error
    return trust.fingerprint


def update_sums(folder: Path, name: str, content: bytes) -> bool:
    """Give a file its new digest in the SHA256SUMS of a trust folder, if there is one; tell whether there is.

    Raises PolicyError if that is no list of digests, and OSError.
    """
    from sealwright.files.writing import write_whole

    try:
        listed = parse_sums(read_bounded(folder / SUMS, MAX_SUMS_BYTES))
    except FileNotFoundError:
        return False
    except ValueError as error:
        raise PolicyError(f"{folder / SUMS} is {error}", "`sealwright trust sums` writes it anew.") from error
    listed[name] = digest_bytes(content)
    write_whole(folder / SUMS, "".join(f"{listed[each]}  {each}\n" for each in sorted(listed)).encode())
    return True

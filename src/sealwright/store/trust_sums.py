"""The SHA256SUMS of a trust folder, whose own SHA-256 is the fingerprint of the whole folder.

Enters: files by name, or a folder. Leaves: the listing, written or read. The grammar is that of a release
(docs/formats.md#sha256sums): 64 lower-case hex digits, two spaces, a name, a newline; sorted by name, nothing else.
"""

import re
from collections.abc import Mapping

from sealwright.files.digest import digest_bytes
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

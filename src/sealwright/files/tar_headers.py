"""The headers before a member of a tar archive as they stand: what one reader passes over, another one obeys.

Enters: the bytes from the end of one member to the content of the next. Leaves: nothing, or a MetadataError.
POSIX.1-2017, pax, https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
"""

import re

from sealwright.files.distribution import MetadataError

_BLOCK = 512
_SIZE, _CHECKSUM = slice(124, 136), slice(148, 156)
_TYPE, _MAGIC, _PREFIX = slice(156, 157), slice(257, 263), slice(345, 500)
_USTAR = b"ustar\0"  # of GNU tar, and of tar before POSIX, it is another one: what they have no prefix for is no name
_OCTAL = re.compile(rb" *[0-7]*[ \0]*")  # Python takes a sign and an underscore, too; in GNU tar, a sign means base 64
_GLOBAL, _LOCAL, _NAME, _LINK = b"g", b"x", b"L", b"K"
_SOLARIS = b"X"  # as b"x", but not to all
_SPARSE = b"S"  # of GNU tar, which takes it for a whole file where the rest of the header is not its own
_RECORD = re.compile(rb"([1-9][0-9]{0,8}) ([^=\n]+)=")
_LIKE_A_RECORD = re.compile(rb"\n[0-9]+ [^=\n]+=")


def refuse_two_readings(headers: bytes, name: str) -> None:
    """Refuse headers of the member `name` in which readers of tar differ. Raises MetadataError.

    Of two that name the same member, some heed the first, and others the last; and so of two records of pax. A size
    among these is not heeded by all, so it must be the one of the member's own header, as uv_build writes it. At a
    checksum that it cannot read, GNU tar looks for the next header in what is content to others.
    """
    at, before, stated = 0, b"", b""
    while at < len(headers):
        block = headers[at : at + _BLOCK]
        kind = block[_TYPE]
        if not _OCTAL.fullmatch(block[_SIZE]) or not _OCTAL.fullmatch(block[_CHECKSUM]):
            raise MetadataError(f"it holds {name!r}, whose numbers others read in another way")
        if kind not in (_GLOBAL, _LOCAL, _NAME, _LINK):
            if kind == _SPARSE:
                raise MetadataError(f"it holds {name!r}, whose content others read in another way")
            if kind == _SOLARIS or (block[_PREFIX].strip(b"\0") and block[_MAGIC] != _USTAR):
                raise MetadataError(f"it holds {name!r}, whose name others read in another way")
            break
        if kind != _GLOBAL:
            if kind in before or (before and _LOCAL in before + kind):
                raise MetadataError(f"it holds {name!r}, which has two headers that others read in another order")
            before += kind
        size = _size(block)
        at += _BLOCK
        if kind in (_GLOBAL, _LOCAL):
            stated = _read_records(headers[at : at + size], name).get(b"size", stated)
        at += size + -size % _BLOCK
    if stated and stated != b"%d\n" % _size(headers[at : at + _BLOCK]):
        raise MetadataError(f"it holds {name!r}, which others read in another way")


def _size(block: bytes) -> int:
    return int(block[_SIZE].strip(b" \0") or b"0", 8)


def _read_records(content: bytes, name: str) -> dict[bytes, bytes]:
    """Return the records with their newlines. Raises MetadataError."""
    records: dict[bytes, bytes] = {}
    at = 0
    while at < len(content):
        found = _RECORD.match(content, at)
        end = at + int(found[1]) if found else 0
        if not found or found[2] in records or end <= found.end() or content[end - 1 : end] != b"\n":
            raise MetadataError(f"it holds {name!r}, with records that others read in another way")
        if _LIKE_A_RECORD.search(content, found.end(), end):  # to who ends one at the first newline
            raise MetadataError(f"it holds {name!r}, with a record within a record")
        records[found[2]] = content[found.end() : end]
        at = end
    return records

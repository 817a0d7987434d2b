"""What wheels and sdists have in common: their bounds, and how they fail.

Enters: nothing. Leaves: numbers, and the one exception for whatever is wrong with an archive.
"""

import struct
import zlib

MAX_METADATA_BYTES = 4 * 1024 * 1024
MAX_UNPACKED_BYTES = 8 * 1024**3


# What gzip, tarfile and zipfile throw at damaged input, besides errors of their own.
BROKEN = (
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    RuntimeError,
    OverflowError,
    AttributeError,
)


class MetadataError(ValueError):
    """An archive that cannot be read, or that contradicts itself; the text says how."""


class SecondDistributionError(MetadataError):
    """A wheel that installs more than the distribution it is called after; the text names it."""

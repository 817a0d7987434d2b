"""What wheels and sdists have in common: their bounds, and how they fail.

Enters: nothing. Leaves: numbers, and the one exception for whatever is wrong with an archive.
"""

MAX_METADATA_BYTES = 4 * 1024 * 1024
MAX_UNPACKED_BYTES = 8 * 1024**3


class MetadataError(ValueError):
    """An archive that cannot be read, or that contradicts itself; the text says how."""

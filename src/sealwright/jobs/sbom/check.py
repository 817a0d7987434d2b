"""Score an SBOM of any tool against the minimum elements.

Enters: a path, and the score that was asked for. Leaves: `SbomScore`. Opens no connection and starts no program.
"""

from pathlib import Path

from sealwright.collect.contents.sbom_reading import MAX_SBOM_BYTES, NoSbomError, read_sbom
from sealwright.errors import UsageError
from sealwright.files.reading import read_named
from sealwright.model.sbom_score import SbomScore, score_sbom


def check_sbom(path: Path, minimum: int = 0) -> SbomScore:
    """Read and score. Raises UsageError if it is no SBOM, UndecidedError if it cannot be read."""
    hint = "It scores CycloneDX (1.2 to 1.7) and SPDX (2.2, 2.3, 3.0) in JSON."
    try:
        return score_sbom(str(path), read_sbom(read_named(path, MAX_SBOM_BYTES, "the SBOM", hint)), minimum)
    except NoSbomError as error:
        raise UsageError(f"{path} is {error}", hint) from error

"""One file, one bundle: the plumbing that other people's releases and conformance suites need.

Enters: a file or its digest, a bundle, who should have signed. Leaves: an `ArtifactVerdict`. Opens no connection.
"""

import os
import re
from datetime import datetime
from pathlib import Path

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import Progress, digest_descriptor, no_progress
from sealwright.files.reading import UnfitFileError, open_regular, read_named, reason
from sealwright.model.artifact import MAX_ARTIFACT_BYTES
from sealwright.model.artifact_verdict import ArtifactVerdict
from sealwright.model.release import MAX_BUNDLE_BYTES
from sealwright.model.trusted_root import describe_root
from sealwright.store.trusted_root import read_root_file, shipped_root
from sealwright.verify.bundle import check_bundle, open_verifier

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


def verify_artifact(
    file: str, bundle: Path, identity: str, oidc_issuer: str, root: Path | None, *, now: datetime,
    progress: Progress = no_progress,
) -> ArtifactVerdict:  # fmt: skip
    """Judge `bundle` over `file`, a path or sha256:HEX; `root` is a trusted root, or None for the shipped
    one; `now` (UTC) only tells its age.

    Raises UsageError and UndecidedError.
    """
    trusted = read_root_file(root) if root else shipped_root()
    verifier = open_verifier(trusted)
    content = read_named(bundle, MAX_BUNDLE_BYTES, "the bundle")
    sha256 = _digest(file, progress)
    checks = check_bundle(content, sha256, identity, oidc_issuer, verifier)
    return ArtifactVerdict(file, sha256, identity, oidc_issuer, describe_root(trusted, now), checks)


def _digest(file: str, progress: Progress) -> str:
    if match := _DIGEST.fullmatch(file):
        if os.path.lexists(file):  # for FILE in *: a planted file must not be taken for the digest that it is called
            raise UsageError(f"{file} is a digest, and also the name of a file here", "Write ./NAME for the file.")
        return match[1]
    try:
        source = open_regular(file, follow=True)
        try:
            return digest_descriptor(source, MAX_ARTIFACT_BYTES, name=file, progress=progress).sha256
        finally:
            os.close(source)
    except (FileNotFoundError, NotADirectoryError) as error:
        hint = "Name the file, or its digest as sha256:HEX with 64 lower-case digits."
        raise UsageError(f"{file} does not exist", hint) from error
    except (UnfitFileError, ValueError) as error:
        raise UsageError(f"{file} is {error}") from error
    except OSError as error:
        raise UndecidedError(f"{file} cannot be read: {reason(error)}") from error

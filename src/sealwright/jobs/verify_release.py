"""The end user's question, and the maintainer's: may this release be trusted?

Enters: a release folder, a policy from elsewhere, and the project and version that were asked for.
Leaves: a `Verdict`. `sealwright verify` and `verify-release` both end here, and so does `sealwright seal`.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import Progress, no_progress
from sealwright.files.reading import reason
from sealwright.jobs.audit_again import Again, add_audit, refuse_without_index
from sealwright.model.verdict import PolicyInUse, Verdict
from sealwright.store.release_folder import private_copy
from sealwright.store.trust_folder import TrustFolder, refuse_inside
from sealwright.store.trusted_root import read_root
from sealwright.verify.verifier import Trust, verify

if TYPE_CHECKING:
    from packaging.version import Version

Clock = Callable[[], datetime]
"""Returns the time now, in UTC."""


class Asked(NamedTuple):
    """What the user typed: NAME==VERSION, or VERSION alone. `project` is normalised (PEP 503)."""

    project: str | None
    version: "Version"


def parse_asked(text: str) -> Asked:
    """Read NAME==VERSION or VERSION. Raises UsageError."""
    from packaging.utils import InvalidName, canonicalize_name
    from packaging.version import InvalidVersion, Version

    name, equals, version = text.rpartition("==")
    try:
        return Asked(canonicalize_name(name, validate=True) if equals else None, Version(version))
    except (InvalidName, InvalidVersion, ValueError) as error:  # ValueError: more digits than int() takes
        raise UsageError(
            f"{text[:80]!r} is neither NAME==VERSION nor VERSION", "For instance: verify-release sampleproject==4.0.0"
        ) from error


def verify_folder(
    folder: Path,
    trust: TrustFolder,
    *,
    asked: Asked | None,
    clock: Clock,
    gpg: str | None,
    refresh: bool = False,
    progress: Progress = no_progress,
    again: Again | None = None,
) -> Verdict:
    """Judge the release in `folder`; `refresh` asks Sigstore for its present root of trust, over the network.

    `again` says against which local index to audit what it depends on, once it has verified.

    Raises UsageError (the policy is another project's, or lies in the release) and UndecidedError.
    """
    refuse_without_index(again)
    ready = prepare(folder, trust, asked=asked, refresh=refresh)
    try:
        with private_copy(folder, progress=progress) as release:
            now = clock()
            return add_audit(release, verify(release, ready, asked.version if asked else None, now, gpg), again, now)
    except OSError as error:
        raise UndecidedError(
            f"{folder} could not be judged: {reason(error)}", "Set TMPDIR to a folder with room that is writable."
        ) from error


def prepare(folder: Path, trust: TrustFolder, *, asked: Asked | None = None, refresh: bool = False) -> Trust:
    """Return what judges the release in `folder`, for `verify`. Raises as `verify_folder` does."""
    refuse_inside(trust.path, folder)
    if asked and asked.project not in (None, trust.policy.project):
        raise UsageError(
            f"{trust.path} is the policy of {trust.policy.project}, not of {asked.project}",
            f"Name the policy of {asked.project} with --policy.",
        )
    in_use = PolicyInUse(str(trust.path), trust.policy.version, trust.fingerprint, trust.policy.expires)
    needs_root = refresh or trust.policy.sigstore_identities() or trust.policy.sigstore_root in trust.others
    root = read_root(trust, refresh=refresh) if needs_root else None
    return Trust(trust.policy, in_use, trust.keys, root)

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
from sealwright.model.verdict import PolicyInUse, Verdict
from sealwright.model.withdrawal import WITHDRAWN, Withdrawal
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


def with_project(asked: Asked, name: str | None) -> Asked:
    """Return what was asked for with a project that was named beside it. Raises UsageError if they disagree."""
    if name is None:
        return asked
    from packaging.utils import InvalidName, canonicalize_name

    try:
        project = canonicalize_name(name, validate=True)
    except InvalidName as error:
        raise UsageError(f"{name[:80]!r} is no name of a project") from error
    if asked.project not in (None, project):
        raise UsageError(f"--project {project} and {asked.project} contradict each other", "Leave --project out.")
    return asked._replace(project=project)


def verify_folder(
    folder: Path,
    trust: TrustFolder,
    *,
    asked: Asked | None,
    clock: Clock,
    gpg: str | None,
    refresh: bool = False,
    progress: Progress = no_progress,
    remembered: tuple[Withdrawal, ...] = (),
) -> Verdict:
    """Judge the release in `folder`; `refresh` asks Sigstore for its present root of trust, over the network.

    `remembered` is what the project was once found to have called back.

    Raises UsageError (the policy is another project's, or lies in the release) and UndecidedError.
    """
    ready = prepare(folder, trust, asked=asked, refresh=refresh)._replace(remembered=remembered)
    try:
        with private_copy(folder, progress=progress) as release:
            return verify(release, ready, asked.version if asked else None, clock(), gpg)
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
    return Trust(trust.policy, in_use, trust.keys, root, trust.others.get(WITHDRAWN, b""))

"""The end user's question, and the maintainer's: may this release be trusted?

Enters: a release folder, or places to fetch it from, a policy from elsewhere, and the project and version that were
asked for. Leaves: a `Verdict`, and while it is of use the private copies that were judged. `sealwright verify` and
`verify-release` both end here, and so does `sealwright seal`.
"""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import Progress, no_progress
from sealwright.files.reading import reason
from sealwright.model.verdict import PolicyInUse, Verdict
from sealwright.store.release_folder import private_copy
from sealwright.store.trust_folder import TrustFolder, refuse_inside
from sealwright.store.trusted_root import read_root
from sealwright.verify.verifier import Trust, verify

if TYPE_CHECKING:
    from packaging.version import Version

    from sealwright.jobs.fetch_release import Source
    from sealwright.model.release import Release

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
) -> Verdict:
    """Judge the release in `folder`; `refresh` asks Sigstore for its present root of trust, over the network.

    Raises UsageError (the policy is another project's, or lies in the release) and UndecidedError.
    """
    with verified_folder(
        folder, trust, asked=asked, clock=clock, gpg=gpg, refresh=refresh, progress=progress
    ) as verified:
        return verified.verdict


class Verified(NamedTuple):
    """A verdict, and what was judged: the private copies in `release` are the very bytes, as long as they are kept."""

    verdict: Verdict
    release: "Release"


@contextlib.contextmanager
def verified_folder(
    folder: Path,
    trust: TrustFolder,
    *,
    asked: Asked | None,
    clock: Clock,
    gpg: str | None,
    refresh: bool = False,
    progress: Progress = no_progress,
) -> Iterator[Verified]:
    """Judge the release in `folder` as `verify_folder` does, and keep the private copies until the end."""
    ready = prepare(folder, trust, asked=asked, refresh=refresh)
    with contextlib.ExitStack() as kept:
        try:
            release = kept.enter_context(private_copy(folder, progress=progress))
            verdict = verify(release, ready, asked.version if asked else None, clock(), gpg)
        except OSError as error:
            raise UndecidedError(
                f"{folder} could not be judged: {reason(error)}", "Set TMPDIR to a folder with room that is writable."
            ) from error
        yield Verified(verdict, release)


@contextlib.contextmanager
def verified_release(
    source: "Source",
    trust: TrustFolder,
    *,
    asked: Asked,
    clock: Clock,
    gpg: str | None,
    refresh: bool = False,
    progress: Progress = no_progress,
) -> Iterator[Verified]:
    """Judge the release at `source`, a folder or other places, and keep the private copies until the end.

    Raises UsageError, MissingError if there is no such release, and UndecidedError.
    """
    from sealwright.jobs.fetch_release import fetch_release, local_folder

    folder = local_folder(source, trust.policy)
    if folder is not None:
        with verified_folder(
            folder, trust, asked=asked, clock=clock, gpg=gpg, refresh=refresh, progress=progress
        ) as verified:
            yield verified
        return
    with contextlib.ExitStack() as kept:
        try:
            ready = prepare(None, trust, asked=asked, refresh=refresh)
            release = kept.enter_context(fetch_release(source, trust, asked.version, progress=progress))
            verdict = verify(release, ready, asked.version, clock(), gpg)
        except OSError as error:
            raise UndecidedError(
                f"the release could not be judged: {reason(error)}",
                "Set TMPDIR to a folder with room that is writable.",
            ) from error
        yield Verified(verdict, release)


def prepare(folder: Path | None, trust: TrustFolder, *, asked: Asked | None = None, refresh: bool = False) -> Trust:
    """Return what judges the release in `folder`, if it is in one, for `verify`. Raises as `verify_folder` does."""
    if folder is not None:
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

"""The end user's question, and the maintainer's: may this release be trusted?

Enters: a release folder, or places to fetch it from, a policy from elsewhere, and the project and version that were
asked for. Leaves: a `Verdict`, and while it is of use the private copies that were judged. `sealwright verify` and
`verify-release` both end here, and so does `sealwright seal`.
"""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.errors import PolicyError, UndecidedError, UsageError
from sealwright.files.digest import Progress, no_progress
from sealwright.files.reading import reason
from sealwright.jobs.audit.again import Again, add_audit, refuse_without_index
from sealwright.model.ordinary_names import canonical_project, is_ordinary_version
from sealwright.model.record import Record
from sealwright.model.trust import Trust
from sealwright.model.verdict import PolicyInUse, Verdict
from sealwright.model.withdrawal import WITHDRAWN, Withdrawal
from sealwright.store.trust_folder import TrustFolder, refuse_inside
from sealwright.store.trusted_root import read_root
from sealwright.verify.policy_keys import prepare_gpg

if TYPE_CHECKING:
    from packaging.version import Version

    from sealwright.jobs.verify.fetch import Source
    from sealwright.model.release import Release

Clock = Callable[[], datetime]
"""Returns the time now, in UTC."""

Recall = Callable[[], tuple[Withdrawal, ...]]
"""Returns what the project was once found to have called back. It is asked before the release is read."""


class Asked(Record):
    """What the user typed: NAME==VERSION, or VERSION alone. `project` is normalised (PEP 503)."""

    project: str | None
    text: str

    @property
    def version(self) -> "Version":
        """The version. (Not before it is needed: gpg can be at work meanwhile.)"""
        from packaging.version import Version

        return Version(self.text)


def parse_asked(text: str) -> Asked:
    """Read NAME==VERSION or VERSION. Raises UsageError."""
    name, equals, version = text.rpartition("==")
    try:
        asked = Asked(canonical_project(name) if equals else None, version)
        if not is_ordinary_version(version):
            str(asked.version)
    except ValueError as error:  # packaging's errors are such; so is that of more digits than int() takes
        raise UsageError(f"{_shown(text)!r} is neither NAME==VERSION nor VERSION", _say_meant(text[:200])) from error
    return asked


def _shown(text: str) -> str:
    """What was typed; of an address, nothing that could be a password."""
    from sealwright.files.web_address import shown

    return shown(text)[:80] if "://" in text else text[:80]


def _say_meant(text: str) -> str:
    """What to type instead, for a name without a version, or one that is joined to it in another way."""
    import re

    meant = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]*?) *(?:={1,3}|@|:|[~<>]=|[<> ]) *([0-9][0-9A-Za-z.!+-]*)", text)
    if meant:
        return f"Did you mean {meant[1]}=={meant[2]}?"
    if file := _say_file(text):
        return file
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]", text):
        return f"Say which version: {text}==VERSION"
    return "For instance: verify-release sampleproject==4.0.0"


def _say_file(text: str) -> str:
    """What to type instead of the address of a wheel or an sdist, or of another file that was perhaps released."""
    from sealwright.model.artifact import ArtifactKind, ArtifactNameError, looks_released, parse_artifact_name

    try:
        artifact = parse_artifact_name(text.rpartition("/")[2])
    except ArtifactNameError:
        return "Of files, wheels (.whl) and sdists (.tar.gz) are verified." if looks_released(text) else ""
    meant = f"did you mean {artifact.project}=={artifact.version}?"
    if artifact.kind is ArtifactKind.SBOM:
        return f"An SBOM is verified with its release: {meant}"
    return f"Of a file, name its path once you have it; or {meant}"


def with_project(asked: Asked, name: str | None) -> Asked:
    """Return what was asked for with a project that was named beside it. Raises UsageError if they disagree."""
    if name is None:
        return asked
    try:
        project = canonical_project(name)
    except ValueError as error:
        raise UsageError(f"{name[:80]!r} is no name of a project") from error
    if asked.project not in (None, project):
        raise UsageError(f"--project {project} and {asked.project} contradict each other", "Leave --project out.")
    return asked._replace(project=project)


class How(Record):
    """How to judge, and what is known beside the release; `gpg` is its program, None if there is none.

    `refresh` asks Sigstore for its present root of trust, over the network; `again` says against which local index to
    audit what it depends on, once it has verified.
    """

    asked: Asked | None
    clock: Clock
    gpg: str | None
    refresh: bool = False
    recall: Recall = lambda: ()
    again: Again | None = None
    progress: Progress = no_progress

    @property
    def wanted(self) -> "Version | None":
        """The version that was asked for, if any."""
        return self.asked.version if self.asked else None


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
    again: Again | None = None,
) -> Verdict:
    """Judge the release in `folder`, as `How` says it.

    Raises UsageError (the policy is another project's, or lies in the release) and UndecidedError.
    """
    how = How(asked, clock, gpg, refresh, lambda: remembered, again, progress)
    with verified_folder(folder, trust, how) as verified:
        return verified.verdict


class Verified(Record):
    """A verdict, and what was judged: the private copies in `release` are the very bytes, as long as they are kept."""

    verdict: Verdict
    release: "Release"


@contextlib.contextmanager
def verified_folder(
    folder: Path,
    trust: TrustFolder,
    how: How,
) -> Iterator[Verified]:
    """Judge the release in `folder` as `verify_folder` does, and keep the private copies until the end."""
    refuse_without_index(how.again)
    ready = prepare(folder, trust, asked=how.asked, refresh=how.refresh)
    with contextlib.ExitStack() as kept:
        try:
            now = how.clock()
            with prepare_gpg(ready, now, how.gpg) as bench:
                from sealwright.store.release_folder import private_copy
                from sealwright.verify.verifier import verify_with

                ready = ready._replace(remembered=how.recall())
                if bench:
                    bench.filled()
                release = kept.enter_context(private_copy(folder, progress=how.progress))
                verdict = verify_with(bench, release, ready, lambda: how.wanted, now)
        except OSError as error:
            raise UndecidedError(
                f"{folder} could not be judged: {reason(error)}", "Set TMPDIR to a folder with room that is writable."
            ) from error
        yield Verified(add_audit(release, verdict, how.again, now), release)


@contextlib.contextmanager
def verified_release(
    source: "Source",
    trust: TrustFolder,
    how: How,
) -> Iterator[Verified]:
    """Judge the release at `source`, a folder or other places, and keep the private copies until the end.

    Raises UsageError (also if no version was asked for), MissingError if there is no such release, and UndecidedError.
    """
    from sealwright.jobs.verify.fetch import fetch_release, local_folder

    folder, wanted = local_folder(source, trust.policy), how.wanted
    if folder is not None:
        with verified_folder(folder, trust, how) as verified:
            yield verified
        return
    if wanted is None:
        raise UsageError("no version was asked for, so none can be fetched", "Name one: NAME==VERSION.")
    with contextlib.ExitStack() as kept:
        try:
            refuse_without_index(how.again)
            ready = prepare(None, trust, asked=how.asked, refresh=how.refresh)
            now = how.clock()
            with prepare_gpg(ready, now, how.gpg) as bench:
                from sealwright.verify.verifier import verify_with

                ready = ready._replace(remembered=how.recall())
                release = kept.enter_context(fetch_release(source, trust, wanted, progress=how.progress))
                verdict = verify_with(bench, release, ready, lambda: wanted, now)
        except OSError as error:
            raise UndecidedError(
                f"the release could not be judged: {reason(error)}",
                "Set TMPDIR to a folder with room that is writable.",
            ) from error
        yield Verified(add_audit(release, verdict, how.again, now), release)


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
    keyless = trust.policy.sigstore_identities() or trust.policy.publisher()
    needs_root = refresh or keyless or trust.policy.sigstore_root in trust.others
    root = read_root(trust, refresh=refresh) if needs_root else None
    return Trust(trust.policy, in_use, trust.keys, root, withdrawn_of(trust))


def withdrawn_of(trust: TrustFolder) -> bytes:
    """Return the withdrawn.json of a trust folder, empty if it has none.

    Raises PolicyError for one that cannot be read: it would count as if it called nothing back.
    """
    if WITHDRAWN not in trust.others:
        return b""
    from sealwright.verify.withdrawn import read_withdrawals

    content = trust.others[WITHDRAWN]
    try:
        read_withdrawals(content)
    except ValueError as error:
        raise PolicyError(
            f"the {WITHDRAWN} of {trust.path} cannot be read: it is {error}",
            "Ask the project for a whole one; or get a newer Sealwright.",
        ) from error
    return content

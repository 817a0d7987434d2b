"""Trust on first use: who published a release when nobody has said who may, and whether they still are the same.

Enters: a release, what asks a person. Leaves: verdicts. Whom the verified certificates of the PEP 740 attestations name
is all that there is to go by, never what an index says; a person accepts it, or nobody does. From then on the pin
judges, by the same verifier as any policy.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.errors import ExitCode, MissingError, UndecidedError, UsageError
from sealwright.files.reading import reason
from sealwright.jobs.audit.again import add_audit, refuse_without_index
from sealwright.jobs.verify.release import How, Recall, Verified, prepare
from sealwright.jobs.verify.remembering import Judge
from sealwright.model.publisher import Publisher, differences, say
from sealwright.model.record import Record
from sealwright.model.trusted_root import describe_root
from sealwright.model.verdict import SIGNERS_THRESHOLD, Check, Outcome, PinInUse, PolicyInUse, Result, Verdict
from sealwright.store.first_use import trust_first
from sealwright.store.release_folder import private_copy
from sealwright.store.trust_folder import TrustFolder
from sealwright.store.trusted_root import read_root
from sealwright.verify.places import check_places
from sealwright.verify.verifier import verify

if TYPE_CHECKING:
    from packaging.version import Version

    from sealwright.jobs.verify.fetch import Source
    from sealwright.model.pin import Pin
    from sealwright.model.release import Release
    from sealwright.verify.publish_attestation import PublishersFound

UNCLEAR, CHANGED = "publisher.first-use", "publisher.changed"
_CLAUSE = "docs/trust.md#first-use"
_MOST = 5


class Candidate(Record):
    """A publisher whose release has verified, and whom nobody has accepted yet; `identity` has this release's ref."""

    trust: TrustFolder
    publisher: Publisher
    identity: str


Accept = Callable[[Candidate], "Pin"]
"""Has a person accept a candidate, and keeps that as the pin that it returns.

Raises whatever else comes of it: nothing is then judged.
"""


def judging_first(source: "Path | Source", start: TrustFolder, how: How, accept: Accept) -> Judge:
    """Return what judges a release by its own publisher, once `accept` has returned; `start` trusts nobody yet.

    It raises MissingError if there is no attestation at all, and what `accept` raises.
    """

    @contextlib.contextmanager
    def judged(recall: Recall) -> Iterator[Verified]:
        refuse_without_index(how.again)
        root, now = read_root(start, refresh=how.refresh), how.clock()
        with contextlib.ExitStack() as kept:
            try:
                release = kept.enter_context(_opened(source, start, how))
                from sealwright.verify.publish_attestation import find_publishers

                found = find_publishers(release, root)
                if not found.offered:
                    raise _nothing(start, how)
                publisher = _only(found)
                if publisher is None:
                    verdict = _unclear(release, start, how, found)._replace(root=describe_root(root, now))
                else:
                    policy = start.policy
                    trust = trust_first(start.path, policy.project, publisher, policy.sigstore_root, start.others)
                    ready = prepare(None, trust, asked=how.asked)._replace(remembered=recall(), root=root)
                    verdict = add_audit(release, verify(release, ready, how.wanted, now, how.gpg), how.again, now)
            except OSError as error:
                raise UndecidedError(
                    f"the release could not be judged: {reason(error)}",
                    "Set TMPDIR to a folder with room that is writable.",
                ) from error
            if publisher is not None and verdict.result is Result.PASSED:
                identities = [name for signer in verdict.signers for name in signer.identities]
                pin = accept(Candidate(trust, publisher, ", ".join(identities)))
                used = verdict.policy._replace(pin=PinInUse(pin.kind.value, pin.since, pin.source, 0))
                verdict = verdict._replace(policy=used)
            yield Verified(verdict, release)

    return judged


def comparing_publisher(judge: Judge, trust: TrustFolder, *, refresh: bool) -> Judge:
    """Return a judge that also says who has signed instead, if it was not whom `trust` accepted on first use."""
    accepted = trust.policy.publisher()

    @contextlib.contextmanager
    def judged(recall: Recall) -> Iterator[Verified]:
        with judge(recall) as verified:
            verdict = verified.verdict
            if accepted and any(check.id == SIGNERS_THRESHOLD for check in verdict.failed()):
                from sealwright.verify.publish_attestation import find_publishers

                others = find_publishers(verified.release, read_root(trust, refresh=refresh)).publishers
                found = tuple(_changed(accepted, other, trust) for other in others if other != accepted)
                verdict = verdict._replace(checks=found[:_MOST] + verdict.checks)
            yield verified._replace(verdict=verdict)

    return judged


def _opened(source: "Path | Source", trust: TrustFolder, how: How) -> "AbstractContextManager[Release]":
    if isinstance(source, Path):
        return private_copy(source, progress=how.progress)
    from sealwright.jobs.verify.fetch import fetch_release, local_folder

    folder = local_folder(source, trust.policy)
    if folder is not None:
        return private_copy(folder, progress=how.progress)
    return fetch_release(source, trust, _wanted(how), progress=how.progress)


def _only(found: "PublishersFound") -> Publisher | None:
    """The one publisher; None if there are several, if there is none, or if the place names another one beside it."""
    from sealwright.verify.publish_attestation import PUBLISHER_CHECK

    if len(found.publishers) != 1 or any(check.id == PUBLISHER_CHECK for check in found.checks):
        return None
    return found.publishers[0]


def _wanted(how: How) -> "Version":
    if how.wanted is None:
        raise UsageError("no version was asked for", "Name one: NAME==VERSION.")
    return how.wanted


def _nothing(start: TrustFolder, how: How) -> MissingError:
    return MissingError(
        f"{start.policy.project} {how.wanted} has no attestation (PEP 740) there: nothing says who published it",
        "So there is nobody to trust on first use. Get the project's policy, and pin it (docs/trust.md).",
    )


def _unclear(release: "Release", start: TrustFolder, how: How, found: "PublishersFound") -> Verdict:
    """Return the verdict on a release whose publisher cannot be told: two could be meant, or none."""
    named = [say(publisher) for publisher in found.publishers]
    problems = [f"{check.subject}: {check.got}" for check in found.checks]
    if len(named) > 1:
        got = f"{len(named)} publishers: {'; '.join(named[:_MOST])}"
    else:
        got = "; ".join(problems[:_MOST]) or "no attestation that a file was published"
    hint = "Nothing was accepted. Get the project's policy, and pin it: sealwright trust pin FOLDER|URL."
    expected = "valid attestations, all by one publisher"
    check = Check(UNCLEAR, "publisher", Outcome.FAIL, expected, got, _CLAUSE, ExitCode.UNTRUSTED, hint)
    return Verdict(
        project=start.policy.project,
        version=str(how.wanted),
        folder=release.folder,
        policy=PolicyInUse(str(start.path), start.policy.version, start.fingerprint, start.policy.expires),
        artifacts=(),
        signers=(),
        signers_required=start.policy.require.signers,
        checks=(check, *found.checks, *check_places(release)),
        places=release.fetched.places if release.fetched else (),
    )


def _changed(old: Publisher, new: Publisher, trust: TrustFolder) -> Check:
    """Put whom the user accepted beside who it is now."""
    what = ", ".join(differences(old, new))
    hint = (
        "The project may have moved, or somebody has taken its name over: ask it, over another channel. "
        f"If it has moved, sealwright trust unpin {trust.policy.project} forgets the old publisher."
    )
    got = f"now {say(new)}; another {what}"
    expected = f"as was accepted, {say(old)}"
    return Check(CHANGED, "publisher", Outcome.FAIL, expected, got, _CLAUSE, ExitCode.UNTRUSTED, hint)

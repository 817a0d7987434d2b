"""Pinning in this process, as the command does it; and trust folders that somebody has spoiled."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from sealwright.jobs.trust import Offer, accept, look_at
from sealwright.jobs.verify.release import How, Recall, Verified, parse_asked, verified_folder
from sealwright.jobs.verify.remembering import verified_remembering
from sealwright.model.verdict import Verdict
from sealwright.store.pins import read_pin, trust_of
from sealwright.store.trust_folder import read_trust_folder
from sealwright.store.trust_source import FolderSource
from support.world import GPG, PROJECT, VERSION, World


def offer_of(
    folder: Path, data: Path, *, replace: bool = False, now: datetime | None = None, gpg: str | None = GPG
) -> Offer:
    source = FolderSource(folder, str(folder))
    return look_at(source, data, replace=replace, now=now or datetime.now(UTC), gpg=gpg)


def pin(
    folder: Path, data: Path, *, replace: bool = False, now: datetime | None = None, gpg: str | None = None
) -> Offer:
    """Pin a folder that nobody has looked at; without gpg, which costs a tenth of a second."""
    offer = offer_of(folder, data, replace=replace, now=now, gpg=gpg)
    assert accept(offer, data, now or datetime.now(UTC))
    return offer


def judge(
    world: World,
    data: Path,
    *,
    asked: str = f"{PROJECT}=={VERSION}",
    now: datetime | None = None,
    pinned: bool = False,
    chosen: bool = False,
    gpg: str | None = GPG,
) -> Verdict:
    """Verify as verify-release does: by the pin, or by the policy in the world's keys/."""
    found = read_pin(data, PROJECT) if pinned else None
    trust = trust_of(data, found) if found else read_trust_folder(world.policy, world.release)

    def clock() -> datetime:
        return now or datetime.now(UTC)

    def judge_folder(recall: Recall) -> AbstractContextManager[Verified]:
        return verified_folder(world.release, trust, How(parse_asked(asked), clock, gpg, recall=recall))

    with verified_remembering(judge_folder, trust, data, clock=clock, pin=found, chosen=chosen) as verified:
        return verified.verdict


def failing(verdict: Verdict) -> set[str]:
    return {check.id for check in (*verdict.failed(), *verdict.undecided())}

"""What `verify-release` does once its command line has been read, by click or without it (sealwright.cli.plain_call).

Enters: `Asking`. Leaves: an exit code, after the verdict was printed. Never imports click: that takes longer than
judging a small release.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.cli.verdict import deliver
from sealwright.cli.world import clock, find_gpg, show_progress
from sealwright.errors import UsageError
from sealwright.model.record import Record

if TYPE_CHECKING:
    from sealwright.jobs.fetch_release import Source
    from sealwright.jobs.verify_release import Verified


class Asking(Record):
    """What a command line of `verify-release` says; the defaults are those of its options.

    `source` is a folder, or the places that have to be asked.
    """

    release: str
    source: "Path | Source"
    policy: Path | None = None
    refresh_trust: bool = False
    as_json: bool = False


def answer(asking: Asking) -> int:
    """Judge the release, print the verdict, return its exit code. Raises SealwrightError."""
    from sealwright.jobs.verify_release import parse_asked

    parse_asked(asking.release)
    if asking.policy is None:
        raise UsageError(
            "there is no policy to judge the release by",
            "Get the project's policy.toml and its keys over another channel than the release, such as its repository, "
            "then add --policy FILE.",
        )
    with _verified(asking, asking.policy) as verified:
        return deliver(verified.verdict, asking.as_json)


def _verified(asking: Asking, policy: Path) -> "AbstractContextManager[Verified]":
    """Judge what was asked for, in a folder or from other places."""
    from sealwright.jobs.verify_release import parse_asked, verified_folder
    from sealwright.store.trust_folder import read_trust_folder

    asked, gpg, refresh = parse_asked(asking.release), find_gpg(), asking.refresh_trust
    if isinstance(asking.source, Path):
        trust = read_trust_folder(policy, asking.source)
        return verified_folder(
            asking.source, trust, asked=asked, clock=clock, gpg=gpg, refresh=refresh, progress=show_progress()
        )
    from sealwright.cli.fetching import show_fetching
    from sealwright.jobs.fetch_release import local_path
    from sealwright.jobs.verify_release import verified_release

    trust = read_trust_folder(policy, local_path(asking.source))
    return verified_release(
        asking.source, trust, asked=asked, clock=clock, gpg=gpg, refresh=refresh, progress=show_fetching()
    )

"""What `verify-release` does once its command line has been read, by click or without it (sealwright.cli.plain_call).

Enters: `Asking`. Leaves: an exit code, after the verdict was printed. Never imports click: that takes longer than
judging a small release.
"""

from pathlib import Path

from sealwright.errors import UsageError
from sealwright.model.record import Record


class Asking(Record):
    """What a command line of `verify-release` says; the defaults are those of its options."""

    release: str
    folder: Path
    policy: Path | None = None
    offline: bool = False
    refresh_trust: bool = False
    as_json: bool = False


def answer(asking: Asking) -> int:
    """Judge the release, print the verdict, return its exit code. Raises SealwrightError."""
    from sealwright.cli.verdict import deliver
    from sealwright.cli.world import clock, find_gpg, show_progress
    from sealwright.jobs.verify_release import parse_asked, verify_folder
    from sealwright.store.trust_folder import read_trust_folder

    asked = parse_asked(asking.release)
    if asking.offline and asking.refresh_trust:
        raise UsageError("--offline and --refresh-trust contradict each other", "Leave one of them out.")
    if asking.policy is None:
        raise UsageError(
            "there is no policy to judge the release by",
            "Get the project's policy.toml and its keys over another channel than the release, such as its repository, "
            "then add --policy FILE.",
        )
    trust = read_trust_folder(asking.policy, asking.folder)
    verdict = verify_folder(
        asking.folder,
        trust,
        asked=asked,
        clock=clock,
        gpg=find_gpg(),
        refresh=asking.refresh_trust,
        progress=show_progress(),
    )
    return deliver(verdict, asking.as_json)

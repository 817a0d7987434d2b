"""What `verify-release` does once its command line has been read, by click or without it (sealwright.cli.plain_call).

Enters: `Asking`. Leaves: an exit code, after the verdict was printed. Never imports click: that takes longer than
judging a small release.
"""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.cli.verdict import conclude
from sealwright.cli.world import audit_again, clock, find_gpg, log_override, show_progress
from sealwright.model.record import Record
from sealwright.model.verdict import Use

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sealwright.cli.afterwards import Afterwards
    from sealwright.cli.first_use import FirstUse
    from sealwright.cli.waiting import Watch
    from sealwright.jobs.verify.fetch import Source
    from sealwright.jobs.verify.release import How
    from sealwright.jobs.verify.remembering import Judge
    from sealwright.store.trust_folder import TrustFolder


class Asking(Record):
    """What a command line of `verify-release` says; the defaults are those of its options.

    `source` is a folder, or the places that have to be asked; `afterwards` what is to be done with what passed.
    """

    release: str
    source: "Path | Source"
    policy: Path | None = None
    refresh_trust: bool = False
    as_json: bool = False
    project: str | None = None
    log: Path | None = None
    fail_on_new: bool = False
    afterwards: "Afterwards | None" = None
    first_use: "FirstUse | None" = None


def answer(asking: Asking) -> int:
    """Judge the release, print the verdict, return its exit code. Raises SealwrightError."""
    from sealwright.cli.pinned import find_trust
    from sealwright.jobs.verify.release import How, parse_asked, with_project
    from sealwright.jobs.verify.remembering import verified_remembering

    asked = with_project(parse_asked(asking.release), asking.project)
    first = asking.first_use
    trust, pin, data = find_trust(asking.policy, asked, _folder(asking.source), first)
    if asking.afterwards is not None:
        from sealwright.cli.afterwards import refuse_unfit

        refuse_unfit(asking.afterwards, trust, _folder(asking.source))
    again = audit_again(asking.fail_on_new)

    def override(thing: str, what: str) -> None:
        log_override(asking.log, thing, what)

    with contextlib.ExitStack() as kept:
        progress, arrived = kept.enter_context(_watching(asking.source, trust))
        how = How(asked, clock, find_gpg(), asking.refresh_trust, again=again, progress=progress)
        judge = _judge(asking.source, trust, how)
        if trust.policy.is_first_use:
            judge = _judge_publisher(asking, trust, data, judge, how)
        verified = kept.enter_context(verified_remembering(judge, trust, data, clock=clock, pin=pin, log=override))
        arrived()
        use = Use.OFFERED if asking.afterwards is None else Use.FOLLOWS
        code = conclude(verified.verdict, asking.as_json, asking.log, use)
        if code or asking.afterwards is None:
            return code
        from sealwright.cli.afterwards import carry_out

        folder = _folder(asking.source)
        return carry_out(asking.afterwards, verified, trust, folder, as_json=asking.as_json, log=asking.log)


def _folder(source: "Path | Source") -> Path | None:
    if isinstance(source, Path):
        return source
    from sealwright.jobs.verify.fetch import local_path

    return local_path(source)


def _said(source: "Path | Source") -> str:
    """Where the release is looked for, without a name and a password: a pin and the audit log keep it."""
    if isinstance(source, Path):
        return str(source)
    from sealwright.store.places.place import parse_place

    return str(parse_place(source.artifacts or "index"))


def _watching(source: "Path | Source", trust: "TrustFolder") -> "AbstractContextManager[Watch]":
    if isinstance(source, Path):
        return contextlib.nullcontext((show_progress(), lambda: None))
    from sealwright.cli.fetching import show_fetching
    from sealwright.cli.waiting import watching
    from sealwright.store.places.place import parse_place

    return watching(str(parse_place(source.artifacts or trust.policy.places.artifacts)), show_fetching())


def _judge_publisher(asking: Asking, trust: "TrustFolder", data: Path, judge: "Judge", how: "How") -> "Judge":
    """Return what judges by the publisher: the one that a pin remembers, or one that is still to be accepted."""
    from sealwright.jobs.verify.first_use import comparing_publisher, judging_first

    if asking.first_use is None or trust.policy.publisher():
        return comparing_publisher(judge, trust, refresh=how.refresh)
    from sealwright.cli.first_use import accepting

    return judging_first(asking.source, trust, how, accepting(asking.first_use, _said(asking.source), data))


def _judge(source: "Path | Source", trust: "TrustFolder", how: "How") -> "Judge":
    """Return what judges the release that was asked for, in a folder or from other places."""
    from sealwright.jobs.verify.release import verified_folder, verified_release

    if isinstance(source, Path):
        return lambda recall: verified_folder(source, trust, how._replace(recall=recall))
    return lambda recall: verified_release(source, trust, how._replace(recall=recall))

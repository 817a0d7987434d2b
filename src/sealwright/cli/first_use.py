"""`verify-release --first-use`: show who published a release, have a person accept it, and keep that as a pin."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.cli.trusted import Trusted
from sealwright.cli.world import actor, clock, log_place
from sealwright.errors import TamperedError, UsageError
from sealwright.model.pin import Pin, PinKind
from sealwright.model.record import Record

if TYPE_CHECKING:
    from sealwright.jobs.verify.first_use import Accept, Candidate
    from sealwright.store.trust_folder import TrustFolder

_COMPARE = (
    "Nobody but the index that served it says that this is the project's. Compare it\n"
    "with another channel: the project's documentation, a colleague who uses it."
)


class FirstUse(Record):
    """What `--first-use` was asked with: a fingerprint that decides instead of a person, a file that is the root."""

    fingerprint: str | None = None
    root: Path | None = None
    log: Path | None = None


def begin(first: FirstUse, project: str, data: Path) -> Trusted:
    """Return the trust in nobody yet. Raises UsageError if more is known of the project already."""
    from sealwright.cli.mistyped import near
    from sealwright.store.first_use import ROOT_FILE, trust_first
    from sealwright.store.pins import list_pins, pin_path
    from sealwright.store.seen import read_seen
    from sealwright.store.trusted_root import read_root_file

    seen = read_seen(data, project)
    if seen.policy:
        raise UsageError(
            f"{project} was verified here by version {seen.policy} of its policy: a first use would be weaker",
            "Pin that policy or a newer one: sealwright trust pin FOLDER|URL|git+URL@COMMIT.",
        )
    if other := near(project, list_pins(data)):
        said = f"{other} is pinned, and {project} is another project: is the name what you meant?"
        print(f"sealwright: warning: {said}", file=sys.stderr, flush=True)
    files = {ROOT_FILE: read_root_file(first.root).content} if first.root else {}
    root = ROOT_FILE if files else "production"
    trust = trust_first(pin_path(data, project), project, None, root, files)
    return Trusted(trust, None, data)


def confirm(first: FirstUse | None, pinned: Trusted) -> None:
    """Hold `--first-use` against the pin that is there already. Raises UsageError and TamperedError."""
    if first is None or pinned.pin is None:
        return
    project = pinned.pin.project
    if pinned.pin.kind is PinKind.POLICY:
        raise UsageError(
            f"{project} is pinned, which is stronger than a first use", "Leave --first-use out: the pin judges."
        )
    if first.root is not None:
        raise UsageError(
            f"{project} was accepted on first use already, with its own root of trust", "Leave --trusted-root out."
        )
    if first.fingerprint is not None:
        _refuse_other(first.fingerprint, pinned.trust)


def accepting(first: FirstUse, source: str, data: Path) -> "Accept":
    """Return what shows a candidate from `source`, asks, pins it and puts that into the audit log."""

    def accept(candidate: "Candidate") -> Pin:
        from sealwright.render.trust import render_publisher
        from sealwright.store.first_use import pairs_of
        from sealwright.store.pins import write_pin

        trust = candidate.trust
        shown = render_publisher(trust, candidate.publisher, identity=candidate.identity)
        print(f"First use of {trust.policy.project}. Its publisher, as the certificates say:", file=sys.stderr)
        print(shown, end="", file=sys.stderr, flush=True)
        if first.fingerprint is not None:
            _refuse_other(first.fingerprint, trust)
        else:
            _ask()
        pairs = pairs_of(candidate.publisher, trust.policy.sigstore_root)
        since, files = clock().replace(microsecond=0), trust.others
        pin = Pin(trust.policy.project, PinKind.FIRST_USE, since, source, files=files, publisher=pairs)
        if write_pin(data, pin, None):
            _log(first.log, trust, source)
        return pin

    return accept


def _ask() -> None:
    """Have a person confirm. Raises UsageError where there is none."""
    import click

    print(f"\n{_COMPARE}", file=sys.stderr, flush=True)
    if not sys.stdin.isatty():
        raise UsageError(
            "nobody is here to accept this publisher, so nothing was pinned and nothing is verified",
            "Once you have compared it, add --fingerprint DIGITS, with the digits above.",
        )
    try:
        click.confirm("Is this the project's own publisher?", abort=True, err=True)
    except click.Abort as error:
        raise KeyboardInterrupt from error


def _refuse_other(stated: str, trust: "TrustFolder") -> None:
    digits = stated.replace(" ", "").replace(":", "").lower()
    if len(digits) != 64 or not all(c in "0123456789abcdef" for c in digits):
        raise UsageError(f"{stated[:100]!r} is no fingerprint of a publisher", "It has 64 hex digits.")
    if digits != trust.fingerprint:
        raise TamperedError(
            f"the publisher has another fingerprint: {trust.fingerprint}, not {digits}",
            "It is not the publisher that the fingerprint was made of. Nothing was pinned.",
        )


def _log(given: Path | None, trust: "TrustFolder", source: str) -> None:
    """Put the first use into the audit log. Raises UndecidedError if it cannot be written."""
    from sealwright.model.log_entry import Action, Event
    from sealwright.store.audit_log import append

    publisher = trust.policy.publisher()
    detail = (("what", "first-use"), ("source", source), ("publisher", publisher.workflow if publisher else ""))
    digests = (("publisher", trust.fingerprint),)
    event = Event(clock(), actor(), Action.POLICY, trust.policy.project, digests=digests, detail=detail)
    append(log_place(given).path, event)

"""`sealwright trust`: whom a user trusts for which project, pinned once and kept."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.commands import Commands
from sealwright.cli.world import actor, clock, data_folder, find_gpg, log_place, style

if TYPE_CHECKING:
    from sealwright.jobs.trust import Offer

_PATH = click.Path(path_type=Path)
_COMPARE = (
    "Compare this fingerprint with one that you got over another channel:\nthe project's web site, a colleague, a call."
)


@click.group(
    cls=Commands, epilog="\b\nExample: sealwright trust pin ./keys\nExamples of each: sealwright trust pin --help"
)
def command() -> None:
    """Pin whom you trust for a project, once; verify-release then needs no --policy."""


@command.command(
    epilog="""\b
    Examples, the last one for a script:
      sealwright trust pin ./keys
      sealwright trust pin https://example.org/project/keys/
      sealwright trust pin git+https://example.org/project@COMMIT#keys
      sealwright trust pin ./keys --fingerprint DIGITS
    """
)
@click.argument("source", metavar="FOLDER|URL|git+URL@COMMIT[#FOLDER]")
@click.option("--fingerprint", metavar="DIGITS", help="Pin it if it has this fingerprint, and do not ask.")
@click.option("--replace", is_flag=True, help="Put a newer policy in the place of the one that is pinned.")
@click.option("--yes", is_flag=True, help="Do not ask. Only with --fingerprint, which is what decides.")
def pin(source: str, fingerprint: str | None, replace: bool, yes: bool) -> int:
    """Show a project's policy in words, with the fingerprint of its trust folder, and pin it if you say so.

    Get the trust folder from another place than the releases. What counts is the fingerprint: compare it with one
    that you got over another channel. A pin is replaced only by a policy of a higher version.
    """
    import os

    from sealwright.errors import UsageError
    from sealwright.jobs.trust import accept, look_at, refuse_other_fingerprint, remember_withdrawn
    from sealwright.jobs.trust_source import find_source
    from sealwright.render.text import plain

    if yes and not fingerprint:
        raise UsageError("--yes means nothing without --fingerprint", "Add --fingerprint, or leave --yes out.")
    data = data_folder()
    found = find_source(source, os.environ)
    offer = look_at(found, data, replace=replace, now=clock(), gpg=find_gpg())
    _show(offer)
    name = plain(offer.trust.policy.project)
    if fingerprint:
        refuse_other_fingerprint(offer, fingerprint)
    if offer.same:
        remember_withdrawn(offer, data)  # which may have failed when it was pinned
        click.echo(f"{name} is pinned already, with this very fingerprint: nothing to do.")
        return 0
    if not fingerprint:
        _ask(offer)

    def pinned() -> None:
        click.echo(f"pinned {name}")
        _log("pin" if offer.pinned is None else "replace", offer)

    if not accept(offer, data, clock(), pinned=pinned):
        click.echo(f"{name} was pinned by another process meanwhile, with this very fingerprint: nothing to do.")
        return 0
    click.echo(f"Next: verify-release {name}==VERSION --from FOLDER")
    return 0


def _show(offer: "Offer") -> None:
    from sealwright.render.trust import render_changes, render_policy

    trust, shown = offer.trust, style()
    click.echo(render_policy(trust.policy, trust.fingerprint, offer.source, clock(), shown), nl=False)
    if not offer.keys_read:
        click.echo(
            "gpg was not found: neither a key file nor what was called back was read yet; a verification does both.",
            err=True,
        )
    if offer.pinned is not None and not offer.same:
        click.echo()
        click.echo(render_changes(offer.changes, offer.pinned.fingerprint, shown), nl=False)


def _ask(offer: "Offer") -> None:
    """Have a person confirm the fingerprint. Raises UsageError where there is none."""
    from sealwright.errors import UsageError

    click.echo(f"\n{_COMPARE}", err=True)
    if not sys.stdin.isatty():
        raise UsageError(
            "nobody is here to confirm this fingerprint, so nothing was pinned",
            "Add --fingerprint DIGITS, with the digits that you got over another channel.",
        )
    click.confirm("Is it the same, and do you trust these people?", abort=True, err=True)


def _log(what: str, offer: "Offer") -> None:
    """Put what was done into the audit log. Raises UndecidedError if it cannot be written."""
    from sealwright.model.log_entry import Action, Event
    from sealwright.store.audit_log import append

    trust = offer.trust
    detail = [("what", what), ("source", offer.source), ("version", str(trust.policy.version))]
    detail += [("weaker", change.words) for change in offer.changes if change.weaker][:1]
    digests = (("trust folder", trust.fingerprint),)
    append(
        log_place(None).path,
        Event(clock(), actor(), Action.POLICY, trust.policy.project, digests=digests, detail=tuple(detail)),
    )


@command.command("list", epilog="Example: sealwright trust list --json")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_(as_json: bool) -> int:
    """List the projects that are pinned, with the fingerprint of each."""
    from sealwright.render.trust import render_pins, render_pins_json
    from sealwright.store.pins import list_pins, read_pin, trust_of

    data = data_folder()
    there = [found for name in list_pins(data) if (found := read_pin(data, name))]
    pins = tuple((each, trust_of(data, each).policy) for each in there)
    if as_json:
        click.echo(render_pins_json(pins), nl=False)
    elif pins:
        click.echo(render_pins(pins, clock()), nl=False)
    else:
        click.echo("no project is pinned", err=True)
    return 0


@command.command(epilog="Example: sealwright trust show sampleproject")
@click.argument("project")
def show(project: str) -> int:
    """Show a pinned policy in words: who may sign, how many of them, what is required, until when."""
    from sealwright.jobs.trust import describe_pin
    from sealwright.render.trust import render_policy, render_publisher

    found, trust = describe_pin(data_folder(), _name(project))
    now = clock()
    if publisher := trust.policy.publisher():
        click.echo(f"The trust in {trust.policy.project}, accepted on first use: its publisher was")
        click.echo(render_publisher(trust, publisher), nl=False)
    else:
        click.echo(render_policy(trust.policy, trust.fingerprint, found.source, now, style()), nl=False)
    click.echo(f"  pinned       {found.since:%Y-%m-%d}, {max(0, (now - found.since).days)} days ago")
    return 0


@command.command(epilog="Example: sealwright trust unpin sampleproject")
@click.argument("project")
def unpin(project: str) -> int:
    """Forget a pin. What was seen is kept: no policy older than one that a release passed by is taken after that."""
    from sealwright.errors import UsageError
    from sealwright.model.log_entry import Action, Event
    from sealwright.store.audit_log import append
    from sealwright.store.pins import remove_pin

    name = _name(project)
    if not remove_pin(data_folder(), name):
        raise UsageError(f"{name} is not pinned", "sealwright trust list shows what is.")
    append(log_place(None).path, Event(clock(), actor(), Action.POLICY, name, detail=(("what", "unpin"),)))
    click.echo(f"unpinned {name}")
    return 0


@command.command(epilog="Example: sealwright trust sums keys/")
@click.argument("folder", type=_PATH, default=Path("keys"))
def sums(folder: Path) -> int:
    """Write the SHA256SUMS of the trust folder in FOLDER (default: keys/), and print the folder's fingerprint.

    Publish the fingerprint in another place than the folder: users compare the two.
    """
    from sealwright.render.text import plain
    from sealwright.store.trust_sums_writing import find_unraised, write_sums

    unraised = find_unraised(folder)
    fingerprint = write_sums(folder)
    if unraised:
        said = f"{', '.join(unraised)} changed and the policy did not: raise its version, or users are told that it is"
        click.echo(plain(f"warning: {said} another policy of a version they know"), err=True)
    click.echo(f"wrote {plain(str(folder / 'SHA256SUMS'))}", err=True)
    click.echo(fingerprint)
    return 0


def _name(text: str) -> str:
    from packaging.utils import InvalidName, canonicalize_name

    from sealwright.errors import UsageError

    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise UsageError(f"{text[:80]!r} is no name of a project") from error

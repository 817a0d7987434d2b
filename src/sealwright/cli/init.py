"""`sealwright init`: a policy to start with."""

import sys
from pathlib import Path

import click

from sealwright.cli.world import LOG, clock, say


@click.command(epilog="Example: cd my-project && sealwright init")
@click.option("--log", "log", type=click.Path(path_type=Path), metavar="FILE", help=LOG)
def command(log: Path | None) -> int:
    """Write a commented keys/policy.toml and keys/README.md for the project you stand in.

    The project's name comes from pyproject.toml, its repository from git. Nothing is overwritten.
    """
    from sealwright.cli.record import by, log_for, record
    from sealwright.jobs.init import init
    from sealwright.jobs.log_events import written_events
    from sealwright.jobs.unfit import find_unfit
    from sealwright.model.log_entry import Action
    from sealwright.model.policy_toml import parse_draft
    from sealwright.render.text import plain

    audit_log = log_for(log)
    paths = init(Path(), clock())
    for path in paths:
        click.echo(f"wrote {plain(str(path))}")
    for unfit in find_unfit(parse_draft(paths[0].read_bytes())):
        say(f"Fill in, in {paths[0]}: {unfit}", sys.stdout)
    click.echo("Next: make a key and list it there, or list the public key that you have:")
    click.echo("  sealwright keys new --signer 'release manager' \\")
    click.echo("    --user-id 'Release Manager <release@example.org>' --backup DIR")
    click.echo("  sealwright keys add FILE --signer 'release manager'")
    record(audit_log, *written_events(paths[:1], Action.POLICY, "written", by()))
    return 0

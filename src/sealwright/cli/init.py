"""`sealwright init`: a policy to start with."""

from pathlib import Path

import click

from sealwright.cli.world import clock


@click.command(epilog="Example: cd my-project && sealwright init")
def command() -> int:
    """Write a commented keys/policy.toml and keys/README.md for the project you stand in.

    The project's name comes from pyproject.toml, its repository from git. Nothing is overwritten.
    """
    from sealwright.jobs.init import init
    from sealwright.render.text import plain

    for path in init(Path(), clock()):
        click.echo(f"wrote {plain(str(path))}")
    click.echo("Next: sealwright keys new makes a key and lists it there; sealwright keys add takes one that you have.")
    return 0

"""How a verdict reaches the person or the program that asked for it."""

import click

from sealwright.cli.world import colour
from sealwright.model.verdict import Verdict


def deliver(verdict: Verdict, as_json: bool) -> int:
    """Print a verdict and return its exit code."""
    if as_json:
        from sealwright.render.json import render_json

        click.echo(render_json(verdict), nl=False)
    else:
        from sealwright.render.text import render_verdict

        click.echo(render_verdict(verdict, colour=colour()), nl=False)
    return int(verdict.exit_code)

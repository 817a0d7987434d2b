"""How a verdict reaches the person or the program that asked for it."""

from typing import TYPE_CHECKING

import click

from sealwright.cli.world import style
from sealwright.model.verdict import Verdict

if TYPE_CHECKING:
    from sealwright.store.trust_folder import TrustFolder

FAIL_ON_NEW = "Fail, too, if your index of advisories knows of something that the release's own audit did not."
REFRESH = "Ask Sigstore for its present root of trust, over the network. [default: the one that was installed]"


def announce(trust: "TrustFolder", as_json: bool) -> None:
    """Say which policy is about to judge, before anything is judged."""
    from sealwright.render.text import plain

    click.echo(f"policy {plain(str(trust.path))}, fingerprint {trust.fingerprint}", err=as_json)


def deliver(verdict: Verdict, as_json: bool) -> int:
    """Print a verdict and return its exit code."""
    if as_json:
        from sealwright.render.json import render_json

        click.echo(render_json(verdict), nl=False)
    else:
        from sealwright.render.text import render_verdict

        click.echo(render_verdict(verdict, style()), nl=False)
    return int(verdict.exit_code)

"""How a verdict reaches the person or the program that asked for it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.world import style
from sealwright.model.verdict import Verdict

if TYPE_CHECKING:
    from sealwright.store.trust_folder import TrustFolder

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


def conclude(verdict: Verdict, as_json: bool, log: Path | None) -> int:
    """Print a verdict, write one that is no pass into the audit log, and return its exit code, which no log changes."""
    try:
        return deliver(verdict, as_json)
    finally:
        if verdict.exit_code:
            from sealwright.cli.record import remark
            from sealwright.jobs.log_events import verdict_events

            remark(log, lambda by: verdict_events(verdict, by))

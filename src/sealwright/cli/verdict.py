"""How a verdict reaches the person or the program that asked for it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.cli.world import say, style
from sealwright.model.verdict import Use, Verdict

if TYPE_CHECKING:
    from sealwright.store.trust_folder import TrustFolder

FAIL_ON_NEW = "Fail, too, if your index of advisories knows of something that the release's own audit did not."
REFRESH = "Ask Sigstore for its present root of trust, over the network. [default: the one that was installed]"


def announce(trust: "TrustFolder", as_json: bool) -> None:
    """Say which policy is about to judge, before anything is judged."""
    stream = sys.stderr if as_json else sys.stdout
    say(f"policy {trust.path}, fingerprint {trust.fingerprint}", stream)


def deliver(verdict: Verdict, as_json: bool, use: Use = Use.NONE) -> int:
    """Print a verdict and return its exit code; `use`: what this command can do with a release that has passed."""
    if as_json:
        from sealwright.render.json import render_json

        print(render_json(verdict), end="", flush=True)
    else:
        from sealwright.render.text import render_verdict

        print(render_verdict(verdict, style(), use=use), end="", flush=True)
    return int(verdict.exit_code)


def conclude(verdict: Verdict, as_json: bool, log: Path | None, use: Use = Use.NONE) -> int:
    """Print a verdict, write one that is no pass into the audit log, and return its exit code, which no log changes."""
    try:
        return deliver(verdict, as_json, use)
    finally:
        if verdict.exit_code:
            from sealwright.cli.record import remark
            from sealwright.jobs.log_events import verdict_events

            remark(log, lambda by: verdict_events(verdict, by))

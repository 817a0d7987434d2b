"""`sealwright log`: the audit log, shown, verified, signed and exported."""

import json
import sys
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealwright.cli.commands import Commands
from sealwright.cli.signing_key import OPENPGP_KEY, OPENPGP_KEY_FILE, PASSPHRASE_FD
from sealwright.cli.world import actor, clock, find_gpg, log_place, say, style

if TYPE_CHECKING:
    from collections.abc import Callable

    from sealwright.jobs.log import Judge

_PATH = click.Path(path_type=Path)
_LOG = click.option("--log", "log", type=_PATH, metavar="FILE", help="The log. [default: as docs/log.md says]")
_POLICY = click.option("--policy", type=_PATH, help="The trust policy. [default: ./keys/policy.toml]")


@click.group(cls=Commands, epilog="\b\nExample: sealwright log verify\nExamples of each: sealwright log verify --help")
def command() -> None:
    """Show, verify, sign and export the audit log: who did what, and when."""


def _filters(function: Any) -> Any:
    """Give a command the options that choose entries."""
    for option in reversed(
        (
            click.option("--since", metavar="TIME", help="Only entries from this time on (2026-03-31, or RFC 3339)."),
            click.option("--until", metavar="TIME", help="Only entries before this time."),
            click.option("--action", metavar="NAME", help="Only this action, such as seal or rotate."),
            click.option("--object", "thing", metavar="TEXT", help="Only entries whose object holds this text."),
        )
    ):
        function = option(function)
    return function


@command.command(epilog="Example: sealwright log show --action rotate")
@_LOG
@_filters
@click.option("--last", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many to show.")
def show(
    log: Path | None, since: str | None, until: str | None, action: str | None, thing: str | None, last: int
) -> int:
    """Show the last entries, oldest first. Nothing is verified."""
    from sealwright.render.log import render_entry
    from sealwright.store.log_reading import read_entries

    place, chosen = log_place(log), _chosen(since, until, action, thing)
    say(f"log {place.path} ({place.said_by})", sys.stderr)
    for entry in deque(read_entries(place.path, chosen), maxlen=last):
        click.echo(render_entry(entry, style()), nl=False)
    return 0


@command.command(
    epilog="""\b
    Example:
      sealwright log export --since 2026-01-01 --action seal > seals.jsonl
    """
)
@_LOG
@_filters
def export(log: Path | None, since: str | None, until: str | None, action: str | None, thing: str | None) -> int:
    """Write entries as JSON lines to standard output, each with the number of its line. Nothing is verified."""
    from sealwright.store.log_reading import read_entries

    for entry in read_entries(log_place(log).path, _chosen(since, until, action, thing)):
        click.echo(json.dumps(entry, separators=(",", ":"), ensure_ascii=True))
    return 0


@command.command(epilog="Example: sealwright log verify --checkpoint kept/audit.jsonl.checkpoint")
@_LOG
@_POLICY
@click.option(
    "--checkpoint", "checkpoints", type=_PATH, multiple=True, help="A signed checkpoint. [default: beside it]"
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def verify(log: Path | None, policy: Path | None, checkpoints: tuple[Path, ...], as_json: bool) -> int:
    """Verify the whole chain, and hold it against signed checkpoints: 10 if a line was changed, moved or removed.

    Without a checkpoint, lines cut off at the end are not missed, and the answer says so. A checkpoint that lies
    beside the log is taken if there is a policy to judge it by.
    """
    from sealwright.cli.verify import DEFAULT_POLICY
    from sealwright.jobs.log import checkpoint_beside, verify_log
    from sealwright.render.log import render_log_json, render_log_verdict

    path = log_place(log).path
    beside = checkpoint_beside(path)
    if not checkpoints and beside.exists() and (policy or DEFAULT_POLICY.exists()):
        checkpoints = (beside,)
    judge = _judge(policy, path, as_json) if checkpoints else None
    verdict = verify_log(path, checkpoints, judge)
    click.echo(render_log_json(verdict) if as_json else render_log_verdict(verdict, style()), nl=False)
    return int(verdict.exit_code)


@command.command(
    epilog="""\b
    Example:
      sealwright log checkpoint --openpgp-key FINGERPRINT \\
        --out checkpoints/2026-Q1
    """
)
@_LOG
@_POLICY
@click.option("--out", type=_PATH, help="Where to write it. [default: beside the log, with .checkpoint at the end]")
@OPENPGP_KEY
@OPENPGP_KEY_FILE
@PASSPHRASE_FD
def checkpoint(
    log: Path | None, policy: Path | None, out: Path | None, openpgp_key: str | None, openpgp_key_file: str | None,
    passphrase_fd: int | None,
) -> int:  # fmt: skip
    """Sign how long the log is and how it ends, with a key of the policy. Keep the file in another place than the log.

    A log that does not hold, also against the checkpoint that is already there, is not signed.
    """
    from sealwright.cli.seal import opener_of
    from sealwright.cli.verify import DEFAULT_POLICY
    from sealwright.errors import UsageError
    from sealwright.jobs.log import checkpoint_beside, make_checkpoint
    from sealwright.render.log import render_log_verdict
    from sealwright.store.trust_editing import read_draft

    path = log_place(log).path
    opener = opener_of(find_gpg(), openpgp_key, openpgp_key_file, passphrase_fd)
    if opener is None:
        key = read_draft(policy or DEFAULT_POLICY).policy.key_to_name()
        raise UsageError("a checkpoint needs a key to sign it", f"Add --openpgp-key {key}, or --openpgp-key-file FILE.")
    place = out or checkpoint_beside(path)
    verdict, made = make_checkpoint(path, place, opener, _judge(policy, path, False), actor())
    if made is None:
        click.echo(render_log_verdict(verdict, style()), nl=False)
        return int(verdict.exit_code)
    say(f"signed: {made.lines:,} lines, ending with {made.head}; wrote {place}", sys.stdout)
    keep = "Next: keep a copy where whoever can write the log cannot: in the repository, or on another machine."
    say(keep, sys.stdout)
    return 0


def _judge(policy: Path | None, log: Path, as_json: bool) -> "Judge":
    from sealwright.cli.verdict import announce
    from sealwright.cli.verify import DEFAULT_POLICY, NO_POLICY
    from sealwright.jobs.log import Judge
    from sealwright.store.trust_folder import read_trust_folder

    trust = read_trust_folder(policy or DEFAULT_POLICY, log, NO_POLICY)
    announce(trust, as_json)
    return Judge(trust, clock(), find_gpg())


def _chosen(
    since: str | None, until: str | None, action: str | None, thing: str | None
) -> "Callable[[dict[str, Any]], bool]":
    """Return what tells whether an entry was asked for."""
    from sealwright.errors import UsageError
    from sealwright.model.log_entry import Action

    if action is not None and action not in list(Action):
        raise UsageError(f"{action} is no action of the log", f"One of: {', '.join(Action)}.")
    start, end = (_moment(since) if since else ""), (_moment(until) if until else "~")

    def passes(entry: dict[str, Any]) -> bool:
        fits = start <= entry["time"] < end and (action is None or entry["action"] == action)
        return fits and (thing is None or thing in entry["object"]["name"])

    return passes


def _moment(text: str) -> str:
    """A time that somebody typed, as the log writes it; without a zone it is UTC."""
    from datetime import UTC

    from sealwright.errors import UsageError
    from sealwright.model.log_entry import write_time

    try:
        moment = datetime.fromisoformat(text)
        return write_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text[:40]!r} is not a time", "For instance 2026-03-31 or 2026-03-31T12:00:00Z.") from error

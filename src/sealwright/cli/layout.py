"""`sealwright layout`: make, sign and show an in-toto layout."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealwright.cli.commands import Commands
from sealwright.cli.seal import opener_of
from sealwright.cli.signing_key import OPENPGP_KEY, OPENPGP_KEY_FILE, PASSPHRASE_FD
from sealwright.cli.verify import DEFAULT_POLICY, NO_POLICY
from sealwright.cli.world import LOG, clock, find_gpg
from sealwright.errors import UsageError

if TYPE_CHECKING:
    from sealwright.model.verdict import Check
    from sealwright.render.layout import ShownStep
    from sealwright.store.trust_folder import TrustFolder
    from sealwright.verify.layout_metadata import Layout

_PATH = click.Path(path_type=Path)
_FILE = Path("layout/root.layout")
_PLAN = Path(".sealwright/layout.toml")
_policy = click.option("--policy", type=_PATH, help="The trust policy. [default: ./keys/policy.toml]")
_file = click.argument("file", type=_PATH, default=_FILE)


@click.group(
    cls=Commands, epilog="\b\nExample: sealwright layout new\n         sealwright layout sign --openpgp-key FINGERPRINT"
)
def command() -> None:
    """Make, sign or show a layout: who may run which step of the build, by which command, from and to which files."""


@command.command(epilog="Example: sealwright layout new --days 90")
@click.option("--plan", type=_PATH, default=_PLAN, help=f"The steps of the build. [default: {_PLAN}]")
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=365,
    metavar="N",
    show_default=True,
    help="It lasts so long, at most.",
)
@click.option("--out", type=_PATH, default=_FILE, help=f"The file to write. [default: {_FILE}]")
@_policy
def new(plan: Path, days: int, out: Path, policy: Path | None) -> int:
    """Write an unsigned layout of the plan's steps, with the keys of those who may run them.

    It never outlasts the policy.
    """
    from sealwright.jobs.layout import new_layout

    trust = _trust(policy, out)
    layout = new_layout(plan, out, trust, days=days, now=clock(), gpg=find_gpg())
    _show(out, layout, trust, ())
    click.echo("Next, each maintainer: sealwright layout sign --openpgp-key FINGERPRINT", err=True)
    return 0


@command.command(epilog="Example: sealwright layout sign --openpgp-key FINGERPRINT")
@_file
@OPENPGP_KEY
@OPENPGP_KEY_FILE
@PASSPHRASE_FD
@_policy
@click.option("--log", "log", type=_PATH, metavar="FILE", help=LOG)
def sign(
    file: Path, openpgp_key: str | None, openpgp_key_file: str | None, passphrase_fd: int | None, policy: Path | None,
    log: Path | None,
) -> int:  # fmt: skip
    """Add your signature, as a signer of the policy, to the layout FILE. Read it first: sealwright layout show."""
    from sealwright.cli.record import by, log_for, record
    from sealwright.jobs.layout import read_layout_file, sign_layout
    from sealwright.jobs.log_events import written_events
    from sealwright.model.log_entry import Action

    trust = _trust(policy, file)
    gpg = find_gpg()
    opener = opener_of(gpg, openpgp_key, openpgp_key_file, passphrase_fd)
    if opener is None:
        raise UsageError("a layout is signed with a key", "Add --openpgp-key FINGERPRINT or --openpgp-key-file FILE.")
    audit_log = log_for(log)
    with opener() as signer:
        signed = sign_layout(file, trust, signer, now=clock(), gpg=gpg)
        key = (("key", signer.fingerprint),)
    _show(file, read_layout_file(file), trust, signed.checks)
    click.echo("signed" if signed.written else "nothing to write: your signature is there already", err=True)
    if signed.written:
        record(audit_log, *written_events((file,), Action.SIGN, "signed", by(), key))
    return 0


@command.command(epilog="Example: sealwright layout show")
@_file
@_policy
def show(file: Path, policy: Path | None) -> int:
    """Show what the layout FILE says, and for whom of the policy its signatures count.

    Exit code 11 as long as too few have signed it.
    """
    from sealwright.jobs.layout import read_layout_file, show_signers
    from sealwright.model.verdict import Outcome

    trust = _trust(policy, file)
    checks = show_signers(file, trust, now=clock(), gpg=find_gpg())
    _show(file, read_layout_file(file), trust, checks)
    return 0 if checks[-1].outcome is Outcome.PASS else int(checks[-1].costs)


def _trust(policy: Path | None, layout: Path) -> "TrustFolder":
    from sealwright.store.trust_folder import read_trust_folder

    return read_trust_folder(policy or DEFAULT_POLICY, layout, NO_POLICY)


def _show(file: Path, layout: "Layout", trust: "TrustFolder", checks: "tuple[Check, ...]") -> None:
    from sealwright.render.layout import render_layout

    steps = tuple(_shown(step, trust) for step in layout.steps)
    click.echo(render_layout(str(file), layout.expires, steps, checks), nl=False)


def _shown(step: Any, trust: "TrustFolder") -> "ShownStep":
    from sealwright.render.layout import ShownStep

    people = []
    for key_id in step.pubkeys:
        signer = trust.policy.signer_of_key(key_id.upper())
        people.append(f"{signer.name} ({key_id})" if signer else key_id)
    return ShownStep(
        step.name,
        tuple(people),
        step.threshold,
        tuple(step.expected_command),
        tuple(map(tuple, step.expected_materials)),
        tuple(map(tuple, step.expected_products)),
    )

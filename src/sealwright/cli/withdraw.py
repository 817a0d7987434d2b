"""`sealwright withdraw`: call a release back, and say what else has to be done."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealwright.cli.signing_key import OPENPGP_KEY, OPENPGP_KEY_FILE, PASSPHRASE_FD
from sealwright.cli.world import actor, clock, find_gpg, log_place, style

if TYPE_CHECKING:
    from collections.abc import Callable

    from sealwright.model.withdrawal import SignedWithdrawal, Withdrawal
    from sealwright.render.withdraw import Step
    from sealwright.store.trust_folder import TrustFolder

_PATH = click.Path(path_type=Path)


@click.command(
    epilog="""\b
    Examples, the last one for each step of the plan, afterwards:
      sealwright withdraw 1.2.3 --reason "deletes files" --dry-run
      sealwright withdraw 1.2.3 --reason "deletes files" --replacement 1.2.4 \\
        --openpgp-key FINGERPRINT
      sealwright withdraw 1.2.3 --done yank
    """
)
@click.argument("version")
@click.option("--reason", default="", help="Why, in one line, for everybody to read.")
@click.option("--replacement", default="", metavar="VERSION", help="The version to use instead.")
@click.option("--advisory", default="", metavar="ID", help="The advisory that tells more, such as CVE-2026-1234.")
@click.option("--policy", type=_PATH, help="The trust policy. [default: ./keys/policy.toml]")
@OPENPGP_KEY
@OPENPGP_KEY_FILE
@PASSPHRASE_FD
@click.option("--identity-token", metavar="FILE|-", help="Sign with Sigstore as this OIDC token says, without a key.")
@click.option("--trust-config", type=_PATH, help="The Sigstore instance to sign with. [default: the policy's]")
@click.option("--out", type=_PATH, help="Where the drafts go. [default: ./withdrawal-VERSION]")
@click.option("--done", metavar="STEP", help="Note in the audit log that a step of the plan is done.")
@click.option("--dry-run", is_flag=True, help="Show what would be signed, and the plan. Sign and write nothing.")
@click.option("--yes", is_flag=True, help="Sign, and publish Sigstore's entry, without asking.")
def command(
    version: str, reason: str, replacement: str, advisory: str, policy: Path | None, openpgp_key: str | None,
    openpgp_key_file: str | None, passphrase_fd: int | None, identity_token: str | None, trust_config: Path | None,
    out: Path | None, done: str | None, dry_run: bool, yes: bool,
) -> int:  # fmt: skip
    """Call VERSION back: any one signer of the policy signs that it must no longer be used.

    The statement is added to keys/withdrawn.json, which verify-release reads beside the policy and beside the
    release: it then ends with exit code 13, for ever. The command goes on with the plan for everything else. Run
    it again at any time: what is signed is not signed again, and what is done is marked. Nothing undoes a withdrawal.
    """
    from sealwright.cli.verdict import announce
    from sealwright.cli.verify import DEFAULT_POLICY, NO_POLICY
    from sealwright.errors import UsageError
    from sealwright.jobs.withdraw import build_withdrawal, find_standing, judge_of, withdraw
    from sealwright.render.text import plain
    from sealwright.render.withdraw import build_steps, render_plan
    from sealwright.store.trust_folder import read_trust_folder

    path = policy or DEFAULT_POLICY
    trust = read_trust_folder(path, path / "release", NO_POLICY)
    announce(trust, as_json=False)
    wanted = build_withdrawal(trust, version, reason, replacement, advisory, clock())
    drafts = out or Path(f"withdrawal-{wanted.version}")
    steps = build_steps(trust.policy, wanted, str(drafts), str(path.parent))
    name = f"{wanted.project} {wanted.version}"
    if done is not None:
        _note(name, done, steps)
        click.echo(f"noted: {plain(done)} is done")
        return 0
    judge = judge_of(trust, clock(), find_gpg())
    standing = find_standing(trust, wanted, judge)
    if standing is None and not wanted.reason:
        raise UsageError("a withdrawal needs a reason, for everybody to read", 'Add --reason "…", in one line.')
    wanted = standing.withdrawal if standing else wanted
    steps = build_steps(trust.policy, wanted, str(drafts), str(path.parent))
    _show(wanted)
    if dry_run:
        click.echo("\nNothing was signed or written (--dry-run). After the signing:\n")
        click.echo(render_plan(steps, _noted(name), style()), nl=False)
        return 0
    if standing is None:
        means = (openpgp_key, openpgp_key_file, passphrase_fd, identity_token, trust_config)
        sign = _signer(trust, *means, yes=yes)
        _confirm(name, yes=yes)
        standing = withdraw(trust, wanted, sign, judge)
        _log(name, (("step", "statement"), ("signer", standing.signer), ("reason", wanted.reason)))
        _say_signed(standing.signer, path.parent / "withdrawn.json")
    else:
        click.echo(f"\nsigned already, by {plain(standing.signer)}: not signed again")
    _write_drafts(drafts, trust, standing.withdrawal)
    click.echo(render_plan(steps, _noted(name), style()), nl=False)
    click.echo(f"\nNote each step: sealwright withdraw {plain(wanted.version)} --done STEP")
    return 0


def _show(wanted: "Withdrawal") -> None:
    from sealwright.render.text import entry

    shown = style()
    lines = [f"WITHDRAW  {wanted.project} {wanted.version}"]
    lines += entry("reason", [wanted.reason], shown)
    lines += entry("instead", [wanted.replacement or "nothing yet (--replacement VERSION)"], shown)
    lines += entry("advisory", [wanted.advisory], shown) if wanted.advisory else []
    click.echo("\n".join(lines))


def _signer(
    trust: "TrustFolder", key: str | None, key_file: str | None, passphrase_fd: int | None, token: str | None,
    config: Path | None, *, yes: bool,
) -> "Callable[[Withdrawal], SignedWithdrawal]":  # fmt: skip
    """Return what signs: an OpenPGP key if one was given, else Sigstore. Raises UsageError."""
    from sealwright.cli.build_facts import BuildOptions
    from sealwright.cli.seal import opener_of
    from sealwright.cli.sigstore import sigstore_means
    from sealwright.errors import UsageError
    from sealwright.jobs.withdraw import by_openpgp, by_sigstore

    opener = opener_of(find_gpg(), key, key_file, passphrase_fd)
    if opener is not None and token:
        raise UsageError("a withdrawal is signed once: with a key, or as an identity", "Leave one of them out.")
    if opener is not None:
        return by_openpgp(opener, trust)
    if not trust.policy.sigstore_identities():
        raise UsageError("a withdrawal needs a key to sign it", "Add --openpgp-key FINGERPRINT or --openpgp-key-file.")
    return by_sigstore(sigstore_means(trust, token, config, None, yes=yes, build=BuildOptions()))


def _say_signed(signer: str, file: Path) -> None:
    from sealwright.render.text import plain

    click.echo(f"\nsigned by {plain(signer)}, and added to {plain(str(file))}")
    click.echo("The trust folder has a new fingerprint: sealwright trust sums prints it. Its policy has not changed.")


def _write_drafts(folder: Path, trust: "TrustFolder", withdrawal: "Withdrawal") -> None:
    """Write what is to be published elsewhere, for a person to read first."""
    from sealwright.jobs.withdraw import write_drafts
    from sealwright.render.text import plain
    from sealwright.render.withdraw import ADVISORY_FILE, ANNOUNCEMENT_FILE, render_advisory, render_announcement

    texts = {ADVISORY_FILE: render_advisory(trust.policy, withdrawal)}
    write_drafts(folder, texts | {ANNOUNCEMENT_FILE: render_announcement(trust.policy, withdrawal)})
    click.echo(f"drafts are in {plain(str(folder))}. What is left to do, in this order:\n")


def _confirm(name: str, *, yes: bool) -> None:
    import sys

    from sealwright.errors import UsageError

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to confirm this, and nothing undoes a withdrawal", "In a script, add --yes.")
    click.confirm(f"Nothing undoes a withdrawal. Withdraw {name}?", abort=True, err=True)


def _note(name: str, step: str, steps: "tuple[Step, ...]") -> None:
    from sealwright.errors import UsageError

    if step not in [each.id for each in steps]:
        raise UsageError(f"{step[:80]!r} is no step of the plan", f"One of: {', '.join(each.id for each in steps)}.")
    _log(name, (("step", step),))


def _log(name: str, detail: tuple[tuple[str, str], ...]) -> None:
    from sealwright.model.log_entry import Action, Event
    from sealwright.store.audit_log import append

    append(log_place(None).path, Event(clock(), actor(), Action.WITHDRAW, name, detail=detail))


def _noted(name: str) -> dict[str, str]:
    """Which steps the audit log says are done, by whom and when."""
    from sealwright.errors import UsageError
    from sealwright.model.log_entry import Action
    from sealwright.store.log_reading import read_entries

    def mine(entry: dict[str, Any]) -> bool:
        return bool(entry["action"] == Action.WITHDRAW and entry["object"]["name"] == name)

    try:
        entries = list(read_entries(log_place(None).path, mine))
    except UsageError:  # there is no log yet
        return {}
    return {e["detail"]["step"]: f"by {e['actor']['user']}, {e['time'][:10]}" for e in entries if "step" in e["detail"]}

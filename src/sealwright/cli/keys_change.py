"""`sealwright keys extend`, `rotate` and `revoke`, and the options that the commands of `keys` share."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.signing_key import PASSPHRASE_FD
from sealwright.cli.world import actor, clock, find_gpg, log_place, say
from sealwright.errors import UsageError

if TYPE_CHECKING:
    from packaging.version import Version

    from sealwright.jobs.keys.change import Changed, Where
    from sealwright.jobs.keys.public import PublicPart
    from sealwright.model.deadline import Period
    from sealwright.store.trust_editing import Published

_PATH = click.Path(path_type=Path)
POLICY = click.option(
    "--policy", type=_PATH, default=Path("keys/policy.toml"), show_default=True, help="The trust policy."
)
REGISTER = click.option(
    "--register", type=_PATH, default=Path(".sealwright/keys.toml"), show_default=True, help="The register of keys."
)
KEY_FILE = click.option(
    "--key-file", type=_PATH, metavar="FILE", help="The secret key is in this file, not in your GnuPG keyring."
)
LIFETIME = click.option(
    "--expires", "lifetime", default="1y", show_default=True, metavar="PERIOD", help="From now: 6m, 1y, P1Y."
)
LOG = click.option("--log", type=_PATH, metavar="FILE", help="The audit log. [default: as docs/log.md says]")
_DRY = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


@click.command(short_help="Let a key expire later.", epilog="Example: sealwright keys extend FINGERPRINT --expires 1y")
@click.argument("fingerprint")
@LIFETIME
@POLICY
@KEY_FILE
@PASSPHRASE_FD
@_DRY
@LOG
def extend(
    fingerprint: str, lifetime: str, policy: Path, key_file: Path | None, passphrase_fd: int | None, dry_run: bool,
    log: Path | None,
) -> int:  # fmt: skip
    """Let a key and its signing subkeys expire later, also one that has expired: then old releases verify again.

    The subkeys that were replaced are extended, too, because what they signed is judged by them. Nothing that was
    revoked is.
    """
    from sealwright.jobs.keys.change import Plan
    from sealwright.jobs.keys.change import extend as change

    where, period = where_of(fingerprint, policy, key_file, passphrase_fd), lifetime_of(lifetime)
    log_place(log)
    done = change(where, period, clock, dry=dry_run)
    if isinstance(done, Plan):
        _say_dry([f"would extend {part}" for part in done.parts] or _why_not_extended(done.part, lifetime))
        return 0
    _finish(done, where, "extended", log)
    if not done.parts:
        for line in _why_not_extended(done.part, lifetime):
            say(line, sys.stdout)
    return 0


@click.command(
    short_help="Give a key a new subkey.", epilog="Example: sealwright keys rotate FINGERPRINT --backup /media/usb/keys"
)
@click.argument("fingerprint")
@LIFETIME
@click.option("--backup", type=_PATH, metavar="DIR", help="Write the backup anew, with the new subkey.")
@click.option("--keep-old", is_flag=True, help="Keep the secret parts of the old subkeys.")
@POLICY
@KEY_FILE
@PASSPHRASE_FD
@_DRY
@LOG
def rotate(
    fingerprint: str, lifetime: str, backup: Path | None, keep_old: bool, policy: Path, key_file: Path | None,
    passphrase_fd: int | None, dry_run: bool, log: Path | None,
) -> int:  # fmt: skip
    """Give a key a new signing subkey. The old one stays valid for what it signed, and its secret part is deleted.

    If the old one was stolen, revoke it first: sealwright keys revoke FINGERPRINT --subkey … --reason compromised.
    """
    from sealwright.jobs.keys.change import Plan
    from sealwright.jobs.keys.change import rotate as change

    where, period = where_of(fingerprint, policy, key_file, passphrase_fd), lifetime_of(lifetime)
    fingerprint = where.fingerprint
    log_place(log)
    done = change(where, period, clock, backup=backup, keep_old=keep_old, dry=dry_run)
    if isinstance(done, Plan):
        kept = [f"would keep {part} valid as long as it" for part in done.parts]
        end = [] if keep_old else [f"would delete the secret part of {part}" for part in done.parts]
        _say_dry(["would add a signing subkey", *kept, *end])
        return 0
    _finish(done, where, "rotated", log)
    _say_replaced(done, keep_old)
    if backup is None:
        say("Next: the backup does not hold the new subkey: run this with --backup DIR the next time.", sys.stdout)
    else:
        say(f"wrote {fingerprint}.secret.asc to {backup}, which no one else may read", sys.stdout)
        say("Next: put it away; an older backup does not hold the new subkey.", sys.stdout)
    say("Next: give CI the new subkey, if it signs:", sys.stdout)
    click.echo(
        f"  sealwright keys export {fingerprint} --secret-subkey FILE" + (" --key-file FILE" if key_file else "")
    )
    return 0


@click.command(
    short_help="Revoke a key or a subkey.", epilog="Example: sealwright keys revoke FINGERPRINT --reason compromised"
)
@click.argument("fingerprint")
@click.option(
    "--reason",
    type=click.Choice(["compromised", "superseded", "retired", "unspecified"]),
    help="Why; it cannot be changed.",
)
@click.option("--subkey", metavar="FINGERPRINT", help="Revoke this signing subkey alone.")
@click.option("--until-version", metavar="V", help="The last version it counts for; for superseded and retired.")
@click.option(
    "--certificate", type=_PATH, metavar="FILE", help="Use this revocation certificate; no secret key is needed."
)
@click.option("--lost", is_flag=True, help="The secret is lost, not stolen: revoke nothing, only set --until-version.")
@click.option("--yes", is_flag=True, help="Do not ask: a revocation cannot be taken back.")
@POLICY
@REGISTER
@KEY_FILE
@PASSPHRASE_FD
@_DRY
@LOG
def revoke(
    fingerprint: str, reason: str | None, subkey: str | None, until_version: str | None, certificate: Path | None,
    lost: bool, yes: bool, policy: Path, register: Path, key_file: Path | None, passphrase_fd: int | None,
    dry_run: bool, log: Path | None,
) -> int:  # fmt: skip
    """Revoke a key, or one subkey of it, with a reason. It stays in keys/, so that everyone learns of it.

    Compromised, unspecified: nothing that it signed counts any more, old releases included. Superseded, retired: it
    counts for versions up to --until-version, and for no later one.
    """
    from sealwright.jobs.keys.revoke import REASONS, Revoke, check_revoke, read_certificate
    from sealwright.jobs.keys.revoke import revoke as change

    where = where_of(fingerprint, policy, key_file, passphrase_fd)
    log_place(log)
    content = read_certificate(certificate) if certificate else None
    which = fingerprint_of(subkey) if subkey else ""
    wanted = Revoke(REASONS[reason] if reason else None, which, _version(until_version), content, lost)
    part = check_revoke(where, wanted, clock)
    meaning = _meaning(reason, until_version, which, lost)
    say(f"{_what(where, which, part.user_id)}: {meaning}", sys.stderr)
    if dry_run:
        _say_dry([])
        return 0
    if not yes:
        click.confirm("This cannot be taken back. Go on?", abort=True, err=True)
    done = change(where, wanted, clock, register)
    outcome = "limited, being lost" if lost else "revoked by its certificate" if certificate else f"revoked as {reason}"
    _finish(done, where, outcome, log)
    if done.left:
        limit = f"The whole key counts up to until-version {done.left} as before"
        say(f"{limit}; if that was said because of this", sys.stdout)
        say("subkey alone, take it out of the policy by hand (docs/keys.md).", sys.stdout)
    say("Next: users who keep the old folder still trust the key, so tell them (docs/bad-day.md).", sys.stdout)
    return 0


def where_of(fingerprint: str, policy: Path, key_file: Path | None, passphrase_fd: int | None) -> "Where":
    """Where a key and everything about it is."""
    from sealwright.cli.seal import passphrase_from
    from sealwright.jobs.keys.change import Where

    return Where(find_gpg(), policy, fingerprint_of(fingerprint), key_file, passphrase_from(passphrase_fd))


def fingerprint_of(text: str, hint: str = "sealwright keys status shows it.") -> str:
    """Read a full fingerprint, as gpg prints it. Raises UsageError."""
    fingerprint = text.replace(" ", "").upper()
    if len(fingerprint) not in (40, 64) or not all(c in "0123456789ABCDEF" for c in fingerprint):
        raise UsageError(
            f"{text[:80]!r} is not the full fingerprint of a key (40 or 64 hex digits)",
            hint,
        )
    return fingerprint


def lifetime_of(text: str) -> "Period":
    """Read a lifetime. Raises UsageError."""
    from sealwright.model.deadline import parse_period

    return parse_period(text)


def write_key_log(
    log: Path | None,
    fingerprint: str,
    outcome: str,
    policy: Path,
    published: "Published | None" = None,
    **detail: object,
) -> None:
    """Append what was done with a key to the audit log, with the SHA-256 of its public file, and of the policy if that
    was `published`, too: then `find_unraised` knows both with this version.
    """
    from sealwright.files.digest import digest_bytes
    from sealwright.jobs.unraised import judging_files
    from sealwright.model.log_entry import Action, Event
    from sealwright.store.audit_log import append
    from sealwright.store.trust_editing import read_draft

    draft = read_draft(policy, fingerprint)
    file = policy.resolve().parent / f"{fingerprint}.asc"
    digests: tuple[tuple[str, str], ...] = ()
    if file.is_file():
        digests += ((file.name, digest_bytes(file.read_bytes())),)
    if published and policy.resolve().name in published.written:
        digests += judging_files(draft.content, {})
    more = {"version": published.version} if published else {}
    details = tuple((name, str(value)) for name, value in ({"project": draft.policy.project} | detail | more).items())
    append(log_place(log).path, Event(clock(), actor(), Action.KEY, fingerprint, outcome, digests, details))


def say_published(published: "Published", policy: Path) -> None:
    """Say what was written into the trust folder, and what to do with it."""
    if published.stale:
        names = ", ".join(published.stale)
        say(f"SHA256SUMS did not agree with {names} and was made anew: look at git diff", sys.stderr)
    if not published.written:
        say("keys/ is up to date; nothing was written", sys.stdout)
        return
    say(f"wrote {', '.join(published.written)} in {policy.parent}", sys.stdout)
    say(f"the policy has version {published.version}", sys.stdout)
    say("Next: have the change reviewed, and publish the folder: users have a copy.", sys.stdout)


def _finish(done: "Changed", where: "Where", outcome: str, log: Path | None) -> None:
    word = f"resumed and {outcome}" if done.resumed else outcome
    changed = bool(done.parts or done.published.written)
    if changed:
        write_key_log(log, where.fingerprint, word, where.policy, done.published, parts=" ".join(done.parts))
    say(f"{word}: {' '.join(done.parts) or 'nothing had to be'}", sys.stdout)
    say_published(done.published, where.policy)


def _why_not_extended(part: "PublicPart", lifetime: str) -> list[str]:
    """Until when each part that could have been extended lasts already."""
    lines = [f"nothing is extended: {lifetime} from now is not a day later than what is there:"]
    for key in (part.primary, *(key for key in part.signing if key != part.primary)):
        if not key.revocations:
            until = f"lasts until {key.expires:%Y-%m-%d}" if key.expires else "does not expire"
            lines.append(f"  {key.fingerprint} {until}")
    return [*lines, "  for longer: --expires PERIOD"]


def _say_replaced(done: "Changed", keep_old: bool) -> None:
    """What became of the subkeys that were replaced: each stays as valid as it was, its secret part is gone or kept."""
    for key in done.replaced:
        until = f"until {key.expires:%Y-%m-%d}" if key.expires else "without an end"
        gone = "is not here" if not keep_old else "was left as it is (--keep-old)"
        secret = "was deleted here (--keep-old keeps it)" if key.fingerprint in done.deleted else gone
        stays = "stays revoked" if key.revocations else f"stays valid {until} for what it signed"
        say(f"the old subkey {key.fingerprint} {stays}; its secret part {secret}", sys.stdout)


def _version(text: str | None) -> "Version | None":
    if text is None:
        return None
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion as error:
        raise UsageError(f"--until-version: {text[:40]!r} is no version (PEP 440)") from error


def _what(where: "Where", subkey: str, user_id: str) -> str:
    return f"the subkey {subkey}" if subkey else f"{where.fingerprint} ({user_id})"


def _meaning(reason: str | None, until: str | None, subkey: str, lost: bool) -> str:
    if lost or until:
        return f"counts for versions up to {until}" + (", with the whole key it belongs to" if subkey else "")
    return f"nothing that it signed will count any more ({reason or 'as its certificate says'})"


def _say_dry(lines: list[str]) -> None:
    for line in [*lines, "dry run: nothing was changed"]:
        say(line, sys.stdout)

"""`sealwright keys`: the OpenPGP keys of the policy, from the first one to the bad day."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.commands import Commands
from sealwright.cli.keys_change import (
    KEY_FILE,
    LIFETIME,
    LOG,
    POLICY,
    REGISTER,
    extend,
    fingerprint_of,
    lifetime_of,
    revoke,
    rotate,
    say_published,
    where_of,
    write_key_log,
)
from sealwright.cli.signing_key import PASSPHRASE_FD
from sealwright.cli.world import clock, find_gpg, log_place, read_stdin, say, style
from sealwright.errors import UsageError

if TYPE_CHECKING:
    from sealwright.jobs.keys.new import NewKey
    from sealwright.jobs.keys.public import PublicPart

_PATH = click.Path(path_type=Path)
_LEAST = 12
_SENT = "It holds what sealwright keys export FINGERPRINT prints at its owner's."
_TOLD = "Its owner tells it to you: gpg --list-keys shows it to them."
_NO_KEYRING = (
    'Choose a passphrase and keep it yourself: run the same with --passphrase-fd 3 3<<<"$PASSPHRASE" at its end '
    "(bash). Or start a keyring: a desktop has one; Debian: gnome-keyring, in a D-Bus session."
)


@click.group(cls=Commands, epilog="\b\nExample: sealwright keys status\nExamples of each: sealwright keys new --help")
def command() -> None:
    """Make, list, extend, rotate and revoke the OpenPGP keys of the policy, and keep keys/ in step."""


for _each in (extend, rotate, revoke):
    command.add_command(_each)


@command.command(
    short_help="Make a key, back it up, and list it.",
    epilog="""\b
    Example:
      sealwright keys new --signer 'release manager' \\
        --user-id 'Release Manager <release@example.org>' --backup /media/usb/keys
    """,
)
@click.option("--signer", required=True, metavar="NAME", help="The signer of the policy whose key it is.")
@click.option("--user-id", required=True, metavar="TEXT", help="What the key calls itself: 'Name <address>'.")
@click.option("--backup", required=True, type=_PATH, metavar="DIR", help="Where revocation certificate and backup go.")
@click.option("--kept", metavar="TEXT", help="Where you will keep them, for the register. [default: DIR]")
@LIFETIME
@POLICY
@REGISTER
@KEY_FILE
@PASSPHRASE_FD
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@LOG
def new(
    signer: str, user_id: str, backup: Path, kept: str | None, lifetime: str, policy: Path, register: Path,
    key_file: Path | None, passphrase_fd: int | None, dry_run: bool, log: Path | None,
) -> int:  # fmt: skip
    """Make a key: a primary one that only certifies and does not expire, and a signing subkey that expires in a year.

    It goes into your own GnuPG keyring, or into FILE. The passphrase is asked for without echo, or made for you, and
    kept in the system keyring; one from --passphrase-fd is yours to keep. Interrupted, the same command goes on.
    """
    from sealwright.jobs.keys.new import NewKey, check_new, new_key

    wanted = NewKey(signer, user_id, backup, lifetime_of(lifetime), policy, register, kept or str(backup), key_file)
    log_place(log)
    if dry_run:
        check_new(wanted)
        _say_plan(wanted)
        return 0
    made = new_key(find_gpg(), wanted, lambda: _new_passphrase(passphrase_fd), clock)
    outcome = "resumed and made" if made.resumed else "made"
    write_key_log(log, made.fingerprint, outcome, policy, made.published, signer=signer)
    say(f"made {made.fingerprint}" + (", from where the last run was interrupted" if made.resumed else ""), sys.stdout)
    say(f"its signing subkey expires on {made.expires:%Y-%m-%d}: sealwright keys extend renews it", sys.stdout)
    say_published(made.published, policy)
    _say_threshold(policy)
    _say_backup(wanted, made.fingerprint, made.stored)
    return 0


@command.command(
    short_help="List a maintainer's existing public key.",
    epilog="Example: sealwright keys add their-key.asc --signer 'second maintainer'",
)
@click.argument("file", metavar="FILE|-")
@click.option("--signer", required=True, metavar="NAME", help="The signer of the policy whose key it is.")
@click.option("--fingerprint", metavar="HEX", help="The fingerprint that its owner told you: then nothing is asked.")
@POLICY
@click.option("--dry-run", is_flag=True, help="Judge the key, and change nothing.")
@LOG
def add(file: str, signer: str, fingerprint: str | None, policy: Path, dry_run: bool, log: Path | None) -> int:
    """List a maintainer's existing public key, made as small as it can be: its own signatures, one user ID, what signs.

    Refused is a file with a secret key or with two keys, and a key that is weak, expired, revoked, another signer's, or
    that shares a part with a listed one. A key that is listed already is brought up to date.
    """
    from sealwright.files.reading import read_named
    from sealwright.gnupg.public_key import MAX_PUBLIC_BYTES
    from sealwright.jobs.keys.add import add_key, read_candidate

    log_place(log)
    expected = fingerprint_of(fingerprint, _TOLD) if fingerprint else None
    if file == "-":
        content, place = read_stdin(MAX_PUBLIC_BYTES, "a key"), "standard input"
    else:
        content, place = read_named(Path(file), MAX_PUBLIC_BYTES, "the key file", _SENT), f"the key file {file}"
    part = read_candidate(find_gpg(), content, policy, signer, clock(), place)
    found = part.primary.fingerprint
    _show(part)
    if expected is not None and expected != found:
        raise UsageError(f"that is the key {found}, not {expected}", "Do not list it: ask its owner.")
    if dry_run:
        say("dry run: nothing was changed", sys.stdout)
        return 0
    if expected is None:
        click.confirm(f"Has {signer} told you this fingerprint, not by the same way?", abort=True, err=True)
    published = add_key(policy, part, signer)
    write_key_log(log, found, "added", policy, published, signer=signer)
    say_published(published, policy)
    _say_threshold(policy)
    return 0


@command.command(
    short_help="Print your public key, or write a signing subkey for CI.",
    epilog="Example: sealwright keys export FINGERPRINT > my-key.asc",
)
@click.argument("fingerprint")
@click.option("--secret-subkey", type=_PATH, metavar="FILE", help="Write the secret signing subkey alone, for CI.")
@POLICY
@KEY_FILE
@PASSPHRASE_FD
@LOG
def export(
    fingerprint: str, secret_subkey: Path | None, policy: Path, key_file: Path | None, passphrase_fd: int | None,
    log: Path | None,
) -> int:  # fmt: skip
    """Print your public key as `keys add` takes it; or write its secret signing subkey alone, for CI.

    What CI holds can then be revoked alone. The file is protected by the key's passphrase, and refused in a repository.
    """
    from sealwright.jobs.keys.export import export_public, export_secret_subkey

    where = where_of(fingerprint, policy, key_file, passphrase_fd)
    if secret_subkey is None:
        click.echo(export_public(where, clock()).decode("ascii"), nl=False)
        return 0
    log_place(log)
    subkey = export_secret_subkey(where, secret_subkey)
    write_key_log(log, where.fingerprint, "secret subkey exported", policy, subkey=subkey)
    say(f"wrote the secret signing subkey {subkey}", sys.stdout)
    say("Next: put the file into one secret of your CI, its passphrase into another, then delete the file.", sys.stdout)
    return 0


@command.command(
    short_help="Show every key: what it may do, until when.", epilog="Example: sealwright keys status --json"
)
@POLICY
@KEY_FILE
@click.option(
    "--check-revocation",
    type=_PATH,
    metavar="FILE",
    help="Try a revocation certificate, and note the date.",
)
@REGISTER
@LOG
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(
    policy: Path, key_file: Path | None, check_revocation: Path | None, register: Path, log: Path | None, as_json: bool
) -> int:
    """Show every key of the policy: what it may do, until when, and whether its secret part is at hand."""
    from sealwright.jobs.keys.status import keys_status
    from sealwright.render.keys import render_status, render_status_json

    if check_revocation is not None:
        _check_revocation(policy, check_revocation, register, log)
    found = keys_status(find_gpg(), policy, key_file, log_place(log).path, clock())
    click.echo(render_status_json(found) if as_json else render_status(found, style()), nl=False)
    return 0


def _check_revocation(policy: Path, file: Path, register: Path, log: Path | None) -> None:
    from sealwright.jobs.keys.revoke import find_certified
    from sealwright.store.key_register import set_key_record

    log_place(log)
    fingerprint, signer, reason = find_certified(find_gpg(), policy, file, clock())
    today = clock().date()
    set_key_record(register, fingerprint, {"owner": signer, "kept": str(file), "created": today}, {"checked": today})
    write_key_log(log, fingerprint, "revocation certificate checked", policy)
    word = reason.name.lower().replace("_", " ")
    say(f"{file.name} revokes {fingerprint} ({word}); nothing was revoked", sys.stderr)


def _new_passphrase(descriptor: int | None) -> tuple[str, bool]:
    """A passphrase for a new key, and whether the system keyring is to keep it: not one that came by a descriptor.

    Raises UndecidedError before it asks if there is no keyring.
    """
    typed = ""
    if descriptor is not None:
        from sealwright.cli.seal import read_passphrase_fd

        typed = read_passphrase_fd(descriptor)
    else:
        from sealwright.store.secrets import require_keyring

        require_keyring(_NO_KEYRING)
        if sys.stdin.isatty():
            typed = click.prompt(
                "New passphrase (empty: one is made for you)", default="", show_default=False, hide_input=True,
                confirmation_prompt="Once more", err=True,
            )  # fmt: skip
    if typed and (len(typed) < _LEAST or not typed.isprintable()):
        raise UsageError(f"a passphrase has at least {_LEAST} printable characters", "Five words, for instance.")
    if not typed:
        import base64
        import secrets

        letters = base64.b32encode(secrets.token_bytes(20)).decode().lower()
        typed = "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))
    return typed, descriptor is None


def _show(part: "PublicPart") -> None:
    say(f"{part.primary.fingerprint}  {part.user_id}", sys.stdout)
    for key in part.signing:
        until = f"until {key.expires:%Y-%m-%d}" if key.expires else "without an end"
        say(f"  signs {until}: {key.fingerprint}", sys.stdout)


def _say_threshold(policy: Path) -> None:
    """Say that fewer signers suffice than are listed, if it is so: to list one is not to require them."""
    from sealwright.render.text import plain
    from sealwright.store.trust_editing import read_draft

    found = read_draft(policy).policy
    enough, listed = found.require.signers, len(found.signers)
    if enough < listed:
        suffice = "suffices" if enough == 1 else "suffice"
        click.echo(f"any {enough} of the {listed} signers {suffice} for a release;")
        click.echo(plain(f"  if more must sign, raise signers under [require] in {policy}, and its version"))


def _say_plan(wanted: "NewKey") -> None:
    place = str(wanted.key_file) if wanted.key_file else "your GnuPG keyring"
    for line in (
        f"would make an Ed25519 key for {wanted.signer}, its secret part in {place}",
        f"would write FINGERPRINT.revocation.asc and FINGERPRINT.secret.asc to {wanted.backup}",
        f"would write FINGERPRINT.asc beside {wanted.policy}, list it there, and raise the policy's version",
        "dry run: nothing was changed",
    ):
        say(line, sys.stdout)


def _say_backup(wanted: "NewKey", fingerprint: str, stored: bool) -> None:
    say(f"wrote two files to {wanted.backup}, which no one else may read:", sys.stdout)
    say(f"  {fingerprint}.revocation.asc", sys.stdout)
    say("    is not protected: whoever has it can revoke the key", sys.stdout)
    say(f"  {fingerprint}.secret.asc", sys.stdout)
    say("    is the secret key, protected by its passphrase and nothing else", sys.stdout)
    say("Next: print both, or put the medium away.", sys.stdout)
    if stored:
        say("Next: write the passphrase down, and keep it in another place than the backup,", sys.stdout)
        say("which is worth nothing without it:", sys.stdout)
        say(f"  keyring get sealwright openpgp:{fingerprint}", sys.stdout)

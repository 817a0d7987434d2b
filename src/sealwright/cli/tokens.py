"""`sealwright tokens`: the register of credentials, and short-lived ones made from those in the keyring."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.commands import Commands
from sealwright.cli.tokens_mint import mint
from sealwright.cli.tokens_rotate import check, rotate
from sealwright.cli.tokens_shared import DATE, LOG_OPTION, REGISTER, ask_secret, check_form, event, registered
from sealwright.cli.world import clock
from sealwright.errors import UsageError

if TYPE_CHECKING:
    from sealwright.model.token import Token


@click.group(cls=Commands, epilog="\b\nExample: sealwright tokens list\nExamples of each: sealwright tokens add --help")
def command() -> None:
    """Register tokens with owners and deadlines, keep their secrets in the keyring, and mint short-lived ones."""


@command.command(
    epilog="""\b
    Example:
      sealwright tokens add pypi-upload --service pypi --scope project:pkg \\
        --owner me --purpose 'upload'
    """
)
@click.argument("name")
@click.option("--service", required=True, type=click.Choice(["pypi", "testpypi", "github", "gitlab", "other"]))
@click.option("--scope", required=True, help="What it may do: project:NAME, or in your words.")
@click.option("--owner", required=True, help="Who renews it.")
@click.option("--purpose", required=True, help="What it is for.")
@click.option("--where", help="Where its secret lives. [default: keyring:sealwright/token:NAME, and it is asked for]")
@click.option("--rotate-every", metavar="PERIOD", help="ISO 8601, such as P90D, the default.")
@click.option("--expires", type=DATE, metavar="DATE", help="When it expires at its service: 2027-03-31.")
@click.option("--accept", metavar="REASON", help="Accept a PyPI token that is bound to no project, for this reason.")
@REGISTER
@LOG_OPTION
def add(
    name: str, service: str, scope: str, owner: str, purpose: str, where: str | None, rotate_every: str | None,
    expires: date | None, accept: str | None, register: Path, log: Path | None,
) -> int:  # fmt: skip
    """Register a token. Its secret is asked for without echo, or read from standard input, and goes into the keyring.

    A PyPI token that may do whatever its user may is refused unless it is accepted with a reason. A secret that lives
    elsewhere (--where github-secret:OWNER/REPO/NAME, env:NAME, external) is not asked for.
    """
    from sealwright.cli.record import by, log_for, record
    from sealwright.model.token import NAME, PLACES, WHERE, refuse_secrets
    from sealwright.store.secrets import delete_secret, require_keyring
    from sealwright.store.token_register import add_token, read_register

    refuse_secrets("\n".join((scope, owner, purpose, where or "", accept or "")), "what was given on the command line")
    if not NAME.fullmatch(name):
        raise UsageError("a token's name is of a-z, 0-9, and . _ - between them")
    if where is not None and not WHERE.fullmatch(where):
        raise UsageError(f"--where must be {PLACES}", "For instance --where github-secret:example/sampleproject/TOKEN.")
    if register.exists() and any(token.name == name for token in read_register(register)):
        raise UsageError(f"{register} lists a token {name} already", "Choose another name, or revoke that one.")
    audit_log = log_for(log)
    place = where or f"keyring:sealwright/token:{name}"
    entry: dict[str, object] = {
        "name": name, "service": service, "scope": scope, "owner": owner, "purpose": purpose, "where": place,
        "created": clock().date(),
    }  # fmt: skip
    entry |= {"rotate-every": rotate_every} if rotate_every else {}
    entry |= {"expires": expires} if expires else {}
    entry |= {"accepted": accept} if accept else {}
    stored = None
    if place.startswith("keyring:"):
        require_keyring()  # before a live secret is pasted for nothing
        secret = ask_secret(name)
        found = check_form(secret, service, accept)
        if found and found.expires and "expires" not in entry:
            entry["expires"] = found.expires.date()
        stored = _store(place, secret)
    try:
        add_token(register, entry)  # type: ignore[arg-type]  # texts and dates
    except BaseException:
        if stored:
            delete_secret(*stored)  # a secret that no register lists would be forgotten
        raise
    done = by()
    accepted = (
        (event(done, "OVERRIDE", name, "accepted", ("option", "--accept"), ("reason", accept)),) if accept else ()
    )
    record(audit_log, *accepted, event(done, "TOKEN", name, "added"))
    click.echo(f"registered {name}")
    return 0


def _store(place: str, secret: str) -> tuple[str, str] | None:
    """Put a secret into the keyring and return where; None if it was there already. What is another's is left alone."""
    from sealwright.jobs.tokens.tokens import keyring_place
    from sealwright.store.secrets import read_secret, write_secret

    service, user = keyring_place(place)
    before = read_secret(service, user)
    if before is not None and before != secret:
        raise UsageError(
            f"the keyring holds another secret at {service}/{user} already",
            f"Name another place with --where, or remove that one: keyring del {service} {user}",
        )
    if before is None:
        write_secret(service, user, secret)
        return service, user
    return None


@command.command("list", epilog="Example: sealwright tokens list")
@REGISTER
def list_tokens(register: Path) -> int:
    """List the tokens with their owners and deadlines."""
    from sealwright.render.text import plain

    tokens = registered(register)
    if not tokens:
        click.echo("EMPTY: no token is registered")
    for token in tokens:
        click.echo(plain(f"{token.name}  {token.service}  {token.scope}  {_state(token)}  ({token.owner})"))
    return 0


def _state(token: "Token") -> str:
    """What comes first of a token's deadlines."""
    if token.revoked:
        return f"revoked {token.revoked:%Y-%m-%d}"
    if token.expires and token.expires <= token.rotate_by:
        return f"{'EXPIRED' if token.expires <= clock() else 'expires'} {token.expires:%Y-%m-%d}"
    return f"rotate by {token.rotate_by:%Y-%m-%d}"


@command.command(epilog="Example: sealwright tokens show pypi-upload")
@click.argument("name")
@REGISTER
def show(name: str, register: Path) -> int:
    """Show a token, and what a PyPI token in the keyring says that it may do. Its secret is not shown."""
    from sealwright.jobs.tokens.pypi import DOMAINS, read_restrictions
    from sealwright.jobs.tokens.tokens import keyring_place
    from sealwright.render.text import plain
    from sealwright.store.secrets import read_secret
    from sealwright.store.token_register import find_token

    token = find_token(register, name)
    lines = [f"{key:<10} {getattr(token, key)}" for key in ("name", "service", "scope", "owner", "purpose", "where")]
    dates = {"created": token.created, "rotated": token.rotated, "expires": token.expires, "revoked": token.revoked}
    lines += [f"{key:<10} {value:%Y-%m-%d}" for key, value in dates.items() if value]
    lines += [f"rotate by  {token.rotate_by:%Y-%m-%d}"] if not token.revoked else []
    lines += [f"accepted   {token.accepted}"] if token.accepted else []
    lines += [f"kept       {token.kept}"] if token.kept else []
    if token.service in DOMAINS and token.where.startswith("keyring:"):
        secret = read_secret(*keyring_place(token.where))
        lines.append(
            f"may do     {read_restrictions(secret, token.service).describe() if secret else 'no secret there'}"
        )
    click.echo("\n".join(plain(line) for line in lines))
    return 0


@command.command(epilog="Example: sealwright tokens revoke pypi-upload")
@click.argument("name")
@REGISTER
@LOG_OPTION
def revoke(name: str, register: Path, log: Path | None) -> int:
    """Mark a token as revoked and remove its secret from the keyring. Deleting it at its service is yours to do."""
    from sealwright.cli.record import remark
    from sealwright.jobs.tokens.tokens import NEW, keyring_place
    from sealwright.store.secrets import delete_secret
    from sealwright.store.token_register import find_token, set_key

    token = find_token(register, name)
    set_key(register, name, "revoked", clock().date())
    removed = False
    if token.where.startswith("keyring:"):
        service, user = keyring_place(token.where)
        pending = delete_secret(service, user + NEW)
        removed = delete_secret(service, user) or pending
    remark(log, lambda by: (event(by, "TOKEN", name, "revoked"),))  # on a bad day no full disk may stop this
    click.echo(f"revoked {name}" + ("; its secret is no longer in the keyring" if removed else ""))
    click.echo(f"Next: delete it at its service ({token.service}) as well: only then can nobody use it.")
    return 0


for _each in (rotate, check, mint):
    command.add_command(_each)

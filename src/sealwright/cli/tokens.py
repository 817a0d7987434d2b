"""`sealwright tokens`: the register of credentials, and short-lived ones made from those in the keyring."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.world import actor, clock, log_place, read_stdin
from sealwright.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from sealwright.model.token import Token

_PATH = click.Path(path_type=Path)
_REGISTER = click.option(
    "--tokens", "register", type=_PATH, default=Path(".sealwright/tokens.toml"), show_default=True, help="The register."
)
_LOG = click.option("--log", "log", type=_PATH, metavar="FILE", help="The audit log. [default: as docs/log.md says]")
_MAX_SECRET = 8192
_LIFETIME = re.compile(r"([1-9]\d{0,3})([smh])", re.ASCII)


@click.group(epilog="Example: sealwright tokens list    Examples of each: sealwright tokens add --help")
def command() -> None:
    """Register tokens with owners and deadlines, keep their secrets in the keyring, and mint short-lived ones."""


@command.command(
    epilog="Example: sealwright tokens add pypi-upload --service pypi --scope project:pkg --owner me --purpose 'upload'"
)
@click.argument("name")
@click.option("--service", required=True, type=click.Choice(["pypi", "testpypi", "github", "gitlab", "other"]))
@click.option("--scope", required=True, help="What it may do: project:NAME, or in your words.")
@click.option("--owner", required=True, help="Who renews it.")
@click.option("--purpose", required=True, help="What it is for.")
@click.option("--where", help="Where its secret lives. [default: keyring:sealwright/token:NAME, and it is asked for]")
@click.option("--rotate-every", metavar="PERIOD", help="ISO 8601, such as P90D, the default.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="When it expires at its service.")
@click.option("--accept", metavar="REASON", help="Accept a PyPI token that is bound to no project, for this reason.")
@_REGISTER
@_LOG
def add(
    name: str, service: str, scope: str, owner: str, purpose: str, where: str | None, rotate_every: str | None,
    expires: "object | None", accept: str | None, register: Path, log: Path | None,
) -> int:  # fmt: skip
    """Register a token. Its secret is asked for without echo, or read from standard input, and goes into the keyring.

    A PyPI token that may do whatever its user may is refused unless it is accepted with a reason. A secret that lives
    elsewhere (--where github-secret:OWNER/REPO/NAME, env:NAME, external) is not asked for.
    """
    from datetime import datetime

    from sealwright.jobs.tokens import keyring_place
    from sealwright.model.token import NAME
    from sealwright.store.secrets import delete_secret, write_secret
    from sealwright.store.token_register import add_token, read_register

    if not NAME.fullmatch(name):
        raise UsageError("a token's name is of a-z, 0-9, and . _ - between them")
    if register.exists() and any(token.name == name for token in read_register(register)):
        raise UsageError(f"{register} lists a token {name} already", "Choose another name, or revoke that one.")
    place = where or f"keyring:sealwright/token:{name}"
    entry: dict[str, object] = {
        "name": name, "service": service, "scope": scope, "owner": owner, "purpose": purpose, "where": place,
        "created": clock().date(),
    }  # fmt: skip
    entry |= {"rotate-every": rotate_every} if rotate_every else {}
    entry |= {"expires": expires.date()} if isinstance(expires, datetime) else {}
    entry |= {"accepted": accept} if accept else {}
    stored = None
    if place.startswith("keyring:"):
        secret = _ask_secret(name)
        _check_form(secret, service, accept)
        stored = keyring_place(place)
        write_secret(*stored, secret)
    try:
        add_token(register, entry)  # type: ignore[arg-type]  # texts and dates
    except BaseException:
        if stored:
            delete_secret(*stored)  # a secret that no register lists would be forgotten
        raise
    _write_log(log, "TOKEN", name, "added")
    click.echo(f"registered {name}")
    return 0


@command.command("list", epilog="Example: sealwright tokens list")
@_REGISTER
def list_tokens(register: Path) -> int:
    """List the tokens with their owners and deadlines."""
    from sealwright.render.text import plain
    from sealwright.store.token_register import read_register

    tokens = read_register(register)
    if not tokens:
        click.echo("EMPTY: no token is registered")
    for token in tokens:
        state = f"revoked {token.revoked:%Y-%m-%d}" if token.revoked else f"rotate by {token.rotate_by:%Y-%m-%d}"
        click.echo(plain(f"{token.name}  {token.service}  {token.scope}  {state}  ({token.owner})"))
    return 0


@command.command(epilog="Example: sealwright tokens show pypi-upload")
@click.argument("name")
@_REGISTER
def show(name: str, register: Path) -> int:
    """Show a token, and what a PyPI token in the keyring says that it may do. Its secret is not shown."""
    from sealwright.jobs.pypi_token import DOMAINS, read_restrictions
    from sealwright.jobs.tokens import keyring_place
    from sealwright.render.text import plain
    from sealwright.store.secrets import read_secret
    from sealwright.store.token_register import find_token

    token = find_token(register, name)
    lines = [f"{key:<10} {getattr(token, key)}" for key in ("name", "service", "scope", "owner", "purpose", "where")]
    dates = {"created": token.created, "rotated": token.rotated, "expires": token.expires, "revoked": token.revoked}
    lines += [f"{key:<10} {value:%Y-%m-%d}" for key, value in dates.items() if value]
    lines += [f"rotate by  {token.rotate_by:%Y-%m-%d}"] if not token.revoked else []
    lines += [f"accepted   {token.accepted}"] if token.accepted else []
    if token.service in DOMAINS and token.where.startswith("keyring:"):
        secret = read_secret(*keyring_place(token.where))
        lines.append(
            f"may do     {read_restrictions(secret, token.service).describe() if secret else 'no secret there'}"
        )
    click.echo("\n".join(plain(line) for line in lines))
    return 0


@command.command(epilog="Example: sealwright tokens revoke pypi-upload")
@click.argument("name")
@_REGISTER
@_LOG
def revoke(name: str, register: Path, log: Path | None) -> int:
    """Mark a token as revoked and remove its secret from the keyring. Deleting it at its service is yours to do."""
    from sealwright.jobs.tokens import keyring_place
    from sealwright.store.secrets import delete_secret
    from sealwright.store.token_register import find_token, set_key

    token = find_token(register, name)
    set_key(register, name, "revoked", clock().date())
    removed = token.where.startswith("keyring:") and delete_secret(*keyring_place(token.where))
    _write_log(log, "TOKEN", name, "revoked")
    click.echo(f"revoked {name}" + ("; its secret is no longer in the keyring" if removed else ""))
    click.echo(f"Next: delete it at its service ({token.service}) as well: only then can nobody use it.")
    return 0


@command.command(epilog="Example: sealwright tokens rotate pypi-upload")
@click.argument("name")
@click.option("--yes", is_flag=True, help="The new secret is known to work: do not ask.")
@_REGISTER
@_LOG
def rotate(name: str, yes: bool, register: Path, log: Path | None) -> int:
    """Exchange a token's secret: what to do at the service, the new secret, the date. Interrupted, it is resumed.

    The old secret stays in the keyring until you confirm that the new one works; nothing here asks the service.
    """
    from sealwright.jobs.tokens import STEPS
    from sealwright.jobs.tokens import rotate as exchange
    from sealwright.store.token_register import find_token

    token = find_token(register, name)
    click.echo(STEPS[token.service], err=True)

    def confirm() -> None:
        if not yes:
            click.confirm("Does the new secret work? (No service was asked.)", abort=True, err=True)

    resumed = exchange(
        register, token, clock(), lambda: _ask_secret(name),
        lambda secret: _check_form(secret, token.service, token.accepted or None), confirm,
    )  # fmt: skip
    _write_log(log, "ROTATE", name, "resumed and rotated" if resumed else "rotated")
    click.echo(f"rotated {name}" + (", from where the last run was interrupted" if resumed else ""))
    click.echo(f"Next: delete the old one at its service ({token.service}): until then it still works.")
    return 0


@command.command(epilog="Example: sealwright tokens check")
@_REGISTER
def check(register: Path) -> int:
    """Find tokens that are late, expired, too wide, doubled, or left over: 31 for late ones, 30 for the others."""
    from sealwright.errors import gravest
    from sealwright.jobs.tokens import check_tokens
    from sealwright.render.text import plain
    from sealwright.store.token_register import read_register

    tokens = read_register(register)
    found = check_tokens(tokens, clock())
    for finding in found:
        click.echo(plain(f"{finding.token} {finding.problem}; next: {finding.step}"))
    if not found:
        click.echo("nothing is wrong" if tokens else "EMPTY: no token is registered")
    return int(gravest({finding.code for finding in found}))


@command.command(
    context_settings={"ignore_unknown_options": True},
    epilog="Example: sealwright tokens mint pypi-upload --project pkg --expires 15m -- twine upload dist/*",
)
@click.argument("name")
@click.argument("child", metavar="-- COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--project", required=True, help="The one project that the minted token may upload.")
@click.option("--expires", default="15m", show_default=True, help="How long it lives: 900s, 15m, 2h.")
@click.option("--variable", default="TWINE_PASSWORD", show_default=True, help="The child's variable that holds it.")
@_REGISTER
@_LOG
def mint(
    name: str, child: tuple[str, ...], project: str, expires: str, variable: str, register: Path, log: Path | None
) -> int:
    """Derive a token that can upload one project for a short while, and give it to one command in its environment.

    The stored token never leaves the keyring. TWINE_USERNAME is set beside it.
    """
    from packaging.utils import InvalidName, canonicalize_name

    from sealwright.jobs.pypi_token import DOMAINS
    from sealwright.jobs.pypi_token import mint as derive
    from sealwright.jobs.tokens import keyring_place
    from sealwright.store.secrets import read_secret
    from sealwright.store.token_register import find_token

    found = _LIFETIME.fullmatch(expires)
    if found is None or not re.fullmatch(r"[A-Za-z_]\w*", variable, re.ASCII):
        raise UsageError("--expires is so many s, m or h, and --variable the name of a variable", "--expires 15m")
    lifetime = int(found[1]) * {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}[found[2]]
    try:
        normal = canonicalize_name(project, validate=True)
    except InvalidName as error:
        raise UsageError("--project is no name of a Python project (PEP 508)") from error
    token = find_token(register, name)
    _refuse_unfit(token, DOMAINS)
    secret = read_secret(*keyring_place(token.where))
    if secret is None:
        raise UsageError(f"the keyring holds no secret for {name}", f"sealwright tokens show {name}")
    minted = derive(secret, normal, clock(), lifetime)
    detail = (("project", normal), ("expires", expires), ("command", child[0]))
    _write_log(log, "MINT", name, "minted", detail)
    environment = os.environ | {"TWINE_USERNAME": "__token__", variable: minted}
    try:
        done = subprocess.run(child, env=environment, check=False)
    except OSError as error:
        raise UsageError(f"{child[0]} cannot be run: {error.strerror}") from None
    if done.returncode:
        click.echo(f"sealwright: error: {os.path.basename(child[0])} ended with {done.returncode}", err=True)
        return int(ExitCode.UNDECIDED)
    return 0


def _refuse_unfit(token: "Token", domains: dict[str, str]) -> None:
    if token.service not in domains or not token.where.startswith("keyring:"):
        raise UsageError(f"{token.name} is no PyPI token in the keyring, so nothing can be minted from it")
    if token.revoked or (token.expires and token.expires <= clock()):
        raise UsageError(f"{token.name} is revoked, or has expired")


def _ask_secret(name: str) -> str:
    """Ask on a terminal without echo, or read standard input; never an argument."""
    if sys.stdin.isatty():
        text: str = click.prompt(f"Secret of {name}", hide_input=True, err=True)
    else:
        text = read_stdin(_MAX_SECRET, "a secret").decode("utf-8", "replace")
    secret = text.strip()
    if not secret or not secret.isprintable() or not secret.isascii():
        raise UsageError(
            "standard input holds no secret", "Paste it at the prompt, or pipe it in: it must be one line."
        )
    return secret


def _check_form(secret: str, service: str, accept: str | None) -> None:
    from sealwright.jobs.pypi_token import DOMAINS, read_restrictions
    from sealwright.render.text import plain

    if service not in DOMAINS:
        return
    found = read_restrictions(secret, service)
    if not found.narrow and not accept:
        raise UsageError(
            f"that token may do {plain(found.describe())}",
            'Make one for a single project, or accept this one by name: --accept "REASON".',
        )
    click.echo(f"it may do: {plain(found.describe())}", err=True)


def _write_log(
    log: Path | None, action: str, name: str, outcome: str, detail: tuple[tuple[str, str], ...] = ()
) -> None:
    from sealwright.model.log_entry import Action, Event
    from sealwright.store.audit_log import append

    append(log_place(log).path, Event(clock(), actor(), Action[action], name, outcome, detail=detail))

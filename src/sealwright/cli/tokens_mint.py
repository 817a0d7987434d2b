"""`sealwright tokens mint`: a token for one project and some minutes, in the environment of one command."""

import os
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.tokens_shared import LOG_OPTION, REGISTER, event
from sealwright.cli.world import clock
from sealwright.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from sealwright.model.token import Token

_LIFETIME = re.compile(r"([1-9]\d{0,3})([smh])", re.ASCII)


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog="""\b
    Example:
      sealwright tokens mint pypi-upload --project pkg --expires 15m \\
        -- twine upload dist/*
    """,
)
@click.argument("name")
@click.argument("child", metavar="-- COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--project", required=True, help="The one project that the minted token may upload.")
@click.option("--expires", default="15m", show_default=True, help="How long it lives: 900s, 15m, 2h.")
@click.option("--variable", default="TWINE_PASSWORD", show_default=True, help="The child's variable that holds it.")
@REGISTER
@LOG_OPTION
def mint(
    name: str, child: tuple[str, ...], project: str, expires: str, variable: str, register: Path, log: Path | None
) -> int:
    """Derive a token that can upload one project for a short while, and give it to one command in its environment.

    The stored token never leaves the keyring. TWINE_USERNAME is set beside it.
    """
    from packaging.utils import InvalidName, canonicalize_name

    from sealwright.cli.record import by, log_for, record
    from sealwright.jobs.tokens.pypi import DOMAINS, refuse_useless
    from sealwright.jobs.tokens.pypi import mint as derive
    from sealwright.jobs.tokens.tokens import keyring_place
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
    refuse_useless(secret, token.service, normal, clock())
    audit_log = log_for(log)
    minted = derive(secret, normal, clock(), lifetime)
    detail = (("project", normal), ("expires", expires), ("command", child[0]))
    record(audit_log, event(by(), "MINT", name, "minted", *detail))  # before anybody has it
    environment = os.environ | {"TWINE_USERNAME": "__token__", variable: minted}
    try:
        code = _wait_for(subprocess.Popen(child, env=environment))
    except OSError as error:
        raise UsageError(f"{child[0]} cannot be run: {error.strerror}") from None
    if code:
        click.echo(f"sealwright: error: {os.path.basename(child[0])} ended with {code}", err=True)
        return int(ExitCode.UNDECIDED)
    return 0


def _wait_for(process: "subprocess.Popen[bytes]") -> int:
    """Return how the child ended. It has a token: if this is interrupted, it is ended, and gone before we go."""
    try:
        return process.wait()
    except BaseException:
        process.kill()
        process.wait()
        raise


def _refuse_unfit(token: "Token", domains: dict[str, str]) -> None:
    if token.service not in domains or not token.where.startswith("keyring:"):
        raise UsageError(
            f"{token.name} is no PyPI token in the keyring, so nothing can be minted from it",
            "sealwright tokens add NAME --service pypi, without --where, puts one there.",
        )
    if token.revoked or (token.expires and token.expires <= clock()):
        raise UsageError(f"{token.name} is revoked, or has expired", "sealwright tokens list shows those that are not.")

"""What the commands of `sealwright tokens` share: the register's option, asking for a secret, a line of the log."""

import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealwright.cli.world import LOG, read_stdin
from sealwright.errors import UsageError

if TYPE_CHECKING:
    from sealwright.jobs.log_events import By
    from sealwright.jobs.tokens.pypi import Restrictions
    from sealwright.model.log_entry import Event
    from sealwright.model.token import Token

_PATH = click.Path(path_type=Path)
REGISTER = click.option(
    "--tokens", "register", type=_PATH, default=Path(".sealwright/tokens.toml"), show_default=True, help="The register."
)
LOG_OPTION = click.option("--log", "log", type=_PATH, metavar="FILE", help=LOG)
_MAX_SECRET = 8192


class _Date(click.ParamType):  # type: ignore[type-arg]  # generic only in newer ones
    """A day, as 2027-03-31."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day. Raises UsageError for whatever is none."""
        try:
            return datetime.strptime(str(value)[:40], "%Y-%m-%d").replace(tzinfo=UTC).date()
        except ValueError:
            named = param.opts[0] if param else "a date"
            raise UsageError(f"{named}: {str(value)[:40]!r} is not a date", "For instance 2027-03-31.") from None


DATE = _Date()


def registered(register: Path) -> "tuple[Token, ...]":
    """Return the registered tokens: none if there is no register, unless its user has named it. Raises UsageError."""
    from click.core import ParameterSource

    from sealwright.store.token_register import read_register

    named = click.get_current_context().get_parameter_source("register") is not ParameterSource.DEFAULT
    return read_register(register) if named or os.path.lexists(register) else ()


def ask_secret(name: str) -> str:
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


def check_form(secret: str, service: str, accept: str | None) -> "Restrictions | None":
    """Say what a PyPI token may do, and refuse one that may do whatever its user may; of others nothing is known."""
    from sealwright.jobs.tokens.pypi import DOMAINS, read_restrictions
    from sealwright.render.text import plain

    if service not in DOMAINS:
        return None
    found = read_restrictions(secret, service)
    if not found.narrow and not accept:
        raise UsageError(
            f"that token may do {plain(found.describe())}",
            'Make one for a single project, or accept this one by name: --accept "REASON".',
        )
    click.echo(f"it may do: {plain(found.describe())}", err=True)
    return found


def event(by: "By", action: str, name: str, outcome: str, *detail: tuple[str, str]) -> "Event":
    """A line of the audit log about a token."""
    from sealwright.model.log_entry import Action, Event

    return Event(by.now, by.actor, Action[action], name, outcome, (), detail)

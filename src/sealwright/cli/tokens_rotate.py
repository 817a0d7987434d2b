"""`sealwright tokens rotate` and `check`: the exchange of a secret, and what is wrong with the registered ones."""

import os
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.tokens_shared import DATE, LOG_OPTION, REGISTER, ask_secret, check_form, event, registered
from sealwright.cli.world import clock
from sealwright.errors import UndecidedError, UsageError

if TYPE_CHECKING:
    from sealwright.jobs.tokens.tokens import Confirmed
    from sealwright.model.token import Token


@click.command(epilog="Example: sealwright tokens rotate pypi-upload")
@click.argument("name")
@click.option("--yes", is_flag=True, help="The new secret is known to work: do not ask.")
@click.option("--expires", type=DATE, metavar="DATE", help="When the new one expires. [default: as GitHub says]")
@click.option("--github-api", metavar="URL", help="The API of a GitHub Enterprise Server. [default: api.github.com]")
@REGISTER
@LOG_OPTION
def rotate(name: str, yes: bool, expires: date | None, github_api: str | None, register: Path, log: Path | None) -> int:
    """Exchange a token's secret: what to do at the service, the new secret, the date. Interrupted, it is resumed.

    The old secret stays in the keyring until the new one is known to work: GitHub is asked, and says when it expires;
    no other service can be, so you are.
    """
    from sealwright.cli.record import by, log_for, record
    from sealwright.jobs.remind.send import GITHUB_API, refuse_clear
    from sealwright.jobs.tokens.check import refuse_wider
    from sealwright.jobs.tokens.tokens import STEPS, next_place
    from sealwright.jobs.tokens.tokens import rotate as exchange
    from sealwright.model.deadline import to_moment
    from sealwright.store.token_register import find_token

    api = github_api or GITHUB_API
    refuse_clear(api)
    token = find_token(register, name)
    audit_log = log_for(log)
    click.echo(STEPS[token.service], err=True)
    if elsewhere := next_place(token.where):
        click.echo(elsewhere, err=True)
    until = to_moment(expires)

    def check_new(secret: str) -> None:
        refuse_wider(token, check_form(secret, token.service, token.accepted or None))

    resumed = exchange(
        register, token, clock(), lambda: ask_secret(name), check_new,
        lambda secret: _confirm(token, secret, api, until, yes=yes),
    )  # fmt: skip
    record(audit_log, event(by(), "ROTATE", name, "resumed and rotated" if resumed else "rotated"))
    click.echo(f"rotated {name}" + (", from where the last run was interrupted" if resumed else ""))
    click.echo(f"Next: delete the old one at its service ({token.service}): until then it still works.")
    return 0


def _confirm(token: "Token", secret: str, api: str, until: datetime | None, *, yes: bool) -> "Confirmed":
    """Find out whether a new secret works, from its service or from whoever sits here, and until when."""
    from sealwright.jobs.tokens.pypi import DOMAINS, read_restrictions
    from sealwright.jobs.tokens.tokens import Confirmed, DeniedError

    known = Confirmed(until is not None, until)
    if token.service == "github" and secret:
        try:
            return _ask_github(secret, api, until)
        except UndecidedError as error:
            click.echo(f"{error.message}: say yourself whether the new secret works", err=True)
    elif token.service in DOMAINS and secret and until is None:
        known = Confirmed(True, read_restrictions(secret, token.service).expires)
    if not yes and not click.confirm("Does the new secret work? (No service was asked.)", err=True):
        raise DeniedError("the new secret was not kept", "The old one is still in its place.")
    return known


def _ask_github(secret: str, api: str, until: datetime | None) -> "Confirmed":
    from sealwright.jobs.tokens.github import ask_github
    from sealwright.jobs.tokens.tokens import Confirmed, DeniedError

    answer = ask_github(secret, api)
    if not answer.works:
        raise DeniedError(
            "GitHub refuses the new secret, so it was not kept", "Copy it whole. The old one is still in its place."
        )
    ends = answer.expires or until
    click.echo(f"GitHub takes it; {f'it expires on {ends:%Y-%m-%d}' if ends else 'it never expires'}", err=True)
    return Confirmed(True, ends)


@click.command(epilog="Example: sealwright tokens check")
@REGISTER
@click.option(
    "--project", "folder", type=click.Path(path_type=Path), default=Path(), help="Where the CI files are. [default: .]"
)
def check(register: Path, folder: Path) -> int:
    """Find tokens that are late, expired, too wide, doubled, needless, or left over: 31 for late ones, 30 for others.

    The CI files of the project are read: a token of an index to which they publish without one is needless, and a
    secret that they use and nobody has registered has no deadline. Nothing is asked of any service.
    """
    from sealwright.collect.built.project import collect_project
    from sealwright.collect.workflows import collect_ci_use
    from sealwright.errors import gravest
    from sealwright.jobs.tokens.check import check_tokens
    from sealwright.render.text import plain

    tokens = registered(register)
    try:
        project = collect_project(folder).name
    except UsageError:
        project = ""  # then no token is left out because it is another project's
    found = check_tokens(tokens, clock(), os.environ, collect_ci_use(folder), project)
    for name, restrictions in found.restrictions:
        click.echo(plain(f"{name}: {restrictions}"))
    for finding in found.findings:
        click.echo(plain(f"{finding.token} {finding.problem}; next: {finding.step}"))
    if not tokens:
        click.echo("EMPTY: no token is registered")
    elif not found.findings:
        click.echo("nothing is wrong")
    return int(gravest({finding.code for finding in found.findings}))

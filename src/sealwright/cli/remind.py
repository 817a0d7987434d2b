"""`sealwright remind`: what must be renewed, and until when; the quarterly job."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.world import clock, find_gpg, style
from sealwright.errors import ExitCode, UsageError, gravest

if TYPE_CHECKING:
    from collections.abc import Callable

    from sealwright.jobs.remind.remind import Places
    from sealwright.model.deadline import Reminder

_PATH = click.Path(path_type=Path)
_POLICY, _LAYOUT = Path("keys/policy.toml"), Path("layout/root.layout")
_TOKENS, _AUDIT, _KEYS = (Path(f".sealwright/{name}.toml") for name in ("tokens", "audit", "keys"))


@click.command(
    epilog="""\b
    Examples: each quarter, as a calendar, in CI, and by mail:
      sealwright remind --within 90d
      sealwright remind --format ics > deadlines.ics
      sealwright remind --github-issue OWNER/REPO
      sealwright remind --notify env:MAIL_URL
    """
)
@click.option("--within", default="30d", show_default=True, metavar="PERIOD", help="What is due: 30d, 6w, 3m, P1Y.")
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json", "ics"]), default="text", show_default=True
)
@click.option("--policy", type=_PATH, help="The trust policy. [default: ./keys/policy.toml]")
@click.option("--tokens", type=_PATH, help="The tokens register. [default: ./.sealwright/tokens.toml]")
@click.option("--audit", type=_PATH, help="The audit's ignores. [default: ./.sealwright/audit.toml]")
@click.option("--keys", type=_PATH, help="The register of keys. [default: ./.sealwright/keys.toml]")
@click.option("--layout", type=_PATH, help="The in-toto layout. [default: ./layout/root.layout]")
@click.option("--log", type=_PATH, metavar="FILE", help="The audit log. [default: as docs/log.md says]")
@click.option(
    "--notify",
    multiple=True,
    metavar="URL",
    help="Send it if anything is due, by apprise: mailto://, slack://, json:// ... "
    "env:NAME and keyring:SERVICE/USER keep the URL's password off the command line.",
)
@click.option("--github-issue", metavar="OWNER/REPO", help="Keep one issue open while anything is due (GITHUB_TOKEN).")
@click.option("--github-api", metavar="URL", help="The API of a GitHub Enterprise Server. [default: GITHUB_API_URL]")
def command(
    within: str, form: str, policy: Path | None, tokens: Path | None, audit: Path | None, keys: Path | None,
    layout: Path | None, log: Path | None, notify: tuple[str, ...], github_issue: str | None, github_api: str | None,
) -> int:  # fmt: skip
    """Show every deadline of policy, keys, tokens, ignores, layout, trusted root and log: 30 for due, 31 for overdue.

    A register that is empty is said to be empty. A message that could not be sent is exit code 3, and the list is
    printed all the same.
    """
    from sealwright.jobs.remind.remind import remind
    from sealwright.model.deadline import parse_period

    period = parse_period(within)
    senders = _senders(notify, github_issue, github_api)
    reminder = remind(_places(policy, tokens, audit, keys, layout, log), clock(), period, find_gpg())
    sent, unsent = _send(reminder, senders)
    code = gravest({reminder.exit_code} | ({ExitCode.UNDECIDED} if unsent else set()))
    click.echo(_render(reminder, form, int(code), unsent), nl=False)
    if sent or unsent:
        _report(sent, unsent, reminder, log)
    return int(code)


def _places(
    policy: Path | None, tokens: Path | None, audit: Path | None, keys: Path | None, layout: Path | None,
    log: Path | None,
) -> "Places":  # fmt: skip
    from sealwright.cli.world import log_place
    from sealwright.jobs.remind.remind import Places

    named = frozenset(path for path in (policy, tokens, audit, keys, layout) if path is not None)
    places = (policy or _POLICY, tokens or _TOKENS, audit or _AUDIT, keys or _KEYS, layout or _LAYOUT)
    return Places(*places, log_place(log).path, named)


def _senders(
    notify: tuple[str, ...], github_issue: str | None, github_api: str | None
) -> "list[Callable[[Reminder], str]]":
    """Return what sends; each returns what it did (empty: nothing) or raises SendError. What is wrong is found now."""
    senders = [_notifier(_secret_url(url)) for url in notify]
    if github_issue is None:
        return senders
    from sealwright.jobs.remind.send import GITHUB_API, GitHub, check_github, keep_issue
    from sealwright.render.reminder import render_reminder_markdown

    token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or ""
    github = check_github(GitHub(github_issue, github_api or os.environ.get("GITHUB_API_URL") or GITHUB_API, token))

    def keep(reminder: "Reminder") -> str:
        wanted = bool(reminder.exit_code) or not reminder.deadlines  # an empty register closes nothing
        return keep_issue(github, render_reminder_markdown(reminder, all_of_them=False), wanted=wanted)

    return [*senders, keep]


def _notifier(url: str) -> "Callable[[Reminder], str]":
    from sealwright.jobs.remind.send import open_channel, send
    from sealwright.render.reminder import render_reminder, title

    channel = open_channel(url)

    def notify(reminder: "Reminder") -> str:
        if not reminder.exit_code and reminder.deadlines:
            return ""
        send(channel, url, f"Sealwright: {title(reminder)}", render_reminder(reminder))
        return f"sent by {url.partition('://')[0]}"

    return notify


def _secret_url(text: str) -> str:
    """The URL itself, or where it is kept: an argument can be read by every process of the machine."""
    kind, _, name = text.partition(":")
    if kind == "env":
        url = os.environ.get(name)
    elif kind == "keyring":
        from sealwright.store.secrets import read_secret

        service, _, user = name.partition("/")
        url = read_secret(service, user)
    else:
        return text
    if not url:
        put = f"Put one there: keyring set {service} {user}" if kind == "keyring" else f"Set the variable {name}"
        raise UsageError(f"{kind}:{name} holds no URL to send to", f"{put}. The URL is apprise's, such as mailtos://…")
    return url


def _send(reminder: "Reminder", senders: "list[Callable[[Reminder], str]]") -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not senders:
        return (), ()
    from sealwright.jobs.remind.send import SendError

    sent, unsent = [], []
    for sender in senders:
        try:
            sent.append(sender(reminder))
        except SendError as error:
            unsent.append(str(error))
    return tuple(text for text in sent if text), tuple(unsent)


def _render(reminder: "Reminder", form: str, code: int, unsent: tuple[str, ...]) -> str:
    from sealwright.render import reminder as rendering

    if form == "json":
        return rendering.render_reminder_json(reminder, code, unsent)
    if form == "text":
        return rendering.render_reminder(reminder, style())
    choices = {"markdown": rendering.render_reminder_markdown, "ics": rendering.render_reminder_ics}
    return choices[form](reminder)


def _report(sent: tuple[str, ...], unsent: tuple[str, ...], reminder: "Reminder", log: Path | None) -> None:
    """Say on standard error what was sent, and write it into the audit log."""
    from sealwright.cli.record import record
    from sealwright.cli.run import fail
    from sealwright.cli.world import actor, log_place
    from sealwright.model.log_entry import Action, Event
    from sealwright.render.reminder import title

    for text in sent:
        click.echo(text, err=True)
    for text in unsent:
        fail(f"not sent: {text}", "The list above is complete; run it again when the service answers.")
    detail = (*(("sent", text) for text in sent), *((f"unsent {n}", text) for n, text in enumerate(unsent, 1)))
    outcome = "failed" if unsent else "done"
    record(log_place(log).path, Event(reminder.now, actor(), Action.REMIND, title(reminder), outcome, detail=detail))

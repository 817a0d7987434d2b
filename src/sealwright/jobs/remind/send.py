"""Sending a reminder: by apprise to wherever its URLs lead, and as one issue of a GitHub repository.

Enters: what was rendered, URLs and tokens, which are secrets. Leaves: what was sent, or a `SendError` without a secret.
Every wait and every answer is bounded; no answer leads to another host.
"""

import logging
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from sealwright.errors import UsageError
from sealwright.files.outage import outage

if TYPE_CHECKING:
    from apprise import Apprise
    from requests import Session

LABEL = "sealwright-remind"
GITHUB_API = "https://api.github.com"
_ISSUE_TITLE = "Credentials, keys and policies to renew"
_MOST_BODY = 60_000  # GitHub takes 65,536 characters
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_OK = (200, 201)


class SendError(Exception):
    """A message that was not sent, and why, without a secret."""


class GitHub(NamedTuple):
    """A repository (OWNER/REPO), the base URL of the API, and the token that may write issues."""

    repository: str
    api: str
    token: str


def open_channel(url: str) -> "Apprise":
    """Return what sends to an apprise URL (https://github.com/caronc/apprise/wiki). Raises UsageError if it is none."""
    logging.getLogger("apprise").disabled = True  # it logs URLs, with the passwords in them
    import apprise

    channel = apprise.Apprise()
    try:
        taken = channel.add(url)
    except Exception:  # noqa: BLE001  whatever it says may hold the URL
        taken = False
    if not taken or not len(channel):
        raise UsageError(f"{_scheme(url)} is no URL that apprise can send to", "docs/remind.md shows some.")
    return channel


def send(channel: "Apprise", url: str, title: str, body: str) -> None:
    """Send a text by apprise. Raises SendError."""
    try:
        sent = channel.notify(title=title, body=body, body_format="text")
    except Exception as error:  # noqa: BLE001  whatever it says may hold the URL
        raise SendError(f"{_scheme(url)}: {type(error).__name__}") from None
    if not sent:
        raise SendError(f"{_scheme(url)}: the service did not take it")


def _scheme(url: str) -> str:
    """What of a URL may be shown: the rest can hold a password."""
    scheme, colon, _ = url.partition("://")
    return f"{scheme}://…" if colon and scheme.isalnum() and len(scheme) < 20 else "that"


def check_github(github: GitHub) -> GitHub:
    """Refuse what could never work, or would send the token in clear. Raises UsageError."""
    owner, slash, name = github.repository.partition("/")
    if not slash or not all(
        part.replace("-", "").replace("_", "").replace(".", "").isalnum() for part in (owner, name)
    ):
        raise UsageError("--github-issue needs OWNER/REPO", "For instance --github-issue example/sampleproject.")
    refuse_clear(github.api)
    if not github.token or not github.token.isascii() or not github.token.isprintable():
        raise UsageError("--github-issue needs a token in GITHUB_TOKEN", "In Actions: permissions: issues: write.")
    return github


def refuse_clear(api: str) -> None:
    """Refuse the URL of an API to which a token would be sent in clear. Raises UsageError."""
    try:
        address = urlsplit(api)
        host = address.hostname
    except ValueError:
        raise UsageError("that is no URL of the GitHub API", f"For instance {GITHUB_API}.") from None
    if not host or (address.scheme != "https" and not (address.scheme == "http" and host in _LOOPBACK)):
        raise UsageError("the GitHub API must have an https:// URL", "The token would be sent in clear.")


def keep_issue(github: GitHub, body: str, *, wanted: bool) -> str:
    """Have one open issue that says `body` if one is `wanted`, and none otherwise; return what was done.

    It is known by its label, which nobody can set who may not write. Raises SendError.
    """
    from requests import RequestException

    from sealwright.sign.patience import Patience, open_session

    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {github.token}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    try:
        with open_session(Patience(attempts=1, read=30, most_bytes=16 * 1024 * 1024), headers) as session:
            return _keep(
                session, f"{github.api.rstrip('/')}/repos/{github.repository}/issues", body[:_MOST_BODY], wanted
            )
    except (RequestException, OSError) as error:
        raise SendError(f"GitHub issue: {outage(error)}") from None


def _keep(session: "Session", issues: str, body: str, wanted: bool) -> str:
    found = _ask(session, "GET", f"{issues}?state=open&labels={LABEL}&sort=created&direction=asc&per_page=100")
    if not isinstance(found, list):
        raise SendError("GitHub issue: an answer that is no list of issues")
    there = [issue for issue in found if isinstance(issue, dict) and "pull_request" not in issue]
    numbers = [issue.get("number") for issue in there]
    if not all(isinstance(number, int) for number in numbers):
        raise SendError("GitHub issue: an answer with issues that have no number")
    if not wanted:
        for number in numbers:
            _ask(session, "PATCH", f"{issues}/{number}", {"state": "closed", "state_reason": "completed", "body": body})
        return f"closed issue {', '.join(map(str, numbers))}" if numbers else "there is no issue to close"
    if not there:
        made = _ask(session, "POST", issues, {"title": _ISSUE_TITLE, "body": body, "labels": [LABEL]})
        if LABEL not in [label.get("name") for label in made.get("labels", []) if isinstance(label, dict)]:
            raise SendError(f"GitHub issue: opened, but without its label {LABEL}; add that label to the repository")
        return f"opened issue {made.get('number')}"
    if there[0].get("body") == body:
        return f"issue {numbers[0]} says so already"
    _ask(session, "PATCH", f"{issues}/{numbers[0]}", {"title": _ISSUE_TITLE, "body": body})
    return f"updated issue {numbers[0]}"


def _ask(session: "Session", method: str, url: str, document: dict[str, Any] | None = None) -> Any:
    from sealwright.files.strict_json import read_json

    answer = session.request(method, url, json=document, allow_redirects=False)
    if answer.status_code not in _OK:
        raise SendError(f"GitHub issue: {method} was answered with {answer.status_code}")
    try:
        return read_json(answer.content, 1_000_000)
    except ValueError:
        raise SendError("GitHub issue: an answer that is no JSON") from None

"""Does a GitHub token work, and until when? GitHub says both with any answer to it.

Enters: the token, which is a secret, and the URL of the API. Leaves: `Answer`. The token is sent to that URL and
nowhere else: over https, or to this machine; no redirection is followed, and no password from a .netrc takes its place.
https://docs.github.com/en/rest/users/users#get-the-authenticated-user
"""

from datetime import UTC, datetime
from typing import NamedTuple

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.outage import outage
from sealwright.jobs.remind.send import GITHUB_API, refuse_clear

EXPIRY_HEADER = "GitHub-Authentication-Token-Expiration"
_FORMATS = ("%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S %z")
_REFUSED = 401
_MAX_ANSWER = 1024 * 1024


class Answer(NamedTuple):
    """What GitHub said: whether it takes the token, and when the token expires (UTC; None: GitHub names no time)."""

    works: bool
    expires: datetime | None


def ask_github(secret: str, api: str = GITHUB_API) -> Answer:
    """Ask GitHub for the user of a token. Raises UsageError for a URL that will not do, UndecidedError otherwise."""
    from requests import RequestException

    from sealwright.sign.patience import Patience, open_session

    refuse_clear(api)
    if not secret.isascii() or not secret.isprintable():
        raise UsageError("that is no token of GitHub")
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {secret}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    patience = Patience(attempts=1, connect=10, read=20, most_bytes=_MAX_ANSWER)
    try:
        with open_session(patience, headers) as session:
            answer = session.get(f"{api.rstrip('/')}/user", allow_redirects=False)
    except (RequestException, OSError) as error:
        raise UndecidedError(f"GitHub cannot be asked ({outage(error)})") from None
    if answer.status_code == _REFUSED:
        return Answer(False, None)
    if answer.status_code != 200:
        raise UndecidedError(f"GitHub answered with {answer.status_code}, which says nothing of the token")
    return Answer(True, parse_expiry(answer.headers.get(EXPIRY_HEADER, "")))


def parse_expiry(text: str) -> datetime | None:
    """Read GitHub's header, which names UTC or an offset; None for what is absent. Raises UndecidedError."""
    if not text:
        return None
    for form in _FORMATS:
        try:
            moment = datetime.strptime(text[:40], form)  # noqa: DTZ007  the zone is in the format
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    raise UndecidedError("GitHub names an expiry that cannot be read", "Give it yourself: --expires YYYY-MM-DD.")

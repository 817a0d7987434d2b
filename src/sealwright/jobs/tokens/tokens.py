"""The exchange of a token's secret, which may be interrupted anywhere.

Enters: a token, a keyring, the time. Leaves: a rotated token. The secret that works is never lost: the new one lies
beside it until it is confirmed, and only then takes its place. No exception holds a secret.
"""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import UsageError
from sealwright.model.token import Token
from sealwright.store.secrets import delete_secret, read_secret, require_keyring, write_secret
from sealwright.store.token_register import set_keys

NEW = ":new"
"""Ends the name under which the keyring keeps a new secret that is not confirmed yet."""

STEPS = {
    "pypi": "On pypi.org: Account settings > API tokens > Add API token, for one project.",
    "testpypi": "On test.pypi.org: Account settings > API tokens > Add API token, for one project.",
    "github": "On GitHub: Settings > Developer settings > Fine-grained tokens > Generate, for one repository.",
    "gitlab": "On GitLab: the project's Settings > Access tokens > Add new token, with an expiry date.",
    "other": "At the service: make a new secret that may do no more than the old one.",
}


class DeniedError(UsageError):
    """A new secret that its service refused, or that a person said does not work: it is not kept."""


class Confirmed(NamedTuple):
    """What is known of a new secret that works: when it expires (UTC), if `known`; None then means never."""

    known: bool = False
    expires: datetime | None = None


def keyring_place(where: str) -> tuple[str, str]:
    """Split keyring:SERVICE/USER."""
    service, _, user = where.removeprefix("keyring:").partition("/")
    return service, user


def next_place(where: str) -> str:
    """Say where a new secret goes that does not live in the keyring; empty for one that does."""
    kind, _, rest = where.partition(":")
    if kind == "github-secret":
        repository, _, name = rest.rpartition("/")
        place = f"the secret {name} of {repository} (Settings > Secrets and variables > Actions)"
        return f"Then put it into {place}, and run a job that uses it."
    if kind == "env":
        return f"Then put it where {rest} is set, and run what uses it."
    return "" if kind == "keyring" else "Then put it where the old one is, and run what uses it."


def rotate(
    register: Path, token: Token, now: datetime, ask: Callable[[], str], check: Callable[[str], None],
    confirm: Callable[[str], Confirmed],
) -> bool:  # fmt: skip
    """Exchange a token's secret, and tell whether an interrupted exchange was resumed.

    `ask` returns the new secret, `check` refuses one of the wrong form or scope. `confirm` is given the new one (empty
    if it lives elsewhere) and returns what is known of it; it raises DeniedError if it does not work, and anything else
    if that cannot be said yet. Raises what they raise, UsageError and UndecidedError; the old secret is then still in
    its place.
    """
    if token.revoked is not None:
        raise UsageError(f"{token.name} is revoked", "sealwright tokens add registers a new one.")
    if not token.where.startswith("keyring:"):
        set_keys(register, token.name, _dates(now, confirm("")))
        return False
    service, user = keyring_place(token.where)
    new = read_secret(service, user + NEW)
    resumed = new is not None
    if new is None:
        require_keyring()
        new = ask()
        check(new)
        if new == read_secret(service, user):
            raise UsageError("that is the old secret", "Make a new one at the service.")
        write_secret(service, user + NEW, new)
    try:
        confirmed = confirm(new)
    except DeniedError:
        delete_secret(service, user + NEW)
        raise
    write_secret(service, user, new)
    set_keys(register, token.name, _dates(now, confirmed))
    delete_secret(service, user + NEW)
    return resumed


def _dates(now: datetime, confirmed: Confirmed) -> dict[str, date | None]:
    """What the register says from now on; an expiry that is not known is left as it stands."""
    dates: dict[str, date | None] = {"rotated": now.date()}
    if confirmed.known:
        dates["expires"] = confirmed.expires.date() if confirmed.expires else None
    return dates

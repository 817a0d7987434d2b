"""The register held against the keyring and the time; and the exchange of a secret, which may be interrupted anywhere.

Enters: tokens, a keyring, the time. Leaves: findings, or a rotated token. The secret that works is never lost: the new
one lies beside it until it is confirmed, and only then takes its place. No finding holds a secret.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import ExitCode, UsageError
from sealwright.jobs.pypi_token import DOMAINS, read_restrictions
from sealwright.model.token import Token
from sealwright.store.secrets import delete_secret, read_secret, write_secret
from sealwright.store.token_register import set_key

_NEW = ":new"
STEPS = {
    "pypi": "On pypi.org: Account settings > API tokens > Add API token, for one project.",
    "testpypi": "On test.pypi.org: Account settings > API tokens > Add API token, for one project.",
    "github": "On GitHub: Settings > Developer settings > Fine-grained tokens > Generate, for one repository.",
    "gitlab": "On GitLab: the project's Settings > Access tokens > Add new token, with an expiry date.",
    "other": "At the service: make a new secret that may do no more than the old one.",
}


class Finding(NamedTuple):
    """What is wrong with a token, and what to do."""

    token: str
    problem: str
    step: str
    code: ExitCode = ExitCode.DUE


def keyring_place(where: str) -> tuple[str, str]:
    """Split keyring:SERVICE/USER."""
    service, _, user = where.removeprefix("keyring:").partition("/")
    return service, user


def check_tokens(tokens: tuple[Token, ...], now: datetime) -> list[Finding]:
    """Find what is left over, late, doubled or too wide. Raises UndecidedError if the keyring fails."""
    found: list[Finding] = []
    seen: dict[str, str] = {}
    for token in tokens:
        secret = read_secret(*keyring_place(token.where)) if token.where.startswith("keyring:") else None
        found += _late(token, now)
        if token.revoked is not None:
            if secret is not None:
                found.append(Finding(token.name, "is revoked, and still in the keyring", f"tokens revoke {token.name}"))
            continue
        if secret is None:
            if token.where.startswith("keyring:"):
                found.append(Finding(token.name, "has no secret in the keyring", "revoke it, or rotate it"))
            continue
        if secret in seen:
            found.append(Finding(token.name, f"has the same secret as {seen[secret]}", "one secret for each purpose"))
        seen.setdefault(secret, token.name)
        found += _too_wide(token, secret, now)
    return found


def _late(token: Token, now: datetime) -> list[Finding]:
    if token.revoked is not None:
        return []
    step = f"sealwright tokens rotate {token.name}"
    if token.expires is not None and token.expires <= now:
        return [Finding(token.name, f"expired on {token.expires:%Y-%m-%d}", step, ExitCode.OVERDUE)]
    if token.rotate_by <= now:
        return [Finding(token.name, f"was to be rotated by {token.rotate_by:%Y-%m-%d}", step, ExitCode.OVERDUE)]
    return []


def _too_wide(token: Token, secret: str, now: datetime) -> list[Finding]:
    if token.service not in DOMAINS:
        return []
    try:
        found = read_restrictions(secret, token.service)
    except UsageError as error:
        return [Finding(token.name, f"is not what it should be: {error.message}", "rotate it")]
    asked = token.scope.removeprefix("project:") if token.scope.startswith("project:") else None
    problems = []
    if not found.narrow and not token.accepted:
        problems.append(Finding(token.name, "may do whatever its user may", "make one for a single project"))
    elif asked and found.projects is not None and found.projects != (asked,):
        problems.append(Finding(token.name, f"is for {asked}, and may {found.describe()}", "make one for that alone"))
    if found.expires is not None and found.expires <= now:
        problems.append(
            Finding(token.name, f"can do nothing since {found.expires:%Y-%m-%d}", "rotate", ExitCode.OVERDUE)
        )
    return problems


def rotate(
    register: Path, token: Token, now: datetime, ask: Callable[[], str], check: Callable[[str], None],
    confirm: Callable[[], None],
) -> bool:  # fmt: skip
    """Exchange a token's secret, and tell whether an interrupted exchange was resumed.

    `ask` returns the new secret, `check` refuses one of the wrong form or scope, `confirm` raises unless the new one
    was seen to work. Raises what they raise, UsageError and UndecidedError; the old secret is then still in its place.
    """
    if token.revoked is not None:
        raise UsageError(f"{token.name} is revoked", "sealwright tokens add registers a new one.")
    resumed = False
    if token.where.startswith("keyring:"):
        service, user = keyring_place(token.where)
        new = read_secret(service, user + _NEW)
        resumed = new is not None
        if new is None:
            new = ask()
            check(new)
            if new == read_secret(service, user):
                raise UsageError("that is the old secret", "Make a new one at the service.")
            write_secret(service, user + _NEW, new)
        confirm()
        write_secret(service, user, new)
        set_key(register, token.name, "rotated", now.date())
        delete_secret(service, user + _NEW)
    else:
        confirm()
        set_key(register, token.name, "rotated", now.date())
    return resumed

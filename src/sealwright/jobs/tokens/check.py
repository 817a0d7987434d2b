"""The register of tokens held against the keyring, the environment, the CI files and the time.

Enters: tokens, a keyring, the environment as an argument, the time. Leaves: findings, none of which holds a secret.
Asks no service.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sealwright.collect.workflows import CiUse
from sealwright.errors import ExitCode, UsageError
from sealwright.jobs.tokens.pypi import DOMAINS, Restrictions, read_restrictions
from sealwright.jobs.tokens.tokens import NEW, keyring_place
from sealwright.model.token import Token
from sealwright.store.secrets import read_secret

_COVERED = timedelta(days=366)


class Finding(NamedTuple):
    """What is wrong with a token, and what to do."""

    token: str
    problem: str
    step: str
    code: ExitCode = ExitCode.DUE


class Checked(NamedTuple):
    """What is wrong, and what each PyPI token says that it may do, by its name."""

    findings: tuple[Finding, ...]
    restrictions: tuple[tuple[str, str], ...]


def check_tokens(
    tokens: tuple[Token, ...], now: datetime, environment: Mapping[str, str], ci: CiUse, project: str = ""
) -> Checked:
    """Find what is left over, late, doubled, needless or too wide. `project` is the one that the CI files are of.

    Raises UndecidedError if the keyring fails.
    """
    found: list[Finding] = []
    said: list[tuple[str, str]] = []
    secrets: dict[str, str] = {}
    for token in tokens:
        secret = _secret_of(token, environment)
        found += _late(token, now) + _pending(token)
        if token.revoked is not None:
            if secret is not None:
                found.append(_finding(token, "is revoked, and its secret is still here", f"tokens revoke {token.name}"))
            continue
        found += _needless(token, ci, project)
        if secret is None:
            if token.where.startswith("keyring:"):
                found.append(_finding(token, "has no secret in the keyring", "revoke it, or rotate it"))
            continue
        if secret in secrets:
            same = f"has the same secret as {secrets[secret]}"
            found.append(_finding(token, same, "make one secret for each purpose"))
        secrets.setdefault(secret, token.name)
        wide, restrictions = _too_wide(token, secret, now)
        found += wide
        said += [(token.name, restrictions.describe())] if restrictions else []
    return Checked((*found, *_same_place(tokens), *_uncovered(tokens, ci)), tuple(said))


def _finding(token: Token, problem: str, step: str, code: ExitCode = ExitCode.DUE) -> Finding:
    return Finding(token.name, problem, step, code)


def _secret_of(token: Token, environment: Mapping[str, str]) -> str | None:
    if token.where.startswith("keyring:"):
        return read_secret(*keyring_place(token.where))
    return environment.get(token.where.removeprefix("env:")) or None if token.where.startswith("env:") else None


def _late(token: Token, now: datetime) -> list[Finding]:
    """What its time has come for, and what no time comes for: `created = 2062`, or once in a hundred years."""
    if token.revoked is not None:
        return []
    step = f"sealwright tokens rotate {token.name}"
    if token.expires is not None and token.expires <= now:
        return [_finding(token, f"expired on {token.expires:%Y-%m-%d}", step, ExitCode.OVERDUE)]
    if token.rotate_by <= now:
        return [_finding(token, f"was to be rotated by {token.rotate_by:%Y-%m-%d}", step, ExitCode.OVERDUE)]
    next_one = min(token.rotate_by, token.expires or token.rotate_by)
    if next_one > now + _COVERED:
        return [_finding(token, f"is covered by no deadline before {next_one:%Y-%m-%d}", "mend its dates")]
    return []


def _pending(token: Token) -> list[Finding]:
    if not token.where.startswith("keyring:"):
        return []
    service, user = keyring_place(token.where)
    if read_secret(service, user + NEW) is None:
        return []
    step = f"sealwright tokens {'revoke' if token.revoked else 'rotate'} {token.name}"
    return [_finding(token, "has a new secret from a rotation that was interrupted", step)]


def _needless(token: Token, ci: CiUse, project: str) -> list[Finding]:
    """A token of an index to which the project publishes without one, unless it is said why it is kept."""
    named = _project_of(token)
    if token.kept or (project and named and named != project):
        return []
    files = [file for service, file in ci.trusted if service == token.service]
    if not files:
        return []
    problem = f"is needless: {files[0]} publishes there without a token (trusted publishing)"
    return [_finding(token, problem, f'sealwright tokens revoke {token.name}; or say why it stays: kept = "..."')]


def _same_place(tokens: Iterable[Token]) -> list[Finding]:
    places: dict[str, str] = {}
    found = []
    for token in tokens:
        if token.revoked is not None or token.where == "external":
            continue
        if token.where in places:
            problem = f"is said to live where {places[token.where]} does"
            found.append(_finding(token, problem, "one of them is a leftover, or names the wrong place"))
        places.setdefault(token.where, token.name)
    return found


def _uncovered(tokens: Iterable[Token], ci: CiUse) -> list[Finding]:
    """Secrets that CI files use and of which the register knows nothing: nobody will ever renew them."""
    known = {
        token.where.rpartition("/")[2].upper()
        for token in tokens
        if token.revoked is None and token.where.startswith("github-secret:")
    }
    step = "sealwright tokens add NAME --where github-secret:OWNER/REPO/{}"
    return [
        Finding(name, f"is used by {file}, and no deadline covers it: it is not in the register", step.format(name))
        for name, file in ci.secrets
        if name not in known
    ]


def _too_wide(token: Token, secret: str, now: datetime) -> tuple[list[Finding], Restrictions | None]:
    if token.service == "github" and secret.startswith("ghp_") and not token.accepted:
        problem = "is a classic token: it reaches every repository of its user"
        return [_finding(token, problem, "make a fine-grained one, for one repository")], None
    if token.service not in DOMAINS:
        return [], None
    try:
        found = read_restrictions(secret, token.service)
    except UsageError as error:
        return [_finding(token, f"is not what it should be: {error.message}", "rotate it")], None
    asked = _project_of(token)
    problems = []
    if not found.narrow and not token.accepted:
        problems.append(_finding(token, "may do whatever its user may", "make one for a single project"))
    elif asked and not token.accepted and _reaches_more(found, asked):
        problems.append(_finding(token, f"is for {asked}, and may {found.describe()}", "make one for that alone"))
    if found.expires is not None and found.expires <= now:
        ended = f"can do nothing since {found.expires:%Y-%m-%d}"
        problems.append(_finding(token, ended, "rotate it", ExitCode.OVERDUE))
    return problems, found


def refuse_wider(token: Token, found: Restrictions | None) -> None:
    """Refuse a new secret that reaches more than the register says of its token. Raises UsageError."""
    asked = _project_of(token)
    if found and asked and not token.accepted and _reaches_more(found, asked):
        raise UsageError(
            f"{token.name} is for {asked}, and that one may {found.describe()}", "Make one for that alone."
        )


def _reaches_more(found: Restrictions, asked: str) -> bool:
    """Whether it may do something else than upload the project; a number alone cannot be told from another."""
    if found.projects is not None:
        return {_normal(name) for name in found.projects} != {asked}
    return found.project_ids is not None and found.project_ids > 1


def _project_of(token: Token) -> str:
    """The project that its scope names, normalised (PEP 503); empty if it names none."""
    return _normal(token.scope.removeprefix("project:")) if token.scope.startswith("project:") else ""


def _normal(name: str) -> str:
    from packaging.utils import canonicalize_name

    return str(canonicalize_name(name.strip()))

"""What a PyPI token may do, read from the token itself, and narrower ones made from it. All without the network.

Enters: a token, which is a secret. Leaves: its restrictions, or a narrower token, which is one, too. No exception and
no record holds one. PyPI's tokens are macaroons: whoever has one can narrow it, and nobody can widen it
(https://docs.pypi.org/api/secrets/, https://pypi.org/help/#apitoken).
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sealwright.errors import UsageError

DOMAINS = {"pypi": "pypi.org", "testpypi": "test.pypi.org"}
_MAX_TOKEN = 8192
_LONGEST = timedelta(days=1)


class Restrictions(NamedTuple):
    """What a token says of itself. `unknown` are the kinds of caveats that only its service understands.

    `narrow` is whether it is bound to projects: otherwise it may do whatever its user may.
    """

    domain: str
    projects: tuple[str, ...] | None
    project_ids: int | None
    expires: datetime | None
    unknown: int

    @property
    def narrow(self) -> bool:
        """Whether it is bound to one project, or several."""
        return self.projects is not None or self.project_ids is not None

    def describe(self) -> str:
        """Say in words what it may do."""
        if self.projects is not None:
            what = f"upload: {', '.join(self.projects) or 'no project at all'}"
        else:
            what = f"upload: {self.project_ids} projects, by their numbers" if self.project_ids is not None else ""
        said = [what or "WHATEVER ITS USER MAY DO: every project, those to come included"]
        said += [f"until {self.expires:%Y-%m-%dT%H:%M:%SZ}"] if self.expires else []
        said += [f"{self.unknown} restrictions that are not known here"] if self.unknown else []
        return "; ".join(said)


def read_restrictions(secret: str, service: str) -> Restrictions:
    """Read a token of that service. Raises UsageError if it is none; its message holds nothing of it."""
    import pymacaroons
    import pypitoken

    try:
        token = _load(secret)
        caveats = pymacaroons.Macaroon.deserialize(secret.split("-", 1)[1]).caveats
        domain = str(token.domain)
    except Exception:  # noqa: BLE001  pymacaroons raises anything, and its message may hold the token
        raise UsageError(f"that is no token of {service}", "It begins with pypi- and is pasted whole.") from None
    if domain != DOMAINS[service]:
        raise UsageError(f"that is a token of another service than {service}", "Say which with --service.")
    projects: tuple[str, ...] | None = None
    numbers: set[str] | None = None
    unknown = 0
    expires: datetime | None = None
    for caveat in caveats:
        try:
            found: Any = pypitoken.Restriction.load_json(caveat.caveat_id)
        except Exception:  # noqa: BLE001  as above
            unknown += 1
            continue
        match found:
            case pypitoken.ProjectNamesRestriction():
                names = tuple(str(name) for name in found.project_names)
                projects = names if projects is None else tuple(name for name in projects if name in names)
            case pypitoken.ProjectIDsRestriction():
                these = {str(number) for number in found.project_ids}
                numbers = these if numbers is None else numbers & these
            case pypitoken.DateRestriction():
                until = _moment(found.not_after)
                expires = until if expires is None else min(expires, until)
            case _:
                unknown += 1
    return Restrictions(domain, projects, len(numbers) if numbers is not None else None, expires, unknown)


def refuse_useless(secret: str, service: str, project: str, now: datetime) -> None:
    """Refuse a stored token from which nothing of use can be minted. Raises UsageError; `project` is normalised."""
    from packaging.utils import canonicalize_name

    found = read_restrictions(secret, service)
    if found.projects is not None and project not in {canonicalize_name(name) for name in found.projects}:
        raise UsageError(
            f"the stored token may {found.describe()}, and not {project}", "Narrowing never gives more than was there."
        )
    if found.expires is not None and found.expires <= now:
        raise UsageError(f"the stored token can do nothing since {found.expires:%Y-%m-%d}", "Rotate it.")


def mint(secret: str, project: str, now: datetime, lifetime: timedelta) -> str:
    """Return a token that may upload one project from `now` on and for so long. Raises UsageError.

    It is narrowed and never widened: `refuse_useless` says where nothing of use would come of it.
    """
    if not timedelta(0) < lifetime <= _LONGEST:
        raise UsageError("a minted token lives for at most a day", "For instance --expires 15m.")
    try:
        token = _load(secret)
        # A minute of slack: the clock of the service is another one.
        start, end = int(now.timestamp()) - 60, int((now + lifetime).timestamp())
        token.restrict(project_names=[project], not_before=start, not_after=end)
        return str(token.dump())
    except Exception:  # noqa: BLE001  whatever it says may hold the token
        raise UsageError("the stored token cannot be narrowed: it is no token of PyPI") from None


def _load(secret: str) -> Any:
    import pypitoken

    if len(secret) > _MAX_TOKEN or not secret.startswith("pypi-"):
        raise ValueError("no token")
    return pypitoken.Token.load(secret)


def _moment(seconds: int) -> datetime:
    from datetime import UTC

    return datetime.fromtimestamp(min(max(int(seconds), 0), 253402300799), UTC)

"""Fetch the release that somebody wants to verify, from where its policy or they say it lives.

Enters: places as text, the policy, a version, an environment. Leaves: a `Release` in a private folder. The policy says
where to look; nothing that a place says or sends is believed for it.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sealwright.errors import MissingError, UsageError
from sealwright.files.digest import Progress, no_progress
from sealwright.files.threads import each_in_parallel
from sealwright.files.web import Web
from sealwright.files.web_address import check_address
from sealwright.files.web_answer import Patience
from sealwright.model.offer import Listing
from sealwright.model.policy import Policy
from sealwright.model.release import Release
from sealwright.store.places.belonging import version_of
from sealwright.store.places.network import Network
from sealwright.store.places.place import Place, PlaceKind, PlaceName, Rules, parse_place
from sealwright.store.trust_folder import TrustFolder, refuse_inside

if TYPE_CHECKING:
    from packaging.version import Version

    from sealwright.store.places.fetch_plan import Offered


class Source(NamedTuple):
    """Where to fetch from, as the user said it; None: as the policy says.

    `also` is a place to compare with. `environ` says how to reach the network: pip's variables and those for proxies,
    certificates and tokens. `offline`: no place may be reached over a network.
    """

    artifacts: str | None = None
    evidence: str | None = None
    also: str | None = None
    rules: Rules = Rules()
    environ: Mapping[str, str] = {}
    offline: bool = False
    patience: Patience | None = None


class _Places(NamedTuple):
    artifacts: PlaceName
    evidence: PlaceName
    also: PlaceName | None


def local_path(source: Source) -> Path | None:
    """Return the folder that was named for the artifacts, or that of the file, before there is a policy.

    Raises UsageError.
    """
    place = parse_place(source.artifacts) if source.artifacts is not None else None
    if place is None or place.is_remote:
        return None
    return Path(place.where) if place.kind is PlaceKind.DIR else Path(place.where).parent


def local_folder(source: Source, policy: Policy) -> Path | None:
    """Return the folder, if the whole release is to be in one of this machine. Raises UsageError."""
    places = _resolve(source, policy)
    here = places.artifacts.kind is PlaceKind.DIR and places.evidence == places.artifacts and places.also is None
    return Path(places.artifacts.where) if here else None


@contextlib.contextmanager
def fetch_release(
    source: Source, trust: TrustFolder, version: "Version", *, progress: Progress = no_progress
) -> Iterator[Release]:
    """Fetch a release, and remove it at the end.

    Raises UsageError, MissingError if its artifacts are nowhere, and UndecidedError if a place does not answer.
    """
    from sealwright.store.places.fetching import fetched_release

    places = _resolve(source, trust.policy)
    names = [places.artifacts, places.evidence, *([places.also] if places.also else [])]
    rules = source.rules._replace(only=places.artifacts.kind is PlaceKind.FILE)
    for name in names:
        if name.kind is PlaceKind.DIR:  # beside a file a pin may lie, as in a home; find_trust judges what was named
            refuse_inside(trust.path, Path(name.where))
        elif name.is_remote and source.offline:
            raise UsageError(
                f"{name} is reached over a network, and --offline allows none",
                f"Leave --offline out, or name a folder with {'--evidence-from' if rules.only else '--from'} dir:PATH.",
            )
    with contextlib.ExitStack() as stack:
        network = _Network(source, trust.policy)
        web = stack.enter_context(network.web) if any(name.is_remote for name in names) else None
        offered = _list_all(places, network, version, web)
        yield stack.enter_context(
            fetched_release(offered, web, rules, f"{trust.policy.project} {version}", progress=progress)
        )


def _resolve(source: Source, policy: Policy) -> _Places:
    """Where to look. A place that was named serves both, but for an index, which takes no evidence but PEP 740, and a
    file.
    """
    artifacts = parse_place(policy.places.artifacts if source.artifacts is None else source.artifacts)
    default = parse_place(policy.places.evidence)
    if source.evidence is not None:
        evidence = parse_place(source.evidence)
    elif source.artifacts is None or artifacts.kind in (PlaceKind.INDEX, PlaceKind.FILE):
        evidence = default
    else:
        evidence = artifacts
    if evidence.kind is PlaceKind.INDEX and artifacts.kind is PlaceKind.INDEX and not evidence.where:
        evidence = artifacts
    if evidence.kind is PlaceKind.FILE:
        raise UsageError(f"{evidence} holds no evidence: it is an artifact", "Name the folder of its evidence.")
    also = parse_place(source.also) if source.also is not None else None
    if also == artifacts:
        raise UsageError(f"{also} is compared with itself", "Name another place with --also.")
    return _Places(artifacts, evidence, also)


class _Network(Network):
    """The way to every place of one release, and the places themselves."""

    def __init__(self, source: Source, policy: Policy) -> None:
        super().__init__(source.environ, source.patience)
        self._policy = policy
        self.project = policy.project

    def place(self, name: PlaceName) -> Place:
        """Return the place of that name. Raises UsageError."""
        match name.kind:
            case PlaceKind.DIR:
                from sealwright.store.places.local_folder import LocalFolder

                return LocalFolder(Path(name.where))
            case PlaceKind.FILE:
                from sealwright.store.places.local_folder import LocalFile

                return LocalFile(Path(name.where))
            case PlaceKind.INDEX:
                return self.index(name, self.project)
            case PlaceKind.URL:
                from sealwright.store.places.web_folder import WebFolder

                return WebFolder(self.web, self.credentials.add_address(name.where, self.environ), str(name))
            case PlaceKind.GITHUB:
                return self._github(name)

    def _github(self, name: PlaceName) -> Place:
        from sealwright.store.places.github_place import API, GitHubPlace, repository_of

        repository = name.where or repository_of(self._policy.repository)
        if not repository:
            raise UsageError(
                f"the policy's repository {self._policy.repository} is not on github.com",
                "Name it with github:OWNER/REPO.",
            )
        api = self.environ.get("GITHUB_API_URL") or API
        try:
            check_address(api)
        except ValueError as error:
            raise UsageError(f"GITHUB_API_URL cannot be used: {error}", f"Unset it, or set it to {API}") from error
        token = self.environ.get("GITHUB_TOKEN") or self.environ.get("GH_TOKEN") or ""
        self.credentials.add_token(api, token.strip())
        return GitHubPlace(self.web, repository, self._policy.tag.expand, api=api, has_token=bool(token.strip()))


def _list_all(places: _Places, network: _Network, version: "Version", web: Web | None) -> "Offered":
    """Ask every place at the same time. Where only evidence is missing, the policy says what that costs."""
    from sealwright.store.places.fetch_plan import Offered

    names = list(dict.fromkeys([places.artifacts, places.evidence, *([places.also] if places.also else [])]))
    asked = {name: network.place(name) for name in names}

    def ask(name: PlaceName, wanted: "Version" = version) -> Listing | MissingError:
        try:
            return asked[name].list_files(wanted)
        except MissingError as error:
            return error

    answers = each_in_parallel(ask, names, threads=len(names), stop=web.stop if web else lambda: None)
    found = dict(zip(names, answers, strict=True))
    artifacts = found[places.artifacts]
    if isinstance(artifacts, MissingError):
        raise artifacts
    spelled = _spelled(artifacts, network.project)
    if spelled is not None and str(spelled) != str(version):  # 1.0 and 1.0.0 are one version, and two tags
        found |= {name: ask(name, spelled) for name in names if isinstance(found[name], MissingError)}
    listings = {name: _or_none(answer, name) for name, answer in found.items()}
    empty = tuple(str(name) for name, answer in found.items() if isinstance(answer, MissingError))
    also = listings[places.also] if places.also else None
    return Offered(artifacts, listings[places.evidence], also, empty)


def _spelled(listing: Listing, project: str) -> "Version | None":
    """The version as the names of the artifacts spell it."""
    found = [version_of(offer.name, project) for offer in listing.offers]
    return next((version for version in found if version is not None), None)


def _or_none(answer: Listing | MissingError, name: PlaceName) -> Listing:
    return answer if isinstance(answer, Listing) else Listing(str(name))

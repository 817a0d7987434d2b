"""What to fetch of a release, from what its places offer: bytes of one, evidence of another, withdrawals of all.

Enters: listings that nobody trusts. Leaves: a `Plan`. Opens nothing. What looks released and is not fetched is named:
SHA256SUMS must know it all the same.
"""

from typing import NamedTuple

from sealwright.model.artifact import ArtifactKind, ArtifactNameError, looks_released, parse_artifact_name
from sealwright.model.offer import Listing, Offer
from sealwright.model.release import (
    CHECKSUMS,
    OPENPGP_SUFFIX,
    PROVENANCE_SUFFIX,
    Left,
    bundle_target,
    publish_target,
)
from sealwright.model.withdrawal import WITHDRAWN
from sealwright.store.places.belonging import is_fetched, version_of
from sealwright.store.places.place import Rules
from sealwright.store.release_folder import is_evidence

_NOT_ASKED = "not asked for"
_INTEGRITY = "application/vnd.pypi.integrity.v1+json"


class Offered(NamedTuple):
    """What there is of one release: where its artifacts come from, its evidence, and what to compare them with.

    `evidence` may be `artifacts` itself. `also` is None where nothing is to be compared; `empty` names places that have
    no such release.
    """

    artifacts: Listing
    evidence: Listing
    also: Listing | None = None
    empty: tuple[str, ...] = ()

    def listings(self) -> tuple[Listing, ...]:
        """Each listing once, those of artifacts first."""
        found = [self.artifacts, self.evidence, *([self.also] if self.also else [])]
        return tuple({id(listing): listing for listing in found}.values())


class Plan(NamedTuple):
    """What to fetch, and what not.

    `left` is offered and not for here, `elsewhere` only another place has, `uncovered` nothing covers. `withdrawn` is
    each place's own withdrawn.json, by the name of the place, and `compared` what is fetched to be compared alone.
    """

    fetch: tuple[Offer, ...]
    left: tuple[Left, ...]
    elsewhere: tuple[str, ...]
    uncovered: tuple[str, ...]
    withdrawn: tuple[tuple[str, Offer], ...] = ()
    compared: tuple[Offer, ...] = ()


def build_plan(offered: Offered, rules: Rules) -> Plan:
    """Say what to fetch. What looks released and is not fetched stays listed: SHA256SUMS must know it all the same."""
    fetch: dict[str, Offer] = {}
    left: dict[str, str] = {}
    elsewhere: list[str] = []
    for offer in _released(offered.artifacts):
        if rules.only:  # whoever names a file means that one
            fetch[offer.name] = _as_known(offer, offered.evidence)
        elif why := is_fetched(offer.name, everything=rules.everything):
            left[offer.name] = why
        else:
            fetch[offer.name] = offer
    for listing in offered.listings()[1:]:
        for offer in _released(listing):
            if offer.name in fetch or offer.name in left or (rules.only and not _is_beside(offer.name, offered)):
                continue
            if listing is offered.evidence and is_sbom(offer.name):  # an index takes no SBOM
                fetch[offer.name] = offer
            elif rules.only:
                left[offer.name] = _NOT_ASKED
            elif why := is_fetched(offer.name, everything=rules.everything):
                left[offer.name] = why
            else:  # for this platform, and withheld by the place that should have it
                elsewhere.append(offer.name)
    for offer in [*offered.artifacts.offers, *offered.evidence.offers]:
        if offer.provenance and offer.name in fetch:
            proof = Offer(offer.name + PROVENANCE_SUFFIX, offer.provenance, accept=_INTEGRITY)
            fetch.setdefault(proof.name, proof)
    uncovered: list[str] = []
    for offer in offered.evidence.offers:
        if looks_released(offer.name) or offer.name in fetch or offer.name == WITHDRAWN:
            continue
        if _is_needed(offer.name, fetch):
            fetch[offer.name] = offer
        elif _target(offer.name) not in left:
            uncovered.append(offer.name)
    return Plan(
        tuple(fetch.values()),
        tuple(Left(*each) for each in left.items()),
        tuple(elsewhere),
        tuple(uncovered),
        # That of one place must not stand for that of another: whoever serves either could hide what is called back.
        tuple((each.place, offer) for each in offered.listings() for offer in each.offers if offer.name == WITHDRAWN),
        _to_compare(offered, fetch),
    )


def _is_beside(name: str, offered: Offered) -> bool:
    """Whether a file belongs to the release of the one that was asked for: a folder of evidence may hold others."""
    named = [parse_artifact_name(offer.name) for offer in offered.artifacts.offers]
    return any(version_of(name, each.project) == each.version for each in named)


def _as_known(offer: Offer, evidence: Listing) -> Offer:
    """A file that somebody has, with what an index that is asked for its evidence says of it."""
    known = evidence.offer(offer.name)
    return offer._replace(yanked=known.yanked, metadata_sha256=known.metadata_sha256) if known else offer


def _released(listing: Listing) -> list[Offer]:
    return [offer for offer in listing.offers if looks_released(offer.name)]


def is_sbom(name: str) -> bool:
    """Tell whether a name is that of an SBOM."""
    try:
        return parse_artifact_name(name).kind is ArtifactKind.SBOM
    except ArtifactNameError:
        return False


def _target(name: str) -> str:
    """The name of what a signature is of; that of everything else is its own."""
    return bundle_target(name) or publish_target(name) or name.removesuffix(OPENPGP_SUFFIX)


def _is_needed(name: str, fetch: dict[str, Offer]) -> bool:
    """Whether a verification reads it: evidence of the release, or of an artifact that is fetched."""
    if not is_evidence(name):
        return False
    target = _target(name)
    return target == CHECKSUMS or target in fetch or (target == name and not name.endswith(OPENPGP_SUFFIX))


def _to_compare(offered: Offered, fetch: dict[str, Offer]) -> tuple[Offer, ...]:
    """What the other place has under the names of the wheels and sdists that are fetched."""
    if offered.also is None:
        return ()
    found = [offered.also.offer(name) for name in fetch if looks_released(name) and not is_sbom(name)]
    return tuple(offer for offer in found if offer)

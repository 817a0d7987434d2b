"""What a place says of a release before a byte of it is fetched. Nothing of it is believed: it only says where to look.

Enters: nothing. Leaves: `Offer` and `Listing`, made by sealwright.store.places.
"""

from typing import NamedTuple

from sealwright.model.release import Oddity


class Offer(NamedTuple):
    """A file that a place offers.

    `url` is empty for a file that lies at `path`. `size` in bytes and `sha256` in hex as far as the place states them.
    `yanked` is the reason of a file that was called back (PEP 592), empty for one without, None for one that was not.
    `provenance` is the address of its PEP 740 provenance; `metadata_sha256` the digest that is stated of the metadata
    inside (PEP 714). `accept` is what to ask for.
    """

    name: str
    url: str = ""
    path: str = ""
    size: int | None = None
    sha256: str = ""
    yanked: str | None = None
    provenance: str = ""
    metadata_sha256: str = ""
    accept: str = "*/*"


class Listing(NamedTuple):
    """The files of one release in one place; `place` is its name for people.

    `twice` names files of which the place says two things; `versions` are the other ones that it has, as far as it
    says.
    """

    place: str
    offers: tuple[Offer, ...] = ()
    oddities: tuple[Oddity, ...] = ()
    twice: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()

    def offer(self, name: str) -> Offer | None:
        """Return the offer of that exact name, or None."""
        return next((offer for offer in self.offers if offer.name == name), None)

"""A package index as a place: artifacts, what the index says of them, and where their PEP 740 provenance is.

Enters: the address of a simple API, a project, a version. Leaves: a `Listing`. Files of other versions are passed over;
what the index says (hashes, sizes, yanks) is only ever held against the bytes, never in their favour.
"""

from typing import TYPE_CHECKING

from sealwright.errors import MissingError, UndecidedError
from sealwright.files.web import Web
from sealwright.files.web_address import shown
from sealwright.files.web_answer import AbsentError, OversizeError
from sealwright.model.offer import Listing, Offer
from sealwright.model.release import Oddity
from sealwright.store.places.belonging import ODD_NAME, is_plain_name, version_of
from sealwright.store.places.simple_page import ACCEPT, MAX_PAGE_BYTES, Link, PageError, read_simple_page

if TYPE_CHECKING:
    from packaging.version import Version

_MOST_VERSIONS = 5


class IndexPlace:
    """One index, and one project of it; `project` is normalised."""

    def __init__(self, web: Web, url: str, project: str, name: str) -> None:
        """Take the address of the simple API without credentials, and what the place is called."""
        self._web = web
        self._url = f"{url.rstrip('/')}/{project}/"
        self._project = project
        self._name = name

    def list_files(self, version: "Version") -> Listing:
        """Return the files of that version. Raises MissingError if there are none, and UndecidedError."""
        try:
            links = read_simple_page(self._web.read(self._url, MAX_PAGE_BYTES, accept=ACCEPT))
        except AbsentError as error:
            raise MissingError(
                f"{self._name} has no project {self._project}", "Check its name, or name another place with --from."
            ) from error
        except (PageError, OversizeError) as error:
            raise UndecidedError(
                f"{shown(self._url)} is no page of an index: {error}",
                "Is there a login page or a proxy in between? --from index:URL names another index.",
            ) from error
        ours, others = self._sort(links, version)
        listing = _list(self._name, ours, tuple(sorted(set(others))))
        if not ours:
            if not others:
                raise UndecidedError(
                    f"{shown(self._url)} lists no file of {self._project}",
                    "It may be no index: --from index:URL names another.",
                )
            newest = ", ".join(str(each) for each in sorted(set(others))[-_MOST_VERSIONS:])
            raise MissingError(
                f"{self._name} has no release {version} of {self._project}", f"The newest that it has: {newest}"
            )
        return listing

    def _sort(self, links: tuple[Link, ...], version: "Version") -> tuple[list[Link], list["Version"]]:
        """The links of that version, and the other versions. A name that hides a path counts by its last part.

        A file that installers call by another name than the page does is there under both.
        """
        ours: list[Link] = []
        others: list[Version] = []
        for link in [*links, *(each._replace(name=each.called) for each in links if each.called)]:
            found = version_of(link.name.replace("\\", "/").rpartition("/")[2], self._project)
            if found == version:
                ours.append(link)
            elif found is not None:
                others.append(found)
        return ours, others


def _list(place: str, links: list[Link], others: "tuple[Version, ...]") -> Listing:
    offers: dict[str, Offer] = {}
    odd: list[Oddity] = []
    twice: list[str] = []
    for link in links:
        offer = Offer(
            link.name, link.url, "", link.size, link.sha256, link.yanked, link.provenance, link.metadata_sha256
        )
        if not is_plain_name(link.name):
            odd.append(Oddity(link.name[:255], ODD_NAME))
        elif link.wrong:
            raise UndecidedError(
                f"{place} says that {link.name} lies where nobody should go: {link.wrong}",
                "Name another index with --from.",
            )
        elif link.name not in offers:
            offers[link.name] = offer
        elif offers[link.name].sha256 != link.sha256 or offers[link.name].size != link.size:
            twice.append(link.name)
        elif link.yanked is not None:  # called back in one of its lines is called back
            offers[link.name] = offers[link.name]._replace(yanked=link.yanked)
    return Listing(place, tuple(offers.values()), tuple(odd), tuple(twice), tuple(str(each) for each in others))

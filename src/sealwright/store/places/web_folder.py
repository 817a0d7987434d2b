"""A plain web folder as a place: SHA256SUMS, and beside it what it lists and the evidence.

Enters: an address in which {version} stands for the version. Leaves: a `Listing`. A server that shows what is in the
folder is believed that it is there; of one that does not, only files whose names follow from SHA256SUMS are asked for.
"""

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from sealwright.errors import MissingError, UndecidedError
from sealwright.files.web import Web
from sealwright.files.web_address import shown
from sealwright.files.web_answer import AbsentError, OversizeError, Page, StatusError
from sealwright.model.artifact import ArtifactNameError, looks_released, parse_artifact_name
from sealwright.model.offer import Listing, Offer
from sealwright.model.release import CHECKSUMS, LAYOUT, OPENPGP_SUFFIX, Oddity, attestations_name, bundle_name
from sealwright.model.withdrawal import MAX_WITHDRAWN_BYTES, WITHDRAWN
from sealwright.store.places.belonging import ODD_NAME, is_plain_name
from sealwright.store.places.simple_page import MAX_PAGE_BYTES, PageError, read_html_page

if TYPE_CHECKING:
    from packaging.version import Version

PLACEHOLDER = "{version}"
_HINT = "Is there a login page or a proxy in between? --from names another place."
_MAX_SUMS_BYTES = 1024**2
_MOST_FILES = 2_000
_MOST_BUNDLES = 3  # of one artifact, where the server does not say which there are


class WebFolder:
    """One folder a release, on a web server."""

    def __init__(self, web: Web, url: str, name: str) -> None:
        """Take the address, without credentials, and what the place is called."""
        self._web = web
        self._url = url
        self._name = name

    def list_files(self, version: "Version") -> Listing:
        """Return what is there, or may be. Raises MissingError if there is no SHA256SUMS, and UndecidedError.

        Without SHA256SUMS, a withdrawn.json alone is a listing, too.
        """
        base = self._url.replace(PLACEHOLDER, quote(str(version), safe="")).rstrip("/") + "/"
        try:
            sums = self._web.read(base + CHECKSUMS, _MAX_SUMS_BYTES)
        except AbsentError as error:
            if self._has_withdrawn(base):  # evidence may lie elsewhere: on an index, say
                return Listing(self._name, (Offer(WITHDRAWN, base + WITHDRAWN),))
            raise MissingError(
                f"{self._name} has no {CHECKSUMS} of {version}",
                f"The address must be that of the folder of the release; {PLACEHOLDER} stands for the version.",
            ) from error
        except OversizeError as error:
            raise UndecidedError(f"{shown(base + CHECKSUMS)} is {error}", _HINT) from error
        listed, names = _listed(sums), self._shown(base)
        if CHECKSUMS not in names:
            names = _guessed(listed)
        unique = list(dict.fromkeys(names))
        if not any(looks_released(name) for name in (*listed, *unique)):  # the artifacts may lie elsewhere
            raise UndecidedError(f"{shown(base + CHECKSUMS)} lists no file of a release", _HINT)
        offers = tuple(Offer(name, base + quote(name)) for name in unique if is_plain_name(name))
        odd = tuple(Oddity(name[:255], ODD_NAME) for name in unique if not is_plain_name(name) and looks_released(name))
        return Listing(self._name, offers, odd)

    def _has_withdrawn(self, base: str) -> bool:
        try:
            self._web.read(base + WITHDRAWN, MAX_WITHDRAWN_BYTES)
        except AbsentError:
            return False
        except OversizeError:
            return True  # which fails the release
        return True

    def _shown(self, base: str) -> list[str]:
        """The names of the files that the server shows in this very folder; none if it shows none."""
        try:
            page: Page = self._web.read(base, MAX_PAGE_BYTES, accept="text/html")
            links = read_html_page(page) if page.url == base else ()
        except (AbsentError, OversizeError, PageError, StatusError):
            return []
        here = urlsplit(base)
        return [link.name for link in links if link.url and _is_inside(link.url, here.netloc, here.path)]


def _is_inside(url: str, host: str, folder: str) -> bool:
    parts = urlsplit(url)
    inside = parts.netloc == host and parts.path.startswith(folder) and not parts.query
    return inside and "/" not in parts.path[len(folder) :] and parts.path != folder


def _listed(sums: Page) -> list[str]:
    """The names in a SHA256SUMS, which will be judged later: here they only say what to ask for."""
    text = sums.content.decode("ascii", "replace")
    names = [line.partition("  ")[2] for line in text.split("\n", _MOST_FILES)[:_MOST_FILES]]
    return [name for name in names if is_plain_name(name)]


def _guessed(artifacts: list[str]) -> list[str]:
    names = [CHECKSUMS, CHECKSUMS + OPENPGP_SUFFIX, WITHDRAWN]
    for artifact in artifacts:
        try:
            parse_artifact_name(artifact)
        except ArtifactNameError:
            continue
        names += [artifact, artifact + OPENPGP_SUFFIX]
        names += [bundle_name(artifact, number) for number in range(1, _MOST_BUNDLES + 1)]
    return [*names, *filter(None, [attestations_name(tuple(artifacts))]), LAYOUT]

"""The release page of a GitHub repository as a place, by its API.

Enters: a repository, a tag, perhaps a token. Leaves: a `Listing` of the release's assets. The token goes to the API and
nowhere else: the assets lie on other hosts. https://docs.github.com/en/rest/releases/releases
"""

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from sealwright.errors import MissingError, UndecidedError
from sealwright.files.strict_json import read_json
from sealwright.files.web import Web
from sealwright.files.web_address import follow, origin
from sealwright.files.web_answer import AbsentError, OversizeError, Page, StatusError
from sealwright.model.offer import Listing, Offer
from sealwright.model.release import Oddity
from sealwright.store.places.belonging import ODD_NAME, is_plain_name

if TYPE_CHECKING:
    from packaging.version import Version

API = "https://api.github.com"
_JSON, _BYTES = "application/vnd.github+json", "application/octet-stream"
_MAX_ANSWER_BYTES = 8 * 1024**2
_MAX_COMMAS = 200_000
_MAX_PAGES = 20
_NEXT = re.compile(r'<([^<>]{1,2000})>\s*;\s*rel="?next"?')
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_HINT = "Is there a login page or a proxy in between? --from and --evidence-from name other places."
_TOKEN_HINT = "A token in GITHUB_TOKEN or GH_TOKEN has a limit of its own."  # noqa: S105  no password


class GitHubPlace:
    """One repository's releases; `repository` is OWNER/REPO, `tag` makes the tag of a version."""

    def __init__(
        self,
        web: Web,
        repository: str,
        tag: Callable[[str], str],
        *,
        api: str,
        has_token: bool,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take the address of the API; `has_token`: `web` knows a token for it; `now` in seconds since 1970."""
        self._web = web
        self._base = f"{api.rstrip('/')}/repos/{repository}"
        self._name = f"github:{repository}"
        self._tag = tag
        self._has_token = has_token
        self._now = now

    def list_files(self, version: "Version") -> Listing:
        """Return the assets of that version's release. Raises MissingError if there is none, and UndecidedError."""
        tag = self._tag(str(version))
        try:
            release = self._ask(f"{self._base}/releases/tags/{quote(tag, safe='')}")[0]
        except AbsentError as error:
            raise MissingError(
                f"{self._name} has no release with the tag {tag}",
                "If the repository is private, set GITHUB_TOKEN." if not self._has_token else "",
            ) from error
        if not isinstance(release, dict) or release.get("draft") is True or release.get("tag_name") != tag:
            raise UndecidedError(f"{self._name} answers with another release than {tag}", _HINT)
        number = release.get("id")
        if not isinstance(number, int):
            raise UndecidedError(f"{self._name} answers with no release", _HINT)
        return self._list(self._assets(f"{self._base}/releases/{number}/assets?per_page=100"))

    def _assets(self, url: str) -> list[Any]:
        """Every page: the answer about the release itself has not always all of them."""
        assets: list[Any] = []
        for _ in range(_MAX_PAGES):
            try:
                found, page = self._ask(url)
            except AbsentError as error:
                raise UndecidedError(f"{self._name} has a release, and does not list its files", _HINT) from error
            if not isinstance(found, list):
                raise UndecidedError(f"{self._name} answers with no list of files", _HINT)
            assets += found
            link = _NEXT.search(page.headers.get("link", "")[:10_000])
            if not link:
                return assets
            try:
                url = follow(page.url, link[1])
            except ValueError as error:
                raise UndecidedError(
                    f"{self._name} leads to a next page where nobody should go: {error}", _HINT
                ) from error
            if origin(url) != origin(self._base):
                raise UndecidedError(f"{self._name} leads to a next page on another host", _HINT)
        raise UndecidedError(f"{self._name} has more than {_MAX_PAGES} pages of files", _HINT)

    def _ask(self, url: str) -> tuple[Any, Page]:
        try:
            page = self._web.read(url, _MAX_ANSWER_BYTES, accept=_JSON)
            return read_json(page.content, _MAX_COMMAS), page
        except StatusError as error:
            raise self._explain(error) from error
        except OversizeError as error:
            raise UndecidedError(f"the answer of {self._name} is {error}", _HINT) from error
        except ValueError as error:
            raise UndecidedError(f"the answer of {self._name} is not JSON", _HINT) from error

    def _explain(self, error: StatusError) -> UndecidedError:
        """Say when to try again, if it is only the rate limit (403 or 429, and nothing left of it)."""
        spent = error.headers.get("x-ratelimit-remaining") == "0"
        if error.status in (403, 429) and (spent or "retry-after" in error.headers):
            when = _when(error.headers, self._now())
            hint = f"Try again {when}." + ("" if self._has_token else f" {_TOKEN_HINT}")
            return UndecidedError(f"{self._name}: the rate limit of GitHub's API is used up", hint)
        if error.status in (401, 403) and self._has_token:
            return UndecidedError(
                f"{self._name} refuses the token (status {error.status})", "Renew or unset GITHUB_TOKEN."
            )
        return error

    def _list(self, assets: list[Any]) -> Listing:
        offers: dict[str, Offer] = {}
        odd: list[Oddity] = []
        twice: list[str] = []
        for asset in assets:
            name = asset.get("name") if isinstance(asset, dict) else None
            if not isinstance(name, str) or asset.get("state", "uploaded") != "uploaded":
                continue
            if not is_plain_name(name):
                odd.append(Oddity(name[:255], ODD_NAME))
            elif name in offers:
                twice.append(name)
            else:
                try:
                    offers[name] = self._offer(name, asset)
                except ValueError as error:
                    raise UndecidedError(
                        f"{self._name} says that {name} lies where nobody should go: {error}", _HINT
                    ) from error
        return Listing(self._name, tuple(offers.values()), tuple(odd), tuple(twice))

    def _offer(self, name: str, asset: dict[str, Any]) -> Offer:
        """With a token, an asset comes through the API, which private ones need; without, past its rate limit."""
        url, size = asset.get("url" if self._has_token else "browser_download_url"), asset.get("size")
        digest = _DIGEST.fullmatch(str(asset.get("digest")))
        return Offer(
            name,
            follow(self._base, url if isinstance(url, str) else ""),
            size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
            sha256=digest[1] if digest else "",
            accept=_BYTES if self._has_token else "*/*",
        )


def repository_of(url: str) -> str:
    """Return OWNER/REPO of a repository on GitHub, or an empty text."""
    parts = urlsplit(url)
    names = parts.path.strip("/").removesuffix(".git").split("/")
    return "/".join(names) if parts.hostname == "github.com" and len(names) == 2 and all(names) else ""


def _when(headers: dict[str, str], now: float) -> str:
    """When the limit is lifted: in so many seconds (Retry-After), or at a time since 1970 (X-RateLimit-Reset)."""
    wait, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if wait.isascii() and wait.isdigit() and len(wait) < 7:
        return f"in {wait} seconds"
    if reset.isascii() and reset.isdigit() and len(reset) < 12:
        at = time.strftime("%H:%M:%S UTC", time.gmtime(int(reset)))
        return f"after {at}, in {max(1, round((int(reset) - now) / 60))} minutes"
    return "in an hour"

"""GitHub's release pages on loopback, by the API and as a browser sees them.

Enters: files under a repository and a tag. Leaves: the REST API for releases and assets with its pages, tokens and rate
limits; the addresses for browsers; and the files, on a host of their own that is not told any token. All in memory.
https://docs.github.com/en/rest/releases
"""

import hmac
import json
import secrets
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlencode

from sealwright.sandbox.faults import Endpoint
from sealwright.sandbox.places.github_answers import HOUR, KIND, WITHOUT_TOKEN, cut_page, limits, refuse, utc_text
from sealwright.sandbox.places.serving import BINARY, Listed, digest, serve_file, serve_page, spoil_listing
from sealwright.sandbox.server import Request, Response, Route

_WITH_TOKEN = 5000


class Asset(NamedTuple):
    """A file of a release page."""

    number: int
    name: str
    content: bytes
    uploaded: datetime


class ReleasePage(NamedTuple):
    """A release; a draft, and whatever is in a private repository, is seen with the token alone."""

    number: int
    repository: str
    tag: str
    published: datetime
    draft: bool
    prerelease: bool
    assets: tuple[Asset, ...]


class GitHub:
    """The release pages. Safe to publish to while they are served."""

    def __init__(self, api: str, web: str, files: str, now: Callable[[], datetime]) -> None:
        """Take the addresses of the API, of what browsers see, and of the host of the files."""
        self.api = api
        self.web = web
        self._files = files
        self._now = now
        self.token = f"ghp_{secrets.token_hex(18)}"
        self.limit = WITHOUT_TOKEN  # requests an hour without a token
        self._secret = secrets.token_bytes(16)
        self._lock = threading.Lock()
        self._pages: list[ReleasePage] = []
        self._private: set[str] = set()
        self._used = {True: 0, False: 0}
        self._number = 1_000_000

    def publish(
        self,
        repository: str,
        tag: str,
        *paths: Path,
        draft: bool = False,
        prerelease: bool = False,
        private: bool = False,
    ) -> tuple[str, ...]:
        """Put files on the page of a tag, which is made if there is none. Returns their names.

        Raises ValueError for a name that is taken, as GitHub refuses it: `remove` it first.
        """
        with self._lock:
            known = self._find(repository, tag)
            page = known or ReleasePage(self._next(), repository, tag, self._now(), draft, prerelease, ())
            there = {asset.name for asset in page.assets}
            if taken := sorted(there & {path.name for path in paths}):
                raise ValueError(f"{', '.join(taken)} is there already")
            new = (Asset(self._next(), path.name, path.read_bytes(), self._now()) for path in paths)
            self._replace(known, page._replace(assets=(*page.assets, *new)))
            if private:
                self._private.add(repository)
        return tuple(path.name for path in paths)

    def remove(self, repository: str, tag: str, *names: str) -> None:
        """Take files from a page; without names, the page itself. Raises ValueError if there is no such page."""
        with self._lock:
            known = self._find(repository, tag)
            if known is None:
                raise ValueError(f"{repository} has no release {tag}")
            left = tuple(asset for asset in known.assets if asset.name not in names)
            self._replace(known, known._replace(assets=left) if names else None)

    def clear(self) -> None:
        """Forget everything, and count requests from zero."""
        with self._lock:
            self._pages.clear()
            self._private.clear()
            self._used = {True: 0, False: 0}
            self.limit = WITHOUT_TOKEN

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _find(self, repository: str, tag: str) -> ReleasePage | None:
        return next((page for page in self._pages if (page.repository, page.tag) == (repository, tag)), None)

    def _replace(self, old: ReleasePage | None, new: ReleasePage | None) -> None:
        self._pages = [page for page in self._pages if page is not old] + ([new] if new else [])
        self._pages.sort(key=lambda page: (page.published, page.number), reverse=True)

    def routes(self) -> tuple[Route, ...]:
        """The REST API."""
        releases = r"/repos/([\w.-]+/[\w.-]+)/releases"
        return (
            Route("GET", releases, Endpoint.GITHUB_RELEASES, self._guard(self._list)),
            Route("GET", f"{releases}/tags/(.+)", Endpoint.GITHUB_RELEASE, self._guard(self._by_tag)),
            Route("GET", f"{releases}/(latest|[0-9]+)", Endpoint.GITHUB_RELEASE, self._guard(self._by_number)),
            Route("GET", f"{releases}/([0-9]+)/assets", Endpoint.GITHUB_ASSETS, self._guard(self._assets)),
            Route("GET", f"{releases}/assets/([0-9]+)", Endpoint.GITHUB_ASSET, self._guard(self._asset)),
        )

    def web_routes(self) -> tuple[Route, ...]:
        """What a browser downloads, which the API does not count."""
        pattern = r"/([\w.-]+/[\w.-]+)/releases/download/(.+)/([^/]+)"
        return (Route("GET", pattern, Endpoint.GITHUB_DOWNLOAD, self._download),)

    def file_routes(self) -> tuple[Route, ...]:
        """The host of the files, which takes signed addresses and nothing else."""
        return (Route("GET", "/assets/([0-9]+)", Endpoint.GITHUB_FILE, self._file),)

    def _guard(self, answer: Callable[[Request, bool], Response]) -> Callable[[Request], Response]:
        """Ask who it is, count, and answer with what is left."""

        def guarded(request: Request) -> Response:
            if not request.headers.get("user-agent"):
                return refuse(403, "Request forbidden by administrative rules. Please send a User-Agent header.")
            said = request.headers.get("authorization", "")
            token = said.partition(" ")[2] if said.partition(" ")[0].lower() in ("bearer", "token") else ""
            known = hmac.compare_digest(token.encode(), self.token.encode())
            if said and not known:
                return refuse(401, "Bad credentials")
            limit = _WITH_TOKEN if known else self.limit
            with self._lock:
                self._used[known] += 1
                used = self._used[known]
            reset = int((self._now() + HOUR).timestamp())
            if used > limit:
                refused = refuse(403, "API rate limit exceeded for 127.0.0.1.")
                return refused._replace(headers=limits(limit, 0, reset))
            response = answer(request, known)
            return response._replace(headers=(*response.headers, *limits(limit, limit - used, reset)))

        return guarded

    def _seen(self, repository: str, known: bool) -> list[ReleasePage]:
        with self._lock:
            if repository in self._private and not known:
                return []
            return [page for page in self._pages if page.repository == repository and (known or not page.draft)]

    def _list(self, request: Request, known: bool) -> Response:
        repository = request.matched[0]
        pages = self._seen(repository, known)
        if not pages and (repository in self._private or all(page.repository != repository for page in self._pages)):
            return refuse(404, "Not Found")
        shown, links = cut_page(request, pages, f"{self.api}{request.path}")
        return self._answer(request, [self._describe(request, page) for page in shown], links)

    def _by_tag(self, request: Request, known: bool) -> Response:
        repository, tag = request.matched[0], unquote(request.matched[1])
        found = [page for page in self._seen(repository, known) if page.tag == tag and not page.draft]
        return self._answer(request, self._describe(request, found[0])) if found else refuse(404, "Not Found")

    def _by_number(self, request: Request, known: bool) -> Response:
        repository, asked = request.matched
        pages = self._seen(repository, known)
        if asked == "latest":
            found = [page for page in pages if not page.draft and not page.prerelease]
        else:
            found = [page for page in pages if page.number == int(asked)]
        return self._answer(request, self._describe(request, found[0])) if found else refuse(404, "Not Found")

    def _assets(self, request: Request, known: bool) -> Response:
        repository, number = request.matched
        found = [page for page in self._seen(repository, known) if page.number == int(number)]
        if not found:
            return refuse(404, "Not Found")
        shown, links = cut_page(request, found[0].assets, f"{self.api}{request.path}")
        return self._answer(request, self._describe_assets(request, found[0]._replace(assets=tuple(shown))), links)

    def _asset(self, request: Request, known: bool) -> Response:
        repository, number = request.matched
        for page in self._seen(repository, known):
            for asset in page.assets:
                if asset.number != int(number):
                    continue
                if BINARY in request.headers.get("accept", ""):
                    return Response(302, b"", "text/html; charset=utf-8", (("Location", self._signed(asset)),))
                one = self._describe_assets(request, page._replace(assets=(asset,)))
                return self._answer(request, one[0])
        return refuse(404, "Not Found")

    def _answer(self, request: Request, content: Any, links: tuple[tuple[str, str], ...] = ()) -> Response:
        headers = (*links, ("Vary", "Accept, Authorization, Cookie"), ("X-GitHub-Media-Type", "github.v3; format=json"))
        return serve_page(request, Response(200, json.dumps(content).encode(), KIND, headers))

    def _describe(self, request: Request, page: ReleasePage) -> dict[str, Any]:
        """The fields that a client could want; the real API has more."""
        here = f"{self.api}/repos/{page.repository}/releases/{page.number}"
        when = utc_text(page.published)
        return {
            "url": here,
            "assets_url": f"{here}/assets",
            "html_url": f"{self.web}/{page.repository}/releases/tag/{quote(page.tag)}",
            "id": page.number,
            "tag_name": page.tag,
            "target_commitish": "main",
            "name": page.tag,
            "draft": page.draft,
            "prerelease": page.prerelease,
            "immutable": False,
            "created_at": when,
            "published_at": None if page.draft else when,
            "assets": self._describe_assets(request, page),
            "body": "",
        }

    def _describe_assets(self, request: Request, page: ReleasePage) -> list[dict[str, Any]]:
        by_name = {asset.name: asset for asset in page.assets}
        download = f"{self.web}/{page.repository}/releases/download/{quote(page.tag)}/"
        listed = [
            Listed(name, download + quote(name), len(asset.content), digest(asset.content))
            for name, asset in by_name.items()
        ]
        return [
            {
                "url": f"{self.api}/repos/{page.repository}/releases/assets/{asset.number}",
                "id": asset.number,
                "name": each.name,
                "label": "",
                "content_type": BINARY,
                "state": "uploaded",
                "size": each.size,
                "digest": f"sha256:{each.sha256}",
                "download_count": 0,
                "created_at": utc_text(asset.uploaded),
                "updated_at": utc_text(asset.uploaded),
                "browser_download_url": each.url,
            }
            for each in spoil_listing(request, listed)
            for asset in (by_name[each.name.removeprefix("../")],)
        ]

    def _signed(self, asset: Asset) -> str:
        return f"{self._files}/assets/{asset.number}?{urlencode({'sp': 'r', 'sig': self._signature(asset.number)})}"

    def _signature(self, number: int) -> str:
        return hmac.new(self._secret, str(number).encode(), "sha256").hexdigest()

    def _download(self, request: Request) -> Response:
        repository, tag, name = (unquote(each) for each in request.matched)
        for page in self._seen(repository, known=False):
            for asset in page.assets:
                if (page.tag, asset.name) == (tag, name):
                    return Response(302, b"", "text/html; charset=utf-8", (("Location", self._signed(asset)),))
        return Response(404, b"Not Found", "text/plain; charset=utf-8")

    def _file(self, request: Request) -> Response:
        number = int(request.matched[0])
        if "authorization" in request.headers:  # as the real one: a token that was sent on is an error
            return Response(400, b"<Error><Code>InvalidAuthenticationInfo</Code></Error>", "application/xml")
        if not hmac.compare_digest(request.query.get("sig", "").encode(), self._signature(number).encode()):
            return Response(403, b"<Error><Code>AuthenticationFailed</Code></Error>", "application/xml")
        with self._lock:
            found = [asset for page in self._pages for asset in page.assets if asset.number == number]
        if not found:
            return Response(404, b"<Error><Code>BlobNotFound</Code></Error>", "application/xml")
        name = ("Content-Disposition", f"attachment; filename={found[0].name}")
        return serve_file(request, found[0].content, found[0].uploaded, headers=(name,))

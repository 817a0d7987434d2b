"""The places where releases live, as one thing: started, published to, told to fail, stopped.

Enters: a clock. Leaves: an index, release pages and a web folder on ports of 127.0.0.1. Everything is in memory, and
gone at the end.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sealwright.sandbox.faults import Endpoint, Faults
from sealwright.sandbox.places.github import GitHub
from sealwright.sandbox.places.index import Index
from sealwright.sandbox.places.provenance import GitHubPublisher, Publisher
from sealwright.sandbox.places.web import WebFolder
from sealwright.sandbox.server import running_service

_PORTS = 6


class Published(NamedTuple):
    """Where a release went: the address of the web folder, and the names that went to the index and the page."""

    url: str
    uploaded: tuple[str, ...]
    attached: tuple[str, ...]


class Places:
    """The running places. Made by `running_places` alone."""

    def __init__(self, index: Index, github: GitHub, web: WebFolder, faults: Faults) -> None:
        """Take the three, and the faults that they share."""
        self.index = index
        self.github = github
        self.web = web
        self.faults = faults

    @property
    def requests(self) -> Counter[Endpoint]:
        """The number of requests to each endpoint since the start or the last `faults.clear()`."""
        return self.faults.counted()

    def publish(
        self,
        release: Path,
        *,
        project: str,
        version: str,
        repository: str,
        tag: str = "",
        attestations: Path | None = None,
        publisher: Publisher | None = None,
    ) -> Published:
        """Publish a release folder as a maintainer does: wheels and sdists to the index, all of it to the other two.

        The index gets the PEP 740 attestations that lie in the folder `attestations` (the release folder if none is
        given), under the name of `publisher` (release.yml of the repository). The web folder has the release at
        PROJECT/VERSION/.
        """
        files = sorted(path for path in release.iterdir() if path.is_file() and not path.name.startswith("."))
        who = publisher or GitHubPublisher(repository)
        return Published(
            self.web.publish(f"{project}/{version}", *files),
            self.index.publish(*files, attestations=attestations or release, publisher=who),
            self.github.publish(repository, tag or f"v{version}", *files),
        )

    def clear(self) -> None:
        """Forget what was published and which faults were ordered."""
        for place in (self.index, self.github, self.web, self.faults):
            place.clear()


@contextlib.contextmanager
def running_places(now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Places]:
    """Run the places on ports of 127.0.0.1 until the context ends; `now` tells the time, with a time zone.

    Raises OSError if there are no ports.
    """
    faults = Faults()
    with contextlib.ExitStack() as stack:
        services = [stack.enter_context(running_service(faults)) for _ in range(_PORTS)]
        at_index, at_files, at_api, at_github, at_assets, at_web = services
        index = Index(at_index.url, at_files.url, now)
        github = GitHub(at_api.url, at_github.url, at_assets.url, now)
        web = WebFolder(at_web.url, now)
        at_index.serve(*index.routes())
        at_files.serve(*index.file_routes())
        at_api.serve(*github.routes())
        at_github.serve(*github.web_routes())
        at_assets.serve(*github.file_routes())
        at_web.serve(*web.routes())
        yield Places(index, github, web, faults)

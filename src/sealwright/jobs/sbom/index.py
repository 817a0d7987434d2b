"""The package index that an SBOM is completed from, reached as the user's pip reaches the network.

Enters: what was asked for. Leaves: an open `Index`. Which index it is says `--index-url`, never pip's configuration.
"""

import contextlib
from collections.abc import Iterator

from sealwright.collect.contents.index import DEFAULT_INDEX, Index
from sealwright.jobs.sbom.request import SbomRequest
from sealwright.store.places.network import Network


@contextlib.contextmanager
def open_index(asked: SbomRequest) -> Iterator[Index]:
    """Open no connection yet, and close all at the end. Raises UsageError for settings that cannot be used."""
    network = Network(asked.variables or {})
    url = network.credentials.add_address(asked.index_url or DEFAULT_INDEX, network.environ)
    with network.web as web:
        yield Index(web, url)

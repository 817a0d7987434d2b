"""The package index that an SBOM is completed from, reached as the user's pip reaches the network.

Enters: what was asked for. Leaves: an open `Index`. Which index it is says `--index-url`, never pip's configuration.
"""

import contextlib
from collections.abc import Iterator

from sealwright.collect.index import DEFAULT_INDEX, Index
from sealwright.jobs.fetch_release import open_web
from sealwright.jobs.sbom import SbomRequest
from sealwright.store.places.credentials import OriginCredentials
from sealwright.store.places.pip_settings import read_pip_settings


@contextlib.contextmanager
def open_index(asked: SbomRequest) -> Iterator[Index]:
    """Open no connection yet, and close all at the end. Raises UsageError for settings that cannot be used."""
    environ = asked.variables or {}
    settings = read_pip_settings(environ)
    credentials = OriginCredentials(keyring=settings.keyring)
    url = credentials.add_address(asked.index_url or DEFAULT_INDEX, environ)
    with open_web(settings, environ, credentials) as web:
        yield Index(web, url)

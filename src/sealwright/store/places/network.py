"""The way to places for one job: settings as the user's pip has them, and credentials, each for its own origin.

Enters: an environment. Leaves: a `Network`. Opens nothing by itself.
"""

from collections.abc import Mapping

from sealwright.errors import UsageError
from sealwright.files.web import Web
from sealwright.files.web_address import check_address
from sealwright.files.web_answer import PATIENCE, Patience
from sealwright.files.web_route import WebSettings
from sealwright.store.places.credentials import OriginCredentials
from sealwright.store.places.index_place import IndexPlace
from sealwright.store.places.pip_settings import PipSettings, read_pip_settings
from sealwright.store.places.place import PlaceName

_PROXIES = ("https_proxy", "all_proxy", "no_proxy")
_MOST_ATTEMPTS = 10


class Network:
    """The network of one job. Its `web` is to be closed at the end."""

    def __init__(self, environ: Mapping[str, str], patience: Patience | None = None) -> None:
        """Read pip's configuration. Raises UsageError for one that pip could not read either."""
        self.environ = environ
        self._settings = read_pip_settings(environ)
        self.credentials = OriginCredentials(keyring=self._settings.keyring)
        self.web = Web(_web_settings(self._settings, environ), self.credentials, patience or _patience(self._settings))

    def index(self, name: PlaceName, project: str) -> IndexPlace:
        """Return one project of an index: of the one that is named, else pip's own. Raises UsageError."""
        url = name.where or self._settings.index_url
        try:
            check_address(url)
        except ValueError as error:
            raise UsageError(
                f"the index that pip is configured with cannot be used: {error}", "Name another with index:URL."
            ) from error
        return IndexPlace(self.web, self.credentials.add_address(url, self.environ), project, str(name))


def _web_settings(pip: PipSettings, environ: Mapping[str, str]) -> WebSettings:
    proxies = {name: value for name in _PROXIES if (value := environ.get(name) or environ.get(name.upper()))}
    return WebSettings(pip.proxy, proxies, pip.certificates, pip.client_certificate)


def _patience(pip: PipSettings) -> Patience:
    """As patient as pip is told to be, where it is."""
    found = PATIENCE
    if pip.timeout:
        found = found._replace(connect=pip.timeout, stall=pip.timeout)
    if pip.retries is not None:
        found = found._replace(attempts=min(pip.retries + 1, _MOST_ATTEMPTS))
    return found

"""The way to a host: straight, or through the user's proxy, and whose certificates count on it.

Enters: settings that others have read. Leaves: answers whose body is still to be read. Follows nothing and retries
nothing: sealwright.files.web does. Certificates are always checked.
"""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from sealwright.errors import UsageError
from sealwright.files.web_address import is_loopback

if TYPE_CHECKING:
    import ssl

    from urllib3 import BaseHTTPResponse, PoolManager

_CONNECTIONS = 16
_PROXY_HINT = "It stands in pip's configuration or in HTTPS_PROXY; such as http://proxy.example.org:3128"


class WebSettings(NamedTuple):
    """How the user reaches the network.

    `proxies` holds addresses by the lower-case names of the environment's variables (https_proxy, all_proxy, no_proxy);
    a `proxy` that is named goes before them. Both bundles are files; empty: the system's certificates, and none.
    """

    proxy: str = ""
    proxies: Mapping[str, str] = {}
    certificates: str = ""
    client_certificate: str = ""


class Route:
    """The connections of one job, by where they go through. Safe to use from several threads."""

    def __init__(self, settings: WebSettings, connect: float, stall: float) -> None:
        """Take the settings, and how many seconds a connection and each piece of an answer may take."""
        self._settings = settings
        self._times = (connect, stall)
        self._lock = threading.Lock()
        self._managers: dict[str, PoolManager] = {}

    def get(self, url: str, headers: dict[str, str]) -> "BaseHTTPResponse":
        """Send one GET and return the answer with its body unread. Raises urllib3's exceptions, OSError, ValueError."""
        return self._manager(url).urlopen(
            "GET", url, headers=headers, redirect=False, retries=False, preload_content=False, decode_content=False
        )

    def close(self) -> None:
        """Close every connection."""
        for manager in self._managers.values():
            manager.clear()

    @staticmethod
    def is_lasting(error: Exception) -> bool:
        """Whether the next attempt would meet the same: an address that is none. All else may pass, as pip sees it."""
        from urllib3.exceptions import LocationValueError

        return isinstance(error, LocationValueError) or isinstance(getattr(error, "reason", None), LocationValueError)

    def _manager(self, url: str) -> "PoolManager":
        proxy = self._proxy(url)
        key = proxy or urlsplit(url).scheme
        with self._lock:
            if key not in self._managers:
                self._managers[key] = self._open(proxy, secure=urlsplit(url).scheme == "https")
            return self._managers[key]

    def _open(self, proxy: str, *, secure: bool) -> "PoolManager":
        import urllib3

        options: dict[str, Any] = {
            "maxsize": _CONNECTIONS,
            "timeout": urllib3.Timeout(connect=self._times[0], read=self._times[1]),
        }
        if secure:
            options["ssl_context"] = self._context()
        if not proxy:
            return urllib3.PoolManager(**options)
        try:
            parts = urlsplit(proxy)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("no http:// or https:// address")
            said = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
            sent = urllib3.make_headers(proxy_basic_auth=said) if said else {}
            bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
            return urllib3.ProxyManager(bare, proxy_headers=sent, **options)
        except (ValueError, UnicodeError) as error:
            raise UsageError("the proxy that is configured cannot be used", _PROXY_HINT) from error

    def _context(self) -> "ssl.SSLContext":
        import ssl

        named = self._settings.certificates
        try:
            context = ssl.create_default_context()
            if named:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                _load(context, named)
            elif not context.cert_store_stats()["x509_ca"] and not ssl.get_default_verify_paths().capath:
                import certifi

                context.load_verify_locations(certifi.where())
            if self._settings.client_certificate:
                context.load_cert_chain(self._settings.client_certificate)
        except OSError as error:  # ssl.SSLError is one
            raise UsageError(
                "the certificates that are configured cannot be read",
                "They stand in pip's configuration (cert, client-cert), or in REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE.",
            ) from error
        return context

    def _proxy(self, url: str) -> str:
        """The proxy on the way to an address, empty for none. This machine is always reached straight."""
        if is_loopback(url):
            return ""
        given = self._settings.proxies
        if self._settings.proxy:
            return self._settings.proxy
        found = given.get("https_proxy") or given.get("all_proxy") or ""
        if found and (exempt := given.get("no_proxy")):
            from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed knows it not

            if proxy_bypass_environment(urlsplit(url).netloc.rpartition("@")[2], {"no": exempt}):
                return ""
        return found if "://" in found or not found else f"http://{found}"


def _load(context: "ssl.SSLContext", path: str) -> None:
    import os

    if os.path.isdir(path):
        context.load_verify_locations(capath=path)
    else:
        context.load_verify_locations(cafile=path)

"""Names, passwords and tokens for places, each for exactly one origin (scheme, host and port).

Enters: addresses as the user has written them, netrc, the keyring, a token. Leaves: Authorization headers. Whatever
another origin asks for, and wherever an answer leads, it gets none of them. Nothing here is ever shown or logged.
"""

import base64
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sealwright.files.threads import within
from sealwright.files.web_address import origin

_KEYRING_SECONDS = 60.0
_MAX_NETRC_BYTES = 256 * 1024


class OriginCredentials:
    """What to say to whom, for one job. Safe to use from several threads."""

    def __init__(self, *, keyring: bool = False) -> None:
        """Know nothing yet; `keyring`: whether the system's keyring may be asked."""
        self._known: dict[str, str] = {}
        self._services: dict[str, tuple[str, str | None]] = {}
        self._keyring = keyring
        self._lock = threading.Lock()

    def add_address(self, url: str, environ: Mapping[str, str]) -> str:
        """Take name and password out of an address, or of netrc for its host; return the address without them."""
        parts = urlsplit(url)
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        name = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        if name is not None and password is None and name and not self._keyring:
            password = ""
        if name is None or password is None:
            found = _read_netrc(parts.hostname or "", environ)
            name, password = found if found and name in (None, found[0]) else (name, password)
        if name is not None and password is not None:
            self._known[origin(bare)] = _basic(name, password)
        self._services[origin(bare)] = bare, name
        return bare

    def add_token(self, url: str, token: str) -> None:
        """Send a bearer token to the origin of `url`, and to no other."""
        if token:
            self._known[origin(url)] = f"Bearer {token}"

    def known(self, server: str) -> str:
        """Return what is sent to that origin from the beginning."""
        return self._known.get(server, "")

    def asked(self, server: str) -> str:
        """Return what the keyring has for that origin, if it is one that the user has named."""
        with self._lock:
            if not self._keyring or server not in self._services or server in self._known:
                return self._known.get(server, "")
            url, name = self._services[server]
            # As pip does: the address of the index first, its host then.
            for service in (url, urlsplit(url).netloc):
                if found := _ask_keyring(service, name):
                    self._known[server] = _basic(*found)
                    return self._known[server]
            self._known[server] = ""
            return ""


def _basic(name: str, password: str) -> str:
    """RFC 7617, 2, in UTF-8."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode("ascii")


def _read_netrc(host: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Name and password for a host; a file that cannot be read has none, as for pip."""
    import netrc

    home = Path(environ.get("HOME") or "~").expanduser()
    named = environ.get("NETRC")
    for path in [Path(named)] if named else [home / ".netrc", home / "_netrc"]:
        try:
            if not path.is_file() or path.stat().st_size > _MAX_NETRC_BYTES:
                continue
            found = netrc.netrc(path).authenticators(host)
        except (OSError, ValueError, netrc.NetrcParseError):
            return None
        if found:
            return found[0] or found[1] or "", found[2] or ""
    return None


def _ask_keyring(service: str, name: str | None) -> tuple[str, str] | None:
    """What the system's keyring has; one that fails, or asks a question that nobody answers, has nothing."""

    def ask() -> Any:
        import keyring

        return keyring.get_credential(service, name)

    try:
        found = within(_KEYRING_SECONDS, ask)
    except Exception:  # noqa: BLE001  a backend may raise anything
        return None
    return (found.username or "", found.password or "") if found else None

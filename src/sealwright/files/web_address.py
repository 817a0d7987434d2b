"""Addresses on the web, and where a download may be led to by what it finds there.

Enters: addresses that a person, an index or a redirection named. Leaves: the same address, or a ValueError that says
why it is not gone to. Opens nothing and looks up no name: what a name stands for is proved by the certificate of its
host.
"""

from urllib.parse import SplitResult, urljoin, urlsplit

_LONGEST = 4096
_PUBLIC, _PRIVATE, _LOOPBACK, _NOWHERE = range(4)
_PORTS = {"https": 443, "http": 80}


def check_address(url: str) -> SplitResult:
    """Take an address apart that may be gone to: https, or http to this very machine. Raises ValueError."""
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("it is no plain address")
    parts = urlsplit(url)
    port = parts.port  # raises ValueError for what is none
    if not parts.hostname or port == 0:
        raise ValueError("it names no host")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
        raise ValueError("it is no https:// address")
    return parts


def follow(base: str, target: str) -> str:
    """Return the address that a page or a redirection at `base` leads to, without its fragment. Raises ValueError.

    It never leads from https to http, to a file, from elsewhere to this machine or into a private network, or to
    another's name and password.
    """
    url = urljoin(base, target.strip(" \t\r\n\f")).partition("#")[0]
    parts = check_address(url)
    if parts.scheme != "https" and urlsplit(base).scheme == "https":
        raise ValueError("it leads from https to http")
    if "@" in parts.netloc:
        raise ValueError("it holds a name or a password")
    here, there = _reach(urlsplit(base).hostname or ""), _reach(parts.hostname or "")
    if there > here or (there == _NOWHERE and parts.hostname != urlsplit(base).hostname):
        raise ValueError("it leads to this machine, or into a private network")
    return url


def origin(url: str) -> str:
    """Return scheme, host and port: what one set of credentials is for."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS.get(parts.scheme, 0)}"


def is_loopback(url: str) -> bool:
    """Tell whether an address is on this very machine."""
    return _reach(urlsplit(url).hostname or "") == _LOOPBACK


def shown(url: str) -> str:
    """An address for a message: without name, password, query and fragment."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that is none"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"[:300]


def _reach(host: str) -> int:
    """How near a host is to this machine, as far as its name says it; a number in any spelling is taken for one."""
    import ipaddress
    import socket

    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return _LOOPBACK
    try:
        # inet_aton: the system also takes 127.1, 2130706433 and 0x7f000001 for 127.0.0.1.
        address = ipaddress.ip_address(name if ":" in name else socket.inet_aton(name))
    except (OSError, ValueError):
        return _PUBLIC
    inner = getattr(address, "ipv4_mapped", None) or address
    if inner.is_loopback:
        return _LOOPBACK
    if inner.is_link_local or inner.is_unspecified or inner.is_multicast or inner.is_reserved:
        return _NOWHERE
    return _PUBLIC if inner.is_global else _PRIVATE

"""How the user's pip reaches its index: address, proxy, certificates, patience. pip itself is not run.

Enters: an environment, and where this Python lives. Leaves: `PipSettings`. Files and variables are read in pip's own
order (https://pip.pypa.io/en/stable/topics/configuration/), of all that they may hold only what `PipSettings` has; a
further index (extra-index-url), find-links and trusted-host are not heeded: nobody could say whose release it was.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import UsageError
from sealwright.files.reading import read_bounded, reason

DEFAULT_INDEX = "https://pypi.org/simple"
_MAX_BYTES = 256 * 1024
_FILE = "pip.conf"
_SECTIONS = ("global", "install")
_LONGEST_WAIT = 600.0


class PipSettings(NamedTuple):
    """What pip would use. `timeout` in seconds; `retries` after the first attempt; None where nothing is said."""

    index_url: str = DEFAULT_INDEX
    proxy: str = ""
    certificates: str = ""
    client_certificate: str = ""
    keyring: bool = True
    timeout: float | None = None
    retries: int | None = None


def read_pip_settings(environ: Mapping[str, str]) -> PipSettings:
    """Read pip's configuration files and variables. Raises UsageError for a file that pip could not read either."""
    found: dict[str, str] = {}
    sections: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for path in _files(environ):
        for section, values in _read(path).items():
            if section in sections:
                sections[section] |= values
    for section in _SECTIONS:
        found |= sections[section]
    variables = {name[4:]: value for name, value in environ.items() if name.startswith("PIP_")}
    found |= _given(variables)
    url = found.get("index-url") or found.get("pypi-url") or DEFAULT_INDEX
    return PipSettings(
        index_url=url,
        proxy=found.get("proxy", ""),
        certificates=found.get("cert") or environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or "",
        client_certificate=found.get("client-cert", ""),
        keyring=found.get("keyring-provider", "auto") != "disabled",
        timeout=_number(found.get("timeout") or found.get("default-timeout")),
        retries=int(_number(found.get("retries")) or 0) if "retries" in found else None,
    )


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    """The configuration files, the one that goes before all others last."""
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    home = Path(environ.get("HOME") or "~").expanduser()
    library = "Library/Application Support/pip"
    if sys.platform == "darwin":
        yield Path("/") / library / _FILE
        own = home / library
        user = own if own.is_dir() else home / ".config" / "pip"
    else:
        for folder in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
            yield Path(folder) / "pip" / _FILE
        yield Path("/etc") / _FILE
        user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip"
    if not (named and Path(named).exists()):
        yield home / ".pip" / _FILE
        yield user / _FILE
    yield Path(sys.prefix) / _FILE
    if named:
        yield Path(named)


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        content = read_bounded(path, _MAX_BYTES, follow=True)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"pip's configuration {path} cannot be read: {reason(error)}", "Mend or remove it.") from error
    import configparser

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(content.decode("utf-8"))
    except (configparser.Error, ValueError) as error:
        raise UsageError(f"pip's configuration {path} cannot be read", "pip cannot read it either: mend it.") from error
    return {section: _given(dict(parser.items(section))) for section in parser.sections()}


def _given(values: Mapping[str, str]) -> dict[str, str]:
    """Names in pip's one spelling; what is empty is not given."""
    return {name.lower().replace("_", "-").removeprefix("--"): value for name, value in values.items() if value}


def _number(text: str | None) -> float | None:
    """A number of seconds or attempts, within reason; None for what is none."""
    try:
        return min(max(float(text), 0.0), _LONGEST_WAIT) if text else None
    except ValueError:
        return None

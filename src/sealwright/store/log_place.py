"""Where the audit log lives: said here and nowhere else.

Enters: what `--log` named, and the environment as an argument. Leaves: a path, and what named it. Creates nothing.
In this order: `--log FILE`; `log = "FILE"` in the user's own configuration, `$XDG_CONFIG_HOME/sealwright/config.toml`;
the user's state folder, `$XDG_STATE_HOME/sealwright/audit.jsonl`
(https://specifications.freedesktop.org/basedir/latest/). Never a file of the project one stands in: an unpacked sdist
must not choose which file is written to.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import UsageError
from sealwright.files.reading import UnfitFileError, read_bounded, reason
from sealwright.store.user_folders import user_folder

_MAX_CONFIGURATION = 64 * 1024
_HINT = 'It may hold one line: log = "/path/to/audit.jsonl"'


class LogPlace(NamedTuple):
    """Where the log is, and what said so."""

    path: Path
    said_by: str


def locate_log(given: Path | None, environment: Mapping[str, str]) -> LogPlace:
    """Return where the log lives. Raises UsageError for a configuration that cannot be used."""
    if given is not None:
        return LogPlace(given, "--log")
    configuration = user_folder(environment, "XDG_CONFIG_HOME", ".config") / "config.toml"
    configured = _configured(configuration)
    if configured is not None:
        return LogPlace(configured, str(configuration))
    return LogPlace(
        user_folder(environment, "XDG_STATE_HOME", ".local/state") / "audit.jsonl", "the user's state folder"
    )


def _configured(path: Path) -> Path | None:
    import tomllib

    try:
        document = tomllib.loads(read_bounded(path, _MAX_CONFIGURATION, follow=True).decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnfitFileError as error:
        raise UsageError(f"{path} is {error}", _HINT) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason(error)}", _HINT) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML", _HINT) from error
    if unknown := set(document) - {"log"}:
        raise UsageError(f"{path}: {ascii(min(unknown))[1:-1]} is not a key of the configuration", _HINT)
    value = document.get("log")
    if value is None:
        return None
    if not isinstance(value, str) or not value or not value.isprintable():
        raise UsageError(f"{path}: log must be a path", _HINT)
    return path.parent / Path(value).expanduser()

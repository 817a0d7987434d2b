"""Where this program keeps what is the user's own: below their data, state and configuration folders.

Enters: the environment as an argument. Leaves: a path. Creates nothing.
https://specifications.freedesktop.org/basedir/latest/
"""

from collections.abc import Mapping
from pathlib import Path

from sealwright.errors import UsageError


def user_folder(environment: Mapping[str, str], variable: str, otherwise: str) -> Path:
    """Return this program's folder below one of the user's own; `otherwise` is where that is by default.

    The specification says that a relative path in such a variable is invalid and must be ignored. Raises UsageError if
    there is no home.
    """
    base = Path(environment.get(variable) or ".")
    if not base.is_absolute():
        home = Path(environment.get("HOME") or ".")
        if not home.is_absolute():
            raise UsageError(f"neither {variable} nor HOME names a folder", "Set HOME to your home folder.")
        base = home / otherwise
    return base / "sealwright"

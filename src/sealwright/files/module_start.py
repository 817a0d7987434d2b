"""How a Python of its own is started for what is installed beside Sealwright: pip, build, pip-audit.

Enters: the name of a module. Leaves: how a command begins that runs it, and what its environment must say besides. It
takes nothing from the current folder. In the user's own folder (pip install --user) it looks only if this process found
the module there; what it starts looks there, too, as a pip lies nowhere else if Python has none, like Debian's.
"""

import site
import sys
from importlib.util import find_spec
from pathlib import Path


def start_module(name: str) -> tuple[list[str], dict[str, str]]:
    """Return the beginning of the command, and the variables; those of the caller are for him to keep away."""
    found = find_spec(name)
    if site.ENABLE_USER_SITE and found and Path(found.origin or "").is_relative_to(site.getusersitepackages()):
        variables = {"PYTHONUSERBASE": site.getuserbase(), "PYTHONNOUSERSITE": ""}
        return [sys.executable, "-P", "-m", name], variables
    return [sys.executable, "-I", "-m", name], {}

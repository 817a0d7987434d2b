"""A Python environment into which a verified wheel is installed: what its own pip says of it.

Enters: the path of an interpreter, and where it should install. Leaves: `Target`: where each kind of file goes, and the
scripts that its pip would make, in memory. Its pip is asked before it gets to see the wheel.
"""

import base64
import binascii
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.process import run_bounded
from sealwright.files.reading import reason
from sealwright.files.wheel_content import WheelContent

_SECONDS = 60.0
_MAX_ANSWER = 8 * 1024**2
_OLDEST_PIP = (22, 2)
_MARK = "sealwright:"
_SCHEMES = ("purelib", "platlib", "headers", "scripts", "data")
# Asked of pip's own code, because only it knows where it will put things, and which scripts it makes of entry points.
_PROBE = """
import base64, json, sys, sysconfig
asked = json.loads(sys.argv[1])
try:
    import pip
except ImportError:
    print("sealwright:" + json.dumps({"problem": "it has no pip"}))
    raise SystemExit(0)
answer = {"pip": pip.__version__, "prefix": sys.prefix, "version": sys.version_info[:2], "executable": sys.executable}
answer["paths"] = [path for path in sys.path if path]
answer["standard"] = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
try:
    from pip._internal.locations import get_scheme
    from pip._internal.operations.install.wheel import PipScriptMaker, get_console_script_specs
    where = get_scheme(asked["name"], user=asked["user"], home=asked["target"], root=asked["root"],
                       prefix=asked["prefix"])
    answer["schemes"] = {key: getattr(where, key) for key in ("purelib", "platlib", "headers", "scripts", "data")}
    made = {}
    maker = PipScriptMaker(None, asked["folder"])
    maker.clobber, maker.variants, maker.set_mode = True, {""}, True
    class Kept:
        def write_binary_file(self, path, data):
            made[path.rpartition("/")[2]] = base64.b64encode(data).decode()
        def set_executable_mode(self, paths):
            pass
        def __getattr__(self, name):
            raise AttributeError(name)
    maker._fileop = Kept()
    maker.make_multiple(get_console_script_specs(asked["console"]))
    maker.make_multiple(["%s = %s" % pair for pair in asked["gui"].items()], {"gui": True})
    answer["scripts"] = made
except (ImportError, AttributeError, TypeError) as error:
    answer["problem"] = "its pip %s is built in another way than is known here (%s)" % (pip.__version__, error)
print("sealwright:" + json.dumps(answer))
"""


class Target(NamedTuple):
    """Where and by what is installed: `schemes` are absolute folders by kind, `scripts` contents by name.

    `paths` are what that Python imports from, and `standard` where its own library is, all without links.
    """

    python: str
    executable: str
    pip: str
    prefix: str
    version: tuple[int, int]
    schemes: dict[str, str]
    scripts: dict[str, bytes]
    paths: tuple[str, ...]
    standard: tuple[str, ...]

    def library(self, *, pure: bool) -> Path:
        """The folder that modules are imported from."""
        return Path(self.schemes["purelib" if pure else "platlib"])


class Wanted(NamedTuple):
    """Where to install, as pip's options say it; empty: where this Python's pip does by itself."""

    user: bool = False
    target: str = ""
    prefix: str = ""
    root: str = ""


def ask_environment(
    python: str, name: str, content: WheelContent, wanted: Wanted, folder: Path, environ: Mapping[str, str]
) -> Target:
    """Ask the pip of `python` where it would install, from the private `folder`. Raises UsageError, UndecidedError."""
    asked = {
        "name": name, "user": wanted.user, "root": wanted.root or None, "prefix": wanted.prefix or None,
        "target": wanted.target or None,
        "folder": str(folder), "console": dict(content.console), "gui": dict(content.gui),
    }  # fmt: skip
    command = [*interpreter(python, user=wanted.user), "-c", _PROBE, json.dumps(asked)]
    try:
        ended = run_bounded(command, folder, environ, _SECONDS, kept=_MAX_ANSWER)
    except OSError as error:
        raise UndecidedError(f"{python} cannot be run: {reason(error)}") from error
    answer = _answer(python, ended.said)
    if problem := answer.get("problem"):
        if "pip" not in answer:
            raise UsageError(f"{python} cannot install: {problem}", f"{python} -m ensurepip --upgrade gives it one.")
        raise UndecidedError(
            f"{python} cannot install: {problem}", "Install the pip that it came with, or a newer Sealwright."
        )
    try:
        release = tuple(int(part) for part in str(answer["pip"]).split(".")[:2])
        schemes = {key: os.path.abspath(str(answer["schemes"][key])) for key in _SCHEMES}
        scripts = {str(key): base64.b64decode(text, validate=True) for key, text in answer["scripts"].items()}
        version = int(answer["version"][0]), int(answer["version"][1])
        paths, standard = (tuple(dict.fromkeys(map(os.path.realpath, answer[key]))) for key in ("paths", "standard"))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, binascii.Error) as error:
        raise UndecidedError(f"{python} gave no answer that can be understood") from error
    if release < _OLDEST_PIP:
        raise UsageError(f"the pip of {python} is {answer['pip']}, too old", f"{python} -m pip install --upgrade pip")
    if wanted.target:
        schemes |= {"purelib": wanted.target, "platlib": wanted.target}  # to where pip moves it from lib/python
    executable, prefix = str(answer["executable"]), str(answer["prefix"])
    return Target(python, executable, str(answer["pip"]), prefix, version, schemes, scripts, paths, standard)


def interpreter(python: str, *, user: bool) -> list[str]:
    """How a Python is started: without variables, the folder one stands in and, unless it is used, the user's site.

    It writes no bytecode (-B).
    """
    return [python, "-E", "-B"] if user else [python, "-I", "-B"]


def _answer(python: str, said: str) -> dict[str, Any]:
    line = next((line for line in reversed(said.splitlines()) if line.startswith(_MARK)), "")
    try:
        answer = json.loads(line.removeprefix(_MARK)) if line else None
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        last = said.strip().splitlines()[-1:] or ["it said nothing"]
        raise UndecidedError(
            f"{python} could not be asked where it installs: {last[0][:300]}", "Is it a Python 3 with pip?"
        )
    return answer


_TAGS = """
from pip._internal.utils.compatibility_tags import get_supported
import json
print("sealwright:" + json.dumps({"tags": [str(tag) for tag in get_supported()]}))
"""


def ask_tags(python: str, folder: Path, environ: Mapping[str, str]) -> list[str]:
    """Ask which tags of wheels the pip of `python` supports, the best first. Raises UndecidedError."""
    try:
        ended = run_bounded(
            [*interpreter(python, user=False), "-c", _TAGS], folder, environ, _SECONDS, kept=_MAX_ANSWER
        )
    except OSError as error:
        raise UndecidedError(f"{python} cannot be run: {reason(error)}") from error
    return [str(tag) for tag in _answer(python, ended.said).get("tags", [])]

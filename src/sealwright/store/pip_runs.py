"""Runs of pip that take nothing but what they are told to: no variable, no configuration, no folder one stands in.

Enters: an interpreter, options, the lines of a requirements file. Leaves: what pip said, and its status.
"""

import contextlib
import fcntl
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import TamperedError, UndecidedError, UsageError
from sealwright.files.process import Ended, run_bounded
from sealwright.files.reading import reason
from sealwright.store.places.pip_settings import read_pip_settings
from sealwright.store.python_environment import interpreter

_SECONDS = 900.0
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
_NETWORK = ("https_proxy", "http_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")
_MISMATCH = "DO NOT MATCH THE HASHES"


# Starts pip as python -m pip does, and imports nothing by certain names from certain folders, not even for a .pth.
_BARRING = """
import json, runpy, site, sys
from importlib.machinery import PathFinder
from os.path import realpath
with open(sys.argv.pop(1), encoding="utf-8") as given:
    barred, folders = json.load(given)
barred, folders = frozenset(barred), frozenset(folders)
class Barring:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is not None or name not in barred:
            return None
        spec = PathFinder.find_spec(name, [each for each in sys.path if realpath(each) not in folders])
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return spec
sys.meta_path.insert(0, Barring)
site.main()
sys.argv[0] = "pip"
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


class Barred(NamedTuple):
    """Modules that pip must not import, which it would if they are there, by name, and the folders they are in."""

    names: tuple[str, ...]
    folders: tuple[str, ...]


class PipRun(NamedTuple):
    """By what and where pip runs: `folder` is private and holds its temporary files, too."""

    python: str
    user: bool
    folder: Path
    environ: Mapping[str, str]
    barred: Barred | None = None


def clean_environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the whole environment that a child gets: no PIP_*, no PYTHON*, and no configuration file of pip's.

    --isolated leaves out variables and the user's pip.conf, but neither the system's nor the environment's.
    """
    return {name: environ[name] for name in _KEPT if name in environ} | {
        "PIP_CONFIG_FILE": os.devnull,
        "TMPDIR": str(folder),
    }


def run_install(run: PipRun, options: Sequence[str], lines: Sequence[str]) -> None:
    """Let pip install `lines` of a requirements file, which it gets from nowhere but `options`.

    Raises TamperedError if it finds another digest, and UndecidedError if it fails otherwise.
    """
    _install(run, ["--no-index", *options], lines, clean_environment(run.environ, run.folder))


def run_index_install(
    run: PipRun, options: Sequence[str], lines: Sequence[str], constraints: Sequence[str] = ()
) -> None:
    """Let pip install wheels from the index that the user's pip is configured for. Raises as `run_install` does.

    The index, which may have a password in it, stands in the requirements file, and not among the arguments.
    """
    settings = read_pip_settings(run.environ)
    if not settings.index_url.isprintable() or " " in settings.index_url:
        raise UsageError("the address of the index that pip is configured with is none", "Mend pip's index-url.")
    environment = clean_environment(run.environ, run.folder)
    for name in _NETWORK:
        if value := run.environ.get(name) or run.environ.get(name.upper()):
            environment[name] = value
    if settings.proxy:
        environment |= {"https_proxy": settings.proxy, "http_proxy": settings.proxy}
    if settings.certificates:
        environment["REQUESTS_CA_BUNDLE"] = settings.certificates
    client = ["--client-cert", settings.client_certificate] if settings.client_certificate else []
    lines = [f"--index-url {settings.index_url}", *lines]
    _install(run, [*client, *options], lines, environment, constraints)


def _install(
    run: PipRun,
    options: Sequence[str],
    lines: Sequence[str],
    environment: Mapping[str, str],
    constraints: Sequence[str] = (),
) -> None:
    always = ["--no-cache-dir", "--only-binary", ":all:", "--no-compile", "--no-warn-script-location"]
    try:
        with _nameless(lines) as what, _nameless(constraints) as within:
            words = ["install", *always, *options, "--requirement", f"/dev/fd/{what}"]
            words += ["--constraint", f"/dev/fd/{within}"] if constraints else []
            ended = _run(run, words, environment, what, within)
    except OSError as error:
        raise UndecidedError(f"pip cannot be run: {reason(error)}") from error
    if ended.status == 0:
        return
    if _MISMATCH in ended.said:
        raise TamperedError(
            "pip found other bytes than those that are expected, and installed nothing",
            "Another process of yours, or an index, has exchanged a file: find out which before you try again.",
        )
    raise UndecidedError(f"pip did not install it: {_last_words(ended)}", "Mend what pip says, and run it again.")


@contextlib.contextmanager
def _nameless(lines: Sequence[str]) -> Iterator[int]:
    """Hold lines in a file without a name, which Linux seals: whoever could add a line would add a package."""
    if sys.platform == "linux":
        descriptor = os.memfd_create("requirements", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    try:
        with open(descriptor, "wb", closefd=False) as stream:
            stream.writelines(f"{line}\n".encode() for line in lines)
            stream.seek(0)
        if sys.platform == "linux":
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
        yield descriptor
    finally:
        os.close(descriptor)


def run_check(run: PipRun) -> list[str]:
    """Return what `pip check` finds wrong in the environment, one line each; nothing if it cannot say."""
    try:
        ended = _run(run, ["check"], clean_environment(run.environ, run.folder))
    except OSError:
        return []
    return [line.strip() for line in ended.said.splitlines() if line.strip()] if ended.status == 1 else []


def _run(run: PipRun, words: Sequence[str], environment: Mapping[str, str], *inherited: int) -> Ended:
    python = interpreter(run.python, user=run.user)
    words = ["--isolated", "--no-input", "--disable-pip-version-check", "--no-color", *words]
    if run.barred is None:
        return run_bounded([*python, "-m", "pip", *words], run.folder, environment, _SECONDS, inherited=inherited)
    with _nameless([json.dumps(run.barred)]) as barred:
        command = [*python, "-S", "-c", _BARRING, f"/dev/fd/{barred}", *words]
        return run_bounded(command, run.folder, environment, _SECONDS, inherited=(*inherited, barred))


def _last_words(ended: Ended) -> str:
    from sealwright.model.log_entry import without_secrets

    if ended.status is None:
        return f"it was ended after {_SECONDS:.0f} seconds"
    lines = [line.strip() for line in ended.said.splitlines() if line.strip() and not line.startswith("[notice]")]
    wrong = [line for line in lines if line.lower().startswith("error")] or lines[-1:] or [f"status {ended.status}"]
    return without_secrets("; ".join(wrong[:3]))[:500]

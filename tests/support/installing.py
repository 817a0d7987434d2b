"""Environments to install into, with a pip of their own in a tenth of a second, and processes that race it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pip

from sealwright.jobs.install.install import Installed, InstallRequest, install_release
from sealwright.jobs.install.options import parse_pip_options
from sealwright.store.release_folder import private_copy

_SITE = Path(pip.__file__).parent.parent
_LIB = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"

# Does something once pip has done its work, before anybody can look.
AFTERWARDS = """
import atexit, os, sys
def act():
    site = {site!r}
{code}
if "install" in sys.argv:
    atexit.register(act)
"""


class Environment:
    """A virtual environment that has the tests' pip and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        bin_folder = folder / "bin"
        bin_folder.mkdir(parents=True)
        self.site.mkdir(parents=True)
        base = Path(sys.base_prefix) / "bin" / "python3"
        (bin_folder / "python").symlink_to(base)
        (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")
        for path in (_SITE / "pip", *_SITE.glob("pip-*.dist-info")):
            (self.site / path.name).symlink_to(path)
        (self.site / "pip-is-not-alone.txt").touch()  # else pip, removing a package, takes the whole folder for its own

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    @property
    def site(self) -> Path:
        return self.folder / _LIB

    def run(self, code: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([self.python, "-c", code], capture_output=True, text=True, check=False)

    def holds(self) -> set[str]:
        """What lies in it besides pip."""
        return {name for name in os.listdir(self.site) if not name.startswith("pip") and name != "__pycache__"}

    def race(self, code: str) -> None:
        """Run code at the start of every Python of this environment, as a process that races pip would act."""
        (self.site / "pip_racer.py").write_text(code)
        (self.site / "pip_racer.pth").write_text("import pip_racer\n")


class SystemPython(Environment):
    """No virtual environment, but a Python with its own library, which a distribution manages (PEP 668)."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "pyvenv.cfg").unlink()
        Path(self.python).unlink()
        shutil.copy2(os.path.realpath(Path(sys.base_prefix) / "bin" / "python3"), self.python)
        library = self.site.parent
        for path in Path(os.__file__).parent.iterdir():
            if path.name not in ("site-packages", "dist-packages", "EXTERNALLY-MANAGED"):
                (library / path.name).symlink_to(path)
        for path in (Path(sys.base_prefix) / "lib").glob("libpython*"):
            (folder / "lib" / path.name).symlink_to(path)
        for path in self.site.glob("pip*"):  # where every Python looks, also one whose site-packages have another name
            path.rename(library / path.name)
        (library / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=ask the distribution\n")


def install(
    folder: Path, environment: Environment, *words: str, environ: dict[str, str] | None = None, **more: object
) -> Installed:
    options = parse_pip_options(("--python", environment.python, *words), {}, sys.executable)
    base = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    with private_copy(folder) as release:
        return install_release(release.files, InstallRequest(options, base | (environ or {}), **more))  # type: ignore[arg-type]

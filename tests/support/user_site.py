"""`pip install --user sealwright`: a Python outside of any environment that finds us in its user's folder."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path


class UserSite:
    """A user's folder with all that lies beside the tests, and note of each Python that looks there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.python = str(getattr(sys, "_base_executable", sys.executable))
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONUSERBASE": str(home / "base")}
        ask = "import site, sys; print(site.getusersitepackages()); sys.exit(not site.ENABLE_USER_SITE)"
        told = subprocess.run(
            [self.python, "-c", ask], env=self.environment, capture_output=True, text=True, check=True
        )
        folder = Path(told.stdout.strip())
        folder.mkdir(parents=True)
        for each in Path(sysconfig.get_path("purelib")).iterdir():
            (folder / each.name).symlink_to(each)
        note = f"with open({str(home / 'here')!r}, 'a') as stream: print(*sys.orig_argv[1:], file=stream)\n"
        (folder / "usercustomize.py").write_text(f"import sys\n{note}")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, "-m", "sealwright.cli.main", *arguments],
            cwd=self.home, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def looked(self) -> list[str]:
        """The arguments of each Python that looked there."""
        return (self.home / "here").read_text().splitlines()

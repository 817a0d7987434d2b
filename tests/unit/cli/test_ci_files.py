"""The ready-made CI jobs: what linters say of them, and that what they call is there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CI = Path(__file__).parents[3] / "docs" / "ci"


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    zizmor = Path(sys.executable).parent / "zizmor"
    if not zizmor.exists():
        pytest.skip("zizmor is not installed here")
    workflows = tmp_path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    shutil.copy(CI / "remind.github.yml", workflows / "remind.yml")
    command = [zizmor, "--offline", "--no-progress", "--persona", "pedantic", workflows / "remind.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", ["remind.github.yml", "remind.gitlab-ci.yml"])
def test_the_options_they_use_are_there(file: str) -> None:
    from sealwright.cli.remind import command

    known = {option for parameter in command.params for option in parameter.opts}
    used = set(re.findall(r"--(?:within|format|notify|github-issue)\b", (CI / file).read_text()))
    assert used
    assert used <= known

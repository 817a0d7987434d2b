"""The README's promises, as written: its steps are taken from the page and run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.forge import Forge
from support.world import PROJECT, VERSION, World

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()


def block(marker: str) -> str:
    found = re.search(rf"<!-- {marker} -->\n```[a-z]+\n(.*?)```", README, re.DOTALL)
    assert found, marker
    return found[1]


def test_the_steps_of_a_maintainer_and_of_a_user(unsealed: World, keys: Forge) -> None:
    """The build is the sandbox's, and the project another one; everything else runs as it is written."""
    seal = block("steps: seal").replace("python -m build\n", "")
    verify = block("steps: verify").replace("sampleproject==4.0.0", f"{PROJECT}=={VERSION}")
    assert f"{PROJECT}=={VERSION}" in verify
    environment = {
        "SIGNING_KEY": keys.secret(keys.alice).decode(),
        "PASSPHRASE": "unused: the key has none",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    for step in (block("steps: rehearse"), seal, verify):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", step],
            cwd=unsealed.folder, env=os.environ | environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("VERIFIED")


def test_the_two_set_up_commands_are_single_lines() -> None:
    for name in ("demo", "tests"):
        assert len(block(f"command: {name}").splitlines()) == 1


@pytest.mark.parametrize(
    "page", sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), ROOT / "keys" / "README.md"])
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


def test_every_check_of_the_code_is_in_the_manual() -> None:
    manual = (ROOT / "docs" / "json-verdict.md").read_text() + (ROOT / "docs" / "verify-an-artifact.md").read_text()
    source = "".join(path.read_text() for path in (ROOT / "src" / "sealwright" / "verify").glob("*.py"))
    source += (ROOT / "src" / "sealwright" / "model" / "verdict.py").read_text()
    ids = set(
        re.findall(
            r'"((?:policy|release|evidence|checksums|openpgp|signers|artifact|sigstore|publish|layout)\.[a-z]+)"',
            source,
        )
    )
    assert len(ids) >= 38
    assert not {check for check in ids if check not in manual}


def test_the_top_level_holds_what_it_may() -> None:
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert {name.split("/")[0] for name in tracked if not name.startswith(".")} == {
        "README.md",
        "docs",
        "keys",
        "pyproject.toml",
        "src",
        "tests",
    }

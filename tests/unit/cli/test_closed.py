"""Every command says that nobody gets its answer, instead of ending as if all were well."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.advisories import affected, make_index, record


@pytest.mark.parametrize("words", ["audit r.txt --db index.sqlite", "audit r.txt --db index.sqlite --db-max-age 9999d",
                                   "audit db status --db index.sqlite", "--version", "--help"])  # fmt: skip
def test_a_closed_standard_output(tmp_path: Path, words: str) -> None:
    make_index(tmp_path, record(1, affected("bad", versions=["1.0"])))
    (tmp_path / "r.txt").write_text("good==1.0\n")
    for where, code in ((">&-", 3), (">&- <&-", 3), (">/dev/null", 0)):
        command = f"{sys.executable} -m sealwright.cli.start {words} {where}"
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, "output is closed" in done.stderr) == (code, code == 3), done.stderr

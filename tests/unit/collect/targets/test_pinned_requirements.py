"""Requirements files whose lines are made to keep their reader busy."""

import time
from pathlib import Path

import pytest

from sealwright.collect.targets.dependencies import collect_dependencies

LONG = "x" * 1_000_000


@pytest.mark.parametrize(
    "line",
    [f"-r {LONG}", f"-r '{LONG}'", f"--pre {LONG}", f"a[b]==1 --hash=sha256:{LONG}", "-r a\\\n" + "b\\\n" * 99_999],
)
@pytest.mark.parametrize("option", ["", "-r ", "-c "])
def test_a_line_that_is_too_long(tmp_path: Path, line: str, option: str) -> None:
    """Twelve seconds for each megabyte of one word; also in a file of constraints it is nothing to pass over."""
    (tmp_path / "long.txt").write_text(f"good==1.0\n{line}\n")
    (tmp_path / "r.txt").write_text(f"good==1.0\n{option}long.txt\n")
    start = time.thread_time()
    found = collect_dependencies(tmp_path / ("r.txt" if option else "long.txt")).entries
    assert time.thread_time() - start < 3
    assert [(each.line, each.problem) for each in found if each.problem] == [(2, "a line that is too long")]


def test_a_line_that_is_long_enough(tmp_path: Path) -> None:
    hashes = " ".join(f"--hash=sha256:{number:064x}" for number in range(700))
    (tmp_path / "r.txt").write_text(f"good==1.0 {hashes}\n")
    (found,) = collect_dependencies(tmp_path / "r.txt").entries
    assert (found.problem, len(found.hashes)) == ("", 700)

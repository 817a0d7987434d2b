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


@pytest.mark.parametrize("option", ["-r", "-c"])
@pytest.mark.parametrize("far", ["elsewhere/deep", "elsewhere"])
def test_a_nested_file_behind_a_link_and_two_dots(tmp_path: Path, option: str, far: str) -> None:
    """A new pip takes link/.. for where the link lies, an old one, as uv, for where it leads."""
    (tmp_path / far).mkdir(parents=True)
    (tmp_path / "link").symlink_to(far)
    (tmp_path / "clean.txt").write_text("bad==1.0\n")
    (tmp_path / "elsewhere" / "clean.txt").write_text("good==1.0\n")
    (tmp_path / "r.txt").write_text(f"good==1.0\n{option} link/../clean.txt\n")
    found = [entry for entry in collect_dependencies(tmp_path / "r.txt").entries if entry.problem]
    if far == "elsewhere":
        assert not found
    else:
        assert [(entry.line, entry.problem[:53]) for entry in found] == [
            (2, "a nested file that installers look for in two places:")
        ]
    (tmp_path / "r.txt").write_text(
        "-r link/../elsewhere/../clean.txt\n" if far == "elsewhere" else "-r elsewhere/deep/../../clean.txt\n"
    )
    assert [entry.name for entry in collect_dependencies(tmp_path / "r.txt").entries] == ["bad"]


def test_one_nested_file_by_two_ways_names_two_others(tmp_path: Path) -> None:
    """What it names by `..` is, to a new pip, beside the link by which it was reached."""
    (tmp_path / "sub" / "real").mkdir(parents=True)
    (tmp_path / "link").symlink_to("sub/real")
    (tmp_path / "sub" / "real" / "r.txt").write_text("good==1.0\n-r ../more.txt\n")
    (tmp_path / "sub" / "more.txt").write_text("good==2.0\n")
    (tmp_path / "more.txt").write_text("bad==1.0\n")
    (tmp_path / "r.txt").write_text("-r sub/real/r.txt\n-r link/r.txt\n")
    found = collect_dependencies(tmp_path / "r.txt").entries
    assert [entry.problem[:36] for entry in found if entry.problem] == ["a nested file that installers look f"]


def test_a_file_that_is_named_by_way_of_a_link_hides_no_other(tmp_path: Path) -> None:
    """Read as text alone, its path is that of another file, which it names."""
    (tmp_path / "far" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "deep")
    (tmp_path / "r.txt").write_text("bad==1.0\n")
    (tmp_path / "far" / "r.txt").write_text(f"good==1.0\n-r {tmp_path}/r.txt\n")
    found = collect_dependencies(f"{tmp_path}/link/../r.txt")
    assert [entry.name for entry in found.entries] == ["good", "bad"]

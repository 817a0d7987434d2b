"""The short way into `verify-release`: it reads what click would read, or leaves the call to click."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples
from support.world import PROJECT, VERSION, World, run

from sealwright.cli import verify_release
from sealwright.cli.answer import Asking
from sealwright.cli.plain_call import read_plain
from sealwright.errors import UsageError

WORDS = [
    "--from", "--policy", "--json", "--offline", "--refresh-trust", "--help", "-h", "--version", "--", "-", "", "--fro", "--from=.",
    "--policy=.", "--json=1", "-f", "x==1", "1.0", "a b", ".", "/", "absent", "index", "github", "dir:.", "url:x", "é\udcff", "--new-option", "\n",
]  # fmt: skip


def by_click(arguments: list[str]) -> Asking | None:
    """What click makes of a command line; None if it does not come to an answer."""
    asked: list[Asking] = []

    def remember(asking: Asking) -> int:
        asked.append(asking)
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify_release, "answer", remember)
        try:
            verify_release.command.main(list(arguments), prog_name="verify-release", standalone_mode=False)
        except (click.ClickException, UsageError):
            return None
    return asked[0] if asked else None


@examples(300)
@given(st.lists(st.sampled_from(WORDS) | st.text(st.characters(exclude_characters="\0"), max_size=3), max_size=8))
def test_what_is_read_plainly_click_reads_the_same(arguments: list[str]) -> None:
    found = read_plain(arguments)
    assert found is None or found == by_click(arguments)


@examples(100)
@given(
    st.permutations([["1.0"], ["--from", "."], ["--policy", "/"], ["--json"]]),
    st.integers(0, 4),
    st.sampled_from(WORDS),
)
def test_one_more_word_is_never_passed_over(parts: list[list[str]], place: int, word: str) -> None:
    """An option that is not known here, and means something to click, must not get lost."""
    plain = [word for part in parts for word in part]
    assert read_plain(plain) == by_click(plain) == Asking("1.0", Path(), Path("/"), as_json=True)
    more = [*plain[:place], word, *plain[place:]]
    found = read_plain(more)
    assert found is None or found == by_click(more)


@pytest.mark.parametrize("missing", [["--from", "."], ["--policy", "."], ["1.0"]])
def test_an_incomplete_call_is_clicks(missing: list[str]) -> None:
    whole = ["1.0", "--from", ".", "--policy", "."]
    assert read_plain(whole)
    assert read_plain([word for word in whole if word not in missing]) is None


def test_a_plain_call_loads_no_more_than_it_needs(world: World) -> None:
    """Each of these takes as long as judging several artifacts."""
    command = [sys.executable, "-X", "importtime", "-m", "sealwright.cli.plain_call", f"{PROJECT}=={VERSION}"]
    command += ["--from", "release", "--policy", "keys/policy.toml"]
    done = subprocess.run(command, cwd=world.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "sealwright.verify.verifier" in loaded
    heavy = {
        "click",
        "inspect",
        "dataclasses",
        "logging",
        "packaging.tags",
        "textwrap",
        "email",
        "concurrent.futures",
    }
    if sys.version_info >= (3, 13):
        heavy.remove("inspect")  # packaging.version itself loads it there, by warnings.deprecated
    assert loaded & heavy == set()


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_both_ways_print_the_same(world: World, more: list[str]) -> None:
    plain = [f"{PROJECT}=={VERSION}", "--from", "release", "--policy", "keys/policy.toml", *more]
    spoiled = world.release / "SHA256SUMS"
    run("verify-release", *plain, cwd=world.folder)  # from the second time on, what was seen is listed
    for _ in range(2):
        ours, clicks = (run("verify-release", *plain, *last, cwd=world.folder) for last in ([], ["--offline"]))
        assert (ours.returncode, ours.stdout, ours.stderr) == (clicks.returncode, clicks.stdout, clicks.stderr)
        spoiled.write_bytes(spoiled.read_bytes()[:-1])
    assert ours.returncode == 10


def test_a_reader_that_leaves_has_not_seen_an_answer(world: World) -> None:
    command = [sys.executable, "-m", "sealwright.cli.plain_call", f"{PROJECT}=={VERSION}"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*command, "--from", "release", "--policy", "keys/policy.toml"],
        cwd=world.folder, stdout=write, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    os.close(write)
    assert done.returncode == 3

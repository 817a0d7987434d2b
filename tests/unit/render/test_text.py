"""What a person sees: wrapped on a terminal, one cause told once, and nothing that a terminal would obey."""

import pytest
from support.forge import Forge, asc
from support.world import TARGETS, WHEEL, World

from sealwright.render.text import Style, plain, render_sealed, render_verdict


def test_nothing_reaches_a_terminal_raw() -> None:
    assert plain("a\ud800b") == "a\\ud800b"
    assert plain("a\x1b[2Jb\nc\u202ed\udcffé日") == "a\\x1b[2Jb\\nc\\u202ed\\xffé日"


@pytest.mark.parametrize("spoil", ["nothing", "flip", "mallory"])
def test_eighty_columns_are_enough(world: World, keys: Forge, spoil: str) -> None:
    if spoil == "flip":
        (world.release / WHEEL).write_bytes(b"flipped")
    if spoil == "mallory":
        for name in TARGETS:
            asc(world.release / name).write_bytes(keys.sign(keys.mallory, (world.release / name).read_bytes()))
    lines = render_verdict(world.judge(), Style(width=80)).splitlines()
    assert len(lines) < 30
    assert all(len(line) <= 80 for line in lines if "sha256:" in line)
    long = [line for line in lines if len(line) > 80]
    assert not [line for line in long if " " in line[15:].strip()], "only what cannot be broken is longer"


def test_one_cause_is_told_once(world: World, keys: Forge) -> None:
    for name in TARGETS:
        asc(world.release / name).write_bytes(keys.sign(keys.mallory, (world.release / name).read_bytes()))
    text = render_verdict(world.judge())
    assert text.count("0 of 1") == 1
    assert text.count("A signer of the policy counts") == 1
    assert "also" not in text


def test_without_gpg_the_one_problem_is_that(world: World) -> None:
    text = render_verdict(world.judge(gpg=None))
    assert text.startswith("UNDECIDED")
    assert text.count("problem") == 1
    assert "apt install gnupg" in text


def test_colours_only_where_asked_for(world: World) -> None:
    assert "\x1b" not in render_verdict(world.judge())
    assert render_verdict(world.judge(), Style(colour=True)).startswith("\x1b[1;32mVERIFIED")


def test_who_seals_is_told_what_to_do_next(world: World) -> None:
    assert "publish every file" in render_sealed(world.judge(), waiting=False)
    waiting = render_sealed(world.judge(), waiting=True)
    assert "more of: bob" in waiting


def test_what_was_not_checked_is_warned_of(world: World) -> None:
    (world.release / "install.sh").touch()
    text = render_verdict(world.judge())
    assert "not checked  install.sh" in text
    assert "Do not run what was not checked" in text

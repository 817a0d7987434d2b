"""What a person sees: wrapped on a terminal, one cause told once, and nothing that a terminal would obey."""

import hashlib

import pytest
from support.forge import Forge, asc
from support.world import TARGETS, WHEEL, World

from sealwright.model.verdict import PinInUse, Use
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


def test_what_is_wrong_comes_before_the_digests(world: World) -> None:
    content = (world.release / WHEEL).read_bytes()
    (world.release / WHEEL).write_bytes(b"flipped")
    digests = [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in (b"flipped", content)]
    label, more = "  problem      ", " " * 15
    got, expected = f"{label}{WHEEL}: {digests[0]}  [checksums.match]\n", f"{more}expected {digests[1]}\n"
    for style in (Style(), Style(width=200)):
        assert got + expected in render_verdict(world.judge(), style)
    first = f"{label}{WHEEL}: differs  [checksums.match]\n"
    apart = f"{first}    {digests[0]}\n{more}expected\n    {digests[1]}\n{more}These are not the bytes"
    assert apart in render_verdict(world.judge(), Style(width=80))


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


def test_what_no_signature_covers_is_not_to_be_published(world: World) -> None:
    for name in ("NOTES.md", "a.txt"):
        (world.release / name).touch()
    verdict = world.judge()._replace(folder="release")
    assert next_of(render_sealed(verdict, waiting=False)).startswith(
        "take NOTES.md, a.txt, which no signature covers, out of release; then publish every file in it, and the policy"
    )
    for number in range(9):
        (world.release / f"b{number}").touch()
    verdict = world.judge()._replace(folder="release")
    assert "take NOTES.md, a.txt, b0 and 8 more, which" in next_of(render_sealed(verdict, waiting=False))


def test_the_project_is_not_told_to_ask_the_project(world: World, keys: Forge) -> None:
    for name in TARGETS:
        asc(world.release / name).write_bytes(keys.sign(keys.mallory, (world.release / name).read_bytes()))
    others = next_of(render_verdict(world.judge(), use=Use.OWN))
    assert others.startswith("do not publish this (exit code 11). Seal what you built into a new folder")
    (world.release / WHEEL).write_bytes(b"flipped")
    for own in (render_sealed(world.judge(), waiting=False), render_verdict(world.judge(), use=Use.OWN)):
        assert next_of(own).startswith("do not publish this (exit code 10). Find out who changed it; then seal")
    asc(world.release / WHEEL).unlink()
    asked = next_of(render_verdict(world.judge()))
    assert asked.startswith("do not install this (exit code 10). Fetch the whole release again")


def test_what_was_not_checked_is_warned_of(world: World) -> None:
    (world.release / "install.sh").touch()
    text = render_verdict(world.judge())
    assert "not checked  install.sh" in text
    assert "Do not run what was not checked" in text


def next_of(text: str) -> str:
    return text.rpartition("\n  next ")[2].strip()


def test_every_value_stands_in_one_column(world: World) -> None:
    """Also the fingerprint, and a digest inside a problem; eighty columns are enough for both."""
    for spoiled in (False, True):
        if spoiled:
            (world.release / WHEEL).write_bytes(b"flipped")
        verdict = world.judge()
        verdict = verdict._replace(policy=verdict.policy._replace(path="keys/policy.toml"), folder="release")
        lines = render_verdict(verdict, Style(width=80)).splitlines()[1:]
        rows = [line for line in lines if not line.startswith("    sha256:")]
        assert all(line[13:15] == "  " and line[15] != " " for line in rows), rows
        assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("use", "says"), [(Use.NONE, "install from release"), (Use.OFFERED, "same command and --install"), (Use.FOLLOWS, "follows")]
)  # fmt: skip
def test_what_a_pin_has_settled_is_not_asked_again(world: World, use: Use, says: str) -> None:
    verdict = world.judge()._replace(folder="release")
    named = next_of(render_verdict(verdict, use=use))
    assert says in named
    assert "the fingerprint is" in named
    pin = PinInUse("policy", verdict.policy.expires, "git+https://x.invalid/", 3)
    text = render_verdict(verdict._replace(policy=verdict.policy._replace(pin=pin)), use=use)
    assert says in next_of(text)
    assert "fingerprint" not in next_of(text)
    assert "your pin, version 1" in text
    assert str(world.policy) not in text
    first = verdict.policy._replace(pin=pin._replace(kind="first-use"))
    assert "the project's own" in next_of(render_verdict(verdict._replace(policy=first), use=use))


def test_install_is_offered_only_where_there_is_a_wheel(world: World) -> None:
    verdict = world.judge()
    sdists = tuple(artifact for artifact in verdict.artifacts if not artifact.name.endswith(".whl"))
    assert "--install" not in render_verdict(verdict._replace(artifacts=sdists), use=Use.OFFERED)


def test_what_fetching_again_cannot_mend_is_not_answered_with_it(world: World, keys: Forge) -> None:
    other = render_verdict(world.judge(asked="1.2.4"))
    assert (
        next_of(other)
        == "do not install this (exit code 10). Ask for 1.2.3 if you mean it, or get 1.2.4 and verify that."
    )
    assert other.count("Ask for 1.2.3") == 1, "once, and not as a hint as well"
    (world.release / WHEEL).write_bytes(b"flipped")
    assert "Fetch the whole release again" in next_of(render_verdict(world.judge(asked="1.2.4")))


def test_another_policy_of_the_same_version_is_a_question_to_the_project(world: World) -> None:
    assert world.verify().returncode == 0
    world.edit_policy('name = "bob"', 'name = "robert"')
    done = world.verify()
    assert done.returncode == 10
    assert "Ask the project which one is its own" in next_of(done.stdout)
    assert "Fetch" not in done.stdout


def test_an_empty_folder_is_probably_the_wrong_one(world: World) -> None:
    for file in world.release.iterdir():
        file.unlink()
    assert "Is this the folder that you meant?" in next_of(render_verdict(world.judge()))

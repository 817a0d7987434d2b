"""The quick ways of reading a requirements file say what pip and packaging say, or leave the line to the slow one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from pip._internal.req.req_file import preprocess
from support.fuzz import examples

from sealwright.collect.targets.pinned_requirements import _read_plain
from sealwright.files.requirement_lines import logical_lines

PIECES = ["a", "B.c_d", "good", "==", "===", "=", "1.0", "1!2.0", ".post1", "rc1", "+cpu", "*", " ", "\t", "\\\n", "\n", "\r\n", "#",
          " #", "--hash=sha256:0", ";", "[x]", ",", ">=", "\u2028", "\x0c", "\x1c", "\xa0", "é", "²", "-", "_", "\\", "v1"]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
PINS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["a", "B.c_d", "-a", "a-", "a b", "é", "a[x]", ""]), st.sampled_from(["==", "===", " == ", "= =", "=", "=="]),
        st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join),
    ),
)  # fmt: skip


@examples(1500)
@given(TEXTS)
def test_lines_are_those_of_pip(text: str) -> None:
    assert [(line.number, line.text) for line in logical_lines(text)] == [
        (number, stripped) for number, line in preprocess(text) if (stripped := line.strip())
    ]


@examples(1500)
@given((PINS | TEXTS.map(str.strip)).filter(lambda text: len(text.splitlines()) == 1))
def test_a_plain_pin_is_what_packaging_reads(text: str) -> None:
    plain = _read_plain(text)
    if plain is None:
        return
    try:
        found = Requirement(text)
    except InvalidRequirement:  # such as a==word: its version is none of PEP 440, so it is not audited
        with pytest.raises(InvalidRequirement):
            Requirement(f"a=={plain[1]}")
        return
    (specifier,) = found.specifier
    assert (canonicalize_name(found.name), specifier.version) == plain
    assert specifier.operator in ("==", "===")
    assert (found.extras, found.url, found.marker) == (set(), None, None)
    assert not specifier.version.endswith(".*")


def test_a_common_pin_is_plain() -> None:
    assert _read_plain("Good.Name_x == 1.0.post1") == ("good-name-x", "1.0.post1")
    for text in ("good==1.*", "good==1.0,<2", "good==1.0; os_name == 'x'", "good[x]==1.0", "good==1.0 --hash=sha256:0"):
        assert _read_plain(text) is None, text


@pytest.mark.parametrize("end", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_what_pip_joins_and_uv_does_not_is_not_passed_over(end: str, newline: str) -> None:
    """To uv, the comment goes on: it installs duck. To pip, it has ended, and the project is called blackduck."""
    (line,) = logical_lines(f"# {end}black\\{newline}duck==1.0{newline}")
    assert (line.text, line.hidden) == ("blackduck==1.0", "duck==1.0")
    for blank in ("", "  ", "\t"):  # what joins on to nothing begins nothing to uv
        (line,) = logical_lines(f"# {end}black\\{newline}{blank}\\{newline}duck==1.0{newline}")
        assert line.hidden.split() == ["duck==1.0"], blank
    for option in ("--pre", "  --prefer-binary", "--find-links wheels "):  # of which uv passes over the rest
        assert logical_lines(f"{option}{end}black\\{newline}duck==1.0{newline}")[1].hidden == "duck==1.0", option
    for text in (f"{end}black\\{newline}duck==1.0", f"# {end}black{newline}duck==1.0", f"# {end}a==1.0 \\{newline}# b"):
        assert not any(line.hidden for line in logical_lines(text)), text


@pytest.mark.parametrize(
    "option",
    ["--find-links", "--find-links wheels", "--find-links=", "-f", "--trusted-host a", "-i https://a.invalid/",
     "--index-url=https://a.invalid/", "-r a.txt", "-c a.txt", "--no-index", " \\\n-f"],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\\\n", " \\\r\n", "\\\\\n  \\\n\t"])
def test_what_pip_takes_for_the_value_of_an_option_and_uv_for_a_line(option: str, end: str) -> None:
    """To uv, the value ends with its line: it installs duck."""
    (line,) = logical_lines(f"{option}{end}duck==1.0\n")
    assert line.hidden == "duck==1.0"


@pytest.mark.parametrize("option", ["-i", "--extra-index-url ", "--index-url=", "-r", "--no-binary"])
def test_an_option_whose_value_stands_on_the_next_line(option: str) -> None:
    """uv refuses these without a value, so it installs nothing."""
    (line,) = logical_lines(f"{option} \\\n    https://a.invalid/\n")
    assert not line.hidden
    (line,) = logical_lines("--find-links wheels \\\n# duck\n")
    assert not line.hidden


def test_many_lines_behind_a_backslash() -> None:
    """Each took minutes: the square of their number."""
    more = [f"duck{number}==1.0" for number in range(100_000)]
    for option in ("--pre", "--find-links wheels", "a==1 # \x0c"):
        (line,) = logical_lines(" \\\n".join((option, *more)))[-1:]
        assert line.hidden == "\n".join(more), option

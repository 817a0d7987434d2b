"""The order of versions is packaging's, in the forms that are taken apart here and in all others."""

from hypothesis import given
from hypothesis import strategies as st
from packaging.version import InvalidVersion, Version
from support.fuzz import examples

from sealwright.model.version_order import common_form, is_unfinished, public_of, read_order

PARTS = st.sampled_from(["", "0", "1", "2", "10", "01", ".", "a", "b", "c", "rc", "post", "dev", "-", "_", "+", "!", "v", "x", " ", "1.0", "A1", ".post", ".dev", "٣"])  # fmt: skip
TEXTS = st.one_of(
    st.lists(PARTS, max_size=7).map("".join),
    st.builds(
        lambda epoch, release, pre, post, dev, local: f"{epoch}{release}{pre}{post}{dev}{local}",
        st.sampled_from(["", "", "", "1!"]),
        st.lists(st.integers(0, 3).map(str), min_size=1, max_size=4).map(".".join),
        st.sampled_from(["", "", "a0", "a1", "b1", "rc1", "c1", ".RC2", "-alpha.1"]),
        st.sampled_from(["", "", ".post0", ".post1", "-1", "post2", ".rev3"]),
        st.sampled_from(["", "", ".dev0", ".dev1", "dev2"]),
        st.sampled_from(["", "", "+cpu", "+1", "+1.cpu", "+cpu.1", "+10", "+2_a"]),
    ),
)


def parse(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


@examples(3000)
@given(TEXTS, TEXTS)
def test_the_order_is_that_of_packaging(one: str, other: str) -> None:
    for text in (one, other):
        version, order = parse(text), read_order(text)
        assert (version is None) == (order is None), text
        assert parse(common_form(text)) == version
        assert read_order(common_form(text)) == order
        if version is not None and order is not None:
            assert is_unfinished(order) == version.is_prerelease, text
            assert public_of(order) == read_order(version.public)
    (first, second), (mine, yours) = map(parse, (one, other)), map(read_order, (one, other))
    if first is not None and second is not None and mine is not None and yours is not None:
        assert ((first < second), (first == second)) == ((mine < yours), (mine == yours)), (one, other)


def test_what_is_too_long_is_no_version() -> None:
    assert read_order("1" * 201) is None
    assert read_order("9" * 5000) is None
    assert read_order("") is None

"""Versions and entries of OSV records as Hypothesis draws them: near to each other, and in any order."""

from hypothesis import strategies as st

from support.advisories import affected

NUMBERS = st.integers(0, 4)
VERSIONS = st.builds(
    lambda epoch, parts, pre, post, dev, local: (
        (f"{epoch}!" if epoch else "") + ".".join(map(str, parts)) + pre + post + dev + local
    ),
    st.sampled_from([0, 0, 0, 1]),
    st.lists(NUMBERS, min_size=1, max_size=3),
    st.sampled_from(["", "", "", "a1", "b2", "rc1"]),
    st.sampled_from(["", "", "", ".post1", ".post2"]),
    st.sampled_from(["", "", "", ".dev1"]),
    st.sampled_from(["", "", "", "+cpu", "+1"]),
)
EVENTS = st.lists(
    st.one_of(
        st.builds(
            lambda kind, version: {kind: version}, st.sampled_from(["introduced", "fixed", "last_affected"]), VERSIONS
        ),
        st.just({"introduced": "0"}),
        st.builds(lambda version: {"limit": version}, st.one_of(VERSIONS, st.just("*"))),
    ),
    min_size=1,
    max_size=6,
)
ENTRIES = st.builds(
    lambda versions, ranges: (
        affected(versions=versions) | {"ranges": [{"type": "ECOSYSTEM", "events": events} for events in ranges]}
    ),
    st.lists(VERSIONS, max_size=3),
    st.lists(EVENTS, max_size=3),
)

"""The graph: exactly the active edges; cycles, odd requirements and large inputs end."""

import time

from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples

from sealwright.collect.contents.graph import Graph, active_graph, reachable, top_level

HERE = {"python_version": "3.11", "python_full_version": "3.11.7", "sys_platform": "linux", "os_name": "posix",
        "platform_machine": "x86_64", "platform_python_implementation": "CPython", "platform_release": "", "platform_system": "Linux",
        "platform_version": "", "implementation_name": "cpython", "implementation_version": "3.11.7"}  # fmt: skip


def graph(requires: dict[str, list[str]], **asked: list[str]) -> Graph:
    return active_graph(requires, asked, HERE)


def test_markers() -> None:
    found = graph({
        "a": ["b ; python_version >= '3.8'", "c ; sys_platform == 'win32'", "d ; python_version < '3' or os_name == 'posix'"],
        "b": [], "c": [], "d": [],
    })  # fmt: skip
    assert found.edges["a"] == ("b", "d")
    assert found.unknown == ()


def test_extras_only_where_they_were_asked_for() -> None:
    requires = {
        "app": ["lib[One_x]", "tool"],
        "lib": ['inner ; extra == "one-x"', "other ; extra == 'two'", "third ; (extra == 'two') or extra=='one.x'"],
        "tool": ["deep ; extra == 'test' and python_version > '3'"],
        "inner": [], "other": [], "third": [], "deep": [],
    }  # fmt: skip
    found = graph(requires)
    assert found.edges["lib"] == ("inner", "third")
    assert found.edges["tool"] == ()
    assert found.extras["lib"] == ("one-x",)
    assert graph(requires, tool=["test"]).edges["tool"] == ("deep",)


def test_an_extra_that_is_asked_for_later_is_still_followed() -> None:
    found = graph({"a": ["b"], "b": ["c ; extra == 'x'"], "c": ["d"], "d": ["b[x]"]})
    assert found.edges == {"a": ("b",), "b": ("c",), "c": ("d",), "d": ("b",)} or found.edges["b"] == ("c",)


def test_an_extra_that_asks_for_more_of_the_same_package() -> None:
    found = graph(
        {"a": ["a[x,y] ; extra == 'all'", "b ; extra == 'x'", "c ; extra == 'y'"], "b": [], "c": []}, a=["all"]
    )
    assert found.edges["a"] == ("b", "c"), "and no edge to itself"


def test_cycles_and_what_nobody_needs() -> None:
    edges = graph({"a": ["b"], "b": ["a"], "c": ["a"], "x": ["y"], "y": ["x"]}).edges
    assert top_level(edges) == ("c", "x")
    assert reachable(edges, ["c"]) == {"a", "b", "c"}


def test_what_cannot_be_followed_is_said() -> None:
    found = graph({"a": ["gone", "not a requirement ((", "b ; nonsense == 'x'"], "b": []})
    assert "a needs gone, which is not there" in found.unknown
    assert any("cannot be read" in text for text in found.unknown)
    assert graph({"a": [f"gone{n}" for n in range(5_000)]}).unknown[-1] == "and more that could not be followed"


def test_a_large_hostile_graph_takes_no_time() -> None:
    start = time.monotonic()
    many = {
        f"p{n}": [f"p{(n * 7 + k) % 500}[e{k}] ; extra == 'e{k}' or os_name == 'posix'" for k in range(20)]
        for n in range(500)
    }
    found = graph(many)
    assert len(found.edges) == 500
    deep = {f"p{n}": [f"p{n + 1}"] for n in range(5_000)} | {"p5000": []}
    assert reachable(graph(deep).edges, ["p0"]) == set(deep)
    nested = {"a": ["b ; " + "(" * 900 + "os_name == 'x'" + ")" * 900], "b": []}
    assert graph(nested).unknown or not graph(nested).edges["a"]
    assert time.monotonic() - start < 20


@examples(60)
@given(texts=st.lists(st.text(alphabet="ab;[](),='\" <>!extrosnam_.0", max_size=60), max_size=10))
def test_any_requirements_end(texts: list[str]) -> None:
    assert graph({"a": texts, "b": []}).edges["b"] == ()

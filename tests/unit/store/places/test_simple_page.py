"""Pages of an index as nobody should write them, and as the specifications do."""

import json
from typing import Any

import pytest

from sealwright.files.web_answer import Page
from sealwright.store.places.simple_page import Link, PageError, read_simple_page

BASE = "https://index.example/simple/sampleproject/"
JSON, HTML = "application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html; charset=utf-8"
NAME, SHA = "sampleproject-1.0.tar.gz", "ab" * 32


def read(content: Any, kind: str = JSON) -> tuple[Link, ...]:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read_simple_page(Page(raw, BASE, {"content-type": kind}))


def listing(**more: Any) -> dict[str, Any]:
    return {"meta": {"api-version": "1.4"}, "files": [{"filename": NAME, "url": f"https://f.example/{NAME}"} | more]}


def test_what_json_says_of_a_file() -> None:
    (link,) = read(
        listing(
            hashes={"sha256": SHA, "md5": "00"}, size=7, yanked="broken", provenance="/integrity/x",
            **{"core-metadata": {"sha256": "cd" * 32}},
        )
    )  # fmt: skip
    assert link == Link(
        NAME, f"https://f.example/{NAME}", "", 7, SHA, "broken", "https://index.example/integrity/x", "cd" * 32
    )


@pytest.mark.parametrize(
    ("said", "meant"), [(False, None), (None, None), (True, ""), ("", ""), ("why", "why"), (1, "")]
)
def test_yanks(said: Any, meant: str | None) -> None:
    """Whatever is neither false nor null counts as called back."""
    assert read(listing(yanked=said))[0].yanked == meant


@pytest.mark.parametrize(
    "more",
    [
        {"hashes": {"sha256": "zz"}}, {"hashes": [SHA]}, {"hashes": None}, {"size": -1}, {"size": "7"}, {"size": True}, {"size": 1.5},
        {"hashes": {"sha256": SHA.upper()}}, {"provenance": 7}, {"provenance": "http://192.0.2.1/x"}, {"core-metadata": True},
    ],
)  # fmt: skip
def test_what_has_the_wrong_type_is_not_said(more: dict[str, Any]) -> None:
    assert read(listing(**more)) == read(listing())


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://192.0.2.1/x", "https://127.0.0.1/x", "https://u:p@f.example/x", "javascript:x"]
)  # fmt: skip
def test_an_address_that_nobody_goes_to(url: str) -> None:
    for link in (read(listing(url=url))[0], read(f'<a href="{url}">x</a>'.encode(), HTML)[0]):
        assert not link.url
        assert link.wrong


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"[]", b"{}", b'{"files": {}}', b"<html>a portal</html>", b'{"files": [], "files": []}', b"[" * 100_000,
        b"\xff\xfe", b'{"meta": {"api-version": "2.0"}, "files": []}',
    ],
)  # fmt: skip
def test_what_is_no_page(content: bytes) -> None:
    with pytest.raises(PageError):
        read(content)


def test_another_type_is_no_page() -> None:
    for kind in ("application/octet-stream", "text/plain", "", "application/vnd.pypi.simple.v2+json"):
        with pytest.raises(PageError):
            read(listing(), kind)


def test_entries_that_are_none_are_passed_over() -> None:
    assert not read({"files": [None, 7, {}, {"filename": 7, "url": "x"}, {"filename": NAME}]})


def test_html() -> None:
    page = f"""<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.1"></head><body>
        <a href="../../files/{NAME}#sha256={SHA}" data-yanked data-core-metadata="sha256={"cd" * 32}"
           data-provenance="https://index.example/p">another-9.9.tar.gz</a><br/>
        <a href="../../files/sampleproject-1.0%2Blocal.zip" data-requires-python="&gt;=3">x</a> <a>no address</a>"""
    first, second = read(page.encode(), HTML)
    assert first == Link(
        NAME, f"https://index.example/files/{NAME}", "", None, SHA, "", "https://index.example/p", "cd" * 32
    )
    assert second.name == "sampleproject-1.0+local.zip"
    assert (second.sha256, second.yanked) == ("", None)


def test_html_with_a_base() -> None:
    page = f'<base href="https://mirror.example/x/"><a href="{NAME}">x</a>'
    assert read(page.encode(), HTML)[0].url == f"https://mirror.example/x/{NAME}"
    inside = f'<base href="http://169.254.169.254/"><a href="{NAME}">x</a>'
    assert not read(inside.encode(), HTML)[0].url


def test_a_name_that_hides_a_path() -> None:
    (link,) = read(b'<a href="https://f.example/x/..%2F..%2Fetc%2Fsampleproject-1.0.tar.gz">x</a>', HTML)
    assert link.name == "../../etc/sampleproject-1.0.tar.gz"  # what belongs to the version is then refused by name


def test_the_first_of_two_attributes_counts() -> None:
    (link,) = read(b'<a href="https://f.example/a.tar.gz" href="https://g.example/b.tar.gz">x</a>', HTML)
    assert link.url == "https://f.example/a.tar.gz"


def test_html_of_another_version_is_no_page() -> None:
    with pytest.raises(PageError, match="version 2"):
        read(b'<meta name="pypi:repository-version" content="2.0"><a href="x">x</a>', HTML)

"""Licences, suppliers and addresses: what is sure becomes SPDX, what is not keeps its words, nothing can do harm."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples
from support.packages import metadata

from sealwright.collect.contents.core_metadata import build_core_metadata, fields_of_json, parse_core_metadata
from sealwright.collect.contents.licences import collect_licence
from sealwright.collect.contents.references import clean_file_url, clean_url
from sealwright.files.distribution import MetadataError
from sealwright.model.component import Contact, CoreMetadata

MIT = "License :: OSI Approved :: MIT License"
APACHE = "License :: OSI Approved :: Apache Software License"


def read(*lines: str) -> CoreMetadata:
    return parse_core_metadata(metadata("Some.Name", "1.0", *lines).encode())


@pytest.mark.parametrize(
    ("expression", "text", "classifiers", "expressions", "names"),
    [
        ("mit", "", (), ("MIT",), ()),
        ("apache-2.0 or (bsd-2-clause and MIT)", "", (), ("Apache-2.0 OR (BSD-2-Clause AND MIT)",), ()),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "", (), ("GPL-2.0-only WITH Classpath-exception-2.0",), ()),
        ("LicenseRef-Own", "", (), ("LicenseRef-Own",), ()),
        ("", "Apache License, Version 2.0", (), ("Apache-2.0",), ()),
        ("", "The MIT License", (APACHE,), ("MIT",), ()),
        ("", "BSD 3-Clause", (), ("BSD-3-Clause",), ()),
        ("", "BSD", (), (), ("BSD",)),
        ("", "", (MIT,), ("MIT",), ()),
        ("", "", (APACHE,), (), ("Apache Software License",)),
        ("", "", (MIT, "License :: OSI Approved"), ("MIT",), ()),
        ("", "", (MIT, "License :: OSI Approved :: Zope Public License 2.1 (ZPL 2.1)"), ("MIT", "ZPL-2.1"), ()),
        ("", "Copyright me\nDo what you want", (), (), ("Copyright me",)),
        ("nonsense here", "", (), (), ("nonsense here",)),
        ("", "", ("Programming Language :: Python",), (), ()),
    ],
)
def test_what_is_sure_becomes_spdx(
    expression: str, text: str, classifiers: tuple[str, ...], expressions: tuple[str, ...], names: tuple[str, ...]
) -> None:
    found = collect_licence(expression, text, classifiers)
    assert (found.expressions, found.names) == (expressions, names)
    kept = " ".join(stated.text for stated in found.evidence)
    assert all(words in kept for words in (expression, text) if words), "the metadata's own words are kept"


@pytest.mark.parametrize(
    "bad", ["(" * 5_000, "MIT OR " * 20_000, "()" * 30, "MIT WITH", "not not not", "\x00", "1" * 900, "a(b)"]
)
def test_no_expression_can_do_harm(bad: str) -> None:
    start = time.thread_time()
    assert collect_licence(bad, bad, (bad,)).expressions == ()
    assert time.thread_time() - start < 1


def test_suppliers() -> None:
    assert read("Author: A", "Author-email: a@b.c", "Maintainer: M").supplier == ("A", (Contact("", "a@b.c"),), "", "")
    found = read('Author-email: "Jo, Ann" <ann@x.org>, Bob <bob@x.org>').supplier
    assert found
    assert (found.name, found.contacts[0]) == ("Jo, Ann, Bob", Contact("Jo, Ann", "ann@x.org"))
    assert (read("Maintainer-email: only@x.org").supplier or ("",))[0] == "only@x.org"
    assert (read("Author: UNKNOWN", "Maintainer: M").supplier or ("",))[0] == "M"
    derived = read("Project-URL: Source, https://github.com/someone/thing").supplier
    assert derived
    assert (derived.name, derived.url) == ("someone", "https://github.com/someone")
    assert "Project-URL: Source" in derived.derived
    assert read("Project-URL: Source, https://example.org/someone/thing").supplier is None


def test_addresses_lose_their_secrets() -> None:
    assert clean_url("https://user:token@example.org/x?y=1#z") == "https://example.org/x?y=1#z"
    assert clean_file_url("https://user:token@example.org/x.whl?token=1#sha256=2") == "https://example.org/x.whl"
    for bad in (
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "https://x/ y",
        "ftp://x/y",
        "https://x/\x1b[2J",
        "",
    ):
        assert clean_url(bad) == "", bad
    found = read(
        "Home-page: https://x.org", "Project-URL: Bug Tracker, https://x.org/b", "Project-URL: Evil, ssh://h/r"
    )
    assert [(r.kind, r.url) for r in found.references] == [
        ("issue-tracker", "https://x.org/b"),
        ("website", "https://x.org"),
    ]


def test_metadata_that_is_none() -> None:
    for bad in (
        b"",
        b"Name: p\n",
        b"Name: p\nVersion: 1\nVersion: 2\n",
        b"Name: a b\nVersion: 1\n",
        b"\xff\xfe",
        b"Version: 1\n" * 60_000,
    ):
        with pytest.raises(MetadataError):
            parse_core_metadata(bad)
    for odd in (
        None,
        [],
        "x",
        {"name": 1, "version": ["1"]},
        {"name": "p", "version": "1", "classifier": ["x"] * 9_999},
    ):
        with pytest.raises(MetadataError):
            build_core_metadata(fields_of_json(odd))
    assert parse_core_metadata("Name: p\nVersion: 1\nAuthor: J\xf6rg\n".encode("latin-1")).supplier is not None
    assert build_core_metadata(fields_of_json({"name": "P", "version": "1", "license": 7, "author": None})).name == "p"


def test_continued_lines_and_bodies() -> None:
    found = read("License: First line", "        second line", "Summary: s")
    assert found.licence.evidence[0].text == "First line\nsecond line"
    assert parse_core_metadata(b"Name: p\r\nVersion: 1\r\n\r\nName: q\r\n").name == "p"
    assert "\x1b" not in read("Summary: \x1b[2Jx").summary


@examples(100)
@given(lines=st.lists(st.text(max_size=80), max_size=8))
def test_any_fields_are_read_or_refused(lines: list[str]) -> None:
    content = ("Name: p\nVersion: 1\n" + "\n".join(lines)).encode("utf-8", "surrogatepass")
    with contextlib.suppress(MetadataError):
        assert parse_core_metadata(content).name == "p"

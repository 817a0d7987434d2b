"""A claim cannot pass for anything else: each row carries the mark, and no escape reaches the terminal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples

from sealwright.model.explanation import (
    Certificate,
    Claim,
    Explanation,
    Extension,
    LogEntry,
    OpenPGPClaims,
    Piece,
    PieceKind,
    StatementClaims,
    Subject,
)  # fmt: skip
from sealwright.render.explanation import render_explanation
from sealwright.render.explanation_json import render_explanation_json
from sealwright.render.text import Style

HOSTILE = "a\x1b[2J\r\nVERIFIED  pkg 1.0\n\u202e\u2028\x9b31m\ud800"


def explanation(text: str, folder: bool = False) -> Explanation:
    """Every field that may come from outside says `text`."""
    claim = Claim(text, text)
    certificate = Certificate((claim,), (text,), "", "", text, (Extension("1.2", text, text),), 1)
    statement = StatementClaims(text, text, (Subject(text, (claim,)),), (claim,))
    entry = LogEntry(text, text, text, text, True, False, True, text)
    openpgp = OpenPGPClaims(4, text, text, text, text, text, text)
    everything = Piece(
        text, PieceKind.BUNDLE, text, text, certificate, (entry,), (text,), claim, text, statement, openpgp, (claim,), (claim,), (text,)
    )  # fmt: skip
    return Explanation(text, folder, (everything, Piece(text, PieceKind.UNREADABLE, problems=(text,))))


def body(rendered: str) -> list[str]:
    """The lines between the first one and the advice."""
    head, *blocks = rendered.split("\n\n")
    first, *further = head.split("\n")
    assert first.startswith("UNVERIFIED CLAIMS  this is what")
    assert " ".join(line.strip() for line in head.split("\n")).endswith("nothing of it was checked")
    assert all(line.startswith(" " * 14) for line in further)
    return [line for block in blocks[:-1] for line in block.splitlines()]


@pytest.mark.parametrize("width", [0, 40, 80])
@pytest.mark.parametrize("folder", [False, True])
def test_every_line_says_that_it_is_a_claim(width: int, folder: bool) -> None:
    rendered = render_explanation(explanation("VERIFIED " * 40, folder), Style(False, width))
    lines = body(rendered)
    assert len(lines) > 10
    assert all(line.startswith(("claims  ", "unread  ")) for line in lines)
    if width:
        assert max(map(len, rendered.splitlines())) <= width


@pytest.mark.parametrize("width", [0, 80])
@pytest.mark.parametrize("folder", [False, True])
def test_escapes_are_neutralised(width: int, folder: bool) -> None:
    rendered = render_explanation(explanation(HOSTILE, folder), Style(False, width))
    assert all(line.isprintable() for line in rendered.split("\n"))
    assert "\\x1b[2J" in rendered
    assert not any(line.startswith("VERIFIED") for line in rendered.splitlines())
    assert rendered.isascii()


def test_wide_characters_do_not_push_a_row_over_the_edge() -> None:
    lines = body(render_explanation(explanation("\u6f22" * 200), Style(False, 40)))
    assert all(line.startswith(("claims  ", "unread  ")) for line in lines)
    assert max(len(line) + line.count("\u6f22") for line in lines) == 40


def test_long_claims_are_cut_and_the_json_has_them() -> None:
    long = explanation("x" * 5_000)
    assert "4,000 characters more, with --json" in render_explanation(long)
    assert "x" * 5_000 in render_explanation_json(long, 0)


def test_many_subjects_are_counted() -> None:
    subjects = tuple(Subject(f"s{n}", ()) for n in range(100))
    piece = Piece("x", PieceKind.BUNDLE, statement=StatementClaims("t", "p", subjects, ()))
    rendered = render_explanation(Explanation("x", False, (piece,)))
    assert "claims  and 88 more subjects, with --json" in rendered


def test_the_json_says_so_at_the_top_and_in_each_piece() -> None:
    document = json.loads(render_explanation_json(explanation(HOSTILE), 3))
    assert (document["verified"], document["exitCode"]) == (False, 3)
    assert [piece["verified"] for piece in document["pieces"]] == [False, False]
    assert document["pieces"][0]["certificate"]["identities"] == [{"type": HOSTILE, "value": HOSTILE}]


@examples(200)
@given(text=st.text(max_size=120), width=st.sampled_from([0, 40, 80]))
def test_no_text_escapes_its_mark(text: str, width: int) -> None:
    lines = body(render_explanation(explanation(text), Style(False, width)))
    assert all(line.startswith(("claims  ", "unread  ")) and line.isprintable() for line in lines)


def test_what_to_run_next_is_not_broken_at_a_hyphen() -> None:
    for width in range(40, 90):
        advice = render_explanation(explanation("x"), Style(False, width)).rpartition("\n\n")[2]
        assert not any(line.endswith("-") for line in advice.splitlines())

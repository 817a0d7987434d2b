"""The register of tokens: its schema and its parser agree, and a secret that was pasted into it is refused unseen."""

import json
import time
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from sealwright.errors import UsageError
from sealwright.model.key_register import parse_key_register
from sealwright.model.token import parse_register

DATES = ("created", "rotated", "expires", "revoked")
DOCS = Path(__file__).parents[3] / "docs"
SCHEMA = json.loads((DOCS / "tokens.schema.json").read_text())
GOOD = {
    "name": '"pypi-upload-for-sampleproject"', "service": '"pypi"', "scope": '"project:sampleproject"', "owner": '"me"', "purpose": '"upload"',
    "where": '"keyring:sealwright/token:pypi-upload-for-sampleproject"', "created": "2024-02-29", "rotated": "2026-03-31T12:00:00+02:00",
    "rotate-every": '"P90D"', "expires": "2027-12-31", "revoked": "2026-12-31", "accepted": '"why"', "kept": '"why"',
}  # fmt: skip


def text(entry: dict[str, str]) -> bytes:
    return ("schema = 1\n[[token]]\n" + "".join(f"{key} = {value}\n" for key, value in entry.items())).encode()


def fits(content: bytes) -> bool:
    plain: Any = tomllib.loads(content.decode())

    def as_json(value: object) -> object:
        if isinstance(value, dict):
            return {key: as_json(each) for key, each in value.items()}
        if isinstance(value, list):
            return [as_json(each) for each in value]
        return value.isoformat() if isinstance(value, date) else value

    return bool(jsonschema_rs.validator_for(SCHEMA).is_valid(as_json(plain)))


def parses(content: bytes) -> bool:
    try:
        return bool(parse_register(content, "tokens.toml"))
    except UsageError:
        return False


def test_the_example_of_the_manual() -> None:
    manual = (DOCS / "tokens.md").read_text()
    example = manual.split("```toml\n")[1].split("```")[0].encode()
    assert fits(example)
    assert parses(example)


@pytest.mark.parametrize("key", sorted(GOOD))
def test_the_schema_says_what_the_parser_does(key: str) -> None:
    assert fits(text(GOOD))
    assert parses(text(GOOD))
    for value in (
        "5",
        '""',
        "true",
        "[]",
        '"a"',
        '"2026-01-01"',
        "2026-01-01",
        "2026-01-01T00:00:00",
        '"P"',
        '"1y"',
        '"env:X"',
        '"env:ä"',
        '"github-secret:o/r/x"',
    ):
        if "2026" in value and value.startswith('"') == (key in DATES):
            continue  # JSON has no dates of its own: there, the one is the other
        changed = text(GOOD | {key: value})
        assert fits(changed) == parses(changed), changed
    without = text({name: value for name, value in GOOD.items() if name != key})
    assert fits(without) == parses(without)
    assert fits(text(GOOD | {"secret": '"x"'})) is parses(text(GOOD | {"secret": '"x"'})) is False


@pytest.mark.parametrize(
    "secret",
    ["pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDA", "ghp_0123456789abcdefABCDEF0123456789abcd", "https://me:hunter2@example.org/", "github_pat_0123456789abcdefABCDEF"],
)  # fmt: skip
def test_a_secret_that_was_pasted_is_refused_and_not_shown(secret: str) -> None:
    for content in (text(GOOD | {"purpose": f'"upload {secret}"'}), text(GOOD) + f"# {secret}\n".encode()):
        for parse in (parse_register, parse_key_register):
            with pytest.raises(UsageError, match="holds what looks like a secret") as caught:
                parse(content, "tokens.toml")
            assert "Revoke it" in caught.value.hint
            assert secret not in caught.value.message + caught.value.hint


def test_ten_thousand_tokens_of_which_two_have_one_name() -> None:
    many = "".join(text(GOOD | {"name": f'"t{n}"'}).decode().removeprefix("schema = 1\n") for n in range(5000))
    start = time.monotonic()
    with pytest.raises(UsageError, match="two tokens are called t4999"):
        parse_register(
            ("schema = 1\n" + many + text(GOOD | {"name": '"t4999"'}).decode().removeprefix("schema = 1\n")).encode(),
            "x",
        )
    assert time.monotonic() - start < 60

"""One table of a TOML file, read key by key, so that nothing in it is passed over.

Enters: what tomllib made of a file that people write by hand. Leaves: values of the type that was asked for, or
a PolicyError that names the key.
"""

import re
from typing import Any

from sealwright.errors import PolicyError
from sealwright.model.policy import PLACEHOLDER, Template

_MAX_ENTRIES = 1000
_MOST_QUOTED = 60
_AT = re.compile(r"\(at line ([0-9]{1,9}), column [0-9]+\)\Z")  # what stands before it may be the file's own words


def quote_line(text: str, error: ValueError) -> str:
    """Quote the line of a text at which tomllib has stopped, as a sentence for a hint; empty if it names none."""
    found, lines = _AT.search(str(error)), text.split("\n")
    if found is None or not 0 < int(found[1]) <= len(lines):
        return ""
    line = lines[int(found[1]) - 1].strip()
    return f"Line {found[1]} is {line[:_MOST_QUOTED]!r}{'…' if len(line) > _MOST_QUOTED else ''}. "


class Table:
    """A table, and where in the file it stands."""

    def __init__(self, value: object, where: str) -> None:
        """Take what should be a table, and its name in the file (empty for the whole of it)."""
        if not isinstance(value, dict):
            raise PolicyError(f"{where or 'the policy'} must be a table, not {kind_of(value)}")
        self._values: dict[str, Any] = value
        self._where = where

    def _name(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def fail(self, key: str, problem: str, hint: str = "") -> PolicyError:
        """Return the error for a key, to be raised."""
        return PolicyError(f"{self._name(key)} {problem}", hint)

    def only(self, *known: str) -> "Table":
        """Refuse every other key: a typo must never quietly drop a requirement."""
        for key in self._values:
            if key not in known:
                from difflib import get_close_matches

                near = get_close_matches(key, [name for name in known if name not in self._values], n=1)
                hint = f"Did you mean {near[0]}?" if near else "docs/policy.md lists every key."
                raise self.fail(ascii(key)[1:-1], "is not a key of a policy", hint)
        return self

    def has(self, key: str) -> bool:
        """Tell whether an optional key is there."""
        return key in self._values

    def take(self, key: str) -> Any:
        """Take the value of a key that must be there."""
        if not self.has(key):
            raise self.fail(key, "is missing", "docs/policy.md shows every key; what is not required is false or 0.")
        return self._values[key]

    def text(self, key: str) -> str:
        """Take a printable text."""
        value = self.take(key)
        if not isinstance(value, str):
            raise self.fail(key, f"must be a string, not {kind_of(value)}")
        if not value or not value.isprintable() or value != value.strip():
            raise self.fail(key, "must be a printable text without space at its ends")
        return value

    def whole(self, key: str, least: int, most: int = 1_000_000) -> int:
        """Take a whole number within bounds."""
        value = self.take(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.fail(key, f"must be a whole number, not {kind_of(value)}")
        if not least <= value <= most:
            raise self.fail(key, f"must be between {least} and {most}")
        return value

    def template(self, key: str) -> Template:
        """Take a text that may hold {version}, and no other braces."""
        value = self.text(key)
        if "{" in value.replace(PLACEHOLDER, "") or "}" in value.replace(PLACEHOLDER, ""):
            raise self.fail(
                key, "has braces other than {version}", "Only {version} is filled in; nothing else is a pattern."
            )
        return Template(value)

    def fixed(self, key: str) -> str:
        """Take a text without braces."""
        value = self.text(key)
        if "{" in value or "}" in value:
            raise self.fail(key, "is no template and may hold no braces")
        return value

    def table(self, key: str) -> "Table":
        """Take a table within this one."""
        return Table(self.take(key), self._name(key))

    def tables(self, key: str) -> list["Table"]:
        """Take a list of tables, which may be absent."""
        if not self.has(key):
            return []
        values = self._values[key]
        if not isinstance(values, list):
            raise self.fail(key, f"must be written [[{self._name(key)}]]", "Each entry of its own, in double brackets.")
        if len(values) > _MAX_ENTRIES:
            raise self.fail(key, f"has more than {_MAX_ENTRIES} entries")
        return [Table(value, f"{self._name(key)}[{number}]") for number, value in enumerate(values, 1)]


def kind_of(value: object) -> str:
    """Name the TOML type of a value."""
    names = {dict: "a table", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "a date or time")

"""JSON from outside, walked without ever believing in its shape.

Enters: what sealwright.files.strict_json read. Leaves: texts, bytes, lists; what is absent is empty, and what is of
another type than it should be is empty as well and noted in `problems`. Never raises for anything in the JSON.
"""

import base64
import binascii
from typing import Any

_MOST_PROBLEMS = 20
_MANY = "and more that could not be read"


class Problems(list[str]):
    """What could not be read, in sentences; bounded, because each of a million values could be wrong."""

    def note(self, what: str, why: str) -> None:
        """Add "WHAT cannot be read: WHY"."""
        if len(self) < _MOST_PROBLEMS:
            self.append(f"{what} cannot be read: {why[:300]}")
        elif len(self) == _MOST_PROBLEMS:
            self.append(_MANY)


class Node:
    """One object of a JSON document, and where in it the object stands."""

    def __init__(self, value: Any, where: str, problems: Problems) -> None:
        """Take what should be an object."""
        self.values: dict[str, Any] = value if isinstance(value, dict) else {}
        self.where, self.problems = where, problems
        if not isinstance(value, dict):
            problems.note(where or "the document", f"it is {kind_of(value)}, not an object")

    def _name(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def _wrong(self, key: str, wanted: str) -> None:
        self.problems.note(self._name(key), f"it is {kind_of(self.values[key])}, not {wanted}")

    def has(self, key: str) -> bool:
        """Tell whether a key stands there with a value other than null."""
        return self.values.get(key) is not None

    def table(self, key: str) -> "Node":
        """Return an object within this one, empty if there is none."""
        return Node(self.values[key] if self.has(key) else {}, self._name(key), self.problems)

    def text(self, key: str) -> str:
        """Return a text; whole numbers are one, too, since protobuf's JSON knows both spellings."""
        value = self.values.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if value is not None:
            self._wrong(key, "a text")
        return ""

    def number(self, key: str) -> int:
        """Return a whole number of at most 18 digits, also one that is written as a text; 0 if there is none."""
        text = self.text(key)
        if text and not (text.isascii() and text.isdigit() and len(text) <= 18):
            self.problems.note(self._name(key), "it is no plain number")
            return 0
        return int(text or "0")

    def data(self, key: str) -> bytes:
        """Return bytes that are written in base64 (RFC 4648, 4)."""
        text = self.text(key)
        try:
            return base64.b64decode(text.replace("\n", ""), validate=True)
        except (binascii.Error, ValueError):
            self.problems.note(self._name(key), "it is not base64")
            return b""

    def tables(self, key: str, most: int) -> list["Node"]:
        """Return the objects of a list, at most so many."""
        return [Node(value, where, self.problems) for where, value in self._listed(key, most)]

    def texts(self, key: str, most: int) -> list[str]:
        """Return the texts of a list, at most so many."""
        return [Node({"text": value}, where, self.problems).text("text") for where, value in self._listed(key, most)]

    def _listed(self, key: str, most: int) -> list[tuple[str, Any]]:
        if not self.has(key):
            return []
        values = self.values[key]
        if not isinstance(values, list):
            self._wrong(key, "a list")
            return []
        if len(values) > most:
            self.problems.note(f"what follows the first {most:,} of {self._name(key)}", f"it lists {len(values):,}")
        return [(f"{self._name(key)}[{number}]", value) for number, value in enumerate(values[:most])]

    def count(self, key: str) -> int:
        """Return how long a list is."""
        values = self.values.get(key)
        if values is not None and not isinstance(values, list):
            self._wrong(key, "a list")
        return len(values) if isinstance(values, list) else 0

    def pairs(self, key: str) -> list[tuple[str, str]]:
        """Return the names and texts of an object."""
        table = self.table(key)
        return [(name, table.text(name)) for name in table.values]


def kind_of(value: object) -> str:
    """Name the JSON type of a value."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")

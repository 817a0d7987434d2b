"""JSON from outside, read so that no two readers can disagree about it.

Enters: bytes. Leaves: what the json module makes of them. Never accepts a name that stands twice in one object, a
constant that is no JSON, text that is no UTF-8, or more values than were allowed for.
"""

import json
from typing import Any

MAX_COMMAS = 10_000  # sigstore-python makes kilobytes of each value of a bundle that it does not like


class StrictJSONError(ValueError):
    """JSON that is refused; the text says why."""


def read_json(content: bytes, max_commas: int = MAX_COMMAS) -> Any:
    """Parse JSON in which no name stands twice in one object: readers differ in which of the two they take.

    Raises ValueError, and RecursionError where it is nested too deep. https://www.rfc-editor.org/rfc/rfc8259
    """

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise StrictJSONError("JSON with a name that stands twice")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise StrictJSONError(f"{constant}, which is not JSON")

    if content.count(b",") > max_commas:
        raise StrictJSONError("JSON with too many values")
    return json.loads(content.decode("utf-8"), object_pairs_hook=build, parse_constant=refuse)

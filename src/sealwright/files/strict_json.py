"""JSON from outside, read so that no two readers can disagree about what it says.

Enters: bytes. Leaves: what they mean, or a ValueError. A name that stands twice in one object, and the constants that
only some readers know, are refused: of two values, the one that was checked must be the one that is used.
"""

import json
from typing import Any

MAX_COMMAS = 10_000  # sigstore-python makes kilobytes of each value of a bundle that it does not like
MAX_DEPTH = 500  # how deeply Python itself reads is another number in each version, and who walks it may go less deep


def read_json(content: bytes, max_commas: int = MAX_COMMAS) -> Any:
    """Parse JSON (RFC 8259, UTF-8, https://www.rfc-editor.org/rfc/rfc8259#section-4) of at most so many values.

    Raises ValueError for whatever is wrong with it, also for what is nested too deeply.
    """

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("JSON with a name that stands twice")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant}, which is not JSON")

    if content.count(b",") > max_commas:
        raise ValueError("JSON with too many values")
    try:
        document = json.loads(content.decode("utf-8"), object_pairs_hook=build, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("JSON that is nested too deeply") from error
    if content.count(b"[") + content.count(b"{") > MAX_DEPTH and _is_too_deep(document):
        raise ValueError("JSON that is nested too deeply")
    return document


def _is_too_deep(document: Any) -> bool:
    level: list[Any] = [[document]]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inside
            for outside in level
            for inside in (outside.values() if isinstance(outside, dict) else outside)
            if isinstance(inside, (dict, list))
        ]
        if not level:
            return False
    return True

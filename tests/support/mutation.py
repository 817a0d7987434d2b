"""Documents of JSON, spoilt in one place."""

from typing import Any

from hypothesis import strategies as st


def walk(value: Any, path: tuple[Any, ...] = ()) -> Any:
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from walk(value[key], (*path, key))
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from walk(entry, (*path, number))


def spoil(document: Any, path: tuple[Any, ...], data: st.DataObject) -> None:
    for key in path[:-1]:
        document = document[key]
    last = path[-1]
    match data.draw(st.sampled_from(["replace", "drop", "character"])):
        case "drop":
            del document[last]
        case "character" if isinstance(document[last], str) and document[last]:
            text = document[last]
            position = data.draw(st.integers(0, len(text) - 1))
            document[last] = text[:position] + data.draw(st.characters(codec="ascii")) + text[position + 1 :]
        case _:
            document[last] = data.draw(
                st.sampled_from([None, "", "AAAA", 0, -1, 2**70, [], {}, True, 1.5, "\x1b[2J", [[[]]]])
            )

"""Records behave as `typing.NamedTuple` does, which is what mypy takes them for."""

import copy
import pickle
from typing import Any, NamedTuple

import pytest

from sealwright.model.record import Record


class Ours(Record):
    """A point."""

    x: int
    y: "int | None" = None
    z: tuple[str, ...] = ()

    def sum(self) -> int:
        return self.x + (self.y or 0)


class Theirs(NamedTuple):
    """A point."""

    x: int
    y: "int | None" = None
    z: tuple[str, ...] = ()


class Wider(Ours):
    def twice(self) -> int:
        return 2 * self.x


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((1,), {}), ((1, 2), {}), ((1, 2, ("a",)), {}), ((), {"x": 1}), ((1,), {"z": ()}), ((), {"z": (), "x": 3}),
        ((), {}), ((1, 2, 3, 4), {}), ((1,), {"x": 2}), ((1,), {"w": 2}), ((), {"y": 2}), ((1, 2, 3), {"z": 4}),
    ],
)  # fmt: skip
def test_both_take_and_refuse_the_same(values: tuple[Any, ...], named: dict[str, Any]) -> None:
    try:
        theirs = Theirs(*values, **named)
    except TypeError:
        with pytest.raises(TypeError):
            Ours(*values, **named)
        return
    ours = Ours(*values, **named)
    assert ours == theirs == tuple(ours)
    assert (ours.x, ours.y, ours.z) == (theirs.x, theirs.y, theirs.z)
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert (ours._asdict(), ours._fields, hash(ours)) == (theirs._asdict(), theirs._fields, hash(theirs))


def test_made_of_a_whole_tuple() -> None:
    assert Ours._make((1, 2, ("a",))) == Ours(1, 2, ("a",)) == Theirs._make((1, 2, ("a",)))
    assert type(Ours._make((1, 2, ()))) is Ours


def test_a_record_does_not_change() -> None:
    record = Ours(1)
    with pytest.raises(AttributeError):
        record.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del record.x
    changed = record._replace(y=5)
    assert (record, changed, changed.sum()) == (Ours(1), Ours(1, 5), 6)
    with pytest.raises(TypeError):
        record._replace(w=1)


def test_a_subclass_has_the_same_fields() -> None:
    assert (Wider(2).twice(), Wider(x=2).y, type(Wider(2)._replace(y=3))) == (4, None, Wider)


def test_copies() -> None:
    for again in (copy.copy, copy.deepcopy, lambda record: pickle.loads(pickle.dumps(record))):  # noqa: S301
        assert again(Ours(1, 2)) == Ours(1, 2)
        assert type(again(Ours(1, 2))) is Ours


def test_patterns() -> None:
    match Ours(1, 2):
        case Ours(x, 2):
            assert x == 1
        case _:
            pytest.fail("no match")


def test_a_field_without_a_default_after_one_with() -> None:
    with pytest.raises(TypeError):
        type("Wrong", (Ours.__base__,), {"__annotations__": {"a": int, "b": int}, "a": 1})

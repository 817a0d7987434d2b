"""Records: what `typing.NamedTuple` makes, in a twentieth of the time that it takes to make one.

Enters: classes that derive from `Record` and annotate their fields. Leaves: named tuples. `NamedTuple` compiles a
function from text for each class, and a verification defines fifty (docs/adr/0008). For mypy the two are the same.
"""

import collections

__all__ = ["Record"]

TYPE_CHECKING = False  # as typing says, which takes as long to load as 500 look-ups
if TYPE_CHECKING:
    from typing import Any
    from typing import NamedTuple as Record
else:

    class Record(tuple):
        """A tuple whose places have names: a subclass annotates them, and those at the end may have defaults."""

        __slots__ = ()
        _fields: tuple[str, ...] = ()
        _defaults: "tuple[Any, ...]" = ()  # of the last fields

        def __init_subclass__(cls) -> None:
            """Read the fields off the annotations."""
            if fields := tuple(cls.__annotations__):  # a subclass of a record adds none
                cls._fields = cls.__match_args__ = fields
                cls._defaults = tuple(vars(cls)[name] for name in fields if name in vars(cls))
                if any(name in vars(cls) for name in fields[: len(fields) - len(cls._defaults)]):
                    raise TypeError(f"{cls.__name__} has a field without a default after one with")
                for number, name in enumerate(fields):
                    setattr(cls, name, collections._tuplegetter(number, None))  # a property, as NamedTuple has them

        def __new__(cls, *values: "Any", **named: "Any") -> "Record":
            """Take the fields in order or by name. Raises TypeError."""
            missing = len(cls._fields) - len(values)
            if not missing and not named:
                return tuple.__new__(cls, values)
            if named or not 0 <= missing <= len(cls._defaults):
                return cls._from_names(dict(zip(cls._fields, values, strict=False)), len(values), named)
            return tuple.__new__(cls, values + cls._defaults[len(cls._defaults) - missing :])

        _make = classmethod(tuple.__new__)  # from a tuple of all fields, uncounted: for loops over thousands

        @classmethod
        def _from_names(cls, given: "dict[str, Any]", count: int, named: "dict[str, Any]") -> "Record":
            rest = zip(reversed(cls._fields), reversed(cls._defaults), strict=False)
            found = dict(rest) | given | named
            if count > len(cls._fields) or given.keys() & named.keys() or found.keys() != set(cls._fields):
                raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}")
            return tuple.__new__(cls, [found[name] for name in cls._fields])

        def __repr__(self) -> str:
            """Name the fields."""
            return f"{type(self).__name__}({', '.join(f'{n}={v!r}' for n, v in self._asdict().items())})"

        def _asdict(self) -> "dict[str, Any]":
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, **named: "Any") -> "Record":
            return type(self)(**self._asdict() | named)

        def __getnewargs__(self) -> "tuple[Any, ...]":
            """Return what copies and pickles are made from."""
            return tuple(self)

"""Who needs whom: exactly the edges that are active, and nothing that a marker or an unasked extra leaves out.

Enters: for each package its requirements as text, the extras that were asked for, a marker environment. Leaves: edges,
the extras each package was asked for, and what could not be followed, in sentences. Cycles are no trouble.
https://packaging.python.org/en/latest/specifications/dependency-specifiers/
"""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from sealwright.errors import UsageError

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_MOST_REQUIREMENTS = 200_000
_MOST_EXTRAS = 500
_LONGEST_REQUIREMENT = 4_000
_MOST_UNKNOWN = 200
# A marker that is one comparison with extra, or ends with "and extra == ...", can only be true with an extra.
_ONLY_WITH = re.compile(r""";(?:(?!\bor\b)[^()])*(?<![\w.])extra *== *["'][^"']+["'] *\Z""")


class Graph(NamedTuple):
    """Edges and extras by normalised name; `unknown` says what could not be followed."""

    edges: dict[str, tuple[str, ...]]
    extras: dict[str, tuple[str, ...]]
    unknown: tuple[str, ...]


def active_graph(
    requires: Mapping[str, Iterable[str]], asked: Mapping[str, Iterable[str]], environment: Mapping[str, str]
) -> Graph:
    """Follow the requirements of every package in `requires`; `asked` are extras that were asked for from outside.

    An extra of a package is active when it was asked for, or when an active requirement of another one names it.
    """
    walk = _Walk(requires, environment)
    for name, extras in asked.items():
        walk.ask(name, extras)
    walk.run()
    edges = {name: tuple(sorted(walk.edges[name])) for name in sorted(walk.edges)}
    extras = {name: tuple(sorted(walk.extras[name])) for name in sorted(walk.extras)}
    return Graph(edges, extras, tuple(sorted(walk.unknown)))


def reachable(edges: Mapping[str, Iterable[str]], start: Iterable[str]) -> set[str]:
    """Return the names that can be reached, the first ones among them."""
    found = set(start)
    waiting = list(found)
    while waiting:
        for name in edges.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def top_level(edges: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return the packages that nobody needs; of a cycle that nobody outside needs, the first by name."""
    needed = {target for source, targets in edges.items() for target in targets if target != source}
    top = [name for name in edges if name not in needed]
    reached = reachable(edges, top)
    for name in sorted(edges):
        if name not in reached:
            top.append(name)
            reached |= reachable(edges, [name])
    return tuple(sorted(top))


class _Walk:
    """The packages that wait to be looked at, again when an extra was added to them."""

    def __init__(self, requires: Mapping[str, Iterable[str]], environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self.unknown: set[str] = set()
        self._requires = {name: list(texts) for name, texts in requires.items()}
        if sum(len(texts) for texts in self._requires.values()) > _MOST_REQUIREMENTS:
            raise UsageError(f"there are more than {_MOST_REQUIREMENTS:,} requirements", "No project has so many.")
        self.edges: dict[str, set[str]] = {name: set() for name in self._requires}
        self.extras: dict[str, set[str]] = {name: set() for name in self._requires}
        self._waiting = dict.fromkeys(self._requires)
        self._parsed: dict[str, Requirement | None] = {}
        self._true: dict[tuple[str, str], bool] = {}

    def ask(self, name: str, extras: Iterable[str]) -> None:
        """Ask a package for extras; it is looked at again if one is new."""
        from packaging.utils import canonicalize_name

        known = self.extras[name]
        new = {canonicalize_name(extra) for extra in extras} - known
        if new and len(known) + len(new) <= _MOST_EXTRAS:
            known |= new
            self._waiting[name] = None

    def run(self) -> None:
        """Look at packages until nothing changes any more. Extras are only ever added, so that this ends."""
        while self._waiting:
            name, _ = self._waiting.popitem()
            self._requires[name] = [text for text in self._requires[name] if not self._settled(text, name)]

    def _settled(self, text: str, name: str) -> bool:
        """Follow a requirement if it is active; tell whether further extras of its package could change nothing."""
        if not self.extras[name] and _ONLY_WITH.search(text):
            return False  # most requirements of most packages, so they are not even parsed
        requirement = self._parse(text, name)
        if requirement is None:
            return True
        if not self._active(requirement, text, name):
            return False
        self._follow(requirement, name)
        return True

    def _parse(self, text: str, name: str) -> "Requirement | None":
        from packaging.requirements import InvalidRequirement, Requirement

        if text not in self._parsed:
            try:
                self._parsed[text] = Requirement(text) if len(text) <= _LONGEST_REQUIREMENT else None
            except (InvalidRequirement, ValueError, RecursionError):
                self._parsed[text] = None
        if self._parsed[text] is None:
            self.note(f"{name} states a requirement that cannot be read: {text[:100]}")
        return self._parsed[text]

    def note(self, text: str) -> None:
        """Say what could not be followed; bounded, and what is beyond the bound is said as well."""
        self.unknown.add(text if len(self.unknown) < _MOST_UNKNOWN else "and more that could not be followed")

    def _follow(self, requirement: "Requirement", name: str) -> None:
        from packaging.utils import canonicalize_name

        target = canonicalize_name(requirement.name)
        if target not in self.edges:
            self.note(f"{name} needs {target}, which is not there")
            return
        if target != name:  # a package that needs itself only asks itself for more extras
            self.edges[name].add(target)
        if requirement.extras:
            self.ask(target, requirement.extras)

    def _active(self, requirement: "Requirement", text: str, name: str) -> bool:
        from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

        if requirement.marker is None:
            return True
        for extra in ("", *sorted(self.extras[name])) if "extra" in text else ("",):
            if (text, extra) not in self._true:
                try:
                    self._true[text, extra] = requirement.marker.evaluate({**self._environment, "extra": extra})
                except (UndefinedComparison, UndefinedEnvironmentName, ValueError, RecursionError):
                    self.note(f"{name} states a marker that cannot be evaluated: {text[:100]}")
                    self._true[text, extra] = True  # rather one edge too many than a dependency that nobody sees
            if self._true[text, extra]:
                return True
        return False

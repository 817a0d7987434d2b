"""What every benchmark is made of: a world to work in, a row of the table, and the rule that answers are compared first.

Enters: commands. Leaves: medians of whole processes that took turns (A B A B ...), and `DifferenceError` where two sides
did not come to the same answer: then no time counts.
"""

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent


class DifferenceError(Exception):
    """Sealwright and a peer did not come to the same answer: no time of this run counts."""


@dataclass(frozen=True)
class Row:
    """One line of the table; `bound` is what the ratio must not exceed, or must reach if `at_least`."""

    name: str
    ours: float
    peer: float
    bound: float | None = None
    at_least: bool = False
    unit: str = "ms"

    def render(self) -> str:
        """A ratio that must be large is peer/ours, every other is ours/peer."""
        ratio = self.peer / self.ours if self.at_least else self.ours / self.peer
        judged = "none | -"
        if self.bound is not None:
            holds = ratio >= self.bound if self.at_least else ratio <= self.bound
            judged = f"{'≥' if self.at_least else '≤'} {self.bound:.1f} x | {'yes' if holds else '**no**'}"
        return f"| {self.name} | {self.ours:.0f} {self.unit} | {self.peer:.0f} {self.unit} | {ratio:.2f} x | {judged} |"


@dataclass(frozen=True)
class World:
    """Where this run works, how large, and the environment of every measured process."""

    folder: Path
    quick: bool
    environment: dict[str, str]

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        given, environment = subprocess.DEVNULL, self.environment
        return subprocess.run(command, env=environment, stdin=given, capture_output=True, text=True, check=False)

    def interleave(
        self, rounds: int, *commands: list[str], codes: tuple[int, ...] = ()
    ) -> list[tuple[float, list[str]]]:
        """Run A B A B ... after a round that does not count; return each one's median in ms and its outputs.

        `codes` are the exit codes that they must end with, 0 if not given.
        """
        seconds: list[list[float]] = [[] for _ in commands]
        outputs: list[list[str]] = [[] for _ in commands]
        for _ in range(1 + (1 if self.quick else rounds)):
            for number, command in enumerate(commands):
                start = time.perf_counter()
                done = self.run(*command)
                seconds[number].append(time.perf_counter() - start)
                outputs[number].append(done.stdout)
                same(done.returncode, codes[number] if codes else 0, f"the exit code of {Path(command[0]).name}")
        return [(1000 * statistics.median(s[1:]), found[1:]) for s, found in zip(seconds, outputs, strict=True)]


def same(ours: object, expected: object, what: str) -> None:
    if ours != expected:
        raise DifferenceError(f"{what} is {ours}, not {expected}")

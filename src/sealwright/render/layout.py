"""A layout as text: each step with who may run it, its command and its rules.

Enters: what was read of a layout, and checks of its signatures. Leaves: text in which nothing from the file is obeyed
by a terminal. Judges nothing.
"""

import shlex
from datetime import datetime
from typing import NamedTuple

from sealwright.model.verdict import Check, Outcome
from sealwright.render.text import plain


class ShownStep(NamedTuple):
    """One step, in words. `people` are names of the policy's signers, or ids of keys."""

    name: str
    people: tuple[str, ...]
    threshold: int
    command: tuple[str, ...]
    materials: tuple[tuple[str, ...], ...]
    products: tuple[tuple[str, ...], ...]


def render_layout(path: str, expires: datetime, steps: tuple[ShownStep, ...], checks: tuple[Check, ...]) -> str:
    """Write a layout for people; `checks` are those of its signatures, or none if nobody judged them."""
    lines = [f"LAYOUT  {plain(path)}", f"  good until {expires:%Y-%m-%d %H:%M} UTC"]
    for step in steps:
        lines += ["", f"  step {plain(step.name)}"]
        lines += [f"    by         {step.threshold} of: {plain(', '.join(step.people)) or 'nobody'}"]
        lines += [f"    command    {plain(shlex.join(step.command)) or 'none: done by hand'}"]
        for kind, rules in (("materials", step.materials), ("products", step.products)):
            for number, rule in enumerate(rules):
                lines.append(f"    {'' if number else kind:<10} {plain(shlex.join(rule))}")
            if not rules or [word.lower() for word in rules[-1]] != ["disallow", "*"]:
                lines.append(f"    {'':<10} (no last DISALLOW *: any other of its {kind} may be there)")
    lines.append("")
    lines += [f"  {_word(check)} {plain(check.subject)}: {plain(check.got)}" for check in checks]
    return "\n".join(lines) + "\n"


def _word(check: Check) -> str:
    return {Outcome.PASS: "ok  "}.get(check.outcome, "FAIL")

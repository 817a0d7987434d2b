"""The plan of a build: its steps, who may run each, and which files may come of it; read from a TOML file.

Enters: the content of .sealwright/layout.toml, which maintainers write. Leaves: `LayoutPlan`, or a PolicyError that
names the key. Whoever uses a plan makes a layout of it, which counts only once the policy's signers have signed that.
"""

import tomllib
from typing import NamedTuple

from sealwright.errors import PolicyError
from sealwright.model.toml_table import Table

MAX_PLAN_BYTES = 64 * 1024
LAST_RULE = "DISALLOW *"


class PlannedKey(NamedTuple):
    """Somebody who runs a step with a key of a file, a SubjectPublicKeyInfo in PEM beside the plan."""

    name: str
    file: str


class PlannedStep(NamedTuple):
    """One step. `run_by` are names of signers of the policy, or of planned keys; rules are as in-toto writes them."""

    name: str
    run_by: tuple[str, ...]
    threshold: int
    command: tuple[str, ...]
    materials: tuple[str, ...]
    products: tuple[str, ...]


class LayoutPlan(NamedTuple):
    """A whole plan."""

    keys: tuple[PlannedKey, ...]
    steps: tuple[PlannedStep, ...]


def parse_plan(content: bytes) -> LayoutPlan:
    """Read a plan (TOML 1.0, UTF-8). Raises PolicyError."""
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"it is not TOML: {error}") from error
    top = Table(document, "").only("schema", "functionary", "step")
    if top.whole("schema", 1) != 1:
        raise PolicyError("schema must be 1", "A later schema needs a later Sealwright.")
    keys = tuple(_key(table) for table in top.tables("functionary"))
    steps = tuple(_step(table) for table in top.tables("step"))
    if not steps:
        raise PolicyError("it has no step", "Add a [[step]]: docs/layout.md shows a plan.")
    for what, names in (("functionary", [key.name for key in keys]), ("step", [step.name for step in steps])):
        if len(set(names)) != len(names):
            raise PolicyError(f"a {what} is named twice")
    return LayoutPlan(keys, steps)


def _key(table: Table) -> PlannedKey:
    table.only("name", "key")
    file = table.text("key")
    if "/" in file or file.startswith("."):
        raise table.fail("key", "must be the name of a file beside the plan")
    return PlannedKey(table.text("name"), file)


def _step(table: Table) -> PlannedStep:
    table.only("name", "run-by", "threshold", "command", "materials", "products")
    run_by = _texts(table, "run-by")
    threshold = table.whole("threshold", 1, 100) if table.has("threshold") else 1
    if len(set(run_by)) != len(run_by) or threshold > len(run_by):
        raise table.fail("run-by", f"must name {threshold} or more, nobody twice")
    rules = (_closed(_texts(table, key)) for key in ("materials", "products"))
    return PlannedStep(table.text("name"), run_by, threshold, _texts(table, "command"), *rules)


def _texts(table: Table, key: str) -> tuple[str, ...]:
    values = table.take(key)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise table.fail(key, "must be a list of texts")
    return tuple(values)


def _closed(rules: tuple[str, ...]) -> tuple[str, ...]:
    """What no rule mentions is forbidden: without a last DISALLOW, in-toto lets any further file pass."""
    return rules if rules and rules[-1].split() == LAST_RULE.split() else (*rules, LAST_RULE)

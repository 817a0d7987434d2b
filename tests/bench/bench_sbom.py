"""The benchmark of `sealwright sbom` against `cyclonedx-py environment`, on the environment of this interpreter.

Enters: sealwright and cyclonedx-py beside this interpreter, and what is installed there (about 100 packages with the
test extra). Leaves: a Markdown table, exit code 1 if our document has less than the peer's. Never fails for a time.
"""

import argparse
import json
import os
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from bench import BIN, HEAD, DifferenceError, Row, World, same
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_FIELDS = ("name", "version", "type", "description", "purl", "licenses", "externalReferences")


def compare(ours: dict[str, Any], peer: dict[str, Any]) -> None:
    """Raise DifferenceError unless our document has every component, field and address of the peer's, and no less."""
    mine = {c["name"]: c for c in [ours["metadata"]["component"], *ours["components"]]}
    theirs = {canonicalize_name(c["name"]): c for c in peer["components"]}
    same(set(theirs) - set(mine), set(), "components that only cyclonedx-py has")
    for name, component in theirs.items():
        stated = {
            field for field in _FIELDS if field in component and (field != "externalReferences" or _urls(component))
        }
        lost = stated - set(mine[name])
        same(lost, set(), f"fields of {name} that only cyclonedx-py has")
        same(component["version"], mine[name]["version"], f"the version of {name}")
        same(set(_urls(component)) - set(_urls(mine[name])), set(), f"addresses of {name} that only cyclonedx-py has")
        same(
            _identifiers(component) - _identifiers(mine[name]), set(), f"licences of {name} that only cyclonedx-py has"
        )
        properties = {(p["name"], p["value"]) for p in component.get("properties", []) if "extra" in p["name"]}
        said = "required-extra" in json.dumps(mine[name].get("properties", []))
        if properties and not said and asks_for_extras(name):
            raise DifferenceError(f"the extras of {name} are lost")


def asks_for_extras(name: str) -> bool:
    """Whether an active requirement of this environment asks for an extra; cyclonedx-py counts inactive ones, too."""
    return any(
        requirement.extras and (requirement.marker is None or requirement.marker.evaluate({"extra": ""}))
        for distribution in distributions()
        for requirement in map(Requirement, distribution.requires or ())
        if canonicalize_name(requirement.name) == name
    )


def _urls(component: dict[str, Any]) -> list[str]:
    """Web addresses; of a file on this machine, which cyclonedx-py names, we rightly say nothing."""
    stated = (reference["url"].rstrip("/") for reference in component.get("externalReferences", []))
    return [url for url in stated if url.startswith("http")]


def _identifiers(component: dict[str, Any]) -> set[str]:
    """SPDX identifiers and expressions."""
    found: set[str] = set()
    for licence in component.get("licenses", []):
        found |= {licence.get("expression", ""), licence.get("license", {}).get("id", "")}
    return found - {""}


def bench_environment(world: World) -> list[Row]:
    """Validated against validated, and both without."""
    folder, environment = world.folder, str(BIN.parent)
    outputs = {name: str(folder / f"{name}.json") for name in ("ours", "peer")}
    ours = [f"{BIN}/sealwright", "sbom", environment, "--offline", "-o", outputs["ours"]]
    peer = [f"{BIN}/cyclonedx-py", "environment", environment, "-o", outputs["peer"]]
    for command in (ours, [*peer, "--no-validate"]):
        done = world.run(*command)
        same(done.returncode, 0, f"the exit code of {command[0]} ({done.stderr.strip()[-300:]})")
    documents = [json.loads(Path(outputs[name]).read_text(encoding="utf-8")) for name in ("ours", "peer")]
    compare(*documents)
    count = len(documents[0]["components"])
    what = f"SBOM of an environment of {count} components: `sealwright sbom` / `cyclonedx-py environment`"
    rows = []
    (mine, _), (theirs, _) = world.interleave(9, [*ours, "--no-validate"], [*peer, "--no-validate"])
    rows.append(Row(f"{what}, both without validation", mine, theirs, 3.0, at_least=True))
    if not world.quick:  # ten to twenty seconds a run, of which it spends all but one on the schema
        (mine, _), (theirs, _) = world.interleave(3, ours, peer)
        rows.append(Row(f"{what}, both validated", mine, theirs, 20.0, at_least=True))
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round, without validation: shows that it runs")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as top:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment |= {"PYTHONPYCACHEPREFIX": f"{top}/bytecode", "LC_ALL": "C.UTF-8"}
        try:
            rows = bench_environment(World(Path(top), asked.quick, environment))
        except DifferenceError as error:
            sys.exit(f"different answers, so no time counts: {error}")
    print("\n".join([HEAD, *(row.render() for row in rows)]))


if __name__ == "__main__":
    main()

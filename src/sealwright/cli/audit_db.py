"""`sealwright audit db`: the local index of advisories."""

from pathlib import Path

import click

from sealwright.cli.audit import index_path
from sealwright.cli.world import clock

_PATH = click.Path(path_type=Path)
_INDEX = click.option("--db", type=_PATH, help="The index of advisories. [default: the user's own]")


@click.group("db", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Make, update and describe the local index of advisories."""


@command.command("import", epilog="Example: sealwright audit db import all.zip")
@click.argument("export", metavar="ZIP|DIR|URL")
@_INDEX
def import_(export: str, db: Path | None) -> int:
    """Read an OSV bulk export into the index, and swap it in as a whole.

    A ZIP or folder of OSV JSON, or of the YAML of the Python advisory database.
    """
    from sealwright.jobs.audit_db import import_index
    from sealwright.render.audit_db import render_facts

    path = index_path(db)
    facts = import_index(Path(export), path, now=clock())
    click.echo(render_facts(facts, path, clock()), nl=False)
    return 0


@command.command("status", epilog="Example: sealwright audit db status --json")
@_INDEX
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(db: Path | None, as_json: bool) -> int:
    """Say where the index comes from, its digest, its size, its newest change and its age."""
    from sealwright.render.audit_db import render_facts, render_facts_json
    from sealwright.store.advisory_index import read_facts

    path = index_path(db)
    facts, size = read_facts(path)
    text = render_facts_json(facts, path, clock(), size) if as_json else render_facts(facts, path, clock(), size)
    click.echo(text, nl=False)
    return 0

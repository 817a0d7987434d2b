"""`sealwright audit db`: the local index of advisories."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.audit_answer import secure_url
from sealwright.cli.commands import Commands
from sealwright.cli.world import clock, index_path

if TYPE_CHECKING:
    from sealwright.model.index_facts import IndexFacts

_PATH = click.Path(path_type=Path)
_INDEX = click.option("--db", type=_PATH, help="The index of advisories. [default: the user's own]")


@click.group(
    "db",
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample: sealwright audit db update\nExamples of each: sealwright audit db import --help",
)
def command() -> None:
    """Make, update and describe the local index of advisories."""


@command.command("import", epilog="Example: sealwright audit db import all.zip")
@click.argument("export", metavar="ZIP|DIR|URL")
@_INDEX
def import_(export: str, db: Path | None) -> int:
    """Read an OSV bulk export into the index, and swap it in as a whole.

    A ZIP or folder of OSV JSON, or of the YAML of the Python advisory database.
    """
    if "://" in export:
        return _update(export, Path(index_path(db)))
    from sealwright.jobs.audit.db import import_index

    path = Path(index_path(db))
    _show(import_index(Path(export), path, now=clock()), path)
    return 0


@command.command("update", epilog="Example: sealwright audit db update")
@_INDEX
@click.option("--from", "url", metavar="URL", help="The export to fetch. [default: the last one fetched, or OSV's own]")
def update(db: Path | None, url: str | None) -> int:
    """Fetch the newest export, if it has changed, and swap it in.

    An update that broke off is continued by the next one.
    """
    return _update(url, Path(index_path(db)))


def _update(url: str | None, path: Path) -> int:
    import requests

    from sealwright.errors import SealwrightError
    from sealwright.jobs.audit.db import BULK_EXPORT, update_index
    from sealwright.store.advisory_index import read_facts

    if url is None:
        try:
            source = read_facts(path)[0].source
        except SealwrightError:
            source = ""
        url = source if "://" in source else BULK_EXPORT
    with requests.Session() as session:
        updated = update_index(secure_url(url), path, session, clock=clock)
    click.echo("nothing has changed" if not updated.changed else "updated", err=True)
    _show(updated.facts, path)
    return 0


def _show(facts: "IndexFacts", path: Path) -> None:
    from sealwright.render.audit_db import render_facts

    click.echo(render_facts(facts, path, clock()), nl=False)


@command.command("status", epilog="Example: sealwright audit db status --json")
@_INDEX
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(db: Path | None, as_json: bool) -> int:
    """Say where the index comes from, its digest, its size, its newest change and its age."""
    from sealwright.render.audit_db import render_facts, render_facts_json
    from sealwright.store.advisory_index import read_facts

    path = Path(index_path(db))
    facts, size = read_facts(path)
    text = render_facts_json(facts, path, clock(), size) if as_json else render_facts(facts, path, clock(), size)
    click.echo(text, nl=False)
    return 0

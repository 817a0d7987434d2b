"""`sealwright audit`: every dependency held against the advisories, and what was not looked at said."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.world import clock, style
from sealwright.errors import UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from sealwright.jobs.audit import Rules
    from sealwright.model.audit import AuditResult

_PATH = click.Path(path_type=Path)
_FORMATS = ("text", "json", "markdown", "sarif", "cyclonedx")


class _Audit(click.Command):
    """The command, and beside it the group `db`, which is only imported when it is called."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        """Hand `audit db …` to its own group; a folder of that name is written ./db."""
        if args[:1] == ["db"]:
            from sealwright.cli.audit_db import command as index

            return index.make_context(f"{info_name} db", args[1:], parent=parent, **extra)
        return super().make_context(info_name, args, parent=parent, **extra)


def index_path(given: Path | None) -> Path:
    """Where the index of advisories lies: as it was said, or in the user's own data folder (XDG Base Directory)."""
    if given is not None:
        return given
    base = os.environ.get("XDG_DATA_HOME", "")
    folder = Path(base) if base.startswith("/") else Path.home() / ".local" / "share"
    return folder / "sealwright" / "advisories.sqlite"


@click.command(
    cls=_Audit,
    epilog="Examples: sealwright audit requirements.txt    sealwright audit pkg-1.2.3.cdx.json --format sarif    "
    "The index it asks: sealwright audit db --help",
)
@click.argument("target", type=_PATH, required=False)
@click.option("--db", type=_PATH, help="The index of advisories. [default: the user's own]")
@click.option("--db-max-age", metavar="DAYS", help="Exit 14 if the index is older, such as 7d or 36h.")
@click.option(
    "--known-names", metavar="FILE|index", help="What exists: names or name==version, one a line; or the index."
)
@click.option("--ignores", type=_PATH, help="The register of ignores. [default: ./.sealwright/audit.toml]")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", help="What to print. [default: text]")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(
    target: Path | None, db: Path | None, db_max_age: str | None, known_names: str | None, ignores: Path | None,
    form: str, as_json: bool,
) -> int:  # fmt: skip
    """Hold every dependency of TARGET against known advisories, offline.

    TARGET is a wheel, an sdist, requirements*.txt, pylock.toml, uv.lock, a CycloneDX SBOM or a virtual environment;
    without it, the lock or the environment of the project you stand in. Exit code 0 means that there are
    dependencies, that each was looked at, and that nothing is known against them: 20 is vulnerable, 21 not audited.
    """
    from sealwright.collect.dependencies import collect_dependencies
    from sealwright.jobs.audit import audit
    from sealwright.store.advisory_index import open_index

    rules = _rules(ignores, db_max_age, known_names)
    dependencies = collect_dependencies(target, environment=_environment())
    result = audit(dependencies, open_index(index_path(db)), rules, now=clock())
    click.echo(_render(result, "json" if as_json else form), nl=False)
    return int(result.exit_code)


def _environment() -> Path | None:
    active = os.environ.get("VIRTUAL_ENV", "")
    return Path(active) if active.startswith("/") else None


def _rules(ignores: Path | None, max_age: str | None, known_names: str | None) -> "Rules":
    from sealwright.jobs.audit import Rules
    from sealwright.store.audit_register import PLACE, read_ignores

    rules = Rules(read_ignores(ignores or PLACE, required=ignores is not None))
    if max_age is not None:
        rules = rules._replace(max_age=_parse_age(max_age))
    if known_names == "index":
        return rules._replace(known_by_index=True)
    if known_names is not None:
        from sealwright.collect.known_names import read_known_names

        return rules._replace(known=read_known_names(Path(known_names)))
    return rules


def _parse_age(text: str) -> "timedelta":
    from datetime import timedelta

    unit = {"h": "hours", "d": "days"}.get(text[-1:])
    if unit is None or not text[:-1].isdecimal() or not text.isascii() or len(text) > 6 or not int(text[:-1]):
        raise UsageError(f"{text!r} is no age", "Write days or hours, such as 7d or 36h.")
    return timedelta(**{unit: int(text[:-1])})


def _render(result: "AuditResult", form: str) -> str:
    match form:
        case "json":
            from sealwright.render.audit_json import render_audit_json

            return render_audit_json(result)
        case "markdown":
            from sealwright.render.audit_markdown import render_audit_markdown

            return render_audit_markdown(result)
        case "sarif":
            from sealwright.render.audit_sarif import render_audit_sarif

            return render_audit_sarif(result)
        case "cyclonedx":
            from sealwright.render.audit_cyclonedx import render_audit_cyclonedx

            return render_audit_cyclonedx(result)
        case _:
            from sealwright.render.audit import render_audit

            return render_audit(result, style())

"""`sealwright audit`: every dependency held against the advisories, and what was not looked at said.

This is the command line as click reads it; sealwright.cli.audit_answer does what it says.
"""

from pathlib import Path

import click

from sealwright.cli.audit_answer import FORMATS, Asking, answer
from sealwright.cli.world import LOG
from sealwright.errors import UsageError

_PATH = click.Path(path_type=Path)


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


@click.command(
    cls=_Audit,
    epilog="""\b
    Examples, the first one to fetch the index that the others ask:
      sealwright audit db update
      sealwright audit requirements.txt
      sealwright audit pkg-1.2.3.cdx.json --format sarif
    More about the index: sealwright audit db --help
    """,
)
@click.argument("target", type=_PATH, required=False)
@click.option("--db", type=_PATH, help="The index of advisories. [default: the user's own]")
@click.option("--db-max-age", metavar="DAYS", help="Exit 14 if the index is older, such as 7d or 36h.")
@click.option(
    "--known-names", metavar="FILE|index", help="What exists: names or name==version, one a line; or the index."
)
@click.option("--files", metavar="DIR|index", help="Compare hashes with wheels and sdists in a folder, or on an index.")
@click.option("--service", type=click.Choice(("osv", "pypi", "esms")), help="Ask this live service, through pip-audit.")
@click.option("--osv-url", metavar="URL", help="The query of another OSV service, with --service osv.")
@click.option("--vex", type=_PATH, multiple=True, help="Apply the statements of this OpenVEX or CycloneDX VEX.")
@click.option("--product", metavar="NAME[==VERSION]", help="What depends on them, for VEX. [default: as TARGET says]")
@click.option("--write-vex", type=_PATH, help="Write the ignores that were applied as OpenVEX.")
@click.option("--ignores", type=_PATH, help="The register of ignores. [default: ./.sealwright/audit.toml]")
@click.option("--format", "form", type=click.Choice(FORMATS), help="What to print. [default: text]")
@click.option("--log", "log", type=_PATH, metavar="FILE", help=LOG)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(
    target: Path | None, db: Path | None, db_max_age: str | None, known_names: str | None, files: str | None,
    service: str | None, osv_url: str | None, vex: tuple[Path, ...], product: str | None, write_vex: Path | None,
    ignores: Path | None, form: str | None, log: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Hold every dependency of TARGET against known advisories, offline unless a --service is named.

    TARGET is a wheel, an sdist, requirements*.txt, pylock.toml, uv.lock, a CycloneDX SBOM or a virtual environment;
    without it, the lock or the environment of the project you stand in. Exit code 0 means that there are
    dependencies, that each was looked at, and that nothing is known against them: 20 is vulnerable, 21 not audited.
    """
    if as_json and form not in (None, "json"):
        raise UsageError(f"--json and --format {form} contradict each other", "Leave one of them out.")
    asking = Asking(
        target, db, db_max_age, known_names, files, service, osv_url, vex, product, write_vex, ignores,
        "json" if as_json else form or "text", log,
    )  # fmt: skip
    return answer(asking)

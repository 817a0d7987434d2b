"""`sealwright audit`: every dependency held against the advisories, and what was not looked at said."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.world import clock, index_path, style
from sealwright.errors import UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from sealwright.jobs.audit import Rules
    from sealwright.model.audit import AuditResult
    from sealwright.model.dependency import Dependencies, Product

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


def secure_url(url: str) -> str:
    """Return a URL of https, or of this machine itself: whoever changes an answer on the way could hide advisories."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    except ValueError as error:
        raise UsageError(f"{url} is no URL") from error
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise UsageError(f"{url} is no https URL", "Plain http is only taken to this machine itself.")
    return url


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
@click.option("--files", type=_PATH, metavar="DIR", help="Compare hashes with the wheels and sdists to be installed.")
@click.option("--service", type=click.Choice(("osv", "pypi", "esms")), help="Ask this live service, through pip-audit.")
@click.option("--osv-url", metavar="URL", help="The query of another OSV service, with --service osv.")
@click.option("--vex", type=_PATH, multiple=True, help="Apply the statements of this OpenVEX or CycloneDX VEX.")
@click.option("--product", metavar="NAME[==VERSION]", help="What depends on them, for VEX. [default: as TARGET says]")
@click.option("--write-vex", type=_PATH, help="Write the ignores that were applied as OpenVEX.")
@click.option("--ignores", type=_PATH, help="The register of ignores. [default: ./.sealwright/audit.toml]")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", help="What to print. [default: text]")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(
    target: Path | None, db: Path | None, db_max_age: str | None, known_names: str | None, files: Path | None,
    service: str | None, osv_url: str | None, vex: tuple[Path, ...], product: str | None, write_vex: Path | None,
    ignores: Path | None, form: str, as_json: bool,
) -> int:  # fmt: skip
    """Hold every dependency of TARGET against known advisories, offline unless a --service is named.

    TARGET is a wheel, an sdist, requirements*.txt, pylock.toml, uv.lock, a CycloneDX SBOM or a virtual environment;
    without it, the lock or the environment of the project you stand in. Exit code 0 means that there are
    dependencies, that each was looked at, and that nothing is known against them: 20 is vulnerable, 21 not audited.
    """
    from sealwright.collect.dependencies import collect_dependencies

    rules = _rules(ignores, db_max_age, known_names)
    if files is not None:
        from sealwright.collect.known_files import read_known_files

        rules = rules._replace(files=read_known_files(files))
    dependencies = collect_dependencies(target, environment=_environment())
    if product is not None:
        dependencies = dependencies._replace(product=_parse_product(product))
    if vex:
        from sealwright.collect.vex import read_vex
        from sealwright.model.vex import Statements

        statements = tuple(statement for path in vex for statement in read_vex(path))
        rules = rules._replace(excuse=Statements(statements, dependencies.product).excuse)
    result = _audit(dependencies, rules, index_path(db), service, osv_url)._replace(finished=clock())
    if write_vex is not None:
        _write_vex(write_vex, result)
    click.echo(_render(result, "json" if as_json else form), nl=False)
    return int(result.exit_code)


def _audit(
    dependencies: "Dependencies", rules: "Rules", index: Path, service: str | None, osv_url: str | None
) -> "AuditResult":
    from sealwright.store.advisory_index import open_index

    if osv_url is not None and service != "osv":
        raise UsageError("--osv-url was given without --service osv")
    if service is None:
        from sealwright.jobs.audit import audit

        return audit(dependencies, open_index(index), rules, now=clock())
    import requests

    from sealwright.collect.osv_service import OSV_URL
    from sealwright.jobs.audit_online import Online, audit_online

    opened = open_index(index) if index.exists() else None
    with requests.Session() as session:
        online = Online(service, session, _child_environment(), secure_url(osv_url or OSV_URL))
        return audit_online(dependencies, online, rules, now=clock(), index=opened)


def _child_environment() -> dict[str, str]:
    """What pip-audit's process may know: where programs are, and how this network is left."""
    kept = ("PATH", "HTTPS_PROXY", "https_proxy", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C.UTF-8"}


def _parse_product(text: str) -> "Product":
    from sealwright.model.advisory import is_name, normalise
    from sealwright.model.dependency import Product

    name, equals, version = text.partition("==")
    if not is_name(name) or (equals and not version):
        raise UsageError(f"{text!r} is no product", "Write NAME or NAME==VERSION.")
    return Product(normalise(name), version)


def _write_vex(path: Path, result: "AuditResult") -> None:
    from sealwright.errors import UndecidedError
    from sealwright.files.reading import reason
    from sealwright.files.writing import write_whole
    from sealwright.render.audit_vex import render_openvex

    try:
        write_whole(path, render_openvex(result, result.product).encode("ascii"))
    except OSError as error:
        raise UndecidedError(f"{path} cannot be written: {reason(error)}") from error


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

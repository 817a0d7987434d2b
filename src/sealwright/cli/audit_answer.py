"""What `sealwright audit` does once its command line was read, by click or without it (sealwright.cli.start).

Enters: `Asking`. Leaves: an exit code, after the result was printed. Never imports click, which takes as long as all
the rest.
"""

import os
import sys

from sealwright.cli.world import clock, index_path, say, style
from sealwright.errors import UsageError
from sealwright.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from sealwright.jobs.audit.audit import Rules
    from sealwright.model.audit import AuditResult, Ignore
    from sealwright.model.dependency import Dependencies, Product
    from sealwright.model.known_files import KnownFiles
    from sealwright.model.vex import Statements

FORMATS = ("text", "json", "markdown", "sarif", "cyclonedx")


class Asking(Record):
    """What a command line of `sealwright audit` says; the defaults are those of its options."""

    target: "Path | str | None" = None
    db: "Path | str | None" = None
    db_max_age: "str | None" = None
    known_names: "str | None" = None
    files: "str | None" = None
    service: "str | None" = None
    osv_url: "str | None" = None
    vex: "tuple[Path, ...]" = ()
    product: "str | None" = None
    write_vex: "Path | None" = None
    ignores: "Path | None" = None
    form: str = "text"
    log: "Path | None" = None


def answer(asking: Asking) -> int:
    """Audit, print the result and return its exit code. Raises SealwrightError."""
    from sealwright.collect.targets.dependencies import collect_dependencies

    rules = _rules(asking)
    dependencies = collect_dependencies(asking.target, environment=_environment() if asking.target is None else None)
    if asking.product is not None:
        dependencies = dependencies._replace(product=_parse_product(asking.product))
    statements = _statements(asking.vex, dependencies.product) if asking.vex else None
    if statements is not None:
        rules = rules._replace(excuse=statements.excuse)
    if asking.files is not None:
        rules = rules._replace(files=_known_files(asking.files, dependencies))
    result = _audit(dependencies, rules, asking)._replace(finished=clock())
    if statements is not None:
        findings = (finding for entry in result.audited for finding in entry.findings)
        idle = statements.say_idle((path.name for path in asking.vex), findings)
        result = result._replace(warnings=(*result.warnings, *idle))
    if asking.write_vex is not None:
        _write_vex(asking.write_vex, result)
    print(_render(result, asking.form), end="", flush=True)
    if any(finding.ignored for entry in result.audited for finding in entry.findings):
        from sealwright.cli.record import remark
        from sealwright.jobs.log_events import ignore_events

        remark(asking.log, lambda by: ignore_events(result, by))
    return int(result.exit_code)


def secure_url(url: str) -> str:
    """Return a URL of https, or of this machine itself: whoever changes an answer on the way could hide advisories."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    except ValueError as error:
        raise UsageError(f"{url} is no URL") from error
    if parts.username or parts.password:  # an index, an answer and an attestation all say where it is from
        raise UsageError("an address with a name or a password in it is not taken", "Put them into ~/.netrc.")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise UsageError(f"{url} is no https URL", "Plain http is only taken to this machine itself.")
    return url


def _statements(paths: "tuple[Path, ...]", product: "Product | None") -> "Statements":
    from sealwright.collect.advisories.vex import read_vex
    from sealwright.model.vex import Statements

    return Statements(tuple(statement for path in paths for statement in read_vex(path)), product, clock())


def _audit(dependencies: "Dependencies", rules: "Rules", asking: Asking) -> "AuditResult":
    from sealwright.store.advisory_index import open_index

    index, service, osv_url = index_path(asking.db), asking.service, asking.osv_url
    if osv_url is not None and service != "osv":
        raise UsageError("--osv-url was given without --service osv")
    if service is not None and asking.db_max_age is not None:
        raise UsageError("--db-max-age is about the index, and --service asks a service", "Leave one of them out.")
    if service is not None and asking.db is not None and not os.path.exists(index):
        raise UsageError(f"the advisory index {index} does not exist", "Leave --db out to ask the service alone.")
    if service is None:
        from sealwright.jobs.audit.audit import audit

        return audit(dependencies, open_index(index), rules, now=clock())
    import requests

    from sealwright.collect.advisories.osv_service import OSV_URL
    from sealwright.jobs.audit.online import Online, audit_online

    opened = open_index(index) if os.path.exists(index) else None
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


def _write_vex(path: "Path", result: "AuditResult") -> None:
    from sealwright.errors import UndecidedError
    from sealwright.files.reading import reason
    from sealwright.files.writing import remove_file, write_whole
    from sealwright.render.audit_vex import render_openvex

    try:
        if text := render_openvex(result, result.product):
            write_whole(path, text.encode("ascii"))
        else:  # one of an earlier audit would go on excusing
            remove_file(path)
            say(f"sealwright: no ignore was applied, so there is no {path}", sys.stderr)
    except OSError as error:
        raise UndecidedError(f"{path} cannot be written: {reason(error)}", "Name another --write-vex.") from error


def _environment() -> "Path | None":
    active = os.environ.get("VIRTUAL_ENV", "")
    if not active.startswith("/"):
        return None
    from pathlib import Path

    return Path(active)


def _rules(asking: Asking) -> "Rules":
    from sealwright.jobs.audit.audit import Rules

    rules = Rules(_ignores(asking.ignores))
    if asking.db_max_age is not None:
        rules = rules._replace(max_age=_parse_age(asking.db_max_age))
    if asking.known_names == "index":
        return rules._replace(known_by_index=True)
    if asking.known_names is not None:
        from pathlib import Path

        from sealwright.collect.targets.known_names import read_known_names

        return rules._replace(known=read_known_names(Path(asking.known_names)))
    return rules


def _known_files(where: str, dependencies: "Dependencies") -> "KnownFiles":
    """What is in a folder, or what an index lists: asked for only where somebody named it."""
    from sealwright.store.places.place import PlaceKind, parse_place

    place = parse_place(where)
    if place.kind is PlaceKind.INDEX:
        from sealwright.jobs.audit.files import list_index_files

        return list_index_files(dependencies.entries, place, os.environ)
    if place.kind is not PlaceKind.DIR:
        raise UsageError(f"{place} is no folder and no index", "Write a folder, index, or index:URL.")
    from pathlib import Path

    from sealwright.collect.targets.known_files import read_known_files

    return read_known_files(Path(place.where))


def _ignores(given: "Path | None") -> "tuple[Ignore, ...]":
    """The register of ignores; its reader is only loaded where there is one."""
    if given is None and not os.path.lexists(".sealwright/audit.toml"):
        return ()
    from sealwright.store.audit_register import PLACE, read_ignores

    return read_ignores(given or PLACE, required=given is not None)


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

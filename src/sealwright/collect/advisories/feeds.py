"""PyPI's own feed and Ecosyste.ms, asked once more beside pip-audit.

Enters: a service, names and versions. Leaves: why what pip-audit says is not all that is known, or nothing. 2.10.1
takes an object without `vulnerabilities` for "none", and of Ecosyste.ms whatever is empty, `{}` and `null`, too; it
reads one page of an answer, and there only what spells the name as it does.
https://docs.pypi.org/api/json/#known-vulnerabilities, https://advisories.ecosyste.ms/docs
"""

from typing import Any, NamedTuple
from urllib.parse import quote

from sealwright.collect.advisories.service_answer import PROBE, Said, Service, ServiceError
from sealwright.model.advisory import normalise
from sealwright.model.version_order import read_order

_MOST_NAMED = 3


class _Known(NamedTuple):
    """Ids of what a feed knows and has not withdrawn, and of those that pip-audit must speak of."""

    live: tuple[str, ...]
    due: tuple[str, ...]


def find_doubt(kind: str, service: Service, name: str, version: str, spoken: frozenset[str]) -> str:
    """Say why what pip-audit found (`spoken`: ids and aliases) is not all that `pypi` or `esms` knows, or nothing."""
    try:
        unspoken = [each for each in _ask(kind, service, name, version).due if each not in spoken]
    except ServiceError as error:
        return f"the service gave no answer: {error}"
    more = ", …" if len(unspoken) > _MOST_NAMED else ""
    return (
        f"pip-audit passes over what the service names: {', '.join(unspoken[:_MOST_NAMED])}{more}" if unspoken else ""
    )


def knows_probe(kind: str, service: Service) -> bool:
    """Tell whether a feed knows that PROBE is vulnerable. Raises ServiceError."""
    return bool(_ask(kind, service, *PROBE).live)


def _ask(kind: str, service: Service, name: str, version: str) -> _Known:
    if kind == "pypi":
        return _read_pypi(service.get(f"https://pypi.org/pypi/{quote(name)}/{quote(version)}/json"), name, version)
    return _read_esms(
        service.get(f"https://advisories.ecosyste.ms/api/v1/advisories?ecosystem=pypi&package_name={quote(name)}"), name
    )


def _read_pypi(said: Said, name: str, version: str) -> _Known:
    document = said.document if isinstance(said.document, dict) else {}
    info, listed = document.get("info"), document.get("vulnerabilities")
    if not isinstance(info, dict) or not isinstance(listed, list):
        raise ServiceError("its answer does not say whether anything is known")
    stated, spelt = str(info.get("name")), str(info.get("version"))
    if normalise(stated) != name or read_order(spelt) is None or read_order(spelt) != read_order(version):
        raise ServiceError(f"it speaks of {stated[:100]} {spelt[:60]}")
    live = tuple(_text(each.get("id")) for each in _objects(listed) if each.get("withdrawn") is None)
    return _Known(live, live)


def _read_esms(said: Said, name: str) -> _Known:
    if not isinstance(said.document, list):
        raise ServiceError("its answer does not say whether anything is known")
    if 'rel="next"' in said.headers.get("Link", ""):
        raise ServiceError("its answer has more pages, and pip-audit reads one")
    live: list[str] = []
    due: list[str] = []
    for advisory in _objects(said.document):
        if advisory.get("withdrawn_at") is not None:
            continue
        identifiers = advisory.get("identifiers")
        live.append(_text(identifiers[0]) if isinstance(identifiers, list) and identifiers else "one without an id")
        packages = [_text(each.get("package_name")) for each in _objects(advisory.get("packages"))]
        if any(normalise(each) == name != each for each in packages):
            due.append(live[-1])
    return _Known(tuple(live), tuple(due))


def _objects(value: object) -> list[dict[str, Any]]:
    """Return a list of objects. Raises ServiceError for anything else."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ServiceError("its answer is of another shape")
    return value


def _text(value: object) -> str:
    return str(value)[:200]

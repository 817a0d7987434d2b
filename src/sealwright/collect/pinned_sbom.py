"""The components of a CycloneDX SBOM.

Enters: its path. Leaves: `Dependencies`. A component that is no project of PyPI is kept as not audited: an SBOM that
lists a C library says that it is shipped, and nobody has looked at it here.
"""

from pathlib import Path
from typing import Any

from sealwright.collect.cyclonedx import all_components, main_component, read_bom
from sealwright.model.advisory import normalise
from sealwright.model.dependency import Dependencies, Dependency, Product
from sealwright.model.purl import read_pypi_purl

KIND = "sbom"


def collect_sbom(path: Path) -> Dependencies:
    """Read a CycloneDX SBOM. Raises UsageError, UndecidedError."""
    document = read_bom(path, "the SBOM")
    entries = [_dependency(component, path) for component in all_components(document, path)]
    return Dependencies(KIND, str(path), tuple(entries), _product(main_component(document)))


def _dependency(component: dict[str, Any], path: Path) -> Dependency:
    name, version = (str(component.get(key) or "")[:200] for key in ("name", "version"))
    purl = read_pypi_purl(component.get("purl"))
    if purl is None:
        given = component.get("purl")
        what = f"its purl {given[:100]} is not one of PyPI" if isinstance(given, str) else "it has no purl"
        return Dependency(name or "a component without a name", version, str(path), 0, what)
    if not purl.version:
        return Dependency(purl.name, "", str(path), 0, "its purl states no version")
    if version and version != purl.version:
        return Dependency(purl.name, version, str(path), 0, f"its version is not the one of its purl, {purl.version}")
    return Dependency(purl.name, purl.version, str(path))


def _product(component: dict[str, Any] | None) -> Product | None:
    if component is None:
        return None
    purl = read_pypi_purl(component.get("purl"))
    if purl:
        return Product(purl.name, purl.version)
    name, version = component.get("name"), component.get("version")
    return Product(normalise(name), str(version or "")) if isinstance(name, str) and name else None

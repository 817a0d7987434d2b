"""The components of a CycloneDX SBOM.

Enters: its path. Leaves: `Dependencies`. A component that is no project of PyPI is kept as not audited: an SBOM that
lists a C library says that it is shipped, and nobody has looked at it here.
"""

from pathlib import Path
from typing import Any

from sealwright.collect.targets.cyclonedx import components_of, main_component, read_bom
from sealwright.model.advisory import normalise
from sealwright.model.dependency import Dependencies, Product
from sealwright.model.purl import read_pypi_purl
from sealwright.model.sbom_components import read_component

KIND = "sbom"


def collect_sbom(path: Path) -> Dependencies:
    """Read a CycloneDX SBOM. Raises UsageError, UndecidedError."""
    document = read_bom(path, "the SBOM")
    entries = [read_component(component, str(path)) for component in components_of(document, path)]
    return Dependencies(KIND, str(path), tuple(entries), _product(main_component(document)))


def _product(component: dict[str, Any] | None) -> Product | None:
    if component is None:
        return None
    purl = read_pypi_purl(component.get("purl"))
    if purl:
        return Product(purl.name, purl.version)
    name, version = component.get("name"), component.get("version")
    return Product(normalise(name), str(version or "")) if isinstance(name, str) and name else None

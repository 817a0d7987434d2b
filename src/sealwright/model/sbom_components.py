"""What a CycloneDX document lists, as dependencies.

Enters: a document that was parsed, of whoever wrote it. Leaves: `Dependency`s. A component that is no project of PyPI
stays in it, with the reason: an SBOM that lists a C library says that it is shipped. https://cyclonedx.org/docs/1.6/json/
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sealwright.model.advisory import normalise
from sealwright.model.dependency import Dependency
from sealwright.model.purl import read_pypi_purl

MAX_COMPONENTS = 100_000
EDITABLE, LOCAL = ("sealwright:installed:editable", "true"), ("sealwright:installed:local", "true")
"""The properties of what was installed from a folder that may change since, and from a place of that machine alone."""
_INSTALLED = {
    EDITABLE: "an editable install: no released version",
    LOCAL: "installed from a folder or a file: no released version",
}


def all_components(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every component, also those within others and within the root, but not the root itself.

    Raises ValueError for what is no component.
    """
    metadata = document.get("metadata")
    root = metadata.get("component") if isinstance(metadata, dict) else None
    within = root.get("components", []) if isinstance(root, dict) else []
    waiting = [within, document.get("components", [])]
    count = 0
    while waiting:
        components = waiting.pop()
        if not isinstance(components, list) or not all(isinstance(each, dict) for each in components):
            raise ValueError("its components are no list of objects")
        for component in components:
            count += 1
            if count > MAX_COMPONENTS:
                raise ValueError(f"it holds more than {MAX_COMPONENTS:,} components")
            yield component
            if "components" in component:
                waiting.append(component["components"])


def read_component(component: Mapping[str, Any], file: str) -> Dependency:
    """Take one component as a dependency that `file` lists, or say why nobody can audit it."""
    name, version = (str(component.get(key) or "")[:200] for key in ("name", "version"))
    purl = read_pypi_purl(component.get("purl"))
    if purl is None:
        given = component.get("purl")
        what = f"its purl {given[:100]} is not one of PyPI" if isinstance(given, str) else "it has no purl"
        return Dependency(name or "a component without a name", version, file, 0, what)
    if name and normalise(name) != purl.name:  # advisories would be asked about one, and the other shipped
        return Dependency(
            purl.name, version or purl.version, file, 0, f"its name {name[:100]} is not the one of its purl"
        )
    if component.get("versionRange"):  # https://cyclonedx.org/docs/1.7/json/#components_items_versionRange
        return Dependency(purl.name, purl.version, file, 0, "it states a range of versions, not the one that is there")
    if not purl.version:
        return Dependency(purl.name, "", file, 0, "its purl states no version")
    if version and version != purl.version:
        return Dependency(purl.name, version, file, 0, f"its version is not the one of its purl, {purl.version}")
    if purl.elsewhere:
        return Dependency(
            purl.name, purl.version, file, 0, "it comes from elsewhere than an index: no released version"
        )
    return Dependency(purl.name, purl.version, file, 0, _installed(component.get("properties")))


def _installed(properties: object) -> str:
    """Why an installed version is not the released one, as `sealwright sbom` notes it: the purl cannot say so."""
    stated = properties if isinstance(properties, list) else []
    said = [(each.get("name"), each.get("value")) for each in stated if isinstance(each, dict)]
    return next((why for note, why in _INSTALLED.items() if note in said), "")

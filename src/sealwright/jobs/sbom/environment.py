"""From a virtual environment to an inventory.

Enters: the folder, and what was asked for. Leaves: an `Inventory`. Runs nothing of the environment.
"""

from sealwright.collect.contents.environment import InstalledPackages, collect_environment, read_installed
from sealwright.collect.contents.graph import Graph, active_graph, reachable, top_level
from sealwright.collect.contents.purl import build_purl
from sealwright.errors import UsageError
from sealwright.jobs.sbom.request import SbomRequest, work_folder
from sealwright.jobs.sbom.root import build_root, check_extras
from sealwright.model.component import CoreMetadata, Inventory, Package
from sealwright.model.sbom_components import EDITABLE, LOCAL

_NAMELESS = {"operations": "unnamed-environment", "pre-build": "unnamed-project"}


def inventory_of_environment(asked: SbomRequest) -> Inventory:
    """Read the environment; its root is the project that was named, or the environment itself."""
    installed = collect_environment(asked.path)
    packages = {package.name: package for package in installed.packages}
    if asked.groups:
        raise UsageError("an environment knows no dependency groups", "--group is for lock files.")
    extras = {asked.project: asked.extras} if asked.project in packages else {}
    if asked.extras and not extras:
        raise UsageError("there is no project whose extras these are", "Name it: --project NAME")
    if extras:
        check_extras(asked.path, packages[asked.project].metadata, asked.extras)
    requires = {name: package.metadata.requires for name, package in packages.items()}
    graph = active_graph(requires, extras, installed.environment)
    graph = graph._replace(unknown=tuple(sorted({*graph.unknown, *installed.unknown})))
    if not asked.offline:
        packages = _hashed(asked, packages, installed)
    return build_inventory(asked, packages, graph, "operations", "environment")


def _hashed(asked: SbomRequest, packages: dict[str, Package], installed: InstalledPackages) -> dict[str, Package]:
    """Add the SHA-256 of the file of the index that each package was installed from, where that can be shown."""
    from sealwright.collect.contents.index_files import match_installed
    from sealwright.files.threads import each_in_parallel
    from sealwright.jobs.sbom.index import open_index

    with work_folder() as folder, open_index(asked) as index:

        def add(name: str) -> Package:
            package = packages[name]
            if package.hashes or "?" in package.purl or {EDITABLE, LOCAL}.intersection(package.properties):
                return package
            return match_installed(index, package, *read_installed(installed.places[name]), folder)

        found = each_in_parallel(add, packages, threads=8, stop=index.stop)
        return {package.name: package for package in found}


def build_inventory(
    asked: SbomRequest,
    packages: dict[str, Package],
    graph: Graph,
    phase: str,
    source: str,
    *,
    known: CoreMetadata | None = None,
    first: tuple[str, ...] | None = None,
) -> Inventory:
    """Put the root in its place: a package that is among the others, or one above them.

    `known` is what a lock says of its own project, and `first` are the packages that it needs directly.
    """
    name = asked.project or (known.name if known else "")
    inside = packages.get(name)
    if inside:
        if asked.version and asked.version != inside.version:
            raise UsageError(
                f"{asked.path} has {name} {inside.version}, not {asked.version}", "Say the version that is there."
            )
        root = inside
        if asked.artifacts:
            made = build_root(inside.metadata, asked.artifacts)
            root = inside._replace(hashes=made.hashes, files=made.files, metadata=made.metadata)
    else:
        stated = known or CoreMetadata(name, asked.version)
        root = build_root(stated._replace(name=name, version=asked.version or stated.version), asked.artifacts)
        if not root.name:
            root = root._replace(name=_NAMELESS[phase], purl=build_purl(_NAMELESS[phase]))
        if root.name in packages:
            raise UsageError(f"{asked.path} has {root.name} itself", f"Say so: --project {root.name}")
    edges = dict(graph.edges)
    extras = graph.extras
    if inside is None:
        edges[root.name] = first if first is not None else top_level(edges)
    reached = reachable(edges, [root.name])
    lone = {each: edges[each] for each in edges if each not in reached}
    if lone:
        edges[root.name] = tuple(sorted({*edges[root.name], *top_level(lone)}))
    rest = [package for each, package in sorted(packages.items()) if each != root.name]
    with_extras = tuple(package._replace(extras=extras.get(package.name, ())) for package in rest)
    purls = {package.name: package.purl for package in (*rest, root)}
    by_purl = {purls[each]: tuple(sorted(purls[target] for target in edges[each])) for each in edges}
    return Inventory(root, with_extras, by_purl, phase, source, graph.unknown)

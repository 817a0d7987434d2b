"""From a lock file to an inventory.

Enters: the lock, and what was asked for. Leaves: an `Inventory`. The lock says which files; the index, unless the run
is offline, what each of them says of itself. No file of a dependency is run, and few are fetched.
"""

from pathlib import Path

from sealwright.collect.contents.graph import Graph, active_graph, reachable
from sealwright.collect.contents.index import Index
from sealwright.collect.contents.index_files import choose_file, describe_file
from sealwright.collect.contents.purl import build_purl
from sealwright.collect.contents.references import clean_file_url
from sealwright.collect.locks.lock_entries import Lock, LockEntry
from sealwright.errors import UsageError
from sealwright.files.threads import each_in_parallel
from sealwright.jobs.sbom.environment import build_inventory
from sealwright.jobs.sbom.request import SbomRequest, work_folder
from sealwright.model.component import CoreMetadata, DistributionFile, Inventory, Package

_THREADS = 8
_MOST_NAMED = 100


def inventory_of_lock(asked: SbomRequest) -> Inventory:
    """Read a lock, and describe what it selects. Raises UsageError and UndecidedError."""
    lock, source = _read(asked)
    entries = {entry.name: entry for entry in lock.entries}
    if len(entries) != len(lock.entries):
        raise UsageError(f"{asked.path} selects one package twice", "Lock the project again.")
    if lock.project and all(entry.requires is not None for entry in lock.entries):  # the lock knows what is reached
        graph = _graph(asked, lock, {name: entry.requires or () for name, entry in entries.items()})
        wanted = reachable(graph.edges, [lock.project])
        entries = {name: entry for name, entry in entries.items() if name in wanted}
    packages = _describe(asked, list(entries.values()), lock.project)
    requires, said = _requirements(packages, entries)
    graph = _graph(asked, lock, requires)
    graph = graph._replace(unknown=tuple(sorted({*graph.unknown, *said})))
    named = asked._replace(project=lock.project or asked.project)
    return build_inventory(named, packages, graph, "pre-build", source)


def _read(asked: SbomRequest) -> tuple[Lock, str]:
    if asked.path.name == "uv.lock":
        from sealwright.collect.locks.uv_lock import collect_uv_lock

        return collect_uv_lock(asked.path, asked.extras, asked.groups, asked.project), "uv.lock"
    if asked.path.name.endswith(".toml"):
        from sealwright.collect.locks.pylock import collect_pylock

        return collect_pylock(asked.path, asked.extras, asked.groups), "pylock.toml"
    from sealwright.collect.locks.requirements import collect_requirements

    if asked.extras or asked.groups:
        raise UsageError("a requirements file knows no extras and no groups", "It is what was chosen.")
    return collect_requirements(asked.path), "requirements"


def _graph(asked: SbomRequest, lock: Lock, requires: dict[str, tuple[str, ...]]) -> Graph:
    from packaging.markers import default_environment

    extras = {entry.name: entry.extras for entry in lock.entries if entry.extras and entry.name in requires}
    if lock.project in requires:
        extras[lock.project] = asked.extras
    return active_graph(requires, extras, {key: str(value) for key, value in default_environment().items()})


def _requirements(
    packages: dict[str, Package], entries: dict[str, LockEntry]
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """What each package requires: as the lock says, or else as its metadata says; and for whom neither says it."""
    requires: dict[str, tuple[str, ...]] = {}
    unknown = []
    for name, package in packages.items():
        stated = entries[name].requires
        if stated is None and not package.metadata.version:
            unknown.append(name)
        requires[name] = stated if stated is not None else package.metadata.requires
    if not unknown:
        return requires, []
    named = ", ".join(sorted(unknown)[:_MOST_NAMED]) + (", ..." if len(unknown) > _MOST_NAMED else "")
    return requires, [f"what these {len(unknown)} need, which neither the lock nor the index says: {named}"]


def _describe(asked: SbomRequest, entries: list[LockEntry], project: str) -> dict[str, Package]:
    if asked.offline:
        return {entry.name: _package(entry) for entry in entries}
    from sealwright.jobs.sbom.index import open_index

    with work_folder() as folder, open_index(asked) as index:
        described = each_in_parallel(
            lambda entry: _package(entry) if entry.name == project else _ask(asked, index, entry, folder),
            entries,
            threads=_THREADS,
            stop=index.stop,
        )
    return {package.name: package for package in described}


def _ask(asked: SbomRequest, index: Index, entry: LockEntry, folder: Path) -> Package:
    """Find the file of the index that the lock means, and read what it says of itself."""
    if entry.purl:  # from a repository, an address or a folder: the index does not know it
        return _package(entry)
    chosen = entry.chosen
    if chosen is None or not chosen.url:
        chosen = choose_file(index.list_files(entry.name), entry.name, entry.version, entry.hashes)
    if chosen is None:
        return _package(entry)
    private = folder / entry.name
    private.mkdir()
    found = describe_file(index, chosen, entry.name, entry.version, private, inside=asked.nested)
    file = DistributionFile(chosen.name, clean_file_url(chosen.url), chosen.sha256)
    return _package(entry, found.metadata)._replace(hashes=(chosen.sha256,), files=(file,), nested=found.nested)


def _package(entry: LockEntry, metadata: CoreMetadata | None = None) -> Package:
    purl = entry.purl or build_purl(entry.name, entry.version)
    file = entry.chosen
    files = (DistributionFile(file.name, clean_file_url(file.url), file.sha256),) if file else ()
    stated = metadata or CoreMetadata(entry.name, "")
    return Package(entry.name, entry.version, purl, stated, entry.hashes, files)

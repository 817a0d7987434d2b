"""From a wheel to an inventory: its closure, as pip would install it.

Enters: the wheel, and what was asked for. Leaves: an `Inventory`. The wheel is hashed while it is copied into a
private folder, and the copy is what pip reads.
"""

import os
from pathlib import Path
from urllib.parse import unquote

from sealwright.collect.contents.closure import Resolved, collect_closure
from sealwright.collect.contents.core_metadata import parse_core_metadata
from sealwright.collect.contents.graph import active_graph
from sealwright.collect.contents.index import IndexFile
from sealwright.collect.contents.index_files import Described, describe_file
from sealwright.collect.contents.wheel_nested import nested_in_wheel
from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import Digest
from sealwright.files.distribution import MetadataError
from sealwright.files.metadata import read_metadata
from sealwright.files.reading import UnfitFileError, open_regular, reason
from sealwright.files.record import check_record
from sealwright.files.threads import each_in_parallel
from sealwright.files.wheel import read_wheel_metadata
from sealwright.files.writing import copy_whole
from sealwright.jobs.sbom.environment import build_inventory
from sealwright.jobs.sbom.request import SbomRequest, work_folder
from sealwright.jobs.sbom.root import check_extras, hash_artifact
from sealwright.model.artifact import MAX_ARTIFACT_BYTES, ArtifactName, ArtifactNameError, parse_artifact_name
from sealwright.model.component import DistributionFile, Inventory, Package

_THREADS = 6


def inventory_of_wheel(asked: SbomRequest) -> Inventory:
    """Resolve the closure of a wheel. Raises UsageError for a wheel that contradicts itself, and UndecidedError."""
    if asked.offline:
        raise UsageError(
            "the closure of a wheel cannot be resolved offline",
            "Leave --offline out, or bring a lock file or an environment.",
        )
    if asked.groups:
        raise UsageError("a wheel knows no dependency groups", "--group is for lock files.")
    with work_folder() as folder:
        digest, artifact = take_in_wheel(asked.path, folder)
        if asked.project not in ("", artifact.project) or asked.version not in ("", str(artifact.version)):
            raise UsageError(f"{asked.path} is not {asked.project} {asked.version}".rstrip())
        own = _own(folder / asked.path.name, artifact)
        check_extras(asked.path, own.metadata, asked.extras)
        resolved = collect_closure(
            folder / asked.path.name, asked.extras, folder=folder, index_url=asked.index_url, variables=asked.variables
        )
        packages = {package.name: package for package in resolved.packages}
        root = packages.get(artifact.project)
        if root is None or root.hashes != (digest.sha256,):
            raise UndecidedError(f"pip did not resolve {asked.path} itself", "Run it again.")
        file = DistributionFile(asked.path.name, "", digest.sha256)
        others = (hash_artifact(path, root.metadata) for path in asked.artifacts if path.name != file.name)
        files = tuple(sorted((file, *others)))
        hashes = tuple(sorted({each.sha256 for each in files}))
        packages[root.name] = root._replace(metadata=own.metadata, hashes=hashes, files=files, nested=own.nested)
        packages |= _inside(asked, [each for each in packages.values() if each.name != root.name], resolved, folder)
    requires = {name: package.metadata.requires for name, package in packages.items()}
    graph = active_graph(requires, {root.name: asked.extras}, resolved.environment)
    named = asked._replace(project=root.name, artifacts=())
    inventory = build_inventory(named, packages, graph, "build", "wheel")
    return inventory._replace(root=inventory.root._replace(extras=tuple(sorted(asked.extras))))


def _inside(asked: SbomRequest, packages: list[Package], resolved: Resolved, folder: Path) -> dict[str, Package]:
    """Look into the wheels of the closure; or, if that is not wanted, only read again what the report cuts short."""

    def look(package: Package) -> Package:
        file = package.files[0]
        source = IndexFile(unquote(file.name), resolved.urls[package.name], file.sha256)
        private = folder / package.name
        private.mkdir()
        found = describe_file(index, source, package.name, package.version, private, inside=asked.nested)
        return package._replace(metadata=found.metadata, nested=found.nested)

    from sealwright.jobs.sbom.index import open_index

    wanted = [package for package in packages if asked.nested or package.name in resolved.short]
    with open_index(asked) as index:
        found = each_in_parallel(look, wanted, threads=_THREADS, stop=index.stop)
        return {package.name: package for package in found}


def _own(path: Path, artifact: ArtifactName) -> Described:
    """What the wheel itself says: its metadata, and the SBOMs that it carries."""
    try:
        return Described(parse_core_metadata(read_wheel_metadata(path, artifact)), nested_in_wheel(path, artifact))
    except MetadataError as error:
        raise UsageError(f"{artifact.file}: {error}", "Build it again with a current build tool.") from error


def take_in_wheel(path: Path, folder: Path) -> tuple[Digest, ArtifactName]:
    """Copy a wheel into a private folder and look into it: RECORD, name and version must agree."""
    try:
        artifact = parse_artifact_name(path.name)
    except ArtifactNameError as error:
        wrong = f"is not a wheel: {error}" if path.exists() else "does not exist"
        raise UsageError(f"{path} {wrong}") from error
    try:
        source = open_regular(path, follow=True)
        try:
            digest = copy_whole(source, folder / path.name, MAX_ARTIFACT_BYTES)
        finally:
            os.close(source)
        metadata = read_metadata(folder / path.name, artifact)
        check_record(folder / path.name, artifact)
    except FileNotFoundError as error:
        raise UsageError(f"{path} does not exist") from error
    except UnfitFileError as error:
        raise UsageError(f"{path} is {error}") from error
    except (MetadataError, ValueError) as error:
        raise UsageError(f"{path}: {error}", "Build it again with a current build tool.") from error
    except OSError as error:
        raise UndecidedError(f"{path} cannot be read: {reason(error)}") from error
    if (metadata.project, metadata.version) != (artifact.project, str(artifact.version)):
        raise UsageError(
            f"{path} says inside that it is {metadata.project} {metadata.version}", "Do not rename artifacts."
        )
    return digest, artifact

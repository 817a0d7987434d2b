"""The SBOMs that the wheels of a closure carry inside.

Enters: the packages that pip chose, and where it would fetch them. Leaves: the same packages with links to what is in
them. Each wheel is fetched, held against its SHA-256, looked into and removed again; none is run.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from sealwright.collect.index import Index
from sealwright.collect.wheel_nested import nested_in_wheel
from sealwright.errors import UndecidedError
from sealwright.files.digest import digest_bytes
from sealwright.files.distribution import MetadataError
from sealwright.files.reading import UnfitFileError, read_bounded, reason
from sealwright.files.threads import each_in_parallel
from sealwright.jobs.sbom import SbomRequest
from sealwright.model.artifact import ArtifactNameError, parse_artifact_name
from sealwright.model.component import Package

_MAX_WHEEL_BYTES = 1024**3
_THREADS = 4


def with_nested(
    asked: SbomRequest, packages: dict[str, Package], urls: dict[str, str], root: str, folder: Path
) -> dict[str, Package]:
    """Look into every wheel but the root. Raises UndecidedError for one that is not what pip chose, or not to be had."""
    with Index(asked.index_url) as index:

        def look(name: str) -> Package:
            package, file = packages[name], packages[name].files[0]
            path = folder / f"nested-{name}"
            try:
                path.write_bytes(_fetch(index, urls[name], file.sha256))
                return package._replace(nested=nested_in_wheel(path, parse_artifact_name(unquote(file.name))))
            except (MetadataError, ArtifactNameError) as error:
                raise UndecidedError(f"{file.name} cannot be looked into: {error}", "Leave --nested out.") from error
            finally:
                path.unlink(missing_ok=True)

        others = [name for name in sorted(packages) if name != root]
        return {package.name: package for package in each_in_parallel(look, others, threads=_THREADS)}


def _fetch(index: Index, url: str, sha256: str) -> bytes:
    parts = urlsplit(url)
    if parts.scheme != "file":
        return index.fetch(url, sha256, _MAX_WHEEL_BYTES)
    path = Path(unquote(parts.path))
    try:
        content = read_bounded(path, _MAX_WHEEL_BYTES, follow=True)
    except UnfitFileError as error:
        raise UndecidedError(f"{path.name} is {error}") from error
    except OSError as error:
        raise UndecidedError(f"{path.name} cannot be read: {reason(error)}") from error
    if digest_bytes(content) != sha256:
        raise UndecidedError(f"{path.name} is not the file that pip chose: its SHA-256 is another", "Run it again.")
    return content

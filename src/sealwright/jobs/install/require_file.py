"""What was verified, as a file that pip and other installers hold every byte against.

Enters: the artifacts of a release that passed, and the name of a file. Leaves: hashed requirements, or a `pylock.toml`
(PEP 751) if the name is that of one. Never replaces a file of another content.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.reading import UnfitFileError, read_bounded, reason
from sealwright.files.writing import write_whole
from sealwright.model.artifact import ArtifactKind, is_uploaded, parse_artifact_name
from sealwright.model.release import ReleaseFile

_MAX_BYTES = 16 * 1024**2
_NOWHERE: Mapping[str, str] = MappingProxyType({})


def write_require_file(
    path: Path, artifacts: tuple[ReleaseFile, ...], folder: Path | None, addresses: Mapping[str, str] = _NOWHERE
) -> int:
    """Write the file and return how many artifacts stand in it; `folder` is where they lie, if they stay somewhere.

    Else `addresses` says by their names where they are to be had. Raises UsageError if another file is there, or for a
    pylock.toml of files that are nowhere.
    """
    files = [file for file in artifacts if is_uploaded(file.name)]
    if not files:
        raise UsageError("the release has neither a wheel nor an sdist", "There is nothing that could be required.")
    content = _pylock(path, files, folder, addresses) if is_pylock(path) else _requirements(files)
    try:
        if os.path.lexists(path):
            _refuse_other(path, content)
        else:
            write_whole(path, content)
    except OSError as error:
        raise UndecidedError(f"{path} cannot be written: {reason(error)}") from error
    return len(files)


def is_pylock(path: Path) -> bool:
    """Tell whether a name is that of a lock: https://packaging.python.org/en/latest/specifications/pylock-toml/#file-name."""
    return path.name == "pylock.toml" or (path.name.startswith("pylock.") and path.name.endswith(".toml"))


def _refuse_other(path: Path, content: bytes) -> None:
    try:
        same = read_bounded(path, _MAX_BYTES) == content
    except (UnfitFileError, ValueError):
        same = False
    if not same:
        raise UsageError(f"{path} is there already, with another content", "Move it away, or name another file.")


def _requirements(files: list[ReleaseFile]) -> bytes:
    name = parse_artifact_name(files[0].name)
    hashes = " \\\n".join(f"    --hash=sha256:{file.sha256}" for file in sorted(files))
    return f"{name.project}=={name.version} \\\n{hashes}\n".encode("ascii")


def _pylock(path: Path, files: list[ReleaseFile], folder: Path | None, addresses: Mapping[str, str]) -> bytes:
    import tomlkit

    name = parse_artifact_name(files[0].name)
    package = tomlkit.table()
    package.update({"name": name.project, "version": str(name.version)})
    wheels = tomlkit.aot()
    for file in sorted(files):
        entry = tomlkit.table()
        where = _where(path, file.name, folder, addresses)
        entry.update({"name": file.name, **where, "size": file.size, "hashes": {"sha256": file.sha256}})
        if parse_artifact_name(file.name).kind is ArtifactKind.WHEEL:
            wheels.append(entry)
        else:
            package.append("sdist", entry)
    if wheels:
        package.append("wheels", wheels)
    packages = tomlkit.aot()
    packages.append(package)
    document = tomlkit.document()
    document.update({"lock-version": "1.0", "created-by": "sealwright"})
    document.append("packages", packages)
    return tomlkit.dumps(document).encode()


def _where(path: Path, name: str, folder: Path | None, addresses: Mapping[str, str]) -> dict[str, str]:
    """Say where a file is: PEP 751 wants a path, relative to the lock, or a URL."""
    if folder is not None:
        where = os.path.relpath(os.path.abspath(folder / name), os.path.abspath(path.parent))
        return {"path": Path(where).as_posix()}
    if name in addresses:
        return {"url": addresses[name]}
    raise UsageError(
        f"{path.name} has to say where each file is, and {name} is not to be had by its address alone",
        "Keep the files with --kit DIR, or write hashed requirements: another name than pylock.toml.",
    )

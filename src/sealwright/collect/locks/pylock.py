"""pylock.toml: the packages that it selects for this machine.

Enters: a path. Leaves: a `Lock`. The rules of selection are the standard's, as `packaging` implements them.
https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealwright.collect.contents.index import IndexFile
from sealwright.collect.contents.purl import build_purl
from sealwright.collect.contents.references import clean_file_url
from sealwright.collect.locks.lock_entries import MAX_PACKAGES, Lock, LockEntry, read_toml
from sealwright.errors import UsageError

if TYPE_CHECKING:
    from packaging.pylock import Package

_HINT = "Lock the project again with a current pip, uv or pdm."


def collect_pylock(path: Path, extras: tuple[str, ...], groups: tuple[str, ...]) -> Lock:
    """Read a lock and select. Raises UsageError for a lock that is none, or selects nothing that fits this machine."""
    from packaging.pylock import Pylock, PylockSelectError, PylockValidationError

    document = read_toml(path)
    listed = document.get("packages")
    if isinstance(listed, list) and len(listed) > MAX_PACKAGES:
        raise UsageError(f"{path} lists more than {MAX_PACKAGES:,} packages", _HINT)
    try:
        lock = Pylock.from_dict(document)
        unknown = sorted(set(extras) - set(lock.extras or ())) + sorted(set(groups) - set(lock.dependency_groups or ()))
        if unknown:
            raise UsageError(f"{path} knows no extra or group {', '.join(unknown)}", "It was locked without it.")
        chosen_groups = [*(lock.default_groups or ()), *groups]
        selected = list(lock.select(extras=extras, dependency_groups=chosen_groups))
    except PylockValidationError as error:
        raise UsageError(f"{path} is no pylock.toml: {error}", _HINT) from error
    except PylockSelectError as error:
        raise UsageError(
            f"{path} does not fit this machine: {error}", "Run it with the Python that it is for."
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UsageError(f"{path} is no pylock.toml: {type(error).__name__}: {error}", _HINT) from error
    names = {package.name for package, _ in selected}
    return Lock(tuple(_entry(package, file, names) for package, file in selected))


def _entry(package: "Package", file: Any, names: set[Any]) -> LockEntry:
    name, version = str(package.name), str(package.version or "")
    requires = None
    if package.dependencies is not None:
        stated = (str(each.get("name", "")) for each in package.dependencies)
        requires = tuple(sorted({each for each in stated if each in names}))
    digest = str((getattr(file, "hashes", None) or {}).get("sha256", ""))
    hashes = (digest,) if digest else ()
    kind = type(file).__name__
    if kind in ("PackageWheel", "PackageSdist"):
        return LockEntry(name, version, IndexFile(file.filename, str(file.url or ""), digest), hashes, requires)
    url = clean_file_url(str(getattr(file, "url", None) or ""))
    purl = build_purl(name, version, download_url=url)
    if kind == "PackageVcs" and url:
        purl = build_purl(name, version, vcs_url=f"{file.type}+{url}@{file.commit_id}")
    return LockEntry(name, version, IndexFile("", url, digest) if url else None, hashes, requires, purl)

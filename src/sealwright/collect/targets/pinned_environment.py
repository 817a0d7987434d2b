"""What is installed in a virtual environment, read from its files.

Enters: the folder of an environment, and that of the project. Leaves: `Dependencies`. No code of the environment is
run, not even its interpreter. https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import json
import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sealwright.collect.targets.declared_dependencies import read_declared
from sealwright.errors import UndecidedError, UsageError
from sealwright.files.distribution import MAX_METADATA_BYTES
from sealwright.files.reading import read_bounded, reason
from sealwright.model.advisory import is_name, normalise
from sealwright.model.dependency import Dependencies, Dependency, Product
from sealwright.model.version_order import read_order

KIND = "environment"
_MAX_ENTRIES = 100_000
_MAX_CONFIG_BYTES = 64 * 1024
_SITES = (
    "lib/*/site-packages", "lib64/*/site-packages", "Lib/site-packages",
    "lib/*/dist-packages", "lib64/*/dist-packages", "local/lib/*/dist-packages",
)  # fmt: skip
_LINE = re.compile(r"\r\n|\r|\n")  # what ends a line in Python's own reading of these files, and nothing else


def collect_environment(folder: Path, project: Path) -> Dependencies:
    """Read an environment. The project's own editable install is no dependency. Raises UsageError, UndecidedError."""
    notes: list[str] = []
    try:
        config = read_bounded(folder / "pyvenv.cfg", _MAX_CONFIG_BYTES, follow=True).decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"{folder} is no virtual environment: {reason(error)}") from error
    entries: list[Dependency] = []
    product: Product | None = None
    # A person's own link/.. is where it leads; to Python, one in a .pth file is not.
    sites = _site_folders(Path(os.path.realpath(folder)) if ".." in folder.parts else folder)
    for site in sites:
        for name in _names(site):
            if name.lower().endswith(_INSTALLED):
                found = _installed(site, name)
                if found.problem == _EDITABLE and _is_project(site / name, project):
                    product = Product(found.name, found.version)
                    notes.append(f"{found.name} is this project's own, not a dependency")
                else:
                    entries.append(found)
    for place in _added(sites, entries):
        names = [name for name in _names(place) if name.lower().endswith(_INSTALLED)]
        installed = [_installed(place, name) for name in names]
        entries += [found for found in installed if product is None or found.name != product.name]
    for first in (folder / "bin" / "pyvenv.cfg", folder / "Scripts" / "pyvenv.cfg"):
        if os.path.lexists(first):
            entries.append(Dependency("pyvenv.cfg", "", str(first), 0, "Python reads it before the environment's own"))
    if _sees_system(config):
        entries.append(Dependency("the system's packages", "", str(folder), 0, "the environment also sees these"))
    return Dependencies(KIND, str(folder), tuple(entries), product, tuple(notes))


def _added(sites: list[Path], entries: list[Dependency]) -> list[Path]:
    """The folders that .pth files add to the path (https://docs.python.org/3/library/site.html), without their code.

    A file that cannot be read becomes an entry.
    """
    found: dict[str, None] = {}
    for site in sites:
        for name in _names(site):
            if not name.endswith(".pth"):
                continue
            try:
                text = read_bounded(site / name, _MAX_CONFIG_BYTES).decode("utf-8", "surrogateescape")
            except OSError as error:
                entries.append(Dependency(name, "", str(site / name), 0, f"it cannot be read: {reason(error)}"))
                continue
            for line in _LINE.split(text.removeprefix("\ufeff")):  # a mark that newer Pythons take off
                if line.strip() and not line.startswith(("#", "import ", "import\t")):
                    place = Path(os.path.abspath(site / line.rstrip()))  # link/.. is beside the link (site.makepath)
                    if _is_folder(place) and not place.name.lower().endswith(".egg"):
                        found[os.path.realpath(place)] = None
                    elif _is_there(place):
                        entries.append(Dependency(place.name, "", str(site / name), 0, _PACKED))
    there = {os.path.realpath(site) for site in sites}
    return [Path(real) for real in found if real not in there]


def _is_folder(place: Path) -> bool:
    try:
        return os.path.isdir(place)
    except ValueError:  # a null character
        return False


def _is_there(place: Path) -> bool:
    try:
        return os.path.exists(place)
    except ValueError:
        return False


_PACKED = "a ZIP file or an egg on the path: what is in it is not read"
_INSTALLED = (".dist-info", ".egg-info", ".egg-link", ".egg")  # in any case, as importlib.metadata takes them
_OTHER = "its folder is called like another project or version, which pip or uv takes it for"
_EGG_INFO = re.compile(r"(-py\d+(\.\d+)?(-.*)?)?\.egg-info\Z", re.IGNORECASE)  # behind name and version: for what it is
_EDITABLE = "an editable install: no released version"


def _sees_system(config: str) -> bool:
    """Tell whether a pyvenv.cfg lets an environment see the system's packages: it does unless it says otherwise."""
    lines = [line.partition("=") for line in _LINE.split(config) if "=" in line]
    said = [value.strip().lower() for key, _, value in lines if key.strip().lower() == "include-system-site-packages"]
    return not said or "true" in said


def _site_folders(folder: Path) -> list[Path]:
    """Each site-packages once, though lib64 is often a link to lib; and what Debian's Python reads beside them."""
    found: dict[str, Path] = {}
    for pattern in _SITES:
        for site in sorted(folder.glob(pattern)):
            found.setdefault(os.path.realpath(site), site)
    if not found:
        raise UsageError(f"the environment {folder} has no site-packages", "Make it with: python -m venv")
    return list(found.values())


def _names(site: Path) -> list[str]:
    try:
        names = os.listdir(site)
    except OSError as error:
        raise UndecidedError(f"{site} cannot be read: {reason(error)}") from error
    if len(names) > _MAX_ENTRIES:
        raise UsageError(f"{site} has more than {_MAX_ENTRIES:,} entries")
    return sorted(names)


def _installed(site: Path, name: str) -> Dependency:
    """One installed distribution: what its metadata states, or why that cannot be read."""
    place = site / name
    stem = name.rsplit(".", 1)[0]
    if name.lower().endswith((".egg-link", ".egg")):
        return Dependency(stem, "", str(place), 0, "installed in an old way that has no metadata here")
    try:
        file = place / ("METADATA" if name.lower().endswith(".dist-info") else "PKG-INFO") if place.is_dir() else place
        stated = read_declared(read_bounded(file, MAX_METADATA_BYTES))
    except (OSError, ValueError) as error:
        return Dependency(stem, "", str(place), 0, f"its metadata cannot be read: {reason(error)}")
    of_egg = _EGG_INFO.search(name)
    other = _is_other(name[: of_egg.start()] if of_egg else stem, stated.name, stated.version, bare=bool(of_egg))
    return Dependency(stated.name, stated.version, str(place), 0, _origin(place) or (_OTHER if other else ""))


def _is_other(stem: str, name: str, version: str, *, bare: bool) -> bool:
    """Tell whether a folder is called like another project or version, which pip or uv takes it for.

    `bare`: the name of the project alone may be that of the folder, as beside sources.
    https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-dist-info-directory
    """
    parts = stem.split("-")
    if not is_name(parts[0]):  # such as what pip left of an installation that broke off
        return False
    if bare and normalise(stem) == name:
        return False
    halves = [("-".join(parts[:at]), "-".join(parts[at:])) for at in range(1, len(parts))]
    # A version may not stand there as it is: - was once written as _, and so was + (PEP 427).
    asked = read_order(version)
    return not any(
        normalise(n) == name and asked in (read_order(text.replace("_", "-")), read_order(text.replace("_", "+", 1)))
        for n, text in halves
    )


def _origin(place: Path) -> str:
    """Why an installed version is not the released one (https://packaging.python.org/en/latest/specifications/direct-url/)."""
    try:
        direct = json.loads(read_bounded(place / "direct_url.json", _MAX_CONFIG_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError, RecursionError):
        return "its direct_url.json cannot be read"
    if not isinstance(direct, dict):
        return "its direct_url.json cannot be read"
    if "vcs_info" in direct:
        return "installed from a repository: no released version"
    info = direct.get("dir_info")
    if isinstance(info, dict):
        return _EDITABLE if info.get("editable") is True else "installed from a folder: no released version"
    return "installed from a URL or a file: no version that advisories know"


def _is_project(place: Path, project: Path) -> bool:
    try:
        url = urlsplit(json.loads(read_bounded(place / "direct_url.json", _MAX_CONFIG_BYTES))["url"])
    except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return False
    return url.scheme == "file" and os.path.realpath(unquote(url.path)) == os.path.realpath(project)

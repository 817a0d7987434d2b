"""The dependencies of requirements files, with the files they name.

Enters: the path of a requirements file. Leaves: `Dependencies`. What is not pinned to one version of one project is
kept, with the reason why it cannot be audited; nothing is resolved, fetched or built, and no environment variable is
filled in. https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

import os

from sealwright.errors import UsageError
from sealwright.files.reading import UnfitFileError, read_bounded, read_named, reason
from sealwright.files.requirement_lines import Line, decode, logical_lines, without_password
from sealwright.model.advisory import is_name, normalise
from sealwright.model.dependency import Dependencies, Dependency
from sealwright.model.record import Record
from sealwright.model.version_order import read_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

KIND = "requirements"
MAX_FILE_BYTES = 16 * 1024**2
_MAX_FILES = 200
_MAX_LINE = 64 * 1024  # characters; to take a long word apart, shlex needs the square of its length
_MAX_DEPENDENCIES = 100_000
_ENDS = ("zip", "whl", "tar", "gz", "bz2", "tbz", "xz", "lz", "lzma")  # perhaps the name of an archive
_HIDDEN = "in a comment or an option that goes on behind a backslash: pip passes over it, or joins it, uv reads it"
_UNRESOLVED = "nothing is resolved: what these depend on was not looked at, but for what the file lists itself"
_SCHEMES = ("http:", "https:", "file:")  # as pip tells them
_VERSION_EXTRAS = str.maketrans("", "", ".!+_-")


class _Reading(Record):
    """What is collected on the way; `files` are those that were read, by absolute path, and as what.

    `conditions` are those of requirements that are not pinned to a version, by file and line.
    """

    entries: list[Dependency]
    constraints: list[Dependency]
    notes: dict[str, None]
    files: set[tuple[str, bool]]
    conditions: dict[tuple[str, int], str]


def collect_requirements(path: "Path | str") -> Dependencies:
    """Read a requirements file and those it names with -r and -c. Raises UsageError if it cannot be used itself."""
    path = os.fspath(path)
    content = read_named(path, MAX_FILE_BYTES, "the requirements file")
    reading = _Reading([], [], {}, set(), {})
    try:
        lines = logical_lines(decode(content))
    except ValueError as error:
        raise UsageError(f"the requirements file {path} cannot be read: {error}", "Save it as UTF-8.") from error
    if not _is_in_two_places(path):  # else its absolute path is that of another file, which it may name
        reading.files.add((os.path.abspath(path), False))
    _read_lines(path, lines, reading, as_constraints=False)
    entries = _constrain(reading) if reading.constraints else reading.entries
    entries += [each for each in reading.constraints if _is_of_nobody(each)]
    if any(not each.problem for each in entries) and not any(each.hashes for each in entries):
        reading.notes[_UNRESOLVED] = None  # with a hash, pip installs nothing that is not listed
    read = tuple(os.path.realpath(name) for name, constrains in reading.files if not constrains)
    return Dependencies(KIND, path, tuple(entries), notes=tuple(reading.notes), read=read)


def _read_lines(path: str, lines: list[Line], reading: _Reading, *, as_constraints: bool) -> None:
    into = reading.constraints if as_constraints else reading.entries
    file = path
    for line in lines:
        if line.hidden and len(line.text) <= _MAX_LINE and (hidden := _read_hidden(line)):
            # Among the entries also for constraints: uv installs it.
            reading.entries.append(Dependency(hidden, "", file, line.number, _HIDDEN))
        plain = _read_plain(line.text)
        if plain is not None:
            into.append(Dependency._make((*plain, file, line.number, "", "", (), (), False)))
        elif len(line.text) > _MAX_LINE:  # among the entries also for constraints, because nobody knows what it says
            said = f"a line of {len(line.text):,} characters"
            reading.entries.append(Dependency(said, "", file, line.number, "a line that is too long"))
        elif line.text.startswith("-"):
            _read_option(path, line, reading)
        else:
            into.append(_read_requirement(file, line, reading))
        if len(into) > _MAX_DEPENDENCIES:
            raise UsageError(f"{path} lists more than {_MAX_DEPENDENCIES:,} dependencies")


def _read_plain(text: str) -> tuple[str, str] | None:
    """The common line, `name==version`, without packaging.requirements, whose import takes longer than all the rest."""
    name, _, version = text.partition("==")
    name, version = name.rstrip(" \t"), version.removeprefix("=").lstrip(" \t")
    if not version.isascii() or not version[:1].isalnum() or not _is_plain(version.replace(".", "")):
        return None
    if "+" in version and version.lower().endswith(_ENDS):
        return None
    return (normalise(name), version) if is_name(name) else None


def _is_plain(version: str) -> bool:
    return version.isalnum() or version.translate(_VERSION_EXTRAS).isalnum()


def _read_option(path: str, line: Line, reading: _Reading) -> None:
    from sealwright.collect.targets.requirement_syntax import read_option

    file = path
    option = read_option(line.text)
    if option.note:
        reading.notes[f"{file}, line {line.number}: {option.note}"] = None
    if option.nested:
        # As pip does: what a file of constraints names with -r is installed, not only constrained.
        problem = _read_nested(path, option.nested, reading, as_constraints=option.constraints)
        if problem:
            # Among the entries also for constraints: a pin that could not be read is nothing to pass over.
            reading.entries.append(Dependency(without_password(option.nested), "", file, line.number, problem))
    elif option.problem:
        # Among the entries also for constraints: pip obeys an option there as anywhere else.
        reading.entries.append(Dependency(option.subject, "", file, line.number, option.problem))


def _read_hidden(line: Line) -> str:
    """What uv reads behind a backslash and pip may not; nothing if both read only options that bring in nothing."""
    from sealwright.collect.targets.requirement_syntax import read_option

    parts = line.hidden.split("\n")
    if line.text.startswith("-") and all(part.startswith("-") and part in line.text for part in parts):
        options = [read_option(part) for part in parts]
        if not any(option.nested or option.problem for option in options):
            return ""
    return without_password(" ".join(parts))[:100]


def _is_of_nobody(constraint: Dependency) -> bool:
    """Tell whether nobody knows of which project it is: pip takes a wheel there in place of what is released."""
    from sealwright.collect.targets.requirement_syntax import PATH

    return constraint.problem == PATH or not is_name(constraint.name)


def _is_in_two_places(path: "Path | str") -> bool:
    """Tell whether a .. follows a link: some take that for where the link leads, others for where it lies."""
    return ".." in str(path) and os.path.realpath(path) != os.path.realpath(os.path.abspath(path))


def _read_nested(path: str, name: str, reading: _Reading, *, as_constraints: bool) -> str:
    """Read a file that another one names; return why it could not be read."""
    if "://" in name or name.lower().startswith(_SCHEMES):
        return "a requirements file at a URL, which is not fetched"
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    nested = os.path.join(os.path.dirname(path), name)
    if _is_in_two_places(nested):
        return "a nested file that installers look for in two places: behind a link, and beside it"
    key = (os.path.abspath(nested), as_constraints)  # not the file behind a link: what it names lies beside the link
    if key in reading.files:
        return ""
    if len(reading.files) >= _MAX_FILES:
        return f"more than {_MAX_FILES} nested files"
    reading.files.add(key)
    try:
        lines = logical_lines(decode(read_bounded(nested, MAX_FILE_BYTES, follow=True)))
    except UnfitFileError as error:
        return f"a nested file that is {error}"
    except OSError as error:
        return f"a nested file that cannot be read: {reason(error)}"
    except ValueError as error:
        return f"a nested file that cannot be read: {error}"
    _read_lines(nested, lines, reading, as_constraints=as_constraints)
    return ""


def _read_requirement(file: str, line: Line, reading: _Reading) -> Dependency:
    from sealwright.collect.targets.requirement_syntax import read_requirement

    found = read_requirement(line.text)
    if found.conditions:
        reading.conditions[file, line.number] = found.conditions
    return Dependency(found.name, found.version, file, line.number, found.problem, found.marker, found.hashes)


def _constrain(reading: _Reading) -> list[Dependency]:
    """Give what is not pinned the version of its constraint, and say where the two disagree.

    A constraint with a marker pins nothing where the marker is false, and one with a URL replaces what is released.
    """
    by_name: dict[str, list[Dependency]] = {}
    for constraint in reading.constraints:
        by_name.setdefault(constraint.name, []).append(constraint)
    return [
        _constrained(entry, by_name.get(entry.name, []), reading.conditions.get((entry.file, entry.line), ""))
        for entry in reading.entries
    ]


def _constrained(entry: Dependency, constraints: list[Dependency], conditions: str) -> Dependency:
    from sealwright.collect.targets.requirement_syntax import RANGED, UNPINNED, URL

    if any(constraint.problem == URL for constraint in constraints):  # what is there is installed, whatever is pinned
        return entry._replace(problem=entry.problem or f"constrained to {URL}")
    pins = {constraint.version for constraint in constraints if not constraint.problem}
    if not pins:
        return entry
    if len(pins) > 1:
        return entry._replace(problem=f"constrained to {len(pins)} versions at once")
    pin = next(iter(pins))
    if entry.version:
        same = entry.version == pin or (read_order(entry.version) or 0) == read_order(pin)
        return entry if same else entry._replace(problem=f"pinned to {entry.version}, and constrained to {pin}")
    ranged = entry.problem.startswith(RANGED)
    if ranged and not _meets(pin, conditions):
        return entry._replace(problem=f"asked for as {conditions[:100]}, and constrained to {pin}")
    if ranged or entry.problem == UNPINNED:
        if all(constraint.marker not in ("", entry.marker) for constraint in constraints if not constraint.problem):
            return entry._replace(problem="not pinned to a version, but constrained only where a marker is true")
        return entry._replace(version=pin, problem="")
    return entry


def _meets(version: str, conditions: str) -> bool:
    """Tell whether a version is one of those that are asked for; pip takes a pre-release where a constraint pins it."""
    from packaging.specifiers import SpecifierSet

    return read_order(version) is not None and SpecifierSet(conditions).contains(version, prereleases=True)

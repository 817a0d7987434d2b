"""A requirements file with hashes: exact versions, and the SHA-256 of each file that may be installed.

Enters: a path. Leaves: a `Lock`. Whatever would bring in something that is not written there is refused: options,
other files, ranges of versions, addresses, a package without a hash.
https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

import re
from pathlib import Path

from sealwright.collect.locks.lock_entries import MAX_PACKAGES, Lock, LockEntry
from sealwright.errors import UsageError
from sealwright.files.reading import read_named
from sealwright.files.requirement_lines import decode, logical_lines, without_password

_MAX_BYTES = 16 * 1024 * 1024
_HASH = re.compile(r"--hash[= ](\S+)")
_HINT = "pip-compile --generate-hashes writes such a file, and so does: uv export --no-emit-project"


def collect_requirements(path: Path) -> Lock:
    """Read the lines whose markers are true here. Raises UsageError, which names the line."""
    content = read_named(path, _MAX_BYTES, "the requirements file")
    try:
        lines = logical_lines(decode(content))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8", _HINT) from error
    except ValueError as error:
        raise UsageError(f"{path} cannot be read: {error}", _HINT) from error
    entries: dict[str, LockEntry] = {}
    for number, line, hidden in lines:
        if hidden:
            said = without_password(hidden.replace("\n", " "))[:100]
            raise UsageError(
                f"{path}, line {number}: it goes on behind a backslash, where uv reads another line: {said}", _HINT
            )
        entry = _entry(line, f"{path}, line {number}")
        if entry is None:
            continue
        if entry.name in entries:
            raise UsageError(f"{path}, line {number}: {entry.name} stands there twice", _HINT)
        entries[entry.name] = entry
        if len(entries) > MAX_PACKAGES:
            raise UsageError(f"{path} lists more than {MAX_PACKAGES:,} packages", _HINT)
    if not entries:
        raise UsageError(f"{path} names no package", _HINT)
    return Lock(tuple(entries.values()))


def _entry(line: str, where: str) -> LockEntry | None:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    if line.startswith("-"):
        raise UsageError(
            f"{where}: the option {without_password(line.split()[0])} would bring in what is not written there",
            "Write every package into this one file; the index is named with --index-url on the command line.",
        )
    stated = _HASH.findall(line)
    bare = _HASH.sub("", line).strip()
    if " --" in bare:
        raise UsageError(f"{where}: an option other than --hash", _HINT)
    try:
        requirement = Requirement(bare)
        active = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    except (InvalidRequirement, ValueError, KeyError, RecursionError) as error:
        raise UsageError(f"{where}: not a requirement: {without_password(bare)[:100]}", _HINT) from error
    pins = list(requirement.specifier)
    if requirement.url or len(pins) != 1 or pins[0].operator != "==" or pins[0].version.endswith(".*"):
        raise UsageError(f"{where}: {requirement.name[:80]} is not pinned with ==", _HINT)
    hashes = tuple(sorted({text.removeprefix("sha256:").lower() for text in stated if text.startswith("sha256:")}))
    if not hashes or not all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in hashes):
        raise UsageError(f"{where}: {requirement.name[:80]} has no SHA-256", _HINT)
    extras = tuple(sorted(requirement.extras))
    name = canonicalize_name(requirement.name)
    return LockEntry(name, pins[0].version, None, hashes, None, extras=extras) if active else None

"""SHA256SUMS: read strictly, and held against the files of a release.

Enters: a `Release`. Leaves: checks. Accepts one spelling only (design of the format: docs/formats.md), because
every leniency (a `*`, an escape, a path, a second line for one name) is a second meaning for somebody else.
"""

import re

from sealwright.errors import ExitCode
from sealwright.model.artifact import MAX_ARTIFACTS, ArtifactNameError, looks_released, parse_artifact_name
from sealwright.model.record import Record
from sealwright.model.release import CHECKSUMS, Release
from sealwright.model.verdict import Check, Outcome

MAX_CHECKSUMS_BYTES = 1024 * 1024
_LINE = re.compile(r"([0-9a-f]{64})  ([\x21-\x7e]+)")
_CLAUSE = "docs/formats.md#sha256sums"


class ChecksumLine(Record):
    """One line: the digest as 64 lower-case hex digits, and the name of an artifact."""

    sha256: str
    name: str


class ChecksumsError(ValueError):
    """A SHA256SUMS that is not written as it must be; the text names the line."""


def render_checksums(lines: tuple[ChecksumLine, ...]) -> bytes:
    """Write a SHA256SUMS: sorted by name, ASCII, each line ended by one newline."""
    return "".join(f"{line.sha256}  {line.name}\n" for line in sorted(lines, key=lambda line: line.name)).encode(
        "ascii"
    )


def parse_checksums(content: bytes) -> tuple[ChecksumLine, ...]:
    """Read a SHA256SUMS; it must be, byte for byte, what `render_checksums` would write. Raises ChecksumsError."""
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError as error:
        raise ChecksumsError(f"byte {error.start} is not ASCII") from error
    if not text.endswith("\n"):
        raise ChecksumsError("the last line is not ended" if text else "the file is empty")
    if text.count("\n") > MAX_ARTIFACTS:
        raise ChecksumsError(f"it lists more than {MAX_ARTIFACTS:,} artifacts")
    lines: list[ChecksumLine] = []
    for number, line in enumerate(text[:-1].split("\n"), 1):
        match = _LINE.fullmatch(line)
        if not match:
            raise ChecksumsError(f"line {number} is not 64 lower-case hex digits, two spaces and a name")
        entry = ChecksumLine(*match.groups())
        try:
            parse_artifact_name(entry.name)
        except ArtifactNameError as error:
            raise ChecksumsError(f"line {number} names no artifact: {error}") from error
        if lines and entry.name <= lines[-1].name:
            raise ChecksumsError(f"line {number} is a duplicate or out of order")
        lines.append(entry)
    return tuple(lines)


def check_checksums(release: Release) -> tuple[list[Check], tuple[ChecksumLine, ...]]:
    """Hold SHA256SUMS against the folder, both ways. Return the checks and the lines that were read."""
    file = release.file(CHECKSUMS)
    if file is None:
        return [], ()  # that it must be there is a check of its own: evidence.present
    try:
        lines = parse_checksums(file.content)
    except ChecksumsError as error:
        return [_check("checksums.format", CHECKSUMS, "sorted lines of digest, two spaces, name", str(error))], ()
    checks = [_check("checksums.format", CHECKSUMS, "sorted lines of digest, two spaces, name")]
    checks += [_check_line(release, line) for line in lines if not release.is_left(line.name)]
    listed = {line.name for line in lines}
    for name in [artifact.name for artifact in release.files] + _offered(release):
        if looks_released(name) and name not in listed:  # also what is only offered: an installer could take it
            hint = "It was added after the release was sealed, or renamed. Do not install it."
            checks.append(_check("checksums.listed", name, "listed in SHA256SUMS", "not listed", hint))
    return checks + _skipped(release, listed), lines


def _skipped(release: Release, listed: set[str]) -> list[Check]:
    """Name what was not asked for and no place offers, so that nobody believes it was compared.

    Only where a part of the release was asked for: else whatever is listed has to be there.
    """
    names = sorted(name for name in listed if release.is_left(name) and name not in _offered(release))
    expected, got, unknown = "fetched", "not fetched: not asked for", Outcome.NOT_CHECKED
    return [Check("release.not-fetched", name, unknown, expected, got, _CLAUSE, ExitCode.DONE) for name in names]


def _offered(release: Release) -> list[str]:
    """What was not fetched, and is offered all the same."""
    facts = release.fetched
    return [*(left.name for left in facts.left), *facts.elsewhere] if facts else []


def left_subjects(release: Release) -> dict[str, str]:
    """Return the SHA-256 of each file that was not fetched, as SHA256SUMS states it; empty where it does not.

    Where only a part of the release was asked for, what SHA256SUMS lists besides was not fetched either.
    """
    if release.fetched is None:
        return {}
    file = release.file(CHECKSUMS)
    try:
        stated = {line.name: line.sha256 for line in parse_checksums(file.content)} if file else {}
    except ChecksumsError:
        stated = {}
    names = [left.name for left in release.fetched.left] + [name for name in stated if release.is_left(name)]
    return {name: stated.get(name, "") for name in names}


def _check_line(release: Release, line: ChecksumLine) -> Check:
    file = release.file(line.name)
    if file is None:
        return _check(
            "checksums.match",
            line.name,
            f"sha256:{line.sha256}",
            _absent(release, line.name),
            "Fetch the whole release again.",
        )
    got = "" if file.sha256 == line.sha256 else f"sha256:{file.sha256}"
    return _check(
        "checksums.match",
        line.name,
        f"sha256:{line.sha256}",
        got,
        "These are not the bytes that were released. Do not install them.",
    )


def _absent(release: Release, name: str) -> str:
    if release.fetched and name in release.fetched.elsewhere:
        return f"{release.fetched.places[0]} does not have it, although another place does"
    return "no such file in the release"


def _check(check_id: str, subject: str, expected: str, wrong: str = "", hint: str = "") -> Check:
    """A check that passed if nothing is wrong."""
    outcome = Outcome.FAIL if wrong else Outcome.PASS
    return Check(
        check_id, subject, outcome, expected, wrong or "as expected", _CLAUSE, ExitCode.TAMPERED, hint if wrong else ""
    )

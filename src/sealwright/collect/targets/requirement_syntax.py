"""What a line of a requirements file means that is more than `name==version`.

Enters: a logical line. Leaves: `Required` or `Option`, with the reason where it cannot be audited.
https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

import re

from sealwright.files.requirement_lines import without_password
from sealwright.model.advisory import normalise
from sealwright.model.record import Record

_OPTION = re.compile(r"(?:^|\s)(--?[A-Za-z][A-Za-z-]*)")
_HASH = re.compile(r"\s--hash(?:=|\s+)(\S+)")
_DIGEST = re.compile(r"(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})", re.IGNORECASE)
_NESTED = re.compile(r"(?:(-r|-c)|(--requirement|--constraint)(?==|$)=?)(.*)", re.DOTALL)
_ARCHIVE = (
    ".zip", ".whl", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz", ".tar.lz", ".tar.lzma",
)  # fmt: skip
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s*=?\s*)(.*)")
_ELSEWHERE = re.compile(r"(-i|--index-url|--extra-index-url|-f|--find-links)(?:\s*=?\s*)(.*)")
_HARMLESS = re.compile(
    r"(?:--no-index|--no-binary|--only-binary|--prefer-binary|--require-hashes|--pre|--trusted-host|--use-feature)\b.*"
)
_VALUED = (
    "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-binary", "--only-binary", "--trusted-host",
    "--use-feature",
)  # fmt: skip
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:|\.{0,2}/|[\w.+-]+[/\\])")
_UNFILLED = "environment variables are not filled in"
_BESIDE = "beside an option whose value it is not: pip passes over it, uv may install it"
UNPINNED = "not pinned to a version"
RANGED = "not pinned to one version, but to "
URL = "a URL: no version that advisories know"
PATH = "a path or URL: no version that advisories know"


class Option(Record):
    """An option on a line of its own: a file to read, or something that is not audited, or something to note."""

    nested: str = ""
    constraints: bool = False
    subject: str = ""
    problem: str = ""
    note: str = ""


class Required(Record):
    """A requirement; `name` is normalised, `version` empty where `problem` says why it cannot be audited.

    `conditions` are those of one that is not pinned to a version, as they stand there.
    """

    name: str
    version: str = ""
    problem: str = ""
    marker: str = ""
    hashes: tuple[str, ...] = ()
    conditions: str = ""


def read_option(text: str) -> Option:
    """Read a line that begins with a dash."""
    note = _UNFILLED if _VARIABLE.search(text) else ""
    if not _is_alone(text):
        return Option(subject=_first(text), problem="more than one option on a line", note=note)
    if nested := _read_nested(text):
        option, name = nested
        problem = _UNFILLED if note else "" if name else "an option with more or less than the name of one file"
        if problem:
            return Option(subject=without_password(text)[:100], problem=problem)
        return Option(name, option in ("-c", "--constraint"))
    if editable := _EDITABLE.fullmatch(text):
        return Option(
            subject=without_password(editable[1]), problem="an editable install: no released version", note=note
        )
    elsewhere = _ELSEWHERE.fullmatch(text)
    if (elsewhere or _HARMLESS.fullmatch(text)) and (more := _beside(text)):
        return Option(subject=without_password(more)[:100], problem=_BESIDE, note=note)
    if elsewhere:
        where = elsewhere[2].partition("://")[2].rpartition("@")[2] or elsewhere[2]  # without a password
        note = note or f"{elsewhere[1]} {where}: advisories are about the projects of PyPI, whoever serves them"
        return Option(note=note)
    if _HARMLESS.fullmatch(text):
        return Option(note=note)
    return Option(subject=_first(text), problem="an option that is not known here", note=note)


def _read_nested(text: str) -> tuple[str, str] | None:
    """The option and the one file that it names, as pip takes them apart (shlex, optparse); empty if it is not one."""
    import shlex

    first, *rest = shlex.split(text)
    found = _NESTED.fullmatch(first)
    if found is None:
        return None
    names = [found[3], *rest] if found[3] or "=" in first else rest
    return found[1] or found[2], names[0] if len(names) == 1 else ""


def _is_file(text: str) -> bool:
    """Tell whether pip takes a requirement for a file: also a pin, whose local version may end like an archive."""
    return text.partition(";")[0].strip().lower().endswith(_ARCHIVE)


def _is_alone(text: str) -> bool:
    """Tell whether a line has one option, or several that bring in nothing: pip obeys each, also one in quotes."""
    import shlex

    try:
        options = [word for word in shlex.split(text) if word.startswith("-")]
    except ValueError:
        return False
    return len(options) == 1 or all(_HARMLESS.fullmatch(word) or _ELSEWHERE.fullmatch(word) for word in options)


def _beside(text: str) -> str:
    """The words that are neither options that bring in nothing nor their values."""
    import shlex

    words = shlex.split(text)
    before = ["", *words]
    return " ".join(word for last, word in zip(before, words, strict=False) if not (word[:1] == "-" or last in _VALUED))


def _first(text: str) -> str:
    return text.split(maxsplit=1)[0].partition("=")[0]


def read_requirement(text: str) -> Required:
    """Read a requirement with extras, a marker, hashes, a URL or specifiers, or say that it is none (PEP 508)."""
    hashes = tuple(_HASH.findall(text))
    text = _HASH.sub("", text).strip() if hashes else text
    short = without_password(text)[:100]
    if any(not _DIGEST.fullmatch(digest) for digest in hashes):
        return Required(short, problem="a hash that is no sha256, sha384 or sha512 digest")
    if _VARIABLE.search(text):
        return Required(short, problem=_UNFILLED)
    if option := _OPTION.search(text.partition(";")[0]):
        return Required(short, problem=f"the option {option[1]} is not known here")
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        what = PATH if _URL.match(text) or _is_file(text) else "not a requirement (PEP 508)"
        return Required(short, problem=what)
    if requirement.url is None and _is_file(text):
        return Required(short, problem=PATH)
    specifiers = [(each.operator, each.version) for each in requirement.specifier]
    version, problem = pin(requirement.url, specifiers)
    marker = str(requirement.marker) if requirement.marker else ""
    conditions = str(requirement.specifier) if not version else ""
    return Required(normalise(requirement.name), version, problem, marker, hashes, conditions)


def pin(url: str | None, specifiers: list[tuple[str, str]]) -> tuple[str, str]:
    """The one version that is meant, or why there is none."""
    if url is not None:
        return "", URL
    if not specifiers:
        return "", UNPINNED
    if len(specifiers) > 1:
        return "", f"{RANGED}{len(specifiers)} conditions"
    operator, version = specifiers[0]
    if operator not in ("==", "===") or version.endswith(".*"):
        return "", f"{RANGED}{operator}{version}"
    return version, ""

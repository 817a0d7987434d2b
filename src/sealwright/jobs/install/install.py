"""Install exactly what was verified: a wheel, by the user's own pip, and its files compared afterwards.

Enters: the artifacts of a release that passed, whose private copies are kept. Leaves: `Installed`. Nothing of the wheel
is run. A race by a process of the same user is detected, and not prevented: what was compared can be changed a moment
later.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import SealwrightError, TamperedError, UndecidedError, UsageError
from sealwright.files.distribution import MetadataError
from sealwright.files.private import private_folder
from sealwright.files.reading import UnfitFileError, open_regular, read_bounded, reason
from sealwright.files.wheel_content import WheelContent, read_content
from sealwright.files.writing import copy_whole
from sealwright.jobs.install.dependencies import lines_of_lock, lines_of_requirements
from sealwright.jobs.install.options import PipOptions
from sealwright.model.artifact import MAX_ARTIFACT_BYTES, ArtifactKind, ArtifactName, parse_artifact_name
from sealwright.model.release import ReleaseFile
from sealwright.store.expected_files import Expected, expect
from sealwright.store.installed_files import (
    compare,
    forget_bytecode,
    linked_folders,
    mend_half_installed,
    other_versions,
    planted,
    remove_installed,
    snapshot,
    starting,
)
from sealwright.store.pip_runs import Barred, PipRun, clean_environment, run_check, run_index_install, run_install
from sealwright.store.python_environment import Target, Wanted, ask_environment, ask_tags

PREFIX = "sealwright-install-"
_MOST_SHOWN = 5
_CHANGED = (
    "What was installed is removed again. Another process of yours changes files while they are installed: "
    "find it before you try again."
)
_OVERWRITTEN = (
    "The wheel is removed again, what came with it is left. Something that it requires has a file in the same place, "
    "or another process of yours changes files."
)


class InstallRequest(NamedTuple):
    """What to install by, and what to do about dependencies: a hashed `lock`, or as pip resolves them, or nothing."""

    options: PipOptions
    environ: Mapping[str, str]
    lock: Path | None = None
    with_dependencies: bool = False


class Installed(NamedTuple):
    """What was done. `missing` is what pip finds lacking.

    `unverified` is each NAME==VERSION that pip installed besides, or would install: nobody has verified those.
    `starts` are files that run whenever Python starts, `beside` other versions in the same place.
    """

    wheel: str
    sha256: str
    where: str
    python: str
    pip: str
    files: int
    is_dry: bool = False
    mended: tuple[str, ...] = ()
    locked: int = 0
    unverified: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


class _Work(NamedTuple):
    request: InstallRequest
    run: PipRun
    artifact: ArtifactName
    file: ReleaseFile
    content: WheelContent
    target: Target
    expected: Expected


def install_release(artifacts: tuple[ReleaseFile, ...], request: InstallRequest) -> Installed:
    """Install the wheel of a release that has passed. Only call it while the private copies are kept.

    Raises UsageError (no wheel, a place that is taken), TamperedError if what is installed is not what was verified,
    and UndecidedError if pip cannot do it.
    """
    options = request.options
    try:
        with private_folder(Path(tempfile.gettempdir()), PREFIX) as folder:
            run = PipRun(options.python, "--user" in options.flags, folder, request.environ)
            file, artifact = _choose(artifacts, run)
            content = _read(file, artifact)
            wanted = Wanted(run.user, options.target, options.prefix, options.root)
            clean = clean_environment(request.environ, folder)
            target = ask_environment(options.python, artifact.project, content, wanted, folder, clean)
            return _install(_Work(request, run, artifact, file, content, target, expect(content, target)))
    except OSError as error:
        raise UndecidedError(f"the release could not be installed: {reason(error)}") from error


def _choose(artifacts: tuple[ReleaseFile, ...], run: PipRun) -> tuple[ReleaseFile, ArtifactName]:
    """Choose the wheel that fits best, as pip does: by the order of its tags, then by the build number."""
    wheels = [file for file in artifacts if file.name.endswith(".whl")]
    if not wheels:
        raise UsageError(
            "the release has no wheel, and nothing else is installed: building an sdist runs code of its own",
            "Ask the project for a wheel; or build one yourself where no secrets are, and install that.",
        )
    if len(wheels) == 1:
        return wheels[0], parse_artifact_name(wheels[0].name)
    from packaging.utils import parse_wheel_filename

    order = {
        tag: number
        for number, tag in enumerate(ask_tags(run.python, run.folder, clean_environment(run.environ, run.folder)))
    }
    fitting: list[tuple[int, tuple[int, str] | tuple[()], str, ReleaseFile]] = []
    for file in wheels:
        _, _, build, tags = parse_wheel_filename(file.name)
        places = [order[str(tag)] for tag in tags if str(tag) in order]
        if places:
            fitting.append((-min(places), build, file.name, file))
    if not fitting:
        raise UsageError(f"none of the {len(wheels)} wheels fits {run.python}", "Name another with -- --python PYTHON.")
    chosen = max(fitting, key=lambda each: each[:3])[3]
    return chosen, parse_artifact_name(chosen.name)


def _read(file: ReleaseFile, artifact: ArtifactName) -> WheelContent:
    if artifact.kind is not ArtifactKind.WHEEL:
        raise UsageError(f"{file.name} is no wheel")
    try:
        return read_content(Path(file.path), artifact, file.sha256)
    except MetadataError as error:
        raise TamperedError(
            f"{file.name} is not installed: {error}", "Tell the project, if another copy has it, too."
        ) from error


def _install(work: _Work) -> Installed:
    options, run, expected = work.request.options, work.run, work.expected
    _refuse_taken(work)
    lock = work.request.lock
    needed = lines_of_requirements(work.content.metadata) if work.request.with_dependencies else []
    locked = lines_of_lock(lock, work.artifact, work.target.version) if lock else []
    starts, elsewhere = starting(expected), _is_elsewhere(work)
    if needed and starts and not elsewhere:
        raise UsageError(
            f"{starts[0]} of the wheel would run while pip installs its dependencies",
            "Install them with --lock FILE: they come first, then.",
        )
    if locked:
        run_index_install(run, ["--no-deps", "--require-hashes", *_words(work)], locked)
    mended = [] if options.is_dry else mend_half_installed(Path(expected.library), work.artifact.project)
    _install_wheel(work)
    work = work._replace(run=run._replace(barred=_barred(work)))
    besides = _install_needed(work, needed) if needed else ()
    missing = () if elsewhere or starts else _missing(work)  # pip check would run what the wheel has run at a start
    beside = () if options.is_dry else other_versions(expected, work.artifact.project)
    return Installed(
        work.file.name, work.file.sha256, expected.library, options.python, work.target.pip, len(expected.files),
        options.is_dry, tuple(mended), len(locked), besides, missing, tuple(starts), tuple(beside),
    )  # fmt: skip


def _barred(work: _Work) -> Barred:
    """What pip may not import from now on: pip itself looks for attr and socks, and Python for msvcrt, anywhere."""
    tops = work.expected.tops
    names = {top.partition(".")[0] for each in tops.values() for top in each} - {"pip"}
    return Barred(tuple(sorted(names)), tuple(tops))


def _is_elsewhere(work: _Work) -> bool:
    """Whether that Python does not see what is installed: --target, --prefix and --root may lead to its own folders."""
    options = work.request.options
    if options.is_dry:
        return True
    if any(root in work.target.paths for root in work.expected.tops):
        return False  # a virtual environment may see another Python's packages
    library, prefix = os.path.realpath(work.expected.library), os.path.realpath(work.target.prefix)
    return bool(options.target or options.prefix or options.root) and not library.startswith(prefix + os.sep)


def _words(work: _Work) -> list[str]:
    """The options for pip, which takes what it finds in its own environment away although it installs elsewhere."""
    options = work.request.options
    same = options.prefix and os.path.realpath(options.prefix) == os.path.realpath(work.target.prefix)
    elsewhere = options.root or (options.prefix and not same)
    return [*options.words(), *(["--ignore-installed"] if elsewhere else [])]


def _install_needed(work: _Work, needed: list[str]) -> tuple[str, ...]:
    """Have pip resolve what the wheel requires, with this version of it and no other, and compare the wheel again.

    Returns each NAME==VERSION that pip has installed, or would install.
    """
    report = work.run.folder / "report.json"
    own = f"{work.artifact.project}=={work.artifact.version}"
    try:
        run_index_install(work.run, [*_words(work), "--report", str(report)], needed, [own])
    except SealwrightError as error:
        done = "would be" if work.request.options.is_dry else "is"
        message = f"{own} {done} installed as it was verified, but what it requires is not: {error.message}"
        raise type(error)(message, error.hint) from error
    if not work.request.options.is_dry and (problems := compare(work.expected)):
        _refuse(problems, work.expected, frozenset(), frozenset(), _OVERWRITTEN)
    return _besides(report, needed, work.artifact.project)


def _besides(report: Path, needed: list[str], own: str) -> tuple[str, ...]:
    """Read in pip's report what it has chosen; the report of a pip before 23.0 cannot be read."""
    from sealwright.collect.contents.closure import MAX_REPORT_BYTES, read_report

    try:
        packages = read_report(read_bounded(report, MAX_REPORT_BYTES), own).packages
    except (OSError, UnfitFileError, UndecidedError):  # the installation stands
        return tuple(f"whatever pip chose for {line}" for line in needed)
    return tuple(f"{package.name}=={package.version}" for package in packages if package.name != own)


def _refuse_taken(work: _Work) -> None:
    """pip writes through links, or passes over them, and over what is in a --target already."""
    if links := linked_folders(work.expected):
        raise UsageError(
            f"{links[0]} is a link, and what is behind it is no part of {work.expected.library}",
            "Remove the link if it is no longer needed; or install into a new virtual environment.",
        )
    folder, flags = work.request.options.target, work.request.options.flags
    if not folder or "--upgrade" in flags or work.request.options.is_dry:
        return
    tops = {os.path.relpath(path, folder).split(os.sep)[0] for path in (*work.expected.files, work.expected.record)}
    if taken := sorted(top for top in tops if os.path.lexists(os.path.join(folder, top))):
        raise UsageError(
            f"{folder} holds {taken[0]} already", "-- --upgrade replaces it; or name a new folder with --target."
        )


def _install_wheel(work: _Work) -> None:
    """Have pip install the wheel from a folder that holds nothing else, and compare what it installed with it."""
    options, expected = work.request.options, work.expected
    wheels = work.run.folder / "wheel"
    wheels.mkdir(mode=0o700)
    source = open_regular(Path(work.file.path))
    try:
        copied = copy_whole(source, wheels / work.file.name, MAX_ARTIFACT_BYTES)
    finally:
        os.close(source)
    if copied.sha256 != work.file.sha256:
        raise TamperedError(f"{work.file.name} was exchanged after it was verified", _CHANGED.partition(". ")[2])
    line = f"{work.artifact.project}=={work.artifact.version} --hash=sha256:{work.file.sha256}"
    words = ["--find-links", str(wheels), "--no-deps", "--require-hashes", "--force-reinstall", *_words(work)]
    before = snapshot(expected, work.target)
    try:
        run_install(work.run, words, [line])
    except BaseException:  # also an interrupt: nothing half installed is left; what was there before is not touched
        remove_installed(expected, before, snapshot(expected, work.target), only_new=True)
        raise
    if options.is_dry:
        return
    after = snapshot(expected, work.target)
    forget_bytecode(expected)
    problems = compare(expected)
    problems += [f"{path} appeared meanwhile, and is no part of it" for path in planted(before, after, expected)]
    if problems:
        _refuse(problems, expected, before, after)


def _refuse(
    problems: list[str], expected: Expected, before: frozenset[str], after: frozenset[str], hint: str = _CHANGED
) -> None:
    left = remove_installed(expected, before, after)
    left += [path for path in planted(before, after, expected) if os.path.lexists(path)]
    more = f"; and {len(problems) - _MOST_SHOWN} more" if len(problems) > _MOST_SHOWN else ""
    hint += f" Left where it is, as it may be somebody else's: {', '.join(left[:_MOST_SHOWN])}" if left else ""
    raise TamperedError(f"what was installed is not what was verified: {'; '.join(problems[:_MOST_SHOWN])}{more}", hint)


def _missing(work: _Work) -> tuple[str, ...]:
    """What pip check says of this project: a dependency that is not there, or of another version."""
    if b"requires-dist" not in work.content.metadata.lower():  # pip takes as long to check as to install
        return ()
    from packaging.utils import canonicalize_name

    lines = run_check(work.run)
    return tuple(line for line in lines if canonicalize_name(line.partition(" ")[0]) == work.artifact.project)

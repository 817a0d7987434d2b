"""Does the source make this release? Rebuilt from the commit that its verified provenance names, and compared.

Enters: a release folder, a policy from elsewhere or a commit that a person names, a repository. Leaves: a `Reproduced`.
The release is verified first, and what was verified is what is compared, bit for bit.
THE BUILD RUNS THE PROJECT'S CODE, as this user: never where secrets are.
"""

import contextlib
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sealwright.collect.checkout import COMMIT, Checkout, check_source, clone_commit
from sealwright.collect.difference import add_diffs, compare_packings
from sealwright.collect.origin import explain_sdist, explain_wheel, requirement_of, tool_of
from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import Progress, no_progress
from sealwright.files.distribution import MetadataError
from sealwright.files.members import read_packing
from sealwright.files.private import private_folder, remove
from sealwright.files.process import run_bounded
from sealwright.files.reading import reason
from sealwright.jobs.verify_release import Clock, prepare
from sealwright.model.artifact import ArtifactKind, ArtifactName, ArtifactNameError, parse_artifact_name
from sealwright.model.release import Release, ReleaseFile
from sealwright.model.reproduction import (
    Compared,
    Difference,
    Extra,
    Outcome,
    Packing,
    Reproduction,
    Side,
    Source,
    Why,
    outcome_of,
)
from sealwright.model.verdict import Result, Verdict
from sealwright.store.release_folder import private_copy
from sealwright.store.trust_folder import TrustFolder
from sealwright.verify.verifier import verify

_HINT = "Name the commit with --commit; the answer then says that nothing vouches for it."
_ALWAYS = {
    "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONNOUSERSITE": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1",
}  # fmt: skip
_SETUPTOOLS = "setuptools writes the time of the build into sdists, so two of its runs never agree bit for bit"
_Say = Callable[[str], None]


class Recipe(NamedTuple):
    """How to rebuild: from which repository ("": the policy's), which commit ("": the provenance's), and how.

    `epoch` is a SOURCE_DATE_EPOCH other than the commit's time, `seconds` the longest time for the build, `path` the
    PATH of git and the build.
    """

    path: str
    repository: str = ""
    commit: str = ""
    isolated: bool = True
    epoch: int | None = None
    seconds: float = 1800


class Reproduced(NamedTuple):
    """The verdict on the release, if a policy judged it; and what the rebuild showed, unless the verdict forbade it."""

    verdict: Verdict | None
    reproduction: Reproduction | None


class _Pair(NamedTuple):
    """An artifact beside its rebuild, both read; `packing` is None where an archive could not be."""

    name: ArtifactName
    released: ReleaseFile
    rebuilt: ReleaseFile | None
    packing: Packing | None = None
    again: Packing | None = None
    problem: str = ""


def reproduce(
    folder: Path,
    trust: TrustFolder | None,
    recipe: Recipe,
    *,
    clock: Clock,
    gpg: str | None,
    say: _Say,
    progress: Progress = no_progress,
) -> Reproduced:
    """Verify the release in `folder` by `trust`, rebuild its artifacts, and compare; what does not verify is not built.

    Raises UsageError, and UndecidedError where it could not be verified, cloned or built.
    """
    if recipe.commit and not COMMIT.fullmatch(recipe.commit):
        raise UsageError(
            f"{recipe.commit[:80]!r} is no full commit id", "Give all 40 (or 64) digits: git rev-parse REF"
        )
    if trust is None and not (recipe.commit and recipe.repository):
        raise UsageError("without a policy, nothing says what to rebuild", "Name --policy, or --commit and --source.")
    repository = check_source(recipe.repository or (trust.policy.repository if trust else ""))
    ready = prepare(folder, trust) if trust else None
    try:
        with private_copy(folder, progress=progress) as release:
            names = _artifacts(release)
            verdict = verify(release, ready, None, clock(), gpg) if ready else None
            if verdict and verdict.result is not Result.PASSED:
                return Reproduced(verdict, None)
            commit, vouched = _commit(release, verdict, recipe.commit)
            with private_folder(Path(tempfile.gettempdir()), "sealwright-build-", _remove_all) as private:
                recipe = recipe._replace(repository=repository, commit=commit)
                return Reproduced(verdict, _rebuild(release, names, recipe, private, vouched=vouched, say=say))
    except OSError as error:
        raise UndecidedError(
            f"{folder} could not be rebuilt: {reason(error)}", "Set TMPDIR to a folder with room that is writable."
        ) from error


def _artifacts(release: Release) -> tuple[ArtifactName, ...]:
    names = []
    for file in release.files:
        with contextlib.suppress(ArtifactNameError):
            names.append(parse_artifact_name(file.name))
    if not any(name.kind is not ArtifactKind.SBOM for name in names):
        raise UsageError(f"{release.folder} holds no wheel and no sdist", "Name a release folder, or dist/.")
    return tuple(names)


def _commit(release: Release, verdict: Verdict | None, asked: str) -> tuple[str, bool]:
    """Return the commit, and whether a provenance that passed names it: no other provenance is read."""
    commits: frozenset[str] = frozenset()
    if verdict and any(check.id == "attestation.provenance" for check in verdict.checks):
        from sealwright.verify.attestations import verified_commits

        try:
            commits = verified_commits(release, verdict.checks)
        except ValueError as error:
            raise UndecidedError(f"the verified provenance cannot be read again: {error}") from error
    if asked and commits - {asked}:
        raise UsageError(
            f"the verified provenance names commit {min(commits)[:64]}, not {asked}", "Leave out --commit."
        )
    if asked:
        return asked, asked in commits
    if len(commits) != 1:
        found = "names no commit: it has none that was verified" if not commits else "names several commits"
        raise UsageError(f"the provenance of {release.folder} {found}", _HINT)
    commit = next(iter(commits))
    if not COMMIT.fullmatch(commit):
        raise UndecidedError(f"the verified provenance names {commit[:80]!r}, which is no full commit id", _HINT)
    return commit, True


def _rebuild(
    release: Release, names: tuple[ArtifactName, ...], recipe: Recipe, private: Path, *, vouched: bool, say: _Say
) -> Reproduction:
    for inside in ("home", "tmp", "out"):
        (private / inside).mkdir()
    environment = _ALWAYS | {"PATH": recipe.path, "HOME": str(private / "home"), "TMPDIR": str(private / "tmp")}
    say(f"cloning {recipe.repository}")
    checkout = clone_commit(recipe.repository, recipe.commit, private, environment)
    epoch = checkout.time if recipe.epoch is None else recipe.epoch
    pairs = [_read(name, release.file(name.file), None) for name in names]
    environment |= {"SOURCE_DATE_EPOCH": str(epoch)}
    say(f"building {recipe.commit}: this runs the project's code")
    backend, notes = _build_alike(checkout, private, pairs, environment, recipe, say)
    source = Source(recipe.repository, recipe.commit, vouched, epoch, recipe.isolated, backend)
    with private_copy(private / "out") as built:  # the build may have left links and FIFOs, and may still be writing
        pairs = [_pair(pair, built) for pair in pairs]
        compared = tuple(_compare(pair) for pair in pairs)
        unasked = [file.name for file in built.files if release.file(file.name) is None]
        notes += [f"the rebuild also made {name}, which is not in the release" for name in unasked]
        notes += [f"the submodule {name} was not fetched" for name in checkout.submodules]
        return Reproduction(release.folder, source, compared, _explain(pairs, checkout), tuple(notes))


def _kinds(names: list[ArtifactName]) -> list[str]:
    """As it is usually done: the wheel is built from the sdist, if there is to be one."""
    kinds = {name.kind for name in names}
    if kinds >= {ArtifactKind.WHEEL, ArtifactKind.SDIST}:
        return []
    return ["--wheel"] if ArtifactKind.WHEEL in kinds else ["--sdist"]


def _build_alike(
    checkout: Checkout, private: Path, pairs: list[_Pair], environment: dict[str, str], recipe: Recipe, say: _Say
) -> tuple[str, list[str]]:
    """Build with the backend that the released wheel names, or else with what the project asks for.

    Return the requirement that was held to, and what to note. `uv build` does not heed the project's own pins.
    """
    kinds, backend = _kinds([pair.name for pair in pairs]), _backend(pairs) if recipe.isolated else ""
    if not backend:
        _build(checkout, private, kinds, environment, recipe)
        return "", []
    constraints = private / "constraints.txt"
    constraints.write_text(f"{backend}\n", encoding="ascii")
    try:
        _build(checkout, private, kinds, environment | {"PIP_CONSTRAINT": str(constraints)}, recipe)
    except UndecidedError as error:
        say(f"it cannot be built with {backend}: building with what the project asks for")
        fresh = private / "again"
        fresh.mkdir()
        for inside in ("home", "tmp"):
            (fresh / inside).mkdir()
        environment |= {"HOME": str(fresh / "home"), "TMPDIR": str(fresh / "tmp")}
        again = clone_commit(
            str(checkout.folder), checkout.commit, fresh, environment
        )  # the first build may have left traces
        remove(private / "out")
        (private / "out").mkdir()
        _build(again, private, kinds, environment, recipe)
        return "", [f"the release names {backend}, with which this commit could not be built: {error.message[-300:]}"]
    return backend, []


def _build(checkout: Checkout, private: Path, kinds: list[str], environment: dict[str, str], recipe: Recipe) -> None:
    """https://build.pypa.io/. -I keeps what lies in the current folder from being taken for `build` itself."""
    how = [] if recipe.isolated else ["--no-isolation"]
    command = [
        sys.executable,
        "-I",
        "-m",
        "build",
        *kinds,
        *how,
        "--outdir",
        str(private / "out"),
        str(checkout.folder),
    ]
    ended = run_bounded(command, private, environment, recipe.seconds)
    if ended.status is None:
        raise UndecidedError(f"the build did not end within {recipe.seconds:.0f} seconds", "Give it longer: --timeout")
    if ended.status != 0:
        alone = "Without isolation, the build backend must be installed beside Sealwright."
        raise UndecidedError(
            f"the commit {checkout.commit} could not be built (status {ended.status}): {_complaint(ended.said)}",
            "See whether python -m build succeeds in a clone of your own." if recipe.isolated else alone,
        )


def _complaint(said: str) -> str:
    """The first errors that a build speaks of, and its last words."""
    lines = [line.strip()[-200:] for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return " / ".join(dict.fromkeys([*errors[:2], *lines[-3:]]))


def _read(name: ArtifactName, file: ReleaseFile | None, rebuilt: ReleaseFile | None) -> _Pair:
    if file is None:
        raise UndecidedError(f"{name.file} was not read")
    if name.kind is ArtifactKind.SBOM:
        return _Pair(name, file, rebuilt)
    try:
        return _Pair(name, file, rebuilt, read_packing(Path(file.path), name.kind))
    except MetadataError as error:
        return _Pair(name, file, rebuilt, problem=f"the released file is unfit: {error}")


def _pair(pair: _Pair, built: Release) -> _Pair:
    rebuilt = built.file(pair.name.file)
    if rebuilt is None or pair.packing is None:
        return pair._replace(rebuilt=rebuilt)
    if rebuilt.sha256 == pair.released.sha256:
        return pair._replace(rebuilt=rebuilt, again=pair.packing)
    try:
        return pair._replace(rebuilt=rebuilt, again=read_packing(Path(rebuilt.path), pair.name.kind))
    except MetadataError as error:
        return pair._replace(rebuilt=rebuilt, problem=f"the rebuilt file is unfit: {error}")


def _backend(pairs: list[_Pair]) -> str:
    """The requirement that builds with the tool of the released wheel: like is compared with like."""
    found = {requirement_of(_tool(p, p.released, p.packing)) for p in pairs if p.name.kind is ArtifactKind.WHEEL}
    return found.pop() if len(found) == 1 else ""


def _tool(pair: _Pair, file: ReleaseFile, packing: Packing | None) -> str:
    return tool_of(Path(file.path), pair.name.kind, packing) if packing else ""


def _compare(pair: _Pair) -> Compared:
    name, released = pair.name, Side(pair.released.sha256, pair.released.size)
    if name.kind is ArtifactKind.SBOM:
        return Compared(
            name.file, name.kind.value, Outcome.NOT_COMPARED, released, note="no build backend makes an SBOM"
        )
    released = released._replace(tool=_tool(pair, pair.released, pair.packing))
    if pair.rebuilt is None:
        note = "the rebuild made no file of that name; a wheel for another platform is built there"
        return Compared(name.file, name.kind.value, Outcome.NOT_REBUILT, released, note=note)
    rebuilt = Side(pair.rebuilt.sha256, pair.rebuilt.size, _tool(pair, pair.rebuilt, pair.again))
    if rebuilt.sha256 == released.sha256:
        return Compared(name.file, name.kind.value, Outcome.SAME, released, rebuilt)
    differences: tuple[Difference, ...] = ()
    if pair.packing and pair.again:
        found = compare_packings(pair.packing, pair.again)
        differences = add_diffs(found, Path(pair.released.path), Path(pair.rebuilt.path), name.kind)
    outcome = outcome_of(differences)
    note = pair.problem or ("" if differences else "they differ in what belongs to no member; where was not found")
    if not note and released.tool != rebuilt.tool:
        ours, theirs = released.tool or "an unknown tool", rebuilt.tool or "another"
        note = f"the release was built with {ours}, the rebuild with {theirs}"
    elif not note and ".egg-info" in released.tool and any(d.why is Why.TIME for d in differences):
        note = _SETUPTOOLS
    return Compared(name.file, name.kind.value, outcome, released, rebuilt, differences, note)


def _explain(pairs: list[_Pair], checkout: Checkout) -> tuple[Extra, ...]:
    extras: list[Extra] = []
    sdist = next((pair.packing for pair in pairs if pair.name.kind is ArtifactKind.SDIST), None)
    for name, packing, again in ((p.name, p.packing, p.again) for p in pairs):
        if packing and again and name.kind is ArtifactKind.SDIST:
            extras += explain_sdist(name.file, packing, again, checkout.entries)
        elif packing and again:
            extras += explain_wheel(name.file, packing, again, sdist, checkout.entries)
    return tuple(extras)


def _remove_all(folder: Path) -> None:
    """Remove a folder in which somebody's build may have taken away the right to, or nested folders without end."""
    with contextlib.suppress(RecursionError):
        for each in _folders(folder):
            with contextlib.suppress(OSError):
                os.chmod(each, stat.S_IRWXU)
        remove(folder)


def _folders(folder: Path) -> Iterator[str]:
    """Every folder below, each before it is entered, so that it can be."""
    yield str(folder)
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _folders(Path(entry.path))

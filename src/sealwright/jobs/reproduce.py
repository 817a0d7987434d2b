"""Does the source make this release? Rebuilt from the commit that its verified provenance names, and compared.

Enters: a release folder, a policy from elsewhere or a commit that a person names, a repository. Leaves: a `Reproduced`.
The release is verified first, and what was verified is what is compared, bit for bit.
THE BUILD RUNS THE PROJECT'S CODE, as this user: never where secrets are.
"""

import tempfile
from pathlib import Path
from typing import NamedTuple

from sealwright.collect.built.checkout import COMMIT, Checkout, check_source, clone_commit
from sealwright.collect.built.difference import add_diffs, compare_packings
from sealwright.collect.built.origin import explain_sdist, explain_wheel, requirement_of, tool_of
from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import Progress, no_progress
from sealwright.files.distribution import MetadataError
from sealwright.files.members import read_packing
from sealwright.files.private import private_folder
from sealwright.files.reading import reason
from sealwright.jobs.reproduce_build import Recipe, Say, build_alike, prepare_folder, remove_all
from sealwright.jobs.verify.release import Clock, prepare
from sealwright.model.artifact import ArtifactKind, ArtifactName, ArtifactNameError, looks_released, parse_artifact_name
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
_SETUPTOOLS = "setuptools writes the time of the build into sdists, so two of its runs never agree bit for bit"


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
    say: Say,
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
            verdict = verify(release, ready, None, clock(), gpg) if ready else None
            if verdict and verdict.result is not Result.PASSED:
                return Reproduced(verdict, None)
            names = _artifacts(release)
            commit, vouched = _commit(release, verdict, recipe.commit)
            with private_folder(Path(tempfile.gettempdir()), "sealwright-build-", remove_all) as private:
                recipe = recipe._replace(repository=repository, commit=commit)
                return Reproduced(verdict, _rebuild(release, names, recipe, private, vouched=vouched, say=say))
    except OSError as error:
        raise UndecidedError(
            f"{folder} could not be rebuilt: {reason(error)}", "Set TMPDIR to a folder with room that is writable."
        ) from error


def _artifacts(release: Release) -> tuple[ArtifactName, ...]:
    """Take apart the names of all that is released. What cannot be compared must not be passed over in silence."""
    odd = [f"{oddity.name} is {oddity.what}" for oddity in release.oddities]
    names = []
    for file in release.files:
        try:
            names.append(parse_artifact_name(file.name))
        except ArtifactNameError as error:
            odd += [f"{file.name} is no artifact: {error}"] if looks_released(file.name) else []
    if odd:
        raise UndecidedError(f"{release.folder} holds what cannot be compared: {'; '.join(odd)[:500]}")
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
    release: Release, names: tuple[ArtifactName, ...], recipe: Recipe, private: Path, *, vouched: bool, say: Say
) -> Reproduction:
    environment = prepare_folder(private, recipe)
    say(f"cloning {recipe.repository}")
    checkout = clone_commit(recipe.repository, recipe.commit, private, environment)
    epoch = checkout.time if recipe.epoch is None else recipe.epoch
    pairs = [_read(name, release.file(name.file), None) for name in names]
    environment |= {"SOURCE_DATE_EPOCH": str(epoch)}
    say(f"building {recipe.commit}: this runs the project's code")
    wanted = _backend(pairs) if recipe.isolated else ""
    backend, notes = build_alike(checkout, private, names, wanted, environment, recipe, say)
    source = Source(recipe.repository, recipe.commit, vouched, epoch, recipe.isolated, backend)
    with private_copy(private / "out") as built:  # the build may have left links and FIFOs, and may still be writing
        pairs = [_pair(pair, built) for pair in pairs]
        compared = tuple(_compare(pair) for pair in pairs)
        unasked = [file.name for file in built.files if release.file(file.name) is None]
        notes += [f"the rebuild also made {name}, which is not in the release" for name in unasked]
        notes += [f"the submodule {name} was not fetched" for name in checkout.submodules]
        return Reproduction(release.folder, source, compared, _explain(pairs, checkout), tuple(notes))


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

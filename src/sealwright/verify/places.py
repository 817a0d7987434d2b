"""How a release was fetched, held against itself: what places say, what they send, and what they call back.

Enters: a `Release` with the facts of the job that fetched it. Leaves: checks. A folder that was given as it is has
none. None of them helps a release: whatever a place says in its favour, the signers of the policy must vouch for the
bytes.
"""

from pathlib import Path

from sealwright.errors import ExitCode
from sealwright.files.digest import digest_bytes
from sealwright.files.distribution import MetadataError
from sealwright.model.artifact import ArtifactKind, ArtifactName
from sealwright.model.release import Fetched, Release, ReleaseFile
from sealwright.model.verdict import YANKED, Check, Outcome
from sealwright.verify.checksums import left_subjects

_CLAUSE = "docs/places.md"
_YANKED = "https://packaging.python.org/en/latest/specifications/file-yanking/"
_METADATA = "https://packaging.python.org/en/latest/specifications/simple-repository-api/"


def check_places(release: Release) -> list[Check]:
    """Judge how a release was fetched."""
    facts = release.fetched
    if facts is None:
        return []
    checks = [
        _check("places.agree", each.name, Outcome.FAIL, each.expected, each.got, ExitCode.TAMPERED, _ADVICE)
        for each in facts.disagreements
    ]
    checks += _check_compared(facts)
    checks += _check_yanked(facts)
    checks += [_not_fetched(subject, why) for subject, why in _say_left(release, facts)]
    checks += [_not_fetched(name, "only another place has it") for name in facts.elsewhere]
    checks += [
        _check("places.evidence", place, Outcome.NOT_CHECKED, "evidence", "it has no such release", ExitCode.DONE)
        for place in facts.empty
    ]
    return checks


def _not_fetched(subject: str, got: str) -> Check:
    return _check("release.not-fetched", subject, Outcome.NOT_CHECKED, "fetched", got, ExitCode.DONE)


def _say_left(release: Release, facts: Fetched) -> list[tuple[str, str]]:
    """What was not fetched, and why; where one file was asked for, all others in one line."""
    if not release.is_part:
        return [(left.name, f"not fetched: {left.why}") for left in facts.left]
    names = sorted(left_subjects(release))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return [("the rest of the release", f"not asked for ({', '.join(names[:_SHOWN])}{more})")] if names else []


_SHOWN = 3
_ADVICE = "Do not install it, and tell the project: somebody serves other bytes than were released."


def _check_compared(facts: Fetched) -> list[Check]:
    """Two places, one version, one set of bytes (10); what only one of them has cannot be compared (12)."""
    if not facts.compared and not facts.alone:
        return []
    other = facts.places[-1]
    expected = f"the bytes that {other} has"
    checks = [
        _check("places.same", name, Outcome.PASS, expected, "the same", ExitCode.TAMPERED) for name in facts.compared
    ]
    hint = "Name another place with --also, or leave it out."
    different = {each.name for each in facts.disagreements}
    return checks + [
        _check("places.same", name, Outcome.FAIL, expected, "it has no such file", ExitCode.MISSING, hint)
        for name in facts.alone
        if name not in different
    ]


def _check_yanked(facts: Fetched) -> list[Check]:
    """A file that its index calls back is refused (PEP 592); code 13, for calling back is what it is."""
    costs = ExitCode.DONE if facts.allow_yanked else ExitCode.WITHDRAWN
    hint = "Choose another version. --allow-yanked takes it all the same."
    return [
        Check(
            YANKED, each.name, Outcome.FAIL, "not yanked",
            f"yanked: {each.reason[:500] or 'no reason is given'}", _YANKED, costs, hint,
        )
        for each in facts.yanked
    ]  # fmt: skip


def check_stated_metadata(release: Release, file: ReleaseFile, artifact: ArtifactName) -> list[Check]:
    """Hold the digest that an index states of a wheel's metadata against the metadata in it (PEP 658, PEP 714).

    pip resolves dependencies by the index's copy, so one that is another could bring in what the wheel does not ask
    for.
    """
    stated = dict(release.fetched.metadata).get(file.name) if release.fetched else None
    if not stated or artifact.kind is not ArtifactKind.WHEEL:
        return []
    from sealwright.files.wheel import read_wheel_metadata

    try:
        found = digest_bytes(read_wheel_metadata(Path(file.path), artifact))
    except (MetadataError, OSError):
        return []  # artifact.metadata says what is wrong with it
    outcome = Outcome.PASS if found == stated else Outcome.FAIL
    expected, got = f"metadata of sha256:{stated}, as the index says", f"sha256:{found}"
    return [Check("places.metadata", file.name, outcome, expected, got, _METADATA, ExitCode.TAMPERED, _ADVICE)]


def _check(
    check_id: str, subject: str, outcome: Outcome, expected: str, got: str, costs: ExitCode, hint: str = ""
) -> Check:
    return Check(check_id, subject, outcome, expected, got, _CLAUSE, costs, hint)

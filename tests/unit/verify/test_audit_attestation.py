"""Audit attestations: of this release, made when it was, of everything in it, and without a contradiction."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from sigstore.dsse import Statement
from sigstore.verify.policy import AllOf
from support.advisories import affected, make_index, record
from support.fetching import judge, own_temporary
from support.keyless import REQUIRING as ATTESTED
from support.keyless import WORKFLOW, Run, keyless_world
from support.sigstore import client
from support.world import SDIST, VERSION, WHEEL, World, build

from sealwright.errors import ExitCode, SealwrightError
from sealwright.jobs.audit.again import Again
from sealwright.jobs.seal.seal import Sealed
from sealwright.jobs.verify.release import verify_folder
from sealwright.model.statement import Subject
from sealwright.model.verdict import Outcome, Result, Verdict
from sealwright.sandbox.places import Places
from sealwright.sandbox.sigstore import GitHubClaims, Sigstore
from sealwright.store.trust_folder import read_trust_folder
from sealwright.verify.attestations import Attestation, _Context, _judge_of, _Left
from sealwright.verify.audit import SignedAt, judge_audit
from sealwright.verify.bundle import read_statement
from sealwright.verify.judged import Judged
from sealwright.verify.sigstore import Entry

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

LINES = "tiny_project-1.2.3.intoto.jsonl"
SBOM = "tiny_project-1.2.3.cdx.json"
REQUIRING = ATTESTED.replace("sbom = false", 'sbom = { signers = ["workflow"] }').replace(
    "audit = false", 'audit = { signers = ["workflow"], max-age-days = 7 }'
)
ADVISORIES = (record(1, affected("old", versions=["1.0"])), record(2, affected("six", versions=["9"])))
PARTS = (("six", "1.16.0"), ("idna", "3.7"))
FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def sbom(world: World, parts: tuple[tuple[str, str], ...] = PARTS, **more: Any) -> Path:
    wheel = hashlib.sha256((world.dist / WHEEL).read_bytes()).hexdigest()
    root = {
        "type": "library", "name": "tiny_project", "version": VERSION, "purl": f"pkg:pypi/tiny-project@{VERSION}",
        "hashes": [{"alg": "SHA-256", "content": wheel}],
    }  # fmt: skip
    components = [{"type": "library", "name": n, "version": v, "purl": f"pkg:pypi/{n}@{v}"} for n, v in parts]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": root}} | more
    path = world.folder / SBOM
    path.write_text(json.dumps(document | {"components": [*components, *more.get("components", [])]}))
    return path


def audit(world: World, target: Path, *more: str, advisories: tuple[dict[str, Any], ...] = ADVISORIES) -> Path:
    """What the build job does: the real command, offline, and its JSON in a file."""
    if not (world.folder / "db" / "index.sqlite").exists():
        make_index(world.folder / "db", *advisories)
    done = world.run("sealwright", "audit", str(target), "--db", "db/index.sqlite", "--json", *more)
    assert done.stdout, done.stderr
    (world.folder / "audit.json").write_text(done.stdout)
    return world.folder / "audit.json"


def started(folder: Path, sigstore: Sigstore, policy: str = REQUIRING) -> World:
    world = keyless_world(folder, sigstore)
    world.policy.write_text(policy)
    return world


def seal(world: World, sigstore: Sigstore, **more: Any) -> Sealed:
    """Seal a world whose SBOM and audit lie in its folder."""
    return Run(world, sigstore, sbom=world.folder / SBOM, audit=world.folder / "audit.json", **more).seal()


@pytest.fixture(scope="module")
def template(running_all_along: Sigstore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    running_all_along.faults.clear()
    world = started(tmp_path_factory.mktemp("audited") / "world", running_all_along)
    audit(world, sbom(world))
    verdict = seal(world, running_all_along).verdict
    assert verdict.result is Result.PASSED, [(c.id, c.got) for c in verdict.failed()]
    return world.folder


@pytest.fixture
def audited(template: Path, tmp_path: Path, sigstore: Sigstore) -> World:
    shutil.copytree(template, tmp_path / "world")
    return World(tmp_path / "world")


def statements(world: World) -> dict[str, tuple[str, Any]]:
    """Each line of the release with its statement, by the last words of its type."""
    import base64

    names = {"release/v0.1": "release", "provenance/v1": "provenance", "bom": "sbom", "vulns/v0.2": "audit"}
    found = {}
    for line in (world.release / LINES).read_text().splitlines():
        statement = json.loads(base64.b64decode(json.loads(line)["dsseEnvelope"]["payload"]))
        kind = next(name for end, name in names.items() if statement["predicateType"].endswith(end))
        found[kind] = (line, statement)
    return found


def sign(sigstore: Sigstore, statement: Any, claims: GitHubClaims = WORKFLOW, config: str = "rekor1-timestamps") -> str:
    with client(sigstore, config).signer(sigstore.github_token(claims)) as signer:
        return signer.sign_dsse(Statement(json.dumps(statement).encode())).to_json()


def replace(world: World, sigstore: Sigstore, change: Callable[[Any], Any], **more: Any) -> None:
    """Sign another audit, perfectly well, in the place of the good one."""
    said = statements(world)
    change(said["audit"][1])
    lines = [line for kind, (line, _) in said.items() if kind != "audit"] + [sign(sigstore, said["audit"][1], **more)]
    (world.release / LINES).write_text("".join(line + "\n" for line in lines))


def failed(verdict: Verdict, code: ExitCode, told: str) -> None:
    assert verdict.exit_code is code, [(c.id, c.got) for c in verdict.failed()]
    assert told in " ".join(c.got for c in verdict.failed() if c.id == "attestation.audit"), verdict.failed()


def test_an_audit_is_sealed_and_shown(audited: World, sigstore: Sigstore) -> None:
    verdict = audited.judge()
    assert verdict.result is Result.PASSED
    said = " ".join(c.got for c in verdict.checks if c.id == "attestation.audit")
    assert "2 dependencies audited" in said
    assert "nothing known against them" in said
    assert "days old then" in said
    assert "sha256:" in said
    done = audited.verify()
    assert (done.returncode, "2 dependencies audited" in done.stdout) == (0, True), done.stdout
    again = Run(audited, sigstore, claims=None, sbom=audited.folder / SBOM).seal()
    assert (again.written, again.verdict.result) == ((), Result.PASSED), (
        "a second run needs no audit, and changes nothing"
    )


@pytest.mark.parametrize("config", ["rekor1", "rekor2-timestamps"])
def test_either_kind_of_verified_time_will_do(audited: World, sigstore: Sigstore, config: str) -> None:
    replace(audited, sigstore, lambda s: None, config=config)
    assert audited.judge().result is Result.PASSED
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime(FORMAT)
    replace(audited, sigstore, lambda s: s["predicate"]["metadata"].update(scanFinishedOn=later), config=config)
    failed(audited.judge(), ExitCode.TAMPERED, "its scan ended")


def test_a_good_release_does_not_rot(audited: World) -> None:
    verdict = audited.judge(now=datetime.now(UTC) + timedelta(days=20 * 365))
    assert verdict.result is Result.PASSED


def shift(days: float) -> Callable[[Any], None]:
    moment = (datetime.now(UTC) - timedelta(days=days)).strftime(FORMAT)
    return lambda s: s["predicate"]["metadata"].update(scanStartedOn=moment, scanFinishedOn=moment)


@pytest.mark.parametrize(
    ("days", "code"), [(6.9, ExitCode.DONE), (7.1, ExitCode.STALE), (900, ExitCode.STALE), (-0.1, ExitCode.TAMPERED)]
)
def test_the_scan_is_held_against_the_verified_time(
    audited: World, sigstore: Sigstore, days: float, code: ExitCode
) -> None:
    replace(audited, sigstore, shift(days))
    verdict = audited.judge()
    assert verdict.exit_code is code
    assert code is ExitCode.DONE or {c.id for c in verdict.failed()} == {"attestation.audit"}


def clean(statement: Any) -> Any:
    return statement["predicate"]["sealwright"]


def find(statement: Any, *, ignored: bool = False, name: str = "GHSA-1") -> None:
    """Have the audit find something in six, everywhere that it says so."""
    annotations = [{"dependency": "six 1.16.0"}, *([{"ignored": "because"}] if ignored else [])]
    statement["predicate"]["scanner"]["result"].append({"id": name, "severity": [], "annotations": annotations})
    what, code = ("ignored", 0) if ignored else ("vulnerable", 20)
    become(statement, "six", what, code)


def become(statement: Any, name: str, what: str, code: int) -> None:
    said = clean(statement)
    for entry in said["dependencies"]:
        entry.update(coverage=what if entry["name"] == name else entry["coverage"])
    said["counts"] = dict.fromkeys(said["counts"], 0)
    for entry in said["dependencies"]:
        said["counts"][entry["coverage"]] += 1
    said["exitCode"] = code


def test_a_finding_that_the_project_ignores_passes_and_is_shown(audited: World, sigstore: Sigstore) -> None:
    replace(audited, sigstore, lambda s: find(s, ignored=True))
    verdict = audited.judge()
    assert verdict.result is Result.PASSED, verdict.failed()
    assert "1 with findings that the project ignores" in " ".join(c.got for c in verdict.checks)


def without(path: str) -> Callable[[Any], None]:
    def change(statement: Any) -> None:
        *parents, last = path.split(".")
        table = statement["predicate"]
        for parent in parents:
            table = table[parent]
        del table[last]

    return change


def at(path: str, value: Any) -> Callable[[Any], None]:
    def change(statement: Any) -> None:
        *parents, last = path.split(".")
        table = statement["predicate"]
        for parent in parents:
            table = table[parent]
        table[last] = value

    return change


def emptied(statement: Any) -> None:
    """The findings are taken away, and the summary is left."""
    find(statement)
    statement["predicate"]["scanner"]["result"].clear()


def whitewashed(statement: Any) -> None:
    """The summary is made clean, and the findings are left."""
    find(statement)
    become(statement, "six", "clean", 0)


def left_out(statement: Any) -> None:
    """A dependency of the released SBOM is not among those that were audited."""
    said = clean(statement)
    said["dependencies"] = [each for each in said["dependencies"] if each["name"] != "six"]
    become(statement, "idna", "clean", 0)


LIES: list[tuple[Callable[[Any], Any], ExitCode, str]] = [
    (find, ExitCode.VULNERABLE, "it says that six 1.16.0 is vulnerable"),
    (lambda s: find(s, ignored=True, name="MAL-1"), ExitCode.TAMPERED, "it calls six 1.16.0 ignored"),
    (lambda s: (find(s, ignored=True, name="MAL-1"), become(s, "six", "vulnerable", 20)), ExitCode.VULNERABLE, "is vulnerable"),
    (lambda s: (become(s, "six", "not-audited", 21), clean(s).update(notAudited=["six: why"])), ExitCode.UNAUDITED, "not audited"),
    (lambda s: (clean(s).update(dependencies=[]), become(s, "six", "clean", 21)), ExitCode.UNAUDITED, "it looked at no dependencies"),
    (left_out, ExitCode.UNAUDITED, "it did not look at six 1.16.0 of the released SBOM"),
    (emptied, ExitCode.TAMPERED, "it calls six 1.16.0 vulnerable"),
    (whitewashed, ExitCode.TAMPERED, "it calls six 1.16.0 clean"),
    (at("sealwright.exitCode", 20), ExitCode.TAMPERED, "its exit code is 20"),
    (at("sealwright.exitCode", 14), ExitCode.STALE, "its advisories were too old"),
    (at("sealwright.exitCode", False), ExitCode.TAMPERED, "how the audit ended"),
    (at("sealwright.exitCode", 3), ExitCode.TAMPERED, "how the audit ended"),
    (at("sealwright.counts", {"clean": 2}), ExitCode.TAMPERED, "its counts"),
    (at("sealwright.notAudited", ["six: it was a URL"]), ExitCode.TAMPERED, "its counts do not"),
    (at("sealwright.dependencies", 1), ExitCode.TAMPERED, "no list of objects"),
    (lambda s: clean(s)["dependencies"][0].update(coverage="good"), ExitCode.TAMPERED, "what became of"),
    (lambda s: clean(s)["dependencies"][0].update(name=""), ExitCode.TAMPERED, "without a name"),
    (lambda s: become(s, "six", "ignored", 0), ExitCode.TAMPERED, "does not say what"),
    (without("sealwright"), ExitCode.TAMPERED, "it has no sealwright"),
    (without("scanner"), ExitCode.TAMPERED, "it has no scanner"),
    (without("scanner.uri"), ExitCode.TAMPERED, "its scanner has no uri"),
    (without("scanner.version"), ExitCode.TAMPERED, "its scanner has no version"),
    (without("scanner.db"), ExitCode.TAMPERED, "it has no db"),
    (without("scanner.db.uri"), ExitCode.TAMPERED, "its database has no uri"),
    (without("scanner.db.lastUpdate"), ExitCode.TAMPERED, "its lastUpdate is no time"),
    (without("scanner.result"), ExitCode.TAMPERED, "its result is no list"),
    (without("metadata"), ExitCode.TAMPERED, "it has no metadata"),
    (without("metadata.scanStartedOn"), ExitCode.TAMPERED, "scanStartedOn is no time"),
    (at("metadata.scanFinishedOn", "yesterday"), ExitCode.TAMPERED, "scanFinishedOn is no time"),
    (at("metadata.scanFinishedOn", "2020-01-01T00:00:00Z"), ExitCode.TAMPERED, "ended before it began"),
    (at("metadata.scanFinishedOn", "2020-01-01T00:00:00"), ExitCode.TAMPERED, "scanFinishedOn is no time"),
    (at("scanner.result", [{"id": "GHSA-1", "annotations": []}]), ExitCode.TAMPERED, "of which dependency"),
    (at("scanner.result", [{"id": "GHSA-1", "annotations": [{"dependency": "six 2"}]}]), ExitCode.TAMPERED, "does not list"),
    (at("scanner.result", [{}] * 100_001), ExitCode.TAMPERED, "more than 100,000"),
    (at("sealwright.dependencies", [{"name": "a" * 10_000_000, "version": "1", "coverage": "x"}]), ExitCode.TAMPERED, "what became of a"),
    (lambda s: s.update(predicate={}), ExitCode.TAMPERED, "it has no scanner"),
]  # fmt: skip


def direct(world: World, change: Callable[[Any], Any]) -> Judged:
    """Judge a changed statement without signing it again."""
    statement = statements(world)["audit"][1]
    change(statement)
    now = datetime.now(UTC)
    return judge_audit(
        read_statement(json.dumps(statement).encode()), SignedAt(now, now), 7, ((world.release / SBOM).read_bytes(),)
    )


def test_every_lie_is_seen(audited: World) -> None:
    assert direct(audited, lambda s: None).problem == ""
    for change, code, told in LIES:
        judged = direct(audited, change)
        assert (judged.costs, told in judged.problem) == (code, True), (told, judged)
        assert len(judged.problem) < 5_000


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"purl": "pkg:pypi/six@1.16.0?vcs_url=git%2Bhttps://example.org/six@0123"}, "it comes from elsewhere"),
        ({"purl": None}, "it has no purl"),
        ({"purl": "pkg:generic/six@1.16.0"}, "is not one of PyPI"),
        ({"versionRange": "vers:pypi/>=1"}, "a range of versions"),
        ({"properties": [{"name": "sealwright:installed:editable", "value": "true"}]}, "an editable install"),
    ],
)
def test_what_the_sbom_lists_and_nobody_can_audit(audited: World, change: dict[str, Any], told: str) -> None:
    """An audit of a lock in which something has its name and version, such as a C library's, is about another thing."""
    document = json.loads((audited.release / SBOM).read_bytes())
    (six,) = (each for each in document["components"] if each["name"] == "six")
    six |= change
    statement, now = read_statement(json.dumps(statements(audited)["audit"][1]).encode()), datetime.now(UTC)
    judged = judge_audit(statement, SignedAt(now, now), 7, (json.dumps(document).encode(),))
    assert (judged.costs, told in judged.problem) == (ExitCode.UNAUDITED, True), judged
    assert "it calls six 1.16.0 audited" in judged.problem


SUBJECTS: list[tuple[Callable[[Any], Any], ExitCode, str]] = [
    (lambda s: s["subject"].pop(), ExitCode.TAMPERED, "it is not about"),
    (lambda s: s["subject"].append({"name": "x.whl", "digest": {"sha256": "0" * 64}}), ExitCode.TAMPERED, "as well"),
    (lambda s: s["subject"].append(s["subject"][0]), ExitCode.TAMPERED, "stands twice"),
    (lambda s: s["subject"][0]["digest"].update(sha256="0" * 64), ExitCode.TAMPERED, "it is not about"),
]


@pytest.mark.parametrize("number", range(8 + len(SUBJECTS)))
def test_a_lie_or_a_finding_is_a_failed_check(audited: World, sigstore: Sigstore, number: int) -> None:
    change, code, told = [*SUBJECTS, *LIES[:8]][number]
    replace(audited, sigstore, change)
    failed(audited.judge(), code, told)


def test_a_bigger_statement_than_any_is_refused(audited: World, sigstore: Sigstore) -> None:
    replace(audited, sigstore, at("scanner.result", [{}] * 1_100_000), config="rekor2-timestamps")
    verdict = audited.judge()
    assert verdict.exit_code is ExitCode.MISSING
    assert "too many values" in " ".join(c.got for c in verdict.reported())


def test_gone_twice_or_by_somebody_else(audited: World, sigstore: Sigstore) -> None:
    said, file = statements(audited), audited.release / LINES
    lines = [line for line, _ in said.values()]
    file.write_text("".join(line + "\n" for kind, (line, _) in said.items() if kind != "audit"))
    failed(audited.judge(), ExitCode.MISSING, "none")
    file.write_text("".join(line + "\n" for line in [*lines, said["audit"][0]]))
    failed(audited.judge(), ExitCode.TAMPERED, "more than one by workflow")
    file.write_text("".join(line + "\n" for line in [*lines, sign(sigstore, said["audit"][1])]))
    failed(audited.judge(), ExitCode.TAMPERED, "more than one by workflow")
    replace(audited, sigstore, lambda s: None, claims=WORKFLOW._replace(repository="o/fork"))
    failed(audited.judge(), ExitCode.MISSING, "none")


def test_the_audit_of_another_release(audited: World, sigstore: Sigstore, tmp_path: Path) -> None:
    other = started(tmp_path / "other", sigstore)
    for file in other.dist.iterdir():
        file.unlink()
    build(other.dist, VERSION)
    (other.dist / SDIST).write_bytes((other.dist / SDIST).read_bytes() + b"")
    with (other.dist / WHEEL).open("ab") as stream:
        stream.write(b"\0")  # another build of the same version
    audit(other, sbom(other))
    replace(audited, sigstore, lambda s: s["subject"].__setitem__(slice(None), subjects_of(other)))
    failed(audited.judge(), ExitCode.TAMPERED, "it is not about")


def subjects_of(world: World) -> list[Any]:
    paths = [world.dist / WHEEL, world.dist / SDIST, world.folder / SBOM]
    return [{"name": p.name, "digest": {"sha256": hashlib.sha256(p.read_bytes()).hexdigest()}} for p in paths]


def test_an_audit_long_before_the_rest_of_the_release(audited: World, sigstore: Sigstore) -> None:
    """What counts is when the release was made, not only when its audit was signed."""
    statement = read_statement(json.dumps(statements(audited)["audit"][1]).encode())
    now = datetime.now(UTC)
    assert judge_audit(statement, SignedAt(now, now + timedelta(days=6)), 7, ()).problem == ""
    late = judge_audit(statement, SignedAt(now, now + timedelta(days=8)), 7, ())
    assert (late.costs, "more than 7 days before" in late.problem) == (ExitCode.STALE, True)


def test_an_audit_long_before_a_release_of_which_a_part_was_not_fetched(audited: World) -> None:
    """A wheel for another platform, which is left where it is, does not make an old audit a new one."""
    found = {kind: read_statement(json.dumps(said).encode()) for kind, (_, said) in statements(audited).items()}
    left = {"tiny_project-1.2.3-cp39-cp39-win_amd64.whl": "0" * 64}
    extra = tuple(Subject(*each) for each in left.items())
    now = datetime.now(UTC)
    by = Entry("workflow", "identity", "issuer", AllOf([]), ())
    signed = [
        Attestation(kind, by, said._replace(subjects=said.subjects + extra), cast("Certificate", None), (when,))
        for kind, said, when in (("audit", found["audit"], now), ("release", found["release"], now + timedelta(days=8)))
    ]
    policy = read_trust_folder(audited.policy, None).policy
    assert policy.require.audit
    listing = found["audit"].subjects
    context = _Context(policy, VERSION, policy.require.audit, listing, _Left(left, False), (), tuple(signed))
    late = _judge_of("audit", context)(signed[0])
    assert (late.costs, "more than 7 days before" in late.problem) == (ExitCode.STALE, True)


def test_an_sbom_that_is_withheld_from_one_file(
    audited: World, sigstore: Sigstore, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody asked for the rest of the release, but whoever takes the SBOM away must not hide what the audit left out."""
    own_temporary(tmp_path / "private", monkeypatch)
    (tmp_path / "mine").mkdir()
    file = str(shutil.copy(audited.release / WHEEL, tmp_path / "mine"))

    def codes() -> list[int]:
        beside = shutil.copytree(audited.release, tmp_path / "beside")
        found = []
        for gone in (WHEEL, SBOM, "SHA256SUMS"):  # the statements know the SBOM, too
            (beside / gone).unlink()
            answer = judge(audited, places, artifacts=file, evidence=f"dir:{beside}")
            found.append(answer.code)
            assert (gone != WHEEL) == ("attestation.sbom" in {check for check, _ in answer.failed()})
        shutil.rmtree(beside)
        return found

    assert codes() == [0, ExitCode.MISSING, ExitCode.MISSING]
    replace(audited, sigstore, left_out)
    assert codes() == [ExitCode.UNAUDITED, ExitCode.MISSING, ExitCode.MISSING]


# What is sealed, and what is not.


def refused(world: World, sigstore: Sigstore, code: ExitCode, told: str, **more: Any) -> None:
    before = len(sigstore.requests)
    with pytest.raises(SealwrightError) as caught:
        seal(world, sigstore, **more)
    assert (caught.value.exit_code, told in caught.value.message) == (code, True), caught.value.message
    assert len(sigstore.requests) == before, "nothing was published"
    assert not (world.release / LINES).exists()


def test_nothing_but_a_clean_audit_is_sealed(tmp_path: Path, sigstore: Sigstore) -> None:
    world = started(tmp_path / "world", sigstore)
    with pytest.raises(SealwrightError, match="requires an audit, and there is none"):
        Run(world, sigstore, sbom=sbom(world)).seal()
    audit(world, sbom(world, (("old", "1.0"),)))
    refused(world, sigstore, ExitCode.VULNERABLE, "old 1.0 is vulnerable")
    audit(world, sbom(world, components=[{"type": "library", "name": "zlib", "version": "1.3"}]))
    refused(world, sigstore, ExitCode.UNAUDITED, "zlib 1.3 was not audited")
    audit(world, sbom(world, ()))
    refused(world, sigstore, ExitCode.UNAUDITED, "no dependencies")
    audit(world, sbom(world), "--db-max-age", "1h")
    refused(world, sigstore, ExitCode.STALE, "too old")
    audit(world, sbom(world, (("six", "1.16.0"),)))
    sbom(world)
    refused(world, sigstore, ExitCode.UNAUDITED, "did not look at idna 3.7")


def test_an_ignored_finding_is_sealed(tmp_path: Path, sigstore: Sigstore) -> None:
    world = started(tmp_path / "world", sigstore)
    (world.folder / ".sealwright").mkdir()
    (world.folder / ".sealwright" / "audit.toml").write_text(
        'schema = 1\n[[ignore]]\nid = "PYSEC-2020-1"\npackage = "old"\nreason = "never called"\nowner = "Ann"\n'
        "expires = 2099-01-01\n"
    )
    audit(world, sbom(world, (("old", "1.0"),)))
    verdict = seal(world, sigstore).verdict
    assert verdict.result is Result.PASSED, verdict.failed()
    assert "1 with findings that the project ignores" in " ".join(c.got for c in verdict.checks)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"exitCode": 0', '"exitCode": 20', "what its dependencies add up to"),
        ('"clean": 2', '"clean": 3', "what its dependencies add up to"),
        ('"coverage": "clean"', '"coverage": "ignored"', "which it is not"),
        ('"version": "1.2.3"', '"version": "1.2.4"', "not of tiny-project 1.2.3"),
        ('"project": "tiny-project"', '"project": "other"', "the audit is of other"),
        ('"project": "tiny-project"', '"project": ""', "the audit is of nobody knows what"),
        ('"schema": 1', '"schema": 2', "schema 1"),
        ('"dependencies"', '"dependencies ", "x"', "cannot be used"),
        ('"time": "', '"time": "x', "when the audit was made"),
        ('"finished": "2', '"finished": "9', "its scan ended"),
        ('"time": "2', '"time": "1', "more than 7 days before"),
    ],
)
def test_an_audit_that_was_edited_or_is_of_something_else(
    tmp_path: Path, sigstore: Sigstore, old: str, new: str, told: str
) -> None:
    world = started(tmp_path / "world", sigstore)
    path = audit(world, sbom(world))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    stale = "more than" in told
    refused(world, sigstore, ExitCode.STALE if stale else ExitCode.USAGE, told)


def test_the_commands_as_a_ci_job_runs_them(tmp_path: Path, sigstore: Sigstore) -> None:
    """`rehearse` is the same sealing and verification, with a Sigstore of its own."""
    world = started(tmp_path / "world", sigstore, REQUIRING.replace('"root.json"', '"production"'))
    audit(world, sbom(world))
    done = world.run("sealwright", "rehearse", "--sbom", SBOM, "--audit", "audit.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 dependencies audited" in done.stdout
    audit(world, sbom(world, (("old", "1.0"),)))
    done = world.run("sealwright", "rehearse", "--sbom", SBOM, "--audit", "audit.json")
    assert (done.returncode, done.stdout.count("\n")) == (20, 1), done.stdout + done.stderr
    assert "old 1.0 is vulnerable" in done.stderr


# What is known today.


def again(world: World, index: Path, *, fail_on_new: bool = False) -> Verdict:
    trust = read_trust_folder(world.policy, world.release)
    now = datetime.now(UTC) + timedelta(days=400)
    return verify_folder(
        world.release, trust, asked=None, clock=lambda: now, gpg=None, again=Again(index, fail_on_new)
    )  # fmt: skip


def today(verdict: Verdict) -> list[tuple[Outcome, str]]:
    return [(check.outcome, check.got) for check in verdict.checks if check.id == "audit.today"]


def test_what_is_known_today_is_told_and_decides_only_if_asked(audited: World, tmp_path: Path) -> None:
    assert today(again(audited, tmp_path / "none.sqlite")) == []
    same = make_index(tmp_path / "same", *ADVISORIES)
    assert [outcome for outcome, _ in today(again(audited, same, fail_on_new=True))] == [Outcome.PASS]
    newer = make_index(tmp_path / "newer", *ADVISORIES, record("GHSA-9", affected("six", versions=["1.16.0"])))
    verdict = again(audited, newer)
    assert verdict.result is Result.PASSED, "a good release does not rot"
    assert [(o, "six 1.16.0: GHSA-9" in got) for o, got in today(verdict)] == [(Outcome.FAIL, True)]
    strict = again(audited, newer, fail_on_new=True)
    assert (strict.result, strict.exit_code) == (Result.FAILED, ExitCode.VULNERABLE)
    unclear = make_index(tmp_path / "unclear", record("GHSA-8", affected("six", events=[{"introduced": "no version"}])))
    assert again(audited, unclear).result is Result.PASSED
    assert again(audited, unclear, fail_on_new=True).exit_code is ExitCode.UNAUDITED


def test_what_was_ignored_then_is_not_new(audited: World, sigstore: Sigstore, tmp_path: Path) -> None:
    replace(audited, sigstore, lambda s: find(s, ignored=True, name="GHSA-9"))
    newer = make_index(tmp_path / "newer", record("GHSA-9", affected("six", versions=["1.16.0"])))
    assert again(audited, newer, fail_on_new=True).result is Result.PASSED


def test_an_sbom_alone_is_audited_too(tmp_path: Path, sigstore: Sigstore) -> None:
    world = started(tmp_path / "world", sigstore, REQUIRING.replace("max-age-days = 7 }", "X").replace(
        'audit = { signers = ["workflow"], X', "audit = false"))  # fmt: skip
    Run(world, sigstore, sbom=sbom(world, (("old", "1.0"),))).seal()
    index = make_index(tmp_path / "db", *ADVISORIES)
    verdict = again(world, index)
    assert (verdict.result, [outcome for outcome, _ in today(verdict)]) == (Result.PASSED, [Outcome.FAIL])
    assert again(world, index, fail_on_new=True).exit_code is ExitCode.VULNERABLE


def test_an_index_that_is_damaged_or_not_there(audited: World, tmp_path: Path) -> None:
    index = make_index(tmp_path / "db", *ADVISORIES)
    content = bytearray(index.read_bytes())
    content[5000] ^= 1
    index.write_bytes(content)
    verdict = again(audited, index)
    assert (verdict.result, [o for o, _ in today(verdict)]) == (Result.PASSED, [Outcome.NOT_CHECKED])
    assert again(audited, index, fail_on_new=True).exit_code is ExitCode.UNDECIDED
    done = audited.verify("--fail-on-new", env={"XDG_DATA_HOME": str(tmp_path / "nowhere")})
    assert (done.returncode, "no advisory index" in done.stderr) == (2, True)


def test_both_commands_say_it(audited: World, tmp_path: Path) -> None:
    place = tmp_path / "data" / "sealwright"
    newer = make_index(tmp_path / "newer", record("GHSA-9", affected("six", versions=["1.16.0"])))
    place.mkdir(parents=True)
    shutil.copy(newer, place / "advisories.sqlite")
    env = {"XDG_DATA_HOME": str(tmp_path / "data")}
    for command in (
        ["verify-release", "1.2.3", "--from", "release", "--policy", "keys/policy.toml"],
        ["sealwright", "verify"],
    ):
        done = audited.run(*command, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "known today  six 1.16.0: GHSA-9" in done.stdout
        done = audited.run(*command, "--fail-on-new", env=env)
        assert (done.returncode, "audit.today" in done.stdout) == (20, True), done.stdout


def test_nothing_is_loaded_where_there_is_no_index(world: World) -> None:
    code = (
        "import sys; sys.argv[1:] = ['1.2.3', '--from', 'release', '--policy', 'keys/policy.toml'];"
        "import os; leave = os._exit; os._exit = lambda code: (print(sorted(sys.modules)), sys.stdout.flush(), leave(code));"
        "from sealwright.cli.verify_release import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=world.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("sqlite3", "packageurl", "sealwright.jobs.audit.audit", "sealwright.store.advisory_index"):
        assert f"'{name}'" not in done.stdout

"""Attestations of a release: what the policy requires stands once, agrees with the release and its certificate, or fails."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sigstore.dsse import Statement
from support.attested import LINES, failed, replace_with, set_in, sign, statements
from support.keyless import BUILDER, REPOSITORY, REQUIRING, WORKFLOW, Run, keyless_world
from support.sigstore import client
from support.world import SDIST, WHEEL, World

from sealwright.attest.provenance import build_provenance
from sealwright.errors import ExitCode, UsageError
from sealwright.model.buildfacts import BuildFacts
from sealwright.model.statement import Subject
from sealwright.model.verdict import Outcome, Result, Verdict
from sealwright.sandbox.rehearsal import play_build
from sealwright.sandbox.sigstore import Endpoint, GitHubClaims, Sigstore


@pytest.fixture(scope="session")
def attested_template(running_all_along: Sigstore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    running_all_along.faults.clear()
    world = keyless_world(tmp_path_factory.mktemp("attested") / "world", running_all_along)
    world.policy.write_text(REQUIRING)
    assert Run(world, running_all_along).seal().verdict.result is Result.PASSED
    return world.folder


@pytest.fixture
def attested(attested_template: Path, tmp_path: Path) -> World:
    shutil.copytree(attested_template, tmp_path / "world")
    return World(tmp_path / "world")


def test_a_sealed_release_with_attestations(attested: World) -> None:
    verdict = attested.judge()
    assert (verdict.result, verdict.exit_code) == (Result.PASSED, ExitCode.DONE)
    passed = [c.id for c in verdict.checks if c.id.startswith("attestation.") and c.outcome is Outcome.PASS]
    assert (
        sorted(passed) == ["attestation.provenance"] * 2 + ["attestation.release"] * 2 + ["attestation.signature"] * 2
    )
    said = statements(attested)
    assert said["release"]["predicate"] == {"purl": "pkg:pypi/tiny-project@1.2.3", "tag": "v1.2.3"}
    assert [subject["name"] for subject in said["release"]["subject"]] == [WHEEL, SDIST]
    assert said["provenance"]["predicate"]["runDetails"]["builder"]["id"] == WORKFLOW.identity


def test_a_second_run_makes_nothing_again(attested: World, sigstore: Sigstore) -> None:
    before = (attested.release / LINES).read_bytes()
    sealed = Run(attested, sigstore, claims=None).seal()
    assert (sealed.written, sealed.verdict.result) == ((), Result.PASSED)
    assert (attested.release / LINES).read_bytes() == before


def test_one_attestation_covers_a_whole_release(attested: World) -> None:
    """Without a single bundle: a release attestation names each file with its digest."""
    attested.policy.write_text(REQUIRING.replace("openpgp = 0\nsigstore = 1", "openpgp = 0\nsigstore = 1"))
    for name in (WHEEL, SDIST):
        (attested.release / f"{name}.sigstore.json").unlink()
    verdict = attested.judge()
    assert verdict.exit_code is ExitCode.MISSING, "require.sigstore asks for the bundles"
    assert {c.id for c in verdict.failed()} == {"evidence.present"}
    assert verdict.signers[0].counted


def test_attestations_that_are_gone(attested: World) -> None:
    (attested.release / LINES).unlink()
    failed(attested.judge(), "attestation.release", "none", ExitCode.MISSING)
    assert {"evidence.present", "attestation.release", "attestation.provenance"} == {
        c.id for c in attested.judge().failed()
    }


@pytest.mark.parametrize(("kept", "missing"), [(0, "attestation.provenance"), (1, "attestation.release")])
def test_one_of_them_is_gone(attested: World, kept: int, missing: str) -> None:
    lines = (attested.release / LINES).read_text().splitlines(keepends=True)
    (attested.release / LINES).write_text(lines[kept])
    failed(attested.judge(), missing, "none", ExitCode.MISSING)


@pytest.mark.parametrize("line", [0, 1])
def test_the_same_twice(attested: World, line: int) -> None:
    lines = (attested.release / LINES).read_text().splitlines(keepends=True)
    (attested.release / LINES).write_text("".join([*lines, lines[line]]))
    kind = "attestation.release" if "release" in str(list(statements(attested))[line]) else "attestation.provenance"
    failed(attested.judge(), kind, "more than one")


DEFINITION, DETAILS = ("predicate", "buildDefinition"), ("predicate", "runDetails")
WORKFLOW_AT = (*DEFINITION, "externalParameters", "workflow")
GITHUB_AT = (*DEFINITION, "internalParameters", "github")
LIES: list[tuple[str, tuple[Any, ...], Any, str]] = [
    ("release", ("predicate", "purl"), "pkg:pypi/tiny-project@1.2.4", "its purl"),
    ("release", ("predicate", "purl"), "pkg:pypi/other@1.2.3", "its purl"),
    ("release", ("predicate", "purl"), None, "its purl"),
    ("release", ("predicate", "tag"), "v1.2.4", "its tag"),
    ("release", ("predicate", "tag"), None, "its tag"),
    ("release", ("subject", 1), None, f"not about {SDIST}"),
    ("release", ("subject", 0, "name"), "tiny_project-1.2.3-1-py3-none-any.whl", "not about"),
    ("release", ("subject", 0, "digest", "sha256"), "0" * 64, "not about"),
    ("provenance", ("subject", 0), None, f"not about {WHEEL}"),
    ("provenance", (*WORKFLOW_AT, "repository"), "https://github.com/o/other", "its repository"),
    ("provenance", (*WORKFLOW_AT, "repository"), None, "does not say its repository"),
    ("provenance", (*WORKFLOW_AT, "ref"), "refs/heads/main", "its ref"),
    ("provenance", (*WORKFLOW_AT, "path"), ".github/workflows/other.yml", "its workflow"),
    ("provenance", (*DEFINITION, "resolvedDependencies", 0, "digest", "gitCommit"), "f" * 40, "its commit"),
    ("provenance", (*DEFINITION, "resolvedDependencies", 0, "uri"), "git+https://github.com/o/x@refs/tags/v1.2.3", "its commit"),
    ("provenance", (*DEFINITION, "resolvedDependencies"), None, "does not say its commit"),
    ("provenance", (*DETAILS, "metadata", "invocationId"), f"{REPOSITORY}/actions/runs/1/attempts/1", "its invocation"),
    ("provenance", (*DETAILS, "builder", "id"), "https://github.com/actions/runner", "its builder"),
    ("provenance", (*DETAILS, "builder"), None, "its builder is None"),
    ("provenance", (*DEFINITION, "buildType"), "urn:sealwright:build:local:v1", "no more than level 1"),
    ("provenance", (*DEFINITION, "buildType"), None, "no more than level 1"),
    ("provenance", (*GITHUB_AT, "event_name"), "pull_request", "its event_name"),
    ("provenance", (*GITHUB_AT, "repository_id"), "1", "its repository_id"),
    ("provenance", (*GITHUB_AT, "repository_owner_id"), "1", "its repository_owner_id"),
    ("provenance", (*GITHUB_AT, "runner_environment"), "self-hosted", "its runner_environment"),
    ("provenance", (*DEFINITION, "internalParameters", "doubts"), ["dirty"], "shows level 1"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "value", "told"), LIES)
def test_a_lie_of_the_signer_is_a_failed_check(
    attested: World, sigstore: Sigstore, kind: str, path: tuple[Any, ...], value: Any, told: str
) -> None:
    replace_with(attested, sigstore, kind, set_in(*path, value=value))
    failed(attested.judge(), f"attestation.{kind}", told)


def test_two_commits_for_one_source(attested: World, sigstore: Sigstore) -> None:
    def add(statement: Any) -> None:
        dependencies = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
        dependencies.insert(0, json.loads(json.dumps(dependencies[0])))

    replace_with(attested, sigstore, "provenance", add)
    failed(attested.judge(), "attestation.provenance", "does not say its commit")


def test_a_foreign_file_and_a_subject_twice(attested: World, sigstore: Sigstore) -> None:
    foreign = {"name": "tiny_project-1.2.3.zip", "digest": {"sha256": "0" * 64}}
    replace_with(attested, sigstore, "release", lambda s: s["subject"].append(foreign))
    failed(attested.judge(), "attestation.release", "as well")
    replace_with(attested, sigstore, "release", lambda s: s["subject"].__setitem__(2, s["subject"][0]))
    failed(attested.judge(), "attestation.release", "twice")


@pytest.mark.parametrize(
    "payload",
    [
        b'{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"name":"a","digest":{"sha256":"00"}}],"predicateType":"x"}',
        b'{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x"}',
    ],
)
def test_a_statement_that_is_none(
    attested: World, sigstore: Sigstore, monkeypatch: pytest.MonkeyPatch, payload: bytes
) -> None:
    monkeypatch.setattr(
        "sigstore.dsse._Statement.model_validate_json", lambda content: None
    )  # a signer who does not look
    line = sign(sigstore, payload)
    with (attested.release / LINES).open("a") as file:
        file.write(line)
    verdict = attested.judge()
    assert verdict.result is Result.PASSED, "what is good stays good"
    assert [c.id for c in verdict.reported()] == ["attestation.signature"]


def test_a_name_that_stands_twice_in_a_statement(attested: World, sigstore: Sigstore) -> None:
    said = statements(attested)
    text = json.dumps(said["release"]).replace('"predicateType"', '"predicate": {}, "predicateType"', 1)
    lines = [sign(sigstore, text.encode()), sign(sigstore, said["provenance"])]
    (attested.release / LINES).write_text("".join(lines))
    failed(attested.judge(), "attestation.release", "none", ExitCode.MISSING)


def test_the_statements_of_another_release(attested: World, sigstore: Sigstore, tmp_path: Path) -> None:
    other = keyless_world(tmp_path / "other", sigstore, version="1.2.4")
    other.policy.write_text(REQUIRING)
    Run(other, sigstore, WORKFLOW._replace(ref="refs/tags/v1.2.4")).seal()
    shutil.copy(other.release / "tiny_project-1.2.4.intoto.jsonl", attested.release / LINES)
    failed(attested.judge(), "attestation.release", "none", ExitCode.MISSING)


def test_somebody_who_may_sign_files_but_not_say_this(attested: World, sigstore: Sigstore) -> None:
    attested.policy.write_text(
        REQUIRING + '\n[[signer]]\nname = "alice"\n[[signer.sigstore]]\nidentity = "alice@example.com"\n'
        'oidc-issuer = "https://accounts.example.invalid"\n'
    )
    said = statements(attested)
    with client(sigstore).signer(sigstore.email_token("alice@example.com")) as signer:
        line = signer.sign_dsse(Statement(json.dumps(said["release"]).encode())).to_json() + "\n"
    (attested.release / LINES).write_text(line + sign(sigstore, said["provenance"]))
    verdict = attested.judge()
    failed(verdict, "attestation.release", "none", ExitCode.MISSING)
    assert "which the policy does not ask for" in " ".join(c.got for c in verdict.not_checked())


def test_an_unlisted_signer(attested: World, sigstore: Sigstore) -> None:
    replace_with(attested, sigstore, "release", lambda s: None, claims=WORKFLOW._replace(repository="evil/fork"))
    verdict = attested.judge()
    failed(verdict, "attestation.release", "none", ExitCode.MISSING)
    assert len(verdict.reported()) == 2


def test_an_unknown_type_is_named_as_not_checked(attested: World, sigstore: Sigstore) -> None:
    more = statements(attested)["release"] | {"predicateType": "https://example.org/review/v1"}
    with (attested.release / LINES).open("a") as file:
        file.write(sign(sigstore, more))
    verdict = attested.judge()
    assert verdict.result is Result.PASSED
    assert "https://example.org/review/v1 by workflow" in verdict.not_checked()[0].got


@pytest.mark.parametrize(
    "content", [b"\n", b"{}\n", b"x", b"\xff\n", b"\n" * 2000, b"[" * 100_000 + b"\n", b'{"a":1}\x0b{}\n']
)
def test_what_is_no_file_of_attestations(attested: World, content: bytes) -> None:
    (attested.release / LINES).write_bytes(content)
    failed(attested.judge(), "attestation.release", "none", ExitCode.MISSING)


def test_a_file_of_attestations_of_something_else_is_not_read(attested: World) -> None:
    shutil.copy(attested.release / LINES, attested.release / "other-1.0.intoto.jsonl")
    verdict = attested.judge()
    assert verdict.result is Result.PASSED
    assert [c.subject for c in verdict.not_checked()] == ["other-1.0.intoto.jsonl"]


# The level is derived.


def judged_at(world: World, sigstore: Sigstore, level: int, claims: GitHubClaims, builder: str = BUILDER) -> Verdict:
    """Seal anew as `claims`, with a policy that asks for a level and a builder."""
    shutil.rmtree(world.release)
    identity = claims.identity.replace("1.2.3", "{version}")
    text = REQUIRING.replace("level = 2", f"level = {level}").replace(
        f'builder = "{BUILDER}"', f'builder = "{builder}"'
    )
    world.policy.write_text(text.replace(f'identity = "{BUILDER}"', f'identity = "{identity}"'))
    run = Run(world, sigstore, claims)
    try:
        return run.seal().verdict
    except UsageError:  # sealing judges first; what a verification says is what is asked here
        world.policy.write_text(world.policy.read_text().replace(f"level = {level}", "level = 1"))
        run.seal()
        world.policy.write_text(world.policy.read_text().replace("level = 1", f"level = {level}"))
        return world.judge()


SHARED = "https://github.com/trusted/builders/.github/workflows/build.yml@refs/tags/v{version}"


def test_a_hosted_runner_shows_level_2_and_no_more(attested: World, sigstore: Sigstore) -> None:
    assert judged_at(attested, sigstore, 2, WORKFLOW).result is Result.PASSED
    failed(judged_at(attested, sigstore, 3, WORKFLOW), "attestation.provenance", "shows level 2")


@pytest.mark.parametrize("build_type", ["urn:sealwright:build:local:v1", "https://example.org/other", None])
def test_no_other_build_type_may_name_a_builder_that_nobody_certifies(
    attested: World, sigstore: Sigstore, build_type: str | None
) -> None:
    """At level 1, too: what is not held against the certificate must not claim the workflow."""
    attested.policy.write_text(REQUIRING.replace("level = 2", "level = 1"))
    replace_with(attested, sigstore, "provenance", set_in(*DEFINITION, "buildType", value=build_type))
    failed(attested.judge(), "attestation.provenance", "nobody certifies")


def test_a_runner_of_ones_own_shows_level_1(attested: World, sigstore: Sigstore) -> None:
    own = WORKFLOW._replace(runner_environment="self-hosted")
    assert judged_at(attested, sigstore, 1, own).result is Result.PASSED
    failed(judged_at(attested, sigstore, 2, own), "attestation.provenance", "shows level 1")


def test_a_builder_that_the_policy_names_shows_level_3(attested: World, sigstore: Sigstore) -> None:
    job = SHARED.replace("{version}", "1.2.3").removeprefix("https://github.com/")
    shared = WORKFLOW._replace(job_workflow_ref=job)
    assert judged_at(attested, sigstore, 3, shared, SHARED).result is Result.PASSED
    other = SHARED.replace("build.yml", "other.yml")
    with pytest.raises(UsageError, match="its builder"):
        judged_at(attested, sigstore, 3, shared, other)


# Sealing.


def test_a_build_in_doubt_is_refused_unless_asked_for_by_name(attested: World, sigstore: Sigstore) -> None:
    shutil.rmtree(attested.release)

    def doubtful(tag: str, identity: str) -> BuildFacts:
        return play_build(WORKFLOW, tag)._replace(doubts=("the checkout has changes that are in no commit",))

    run = Run(attested, sigstore, build=doubtful)
    with pytest.raises(UsageError, match="changes that are in no commit"):
        run.seal()
    assert not sigstore.requests
    attested.policy.write_text(REQUIRING.replace("level = 2", "level = 1"))
    run.allow = frozenset({"doubts"})
    verdict = run.seal().verdict
    assert verdict.result is Result.PASSED
    assert "changes that are in no commit" in verdict.not_checked()[0].got


def test_an_outage_between_statements_is_resumed(attested: World, sigstore: Sigstore) -> None:
    from sealwright.errors import UndecidedError
    from sealwright.sandbox.sigstore import Answer

    shutil.rmtree(attested.release)
    sigstore.faults.add(Endpoint.ENTRY_V1, Answer(503), skip=3)
    run = Run(attested, sigstore)
    with pytest.raises(UndecidedError):
        run.seal()
    assert len((attested.release / LINES).read_text().splitlines()) == 1
    sigstore.faults.clear()
    assert run.seal().verdict.result is Result.PASSED
    assert sigstore.requests[Endpoint.ENTRY_V1] == 1


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ((*DEFINITION, "resolvedDependencies", 0, "digest", "gitCommit"), "f" * 40, "its commit"),
        ((*DEFINITION, "externalParameters", "repository"), "https://github.com/o/other", "its repository"),
        ((*DEFINITION, "externalParameters", "ref"), "refs/heads/main", "its ref"),
        ((*DETAILS, "metadata"), {}, ""),
    ],
)
def test_a_local_build_that_a_job_signs_is_of_that_jobs_source(
    attested: World, sigstore: Sigstore, path: tuple[Any, ...], value: Any, told: str
) -> None:
    local = "urn:sealwright:builder:local"
    attested.policy.write_text(REQUIRING.replace("level = 2", "level = 1").replace(f'"{BUILDER}" }}', f'"{local}" }}'))
    facts = BuildFacts(REPOSITORY, WORKFLOW.ref, WORKFLOW.sha, None)

    def as_local(statement: Any) -> None:
        subjects = tuple(Subject(s["name"], s["digest"]["sha256"]) for s in statement["subject"])
        statement["predicate"] = build_provenance(facts, subjects).predicate
        set_in(*path, value=value)(statement)

    replace_with(attested, sigstore, "provenance", as_local)
    if told:
        failed(attested.judge(), "attestation.provenance", told)
    else:
        assert attested.judge().result is Result.PASSED

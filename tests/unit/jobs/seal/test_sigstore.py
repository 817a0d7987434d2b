"""Sealing with Sigstore: one certificate, confirmed first, resumed after an outage, and never silently unsigned."""

import base64
import hashlib
import json
import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pypi_attestations import Attestation, Distribution
from support.forge import Forge
from support.keyless import BUILDER, ISSUER, QUICK, REQUIRING, WORKFLOW, Run, bundle_by, bundle_of, keyless_world
from support.sigstore import CONFIGS
from support.terminal import on_terminal
from support.world import PROJECT, SDIST, SUMS, VERSION, WHEEL, World

from sealwright.errors import ExitCode, PolicyError, UndecidedError, UsageError
from sealwright.jobs.seal.task import Announcement
from sealwright.model.statement import LOCAL_BUILDER
from sealwright.model.verdict import Result
from sealwright.render.text import render_sealed
from sealwright.sandbox.faults import NOT_JSON
from sealwright.sandbox.project import build_wheel
from sealwright.sandbox.rehearsal import play_build
from sealwright.sandbox.sigstore import Answer, Break, Delay, Endpoint, Lie, Sigstore, running_sigstore
from sealwright.sign.identity import read_identity
from sealwright.sign.openpgp import signer_from_file

ENTRY, CERTIFICATE, TIMESTAMP = Endpoint.ENTRY_V1, Endpoint.CERTIFICATE, Endpoint.TIMESTAMP


@pytest.fixture
def run(tmp_path: Path, sigstore: Sigstore) -> Run:
    return Run(keyless_world(tmp_path / "world", sigstore), sigstore)


def digests(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def many(run: Run, count: int) -> None:
    for number in range(2, count):
        build_wheel(run.world.dist, PROJECT, VERSION, number=str(number))


def bundles(world: World) -> int:
    return len(list(world.release.glob("*.sigstore.json")))


@pytest.mark.parametrize("config", CONFIGS)
def test_one_certificate_for_the_whole_release(run: Run, config: str) -> None:
    run.config = config
    many(run, 20)
    sealed = run.seal()
    assert (sealed.verdict.result, sealed.signers) == (Result.PASSED, {"workflow"})
    assert bundles(run.world) == 20
    assert run.sigstore.requests[CERTIFICATE] == 1
    assert run.shown[-1] == (20, 20)


def test_a_second_run_needs_nobody_and_changes_no_byte(run: Run) -> None:
    run.seal()
    before = digests(run.world.release)
    run.sigstore.faults.clear()
    again = replace(run, claims=None)
    sealed = again.seal()
    assert (sealed.written, sealed.verdict.result) == ((), Result.PASSED)
    assert digests(run.world.release) == before
    assert not run.sigstore.requests


def test_who_signs_what_is_shown_before_anything_is_sent(run: Run) -> None:
    class RefusedError(Exception):
        pass

    def refuse(announced: Announcement) -> None:
        run.announced.append(announced)
        raise RefusedError

    run.confirm = refuse
    with pytest.raises(RefusedError):
        run.seal()
    assert run.announced == [Announcement(WORKFLOW.identity, ISSUER, "sandbox", (WHEEL, SDIST))]
    assert not run.sigstore.requests, "not even a certificate, which a public log would show, too"
    assert not bundle_of(run.world.release / WHEEL).exists()


def test_no_identity(run: Run) -> None:
    run.claims = None
    with pytest.raises(UsageError) as caught:
        run.seal()
    for word in ("GitHub Actions", "GitLab", "Buildkite", "CircleCI", "--identity-token", "--no-sigstore"):
        assert word in caught.value.hint
    assert bundles(run.world) == 0


def test_an_identity_that_the_policy_does_not_list(run: Run) -> None:
    run.claims = WORKFLOW._replace(ref="refs/heads/main")
    with pytest.raises(PolicyError, match="refs/heads/main"):
        run.seal()
    assert not run.sigstore.requests


def test_a_signature_that_would_not_count_is_made_once_and_not_kept(run: Run) -> None:
    """Only the certificate can tell that the repository is another one."""
    many(run, 10)
    run.claims = WORKFLOW._replace(repository="evil/fork", job_workflow_ref=WORKFLOW.workflow_ref)
    with pytest.raises(UsageError, match="SourceRepositoryURI"):
        run.seal()
    assert bundles(run.world) == 0
    assert run.sigstore.requests[ENTRY] == 1


FAULTS = {
    "5xx": Answer(503),
    "truncated": Break.TRUNCATED,
    "dropped": Break.DROPPED,
    "endless": Break.ENDLESS,
    "rate limit": Answer(429, retry_after=1),
    "no JSON": NOT_JSON,
}


@pytest.mark.parametrize("name", FAULTS)
def test_an_outage_of_the_log_is_not_a_failure_of_the_release(run: Run, name: str) -> None:
    """What was made is kept, exit 3, and the next run goes on where it stopped."""
    many(run, 6)
    run.sigstore.faults.add(ENTRY, FAULTS[name], skip=2)
    with pytest.raises(UndecidedError) as caught:
        run.seal()
    assert "goes on where it stopped" in caught.value.hint
    made = bundles(run.world)
    assert 1 <= made < 6
    verdict = run.world.judge()
    assert verdict.exit_code is ExitCode.UNTRUSTED, "never taken for signed"
    kept = digests(run.world.release)
    run.sigstore.faults.clear()
    sealed = run.seal()
    assert sealed.verdict.result is Result.PASSED
    assert run.sigstore.requests[ENTRY] == 6 - made
    assert {name: kept[name] for name in kept} == {n: v for n, v in digests(run.world.release).items() if n in kept}


@pytest.mark.parametrize("endpoint", [ENTRY, CERTIFICATE, TIMESTAMP])
@pytest.mark.parametrize("name", ["5xx", "truncated", "dropped", "rate limit"])
def test_a_passing_fault_is_borne(run: Run, endpoint: Endpoint, name: str) -> None:
    run.sigstore.faults.add(endpoint, FAULTS[name], times=1)
    assert run.seal().verdict.result is Result.PASSED
    assert bundles(run.world) == 2
    assert run.sigstore.requests[endpoint] == (2 if endpoint is CERTIFICATE else 3)


def test_a_service_that_asks_for_more_time_than_there_is(run: Run) -> None:
    run.sigstore.faults.add(ENTRY, Answer(429, retry_after=3600))
    with pytest.raises(UndecidedError, match="could not be signed"):
        run.seal()
    assert run.sigstore.requests[ENTRY] == 1


def test_a_service_that_never_answers(run: Run) -> None:
    run.patience = QUICK._replace(attempts=1, read=0.3)
    run.sigstore.faults.add(CERTIFICATE, Delay(3))
    with pytest.raises(UndecidedError, match="no signing certificate"):
        run.seal()


def test_an_entry_that_was_made_although_its_answer_was_lost(run: Run) -> None:
    """Rekor v1 says 409 to the same entry, and where it is; nothing is logged twice."""
    run.sigstore.faults.add(ENTRY, Break.TRUNCATED, times=1)
    assert run.seal().verdict.result is Result.PASSED
    assert run.sigstore.requests[Endpoint.LOOKUP_V1] == 1


def test_without_a_timestamp_nothing_enters_the_log(run: Run) -> None:
    run.config = "rekor2-timestamps"
    run.sigstore.faults.add(TIMESTAMP, Answer(500))
    with pytest.raises(UndecidedError, match="timestamp"):
        run.seal()
    assert run.sigstore.requests[Endpoint.ENTRY_V2] == 0


@pytest.mark.parametrize(
    ("endpoint", "lie"),
    [
        (ENTRY, Lie.WRONG_PROOF), (ENTRY, Lie.OTHER_ENTRY), (CERTIFICATE, Lie.OTHER_IDENTITY), (CERTIFICATE, Lie.NO_SCT),
        (CERTIFICATE, Lie.FUTURE_CERTIFICATE), (TIMESTAMP, Lie.LATE_TIMESTAMP),
    ],
)  # fmt: skip
def test_evidence_from_a_lying_service_is_not_kept(run: Run, endpoint: Endpoint, lie: Lie) -> None:
    run.sigstore.faults.add(endpoint, lie)
    with pytest.raises((UsageError, UndecidedError)):
        run.seal()
    assert bundles(run.world) == 0


def test_a_token_that_has_expired(run: Run) -> None:
    run.token = run.sigstore.github_token(WORKFLOW, lifetime=timedelta(minutes=-10))
    with pytest.raises(UsageError, match="has expired"):
        run.seal()


def test_a_token_that_expires_before_the_certificate_is_asked_for(run: Run) -> None:
    token = run.sigstore.github_token(WORKFLOW, lifetime=timedelta(seconds=5))  # long enough to be read on any machine
    run.token, until = token, time.monotonic() + 5.1

    def wait(announced: Announcement) -> None:
        time.sleep(max(0.0, until - time.monotonic()))

    run.confirm = wait
    with pytest.raises(UndecidedError, match="no signing certificate") as caught:
        run.seal()
    assert token not in str(caught.value) + repr(caught.value.__context__)
    assert bundles(run.world) == 0


def test_a_token_that_the_instance_does_not_take(run: Run) -> None:
    with running_sigstore() as other:
        run.token = other.github_token(WORKFLOW)
    with pytest.raises(UsageError, match="was refused"):
        run.seal()


def test_another_instance_than_the_policys_is_asked_for_nothing(run: Run) -> None:
    run.world.edit_policy('sigstore-root = "root.json"', 'sigstore-root = "production"')
    with pytest.raises(UsageError, match="is another Sigstore than the one that") as caught:
        run.seal()
    assert "sigstore-root" in caught.value.hint
    assert (run.sigstore.requests[CERTIFICATE], run.announced) == (0, [])


@pytest.mark.parametrize(
    ("policy", "wrong"),
    [
        (REQUIRING, "its builder is urn:sealwright:builder:local, not https://github.com/o/r/"),
        (REQUIRING.replace(f'builder = "{BUILDER}"', f'builder = "{LOCAL_BUILDER}"'), "shows no more than level 1"),
    ],
)
def test_a_provenance_that_cannot_count_is_not_signed(run: Run, policy: str, wrong: str) -> None:
    """A build at a desk, where the policy asks for one of a workflow: the log would have it for ever."""
    run.world.policy.write_text(policy)
    run.build = lambda tag, identity: play_build(WORKFLOW, tag)._replace(run=None)
    with pytest.raises(UsageError, match="would not count") as caught:
        run.seal()
    assert wrong in caught.value.message
    assert "Nothing was signed" in caught.value.hint
    assert (run.sigstore.requests[CERTIFICATE], run.announced) == (0, [])


def test_a_certificate_that_expires_half_way_is_renewed(run: Run) -> None:
    many(run, 4)
    run.sigstore.faults.add(CERTIFICATE, Lie.EXPIRED_CERTIFICATE, times=1)
    run.renew = run.identity
    assert run.seal().verdict.result is Result.PASSED
    assert run.sigstore.requests[CERTIFICATE] == 2


def test_a_certificate_that_cannot_be_renewed(run: Run) -> None:
    run.sigstore.faults.add(CERTIFICATE, Lie.EXPIRED_CERTIFICATE)
    with pytest.raises(UndecidedError, match="expired before everything was signed"):
        run.seal()
    run.renew = lambda: read_identity(run.sigstore.email_token("mallory@example.com"))
    with pytest.raises(UndecidedError, match="the identity has changed"):
        run.seal()


def test_two_signers_of_two_kinds_one_after_the_other(run: Run, keys: Forge) -> None:
    """The workflow leaves the OpenPGP signature to Alice, who adds hers to the folder, and needs no identity."""
    world = run.world
    world.edit_policy("signers = 1\nopenpgp = 0", "signers = 2\nopenpgp = 1")
    listed = f'\n[[signer]]\nname = "alice"\n[[signer.openpgp]]\nfingerprint = "{keys.alice}"\n'
    world.policy.write_text(world.policy.read_text() + listed)
    (world.folder / "keys" / f"{keys.alice}.asc").write_bytes(keys.public(keys.alice))
    with pytest.raises(UsageError, match="requires an OpenPGP signature"):
        run.seal()
    run.left = frozenset({"openpgp"})
    first = run.seal()
    assert (first.waiting, first.exit_code(require_complete=False)) == (True, ExitCode.DONE)
    assert first.exit_code(require_complete=True) is ExitCode.UNTRUSTED
    assert "1 more of: alice" in (said := render_sealed(first.verdict, first.waiting))
    assert "sealwright seal --openpgp-key FINGERPRINT" in said
    secret = keys.secret(keys.alice)
    alice = replace(run, claims=None, left=frozenset())
    second = alice.seal(dist=False, opener=lambda: signer_from_file(keys.home.program, secret, lambda _: ""))
    assert second.verdict.result is Result.PASSED
    assert second.signers == {"alice", "workflow"}
    (world.release / f"{SUMS}.asc").unlink()
    assert world.judge().exit_code is ExitCode.MISSING


BOB = '[[signer.sigstore]]\nidentity = "bob@example.com"\noidc-issuer = "https://accounts.example.invalid"\n'


def test_a_second_keyless_signer_signs_though_the_first_is_enough_sigstore(run: Run) -> None:
    """`sigstore = 1` is a least number: two signers are asked for, and who comes second is no bystander."""
    run.world.edit_policy("signers = 1\n", "signers = 2\n")
    run.world.policy.write_text(f'{run.world.policy.read_text()}\n[[signer]]\nname = "bob"\n{BOB}')
    first = run.seal()
    assert first.waiting
    said = render_sealed(first.verdict, first.waiting)
    assert "1 more of: bob" in said
    assert "sealwright seal --no-openpgp with Sigstore" in said
    again = replace(run, claims=None).seal()
    assert (again.waiting, again.written) == (True, ()), "a second run of the first signer needs nobody"
    bob = replace(run, token=run.sigstore.email_token("bob@example.com")).seal(dist=False)
    assert bob.written == (f"{WHEEL}.2.sigstore.json", f"{SDIST}.2.sigstore.json")
    assert (bob.signers, bob.verdict.result) == ({"bob"}, Result.PASSED)


def test_one_person_with_a_key_and_an_address_is_one_signer(run: Run, keys: Forge) -> None:
    world = run.world
    world.edit_policy("signers = 1\nopenpgp = 0", "signers = 2\nopenpgp = 1")
    world.edit_policy('name = "workflow"\n', f'name = "workflow"\n[[signer.openpgp]]\nfingerprint = "{keys.alice}"\n')
    world.policy.write_text(
        world.policy.read_text()
        + '\n[[signer]]\nname = "bob"\n[[signer.sigstore]]\nidentity = "bob@example.com"\noidc-issuer = "https://b.example"\n'
    )
    (world.folder / "keys" / f"{keys.alice}.asc").write_bytes(keys.public(keys.alice))
    secret = keys.secret(keys.alice)
    sealed = run.seal(opener=lambda: signer_from_file(keys.home.program, secret, lambda _: ""))
    assert (sealed.waiting, sealed.verdict.exit_code) == (True, ExitCode.UNTRUSTED)
    assert [c.id for c in sealed.verdict.failed()] == ["signers.threshold"]


def test_signers_enough_and_a_kind_that_is_missing(run: Run, keys: Forge) -> None:
    """With exit code 0 goes no headline that reads as if all were done, and the next step is one that can be taken."""
    world = run.world
    world.edit_policy("openpgp = 0", "openpgp = 1")
    world.edit_policy('name = "workflow"\n', f'name = "workflow"\n[[signer.openpgp]]\nfingerprint = "{keys.alice}"\n')
    (world.folder / "keys" / f"{keys.alice}.asc").write_bytes(keys.public(keys.alice))
    secret = keys.secret(keys.alice)
    run.left = frozenset({"sigstore"})
    sealed = run.seal(opener=lambda: signer_from_file(keys.home.program, secret, lambda _: ""))
    said = render_sealed(sealed.verdict, sealed.waiting)
    assert said.startswith("SEALED BY 1 OF 1, WITHOUT SIGSTORE (in a sandbox)")
    assert "sealwright seal --no-openpgp" in said
    assert "0 more of" not in said
    assert "--openpgp-key" not in said


def test_a_signed_artifact_is_never_replaced(run: Run) -> None:
    run.seal()
    (run.world.dist / WHEEL).unlink()
    from sealwright.sandbox.project import build_wheel

    content = build_wheel(run.world.dist, "tiny-project", "1.2.3").read_bytes()
    (run.world.dist / SDIST).unlink()
    (run.world.dist / WHEEL).write_bytes(content)
    with pytest.raises(UsageError, match="not among the artifacts"):
        run.seal()


def test_pep_740_attestations_lie_where_they_are_uploaded_from(run: Run) -> None:
    run.attestations = run.world.dist
    sealed = run.seal()
    assert sealed.verdict.result is Result.PASSED
    assert run.sigstore.requests[CERTIFICATE] == 1
    for name in (WHEEL, SDIST):
        attestation = Attestation.model_validate_json((run.world.dist / f"{name}.publish.attestation").read_bytes())
        assert attestation.statement["subject"][0]["name"] == name
        assert attestation.statement["predicateType"] == "https://docs.pypi.org/attestations/publish/v1"
    before = digests(run.world.dist)
    assert replace(run, claims=None).seal().written == ()
    assert digests(run.world.dist) == before
    wheel, sdist = (run.world.dist / f"{name}.publish.attestation" for name in (WHEEL, SDIST))
    wheel.write_bytes(sdist.read_bytes())
    assert run.seal().written == (wheel.name,), "one that is about another file is made anew"
    assert Attestation.model_validate_json(wheel.read_bytes()).statement["subject"][0]["name"] == WHEEL


def test_an_attestation_is_about_the_bytes_that_were_collected(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever changes an artifact in the release folder meanwhile gets no statement about their bytes into the log."""
    run.attestations = run.world.dist
    attested: list[Distribution] = []
    sign = Attestation.sign

    def record(signer: Any, distribution: Distribution) -> Attestation:
        attested.append(distribution)
        return sign(signer, distribution)

    def change(done: int, total: int) -> None:
        (run.world.release / WHEEL).write_bytes(b"other bytes")

    monkeypatch.setattr(Attestation, "sign", record)
    run.show = change
    run.seal()
    collected = {name: hashlib.sha256((run.world.dist / name).read_bytes()).hexdigest() for name in (WHEEL, SDIST)}
    assert {each.name: each.digest for each in attested} == collected


def test_pep_740_needs_the_older_log(run: Run) -> None:
    run.config, run.attestations = "rekor2-timestamps", run.world.dist
    with pytest.raises(UsageError, match="Rekor v1, which a PEP 740 attestation needs"):
        run.seal()
    assert not run.announced


def test_a_stranger_cannot_seal_what_a_listed_signer_has_not(run: Run) -> None:
    with pytest.raises(UsageError, match="no release that was begun"):
        run.seal(dist=False)


# The command itself, with the environment of a CI job.


def command(run: Run, *more: str, env: dict[str, str] | None = None, **options: Any) -> Any:
    run.sigstore.write_trust_config(run.world.folder / "sigstore.json")
    arguments = ["seal", "dist", "--trust-config", "sigstore.json", *more]
    clean = {"GITHUB_ACTIONS": "", "ACTIONS_ID_TOKEN_REQUEST_URL": "", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""}
    return run.world.run("sealwright", *arguments, env=clean | (env or {}), **options)


def test_ambient_identity_in_github_actions(run: Run) -> None:
    job = run.sigstore.github_environment(WORKFLOW)
    refused = command(run, env=job)
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    done = command(run, "--yes", env=job)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[1].startswith("SEALED (in a sandbox)")
    assert f"Signing as {WORKFLOW.identity}" in done.stderr
    assert "with Sigstore (sigstore.json)" in done.stderr
    assert job["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] not in done.stdout + done.stderr


def test_a_job_without_the_permission(run: Run) -> None:
    done = command(run, "--yes", env={"GITHUB_ACTIONS": "true"})
    assert done.returncode == 2
    assert "id-token: write" in done.stderr


def test_a_job_that_gets_no_token_just_now(run: Run) -> None:
    run.sigstore.faults.add(Endpoint.AMBIENT, Answer(500, b'{"secret": "leaked"}'))
    done = command(run, "--yes", env=run.sigstore.github_environment(WORKFLOW))
    assert done.returncode == 3
    assert "leaked" not in done.stderr


@pytest.mark.parametrize(("variable", "program"), [("BUILDKITE", "buildkite-agent"), ("CIRCLECI", "circleci")])
def test_a_job_whose_agent_fails_and_says_too_much(run: Run, variable: str, program: str) -> None:
    agent = run.world.folder / "bin" / program
    agent.parent.mkdir()
    agent.write_text("#!/bin/sh\necho eyJ-canary\necho eyJ-canary >&2\nexit 1\n")
    agent.chmod(0o755)
    done = command(run, "--yes", env={variable: "true", "PATH": f"{agent.parent}{os.pathsep}{os.environ['PATH']}"})
    assert done.returncode == 3
    assert "encountered an error" in done.stderr
    assert "canary" not in done.stdout + done.stderr


@pytest.mark.parametrize("claim", [{"iss": 5}, {"iss": True}, {"iss": None}])
def test_a_token_whose_issuer_is_no_text(run: Run, claim: dict[str, Any]) -> None:
    now = int(time.time())
    claims = {"aud": "sigstore", "sub": "x", "iat": now, "exp": now + 600} | claim
    parts = ({"alg": "HS256", "typ": "JWT"}, claims, {})
    token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    (run.world.folder / "token").write_text(token)
    done = command(run, "--yes", "--identity-token", "token")
    assert (done.returncode, "internal error" in done.stderr) == (2, False)
    assert token not in done.stderr


def test_a_token_from_a_file_and_from_standard_input(run: Run) -> None:
    token = run.sigstore.github_token(WORKFLOW)
    (run.world.folder / "token").write_text(token + "\n")
    assert command(run, "--identity-token", "token", "--yes", "--out", "one").returncode == 0
    done = command(run, "--identity-token", "-", "--yes", "--out", "two", input=token)
    assert done.returncode == 0, done.stderr
    assert token not in done.stdout + done.stderr
    assert command(run, "--identity-token", "-", "--yes", "--out", "three", input="x").returncode == 2


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 130), ("", 130)])
def test_a_person_confirms_on_a_terminal(run: Run, answer: str, code: int) -> None:
    run.sigstore.write_trust_config(run.world.folder / "sigstore.json")
    (run.world.folder / "token").write_text(run.sigstore.github_token(WORKFLOW))
    arguments = ["seal", "dist", "--trust-config", "sigstore.json", "--identity-token", "token"]
    env = {"PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH")]))}
    done, screen = on_terminal(
        ["sealwright.cli.main", *arguments], run.world.folder, env, {"Publish these entries?": answer}, echo=True
    )
    assert done == code, screen
    assert "public and never forgets" in screen
    assert (run.sigstore.requests[ENTRY] > 0) == (code == 0)


def test_an_outage_is_told_on_a_line_of_its_own(run: Run) -> None:
    many(run, 4)
    run.sigstore.faults.add(ENTRY, Answer(429, retry_after=3600), skip=2)
    run.sigstore.write_trust_config(run.world.folder / "sigstore.json")
    (run.world.folder / "token").write_text(run.sigstore.github_token(WORKFLOW))
    arguments = ["seal", "dist", "--trust-config", "sigstore.json", "--identity-token", "token", "--yes"]
    code, screen = on_terminal(["sealwright.cli.main", *arguments], run.world.folder, {}, {})
    assert code == 3, screen
    assert "\r  signed 2 of 4\x1b[K\r\x1b[Ksealwright: error: " in screen
    piped = command(run, "--yes", "--identity-token", "token")
    assert "\r" not in piped.stdout + piped.stderr


def test_options_that_contradict_each_other(run: Run) -> None:
    assert command(run, "--no-sigstore", "--identity-token", "x").returncode == 2
    assert command(run, "--identity-token", "-", "--openpgp-key-file", "-").returncode == 2
    assert command(run, "--no-sigstore", "--pypi-attestations", "dist").returncode == 2
    done = command(run, "--no-sigstore")
    assert done.returncode != 0, "nobody has signed anything"
    assert bundles(run.world) == 0


def test_the_instance_comes_from_the_policy_unless_one_is_named(run: Run) -> None:
    arguments = ["seal", "dist", "--yes"]
    done = run.world.run("sealwright", *arguments, env=run.sigstore.github_environment(WORKFLOW))
    assert done.returncode == 2
    assert "--trust-config" in done.stderr


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"mediaType": "x"}', '{"trustedRoot": 1}'])
def test_what_is_no_trust_config(run: Run, content: str) -> None:
    (run.world.folder / "bad.json").write_text(content)
    done = run.world.run(
        "sealwright",
        "seal",
        "dist",
        "--yes",
        "--trust-config",
        "bad.json",
        env=run.sigstore.github_environment(WORKFLOW),
    )
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "bad.json" in done.stderr


def test_a_canary_token_is_in_no_file(run: Run) -> None:
    token = run.sigstore.github_token(WORKFLOW)
    (run.world.folder.parent / "token").write_text(token)
    done = command(run, "--identity-token", "../token", "--yes", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["trustedRoot"]["sandbox"] is True
    signature = token.split(".")[2]
    assert signature not in done.stdout + done.stderr
    for path in run.world.folder.rglob("*"):
        assert not path.is_file() or signature.encode() not in path.read_bytes(), path


def test_a_bundle_of_somebody_else_stays_beside_ours(run: Run) -> None:
    """Whoever wrote it: it is not overwritten, and ours gets a name of its own."""
    run.seal()
    strange = bundle_by(run.sigstore, (run.world.dist / WHEEL).read_bytes(), WORKFLOW._replace(ref="refs/heads/x"))
    bundle_of(run.world.release / WHEEL).write_bytes(strange)
    sealed = run.seal()
    assert sealed.written == (f"{WHEEL}.2.sigstore.json",)
    assert sealed.verdict.result is Result.PASSED
    assert bundle_of(run.world.release / WHEEL).read_bytes() == strange

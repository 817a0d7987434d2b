"""Sigstore evidence of a release: what counts for whom, and every way in which it must not."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples
from support.keyless import ISSUER, REPOSITORY, WORKFLOW, Run, bundle_by, bundle_of, keyless_world
from support.mutation import spoil, walk
from support.sigstore import CONFIGS, client, statement
from support.world import SDIST, WHEEL, World

from sealwright.errors import ExitCode, UsageError
from sealwright.model.claims import CLAIMS
from sealwright.model.trusted_root import TrustedRootFile
from sealwright.model.verdict import Outcome, Result, Verdict
from sealwright.sandbox.sigstore import Endpoint, GitHubClaims, Lie, Sigstore, running_sigstore
from sealwright.verify.bundle import open_verifier


@pytest.fixture(scope="session")
def templates(running_all_along: Sigstore, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same release, sealed once with each kind of log."""
    running_all_along.faults.clear()
    made = {}
    for name in CONFIGS:
        world = keyless_world(tmp_path_factory.mktemp(name) / "world", running_all_along)
        assert Run(world, running_all_along, config=name).seal().verdict.result is Result.PASSED
        made[name] = world.folder
    return made


@pytest.fixture(params=CONFIGS)
def each(request: pytest.FixtureRequest, templates: dict[str, Path], tmp_path: Path) -> World:
    shutil.copytree(templates[request.param], tmp_path / "world")
    return World(tmp_path / "world")


@pytest.fixture
def keyless(templates: dict[str, Path], tmp_path: Path) -> World:
    shutil.copytree(templates["rekor1-timestamps"], tmp_path / "world")
    return World(tmp_path / "world")


def refused(verdict: Verdict, told: str, *, code: ExitCode = ExitCode.UNTRUSTED) -> None:
    """It does not count, nobody else does, and the reason is told."""
    assert verdict.exit_code is code
    assert not any(signer.counted for signer in verdict.signers)
    ids = {check.id for check in verdict.failed()}
    assert {"signers.threshold", "sigstore.threshold", "sigstore.evidence"} <= ids
    said = " ".join(check.got for check in verdict.reported() if check.id == "sigstore.signature")
    assert told in said, said


def test_wheel_and_sdist_verify(each: World) -> None:
    verdict = each.judge()
    assert (verdict.result, verdict.exit_code) == (Result.PASSED, ExitCode.DONE)
    assert verdict.signers[0].identities == (WORKFLOW.identity,)
    assert verdict.root
    assert verdict.root.sandbox
    passed = [check.subject for check in verdict.checks if check.id == "sigstore.signature"]
    assert passed == [f"{WHEEL}.sigstore.json", f"{SDIST}.sigstore.json"]


def test_another_byte(each: World) -> None:
    content = bytearray((each.release / WHEEL).read_bytes())
    content[len(content) // 2] ^= 1
    (each.release / WHEEL).write_bytes(content)
    verdict = each.judge()
    refused(verdict, "digest", code=ExitCode.TAMPERED)
    assert not [c for c in verdict.checks if c.id == "artifact.metadata" and c.subject == WHEEL], "never opened"


def test_another_artifacts_bundle(each: World) -> None:
    shutil.copy(bundle_of(each.release / SDIST), bundle_of(each.release / WHEEL))
    refused(each.judge(), "digest mismatch")


def test_a_bundle_that_is_gone(each: World) -> None:
    bundle_of(each.release / SDIST).unlink()
    verdict = each.judge()
    assert verdict.exit_code is ExitCode.UNTRUSTED
    assert {c.id for c in verdict.failed()} == {"evidence.present", "signers.threshold", "sigstore.threshold"}


STRANGERS: dict[str, tuple[GitHubClaims, str]] = {
    "other workflow": (WORKFLOW._replace(workflow=".github/workflows/other.yml"), "does not list"),
    "other issuer": (WORKFLOW._replace(issuer="https://issuer.invalid"), "does not list"),
    "other repository": (WORKFLOW._replace(repository="o/other"), "does not list"),
    "other source of a shared workflow": (
        WORKFLOW._replace(repository="evil/fork", job_workflow_ref=WORKFLOW.workflow_ref), "OIDCSourceRepositoryURI",
    ),
    "other ref": (WORKFLOW._replace(ref="refs/heads/main"), "does not list"),
    "other ref of the same workflow": (
        WORKFLOW._replace(ref="refs/heads/main", job_workflow_ref=WORKFLOW.workflow_ref), "OIDCSourceRepositoryRef",
    ),
    "other tag": (WORKFLOW._replace(ref="refs/tags/v1.2.4"), "does not list"),
    "longer": (WORKFLOW._replace(ref="refs/tags/v1.2.30"), "does not list"),
    "shorter": (WORKFLOW._replace(ref="refs/tags/v1.2"), "does not list"),
    "with something before": (WORKFLOW._replace(repository="oo/r"), "does not list"),
    "in capitals": (WORKFLOW._replace(repository="O/R"), "does not list"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGERS)
def test_somebody_else(keyless: World, sigstore: Sigstore, name: str) -> None:
    claims, told = STRANGERS[name]
    with running_sigstore(github_issuers=(ISSUER, "https://issuer.invalid")) as other:
        other.write_trusted_root(keyless.folder / "keys" / "root.json")
        for file in (WHEEL, SDIST):
            good = bundle_by(other, (keyless.release / file).read_bytes(), WORKFLOW)
            bundle_of(keyless.release / file).write_bytes(good)
        assert keyless.judge().result is Result.PASSED
        bad = bundle_by(other, (keyless.release / WHEEL).read_bytes(), claims)
    bundle_of(keyless.release / WHEEL).write_bytes(bad)
    refused(keyless.judge(), told)


def test_a_person_with_the_workflows_name(keyless: World, sigstore: Sigstore) -> None:
    with client(sigstore).signer(sigstore.email_token("alice@example.com")) as signer:
        bundle = signer.sign_artifact((keyless.release / WHEEL).read_bytes()).to_json()
    bundle_of(keyless.release / WHEEL).write_text(bundle)
    refused(keyless.judge(), "by alice@example.com (as https://accounts.example.invalid says), which the policy does")


def test_the_evidence_of_another_sigstore(keyless: World) -> None:
    """The same identity, vouched for by an authority that the policy does not trust."""
    with running_sigstore() as other:
        bundle = bundle_by(other, (keyless.release / WHEEL).read_bytes(), WORKFLOW)
    bundle_of(keyless.release / WHEEL).write_bytes(bundle)
    refused(keyless.judge(), "certificate")


def test_the_public_root_does_not_know_a_sandbox(keyless: World) -> None:
    keyless.edit_policy('sigstore-root = "root.json"', 'sigstore-root = "production"')
    verdict = keyless.judge()
    assert verdict.exit_code is ExitCode.UNTRUSTED
    assert verdict.root
    assert not any(signer.counted for signer in verdict.signers)


LIES: list[tuple[Endpoint, Lie, str]] = [
    (Endpoint.CERTIFICATE, Lie.NO_SCT, "signed certificate timestamp"),
    (Endpoint.CERTIFICATE, Lie.WRONG_SCT, "SCT"),
    (Endpoint.CERTIFICATE, Lie.FUTURE_CERTIFICATE, "failed to build timestamp certificate chain"),
    (Endpoint.CERTIFICATE, Lie.OTHER_IDENTITY, "mallory@example.invalid"),
    (Endpoint.ENTRY_V1, Lie.WRONG_PROOF, "inclusion proof"),
    (Endpoint.ENTRY_V1, Lie.FOREIGN_CHECKPOINT, "checkpoint"),
    (Endpoint.ENTRY_V1, Lie.OTHER_CHECKPOINT, "root hash"),
    (Endpoint.ENTRY_V1, Lie.WRONG_PROMISE, "inclusion promise"),
    (Endpoint.ENTRY_V1, Lie.OTHER_ENTRY, "inconsistent"),
    (Endpoint.ENTRY_V2, Lie.WRONG_PROOF, "inclusion proof"),
    (Endpoint.ENTRY_V2, Lie.OTHER_ENTRY, "inconsistent"),
    (Endpoint.TIMESTAMP, Lie.OTHER_TIMESTAMP, "not enough sources of verified time"),
    (Endpoint.TIMESTAMP, Lie.LATE_TIMESTAMP, "failed to build timestamp certificate chain"),
]


@pytest.mark.parametrize(("endpoint", "lie", "told"), LIES)
def test_evidence_that_a_service_lied_about(
    keyless: World, sigstore: Sigstore, monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint, lie: Lie, told: str
) -> None:
    monkeypatch.setattr("sigstore.sign.verify_sct", lambda *_: None)  # a signer who does not look
    v2 = endpoint is Endpoint.ENTRY_V2 or lie is Lie.OTHER_TIMESTAMP
    sigstore.faults.add(endpoint, lie)
    content = (keyless.release / WHEEL).read_bytes()
    bundle = bundle_by(sigstore, content, WORKFLOW, "rekor2-timestamps" if v2 else "rekor1-timestamps")
    bundle_of(keyless.release / WHEEL).write_bytes(bundle)
    refused(keyless.judge(), told)


def test_a_log_entry_of_another_bundle(each: World) -> None:
    wheel, sdist = (json.loads(bundle_of(each.release / name).read_text()) for name in (WHEEL, SDIST))
    wheel["verificationMaterial"]["tlogEntries"] = sdist["verificationMaterial"]["tlogEntries"]
    bundle_of(each.release / WHEEL).write_text(json.dumps(wheel))
    refused(each.judge(), "")


def test_stripped_timestamps(templates: dict[str, Path], tmp_path: Path) -> None:
    """Without one, Rekor v2 proves no time; Rekor v1 has a signed time of its own."""
    for name, passes in (("rekor1-timestamps", True), ("rekor2-timestamps", False)):
        shutil.copytree(templates[name], tmp_path / name)
        world = World(tmp_path / name)
        bundle = json.loads(bundle_of(world.release / WHEEL).read_text())
        bundle["verificationMaterial"]["timestampVerificationData"] = {}
        bundle_of(world.release / WHEEL).write_text(json.dumps(bundle))
        verdict = world.judge()
        assert (verdict.result is Result.PASSED) == passes
        if not passes:
            refused(verdict, "inclusion promise or signed timestamp")


def test_a_statement_is_no_signature_of_the_file(keyless: World, sigstore: Sigstore) -> None:
    """A provenance by the same workflow says where the file is from; it does not release it."""
    with client(sigstore).signer(sigstore.github_token(WORKFLOW)) as signer:
        bundle = signer.sign_dsse(statement((keyless.release / WHEEL).read_bytes())).to_json()
    bundle_of(keyless.release / WHEEL).write_text(bundle)
    refused(keyless.judge(), "message signature")


@pytest.mark.parametrize(("version", "tag"), [("1.0.0", "1.0"), ("1.0", "1.0.0"), ("1.0.0rc1", "1.0.0-RC1")])
def test_a_tag_that_spells_the_version_another_way(tmp_path: Path, sigstore: Sigstore, version: str, tag: str) -> None:
    """{version} is the spelling of the metadata, so what was signed for another spelling is another release."""
    world = keyless_world(tmp_path / "world", sigstore, version=version)
    assert Run(world, sigstore, WORKFLOW._replace(ref=f"refs/tags/v{version}")).seal().verdict.result is Result.PASSED
    for file in world.dist.iterdir():
        claims = WORKFLOW._replace(ref=f"refs/tags/v{tag}")
        bundle_of(world.release / file.name).write_bytes(bundle_by(sigstore, file.read_bytes(), claims))
    refused(world.judge(asked=None), "does not list")


def test_a_local_version_is_another_version(tmp_path: Path, sigstore: Sigstore) -> None:
    world = keyless_world(tmp_path / "world", sigstore, version="1.2.3+local")
    run = Run(world, sigstore, WORKFLOW._replace(ref="refs/tags/v1.2.3+local"))
    assert run.seal().verdict.result is Result.PASSED
    assert world.judge(asked="tiny-project==1.2.3").exit_code is ExitCode.TAMPERED
    for file in world.dist.iterdir():
        bundle_of(world.release / file.name).write_bytes(bundle_by(sigstore, file.read_bytes(), WORKFLOW))
    refused(world.judge(asked=None), "does not list")


ASKED = {
    "source-digest": WORKFLOW.sha,
    "source-repository-id": WORKFLOW.repository_id,
    "source-visibility": "public",
    "source-owner": "https://github.com/o",
    "source-owner-id": WORKFLOW.repository_owner_id,
    "build-signer": WORKFLOW.identity.replace("1.2.3", "{version}"),
    "build-signer-digest": WORKFLOW.sha,
    "build-config": WORKFLOW.identity.replace("1.2.3", "{version}"),
    "build-config-digest": WORKFLOW.sha,
    "build-trigger": "push",
    "run-invocation": f"{REPOSITORY}/actions/runs/{WORKFLOW.run_id}/attempts/1",
    "runner-environment": "github-hosted",
    "github-workflow-trigger": "push",
    "github-workflow-sha": WORKFLOW.sha,
    "github-workflow-name": "release",
    "github-workflow-repository": "o/r",
    "github-workflow-ref": "refs/tags/v{version}",
}


@pytest.mark.parametrize("key", [kind.key for kind in CLAIMS if kind.key not in ("source-repository", "source-ref")])
def test_every_claim_that_the_policy_names(keyless: World, key: str) -> None:
    policy = keyless.policy.read_text()
    keyless.policy.write_text(f'{policy}{key} = "{ASKED[key]}"\n')
    assert keyless.judge().result is Result.PASSED
    keyless.policy.write_text(f'{policy}{key} = "{ASKED[key].replace("{version}", "1.2.3")}x"\n')
    refused(keyless.judge(), "does not match")


def test_a_claim_that_the_certificate_does_not_make(keyless: World, sigstore: Sigstore) -> None:
    """A person's certificate says nothing of a repository: an absent claim is no match."""
    listed = 'identity = "alice@example.com"\noidc-issuer = "https://accounts.example.invalid"\nsource-owner-id = "1"\n'
    keyless.policy.write_text(
        keyless.policy.read_text().split("[[signer.sigstore]]")[0] + f"[[signer.sigstore]]\n{listed}"
    )
    with client(sigstore).signer(sigstore.email_token("alice@example.com")) as signer:
        for name in (WHEEL, SDIST):
            bundle = signer.sign_artifact((keyless.release / name).read_bytes()).to_json()
            bundle_of(keyless.release / name).write_text(bundle)
    refused(keyless.judge(), "does not contain")
    keyless.policy.write_text(keyless.policy.read_text().replace('source-owner-id = "1"\n', ""))
    assert keyless.judge().result is Result.PASSED


def add_bob(world: World, name: str = "bob") -> None:
    more = f'\n[[signer]]\nname = "{name}"\n[[signer.sigstore]]\nidentity = "bob@example.com"\n'
    world.policy.write_text(world.policy.read_text() + more + 'oidc-issuer = "https://accounts.example.invalid"\n')


def sign_as_bob(world: World, sigstore: Sigstore, number: int = 2, names: tuple[str, ...] = (WHEEL, SDIST)) -> None:
    with client(sigstore).signer(sigstore.email_token("bob@example.com")) as signer:
        for name in names:
            bundle = signer.sign_artifact((world.release / name).read_bytes()).to_json()
            (world.release / f"{name}.{number}.sigstore.json").write_text(bundle)


def test_two_signers_have_a_bundle_each(keyless: World, sigstore: Sigstore) -> None:
    keyless.edit_policy("signers = 1\nopenpgp = 0\nsigstore = 1", "signers = 2\nopenpgp = 0\nsigstore = 2")
    add_bob(keyless)
    alone = keyless.judge()
    assert alone.exit_code is ExitCode.UNTRUSTED
    assert {c.id for c in alone.failed()} == {"signers.threshold", "sigstore.threshold"}
    sign_as_bob(keyless, sigstore, names=(WHEEL,))
    assert keyless.judge().exit_code is ExitCode.UNTRUSTED, "Bob covers one of two"
    sign_as_bob(keyless, sigstore)
    assert keyless.judge().result is Result.PASSED


def test_one_signers_bundle_twice_is_one_signer(keyless: World) -> None:
    keyless.edit_policy("signers = 1\nopenpgp = 0\nsigstore = 1", "signers = 2\nopenpgp = 0\nsigstore = 2")
    add_bob(keyless)
    for name in (WHEEL, SDIST):
        shutil.copy(bundle_of(keyless.release / name), keyless.release / f"{name}.2.sigstore.json")
    assert keyless.judge().exit_code is ExitCode.UNTRUSTED


def test_one_identity_never_counts_for_two_signers(keyless: World) -> None:
    """The second entry is another text, and expands to the same identity in this version."""
    keyless.edit_policy("signers = 1\nopenpgp = 0\nsigstore = 1", "signers = 2\nopenpgp = 0\nsigstore = 2")
    entry = keyless.policy.read_text().split("[[signer.sigstore]]")[1].replace("{version}", "1.2.3")
    keyless.policy.write_text(f'{keyless.policy.read_text()}\n[[signer]]\nname = "twin"\n[[signer.sigstore]]{entry}')
    for name in (WHEEL, SDIST):
        shutil.copy(bundle_of(keyless.release / name), keyless.release / f"{name}.2.sigstore.json")
    assert keyless.judge().exit_code is ExitCode.UNTRUSTED


def test_a_bad_bundle_beside_a_good_one_is_told_and_costs_nothing(keyless: World) -> None:
    (keyless.release / f"{WHEEL}.2.sigstore.json").write_text("{}")
    verdict = keyless.judge()
    assert verdict.result is Result.PASSED
    assert [c.subject for c in verdict.reported()] == [f"{WHEEL}.2.sigstore.json"]


def test_any_identity_of_a_signer_will_do(keyless: World, sigstore: Sigstore) -> None:
    more = '\n[[signer.sigstore]]\nidentity = "bob@example.com"\noidc-issuer = "https://accounts.example.invalid"\n'
    keyless.policy.write_text(keyless.policy.read_text() + more)
    bundle_of(keyless.release / WHEEL).unlink()
    sign_as_bob(keyless, sigstore, names=(WHEEL,))
    (keyless.release / f"{WHEEL}.2.sigstore.json").rename(bundle_of(keyless.release / WHEEL))
    verdict = keyless.judge()
    assert verdict.result is Result.PASSED
    assert verdict.signers[0].identities == ("bob@example.com", WORKFLOW.identity)


def test_bundles_that_nobody_asked_for_are_not_checked(keyless: World) -> None:
    for name in ("nothing.whl.sigstore.json", f"{WHEEL}.1.sigstore.json", f"{WHEEL}.100.sigstore.json"):
        (keyless.release / name).write_text("{}")
    verdict = keyless.judge()
    assert verdict.result is Result.PASSED
    assert len(verdict.not_checked()) == 3


def test_a_policy_without_sigstore_never_loads_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: Any) -> None:
        raise AssertionError("sigstore was asked")

    monkeypatch.setattr("sealwright.verify.keyless.check_keyless", explode)
    (world.release / f"{WHEEL}.sigstore.json").write_text("{}")
    verdict = world.judge()
    assert verdict.result is Result.PASSED
    assert "lists no Sigstore identity" in verdict.not_checked()[0].got


@pytest.mark.parametrize("spoilt", [b"", b"{}", b"null", b"[]", b"\xff", b'{"mediaType": "x"}', b"[" * 100_000])
def test_what_is_no_trusted_root(spoilt: bytes) -> None:
    with pytest.raises(UsageError, match="no trusted root"):
        open_verifier(TrustedRootFile("it", spoilt))


def test_a_root_whose_logs_have_ended_is_said_to_be_past_its_use(keyless: World) -> None:
    path = keyless.folder / "keys" / "root.json"
    root = json.loads(path.read_text())
    for log in root["tlogs"]:
        log["publicKey"]["validFor"]["end"] = "2026-11-01T00:00:00Z"
    path.write_text(json.dumps(root))
    described = keyless.judge(now=datetime(2026, 12, 1, tzinfo=UTC)).root
    assert described
    assert described.ended


Change = Callable[[Any], None]


@pytest.fixture(scope="session")
def counts(templates: dict[str, Path], running_all_along: Sigstore) -> Callable[[bytes], bool]:
    """Whether a bundle counts for the wheel."""
    from packaging.version import Version

    from sealwright.model.policy_toml import parse_policy
    from sealwright.model.release import Release, ReleaseFile
    from sealwright.verify.sigstore import check_sigstore

    world = World(templates["rekor1-timestamps"])
    policy = parse_policy(world.policy.read_bytes())
    root = TrustedRootFile("root", running_all_along.trusted_root_json())
    wheel = next(a for a in world.judge().artifacts if a.name == WHEEL)

    def judge(content: bytes, sha256: str = wheel.sha256) -> bool:
        files = (
            ReleaseFile(WHEEL, 0, sha256),
            ReleaseFile(f"{WHEEL}.sigstore.json", len(content), "", content=content),
        )
        found = check_sigstore(Release("r", files), (WHEEL,), policy, Version("1.2.3"), root)
        assert len(found.checks) == 1
        assert (found.checks[0].outcome is Outcome.PASS) == bool(found.signed)
        assert not found.signed or found.signed[0].by == WORKFLOW.identity
        return bool(found.signed)

    return judge


@pytest.mark.parametrize("name", CONFIGS)
def test_mutations_never_change_the_meaning(templates: dict[str, Path], counts: Callable[..., bool], name: str) -> None:
    """Any value replaced, dropped or changed: it fails, or it still says the same of the same file, and of no other."""
    document = json.loads(bundle_of(World(templates[name]).release / WHEEL).read_text())
    paths = list(walk(document))

    @examples(100)
    @given(data=st.data())
    def mutate(data: st.DataObject) -> None:
        changed = json.loads(json.dumps(document))
        spoil(changed, data.draw(st.sampled_from(paths)), data)
        content = json.dumps(changed).encode()
        counts(content)
        assert not counts(content, "0" * 64), "never for another file"

    mutate()

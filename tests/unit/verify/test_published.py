"""A release that carries PEP 740 attestations and nothing else: each way to make them say more than they do is refused."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.forge import Forge
from support.keyless import POLICY, REPOSITORY, WORKFLOW, Run, bundle_by, bundle_of
from support.publishing import Attested, tampered
from support.sigstore import client
from support.world import PROJECT, SDIST, SUMS, WHEEL, World, build

from sealwright.errors import ExitCode
from sealwright.model.verdict import Check, Outcome, Result, Verdict
from sealwright.sandbox.places import GitHubPublisher, GitLabPublisher, build_provenance, publisher_of
from sealwright.sandbox.sigstore import Endpoint, GitHubClaims, Sigstore

LISTED = 'tag = "v{version}"\nevidence = ["publish-attestations"]\n'
PUBLISHED = "https://docs.pypi.org/attestations/publish/v1"
OURS = publisher_of(WORKFLOW)


@pytest.fixture
def bare(attested: Attested, tmp_path: Path) -> Attested:
    """The wheel and the sdist as an index has them: each with its provenance object, and nothing of ours."""
    made = attested.copy(tmp_path / "world")
    for path in made.world.release.iterdir():
        if path.name not in (WHEEL, SDIST):
            path.unlink()
    for name in (WHEEL, SDIST):
        serve(made.world, name, build_provenance((OURS, [made.attestation(name)])))
    made.world.edit_policy('tag = "v{version}"\n', LISTED)
    return made


def serve(world: World, name: str, provenance: bytes) -> None:
    (world.release / f"{name}.provenance").write_bytes(provenance)


def attest(sigstore: Sigstore, claims: GitHubClaims = WORKFLOW, **changes: Any) -> bytes:
    """An attestation that verifies, with a statement that says something else than usual."""
    from pypi_attestations import Attestation
    from sigstore.dsse import Statement

    statement = {
        "_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": PUBLISHED, "predicate": None,
    } | changes  # fmt: skip
    with client(sigstore, "rekor1").signer(sigstore.github_token(claims)) as signer:
        bundle = signer.sign_dsse(Statement(json.dumps(statement).encode()))
    return Attestation.from_bundle(bundle).model_dump_json().encode()


def subject(world: World, name: str = WHEEL, called: str = "", **digest: str) -> dict[str, Any]:
    sha256 = hashlib.sha256((world.release / name).read_bytes()).hexdigest()
    return {"name": called or name, "digest": digest or {"sha256": sha256}}


def only(verdict: Verdict, check_id: str, about: str = "") -> list[Check]:
    return [check for check in verdict.checks if check.id == check_id and about in check.subject]


def refused(verdict: Verdict, words: str) -> None:
    """The wheel has no attestation that counts, for this reason, and the sdist still has one."""
    assert verdict.exit_code is ExitCode.UNTRUSTED
    wheel, sdist = only(verdict, "publish.evidence", WHEEL), only(verdict, "publish.evidence", SDIST)
    assert [check.outcome for check in wheel] == [Outcome.FAIL]
    assert [check.outcome for check in sdist] == [Outcome.PASS]
    assert words in wheel[0].got, wheel[0].got
    assert "sigstore.threshold" in {check.id for check in verdict.failed()}


def test_attestations_alone_are_enough_if_the_policy_says_so(bare: Attested) -> None:
    verdict = bare.world.judge()
    assert verdict.result is Result.PASSED, verdict.failed()
    assert [signer.covers for signer in verdict.signers] == [2]
    lacking = {check.subject for check in verdict.not_checked() if check.id == "evidence.lacking"}
    assert lacking == {SUMS, "FILE.asc", "FILE.sigstore.json"}


def test_single_attestations_do_as_well(bare: Attested) -> None:
    (bare.world.release / f"{WHEEL}.provenance").unlink()
    shutil.copy(bare.attestations / f"{WHEEL}.publish.attestation", bare.world.release)
    assert bare.world.judge().result is Result.PASSED


def test_without_the_policys_word_nothing_has_changed(bare: Attested) -> None:
    bare.world.edit_policy(LISTED, 'tag = "v{version}"\n')
    verdict = bare.world.judge()
    assert verdict.exit_code is ExitCode.UNTRUSTED
    missing = {check.subject for check in verdict.failed() if check.id == "evidence.present"}
    assert missing == {SUMS, f"{WHEEL}.sigstore.json", f"{SDIST}.sigstore.json"}
    assert not only(verdict, "publish.evidence")
    assert f"{WHEEL}.provenance" in {check.subject for check in verdict.not_checked()}


def test_one_file_without_is_missing(bare: Attested) -> None:
    (bare.world.release / f"{SDIST}.provenance").unlink()
    verdict = bare.world.judge()
    assert verdict.exit_code is ExitCode.UNTRUSTED
    assert [check.subject for check in verdict.failed() if check.id == "evidence.present"] == [
        f"{SDIST}.publish.attestation"
    ]
    assert "sigstore.threshold" in {check.id for check in verdict.failed()}


def test_another_file_is_another_digest(bare: Attested, tmp_path: Path) -> None:
    """A wheel of other bytes under the name that was attested."""
    from sealwright.sandbox.project import build_wheel

    with (build_wheel(tmp_path, PROJECT, "1.2.3")).open("ab") as wheel:
        wheel.write(b"\n")
    shutil.copy(tmp_path / WHEEL, bare.world.release)
    refused(bare.world.judge(), "a statement about")


def test_another_name_for_the_bytes_that_were_attested(bare: Attested) -> None:
    other = WHEEL.replace("py3-none-any", "cp311-none-any")
    for suffix in ("", ".provenance"):
        (bare.world.release / f"{WHEEL}{suffix}").rename(bare.world.release / f"{other}{suffix}")
    verdict = bare.world.judge()
    assert verdict.exit_code is ExitCode.UNTRUSTED
    assert WHEEL in only(verdict, "publish.evidence", other)[0].got


def test_the_other_files_attestation(bare: Attested) -> None:
    serve(bare.world, WHEEL, build_provenance((OURS, [bare.attestation(SDIST)])))
    refused(bare.world.judge(), SDIST)


@pytest.mark.parametrize("claims", [
    WORKFLOW._replace(repository="o/fork"),
    WORKFLOW._replace(workflow=".github/workflows/test.yml"),
    WORKFLOW._replace(ref="refs/heads/main"),
])  # fmt: skip
def test_a_publisher_of_the_right_name_with_anothers_certificate(
    bare: Attested, sigstore: Sigstore, claims: GitHubClaims
) -> None:
    """What the index says of the publisher makes nobody a signer."""
    made = attest(sigstore, claims, subject=[subject(bare.world)])
    serve(bare.world, WHEEL, build_provenance((OURS, [made])))
    refused(bare.world.judge(), "which the policy does not list")


@pytest.mark.parametrize(("publisher", "words"), [
    (GitHubPublisher("mallory/r", "release.yml"), "https://github.com/mallory/r"),
    (GitHubPublisher("o/r", "other.yml"), "other.yml"),
    (GitLabPublisher("o/r", ".gitlab-ci.yml"), "https://gitlab.com/o/r"),
])  # fmt: skip
def test_a_publisher_that_the_certificate_is_not_is_reported(
    bare: Attested, publisher: GitHubPublisher | GitLabPublisher, words: str
) -> None:
    """The signature counts for whom the certificate names; the index has lied, which is said."""
    serve(bare.world, WHEEL, build_provenance((publisher, [bare.attestation(WHEEL)])))
    verdict = bare.world.judge()
    assert verdict.result is Result.PASSED
    (lie,) = only(verdict, "publish.publisher")
    assert (lie.outcome, lie in verdict.reported()) == (Outcome.FAIL, True)
    assert words in lie.got
    assert REPOSITORY in lie.got


def test_forges_do_not_tell_capitals_apart(bare: Attested) -> None:
    serve(bare.world, WHEEL, build_provenance((GitHubPublisher("O/R", "release.yml"), [bare.attestation(WHEEL)])))
    assert not only(bare.world.judge(), "publish.publisher")


@pytest.mark.parametrize("publisher", [None, 7, [], {}, {"kind": "Newer"}, {"kind": "GitHub"}, {"kind": ["GitHub"]}])
def test_whatever_stands_as_the_publisher(bare: Attested, publisher: Any) -> None:
    def change(content: Any) -> None:
        content["attestation_bundles"][0]["publisher"] = publisher

    serve(bare.world, WHEEL, tampered((bare.world.release / f"{WHEEL}.provenance").read_bytes(), change))
    assert bare.world.judge().result is Result.PASSED


_SLSA = "https://slsa.dev/provenance/v1"


@pytest.mark.parametrize(
    "kind", [_SLSA, "https://example.invalid/other", "https://docs.pypi.org/attestations/publish/v2"]
)
def test_a_statement_of_another_type_vouches_for_nothing(bare: Attested, sigstore: Sigstore, kind: str) -> None:
    made = attest(sigstore, subject=[subject(bare.world)], predicateType=kind, predicate={})
    serve(bare.world, WHEEL, build_provenance((OURS, [made])))
    verdict = bare.world.judge()
    refused(verdict, "vouches for no file")
    assert kind in only(verdict, "attestation.other")[0].got
    serve(bare.world, WHEEL, build_provenance((OURS, [made, bare.attestation(WHEEL)])))
    assert bare.world.judge().result is Result.PASSED


def test_what_a_statement_must_be(bare: Attested, sigstore: Sigstore) -> None:
    ours = subject(bare.world)
    for words, changes in {
        "with more in it": {"subject": [ours], "predicate": {"version": "9"}},
        "a statement about": {"subject": [ours, subject(bare.world, SDIST)]},
        "other.whl": {"subject": [subject(bare.world, called="other.whl")]},
        "has no SHA-256": {"subject": [subject(bare.world, sha512="0" * 128)]},
    }.items():
        serve(bare.world, WHEEL, build_provenance((OURS, [attest(sigstore, **changes)])))
        refused(bare.world.judge(), words)


def test_twice_is_once(bare: Attested) -> None:
    """Two attestations by one signer, in one object and beside it, count as one; a policy may ask for two."""
    serve(bare.world, WHEEL, build_provenance((OURS, [bare.attestation(WHEEL)] * 2)))
    shutil.copy(bare.attestations / f"{WHEEL}.publish.attestation", bare.world.release)
    verdict = bare.world.judge()
    assert verdict.result is Result.PASSED
    assert len(only(verdict, "publish.signature", WHEEL)) == 3
    bare.world.edit_policy("signers = 1\n", "signers = 2\n")
    other = '[[signer.sigstore]]\nidentity = "b@example.com"\noidc-issuer = "https://accounts.example.invalid"\n'
    bare.world.policy.write_text(bare.world.policy.read_text() + f'\n[[signer]]\nname = "second"\n{other}')
    assert [check.id for check in bare.world.judge().failed()] == ["signers.threshold"]


def test_a_bad_one_never_hides_a_good_one(bare: Attested) -> None:
    for order in ([SDIST, WHEEL], [WHEEL, SDIST]):
        serve(bare.world, WHEEL, build_provenance((OURS, [bare.attestation(name) for name in order])))
        verdict = bare.world.judge()
        assert verdict.result is Result.PASSED
        assert [check.outcome for check in only(verdict, "publish.signature", WHEEL)].count(Outcome.FAIL) == 1


_BAD: dict[str, Callable[[Any], Any]] = {
    "no groups": lambda content: content["attestation_bundles"].clear(),
    "no attestations": lambda content: content["attestation_bundles"][0]["attestations"].clear(),
    "groups of another kind": lambda content: content.update(attestation_bundles={}),
    "a group of another kind": lambda content: content["attestation_bundles"].append(1),
    "attestations of another kind": lambda content: content["attestation_bundles"][0].update(attestations="x"),
    "an attestation of another kind": lambda content: content["attestation_bundles"][0].update(attestations=[None]),
    "another version": lambda content: content.update(version=2),
    "true for a version": lambda content: content.update(version=True),
    "without a version": lambda content: content.pop("version"),
    "without a log entry": lambda content: material(content)["transparency_entries"].clear(),
    "without a certificate": lambda content: material(content).update(certificate=""),
    "of no certificate": lambda content: material(content).update(certificate="AAAA"),
    "without a promise": lambda content: material(content)["transparency_entries"][0].pop("inclusionPromise"),
    "another time": lambda content: material(content)["transparency_entries"][0].update(integratedTime="1"),
    "another attestation version": lambda content: content["attestation_bundles"][0]["attestations"][0].update(
        version=2
    ),
    "too many": lambda content: content["attestation_bundles"][0].update(
        attestations=content["attestation_bundles"][0]["attestations"] * 101
    ),
}


def material(content: Any) -> Any:
    return content["attestation_bundles"][0]["attestations"][0]["verification_material"]


@pytest.mark.parametrize("name", _BAD)
def test_a_provenance_object_that_is_none(bare: Attested, name: str) -> None:
    serve(bare.world, WHEEL, tampered((bare.world.release / f"{WHEEL}.provenance").read_bytes(), _BAD[name]))
    refused(bare.world.judge(), "")


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"<html>", b"{", b"\xff", b"[" * 100_000, b'{"version":1}'])
def test_what_is_no_provenance_object_at_all(bare: Attested, content: bytes) -> None:
    serve(bare.world, WHEEL, content)
    refused(bare.world.judge(), "")


def test_a_name_that_stands_twice(bare: Attested) -> None:
    content = (bare.world.release / f"{WHEEL}.provenance").read_bytes()
    serve(bare.world, WHEEL, b'{"attestation_bundles":[],' + content[1:])
    refused(bare.world.judge(), "stands twice")


def test_one_too_large(bare: Attested) -> None:
    (bare.world.release / f"{WHEEL}.provenance").write_bytes(b" " * (4 * 1024 * 1024 + 1))
    assert {check.id for check in bare.world.judge().failed()} >= {"release.entry", "sigstore.threshold"}


class TestOnlySomeOfIt:
    """A release may carry any part of what seal writes, if the policy says which."""

    def test_only_bundles(self, attested: Attested, tmp_path: Path) -> None:
        world = self.cut(attested, tmp_path, '["sigstore-bundles"]', ".sigstore.json")
        assert world.judge().result is Result.PASSED
        (world.release / f"{SDIST}.sigstore.json").unlink()
        assert world.judge().exit_code is ExitCode.UNTRUSTED

    def test_another_wheels_tags_where_only_bytes_are_signed(self, attested: Attested, tmp_path: Path) -> None:
        """A bundle says nothing of the name, which decides where a wheel is installed."""
        for tags, words in {
            "cp311-cp311-win_amd64": "py3-none-any",
            "py2.py3-none-any": "py3-none-any",
            "9-py3-none-any": "build number",
        }.items():
            world = self.cut(attested, tmp_path / tags, '["sigstore-bundles"]', ".sigstore.json")
            other = WHEEL.replace("py3-none-any", tags)
            for suffix in ("", ".sigstore.json"):
                (world.release / f"{WHEEL}{suffix}").rename(world.release / f"{other}{suffix}")
            verdict = world.judge()
            assert verdict.exit_code is ExitCode.TAMPERED
            assert [check.id for check in verdict.failed()] == ["artifact.tags"]
            assert words in verdict.failed()[0].got

    def test_a_wheel_that_goes_by_its_own_tags(self, attested: Attested, tmp_path: Path) -> None:
        world = self.cut(attested, tmp_path, '["sigstore-bundles"]', ".sigstore.json")
        assert [check.outcome for check in only(world.judge(), "artifact.tags")] == [Outcome.PASS]

    @pytest.mark.parametrize(
        ("root", "words"),
        [
            ({"name": "tiny_project", "version": "1.2.3"}, ""),
            ({"name": "tiny_project", "version": "1.2.2"}, "tiny-project 1.2.2"),
            ({"name": "other", "version": "1.2.3"}, "other 1.2.3"),
            ({"name": "tiny_project"}, "tiny-project"),
            (None, "nothing"),
            ([], "nothing"),
        ],
    )
    def test_another_releases_sbom_where_only_bytes_are_signed(
        self, attested: Attested, sigstore: Sigstore, tmp_path: Path, root: Any, words: str
    ) -> None:
        """It was signed for another version, and nothing but its name, which nobody signed, says that it is of this."""
        world = self.cut(attested, tmp_path, '["sigstore-bundles"]', ".sigstore.json")
        sbom = world.release / "tiny_project-1.2.3.cdx.json"
        sbom.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": root}}))
        bundle_of(sbom).write_bytes(bundle_by(sigstore, sbom.read_bytes(), WORKFLOW))
        verdict = world.judge()
        assert verdict.exit_code is (ExitCode.TAMPERED if words else ExitCode.DONE), verdict.failed()
        assert words in " ".join(check.got for check in verdict.failed() if check.id == "artifact.metadata")

    def test_two_must_vouch_for_a_name_where_two_must_vouch(
        self, attested: Attested, keys: Forge, tmp_path: Path
    ) -> None:
        """With one stolen key of two, a SHA256SUMS can give a wheel any name; the other signer signed bytes alone."""
        world = self.cut(
            attested, tmp_path, '["checksums", "checksums-signature", "sigstore-bundles"]', ".sigstore.json"
        )
        world.edit_policy("signers = 1\n", "signers = 2\n")
        world.edit_policy("openpgp = 0\n", "openpgp = 1\n")
        (world.folder / "keys" / f"{keys.alice}.asc").write_bytes(keys.public(keys.alice))
        listed = f'\n[[signer]]\nname = "alice"\n[[signer.openpgp]]\nfingerprint = "{keys.alice}"\n'
        world.policy.write_text(world.policy.read_text() + listed)
        assert world.seal(keys, keys.alice, "--no-sigstore", dist=True).returncode == 0
        assert world.judge().result is Result.PASSED
        other = WHEEL.replace("py3-none-any", "cp311-none-any")
        for suffix in ("", ".sigstore.json"):
            (world.release / f"{WHEEL}{suffix}").rename(world.release / f"{other}{suffix}")
        sums = world.release / SUMS
        sums.write_text(sums.read_text().replace(WHEEL, other))
        (world.release / f"{SUMS}.asc").write_bytes(keys.sign(keys.alice, sums.read_bytes()))
        assert [check.id for check in world.judge().failed()] == ["artifact.tags"]

    @pytest.mark.parametrize(
        ("evidence", "kept", "lacking"),
        [
            (
                '["artifact-signatures"]',
                (f"{WHEEL}.asc", f"{SDIST}.asc"),
                {SUMS, "FILE.sigstore.json", "FILE.provenance"},
            ),
            (
                '["checksums", "checksums-signature"]',
                (SUMS, f"{SUMS}.asc"),
                {"FILE.asc", "FILE.sigstore.json", "FILE.provenance"},
            ),
        ],
    )
    def test_only_openpgp(self, world: World, evidence: str, kept: tuple[str, ...], lacking: set[str]) -> None:
        for path in world.release.iterdir():
            if path.name not in (WHEEL, SDIST, *kept):
                path.unlink()
        assert world.judge().exit_code is not ExitCode.DONE
        world.edit_policy('tag = "v{version}"\n', f'tag = "v{{version}}"\nevidence = {evidence}\n')
        verdict = world.judge()
        assert verdict.result is Result.PASSED, verdict.failed()
        assert {check.subject for check in only(verdict, "evidence.lacking")} == lacking
        assert world.judge(gpg=None).exit_code is ExitCode.UNDECIDED
        for name in kept:
            content = (world.release / name).read_bytes()
            (world.release / name).unlink()
            missing = world.judge()
            assert name in [check.subject for check in missing.failed() if check.id == "evidence.present"]
            (world.release / name).write_bytes(content)

    @staticmethod
    def cut(attested: Attested, folder: Path, evidence: str, suffix: str) -> World:
        world = attested.copy(folder / "world").world
        for path in world.release.iterdir():
            if not path.name.endswith((suffix, ".whl", ".tar.gz")):
                path.unlink()
        world.edit_policy('tag = "v{version}"\n', f'tag = "v{{version}}"\nevidence = {evidence}\n')
        return world


def test_seal_makes_what_the_policy_lists(sigstore: Sigstore, tmp_path: Path) -> None:
    """Nothing more, nothing less; once; and where the index is uploaded from, a copy."""
    build(tmp_path / "dist")
    (tmp_path / "keys").mkdir()
    sigstore.write_trusted_root(tmp_path / "keys" / "root.json")
    (tmp_path / "keys" / "policy.toml").write_text(POLICY.replace('tag = "v{version}"\n', LISTED))
    run = Run(World(tmp_path), sigstore, attestations=tmp_path / "dist")
    sealed = run.seal()
    assert sealed.verdict.result is Result.PASSED, sealed.verdict.failed()
    made = {WHEEL, SDIST, *(f"{name}.publish.attestation" for name in (WHEEL, SDIST))}
    assert {path.name for path in run.world.release.iterdir()} == made
    for name in made:
        assert (run.world.dist / name).read_bytes() == (run.world.release / name).read_bytes()
    assert sigstore.requests[Endpoint.ENTRY_V1] == 2
    (run.world.release / f"{WHEEL}.publish.attestation").unlink()
    again = run.seal()
    assert again.written == (f"{WHEEL}.publish.attestation",)
    assert again.verdict.result is Result.PASSED
    assert sigstore.requests[Endpoint.ENTRY_V1] == 2  # copied, not made again

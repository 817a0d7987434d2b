"""sigstore-python, unmodified, signs and verifies with the sandbox, in each of its configurations."""

import hashlib
import json
import threading
from pathlib import Path

import pytest
from cryptography import x509
from sigstore.errors import VerificationError
from sigstore.models import ClientTrustConfig, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify import policy as policies
from support.sigstore import ALICE, BY_ALICE, CONFIGS, CONTENT, client, statement

from sealwright.model.trusted_root import SANDBOX_ORGANIZATION
from sealwright.sandbox.sigstore import (
    EMAIL_ISSUER,
    GITHUB_ISSUER,
    Endpoint,
    GitHubClaims,
    Sigstore,
    running_sigstore,
)

CLAIMS = GitHubClaims(repository="o/r", ref="refs/tags/v1.2.3", sha="ab" * 20)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_signed_artifact_verifies(sigstore: Sigstore, name: str) -> None:
    signing = client(sigstore, name)
    bundle = signing.sign()
    signing.verify(bundle)
    with pytest.raises(VerificationError):
        signing.verify(bundle, b"other bytes")
    with pytest.raises(VerificationError):
        signing.verify(bundle, policy=policies.Identity(identity="bob@example.com", issuer=EMAIL_ISSUER))


@pytest.mark.parametrize("name", CONFIGS)
def test_a_signed_statement_verifies(sigstore: Sigstore, name: str) -> None:
    signing = client(sigstore, name)
    bundle = signing.sign_statement(statement())
    assert signing.verify_statement(bundle)["subject"][0]["digest"] == {"sha256": hashlib.sha256(CONTENT).hexdigest()}


@pytest.mark.parametrize("name", CONFIGS)
def test_only_what_was_asked_for_takes_part(sigstore: Sigstore, name: str) -> None:
    rekor, timestamps = CONFIGS[name]
    client(sigstore, name).sign()
    assert sigstore.requests == {
        Endpoint.CERTIFICATE: 1,
        (Endpoint.ENTRY_V1 if rekor == 1 else Endpoint.ENTRY_V2): 1,
        **({Endpoint.TIMESTAMP: 1} if timestamps else {}),
    }


def test_one_certificate_serves_many_threads(sigstore: Sigstore) -> None:
    signing = client(sigstore)
    contents = [b"%d" % number for number in range(12)]
    bundles = {}
    with signing.signer() as signer:

        def sign(mine: list[bytes]) -> None:
            for content in mine:
                bundles[content] = signer.sign_artifact(content)

        threads = [threading.Thread(target=sign, args=(contents[start::4],)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for content in contents:
        signing.verify(bundles[content], content)
    assert sigstore.requests[Endpoint.CERTIFICATE] == 1
    assert sigstore.requests[Endpoint.ENTRY_V1] == len(contents)


def test_a_workflow_gets_all_of_its_extensions(sigstore: Sigstore) -> None:
    signing = client(sigstore)
    with signing.signer(sigstore.github_token(CLAIMS)) as signer:
        bundle = signer.sign_artifact(CONTENT)
    everything = policies.AllOf(
        [
            policies.Identity(identity=CLAIMS.identity, issuer=GITHUB_ISSUER),
            policies.OIDCIssuerV2(GITHUB_ISSUER),
            policies.OIDCBuildSignerURI("https://github.com/o/r/.github/workflows/release.yml@refs/tags/v1.2.3"),
            policies.OIDCBuildSignerDigest(CLAIMS.sha),
            policies.OIDCRunnerEnvironment("github-hosted"),
            policies.OIDCSourceRepositoryURI("https://github.com/o/r"),
            policies.OIDCSourceRepositoryDigest(CLAIMS.sha),
            policies.OIDCSourceRepositoryRef("refs/tags/v1.2.3"),
            policies.OIDCSourceRepositoryIdentifier(CLAIMS.repository_id),
            policies.OIDCSourceRepositoryOwnerURI("https://github.com/o"),
            policies.OIDCSourceRepositoryOwnerIdentifier(CLAIMS.repository_owner_id),
            policies.OIDCBuildConfigURI("https://github.com/o/r/.github/workflows/release.yml@refs/tags/v1.2.3"),
            policies.OIDCBuildConfigDigest(CLAIMS.sha),
            policies.OIDCBuildTrigger("push"),
            policies.OIDCRunInvocationURI("https://github.com/o/r/actions/runs/3000003/attempts/1"),
            policies.OIDCSourceRepositoryVisibility("public"),
            policies.GitHubWorkflowTrigger("push"),
            policies.GitHubWorkflowSHA(CLAIMS.sha),
            policies.GitHubWorkflowName("release"),
            policies.GitHubWorkflowRepository("o/r"),
            policies.GitHubWorkflowRef("refs/tags/v1.2.3"),
        ]
    )
    signing.verify(bundle, policy=everything)  # type: ignore[arg-type]
    numbers = {
        int(each.oid.dotted_string.rpartition(".")[2])
        for each in bundle.signing_certificate.extensions
        if each.oid.dotted_string.startswith("1.3.6.1.4.1.57264.1.")
    }
    assert numbers == {1, 2, 3, 4, 5, 6, *range(8, 23)}


def test_a_reusable_workflow_is_the_signer_and_the_caller_the_source(sigstore: Sigstore) -> None:
    reused = "builders/generic/.github/workflows/build.yml@refs/tags/v9"
    claims = CLAIMS._replace(job_workflow_ref=reused, job_workflow_sha="cd" * 20)
    signing = client(sigstore)
    with signing.signer(sigstore.github_token(claims)) as signer:
        bundle = signer.sign_artifact(CONTENT)
    signing.verify(bundle, policy=policies.Identity(identity=f"https://github.com/{reused}", issuer=GITHUB_ISSUER))
    policies.OIDCSourceRepositoryURI("https://github.com/o/r").verify(bundle.signing_certificate)
    policies.OIDCBuildSignerDigest("cd" * 20).verify(bundle.signing_certificate)


def test_the_certificate_is_as_fulcios_are(sigstore: Sigstore) -> None:
    certificate = client(sigstore).sign().signing_certificate
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.critical
    assert names.value.get_values_for_type(x509.RFC822Name) == [ALICE]
    assert not certificate.subject.rdns
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).total_seconds() == 600
    assert certificate.issuer.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)[0].value == SANDBOX_ORGANIZATION


def test_the_written_files_are_enough(sigstore: Sigstore, tmp_path: Path) -> None:
    sigstore.write_trust_config(tmp_path / "config.json", rekor=2, timestamps=True)
    sigstore.write_trusted_root(tmp_path / "root.json")
    bundle = client(sigstore)._replace(config=read_config(tmp_path / "config.json")).sign()
    verifier = Verifier(trusted_root=TrustedRoot.from_file(str(tmp_path / "root.json")))
    verifier.verify_artifact(CONTENT, bundle, BY_ALICE)
    root = json.loads((tmp_path / "root.json").read_text())
    assert [each["subject"]["organization"] for each in root["certificateAuthorities"]] == [SANDBOX_ORGANIZATION]


def read_config(path: Path) -> ClientTrustConfig:
    return ClientTrustConfig.from_json(path.read_text())


@pytest.mark.parametrize(("rekor", "timestamps"), [(2, False), (3, True)])
def test_no_config_that_nobody_could_verify(sigstore: Sigstore, rekor: int, timestamps: bool) -> None:
    with pytest.raises(ValueError, match="Rekor"):
        sigstore.trust_config(rekor=rekor, timestamps=timestamps)


def test_another_sandbox_is_a_stranger(sigstore: Sigstore) -> None:
    bundle = client(sigstore).sign()
    with running_sigstore() as other, pytest.raises(VerificationError):
        client(other).verify(bundle)

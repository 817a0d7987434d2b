"""The ways to a token: GitHub's ambient one, and OAuth with a browser that the test plays."""

import json
import os
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import id as ambient
import jwt
import pytest
import requests
from sigstore.oidc import IdentityError, IdentityToken, Issuer
from sigstore.verify.policy import Identity
from support.sigstore import CONTENT, client

from sealwright.sandbox.sigstore import GITHUB_ISSUER, Answer, Endpoint, GitHubClaims, Lie, Sigstore

CLAIMS = GitHubClaims(repository="o/r")
# sigstore-python does not close the port that it waits for the browser at
UNCLOSED = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture
def job(sigstore: Sigstore, monkeypatch: pytest.MonkeyPatch) -> Sigstore:
    """This process has the environment of a job."""
    for name in [each for each in os.environ if each.startswith(("GITHUB_", "ACTIONS_"))]:
        monkeypatch.delenv(name)
    for name, value in sigstore.github_environment(CLAIMS).items():
        monkeypatch.setenv(name, value)
    return sigstore


def test_a_job_finds_its_token_and_signs(job: Sigstore) -> None:
    token = ambient.detect_credential("sigstore")
    assert token
    signing = client(job)
    with signing.signer(token) as signer:
        bundle = signer.sign_artifact(CONTENT)
    signing.verify(bundle, policy=Identity(identity=CLAIMS.identity, issuer=GITHUB_ISSUER))
    assert job.requests[Endpoint.AMBIENT] == 1


def test_a_token_has_githubs_claims_for_the_audience_that_was_asked_for(job: Sigstore) -> None:
    token = ambient.detect_credential("pypi")
    assert token
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["aud"] == "pypi"
    assert claims["iss"] == GITHUB_ISSUER
    assert claims["sub"] == "repo:o/r:ref:refs/tags/v1.2.3"
    assert claims["workflow_ref"] == claims["job_workflow_ref"] == "o/r/.github/workflows/release.yml@refs/tags/v1.2.3"
    assert {"repository", "sha", "ref", "workflow", "event_name", "runner_environment", "repository_id"} <= set(claims)
    assert {"repository_owner", "repository_owner_id", "repository_visibility", "run_id", "run_attempt"} <= set(claims)
    assert claims["exp"] - claims["iat"] == 300


def test_an_environment_changes_the_subject_as_at_github(sigstore: Sigstore) -> None:
    claims = jwt.decode(sigstore.github_token(CLAIMS._replace(environment="pypi")), options={"verify_signature": False})
    assert (claims["sub"], claims["environment"]) == ("repo:o/r:environment:pypi", "pypi")


@pytest.mark.parametrize("value", ["", "bearer wrong", "basic x"])
def test_a_stranger_gets_no_token(sigstore: Sigstore, value: str) -> None:
    url = sigstore.github_environment(CLAIMS)["ACTIONS_ID_TOKEN_REQUEST_URL"]
    assert requests.get(url, headers={"Authorization": value}, timeout=30).status_code == 401


def test_a_token_endpoint_that_fails(job: Sigstore) -> None:
    job.faults.add(Endpoint.AMBIENT, Answer(500))
    with pytest.raises(ambient.AmbientCredentialError, match="code=500"):
        ambient.detect_credential("sigstore")


def test_a_token_that_has_expired_already(job: Sigstore) -> None:
    job.faults.add(Endpoint.AMBIENT, Lie.EXPIRED_TOKEN)
    token = ambient.detect_credential("sigstore")
    assert token
    with pytest.raises(IdentityError):
        IdentityToken(token)


def test_the_published_key_verifies_the_tokens(sigstore: Sigstore) -> None:
    found = requests.get(f"{sigstore.urls.oidc}/.well-known/openid-configuration", timeout=30).json()
    assert found["issuer"] == sigstore.urls.oidc
    token = sigstore.email_token("alice@example.com", issuer=sigstore.urls.oidc, lifetime=timedelta(minutes=1))
    keys = requests.get(found["jwks_uri"], timeout=30).json()["keys"]
    header = jwt.get_unverified_header(token)
    [key] = [each for each in keys if each["kid"] == header["kid"]]
    claims = jwt.decode(token, jwt.PyJWK(key), ["ES256"], audience="sigstore", issuer=found["issuer"])
    assert claims["email_verified"] is True


@UNCLOSED
def test_a_person_logs_in_with_a_browser(sigstore: Sigstore, monkeypatch: pytest.MonkeyPatch) -> None:
    def browse(url: str) -> bool:
        return "successful" in requests.get(url, timeout=30).text  # follows the redirects there and back

    monkeypatch.setattr("webbrowser.open", browse)
    token = Issuer(sigstore.urls.oidc).identity_token()
    assert token.issuer == sigstore.urls.oidc
    with client(sigstore).signer(str(token)) as signer:
        bundle = signer.sign_artifact(CONTENT)
    policy = Identity(identity="alice@example.com", issuer=sigstore.urls.oidc)
    client(sigstore).verify(bundle, policy=policy)


@UNCLOSED
def test_a_person_without_a_browser_copies_the_code(
    sigstore: Sigstore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def copy(prompt: str) -> str:
        url = capsys.readouterr().err.split("browser:")[1].split()[0]
        return requests.get(url, timeout=30).text

    sigstore.log_in("bob@example.com")
    monkeypatch.setattr("builtins.input", copy)
    token = Issuer(sigstore.urls.oidc).identity_token(force_oob=True)
    assert jwt.decode(str(token), options={"verify_signature": False})["email"] == "bob@example.com"
    sigstore.log_in("alice@example.com")


def test_a_code_is_good_once_and_for_its_owner(sigstore: Sigstore) -> None:
    asked = {"response_type": "code", "code_challenge_method": "S256", "code_challenge": "x", "state": "s"}
    asked["redirect_uri"] = "http://localhost:1/back"
    answer = requests.get(f"{sigstore.urls.oidc}/auth", params=asked, allow_redirects=False, timeout=30)
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert back["state"] == ["s"]
    form = {"grant_type": "authorization_code", "code": back["code"][0], "code_verifier": "wrong"}
    for each in (form, {}):
        refused = requests.post(f"{sigstore.urls.oidc}/token", data=each or {"a": "b"}, timeout=30)
        assert (refused.status_code, json.loads(refused.content)) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize(
    "changed",
    [{"response_type": "token"}, {"code_challenge_method": "plain"}, {"redirect_uri": "https://evil.example"}],
)
def test_a_request_for_a_code_that_is_none(sigstore: Sigstore, changed: dict[str, str]) -> None:
    asked = {"response_type": "code", "code_challenge_method": "S256", "redirect_uri": "http://localhost:1/"} | changed
    answer = requests.get(f"{sigstore.urls.oidc}/auth", params=asked, allow_redirects=False, timeout=30)
    assert answer.status_code == 400

"""Who signs: the identity of a CI job, of a token, of a person at a browser; and what is told when there is none."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from support.keyless import ISSUER, WORKFLOW

from sealwright.errors import UndecidedError, UsageError
from sealwright.sandbox.faults import NOT_JSON
from sealwright.sandbox.sigstore import EMAIL_ISSUER, Answer, Break, Endpoint, Lie, Sigstore
from sealwright.sign.identity import Identity, ambient_identity, interactive_identity, read_identity

CI = ("GITHUB_ACTIONS", "BUILDKITE", "GITLAB_CI", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME", "SIGSTORE_ID_TOKEN")


@pytest.fixture(autouse=True)
def _no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CI:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def become(**environment: str) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return become


def test_outside_of_a_job_there_is_none() -> None:
    assert ambient_identity() is None


def test_github_actions(sigstore: Sigstore, job: Callable[..., None]) -> None:
    job(**sigstore.github_environment(WORKFLOW))
    found = ambient_identity()
    assert found
    assert (found.name, found.oidc_issuer, found.certain) == (WORKFLOW.identity, ISSUER, True)
    assert found.token not in repr(found)


def test_github_actions_without_the_permission(job: Callable[..., None]) -> None:
    job(GITHUB_ACTIONS="true")
    with pytest.raises(UsageError) as caught:
        ambient_identity()
    assert "id-token: write" in caught.value.hint


@pytest.mark.parametrize(
    "fault", [Answer(500, b"canary"), Answer(403, b"canary"), Break.DROPPED, NOT_JSON, Break.TRUNCATED]
)
def test_github_actions_with_a_service_that_is_down(
    sigstore: Sigstore, job: Callable[..., None], fault: Answer | Break
) -> None:
    environment = sigstore.github_environment(WORKFLOW)
    job(**environment)
    sigstore.faults.add(Endpoint.AMBIENT, fault)
    with pytest.raises(UndecidedError) as caught:
        ambient_identity()
    said = caught.value.message + caught.value.hint
    assert "canary" not in said
    assert environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] not in said


def test_a_token_that_has_expired_when_it_comes(sigstore: Sigstore, job: Callable[..., None]) -> None:
    job(**sigstore.github_environment(WORKFLOW))
    sigstore.faults.add(Endpoint.AMBIENT, Lie.EXPIRED_TOKEN)
    with pytest.raises(UsageError, match="has expired"):
        ambient_identity()


def test_gitlab(sigstore: Sigstore, job: Callable[..., None]) -> None:
    """GitLab lays the token into the environment of the job."""
    job(GITLAB_CI="true")
    with pytest.raises(UsageError, match="SIGSTORE_ID_TOKEN not found"):
        ambient_identity()
    job(SIGSTORE_ID_TOKEN=sigstore.email_token("release@example.com"))
    found = ambient_identity()
    assert found
    assert (found.name, found.oidc_issuer) == ("release@example.com", EMAIL_ISSUER)


@pytest.mark.parametrize(("variable", "program"), [("BUILDKITE", "buildkite-agent"), ("CIRCLECI", "circleci")])
def test_agents_that_print_the_token(
    sigstore: Sigstore,
    job: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    program: str,
) -> None:
    """The real agents cannot be had here: a script stands for what they print."""
    job(**{variable: "true"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="could not find"):
        ambient_identity()
    script = tmp_path / program
    script.write_text(f"#!/bin/sh\nprintf %s {sigstore.email_token('release@example.com')}\n")
    script.chmod(0o755)
    found = ambient_identity()
    assert found
    assert found.name == "release@example.com"
    script.write_text("#!/bin/sh\necho nonsense\nexit 1\n")
    with pytest.raises(UndecidedError):
        ambient_identity()


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "e30.e30.e30", "\u00e9", "x" * 70_000, "eyJhbGciOiJub25lIn0.W10.", ".." * 1000]
)
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_identity(token)
    assert len(token) < 4 or token not in caught.value.message
    assert caught.value.__suppress_context__, "the library's own error may repeat it"


def test_a_token_for_somebody_else_than_sigstore(sigstore: Sigstore) -> None:
    with pytest.raises(UsageError, match="not meant for Sigstore"):
        read_identity(sigstore.github_token(WORKFLOW, audience="pypi"))
    with pytest.raises(UsageError, match="has expired"):
        read_identity(sigstore.github_token(WORKFLOW, lifetime=timedelta(minutes=-1)))


def test_an_issuer_whose_rules_are_not_known_leaves_it_to_the_certificate(sigstore: Sigstore) -> None:
    found = read_identity(sigstore.email_token("alice@example.com"))
    assert (found.name, found.oidc_issuer, found.certain) == ("alice@example.com", EMAIL_ISSUER, False)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the library never closes the socket that it waits at
def test_a_person_at_a_browser(sigstore: Sigstore, monkeypatch: pytest.MonkeyPatch) -> None:
    def browse(url: str) -> bool:
        threading.Thread(target=requests.get, args=(url,), kwargs={"timeout": 60}).start()
        return True

    monkeypatch.setattr("webbrowser.open", browse)
    found: Identity = interactive_identity(sigstore.urls.oidc)
    assert (found.name, found.oidc_issuer) == ("alice@example.com", sigstore.urls.oidc)


@pytest.mark.parametrize("fault", [Answer(500), Break.DROPPED, NOT_JSON])
def test_an_issuer_that_is_down(sigstore: Sigstore, fault: Answer | Break) -> None:
    sigstore.faults.add(Endpoint.DISCOVERY, fault)
    with pytest.raises(UndecidedError, match="gave no identity token"):
        interactive_identity(sigstore.urls.oidc)

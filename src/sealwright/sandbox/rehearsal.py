"""A rehearsal: the signers of a policy, played with throw-away keys and a Sigstore of this machine's own.

Enters: a trust folder and a running sandbox. Leaves: the same policy with two things changed, the trusted root and the
OpenPGP keys, and what each signer signs with. The sealing and the verification that follow are the real ones; nothing
that is made here is worth anything, because no real policy lists it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from sealwright.errors import UsageError
from sealwright.files.digest import digest_bytes
from sealwright.gnupg.home import Home, private_home
from sealwright.jobs.seal.task import Means, OpenSigner, SigstoreMeans
from sealwright.jobs.verify.release import Clock
from sealwright.model.buildfacts import BuildFacts, GitHubRun, GitLabRun
from sealwright.model.policy import (
    PUBLISH_ATTESTATIONS,
    SIGSTORE_BUNDLES,
    OpenPGPKey,
    Signer,
    SigstoreIdentity,
)
from sealwright.sandbox.keys import export_public, export_secret, make_key
from sealwright.sandbox.sigstore import (
    EMAIL_ISSUER,
    GITHUB_ISSUER,
    GITLAB_ISSUER,
    GitHubClaims,
    GitLabClaims,
    Sigstore,
    running_sigstore,
)
from sealwright.sign.identity import Identity, read_identity
from sealwright.sign.openpgp import signer_from_file
from sealwright.sign.sigstore import Services
from sealwright.store.trust_folder import TrustFolder

_ROOT = "rehearsal_root.json"
_GITHUB, _GITLAB = "https://github.com/", f"{GITLAB_ISSUER}/"
# The claims that a policy may ask for, and what in a token makes Fulcio write them.
_FIELDS = {
    "source-digest": "sha",
    "source-repository-id": "repository_id",
    "source-owner-id": "repository_owner_id",
    "source-visibility": "repository_visibility",
    "build-signer-digest": "job_workflow_sha",
    "build-trigger": "event_name",
    "runner-environment": "runner_environment",
    "github-workflow-trigger": "event_name",
    "github-workflow-sha": "sha",
    "github-workflow-name": "workflow_name",
}


_GITLAB_FIELDS = {
    "source-digest": "sha",
    "source-repository-id": "project_id",
    "source-owner-id": "namespace_id",
    "source-visibility": "visibility",
    "build-signer-digest": "ci_config_sha",
    "build-config-digest": "ci_config_sha",
    "build-trigger": "pipeline_source",
    "runner-environment": "runner_environment",
}


class Part(NamedTuple):
    """One signer's turn: their name, what they sign with in words, and the means."""

    signer: str
    with_what: str
    means: Means


class Cast(NamedTuple):
    """Everything that a rehearsal needs: the changed trust folder, and who signs, in the order of their turns."""

    trust: TrustFolder
    parts: tuple[Part, ...]


@contextmanager
def cast(trust: TrustFolder, version: str, gpg: str | None, now: Clock, *, rekor: int = 1) -> Iterator[Cast]:
    """Start a sandbox and find somebody for every part of the policy.

    Raises UsageError for an identity that the sandbox cannot play, and UndecidedError without gpg or a free port.
    """
    policy = trust.policy
    keyless = policy.require.sigstore > 0 or any(map(policy.publishes, (SIGSTORE_BUNDLES, PUBLISH_ATTESTATIONS)))
    issuers = {identity.oidc_issuer for identity in policy.sigstore_identities()}
    with ExitStack() as stack:
        emails = {*issuers, EMAIL_ISSUER} - {GITHUB_ISSUER, GITLAB_ISSUER}
        sandbox = stack.enter_context(running_sigstore(now, email_issuers=emails))
        home = stack.enter_context(private_home(gpg)) if policy.openpgp_keys() else None
        signers: list[Signer] = []
        parts: list[Part] = []
        keys: dict[str, bytes] = {}
        for signer in policy.signers:
            opener, played = (None, ()) if home is None or not signer.openpgp else _play_key(home, signer, keys)
            signers.append(signer._replace(openpgp=played))
            parts.append(_part(signer, opener, _sigstore_means(sandbox, signer, version, rekor), keyless=keyless))
        root = sandbox.trusted_root_json()
        changed = policy._replace(sigstore_root=_ROOT, signers=tuple(signers))
        fingerprint = digest_bytes(root + b"".join(keys.values()))
        first = sorted(parts, key=lambda part: part.means.open_openpgp is not None)  # a workflow before the people
        yield Cast(TrustFolder(trust.path, changed, keys, {_ROOT: root}, fingerprint), tuple(first))


def _part(signer: Signer, opener: OpenSigner | None, sigstore: SigstoreMeans, *, keyless: bool) -> Part:
    keyless = keyless and bool(signer.sigstore)
    left = ({"openpgp"} if opener is None else set()) | (set() if keyless else {"sigstore"})
    said = (["a throw-away OpenPGP key"] if opener else []) + (["Sigstore"] if keyless else [])
    return Part(signer.name, " and ".join(said), Means(opener, sigstore, frozenset(left)))


def _play_key(home: Home, signer: Signer, keys: dict[str, bytes]) -> tuple[OpenSigner, tuple[OpenPGPKey, ...]]:
    fingerprint = make_key(home, f"Rehearsal {len(keys) + 1}")
    keys[fingerprint] = export_public(home, fingerprint)
    secret = export_secret(home, fingerprint)
    return lambda: signer_from_file(home.program, secret, lambda asked: ""), (OpenPGPKey(fingerprint),)


def _sigstore_means(sandbox: Sigstore, signer: Signer, version: str, rekor: int) -> SigstoreMeans:
    def identity(services: Callable[[], Services]) -> Identity | None:
        return read_identity(_token(sandbox, signer.sigstore[0], version)) if signer.sigstore else None

    config = sandbox.trust_config_json(rekor=rekor, timestamps=True)
    return SigstoreMeans(
        services=lambda: Services("a sandbox on this machine", config),
        identity=identity,
        renew=lambda: None,
        confirm=lambda announced: None,  # nothing leaves this machine
        build=lambda tag, name: play_build(_claims_of(signer, version), tag),
    )


def _token(sandbox: Sigstore, identity: SigstoreIdentity, version: str) -> str:
    """Have a token made for which Fulcio will write what the policy expects."""
    name = identity.identity.expand(version)
    if identity.oidc_issuer == GITHUB_ISSUER and name.startswith(_GITHUB) and "@" in name:
        return sandbox.github_token(_claims(identity, name, version))
    if identity.oidc_issuer == GITLAB_ISSUER and name.startswith(_GITLAB) and "//" in name.removeprefix(_GITLAB):
        return sandbox.gitlab_token(_gitlab_claims(identity, name, version))
    if "@" in name and "/" not in name:
        return sandbox.email_token(name, issuer=identity.oidc_issuer)
    raise UsageError(
        f"the rehearsal cannot play {name}",
        "It plays GitHub workflows, GitLab jobs and e-mail addresses; for others, sign with --trust-config FILE.",
    )


def play_build(claims: GitHubClaims | GitLabClaims, tag: str) -> BuildFacts:
    """Return the facts of a build that ran as a token's claims say, from a clean checkout of the tag."""
    if isinstance(claims, GitLabClaims):
        return _play_gitlab_build(claims, tag)
    run = GitHubRun(
        workflow=claims.workflow, builder=claims.identity, event=claims.event_name, repository_id=claims.repository_id,
        owner_id=claims.repository_owner_id, runner=claims.runner_environment, run_id=claims.run_id,
        attempt=claims.run_attempt,
    )  # fmt: skip
    return BuildFacts(f"{_GITHUB}{claims.repository}", claims.ref, claims.sha, run, doubts=_doubts(claims.ref, tag))


def _play_gitlab_build(claims: GitLabClaims, tag: str) -> BuildFacts:
    run = GitLabRun(
        job=claims.job_name, builder=claims.identity, source=claims.pipeline_source, project_id=claims.project_id,
        namespace_id=claims.namespace_id, job_id=claims.job_id, runner_version=claims.runner_version,
    )  # fmt: skip
    ref = claims.full_ref
    return BuildFacts(claims.url, ref, claims.sha, run, doubts=_doubts(ref, tag), started=claims.started)


def _doubts(ref: str, tag: str) -> tuple[str, ...]:
    return () if ref == f"refs/tags/{tag}" else (f"it was not built from the tag {tag}",)


def _claims_of(signer: Signer, version: str) -> GitHubClaims | GitLabClaims:
    """The run of a workflow that a signer stands for; a person's build is played as one that nobody certifies."""
    identity = signer.sigstore[0]
    name = identity.identity.expand(version)
    if identity.oidc_issuer == GITLAB_ISSUER:
        return _gitlab_claims(identity, name, version)
    return _claims(identity, name, version)


def _gitlab_claims(identity: SigstoreIdentity, name: str, version: str) -> GitLabClaims:
    """A job whose pipeline is defined as the identity says: https://HOST/PROJECT//PATH@REF."""
    defined = name.removeprefix("https://")
    path, _, ref = defined.partition("@")
    asked = {claim.key: claim.value.expand(version) for claim in identity.claims}
    project = asked.get("source-repository", f"https://{path.partition('//')[0]}").removeprefix(_GITLAB)
    kind, _, short = asked.get("source-ref", ref).removeprefix("refs/").partition("/")
    claims = GitLabClaims(
        project=project, ref=short, ref_type="branch" if kind == "heads" else "tag", ci_config_ref_uri=defined
    )
    return claims._replace(**{field: asked[key] for key, field in _GITLAB_FIELDS.items() if key in asked})


def _claims(identity: SigstoreIdentity, name: str, version: str) -> GitHubClaims:
    job = name.removeprefix(_GITHUB)
    path, _, ref = job.partition("@")
    owner, repository, workflow = [*path.split("/", 2), "", ""][:3]
    asked = {claim.key: claim.value.expand(version) for claim in identity.claims}
    source = asked.get("source-repository", f"{_GITHUB}{owner}/{repository}").removeprefix(_GITHUB)
    claims = GitHubClaims(repository=source, ref=asked.get("source-ref", ref), workflow=workflow, job_workflow_ref=job)
    return claims._replace(**{field: asked[key] for key, field in _FIELDS.items() if key in asked})

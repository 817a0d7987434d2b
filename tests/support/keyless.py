"""A project whose policy asks for Sigstore, sealed in this process against the sandbox; and bundles made to be refused."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sealwright.jobs.seal.sbom import SbomSource
from sealwright.jobs.seal.seal import Sealed, seal
from sealwright.jobs.seal.task import Announcement, Means, SigstoreMeans
from sealwright.model.buildfacts import BuildFacts
from sealwright.sandbox.rehearsal import play_build
from sealwright.sandbox.sigstore import GITLAB_ISSUER, GitHubClaims, GitLabClaims, Sigstore
from sealwright.sign.identity import Identity, read_identity
from sealwright.sign.patience import Patience
from sealwright.sign.sigstore import Services
from sealwright.store.trust_folder import read_trust_folder
from support.policies import policy_text
from support.sigstore import CONFIGS, client
from support.world import GPG, VERSION, World, build

REPOSITORY = "https://github.com/o/r"
WORKFLOW = GitHubClaims(repository="o/r", ref="refs/tags/v1.2.3")
IDENTITY = REPOSITORY + "/.github/workflows/release.yml@refs/tags/v{version}"
ISSUER = WORKFLOW.issuer
QUICK = Patience(attempts=3, connect=5, read=5, pause=0.02, longest=2)
SIGNERS = f"""[[signer]]
name = "workflow"
[[signer.sigstore]]
identity = "{IDENTITY}"
oidc-issuer = "{ISSUER}"
source-repository = "{REPOSITORY}"
source-ref = "refs/tags/v{{version}}"
"""
POLICY = policy_text(SIGNERS, repository=REPOSITORY, root="root.json", sigstore=1)

BUILDER = WORKFLOW.identity.replace("1.2.3", "{version}")
_RELEASE = 'release = { signers = ["workflow"] }'
_PROVENANCE = f'provenance = {{ signers = ["workflow"], level = 2, builder = "{BUILDER}" }}'
REQUIRING = POLICY.replace("release = false", _RELEASE).replace("provenance = false", _PROVENANCE)

GITLAB_JOB = GitLabClaims(project="g/sub/p", ref="v1.2.3")
GITLAB_PROJECT = "https://gitlab.com/g/sub/p"
GITLAB_PIPELINE = f"{GITLAB_PROJECT}//.gitlab-ci.yml@refs/tags/v{{version}}"
ON_GITLAB = (
    REQUIRING.replace(POLICY.split('identity = "')[1].split('"')[0], GITLAB_PIPELINE)
    .replace(f'builder = "{WORKFLOW.identity.replace("1.2.3", "{version}")}"', f'builder = "{GITLAB_PIPELINE}"')
    .replace(WORKFLOW.issuer, GITLAB_ISSUER)
    .replace('"https://github.com/o/r"', f'"{GITLAB_PROJECT}"')
)


def keyless_world(folder: Path, sigstore: Sigstore, *, version: str = VERSION) -> World:
    """dist/ with a wheel and an sdist, and keys/ that list one workflow; nothing sealed yet."""
    build(folder / "dist", version)
    (folder / "keys").mkdir()
    sigstore.write_trusted_root(folder / "keys" / "root.json")
    (folder / "keys" / "policy.toml").write_text(POLICY)
    return World(folder)


@dataclasses.dataclass
class Run:
    """One sealing as a CI job would do it; what a test changes is one field."""

    world: World
    sigstore: Sigstore
    claims: GitHubClaims | GitLabClaims | None = WORKFLOW
    config: str = "rekor1-timestamps"
    token: str = ""
    left: frozenset[str] = frozenset()
    attestations: Path | None = None
    build: Callable[[str, str], BuildFacts] | None = None
    allow: frozenset[str] = frozenset()
    sbom: Path | None = None
    audit: Path | None = None
    patience: Patience = QUICK
    renew: Callable[[], Identity | None] = lambda: None
    confirm: Callable[[Announcement], None] | None = None
    announced: list[Announcement] = dataclasses.field(default_factory=list)
    show: Callable[[int, int], None] | None = None
    shown: list[tuple[int, int]] = dataclasses.field(default_factory=list)

    def seal(self, *, dist: bool = True, out: str = "release", **more: Any) -> Sealed:
        rekor, timestamps = CONFIGS[self.config]
        config = self.sigstore.trust_config_json(rekor=rekor, timestamps=timestamps)
        means = SigstoreMeans(
            services=lambda: Services("sandbox", config),
            identity=lambda services: self.identity(),
            renew=self.renew,
            confirm=self.confirm or self.announced.append,
            attestations=self.attestations,
            build=self.build or (lambda tag, identity: play_build(self.claims or WORKFLOW, tag)),
            allow=self.allow,
            show=self.show or (lambda done, total: self.shown.append((done, total))),
            patience=self.patience,
        )
        folder = self.world.folder
        trust = read_trust_folder(self.world.policy, folder / out)
        return seal(
            self.world.dist if dist else None,
            folder / out,
            trust,
            means=Means(more.pop("opener", None), means, self.left),
            clock=lambda: datetime.now(UTC),
            gpg=GPG,
            sbom=SbomSource(self.sbom) if self.sbom else None,
            audit=self.audit,
        )

    def identity(self) -> Identity | None:
        if self.token:
            return read_identity(self.token)
        return read_identity(token_of(self.sigstore, self.claims)) if self.claims else None


def token_of(sigstore: Sigstore, claims: GitHubClaims | GitLabClaims) -> str:
    if isinstance(claims, GitLabClaims):
        return sigstore.gitlab_token(claims)
    return sigstore.github_token(claims)


def bundle_by(sigstore: Sigstore, content: bytes, claims: GitHubClaims, config: str = "rekor1-timestamps") -> bytes:
    """A perfectly good bundle over `content`, by whoever `claims` are."""
    with client(sigstore, config).signer(sigstore.github_token(claims)) as signer:
        return signer.sign_artifact(content).to_json().encode()


def bundle_of(path: Path) -> Path:
    return path.with_name(path.name + ".sigstore.json")

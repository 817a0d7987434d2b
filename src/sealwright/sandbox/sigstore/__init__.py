"""A whole Sigstore on loopback: OIDC, Fulcio, a CT log, Rekor v1 and v2, a timestamp authority, a TUF repository.

Enters: a clock. Leaves: services on 127.0.0.1 that unmodified clients sign and verify with, and that fail as they are
told to. Its keys are made at every start, live in memory and are never written: what it vouches for is worth nothing.
"""

from sealwright.sandbox.faults import NOT_JSON, Answer, Break, Delay, Endpoint, Faults, Lie
from sealwright.sandbox.sigstore.claims import EMAIL_ISSUER, GITHUB_ISSUER, GITLAB_ISSUER, GitHubClaims, GitLabClaims
from sealwright.sandbox.sigstore.running import Sigstore, running_sigstore

__all__ = [
    "EMAIL_ISSUER",
    "GITHUB_ISSUER",
    "GITLAB_ISSUER",
    "NOT_JSON",
    "Answer",
    "Break",
    "Delay",
    "Endpoint",
    "Faults",
    "GitHubClaims",
    "GitLabClaims",
    "Lie",
    "Sigstore",
    "running_sigstore",
]

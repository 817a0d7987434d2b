"""The claims of a signing certificate that a policy can ask for, beside the identity and its oidc issuer.

Enters: nothing. Leaves: a table. Each row is one extension of Fulcio's certificates, under the key that a policy uses
for it. The names and numbers are Fulcio's: https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
"""

from typing import NamedTuple

FULCIO = "1.3.6.1.4.1.57264.1."
_UTF8_STRING = 0x0C


class ClaimKind(NamedTuple):
    """One extension: the policy's key, Fulcio's name, its number below `FULCIO`, whether {version} may stand in it.

    The extensions up to 6 hold the text itself, the others a DER UTF8String of it.
    """

    key: str
    name: str
    number: int
    template: bool = False


CLAIMS = (
    ClaimKind("source-repository", "SourceRepositoryURI", 12),
    ClaimKind("source-ref", "SourceRepositoryRef", 14, template=True),
    ClaimKind("source-digest", "SourceRepositoryDigest", 13),
    ClaimKind("source-repository-id", "SourceRepositoryIdentifier", 15),
    ClaimKind("source-visibility", "SourceRepositoryVisibility", 22),
    ClaimKind("source-owner", "SourceRepositoryOwnerURI", 16),
    ClaimKind("source-owner-id", "SourceRepositoryOwnerIdentifier", 17),
    ClaimKind("build-signer", "BuildSignerURI", 9, template=True),
    ClaimKind("build-signer-digest", "BuildSignerDigest", 10),
    ClaimKind("build-config", "BuildConfigURI", 18, template=True),
    ClaimKind("build-config-digest", "BuildConfigDigest", 19),
    ClaimKind("build-trigger", "BuildTrigger", 20),
    ClaimKind("run-invocation", "RunInvocationURI", 21),
    ClaimKind("runner-environment", "RunnerEnvironment", 11),
    ClaimKind("github-workflow-trigger", "GitHubWorkflowTrigger", 2),
    ClaimKind("github-workflow-sha", "GitHubWorkflowSHA", 3),
    ClaimKind("github-workflow-name", "GitHubWorkflowName", 4),
    ClaimKind("github-workflow-repository", "GitHubWorkflowRepository", 5),
    ClaimKind("github-workflow-ref", "GitHubWorkflowRef", 6, template=True),
)


def utf8_string(der: bytes) -> str | None:
    """Read a DER UTF8String (X.690, 8.23) of less than 64 KiB; None if it is none, or has anything after it."""
    if len(der) < 2 or der[0] != _UTF8_STRING:
        return None
    size = der[1] - 0x80 if der[1] > 0x80 else 0  # the octets of a long length
    body = der[2 + size :]
    length = int.from_bytes(der[2 : 2 + size]) if size else der[1]
    if size > 2 or (not size and der[1] == 0x80) or len(body) != length:
        return None
    return body.decode("utf-8", "backslashreplace")
